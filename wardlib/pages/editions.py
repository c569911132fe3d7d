"""An edition: one ward, one period, one language, one as-of day. It heads every briefing.

Page functions (tables, charts, sentences) take the edition to know the language, the currency and
how to label what they print. Displayed in a notebook it shows the head; the exporters draw the
official head, the marks and the document's properties from what it carries.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

from wardlib.data.book import Book
from wardlib.data.descriptors import Ward
from wardlib.language import Language, get
from wardlib.pages.blocks import Block, html, joined, paragraph
from wardlib.periods import Period


@dataclass(frozen=True)
class Edition:
    """See the module; make one with `of`."""

    ward: Ward
    period: Period
    language: Language
    as_of: datetime.date | None
    newest: datetime.date

    @property
    def ward_name(self) -> str:
        return self.language.pick(self.ward, "name")

    @property
    def period_name(self) -> str:
        return self.period.name(self.language)

    @property
    def known(self) -> str:
        """To which day the figures are known: the as-of day, else the day of the newest report."""
        if self.as_of:
            return self.language.text(
                "Figures as known on {day}", day=self.language.date(self.as_of)
            )
        return self.language.text(
            "Figures as known on {day}, the day of the newest report",
            day=self.language.date(self.newest),
        )

    @property
    def mark(self) -> str:
        """What every page made from illustrative figures says; empty for real ones."""
        if not self.ward.illustrative:
            return ""
        return self.language.text("ILLUSTRATIVE FIGURES – not real data of the ward")

    @property
    def about(self) -> dict[str, object]:
        """What travels with every table and chart: ward, period, as-of day, sources, mark."""
        return {
            "ward": self.ward.id,
            "period": str(self.period),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "newest_report": self.newest.isoformat(),
            "illustrative": self.ward.illustrative,
            "sources": [{"title": source} for source in self.ward.sources_en],
        }

    @property
    def dated(self) -> datetime.date:
        """The day that the paper bears: that to which its figures are known."""
        return self.as_of or self.newest

    @property
    def recipients(self) -> list[str]:
        """Who receives a paper of that day."""
        return [
            self.language.pick(recipient, "name")
            for recipient in self.ward.recipients
            if (recipient.valid_from or self.dated) <= self.dated
            and self.dated <= (recipient.valid_to or self.dated)
        ]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple:
        language, ward = self.language, self.ward
        subtitle = f"{self.ward_name} · {language.sentence(self.period_name)}"
        head = {
            "language": language.code,
            "vietnamese": ward.vietnamese,
            "superior": language.pick(ward, "superior"),
            "authority": language.pick(ward, "authority").splitlines(),
            "subtitle": subtitle,
            "period": self.period_name,
            "known": self.known,
            "mark": self.mark,
            "motto": [
                language.text("SOCIALIST REPUBLIC OF VIET NAM"),
                language.text("Independence - Freedom - Happiness"),
            ],
            "number": language.text("No.: … /BC-UBND"),
            "dated": language.text(
                "{place}, {day}", place=ward.place, day=language.date_line(self.dated)
            ),
            "draft": language.text("DRAFT"),
            "paper": language.text("REPORT"),
            "record": language.text("What this briefing was made from"),
            "to": language.text("To:"),
            "recipients": self.recipients,
            "signature": [
                language.text("ON BEHALF OF THE PEOPLE'S COMMITTEE"),
                language.text("CHAIRMAN"),
            ],
            "chart": language.text("Figure"),
            "table": language.text("Table"),
            "id": ward.id,
            "period_id": str(self.period),
            "skip": language.text("Skip to the content"),
            "newest": self.newest.isoformat(),
            **self.about,
        }
        lines = [subtitle, self.known + ".", self.mark]
        return {
            "text/plain": joined(lines),
            "text/html": joined(f"<p><strong>{html(line)}</strong></p>" for line in lines if line),
        }, {"wardlib": {"kind": "head", **head}}


def of(book: Book, language: str) -> Edition:
    """The edition of an open book in `language` ("vi", "en")."""
    reported = book.table("receipts")["reported_on"].max().date()
    return Edition(book.ward, book.period, get(language), book.as_of, reported)


def sources(edition: Edition, book: Book) -> Block:
    """Where the figures come from, under which licence. To be shown last: it carries the hashes
    of all files that the notebook has read by then."""
    text = edition.language.text
    lines = [
        text(
            "Source: {sources}.", sources="; ".join(edition.language.pick(edition.ward, "sources"))
        ),
        text("Licence: {licences}.", licences="; ".join(edition.ward.licences)),
    ]
    return replace(
        paragraph(" ".join(lines), "note"),
        about={
            "kind": "sources",
            "digests": dict(sorted((book.digests | book.descriptors).items())),
        },
    )


def files(edition: Edition, book: Book) -> Block:
    """The files that the notebook has read, with the first digits of the hash of the rows read."""
    return paragraph(
        edition.language.text(
            "Files read up to this period (first digits of the SHA-256 of those rows): {files}.",
            files=", ".join(
                f"{file} ({digest.removeprefix('sha256:')[:8]})"
                for file, digest in sorted(book.digests.items())
            ),
        ),
        "note",
    )
