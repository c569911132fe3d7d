"""Which words about receipts are true where the truth is known; prints the tables of docs/method.md.

    python tests/benchmarks/words.py [--seeds 200] [--first 1000000] [--processes 2]

Seeds of the illustrative ward (`data/phuc-dong/make.py`), each with scenarios that plant a loss, a
deferral, an exemption, all or nothing of these, under a law that says what was planted. At month-ends of
2020 and 2021 every line is assessed by the functions that the pages call (`effects.assess`,
`Effects.split`), on the final figures, for the year to date since the start; each word is held against
what was planted. Then Philadelphia's taxes, of which some of the truth is known.

A loss in months of which nothing is payable is none: the exemption takes all that was due.
Nothing after the start enters the estimate, so that a seed is estimated once for all scenarios.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from report import markdown

import wardlib
from wardlib.analysis import counterfactual, effects, receipts, relief, statements
from wardlib.analysis.counterfactual import Impact
from wardlib.analysis.effects import Effects
from wardlib.analysis.relief import Split
from wardlib.periods import Period

ROOT = Path(__file__).resolve().parents[2]
# The names of the script that makes the ward.
ward = SimpleNamespace(**runpy.run_path(str(ROOT / "data" / "phuc-dong" / "make.py")))

FIRST_SEED = 1_000_000
DRAWS = 400  # a fifth of a page's
LAST = pd.Period("2021-12", "M")
# Month-ends of every seed, and those of one seed in four.
OFTEN = pd.PeriodIndex(
    ["2020-03", "2020-05", "2020-06", "2020-09", "2020-10", "2020-12",
     "2021-03", "2021-06", "2021-09", "2021-12"], freq="M"
)  # fmt: skip
ALL = pd.period_range("2020-02", LAST, freq="M")
RARELY = 4
# What the words have to keep to, in per cent of their opportunities.
FALSELY_SHOWN, AT_MOST, IN_INTERVAL = 3.5, 96.0, 93.0


class Said(NamedTuple):
    """What a page says of a split.

    `verdict`; `shown`: that something is lost; `owed`: that something is overdue; `put_off`: that
    something was put off, waits, is overdue or has come since; `claim`: that something is not as usual;
    `at_most`: the most that can be lost or overdue, if none of it is shown; `excluded`: that more is
    excluded (a small share of the expected); `waiting`: the interval of what was put off and may come.
    """

    verdict: str
    shown: bool
    owed: bool
    put_off: bool
    claim: bool
    at_most: float
    excluded: bool
    waiting: tuple[float, float]


def said(split: Split) -> Said:
    """The words of a split; nothing else here knows how they are found."""
    verdict, loss = split.verdict, split.loss
    open_ = loss in (statements.EXCLUDED, statements.POSSIBLE)
    return Said(
        verdict=verdict,
        shown=loss == statements.LOST,
        owed=loss == statements.OVERDUE,
        put_off=verdict in (statements.OVERDUE, statements.DEFERRED, statements.RETURNED),
        claim=verdict != statements.USUAL,
        at_most=split.most if open_ else np.nan,
        excluded=loss == statements.EXCLUDED,
        waiting=(split.deferred.lower, split.deferred.upper),
    )


# ------------------------------------------------------------------------------------- scenarios


class Scenario(NamedTuple):
    """What is planted: `loss`, a multiple of the ward's own; `applied`, the share of payers that put
    off, NaN as the ward draws it; `exempt`, whether the exemption of 2021 is; `paid`, whether what was
    put off is paid; `law`, whether there is relief to choose."""

    loss: float = 0
    applied: float = 0
    exempt: bool = False
    paid: bool = True
    law: bool = True


AS_DRAWN = np.nan
SCENARIOS = {
    "nothing, no relief": Scenario(law=False),
    "nothing, nobody puts off": Scenario(),
    "loss, half": Scenario(loss=0.5),
    "loss": Scenario(loss=1),
    "loss, twice": Scenario(loss=2),
    "put off by 30 %": Scenario(applied=0.3),
    "put off by 60 %": Scenario(applied=0.6),
    "put off by all": Scenario(applied=1),
    "put off, never paid": Scenario(applied=AS_DRAWN, paid=False),
    "exempt": Scenario(exempt=True),
    "all": Scenario(loss=1, applied=AS_DRAWN, exempt=True),
}
# Lines and months (inclusive) of a deferral of the ward, and the last day at which a payment is lawful.
LAST_DAYS = ("2020-12-31", "2021-12-31", "2020-11-02", "2021-11-30")


class Truth(NamedTuple):
    """What was planted, in đồng: months x lines, parents included; all but `collected` of the year up to
    the month's end."""

    collected: pd.DataFrame
    lost: pd.DataFrame  # of what was payable
    spared: pd.DataFrame  # lost of what nobody had to pay any more
    deferred: pd.DataFrame  # put off by law
    waiting: pd.DataFrame  # of that, may come; and what is due on a day off at the month's end
    overdue: pd.DataFrame


def leaves(line: str) -> list[str]:
    """The lines without children that a line is the sum of."""
    return [leaf for part in ward.CHILDREN[line] for leaf in leaves(part)] if (
        line in ward.CHILDREN
    ) else [line]  # fmt: skip


def with_parents(by_leaf: pd.DataFrame) -> pd.DataFrame:
    """Amounts of the leaves, their sums added."""
    return pd.DataFrame({line: by_leaf[leaves(line)].sum(axis=1) for line in ward.ORDER})


def planted(scenario: Scenario, no_effect: pd.DataFrame, seed: int) -> Truth:
    """The truth of a scenario; the lines' losses and the shares that apply are the seed's."""
    rng = np.random.default_rng([seed, 17])
    factors = np.exp(rng.normal(0, ward.LOSS_SPREAD, len(ward.LINES)))
    applied = rng.uniform(*ward.APPLIED_SHARE, len(ward.DEFERRALS))
    if not np.isnan(scenario.applied):
        applied[:] = scenario.applied
    made = ward.plant(no_effect, scenario.loss * factors, applied)
    if not scenario.exempt:
        made["exempt"] = 0 * made["exempt"]
    if not scenario.paid:
        made["returned"] = 0 * made["returned"]
    unpayable = made["exempt"] > 0
    waiting, overdue = 0.0 * no_effect, 0.0 * no_effect
    for deferral, day in zip(ward.DEFERRALS, LAST_DAYS, strict=True):
        lines, until = list(deferral.lines), pd.Timestamp(day)
        year = slice(deferral.first, f"{until.year}-12")  # what a year puts off comes back in it
        off, back = (made[name].loc[year, lines].cumsum() for name in ("deferred", "returned"))
        owed = off - back
        passed = owed.index.end_time >= until
        waiting.loc[year, lines] += owed.mul(~passed, axis="index")
        overdue.loc[year, lines] += owed.mul(passed, axis="index")
    waiting += rolled(no_effect, scenario.law)

    def so_far(amounts: pd.DataFrame) -> pd.DataFrame:
        return with_parents(amounts.groupby(amounts.index.year).cumsum())

    return Truth(
        with_parents(ward.collected(made).astype(float)),
        so_far(made["lost"].mask(unpayable, 0)),
        so_far(made["lost"].where(unpayable, 0)),
        so_far(made["deferred"]),
        with_parents(waiting),
        with_parents(overdue),
    )


def rolled(no_effect: pd.DataFrame, law: bool) -> pd.DataFrame:
    """What falls due on a day off and lawfully comes in the next month, of the lines whose due days the
    table tax_relief knows (of land rent, with the deferrals alone)."""
    amounts = 0.0 * no_effect
    for line in ward.LINES:
        if line.code == "land_tax" or (law and line.code == "land_rent"):
            for month, day in line.due:
                for year in (2020, 2021):
                    due = pd.Timestamp(year, month, day)
                    if (due + pd.offsets.BDay(0)).month != month:
                        part = ward.ROLL_SHARE / (1 - ward.ROLL_SHARE)
                        at = due.to_period("M"), line.code
                        amounts.loc[at] = part * no_effect.loc[at]
    return amounts


# ------------------------------------------------------------------------------------ assessment


class Estimated:
    """The lines' estimates for all months, to be read up to any; parents' are the sums of their parts'."""

    def __init__(
        self, table: pd.DataFrame, start: pd.Period, tet: Collection[pd.Timestamp]
    ) -> None:
        self._whole: dict[str, Impact] = {}
        self._again: dict[tuple[object, ...], Impact] = {}
        made = counterfactual.estimate_all(table, start=start, tet=tet, draws=DRAWS)
        for line in reversed(table.columns):
            parts = [made[part] for part in ward.CHILDREN.get(line, ())]
            made[line] = counterfactual.total(table[line], parts) or made[line]
            self._whole[line] = replace(made[line], again=partial(self._earlier, line, made[line]))
            _ = self._whole[line].placebo_failed  # kept with the estimate

    def _earlier(
        self, line: str, whole: Impact, series: pd.Series, start: pd.Period, draws: int
    ) -> Impact:
        """What a line's estimate has for `again`, made once for the same months."""
        asked = line, start, series.index[-1], series.to_numpy().tobytes(), draws
        if asked not in self._again:
            self._again[asked] = (
                whole.again(series, start, draws)
                if whole.again
                else counterfactual.estimate(
                    series, start=start, tet=whole.tet, draws=draws, line=line
                )
            )
        return self._again[asked]

    def up_to(self, series: pd.Series, exempt: Collection[pd.Period]) -> Impact:
        """The estimate of a line beside other receipts since the start, as far as they go."""
        whole = self._whole[series.name]
        left = len(series) - (len(whole.series) - len(whole.months))
        cut = replace(whole, series=series, paths=whole.paths[:, :left], exempt=frozenset(exempt))
        vars(cut)["placebo_failed"] = whole.placebo_failed  # of the history alone
        return cut

    def estimate_all(
        self, table: pd.DataFrame, *, exempt: Mapping[str, Collection[pd.Period]], **_: object
    ) -> dict[str, Impact]:
        """What `counterfactual.estimate_all` makes of a table with the same history."""
        return {line: self.up_to(table[line], exempt.get(line, ())) for line in table}

    def total(self, series: pd.Series, parts: Sequence[Impact]) -> Impact | None:
        """What `counterfactual.total` does."""
        if not parts:
            return None
        return self.up_to(series, frozenset.intersection(*(part.exempt for part in parts)))


@cache
def book(name: str) -> wardlib.pages.workbook.Workbook:
    """A ward's tables, all years of them."""
    return wardlib.open(name, "2021", "en")


def table_of(name: str, law: bool, exempt: bool) -> effects.Tables:
    """The tables of a ward, with the relief that the scenario knows."""

    def table(asked: str) -> pd.DataFrame | None:
        found = book(name).table(asked)
        if asked == "tax_relief" and found is not None:
            kinds = {"none"} if not law else {"none", relief.DEFERRAL}
            found = found[found["kind"].isin(kinds) | exempt]
        return found

    return table


def assessed(
    known: receipts.Receipts, table: effects.Tables, estimates: Estimated, last: pd.Period
) -> Effects:
    """The effects as a page of that month's end finds them."""
    cut = replace(
        known,
        period=Period.parse(str(last)),
        months=known.months[:last],
        estimated=known.estimated[:last],
    )
    with (
        patch.object(counterfactual, "estimate_all", estimates.estimate_all),
        patch.object(counterfactual, "total", estimates.total),
    ):
        return effects.assess(cut, table, book("phuc-dong")._epidemic)


def of_seed(seed: int, every: bool) -> tuple[list[dict[str, object]], float]:
    """What is said and true of a seed: a row a scenario, month-end and line; and the seconds it took."""
    begun = time.process_time()
    _, drawn = ward.make_receipts(np.random.default_rng(seed).spawn(4)[0])
    no_effect = drawn["no_effect"]
    shipped = book("phuc-dong")
    known = shipped.tax.result
    start, tet = shipped._epidemic.start, tuple(shipped.table("tet")["date"])
    history = with_parents(no_effect.astype(float))[known.months.columns]
    history = history.set_axis(known.months.index)
    estimates = Estimated(history, start, tet)
    rows: list[dict[str, object]] = []
    done: dict[tuple[object, ...], Split | None] = {}
    for name, scenario in SCENARIOS.items():
        truth = planted(scenario, no_effect, seed)
        months = truth.collected[known.months.columns].set_axis(known.months.index)
        table = table_of("phuc-dong", scenario.law, scenario.exempt)
        known = replace(known, months=months)
        amounts = {line: months.loc[start:, [line, *leaves(line)]].to_numpy() for line in months}
        for last in ALL if every else OFTEN:
            found = assessed(known, table, estimates, last)
            for line, own in amounts.items():
                so_far = own[: last.ordinal - start.ordinal + 1].tobytes()
                key = line, last, scenario.law, scenario.exempt, so_far
                if key not in done:  # else it was found under another scenario
                    done[key] = found.split(line)
                split = done[key]
                if split is not None:
                    rows.append(
                        {"seed": seed, "scenario": name, "month-end": str(last), "line": line}
                        | {"expected": split.expected}
                        | said(split)._asdict()
                        | {f"true {k}": v.at[last, line] for k, v in truth._asdict().items()}
                    )
    return rows, time.process_time() - begun


# ---------------------------------------------------------------------------------------- tables


def rates(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """How often what is said is true, in per cent of its opportunities: a row a value of `by`."""
    none_lost, none_owed = table["true lost"] <= 0, table["true overdue"] <= 0
    none_off = table["true deferred"] <= 0
    untold = table["at_most"].notna()
    fits = table["true lost"] + table["true overdue"] <= table["at_most"]
    fits_spared = (
        table["true lost"] + table["true spared"] + table["true overdue"] <= table["at_most"]
    )
    low, high = (table["waiting"].str[end] for end in (0, 1))
    waits = (table["true waiting"] > 0) | (high > 0)
    slack = 1e-6 * table["expected"].abs()
    within = (table["true waiting"] >= low - slack) & (table["true waiting"] <= high + slack)
    # Each with its opportunities.
    asked = {
        "loss falsely shown": (table["shown"], none_lost),
        "overdue falsely": (table["owed"], none_lost & none_owed),
        "at most, true": (fits, untold),
        "at most, true with what exemption spared": (fits_spared, untold),
        "excluded, true": (fits_spared, table["excluded"]),
        "waiting in its interval": (within, waits),
        "put off falsely": (table["put_off"], none_off),
        "real loss shown": (table["shown"], ~none_lost),
        "real loss or arrears claimed": (table["shown"] | table["owed"], ~none_lost | ~none_owed),
        "claims": (table["claim"], table["claim"] | True),
    }
    columns: dict[str, pd.Series] = {"splits": table.groupby(by, sort=False).size()}
    for name, (holds, chance) in asked.items():
        columns[name] = 100 * holds[chance].groupby(table[by][chance], sort=False).mean()
    columns["number of claims"] = table["claim"].groupby(table[by], sort=False).sum()
    return pd.DataFrame(columns).reindex(columns["splits"].index)


def standard_error(table: pd.DataFrame) -> float:
    """Of the rate of losses falsely shown over all scenarios, in points: seeds are what is independent."""
    chance = table[table["true lost"] <= 0]
    of_seed = chance.groupby("seed")["shown"].agg(["sum", "size"])
    rate = of_seed["sum"].sum() / of_seed["size"].sum()
    off = of_seed["sum"] - rate * of_seed["size"]
    return float(100 * np.sqrt((off**2).sum()) / of_seed["size"].sum())


DECIMALS = dict.fromkeys(
    ("loss falsely shown", "overdue falsely", "at most, true", "excluded, true",
     "at most, true with what exemption spared", "waiting in its interval", "put off falsely",
     "real loss shown", "real loss or arrears claimed", "claims"), 1
)  # fmt: skip


def ward_part(seeds: range, processes: int) -> None:
    """Print the tables of the illustrative ward."""
    begun, rows, cpu = time.monotonic(), [], 0.0
    every = [place % RARELY == 0 for place in range(len(seeds))]
    with ProcessPoolExecutor(processes) as pool:
        for number, (more, took) in enumerate(pool.map(of_seed, seeds, every), 1):
            rows += more
            cpu += took
            if number % 10 == 0:
                print(f"{number} seeds, {cpu:.0f} s of CPU", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    print(
        f"{len(seeds)} seeds from {seeds[0]}; month-ends "
        f"{', '.join(map(str, OFTEN))}, and all of {ALL[0]} to {ALL[-1]} for {sum(every)} of them; "
        f"{len(table)} splits. {cpu / 60:.1f} min of CPU, {(time.monotonic() - begun) / 60:.1f} min.\n"
    )
    by_scenario = rates(table, "scenario")
    print(f"In % of the opportunities, by what was planted:\n\n{markdown(by_scenario, DECIMALS)}\n")
    print(f"Standard error of losses falsely shown, all: {standard_error(table):.2f} points.\n")
    for by in ("line", "month-end"):
        some = rates(table.sort_values(by), by)
        print(f"By {by}, all scenarios:\n\n{markdown(some, DECIMALS)}\n")
    verdicts = table.groupby(["scenario", "verdict"], sort=False).size().unstack(fill_value=0)
    print(f"Verdicts:\n\n{markdown(verdicts.rename_axis('scenario'), {})}\n")
    for name, column, limit in (
        ("loss falsely shown", "loss falsely shown", FALSELY_SHOWN),
        ("at most", "at most, true", -AT_MOST),
        ("excluded beyond what is named", "excluded, true", -AT_MOST),
        ("put off and not yet paid, in its interval", "waiting in its interval", -IN_INTERVAL),
    ):
        if by_scenario[column].isna().all():
            print(f"- {name}: never said")
            continue
        worst = by_scenario[column].max() if limit > 0 else by_scenario[column].min()
        beyond = worst > limit if limit > 0 else worst < -limit
        kept = "NOT KEPT" if beyond else "kept"
        print(f"- {name}: {worst:.1f} % at the worst scenario, limit {abs(limit)} %: {kept}")
    worst_cells(table)


def worst_cells(table: pd.DataFrame) -> None:
    """Print where each word fails most often."""
    cell = ["scenario", "line", "month-end"]
    none_lost = table["true lost"] <= 0
    low, high = (table["waiting"].str[end] for end in (0, 1))
    outside = (table["true waiting"] < low - 1) | (table["true waiting"] > high + 1)
    for name, fails, chance in (
        ("loss falsely shown", table["shown"], none_lost),
        ("at most, untrue", table["true lost"] + table["true overdue"] > table["at_most"],
         table["at_most"].notna()),
        ("waiting, outside", outside, (table["true waiting"] > 0) | (high > 0)),
        ("put off falsely", table["put_off"], table["true deferred"] <= 0),
    ):  # fmt: skip
        grouped = fails[chance].groupby([table[c][chance] for c in cell], sort=False)
        counts = grouped.agg(["sum", "size"]).sort_values("sum", ascending=False).head(8)
        counts["%"] = 100 * counts["sum"] / counts["size"]
        counts.index = [", ".join(where) for where in counts.index]
        print(f"\nMost often {name}:\n\n{markdown(counts.rename_axis('where'), {'%': 1})}")


# ---------------------------------------------------------------------------------- Philadelphia


def philadelphia_part() -> None:
    """Print what is said of Philadelphia's taxes, of which some of the truth is known."""
    city = book("philadelphia")
    cases = (
        ("real_estate", "2020-03", "2020-06", "put off to 15 June 2020 and paid"),
        ("real_estate", "2020-03", "2020-09", "nothing lost"),
        ("real_estate", "2020-03", "2020-12", "nothing lost"),
        ("real_estate", "2020-07", "2021-06", "nothing lost"),
        ("real_estate", "2020-03", "2021-06", "nothing lost in fiscal years 2020 and 2021"),
        ("real_estate", "2021-01", "2021-06", "nothing lost"),
        ("birt", "2020-03", "2020-06", "put off to 15 July 2020"),
        ("birt", "2020-03", "2020-12", "put off and returned, not lost"),
        ("birt", "2020-03", "2021-06", "put off and returned, not lost"),
        ("amusement", "2020-03", "2020-12", "lost"),
        ("amusement", "2020-03", "2021-06", "lost"),
        ("parking", "2020-03", "2020-12", "lost"),
        ("parking", "2020-03", "2021-06", "lost"),
    )
    rows = []
    for line, first, last, truth in cases:
        book_then = wardlib.open("philadelphia", last, "en")
        found = book_then.effect.result
        begin = max(found.start, pd.Period(first, "M"))
        split = found.split(line, begin, pd.Period(last, "M"))
        words = said(split) if split else None
        rows.append(
            {
                "tax": line,
                "months": f"{begin} to {last}",
                "truth": truth,
                "said": words.verdict if words else found.lines.at[line, "silent"],
                "difference": _million(split and split.difference),
                "claim": _million(split and split.claim),
                "waiting": _million(split and split.deferred),
            }
        )
    table = pd.DataFrame(rows).set_index("tax")
    assert city.ward.currency == "USD"
    print(f"\nPhiladelphia, million USD, mean and interval:\n\n{markdown(table, {})}")


def _million(amount: relief.Amount | None) -> str:
    if amount is None:
        return ""
    return f"{amount.mean / 1e6:.1f} ({amount.lower / 1e6:.1f} to {amount.upper / 1e6:.1f})"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds of the ward")
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="the first of them")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    if options.seeds:
        ward_part(range(options.first, options.first + options.seeds), options.processes)
    philadelphia_part()


if __name__ == "__main__":
    main()
