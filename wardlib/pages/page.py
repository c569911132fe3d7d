"""A page object: one edition with one result, bound once, so that they do not disagree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from wardlib.analysis.assumptions import NOTHING
from wardlib.errors import RequestError, said, unknown
from wardlib.language import Language
from wardlib.pages.edition import Edition
from wardlib.periods import Period
from wardlib.shown import Shown


class OfPeriod(Protocol):
    """What analysis made of a period."""

    @property
    def period(self) -> Period: ...


Result = TypeVar("Result", bound=OfPeriod | None)


@dataclass(frozen=True, eq=False, repr=False)
class Page(Shown, Generic[Result]):
    """What a reader sees of a result; RequestError where that is of another period than the edition.

    Shown, it tells what it can show.
    """

    _page: ClassVar[str]  # its name in the workbook
    _opening: ClassVar[str]  # the method that gives its first sentence

    edition: Edition
    result: Result

    def __post_init__(self) -> None:
        if self.result is not None and self.result.period != self.edition.period:
            made, shown = self.result.period, self.edition.period
            raise RequestError(
                said(
                    "a result of {made} is not shown as {shown}: open that period with {call}.",
                    made=made,
                    shown=shown,
                    call=f'wardlib.open("{self.edition.ward.id}", "{made}")',
                )
            )

    def _title(self) -> str:
        edition = self.edition
        name = self._language.words("page")[type(self).__name__]
        about = f"{name}. {edition.ward_name}, {edition.period_name}. {edition.known}."
        return " ".join(filter(None, (about, edition.mark, self._shown.what_if)))

    def _of(self) -> dict[str, Any]:
        return self._shown.of

    def _facts(self) -> dict[str, str]:
        opening = getattr(self, self._opening)()
        return {} if opening is None else {self._text("In short"): opening.plain}

    if not TYPE_CHECKING:  # a checker of types tells it itself

        def __getattr__(self, name):
            raise unknown(self, name)

    @property
    def _shown(self) -> Edition:
        """The edition as its blocks name it: with the subject, and with what was supposed for its result."""
        supposed = getattr(self.result, "assumptions", NOTHING)
        book, language = self.edition.book, self.edition.language
        return Edition(book, language, subject=self._page, assumptions=supposed)

    @property
    def _language(self) -> Language:
        return self.edition.language

    @property
    def _text(self) -> Callable[..., str]:
        """`Language.text` of the edition's language."""
        return self.edition.text
