"""Questions: what a person has to decide, by which name it is answered, and with which words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from wardlib.errors import RequestError, said

# By kind of problem: the name of its answer, and the words that it takes ("" for a word of another form,
# which the text behind it shows).
ASKED: dict[str, tuple[str, tuple[str, ...]]] = {
    "kept_missing": ("kept", ("shares",)),
    "number_ambiguous": ("number", ("decimals", "thousands")),
    "hidden_row": ("hidden", ("leave-out", "take")),
    "hidden_column": ("hidden", ("leave-out", "take")),
    "unit_missing": ("unit", ("dong", "nghin", "trieu", "ty", "one")),
    "unit_conflict": ("unit", ("dong", "nghin", "trieu", "ty", "one")),
    "unit_unknown": ("unit", ("dong", "nghin", "trieu", "ty", "one")),
    "unit_implausible": ("unit", ("dong", "nghin", "trieu", "ty", "one")),
    "value_implausible": ("value", ("right",)),
    "kept_above_collected": ("value", ("right",)),
    "column_ambiguous": ("column", ("C,D",)),
    "dash_meaning": ("dash", ("zero", "not-reported")),
    "month_unknown": ("month", ("2022-01",)),
    "line_unknown": ("line", ("none", "CODE")),
    "line_ambiguous": ("line", ("CODE",)),
    "school_unknown": ("line", ("none", "CODE")),
    "text_foreign": ("text", ("convert", "leave")),
    "month_copied": ("copied", ("right",)),
    "month_not_over": ("status", ("estimate", "actual")),
    "ytd_mismatch": ("ytd", ("ignore",)),
    "total_partial": ("partial", ("right",)),
    "title_unknown": ("title", ("right",)),
    "head_unknown": ("head", ("right",)),
    "sheet_month": ("sheet", ("title",)),
    "other_ward": ("ward", ("right",)),
}
FACTORS = {"dong": "1", "nghin": "1000", "trieu": "1000000", "ty": "1000000000", "one": "1"}
_FORMS = {
    "column": re.compile(r"[A-Z]{1,3}(,[A-Z]{1,3})*"),
    "month": re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])"),
    "line": re.compile(r"[a-z][a-z0-9_]*"),
}


def ready(kind: str, sheet: str, cell: str, choices: Iterable[str]) -> list[str]:
    """The answers to a question, ready to copy onto the command line."""
    name = ASKED[kind][0]
    place = ""
    if name in ("line", "column", "month") and sheet:
        place = f"@{sheet}!{cell}" if cell and name == "line" else f"@{sheet}"
    quote = '"' if re.search(r"[^\w@,.=-]", place) else ""
    return [f"--answer {quote}{name}{place}={choice}{quote}" for choice in choices]


@dataclass
class Answers:
    """What the clerk has answered; each answer is taken for every place, or for the one that it names:
    a sheet ("unit@T01=dong") or a cell ("line@Thu!B12=fees"). `used` collects those that were asked for."""

    given: dict[tuple[str, str], str] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)

    def given_for(self, name: str, sheet: str) -> str:
        """The answer for a sheet, without taking it for used."""
        return self.given.get((name, sheet)) or self.given.get((name, ""), "")

    def get(self, name: str, sheet: str = "", cell: str = "") -> str:
        """The answer for a place, the nearest to it first; "" where there is none."""
        for place in (f"{sheet}!{cell}", sheet, ""):
            if (name, place) in self.given:
                self.used.add((name, place))
                return self.given[name, place]
        return ""

    def lines(self) -> list[str]:
        """The answers as they were given, sorted."""
        return [
            f"{name}@{place}={word}" if place else f"{name}={word}"
            for (name, place), word in sorted(self.given.items())
        ]


def answers(texts: Iterable[str]) -> Answers:
    """The answers of `--answer` options; RequestError for one that answers no question that may be asked."""
    words: dict[str, set[str]] = {}
    for name, choices in ASKED.values():
        words.setdefault(name, set()).update(choices)
    given = {}
    for text in texts:
        place_name, sign, word = text.partition("=")
        if "=" in word:  # the name of a sheet may hold the sign
            place_name, sign, word = text.rpartition("=")
        name, _, place = place_name.partition("@")
        if not sign or name not in words:
            names = ", ".join(sorted(words))
            raise RequestError(
                said(
                    "--answer {text}: no question has that name. Names: {names}.",
                    text=text,
                    names=names,
                )
            )
        form = _FORMS.get(name)
        if not (form.fullmatch(word) if form else word in words[name]):
            known = ", ".join(sorted(words[name]))
            raise RequestError(
                said(
                    "--answer {text}: expected {name}= and one of: {choices}.",
                    text=text,
                    name=name,
                    choices=known,
                )
            )
        given[name, place] = word
    return Answers(given)
