"""Assumptions: what an analyst supposes in place of what the tables say ("what if")."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from wardlib.errors import RequestError
from wardlib.periods import Period
from wardlib.shown import Shown, brief


@dataclass(frozen=True, repr=False)
class Assumptions(Shown):
    """What is supposed; what is left empty is as the tables have it. False where nothing is supposed.

    `start`: the first month of the effect, e.g. "2020-03". `phases`: those of the epidemic that count, by
    the names of covid_phases. `share`: how much of what may be put off by law is (0 to 1). `leave_out`: years
    that the estimate does not learn from. `lines`: the revenue lines that are looked at. `level`: how often
    an interval is to hold the truth (above 0, below 1).

    A result that was made so carries them as `assumptions`, and every page that shows it says them
    (`Edition.what_if`). Raises RequestError where one of them cannot be.
    """

    start: str = ""
    phases: tuple[str, ...] = ()
    share: float | None = None
    leave_out: tuple[int, ...] = ()
    lines: tuple[str, ...] = ()
    level: float | None = None

    def __post_init__(self) -> None:
        if self.start and len(Period.parse(self.start).months) != 1:
            raise RequestError(f"the start {self.start!r} is no month: give one such as 2020-03.")
        if self.share is not None and not 0 <= self.share <= 1:
            raise RequestError(f"a share is from 0 to 1, not {self.share}: 0.6 is 60 %.")
        if self.level is not None and not 0 < self.level < 1:
            raise RequestError(f"a level is above 0 and below 1, not {self.level}: 0.8 is 80 %.")

    def __bool__(self) -> bool:
        return self != NOTHING

    @property
    def told(self) -> str:
        """What is supposed, in a line of names and values."""
        return "; ".join(f"{name} {text}" for name, text in self._facts().items())

    def _facts(self) -> dict[str, str]:
        return {name: brief(value) for name, value in self.given.items()}

    @property
    def given(self) -> dict[str, object]:
        """What is supposed, by name."""
        nothing = asdict(NOTHING)
        return {name: value for name, value in asdict(self).items() if value != nothing[name]}


NOTHING = Assumptions()
