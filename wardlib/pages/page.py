"""A page object: one edition with one result, bound once, so that they cannot disagree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from wardlib.errors import RequestError
from wardlib.language import Language
from wardlib.pages.edition import Edition
from wardlib.periods import Period


class OfPeriod(Protocol):
    """What analysis made of a period."""

    @property
    def period(self) -> Period: ...


Result = TypeVar("Result", bound=OfPeriod | None)


@dataclass(frozen=True)
class Page(Generic[Result]):
    """What a reader sees of a result; RequestError where it is of another period than the edition."""

    edition: Edition
    result: Result

    def __post_init__(self) -> None:
        if self.result is not None and self.result.period != self.edition.period:
            made, shown = self.result.period, self.edition.period
            raise RequestError(
                f"a result of {made} is not shown as {shown}: open that period with "
                f'wardlib.open("{self.edition.ward.id}", "{made}").'
            )

    @property
    def _language(self) -> Language:
        return self.edition.language

    @property
    def _text(self) -> Callable[..., str]:
        """`Language.text` of the edition's language."""
        return self.edition.text
