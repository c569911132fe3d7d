"""Statements: what may be said of a split, and which evidence each statement needs.

One table for every page: the first statement of a table whose evidence a split has is the one that may
be made. Its words, in both languages, are those of `locale/words.csv` under its code; how often each is
true is measured by tests/benchmarks/words.py. Evidence is read from 95 % intervals that hold at every
share of payers in the range of the law (see `relief`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wardlib.analysis.relief import Split

# Of the expected amount: half of the interval of what may be lost at most, up to which more is said to be
# excluded. Not the upper bound itself is asked for: it is low most often where the expected amount was
# put too low, and then just what it excludes has happened.
SURE = 0.05
LOST, OVERDUE, EXCLUDED, POSSIBLE = "lost", "overdue", "excluded", "possible"
SHORT, MORE, USUAL = "short", "more", "usual"
DEFERRED, RELIEF, RETURNED = "deferred", "relief", "returned"


class Statement(NamedTuple):
    """A statement by its code: the evidence that it needs, in words and as a test of a split."""

    code: str
    needs: str
    holds: Callable[[Split], bool]


# Cash: what came in these months against what was to be expected.
CASH = (
    Statement(SHORT, "the interval of expected - collected is above zero",
              lambda split: split.difference.lower > 0),
    Statement(MORE, "the interval of expected - collected is below zero",
              lambda split: split.difference.upper < 0),
    Statement(USUAL, "it holds zero", lambda split: True),
)  # fmt: skip

# Of what these months owed, what is lost. Each but the first two names an amount: at most so much.
LOSSES = (
    Statement(LOST, "the interval of what could not even be put off is above zero; what was unpaid on "
              "its last lawful day left out", lambda split: split.never_due_later.lower > 0),
    Statement(OVERDUE, "the interval of lost and overdue together is above zero",
              lambda split: split.claim.lower > 0),
    Statement(EXCLUDED, "none is shown, and half of the interval of what may be lost, with what the law left "
              "unpayable, is at most 5 % of the expected; the amount named is at least 10 % of it",
              lambda split: split.at_most.upper - split.at_most.lower <= 2 * SURE * split.expected),
    Statement(POSSIBLE, "none of these: a loss is not shown, and not excluded", lambda split: True),
)  # fmt: skip

# A line in a word or two.
VERDICTS = (
    *LOSSES[:2],
    Statement(MORE, "the intervals of expected - collected, and of it with what came for earlier months, are "
              "below zero", lambda split: split.difference.upper < 0 and split.shortfall.upper < 0),
    Statement(DEFERRED, "the interval of the shortfall is above zero, and of what the law explains most is put "
              "off", lambda split: _explains(split) == DEFERRED),
    Statement(RELIEF, "likewise, most is exempt or reduced", lambda split: _explains(split) == RELIEF),
    Statement(RETURNED, "likewise, most was paid after these months; or a shortfall was shown at an earlier "
              "month-end, and what was put off has come since",
              lambda split: _explains(split) == RETURNED),
    Statement(USUAL, "none of these", lambda split: True),
)  # fmt: skip


def first(statements: Sequence[Statement], split: Split) -> str:
    """The code of the first of `statements` for which a split has the evidence; the last needs none."""
    return next(statement.code for statement in statements if statement.holds(split))


def _explains(split: Split) -> str:
    """Which part of a shown shortfall the law explains is the greatest; "" where none is shown."""
    relieved = split.exempt.mean + split.reduced.mean
    if split.shortfall.lower > 0:
        parts = {DEFERRED: split.deferred.mean, RELIEF: relieved, RETURNED: split.paid_later.mean}
    elif split.was_short and split.returned.mean > max(split.deferred.mean, relieved):
        parts = {RETURNED: split.returned.mean}
    else:
        return ""
    greatest = max(parts, key=parts.__getitem__)
    return greatest if parts[greatest] > 0 else ""
