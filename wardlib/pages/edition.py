"""An edition: what one ward knew of one period on one day, in one language. It heads every briefing.

Pages take the edition to know the language, the currency and how to label what they print. Displayed
in a notebook it shows the head; the exporters draw the official head, the marks and the document's
properties from what it carries.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from wardlib.analysis.assumptions import NOTHING, Assumptions
from wardlib.data.book import Book
from wardlib.data.descriptors import Ward
from wardlib.errors import unknown
from wardlib.language import Language, Unit
from wardlib.pages.block import Block, joined, paragraph
from wardlib.periods import Period
from wardlib.shown import Shown

ILLUSTRATIVE = "°"  # after the name of a ward whose figures are illustrative, beside others
# What a superior calls itself in Vietnamese, by its code in words.csv.
_SUPERIORS = {
    "quan": "quận",
    "huyen": "huyện",
    "thi_xa": "thị xã",
    "thanh_pho": "thành phố",
    "tinh": "tỉnh",
}


@dataclass(frozen=True, eq=False, repr=False)
class Edition(Shown):
    """A book in a language; see the module. `subject` and `assumptions` are those of the page that shows
    it (see `page.Page`)."""

    book: Book
    language: Language
    subject: str = field(default="", kw_only=True)
    assumptions: Assumptions = field(default=NOTHING, kw_only=True)

    def _title(self) -> str:
        day = f" as of {self.as_of}" if self.as_of else ""
        return f"<{type(self).__name__} {self.ward.id} {self.period}{day}, {self.language.code}>"

    def _facts(self) -> dict[str, str]:
        return {}

    def _next(self) -> str:
        return ""

    if not TYPE_CHECKING:  # a checker of types tells it itself

        def __getattr__(self, name):
            raise unknown(self, name)

    @property
    def ward(self) -> Ward:
        return self.book.ward

    @property
    def period(self) -> Period:
        return self.book.period

    @property
    def as_of(self) -> datetime.date | None:
        return self.book.as_of

    @property
    def day(self) -> datetime.date:
        """The day on which the figures were known, which the paper bears; see `Book.day`."""
        return self.book.day

    @property
    def text(self) -> Callable[..., str]:
        """`Language.text` of the edition's language."""
        return self.language.text

    @property
    def ward_name(self) -> str:
        return self.language.pick(self.ward, "name")

    @property
    def period_name(self) -> str:
        return self.period.name(self.language)

    def table(self, name: str, *, every_report: bool = False) -> pd.DataFrame | None:
        """What was known of a table; see `Book.table`."""
        return self.book.table(name, every_report=every_report)

    def unit(self, largest: float) -> Unit:
        """The unit in which to print amounts of the ward's currency, `largest` the largest of them."""
        return self.language.unit(self.ward.currency, largest)

    @property
    def setter(self) -> str:
        """Who sets the plan above the unit, by what its superior calls itself: "quận", "the district";
        "cấp trên", "the upper level" where its name does not say. Of a district, whose page shows the plans
        of its wards, itself."""
        words = self.language.words("superior")
        above = self.ward.name_vi if self.ward.wards else self.ward.superior_vi
        name = f" {above.casefold()} "
        found = {name.find(f" {kind} "): code for code, kind in _SUPERIORS.items()}
        first = min((place for place in found if place >= 0), default=None)
        return words["upper" if first is None else found[first]]

    def only(self, reported: int, expected: int) -> str:
        """Says that a sum lacks months: `reported` of the `expected` ones are in it."""
        return self.language.plural(
            "(only {count} of {expected} months is reported)",
            "(only {count} of {expected} months are reported)",
            reported,
            expected=str(int(expected)),  # a column with a missing count holds floats
        )

    @property
    def known(self) -> str:
        """On which day the figures were known."""
        return self.text("Figures as known on {day}", day=self.language.date(self.day))

    @property
    def mark(self) -> str:
        """What every page made from illustrative figures says; empty for real ones."""
        if not self.ward.illustrative:
            return ""
        if self.ward.mixed:
            return self.text(
                "ILLUSTRATIVE FIGURES of the wards marked {mark} – not real data of these wards",
                mark=ILLUSTRATIVE,
            )
        if self.ward.wards:
            return self.text("ILLUSTRATIVE FIGURES – not real data of the wards")
        return self.text("ILLUSTRATIVE FIGURES – not real data of the ward")

    @property
    def what_if(self) -> str:
        """What every page says that shows a result made under other assumptions than the tables', which it
        lists; empty for what is known."""
        if not self.assumptions:
            return ""
        language, supposed, text = self.language, self.assumptions, self.text
        said: dict[str, Callable[[], str]] = {
            "start": lambda: text(
                "the effect begins in {month}", month=Period.parse(supposed.start).name(language)
            ),
            "phases": lambda: text(
                "of the phases only {names} (later months still count)",
                names=self._phases(supposed.phases),
            ),
            "share": lambda: text(
                "of what may be put off by law, {share} % is",
                share=language.number(100 * (supposed.share or 0), 1, trim=True),
            ),
            "leave_out": lambda: text(
                "nothing is learnt from the months of {years} before the start",
                years=", ".join(map(str, supposed.leave_out)),
            ),
            "level": lambda: text(
                "intervals and statements at {level} %",
                level=language.number(100 * (supposed.level or 0), 2, trim=True),
            ),
        }
        # Which lines are looked at moves no figure.
        listed = "; ".join(words() for name, words in said.items() if name in supposed.given)
        return listed and text("WHAT IF: {assumptions}", assumptions=listed)

    def _phases(self, ids: tuple[str, ...]) -> str:
        """The names of some phases of the epidemic."""
        known = self.table("covid_phases")
        names = {} if known is None else dict(zip(known["id"], known.itertuples(), strict=True))
        return ", ".join(self.language.pick(names[own], "name") for own in ids if own in names)

    @property
    def of(self) -> dict[str, Any]:
        """Which edition it is: ward, period, day, language, whether its figures are illustrative; and what
        of it is shown: the subject ("" of none), and under which assumptions ("" of none)."""
        return {
            "ward": self.ward.id,
            "period": str(self.period),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "day": self.day.isoformat(),
            "language": self.language.code,
            "illustrative": self.ward.illustrative,
            "subject": self.subject,
            "assumptions": self.what_if,
        }

    @property
    def about(self) -> dict[str, object]:
        """What travels with the figures of every table and chart: ward, period, day, sources, what is
        supposed. The same in every language."""
        named = ("ward", "period", "as_of", "day", "illustrative")
        assumed = {"assumptions": self.assumptions.given} if self.assumptions else {}
        sources = [{"title": source} for source in self.ward.sources_en]
        return {name: self.of[name] for name in named} | assumed | {"sources": sources}

    @property
    def recipients(self) -> list[str]:
        """Who receives a paper of that day."""
        return [
            self.language.pick(recipient, "name")
            for recipient in self.ward.recipients
            if (recipient.valid_from or self.day) <= self.day <= (recipient.valid_to or self.day)
        ]

    @property
    def head(self) -> Block:
        """The head of a paper, as Decree 30/2020/NĐ-CP, Appendix I has it."""
        language, ward = self.language, self.ward
        subtitle = f"{self.ward_name} · {language.sentence(self.period_name)}"
        lines = [line for line in (subtitle, self.known + ".", self.mark) if line]
        content = {
            "kind": "head",
            "lines": lines,
            "shown": self.text(
                "English edition. For another one change the parameters above and run again from the top."
            ),
            "vietnamese": ward.vietnamese,
            "superior": language.pick(ward, "superior"),
            "authority": language.pick(ward, "authority").splitlines(),
            "subtitle": subtitle,
            "known": self.known,
            "mark": self.mark,
            "motto": [
                self.text("SOCIALIST REPUBLIC OF VIET NAM"),
                self.text("Independence - Freedom - Happiness"),
            ],
            "number": self.text("No.: … /BC-UBND"),
            "dated": self.text(
                "{place}, {day}", place=ward.place, day=language.date_line(self.day)
            ),
            "draft": self.text("DRAFT"),
            "paper": self.text("REPORT"),
            "record": self.text("What this briefing was made from"),
            "to": self.text("To:"),
            "recipients": self.recipients,
            "signature": [
                self.text("ON BEHALF OF THE PEOPLE'S COMMITTEE"),
                self.text("CHAIRMAN"),
            ],
            "chart": self.text("Figure"),
            "table": self.text("Table"),
            "skip": self.text("Skip to the content"),
        }
        return Block(self.of, content, joined(lines))

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.head._repr_mimebundle_()

    def sources(self) -> Block:
        """Where the figures come from, under which licence. To be shown last: it carries the hashes
        of all files that the notebook has read by then."""
        text = self.text
        titles = self.ward.sources_vi if self.language.code == "vi" else self.ward.sources_en
        lines = [
            text("Source: {sources}.", sources="; ".join(titles)),
            text("Licence: {licences}.", licences="; ".join(self.ward.licences)),
        ]
        shown = paragraph(self, " ".join(lines), note=True)
        read = dict(sorted((self.book.digests | self.book.descriptors).items()))
        return replace(shown, content=shown.content | {"kind": "sources", "digests": read})

    def files(self) -> Block:
        """The files that the notebook has read, with the first digits of the hash of the rows read."""
        return paragraph(
            self,
            self.text(
                "Files read, as known on that day (first digits of the SHA-256 of those rows): {files}.",
                files=", ".join(
                    f"{file} ({digest.removeprefix('sha256:')[:8]})"
                    for file, digest in sorted(self.book.digests.items())
                ),
            ),
            note=True,
        )
