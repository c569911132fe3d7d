"""Late is not lost: the ledger of what the law let payers pay later, or not at all.

The ledger splits a line's shortfall against what would have been collected without COVID-19, on
each simulated path, by the rules of the table tax_relief:

- *exempt* (miễn) and *reduced* (giảm): not payable under the law;
- *deferred* (gia hạn): put off, unpaid, and the last lawful day has not passed;
- *overdue* (nợ quá hạn): put off, unpaid, and the last lawful day has passed. Whether that is arrears
  or gone, receipts alone cannot tell;
- *paid later*: put off in the months asked about, and paid after them;
- *lost* (mất thu): the rest, where a loss is shown;
- *unexplained*: the rest, where none is.

What was put off before the months asked about and came in them is *earlier*. The bridge of a span
(`Split.bridge`): expected - exempt - reduced - deferred - overdue - paid later - lost - unexplained
+ earlier = collected.

How many payers put off, or are exempt, is a range in the table (`share_low`, `share_high`). Means are
over shares spread evenly over it. Bounds favour no share: each is the least, or the greatest, over the
choices of its ends that can be extreme, so that what is claimed does not hang on who put off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from wardlib.analysis import statements
from wardlib.analysis.counterfactual import LEVEL, Impact, tails
from wardlib.analysis.results import CURRENCY, Result, plain
from wardlib.analysis.sampling import stream
from wardlib.analysis.tables import Bools, Days, Floats, Ints
from wardlib.shown import Shown, number

DEFERRAL, EXEMPTION, REDUCTION = "deferral", "exemption", "reduction"
# By the kind of a row of tax_relief, the column of its last lawful day; "" where nothing is put off.
# A row of kind `none` gives no relief: it says when a tax falls due, and nothing is late before.
KINDS = {DEFERRAL: "extended_due", EXEMPTION: "", REDUCTION: "", "none": "normal_due"}
GRANTED = (DEFERRAL, EXEMPTION, REDUCTION)
# The choices of the ends of the shares' ranges, low or high, at which amounts are least or greatest: of
# deferrals in months that are not asked about, and in those that are; of exemptions; of reductions. Money
# that was put off in months that are not asked about comes in those that are, and explains less of them
# the lower its share was.
_EXTREMES = (
    *("hhhh", "llll"),  # one share for all months of a decree
    *("lhhh", "hlll"),  # claim and never_due_later
    *("llhh", "hhll"),  # shortfall
    *("hlhh", "lhll"),  # returned, deferred, paid_later and overdue
    *("hhhl", "hhlh"),  # reduced
)
_WHOLE = 0.999  # share of an exemption from which nothing is payable


class Rule(NamedTuple):
    """Relief as months: `first` to `last` are those it touches, inclusive; `until` is the last lawful
    day, NaT where nothing is put off. `owed_from`: the month from which on what it touches was owed;
    `granted`: whether it is relief, and does not only say when something falls due."""

    id: str
    kind: str
    payers: str
    first: pd.Period
    last: pd.Period
    until: pd.Timestamp
    share_low: float
    share_high: float
    document: str
    owed_from: pd.Period
    granted: bool = True

    def touches(self, months: pd.PeriodIndex) -> Bools:
        """Which of `months` the rule touches."""
        return (months.asi8 >= self.first.ordinal) & (months.asi8 <= self.last.ordinal)

    def returns_by(self, day: pd.Timestamp) -> bool:
        """Whether what the rule takes from a month falls due by that day."""
        return self.kind == DEFERRAL and self.until <= day


@dataclass(frozen=True, repr=False)
class Amount(Shown):
    """An amount, positive for a shortfall: mean, and bounds that favour no share: the least and the
    greatest of the bounds of its interval over the choices of the ends of the shares' ranges."""

    mean: float
    lower: float
    upper: float

    def _title(self) -> str:
        return f"{number(self.mean)} ({number(self.lower)} to {number(self.upper)})"

    def _facts(self) -> dict[str, str]:
        return {}

    def _next(self) -> str:
        return ""


@dataclass(frozen=True, repr=False)
class Split(Result):
    """Some months (`first` to `last`, inclusive; `months` of them with a figure) in two accounts.

    Cash, what came in these months: `expected` without COVID-19, `collected`, and `difference` =
    expected - collected. Origin, what these months owed and is not collected for them as yet:
    `shortfall` = difference + `earlier` (paid in these months for months before) = exempt + reduced +
    deferred + overdue + paid_later (put off in these months, paid after them) + never_due_later, the rest,
    which could not be put off.

    `returned`: put off in these months and paid since, in them or later. `claim` = never_due_later +
    overdue: what is lost or in arrears. Their lower bounds leave out what may have been paid early, before
    the estimate begins; that of never_due_later also what came after its last lawful day, as that may be
    chance: what was not paid by that day is overdue, never lost.
    `at_most` = claim + what the law left unpayable to the last đồng: those payers might not have paid
    without it either. `until`: the last lawful day of what is deferred, NaT where nothing is.
    `granted`: whether the law put off some of it; else the month's due date has not come, or has passed.
    `was_short`: whether a shortfall could be shown at the month-end, among those at which payment could
    be put off, at which it was greatest. `level`: how often the intervals hold the truth, by which words
    are chosen too.
    """

    first: pd.Period
    last: pd.Period
    months: int
    expected: float
    collected: float
    difference: Amount
    shortfall: Amount
    exempt: Amount
    reduced: Amount
    deferred: Amount
    overdue: Amount
    paid_later: Amount
    earlier: Amount
    returned: Amount
    claim: Amount
    never_due_later: Amount
    at_most: Amount
    until: pd.Timestamp
    was_short: bool = False
    granted: bool = True
    level: float = LEVEL

    _units: ClassVar = {"months": "months"} | {
        f"{name}{end}": CURRENCY
        for name in (
            *("expected", "collected", "difference", "shortfall", "exempt", "reduced", "deferred"),
            *(
                "overdue",
                "paid_later",
                "earlier",
                "returned",
                "claim",
                "never_due_later",
                "at_most",
            ),
            *("lost", "unexplained"),
        )
        for end in ("", "_lower", "_upper")
    }

    def row(self) -> dict[str, object]:
        """The fields and the bridge as one row, of each amount the mean and both bounds; the codes of what may
        be said of them."""
        flat: dict[str, object] = {}
        for name, value in (plain(self) | self.bridge).items():
            if isinstance(value, Amount):
                flat[name] = value.mean
                flat[f"{name}_lower"], flat[f"{name}_upper"] = value.lower, value.upper
            elif name not in ("was_short", "level"):
                flat[name] = value
        return {**flat, "cash": self.cash, "loss": self.loss, "verdict": self.verdict}

    def _tidied(self, name: str) -> pd.DataFrame:
        return pd.DataFrame([self.row()])

    def _facts(self) -> dict[str, str]:
        facts = {"months": f"{self.first} to {self.last}, {self.months} with a figure"}
        facts |= {name: self._amount(getattr(self, name)) for name in ("expected", "collected")}
        for name in _MEMBERS:
            amount: Amount = getattr(self, name)
            if amount.mean or amount.upper:
                facts[name] = self._amount(amount.mean, amount.lower, amount.upper)
        return facts | {"verdict": self.verdict, "loss": self.loss, "cash": self.cash}

    @property
    def verdict(self) -> str:
        """The code of the statement on these months; see `statements.VERDICTS`."""
        return statements.first(statements.VERDICTS, self)

    @property
    def loss(self) -> str:
        """The code of what may be said of a loss; see `statements.LOSSES`."""
        return statements.first(statements.LOSSES, self)

    @property
    def cash(self) -> str:
        """The code of what may be said of the difference; see `statements.CASH`."""
        return statements.first(statements.CASH, self)

    @property
    def most(self) -> float:
        """What may be lost at most: the upper bound of `at_most`; where more is said to be excluded, at least
        the width of the narrowest interval with which that is said."""
        most = max(self.at_most.upper, 0.0)
        if self.loss == statements.EXCLUDED:
            return max(most, 2 * statements.SURE * self.expected)
        return most

    @property
    def bridge(self) -> dict[str, Amount]:
        """From expected to collected, what is taken off (`earlier` is added): exempt, reduced, deferred,
        overdue, paid_later, lost, unexplained, earlier. The rest is lost where a loss is shown, alone or
        together with what is overdue; else it is unexplained."""
        lost, unexplained = Amount(0.0, 0.0, 0.0), self.never_due_later
        if self.loss in (statements.LOST, statements.OVERDUE) and unexplained.mean > 0:
            lost, unexplained = unexplained, lost
        taken = ("exempt", "reduced", "deferred", "overdue", "paid_later")
        return {name: getattr(self, name) for name in taken} | {
            "lost": lost,
            "unexplained": unexplained,
            "earlier": self.earlier,
        }


_MEMBERS = tuple(f.name for f in fields(Split) if f.type == "Amount")
# Of which the lower bounds of members are: what may have been paid before the estimate begins, or came
# after its last lawful day, is left out of a claim.
_AT_LEAST = {"claimed at least": "claim", "lost at least": "never_due_later"}


@dataclass(frozen=True)
class _Flows:
    """Amounts by path and month (the last two axes; months are those of the estimate).

    By month of origin: `exempt`, `reduced`, `put_off`, of that, at the end, `lawful` (may come) and
    `overdue`, and `arrears`, what was unpaid when its last lawful day had passed, paid since or not;
    `spared`, what is exempt of months of which nothing is payable; `unpaid`, what of put_off was unpaid
    at the end of the month asked about (`_run`). By month of payment: `received`. At each month-end, of all months up to it: `lawful_then`,
    `overdue_then`, `arrears_then`. The last lawful days (by month, NaT where nothing waits): `until`, for
    what was put off in the month; `until_then`, for all that waits at the month's end.
    """

    exempt: Floats
    reduced: Floats
    put_off: Floats
    lawful: Floats
    overdue: Floats
    arrears: Floats
    spared: Floats
    unpaid: Floats
    received: Floats
    lawful_then: Floats
    overdue_then: Floats
    arrears_then: Floats
    until: Days
    until_then: Days

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> _Flows:
        """Nothing, in next to no memory: not to be written to."""
        days: Any = np.full(shape[-1], np.datetime64("NaT", "ns"))
        amounts: Any = _nothing(shape)
        return cls(**{f.name: days if f.name.startswith("until") else amounts for f in fields(cls)})

    @classmethod
    def total(cls, parts: Collection[_Flows]) -> _Flows:
        """Amounts added up; the latest of the days."""
        made: list[Any] = []
        for f in fields(cls):
            own = [getattr(part, f.name) for part in parts]
            made.append(np.fmax.reduce(own) if f.name.startswith("until") else _added(own))
        return cls(*made)


@lru_cache(maxsize=16)
def _nothing(shape: tuple[int, ...]) -> Floats:
    """Zeros, the same for all flows that have none: ... x paths x months, as `_run` lays them."""
    zeros = np.moveaxis(np.zeros((shape[-1], *shape[:-1])), 0, -1)
    zeros.setflags(write=False)
    return zeros


def _added(amounts: Sequence[Floats]) -> Floats:
    """The sum of some flows, in their order."""
    nothing = _nothing(amounts[0].shape)
    some = [one for one in amounts if one is not nothing]
    if not some:
        return nothing
    whole = some[0].copy()
    for other in some[1:]:
        whole += other
    return whole


@dataclass(frozen=True, repr=False)
class Ledger(Shown):
    """The ledger of one line as it stands at the end of the estimate's last month.

    `impact`: the estimate it splits. `rules`: the relief that was applied. `flows`: with each path's own shares. `parts`: the ledgers
    whose relief is added up; where there are none, the rules are applied to the line itself.
    """

    impact: Impact
    rules: Sequence[Rule]
    flows: _Flows
    parts: Sequence[Ledger] = ()

    @cached_property
    def _early(self) -> Floats:
        """By path, what the line brought beyond what was to be expected in the months before the estimate
        in its first year, if something under a deferral was owed by then: it may have been paid early, and
        not be the sign of a greater year that the estimate takes it for."""
        if self.parts:
            early: Floats = np.sum([part._early for part in self.parts], axis=0)
            return early
        start, none = self.impact.start, np.zeros(len(self.impact.paths))
        january = pd.Period(f"{start.year}-01", "M")
        owed = [
            max(rule.owed_from, january)
            for rule in self.rules
            if rule.kind == DEFERRAL and rule.touches(self.impact.months).any()
        ]
        if not owed or min(owed) >= start or not self.impact.model:
            return none

        def beyond() -> Floats:
            again = self.impact.estimate_again(self.impact.series[: start - 1], min(owed))
            if again is None:
                return none
            seen = np.isfinite(again.collected)
            more = again.collected[seen].sum() - again.paths[:, seen].sum(axis=1)
            return np.resize(np.maximum(more, 0), len(none))

        since = min(owed).ordinal
        return self.impact.recall(beyond, none.shape, "early", since, last=start - 1)

    @cached_property
    def _gap(self) -> Floats:
        """Expected minus collected by path and month, zero where there is no figure."""
        collected = self.impact.collected
        return np.where(np.isfinite(collected), self.impact.paths - np.nan_to_num(collected), 0.0)

    def split(self, first: pd.Period | None = None, last: pd.Period | None = None) -> Split:
        """The split of the months from `first` to `last` (inclusive; by default all)."""
        within = self.impact.months.slice_indexer(first, last)
        span = within.start, within.stop
        if span not in self._splits:
            self._splits[span] = self._split(within)
        return self._splits[span]

    @cached_property
    def _splits(self) -> dict[tuple[int, int], Split]:
        """What `split` has made, by the places of the months."""
        return {}

    def _split(self, within: slice) -> Split:
        """`split` of the months in those places."""
        months, collected = self.impact.months[within], self.impact.collected[within]
        seen = np.isfinite(collected)
        came = float(collected[seen].sum())
        expected = float(self.impact.paths[:, within][:, seen].mean(axis=0).sum())

        def add(amounts: Floats) -> Floats:
            added: Floats = amounts[..., within].sum(axis=-1)
            return added

        def waiting(flows: _Flows) -> list[Floats]:
            return [add(flows.unpaid), add(flows.lawful), add(flows.overdue), add(flows.arrears)]

        values = self._values(_MEMBERS, within, add, waiting)
        # What is smaller is left by rounding, not an amount.
        values[np.abs(values) < 1e-9 * (abs(expected) + np.abs(collected[seen]).sum())] = 0.0
        amounts: Any = (Amount(*three) for three in values.tolist())  # the checker knows no names
        return Split(
            first=months[0],
            last=months[-1],
            months=int(seen.sum()),
            expected=expected,
            collected=came,
            **dict(zip(_MEMBERS, amounts, strict=True)),
            until=pd.Timestamp(np.fmax.reduce(self.flows.until[within])),
            was_short=self._was_short(within),
            granted=self._granted(months),
            level=self.impact.level,
        )

    def _granted(self, months: pd.PeriodIndex) -> bool:
        """See `Split`."""
        return any(
            rule.granted and rule.kind == DEFERRAL and rule.touches(months).any()
            for rule in self.rules
        )

    def _was_short(self, within: slice) -> bool:
        """See `Split`."""
        open_ = np.zeros(len(self.impact.months), dtype=bool)
        for rule in self.rules:
            open_ |= rule.touches(self.impact.months) & (rule.kind == DEFERRAL)
        if not open_[within].any():
            return False
        so_far = self._gap[:, within].cumsum(axis=1)[:, open_[within]]
        greatest = so_far[:, so_far.mean(axis=0).argmax()]
        return bool(np.quantile(greatest, tails(self.impact.level)[0]) > 0)

    @cached_property
    def month_ends(self) -> pd.DataFrame:
        """The ledger at every month-end since the start: index `month`; columns `difference`,
        `returned`, `deferred`, `overdue`, `claim`, `never_due_later`, each with `_lower` and `_upper`,
        and `until`.

        As it would have been read then; amounts are of all months up to it.
        """

        def add(amounts: Floats) -> Floats:
            return np.moveaxis(amounts.cumsum(axis=-1), -1, 0)

        def waiting(flows: _Flows) -> list[Floats]:
            unpaid = flows.lawful_then + flows.overdue_then
            then = unpaid, flows.lawful_then, flows.overdue_then, flows.arrears_then
            return [np.moveaxis(amounts, -1, 0) for amounts in then]

        names = "difference", "returned", "deferred", "overdue", "claim", "never_due_later"
        table = pd.DataFrame(index=self.impact.months)
        values = self._values(names, slice(None), add, waiting)
        for name, (mean, lower, upper) in zip(names, values, strict=True):
            table[name], table[f"{name}_lower"], table[f"{name}_upper"] = mean, lower, upper
        table["until"] = self.flows.until_then
        return table

    def _values(
        self,
        names: Sequence[str],
        within: slice,
        add: Callable[[Floats], Floats],
        waiting: Callable[[_Flows], list[Floats]],
    ) -> Floats:
        """Mean, lower and upper bound of the amounts `names` of a `Split`: names x 3 x ...

        `add` adds up amounts of months (... x paths x months) of those `within`; `waiting` gives such
        sums of what was unpaid at the end of those months, and of what is deferred, is overdue, and was
        in arrears at the end of all.
        """
        wanted = (*names, *_AT_LEAST)
        mark = len(self.impact.months[: within.stop]) - 1

        def read(flows: _Flows) -> Floats:
            rows = flows.received, flows.exempt, flows.reduced, flows.put_off, flows.spared
            return np.array([*map(add, rows), *waiting(flows)])

        gap = add(self._gap)
        early = self._early
        draws = _members(wanted, gap, read(replace(self.flows, unpaid=self._unpaid(mark))), early)
        lower, upper = _tails(draws, self.impact.level)
        asked = np.zeros(len(self.impact.months), dtype=int)
        asked[within] = 1
        if self.impact.model:
            for relieved in self._at_ends(asked, mark, read, names):
                ends = _members(wanted, gap, relieved, early)
                lowest, highest = _tails(ends, self.impact.level)
                np.minimum(lower, lowest, out=lower)
                np.maximum(upper, highest, out=upper)
        for least, name in _AT_LEAST.items():
            lower[wanted.index(name)] = lower[wanted.index(least)]
        return np.stack([draws.mean(axis=-1), lower, upper], axis=1)[: len(names)]

    def _unpaid(self, mark: int) -> Floats:
        """`flows.unpaid` for the end of another month, which `mark` counts from the first."""
        if mark == len(self.impact.months) - 1 or not self.rules:
            return self.flows.unpaid
        if mark not in self._marked:
            if self.parts:
                unpaid = _added([part._unpaid(mark) for part in self.parts])
            else:
                shares = [share[None] for share in _shares(self.rules, len(self.impact.paths))]
                unpaid = _apply(self.impact, self.impact.paths, self.rules, shares, mark).unpaid
            self._marked[mark] = unpaid
        return self._marked[mark]

    @cached_property
    def _marked(self) -> dict[int, Floats]:
        """What `_unpaid` has made."""
        return {}

    def _at_ends(
        self, asked: Ints, mark: int, read: Callable[[_Flows], Floats], names: Sequence[str]
    ) -> Iterator[Floats]:
        """What `read` gives of the flows at each choice of the ends of the shares' ranges; nothing where no
        share has a range. For `asked` see `_ends`, for `mark` `_unpaid`."""
        parts = self._own
        high = [_ends(part.rules, self.impact.months, asked) for part in parts]
        if not np.any([each.any() for each in high]):
            return
        choices, _ = _different(np.concatenate(high))
        # Most parts of a parent do not feel most choices.
        felt = [_different(each[..., choices]) for each in high]
        about = asked.tobytes(), mark, names
        given = [
            [part._read_at(each[..., [choice]], read, about) for choice in choices[some]]
            for part, each, (some, _) in zip(parts, high, felt, strict=True)
        ]
        for place in range(len(choices)):
            yield sum(one[at[place]] for one, (_, at) in zip(given, felt, strict=True))

    def _read_at(
        self, high: Bools, read: Callable[[_Flows], Floats], about: tuple[bytes, int, Sequence[str]]
    ) -> Floats:
        """What `read` gives of the flows where the share of each rule is at the high end (rules x months x 1).
        A line and what it is a part of ask the same: the answers to the last question, `about` these
        months and amounts, are kept."""
        if about not in self._read:
            self._read.clear()
            self._read[about] = {}
        answers, ends = self._read[about], high.tobytes()
        if ends not in answers:
            answers[ends] = read(self._at(high, about[1]))
        return answers[ends]

    @cached_property
    def _read(self) -> dict[tuple[bytes, int, Sequence[str]], dict[bytes, Floats]]:
        """The answers of `_read_at`."""
        return {}

    @property
    def _own(self) -> list[Ledger]:
        """The ledgers whose rules make this one: its parts' or itself."""
        if self.parts:
            return [own for part in self.parts for own in part._own if own.rules]
        return [self]

    def _at(self, high: Bools, mark: int) -> _Flows:
        """The flows where the share of each rule is at the high end (rules x months x 1)."""
        shares = [
            np.where(ends, rule.share_high, rule.share_low)
            for rule, ends in zip(self.rules, high, strict=True)
        ]
        return _apply(self.impact, self.impact.paths, self.rules, shares, mark)


def _different(choices: Bools) -> tuple[Ints, Ints]:
    """Along the last axis, the places of choices that differ, and for each choice which of them it is."""
    _, first, which = np.unique(
        choices.reshape(-1, choices.shape[-1]), axis=-1, return_index=True, return_inverse=True
    )
    return first, which.ravel()


def _tails(draws: Floats, level: float) -> list[Floats]:
    """The quantiles `tails` of a level along the last axis, as `np.quantile` has them to the bit, which takes five
    times as long."""
    ordered = np.sort(draws, axis=-1)
    ordered[np.isnan(ordered[..., -1])] = np.nan  # which comes last
    found = []
    for tail in tails(level):
        below, part = divmod(tail * (draws.shape[-1] - 1), 1)
        one, other = ordered[..., int(below)], ordered[..., math.ceil(below + part)]
        step = other - one
        found.append(other - step * (1 - part) if part >= 0.5 else one + step * part)
    return found


def _members(names: Sequence[str], gap: Floats, relieved: Floats, early: Floats) -> Floats:
    """The amounts `names` of a `Split` by path, from the gap between expected and collected, the sums of
    the flows that `Ledger._values` reads, and what may have been paid early."""
    received, exempt, reduced, put_off, spared, unpaid, deferred, overdue, arrears = relieved
    difference = np.broadcast_to(gap, received.shape)
    rest = difference + received - exempt - reduced - put_off
    earlier = received - (put_off - unpaid)
    members = {
        "difference": difference,
        "shortfall": difference + earlier,
        "exempt": exempt,
        "reduced": reduced,
        "deferred": deferred,
        "overdue": overdue,
        "paid_later": unpaid - deferred - overdue,
        "earlier": earlier,
        "returned": put_off - deferred - overdue,
        "claim": rest + overdue,
        "never_due_later": rest,
        "at_most": rest + overdue + spared,
        "claimed at least": rest + overdue - early,
        "lost at least": rest + overdue - arrears - early,
    }
    return np.array([members[name] for name in names])


def _ends(rules: Sequence[Rule], months: pd.PeriodIndex, asked: Ints) -> Bools:
    """For each choice of `_EXTREMES`, and two where one deferral follows another, whether the share of a
    rule is at the high end in a month: rules x months x choices; nowhere where it has no range.

    `asked`: by month, 1 where it is asked about, else 0.
    """
    # Of each choice, the ends of deferrals by `asked`, of exemptions and of reductions.
    chosen = np.array([[end == "h" for end in ends] for ends in _EXTREMES]).T
    place: dict[str, int | Ints] = {EXEMPTION: 2, REDUCTION: 3, DEFERRAL: asked}
    # Payers of one deferral may pay while those of the next put off: two more choices, in turn.
    ranged = [rule for rule in rules if rule.share_low < rule.share_high]
    late = sorted((rule for rule in ranged if rule.kind == DEFERRAL), key=lambda rule: rule.until)
    in_turn = any(then.first <= one.until.to_period("M") for one, then in pairwise(late))
    odd = {rule.id for rule in late[::2]}
    high = np.zeros((len(rules), len(months), len(_EXTREMES) + 2), dtype=bool)
    for at, rule in enumerate(rules):
        if rule in ranged:
            touched = rule.touches(months)
            by_month = np.broadcast_to(place[rule.kind], asked.shape)[touched]
            high[at, touched, :-2] = chosen[by_month]
            high[at, touched, -2:] = in_turn and (rule.id in odd, rule.id not in odd)
    return high


def rules_by_line(
    relief: pd.DataFrame | None,
    areas: tuple[str, ...],
    lines: Collection[str],
    share: float | None = None,
) -> dict[str, list[Rule]]:
    """By line, the rules of the table tax_relief (None: there are none) that touch it in one of
    `areas`, as months.

    A deferral touches the months from the normal due date (from the start of the liability where there
    is none), but not before the month of the document, to the one before the month of the extended due
    date. A row of kind `none` with a due date touches the months of the liability before that date:
    nothing is late until then. A last day that falls on a weekend moves to the next working day.

    Rows that touch the same month are of different payers: the shares of deferrals add up, to all at
    most, and what is put off may come until the latest of their days. `share`: how much of what the law
    lets payers put off they do, where an analyst supposes it in place of the table's range.
    """
    rules: dict[str, list[Rule]] = {line: [] for line in lines}
    if relief is not None:
        touching = relief[
            relief["area"].isin(areas)
            & relief["lines"].map(lambda named: not rules.keys().isdisjoint(named))
            & relief["share_high"].notna()
        ]
        granted: Any  # a row: the stubs know no columns
        for granted in touching.itertuples():
            rule = _rule(granted)
            if rule is not None:
                if share is not None and rule.granted and rule.kind == DEFERRAL:
                    rule = rule._replace(share_low=share, share_high=share)
                for line in rules.keys() & set(granted.lines):
                    rules[line].append(rule)
    return rules


def _rule(granted: Any) -> Rule | None:
    """A row of the table tax_relief as months; None where it touches none."""
    if granted.kind not in KINDS:
        raise ValueError(f"the ledger knows no relief of kind {granted.kind!r}, only {[*KINDS]}")
    first, last, kind = granted.period_start, granted.period_end, granted.kind
    until: Any = pd.NaT  # the stubs know no missing Timestamp
    if column := KINDS[kind]:
        until = pd.offsets.BDay().rollforward(getattr(granted, column))
        if pd.isna(until):  # no last day is known
            return None
        last = until.to_period("M") - 1
        if kind == DEFERRAL and pd.notna(granted.normal_due):
            first = granted.normal_due.to_period("M")
        if pd.notna(granted.in_force):
            first = max(first, granted.in_force.to_period("M"))
        kind = DEFERRAL
    elif pd.isna(last):
        last = pd.Period("9999-12", "M")
    if not last >= first:
        return None
    shares = granted.share_low, granted.share_high
    if granted.kind not in GRANTED and column:  # who has not paid before the day may never pay
        shares = 0.0, granted.share_high
    of = granted.payers, first, last, until, *shares, granted.document
    relief = granted.kind in GRANTED
    return Rule(granted.id, kind, *of, min(granted.period_start, first), relief)


def exempt_months(rules: Collection[Rule]) -> list[pd.Period]:
    """Months for which the rules leave nothing payable."""
    return [
        month
        for rule in rules
        if _is_whole(rule)
        for month in pd.period_range(rule.first, rule.last, freq="M")
    ]


def _is_whole(rule: Rule) -> bool:
    """Whether a rule leaves nothing payable."""
    return rule.kind == EXEMPTION and rule.share_low >= _WHOLE


def ledger(impact: Impact, rules: Sequence[Rule]) -> Ledger:
    """Split the shortfall of a line by its `rules` (see `rules_by_line`)."""
    shares = [share[None] for share in _shares(rules, len(impact.paths))]
    return Ledger(impact, rules, _apply(impact, impact.paths, rules, shares))


def parent(impact: Impact, children: Mapping[str, Ledger]) -> Ledger:
    """The ledger of a line that is the sum of others: its own estimate, its children's relief."""
    rules = {rule.id: rule for child in children.values() for rule in child.rules}
    flows = _Flows.total([child.flows for child in children.values()])
    return Ledger(impact, list(rules.values()), flows, tuple(children.values()))


def added(whole: Ledger | None, unit: Ledger) -> Ledger:
    """The ledger of several units' sum as one more is added, of which no more is kept than splits of the sum
    need: its flows in the sum, and the paths of its lines that have rules. The sum's `impact` is that of
    the last unit, for the caller to replace; it and its parts estimate nothing anew."""
    own = [_kept(part) for part in unit._own if part.rules]
    if (
        not own
    ):  # a sum without any relief needs a part all the same, or it would apply rules to itself
        own = [_kept(unit)]
    rules = {rule.id: rule for rule in (*(whole.rules if whole else ()), *unit.rules)}
    flows = _Flows.total([whole.flows, unit.flows]) if whole else unit.flows
    parts = (*(whole.parts if whole else ()), *own)
    return Ledger(unit.impact, list(rules.values()), flows, parts)


def _kept(part: Ledger) -> Ledger:
    """A line of a unit in the sum of several: its paths and rules, and what was paid early, as nothing can be
    estimated anew once the unit's other estimates are gone."""
    impact = replace(part.impact, again=None, parts=())
    made = replace(part, impact=impact, flows=_Flows.none(part.impact.paths.shape), parts=())
    vars(made)["_early"] = part._early
    return made


def _shares(rules: Sequence[Rule], draws: int) -> list[Floats]:
    """For each rule, the share of each path: evenly over its range, in random order.

    All lines under a rule have the same shares, as they have the same payers.
    """
    even = (np.arange(draws) + 0.5) / draws
    return [
        rule.share_low
        + (rule.share_high - rule.share_low) * stream(rule.id, "share").permutation(even)
        for rule in rules
    ]


def _apply(
    impact: Impact, paths: Floats, rules: Sequence[Rule], shares: Sequence[Floats], mark: int = -1
) -> _Flows:
    """What `rules` do on `paths` of the estimate, with `shares` for each rule that broadcast to months x
    ... x paths; the flows are ... x paths x months. `mark`: the place of the month at whose end `unpaid`
    is asked for."""
    months = impact.months
    scenarios = np.broadcast_shapes(*(share.shape[1:] for share in shares), (1,))
    shape = (len(months), *scenarios)
    touching = [rule.touches(months) for rule in rules]
    if not impact.model or not np.any(touching):
        return _Flows.none((*scenarios[:-1], *paths.shape))
    due = np.full(len(months), np.datetime64("NaT", "ns"))
    kinds = {rule.kind for rule, touched in zip(rules, touching, strict=True) if touched.any()}
    same = len(months), *(1 for _ in scenarios)  # where no rule of the kind touches any month
    kept = np.ones(shape if EXEMPTION in kinds else same)
    cut, later = np.ones(shape if REDUCTION in kinds else same), np.zeros(shape)
    whole = np.zeros(len(months), dtype=bool)
    # In an order of their own: which of two that touch a month stands first in a table means nothing.
    for place in sorted(range(len(rules)), key=lambda place: rules[place].id):
        rule, touched = rules[place], touching[place]
        if not touched.any():
            continue
        by_month = np.broadcast_to(shares[place], shape)
        if rule.kind == EXEMPTION:
            kept[touched] *= 1 - by_month[touched]
            whole |= touched & _is_whole(rule)
        elif rule.kind == REDUCTION:
            cut[touched] *= 1 - by_month[touched]
        else:
            newer = touched & ~(due >= rule.until.to_datetime64())
            due[newer] = rule.until.to_datetime64()
            later[touched] = np.minimum(later[touched] + by_month[touched], 1)
    mark = range(len(months))[mark]
    return _run(impact, np.ascontiguousarray(paths.T), due, whole, 1 - kept, 1 - cut, later, mark)


def _run(
    impact: Impact,
    paths: Floats,
    due: Days,
    whole: Bools,
    exempt_share: Floats,
    cut_share: Floats,
    later_share: Floats,
    mark: int,
) -> _Flows:
    """Go through the months on all `paths` (months x paths) at once.

    A month's sum does not show who pays an older debt while others put off as much. As long as an older
    debt may lawfully be paid, it is taken to be, up to the share that may be put off in the month.

    `due`: by month, the last lawful day of what is put off, NaT where nothing is. `whole`: months of
    which nothing is payable. The shares (months x ... x paths or 1): of what is expected, exempt; of
    the rest, cut; of what is left then, put off at most. `mark`: the place of the month at whose end
    `unpaid` is what is left.
    """
    # One long walk: in parts it would hand a dozen running sums from function to function.
    observed = impact.collected
    shape = (len(due), *later_share.shape[1:-1], paths.shape[1])
    flows: dict[str, Floats] = {}  # those that there are
    until, until_then = np.full((2, len(due)), np.datetime64("NaT", "ns"))

    def of(name: str) -> Floats:
        if name not in flows:
            flows[name] = np.zeros(shape)
        return flows[name]

    left = np.zeros(shape)
    last_days = (impact.months.asi8 + 1).astype("datetime64[M]").astype("datetime64[D]") - 1
    puts_off = ~np.isnat(due)
    known = np.flatnonzero(np.isfinite(observed))
    # What is due after the newest figure is not overdue before it is known.
    newest = known[-1] if len(known) else -1
    order = [month for month in np.argsort(due, kind="stable").tolist() if puts_off[month]]
    days = due.astype("int64").tolist()
    exempts, cuts = (
        [bool(share.any()) for share in shares] for shares in (exempt_share, cut_share)
    )
    fell_due, away = np.zeros((2, *shape[1:]))  # since a deferral began; what was put off of it
    # Collected beyond what was expected while payment could be put off, and short since: what varies
    # from month to month is neither put off nor a return.
    ahead, behind = np.zeros((2, *shape[1:]))
    past = [False] * len(due)  # whether last days had passed a month before
    owing: list[int] = []
    for month, collected in enumerate(observed.tolist()):
        open_ = puts_off[month]
        (behind if open_ else ahead)[:] = 0
        if not open_:
            fell_due[:] = away[:] = 0
        # Without a debt, what is short or beyond bears on nothing but a month in which one may be made.
        bears = open_ or owing or exempts[month] or cuts[month]
        if bears and np.isfinite(collected):
            expected = paths[month]
            exempt: Floats | float = 0.0
            if exempts[month]:
                exempt = exempt_share[month] * expected
                if not whole[month]:
                    exempt = np.minimum(exempt, np.maximum(expected - collected, 0))
                of("exempt")[month] = exempt
            if whole[month]:
                of("spared")[month] = exempt
            short = np.maximum(expected - collected - exempt, 0)
            surplus = np.maximum(collected + exempt - expected, 0)
            reduced: Floats | float = 0.0
            if cuts[month]:
                reduced = np.minimum(cut_share[month] * (expected - exempt), short)
                of("reduced")[month] = reduced
                short = short - reduced
            if not open_:
                offset = np.minimum(surplus, behind)
                behind -= offset
                surplus = surplus - offset
            for origin in owing if owing and surplus.any() else ():
                paid = np.minimum(surplus, left[origin])
                left[origin] -= paid
                surplus -= paid
                of("received")[month] += paid
            if open_:
                due_now = expected - exempt - reduced
                fell_due += due_now
                # Not less than of this month alone: what was put off before may be under another rule.
                share = later_share[month]
                payable = share * due_now
                allowed = np.maximum(share * fell_due - away, payable)
                offset = np.minimum(short, ahead)
                put_off = np.minimum(short - offset, allowed)
                ahead += surplus - offset
                for origin in owing:
                    if days[origin] < days[month] and not past[origin]:
                        moved = np.clip(payable - put_off, 0, left[origin])
                        left[origin] -= moved
                        put_off = put_off + moved
                        of("received")[month] += moved
                away += put_off
                of("put_off")[month] = left[month] = put_off
            else:
                behind += short
        closed = [False] * len(due)
        if newest >= 0:
            closed = (due <= last_days[min(month, newest)]).tolist()
        owing = [o for o in order if (o == month or o in owing) and left[o].any()]
        if month == mark and owing:
            of("unpaid")[:] = left
        if month and "arrears_then" in flows:
            flows["arrears_then"][month] = flows["arrears_then"][month - 1]
        for origin in owing:
            if closed[origin] and not past[origin]:
                of("arrears")[origin] = left[origin]
                of("arrears_then")[month] += left[origin]
            of("overdue_then" if closed[origin] else "lawful_then")[month] += left[origin]
        past = closed
        waiting = [origin for origin in owing if not closed[origin]]
        if waiting:
            until_then[month] = due[waiting].max()
    for origin in owing:
        of("overdue" if closed[origin] else "lawful")[origin] = left[origin]
    until[waiting] = due[waiting]
    nothing = _nothing((*shape[1:], shape[0]))
    by_path = {f.name: nothing for f in fields(_Flows) if not f.name.startswith("until")}
    by_path |= {name: np.moveaxis(amounts, 0, -1) for name, amounts in flows.items()}
    return _Flows(**by_path, until=until, until_then=until_then)
