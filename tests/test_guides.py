"""The guides: a reader who follows them gets what they say."""

import re
from pathlib import Path
from urllib.parse import unquote

import guides
import pytest
from PIL import Image

from wardlib import language

ROOT = guides.ROOT
PAIRS = [(guides.GUIDES / f"{role}.vi.md", guides.GUIDES / f"{role}.en.md")
         for role in ("analyst", "clerk", "developer", "reader")]  # fmt: skip
DEVELOPER = PAIRS[2]


def test_there_is_a_guide_for_each_of_four_people_in_both_languages():
    """And the README leads to each."""
    assert guides.guides() == sorted(guide for pair in PAIRS for guide in pair)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"(docs/guides/{guide.name})" in readme for pair in PAIRS for guide in pair)


@pytest.mark.parametrize("guide", guides.guides(), ids=lambda guide: guide.name)
def test_who_follows_a_guide_sees_what_it_says(guide, tmp_path):
    """Each command ends as it says, and each quotation, figure and picture's text is what comes of it; `make
    docs` writes them. What takes long is run for one of the two languages, where the other quotes nothing
    of it, or the same."""
    if guide == DEVELOPER[1]:
        assert guides.quoted(guide) == guides.quoted(DEVELOPER[0])
        return
    long = "\0" if guide.suffixes[0] == ".vi" else "ward run"
    home = guides.workbook(tmp_path, guide)
    assert guides.followed(guide, home, leave_out=long) == guide.read_text(encoding="utf-8")
    if guide.suffixes[0] == ".vi":
        for file in re.findall(r"`(output/\S+?)`", guide.read_text(encoding="utf-8")):
            assert (home / file).exists(), file


@pytest.mark.parametrize(("vi", "en"), PAIRS, ids=lambda guide: guide.name)
def test_both_languages_have_the_same_commands(vi, en):
    """But for the language that a command names."""
    assert guides.commands(vi) == guides.commands(en)


@pytest.mark.parametrize("guide", guides.guides(), ids=lambda guide: guide.name)
def test_links_lead_somewhere_and_pictures_are_small(guide):
    """A picture says what it shows."""
    text = guide.read_text(encoding="utf-8")
    links = re.findall(r"(!?)\[([^\]]*)\]\(([^)]+)\)", text)
    assert len(links) > 4
    for is_picture, words, target in links:
        file = guide.parent / unquote(target)
        assert file.is_file(), target
        if is_picture:
            assert len(words) > 60
            assert file.stat().st_size < 100_000
            with Image.open(file) as picture:
                assert picture.format == "PNG"


@pytest.mark.parametrize("guide", guides.guides(), ids=lambda guide: guide.name)
def test_the_words_that_a_guide_explains_are_those_of_the_pages(guide):
    """What a table explains in bold stands in a text or word of the workbook in that language."""
    tongue = guide.suffixes[0][1:]
    folder = Path(language.__file__).parent / "locale"
    texts = (folder / "vi.po").read_text(encoding="utf-8")
    side = "msgstr" if tongue == "vi" else "msgid"
    said = " ".join(re.findall(rf'^{side}(?:_plural|\[\d\])? "(.*)"$', texts, re.MULTILINE))
    said += (folder / "words.csv").read_text(encoding="utf-8")
    text = guide.read_text(encoding="utf-8")
    explained = [
        word for row in re.findall(r"^\| (\*\*.*?) \|", text, re.MULTILINE)
        for word in re.findall(r"\*\*(.+?)\*\*", row)
    ]  # fmt: skip
    assert explained or guide.name.startswith(("clerk", "developer"))
    assert [word for word in explained if word.casefold() not in said.casefold()] == []
