"""Questions: how they are answered on the command line, and which answers are none."""

import shlex

import pytest

from wardlib.data.intake import questions
from wardlib.errors import RequestError


def test_the_nearest_answer_counts():
    """A cell's before its sheet's before the file's; what was asked for is marked as used."""
    given = questions.answers(["line=none", "line@Thu=fees", "line@Thu!B12=other", "unit=dong"])
    assert given.get("line", "Thu", "B12") == "other"
    assert given.get("line", "Thu", "B13") == "fees"
    assert given.get("line", "Chi", "B12") == "none"
    assert given.get("dash", "Thu") == ""
    assert ("unit", "") not in given.used and ("line", "Thu") in given.used


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("unit@T01=dong", "T01", "dong"),
        ("unit@a=b=trieu", "a=b", "trieu"),
        ("unit@a; unit=ty; b=dong", "a; unit=ty; b", "dong"),
        ("unit@Thu@2022=ty", "Thu@2022", "ty"),
    ],
)
def test_the_name_of_a_sheet_may_hold_any_sign(text, place, word):
    """Its last sign of equality parts the answer from the place."""
    assert questions.answers([text]).get("unit", place) == word


@pytest.mark.parametrize(
    "text",
    ["unit", "unit=", "unit=dollar", "colour=red", "month=2022-13", "month=1/2022", "column=3",
     "line=Phí", "number=points", "=dong", ""],
)  # fmt: skip
def test_an_answer_that_answers_nothing_is_refused(text):
    """An unknown name, or a word that the question does not take."""
    with pytest.raises(RequestError):
        questions.answers([text])


@pytest.mark.parametrize("kind", questions.ASKED)
@pytest.mark.parametrize("sheet", ["Thu", "Thu 2022", "a; b"])
def test_answers_that_are_offered_are_taken(kind, sheet):
    """Each can be copied onto the command line as it stands, and answers its question there."""
    name, choices = questions.ASKED[kind]
    choices = ["fees" if choice == "CODE" else choice for choice in choices]
    for line, choice in zip(questions.ready(kind, sheet, "B12", choices), choices, strict=True):
        option, text = shlex.split(line)
        assert option == "--answer"
        assert questions.answers([text]).get(name, sheet, "B12") == choice


def test_lines_tell_the_answers_as_they_were_given():
    """Sorted, each as it would be given again."""
    texts = ["unit@T01=dong", "kept=shares"]
    assert questions.answers(texts).lines() == sorted(texts)
