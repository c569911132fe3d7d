"""Which losses the ledger claims where the truth is known; prints the tables of docs/method.md.

    python tests/benchmarks/ledger.py [--cases 1000]

False claims: smooth lines of which a known share of payers puts months off and pays by the last lawful
day (or, in one pattern, in part never pays), told to the ledger as deferrals with shares from 0 to 1, at
every month-end: one deferral of four months to the year's end, or two of three months each, the second
from the month after the first, so that what was put off first is paid while others put off. Power: how often a real loss of six months is found. Seeds from 1,000,000 on
are for reporting, as in `impact.py`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Iterable
from dataclasses import replace

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import simulated
from report import markdown
from scipy.stats import beta

from wardlib.analysis import counterfactual, relief
from wardlib.analysis.counterfactual import Impact
from wardlib.analysis.relief import Rule

FIRST_SEED = 1_000_000
DRAWS = 500  # a quarter of a page's
SURE = 0.999  # of the lower bounds of what is false
SHARES = (
    (0, 0.12), (0.12, 0.25), (0.25, 0.40), (0.40, 0.55), (0.55, 0.70), (0.70, 0.85), (0.85, 1)
)  # fmt: skip
LAST_DAY = pd.Timestamp("2020-12-31")
DUE = (LAST_DAY.to_period("M") - simulated.START).n  # place of the month of the last lawful day
# Deferrals: the months (places since the start) put off, and the last lawful day.
PUT_OFF = 4
DEFERRALS = {
    "one": ((range(PUT_OFF), LAST_DAY),),
    "two": ((range(3), pd.Timestamp("2020-09-30")), (range(3, 6), LAST_DAY)),
}
PATTERNS = "early", "mixed", "late", "last month", "part never"
NEVER = 0.3  # of what was put off, in the pattern "part never"
LOST = (0.15, 0.30, 0.50)  # shares of real losses
LOST_MONTHS = 6
NARROW = 0.05  # half the range of shares of a ward that has counted its applications


def deferral(
    low: float = 0.0, high: float = 1.0, first: int = 0, until: pd.Timestamp = LAST_DAY
) -> Rule:
    """What fell due from the place `first` on may be paid until the last day."""
    months = simulated.START + first, until.to_period("M") - 1
    return Rule(f"R{first}", relief.DEFERRAL, "all", *months, until, low, high, "simulated")


def returns(pattern: str, months: range, until: pd.Timestamp) -> range:
    """The months in which what was put off in `months` comes back."""
    after, due = months[-1] + 1, (until.to_period("M") - simulated.START).n
    return {
        "early": range(after, after + 2),
        "late": range(due - 1, due + 1),
        "last month": range(due, due + 1),
    }.get(pattern, range(after, due + 1))


def estimated(kind: str, seed: int) -> tuple[Impact, np.ndarray]:
    """The estimate of a line, and what it would have brought. Nothing after the start enters it, so that
    it serves for whatever is then planted."""
    case = simulated.draw(kind, seed, effect=False)
    impact = counterfactual.estimate(
        pd.concat([case.history, case.no_effect]),
        start=simulated.START,
        tet=tuple(simulated.TET),
        draws=DRAWS,
    )
    return impact, case.no_effect.to_numpy()


def with_collected(impact: Impact, collected: np.ndarray) -> Impact:
    """The estimate beside other receipts since the start, as far as they go."""
    series = impact.series[: simulated.START + len(collected) - 1].copy()
    series[simulated.START :] = collected
    return replace(impact, series=series, paths=impact.paths[:, : len(collected)])


def put_off(
    due: np.ndarray, share: float, months: range, back: Iterable[int], rng: np.random.Generator,
    never: float = 0.0,
) -> np.ndarray:  # fmt: skip
    """What is received more than `due` where a share of `months` is put off, and all but `never` of it
    comes back in the months `back`, split at random."""
    places = list(back)
    moved = np.zeros(len(due))
    later = share * due[list(months)]
    moved[list(months)] -= later
    moved[places] += (1 - never) * later.sum() * rng.dirichlet(np.ones(len(places)))
    return moved


def false_claims(cases: int) -> pd.DataFrame:
    """How many of `cases` are claimed falsely: columns `deferrals`, `share`, `pattern`, `month-end`,
    `loss`, `overdue`. Overdue is true in the pattern "part never" from the first last day on."""
    counts: dict[tuple[str, str, str], np.ndarray] = {}
    for number in range(cases):
        impact, due = estimated("pure deferral", FIRST_SEED + number)
        for (n, (name, given)), (s, (low, high)), (p, pattern) in itertools.product(
            enumerate(DEFERRALS.items()), enumerate(SHARES), enumerate(PATTERNS)
        ):
            rng = np.random.default_rng([FIRST_SEED + number, n, s, p])
            never = NEVER if pattern == "part never" else 0.0
            collected = due + sum(
                put_off(
                    due, rng.uniform(low, high), months, returns(pattern, months, until), rng, never
                )
                for months, until in given
            )
            rules = [deferral(first=months[0], until=until) for months, until in given]
            ends = relief.ledger(with_collected(impact, collected), rules).month_ends
            loss = ends["never_due_later_lower"].to_numpy() > 0
            overdue = (ends["claim_lower"].to_numpy() > 0) & ~loss
            if never:
                overdue[(given[0][1].to_period("M") - simulated.START).n :] = False
            cell = counts.setdefault(
                (name, f"{100 * low:.0f}–{100 * high:.0f} %", pattern), np.zeros((2, len(loss)))
            )
            cell += loss, overdue
        if number % 50 == 49:
            print(f"{number + 1} cases", file=sys.stderr, flush=True)
    return pd.concat(
        [
            pd.DataFrame(
                {"deferrals": name, "share": share, "pattern": pattern,
                 "month-end": ends.index.astype(str), "loss": cell[0], "overdue": cell[1]}
            )
            for (name, share, pattern), cell in counts.items()
        ]
    )  # fmt: skip


def lower_bound(count: pd.Series, cases: int) -> pd.Series:
    """The least rate that `count` of `cases` leaves possible (Clopper and Pearson, one-sided)."""
    bound = beta.ppf(1 - SURE, count, cases - count + 1)
    return pd.Series(np.where(count > 0, bound, 0.0), count.index)


def power(cases: int) -> pd.DataFrame:
    """How often a loss of `LOST` of the first six months is found, by size of the loss and what the law
    let payers put off: columns, what is asked when."""
    found: dict[tuple[str, str], list[bool]] = {}
    first, last = simulated.START, simulated.START + LOST_MONTHS - 1
    for number in range(cases):
        impact, due = estimated("smooth", FIRST_SEED + number)
        for lost in LOST:
            rng = np.random.default_rng([FIRST_SEED + number, int(100 * lost)])
            share = rng.uniform(0.2, 0.8)
            left = due.copy()
            left[:LOST_MONTHS] *= 1 - lost
            back = range(LOST_MONTHS, DUE + 1)
            later = left + put_off(left, share, range(LOST_MONTHS), back, rng)
            narrow = deferral(max(share - NARROW, 0), min(share + NARROW, 1))
            for law, collected, rules in (
                ("no relief", left, []),
                ("put off, share 0 to 1", later, [deferral()]),
                (f"put off, share known to {100 * NARROW:.0f} points", later, [narrow]),
            ):
                before = with_collected(impact, collected[:LOST_MONTHS])
                after = with_collected(impact, collected[: DUE + 1])
                for when, split in (
                    ("after six months", relief.ledger(before, rules).split()),
                    (
                        "these months, after the last day",
                        relief.ledger(after, rules).split(first, last),
                    ),
                    ("since the start, after the last day", relief.ledger(after, rules).split()),
                ):
                    claimed = split.verdict in ("lost", "overdue")
                    found.setdefault((f"{100 * lost:.0f} %, {law}", when), []).append(claimed)
        if number % 200 == 199:
            print(f"power: {number + 1} cases", file=sys.stderr, flush=True)
    rates = pd.Series({key: np.mean(claims) for key, claims in found.items()})
    return rates.unstack(sort=False).rename_axis("lost of six months")


def ledger_part(options: argparse.Namespace) -> None:
    """Print the tables."""
    cases = options.cases
    claims = false_claims(cases)
    claims["false"] = claims["loss"] + claims["overdue"]
    claims["bound"] = lower_bound(claims["false"], cases)
    print(f"{cases} cases a cell, {len(claims)} cells (deferrals x share x pattern x month-end).\n")
    worst = claims.groupby(["deferrals", "share", "pattern"], sort=False)[["false", "bound"]].max()
    for column, title, scale in (
        ("false", "False claims of a loss, at the month-end with the most", cases),
        ("bound", f"Lower bounds of these ({100 * SURE:.1f} %)", 1),
    ):
        table = (worst[column] / scale).unstack(sort=False).reset_index("deferrals")
        print(f"{title}:\n\n{markdown(table, dict.fromkeys(table, 3))}\n")
    for kind in ("loss", "overdue"):
        most = claims.iloc[claims[kind].to_numpy().argmax()]
        where = ", ".join(most[["deferrals", "share", "pattern", "month-end"]])
        print(f"Most false claims of {kind}: {most[kind] / cases:.3f} ({where}).\n")
    for name, of_name in claims.groupby("deferrals", sort=False):
        by_end = of_name.pivot_table(
            index="month-end", columns="pattern", values="false", aggfunc="max"
        )
        table = markdown(by_end[list(PATTERNS)] / cases, dict.fromkeys(PATTERNS, 3))
        print(f"By month-end, {name}, at the share with the most:\n\n{table}\n")
    beyond = claims[claims["bound"] > 0.05]
    print(
        f"Cells above 0.05: {(claims['false'] > 0.05 * cases).sum()}; by their lower bound: {len(beyond)}\n"
    )
    table = power(cases)
    print(f"Real losses found:\n\n{markdown(table, dict.fromkeys(table, 2))}")


def main() -> None:
    """Run it by itself."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=1000, help="cases a cell")
    ledger_part(parser.parse_args())


if __name__ == "__main__":
    main()
