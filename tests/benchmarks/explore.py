"""How long the explorer takes from a move of each control to the redrawn chart.

    python tests/benchmarks/explore.py [--rounds 5] [--line LINE]

By ward and control: CPU and wall time (ms, the median of the rounds and the greatest), and how many series
were estimated, in the first round and in all. The wall time holds the wait in which further moves would be
heard (`explorer.QUIET`), not the way to the browser. Rounds are interleaved with a whole `effects.assess`,
of which nothing was remembered; no value of a control but those that are named comes twice.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # CPU times are those of one thread
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import wardlib
from wardlib.analysis import effects, remembered
from wardlib.pages.explorer import Explorer

LINES = {"phuc-dong": "nonstate", "philadelphia": "wage_earnings_net_profits"}
DRAWS = 99  # fewer rows than any estimate's paths have
Spent = tuple[float, float, int]  # CPU and wall time in seconds, series estimated


def estimated() -> set[str]:
    """The estimates that are remembered."""
    return {name for name, own in remembered._memory.items() if own.ndim == 2 and len(own) > DRAWS}


def spent(work: Callable[[], Any]) -> Spent:
    """What some work took."""
    known, begin = estimated(), (time.process_time(), time.perf_counter())
    work()
    end = time.process_time(), time.perf_counter()
    return end[0] - begin[0], end[1] - begin[1], len(estimated() - known)


def moved(explorer: Explorer, control: Any, value: Any) -> Spent:
    """What it took from a move to what is drawn, in a loop as that of a kernel."""

    async def move() -> None:
        control.value = value
        while explorer._waiting is not None:
            await asyncio.sleep(0.001)

    took = spent(lambda: asyncio.run(move()))
    assert not explorer.error
    return took


def moves(explorer: Explorer, turn: int, line: str) -> list[tuple[str, Any, Any]]:
    """The moves of a round: name, control, value."""
    days = [day for _, day in explorer.as_of.options if "2021" < day < "2021-12"] or [""]
    starts = [month for _, month in explorer.start.options if "2019-08" < month < "2020-09"]
    phases = list(explorer.phases.values())
    years = list(explorer.years)
    year = years[turn % len(years)]
    months = [month for _, month in explorer.month.options if month]
    since = [day for _, day in explorer.since.options if day < "2020-07"]
    shares = [share for _, share in explorer.share.options if share != ""]
    periods = [period for _, period in explorer.period.options if period.startswith("2020-")]
    asked = [
        ("month opened", explorer.month, months[turn % len(months)]),
        ("changed since", explorer.since, since[turn % len(since)]),
        ("share", explorer.share, shares[(7 * turn) % len(shares)]),
        ("share (of before)", explorer.share, ""),
        ("level", explorer.level, (0.8, 0.9, 0.99)[turn % 3]),
        ("level (of before)", explorer.level, 0.95),
        ("start", explorer.start, starts[turn % len(starts)]),
        ("start (of before)", explorer.start, ""),
        # Its box is another one where a start has moved meanwhile.
        ("year left out", lambda: explorer.years[year], True),
        ("year (of before)", lambda: explorer.years[year], False),
        ("lines", explorer.lines, (explorer.lines.options[1 + turn][1],)),
        ("lines (of before)", explorer.lines, (line,)),
        ("period", explorer.period, periods[turn % len(periods)]),
        ("period (of before)", explorer.period, "2020-9M"),
        ("as known on", explorer.as_of, days[turn % len(days)]),
        ("as known on (of before)", explorer.as_of, ""),
    ]
    if phases:
        asked[8:8] = [
            ("phases", phases[-1], True),
            ("phases (of before)", phases[-1], False),
        ]
    return asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--line", default="")
    given = parser.parse_args()
    for ward, line in LINES.items():
        line = given.line or line
        explorer = Explorer(ward, "2020-9M", "vi", "")
        explorer.lines.value = (line,)
        found: dict[str, list[Spent]] = {}
        for turn in range(given.rounds):
            for name, asked, value in moves(explorer, turn, line):
                control = asked() if callable(asked) else asked
                if control.value == value:
                    continue
                found.setdefault(name, []).append(moved(explorer, control, value))
                explorer.month.value = explorer.since.value = ""
            book = wardlib.open(ward, "2020-9M")
            remembered.forget()
            whole = lambda: effects.assess(book._receipts(), book.table, book._epidemic()).by_line  # noqa: B023, E731
            found.setdefault("a whole assess", []).append(spent(whole))
            _ = explorer.book.effect.result.by_line
        print(f"\n{ward}, line {line}\n")
        print("| control | CPU ms | most | wall ms | most | estimates |")
        print("|---|--:|--:|--:|--:|--:|")
        for name, every in found.items():
            cpu, wall, made = zip(*every, strict=True)
            print(
                f"| {name} | {1000 * statistics.median(cpu):.0f} | {1000 * max(cpu):.0f} "
                f"| {1000 * statistics.median(wall):.0f} | {1000 * max(wall):.0f} | {made[0]}, {sum(made)} |"
            )


if __name__ == "__main__":
    main()
