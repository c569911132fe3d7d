"""The exceptions of wardlib: one base class, so that one `except` catches all that is ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class WardError(Exception):
    """Base of every error that wardlib raises on purpose; its text says what to do."""


class RequestError(WardError):
    """What was asked for does not exist or cannot be understood (ward, period, language, date)."""


@dataclass(frozen=True, order=True)
class Problem:
    """One fault in one place of a file.

    `file` is relative to the workbook's folder; `row` is the line number in the file (the header
    is 1; 0 means the whole file); `column` may be empty.
    """

    file: str
    row: int
    column: str
    found: str
    expected: str
    fix: str

    def __str__(self) -> str:
        where = self.file
        if self.row:
            where += f", row {self.row}"
        if self.column:
            where += f", column {self.column}"
        return (
            f"{where}\n    found: {self.found}\n    expected: {self.expected}\n    do: {self.fix}"
        )


class DataError(WardError):
    """Data files hold faults: all of them, sorted by place, in `problems`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        count = len(self.problems)
        head = f"{count} problem{'s' * (count != 1)} in the data:"
        super().__init__("\n".join([head, *(f"- {problem}" for problem in self.problems)]))

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class TranslationError(WardError):
    """A text has no translation in the catalogue of a language."""


class ExportError(WardError):
    """A notebook cannot be made into a briefing as it stands."""
