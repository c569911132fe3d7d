"""Validate the estimate of COVID-19's effect where the truth is known; print the tables of docs/method.md.

    python tests/benchmarks/impact.py [PART ...] [--cases 200] [--peer-cases 40] [--slow-cases 5]

Parts (default: all): `simulated`, twelve kinds of series with and without an effect, beside the peers
of `peers.py` that can be imported; `real`, twelve-month windows of real series in which nothing
is known to have happened; `sums`, of their lines; `ledger`, deferrals without loss; `districts`, wards
together; `truth`, the illustrative ward; `published`, two published answers; `speed`. Only the CPU
times differ from run to run.

Seeds from 1,000,000 on are for reporting; the method was tuned on seeds 10,000 to 29,999.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # CPU times are those of one thread
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import peers
import simulated
from districts import district_part
from ledger import ledger_part
from real import real_part, sums_part
from report import markdown
from scores import TAIL, geometric, winkler

from wardlib.analysis import counterfactual, relief

HERE = Path(__file__).resolve().parent
FIRST_SEED = 1_000_000
DRAWS = 2000
OURS = "wardlib"
Forecast = Callable[[simulated.Case, int], np.ndarray]


def ours(case: simulated.Case, seed: int) -> np.ndarray:
    """Paths of the months after the history by the method under test (its seed is its own)."""
    series = pd.concat([case.history, case.observed])
    return counterfactual.estimate(
        series, start=case.observed.index[0], tet=tuple(simulated.TET), planned=case.planned,
        draws=DRAWS,
    ).paths  # fmt: skip


def peer(name: str) -> Forecast:
    """The same by a peer; it is not told of Tết or planned days."""
    method = peers.PEERS[name]
    return lambda case, seed: method(
        case.history.to_numpy(float), case.history.index, len(case.observed), DRAWS, seed
    )


def judged(case: simulated.Case, paths: np.ndarray) -> dict[str, float]:
    """Coverage, score and bias for the realised no-effect outcome, and what is claimed.

    Score and bias are in per cent of that outcome.
    """
    truth, observed = case.no_effect.to_numpy(), case.observed.to_numpy()
    low, high = np.quantile(paths, (TAIL, 1 - TAIL), axis=0)
    held, score = winkler(paths.sum(axis=1), truth.sum())
    phases = [slice(first, last + 1) for first, last in simulated.PHASES.values()]
    spring = phases[0]
    return {
        "monthly": ((truth >= low) & (truth <= high)).mean(),
        "phase": np.mean([winkler(paths[:, p].sum(axis=1), truth[p].sum())[0] for p in phases]),
        "cumulative": held,
        "score": 100 * score / abs(truth.sum()),
        "bias": 100 * (paths.sum(axis=1).mean() / truth.sum() - 1),
        "claimed": not winkler(paths.sum(axis=1), observed.sum())[0],
        "spring": observed[spring].sum() < np.quantile(paths[:, spring].sum(axis=1), TAIL),
    }


def run_kind(kind: str, method: Forecast, cases: int) -> pd.Series:
    """Means over `cases` series of a kind without effect and as many others with one."""
    rows, spent = [], 0.0
    for number in range(2 * cases):
        seed = FIRST_SEED + number
        case = simulated.draw(kind, seed, effect=number >= cases)
        began = time.process_time()
        paths = method(case, seed)
        spent += time.process_time() - began
        rows.append({**judged(case, paths), "effect": number >= cases})
    table = pd.DataFrame(rows)
    without, effect = table[~table["effect"]], table[table["effect"]]
    return pd.Series(
        {
            "monthly": table["monthly"].mean(),
            "phase": table["phase"].mean(),
            "cumulative": table["cumulative"].mean(),
            "false alarms": without["claimed"].mean(),
            "interval score": table["score"].mean(),
            "bias %": table["bias"].mean(),
            "spring found": effect["spring"].mean(),
            "total found": effect["claimed"].mean(),
            "CPU ms": 1000 * spent / (2 * cases),
        }
    )


def by_kind(name: str, method: Forecast, cases: int) -> pd.DataFrame:
    """`run_kind` for every kind, told on stderr as it goes."""
    rows = {}
    for kind in simulated.KINDS:
        rows[kind] = run_kind(kind, method, cases)
        print(f"{name}, {kind}: {rows[kind].round(3).to_dict()}", file=sys.stderr, flush=True)
    return pd.DataFrame(rows).T.rename_axis("kind")


def simulated_part(options: argparse.Namespace) -> None:
    """Part `simulated`."""
    table = by_kind(OURS, ours, options.cases)
    mean = table.mean()
    mean["interval score"] = geometric(table["interval score"])
    decimals = {"monthly": 3, "phase": 3, "cumulative": 3, "false alarms": 3, "spring found": 2,
                "total found": 2, "bias %": 1, "interval score": 1}  # fmt: skip
    print(f"\n{options.cases} series a kind without effect, {options.cases} with one:\n")
    print(markdown(pd.concat([table, mean.to_frame("mean (score: geometric)").T.rename_axis("kind")]),
                   decimals))  # fmt: skip
    summary, scores, same = {}, {}, {}
    for name in peers.available():
        cases = options.slow_cases if name in peers.SLOW else options.peer_cases
        if not cases:
            continue
        found = by_kind(name, peer(name), cases)
        if cases not in same:
            same[cases] = by_kind(f"{OURS}, {cases} cases", ours, cases)["interval score"]
        scores[name] = found["interval score"], same[cases]
        summary[name] = {
            "series a kind": 2 * cases,
            "coverage": found["cumulative"].mean(),
            "worst kind": found["cumulative"].min(),
            "false alarms": found["false alarms"].mean(),
            "interval score": geometric(found["interval score"]),
            f"{OURS} on these": geometric(same[cases]),
            "CPU ms": found["CPU ms"].mean(),
        }
        summary[name]["ratio"] = summary[name][f"{OURS} on these"] / summary[name]["interval score"]
    if not summary:
        return
    print("\nPeers, over all kinds (score: geometric mean):\n")
    print(markdown(pd.DataFrame(summary).T.rename_axis("method"),
                   {"coverage": 2, "worst kind": 2, "false alarms": 2, "ratio": 2}))  # fmt: skip
    kinds = pd.DataFrame(
        {name: mine / theirs for name, (theirs, mine) in scores.items() if name not in peers.SLOW}
    )
    best = pd.DataFrame(
        {"best peer": kinds.idxmax(axis=1), "score, ratio to it": kinds.max(axis=1)}
    )
    print("\nThe best peer of each kind:\n")
    print(markdown(best.rename_axis("kind"), {"score, ratio to it": 2}))
    if peers.FAILURES:
        print(f"\nSeries on which a peer's library failed: {dict(peers.FAILURES)}")


TRUTH_ENDS = [
    pd.Period(text, "M") for text in ("2020-06", "2020-09", "2020-12", "2021-06", "2021-12")
]


def truth_part(options: argparse.Namespace) -> None:
    """Part `truth`: the planted loss and the planted late part of the illustrative ward."""
    import runpy

    from wardlib.data import descriptors
    from wardlib.data.book import load

    ward = descriptors.ward("phuc-dong")
    given, tet = load(ward, "tax_relief"), tuple(load(ward, "tet")["date"])
    make = runpy.run_path(str(HERE.parents[1] / "data" / "phuc-dong" / "make.py"))["make"]
    start = pd.Period("2020-02", "M")
    rows = []
    for number in range(options.cases):
        made = make(FIRST_SEED + number)
        newest = made["receipts"].sort_values("reported_on", kind="stable")
        newest = newest.drop_duplicates(["month", "line"], keep="last")
        amounts = newest.pivot(index="month", columns="line", values="collected").astype(float)
        amounts.index = pd.PeriodIndex(amounts.index, freq="M")
        planted = made["truth"]
        planted = planted[planted["table"] == "receipts"]
        planted = planted.assign(month=pd.PeriodIndex(planted["month"], freq="M"))
        planted = planted[planted["month"] >= start].pivot_table(
            index=["item", "month"], columns="measure", values="value", aggfunc="sum", fill_value=0
        )
        for line in planted.index.unique("item"):
            rules = relief.rules_by_line(given, ward.areas, [line])[line]
            found = counterfactual.estimate(
                amounts[line], start=start, tet=tet, exempt=relief.exempt_months(rules), draws=1000
            )
            if not found.model:
                continue
            ends = relief.ledger(found, rules).month_ends
            true = planted.loc[line].reindex(ends.index, fill_value=0).astype(float)
            # Where nothing was payable, nothing was lost to the budget beyond the exemption.
            true.loc[true.index.isin(relief.exempt_months(rules)), "lost"] = 0.0
            true = true.cumsum()
            late = true["deferred"] - true["returned"]
            deferred = (
                any(rule.kind == relief.DEFERRAL for rule in rules)
                and true["deferred"].iloc[-1] > 0
            )
            for end in TRUTH_ENDS:
                row, lost = ends.loc[end], true.at[end, "lost"]
                waiting = deferred and row["deferred_upper"] > 0
                rows.append(
                    {
                        "line": line,
                        "end": str(end),
                        "lost": row["claim_lower"] <= lost <= row["claim_upper"],
                        "late": row["deferred_lower"] <= late[end] <= row["deferred_upper"]
                        if waiting
                        else np.nan,
                        "claimed": row["claim_lower"] > 0,
                        "any": lost > 0,
                    }
                )
        if number % 20 == 19:
            print(f"{number + 1} seeds", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    for column, title in (
        ("lost", "Coverage of the planted loss by the interval of what is lost or overdue"),
        ("late", "Coverage of the planted late part by the interval of what may still come"),
        ("claimed", "Share of seeds in which a loss is claimed"),
    ):
        found = table.dropna(subset=[column]).astype({column: float})
        shown = found.pivot_table(index="line", columns="end", values=column)
        shown.loc["all"] = found.groupby("end")[column].mean()
        print(f"\n{title} ({options.cases} seeds):\n")
        print(markdown(shown, dict.fromkeys(shown, 2)))
    spared = table[~table["any"]]
    print(f"\nA loss claimed where none was planted: {spared['claimed'].mean():.3f}")


def published_part(options: argparse.Namespace) -> None:
    """Part `published`: two published answers and ours beside them."""
    table = pd.read_csv(HERE / "data" / "deaths_and_temps_england_wales.csv")
    deaths = pd.Series(table["deaths"].to_numpy(float), pd.PeriodIndex(table["date"], freq="M"))
    found = counterfactual.estimate(deaths, start=pd.Period("2020-01", "M"))
    unit = table["deaths"][table["pre"]].std(ddof=0)
    belts = pd.read_csv(HERE / "data" / "seatbelts.csv")
    drivers = pd.Series(belts["drivers"].to_numpy(float), pd.PeriodIndex(belts["month"], freq="M"))
    law = pd.Period("1983-02", "M")
    effects = {
        "deaths, England and Wales, 2020-01 to 2022-05": (
            "26.4 sd (20.9 to 32.0, mean alone)", found.cumulative, unit, " sd"),
        "drivers killed or seriously injured, Great Britain, 1983-02 to 1984-01": (
            "-23 %", counterfactual.estimate(drivers, start=law).effect(law, law + 11), None, " %"),
    }  # fmt: skip
    rows = {}
    for name, (said, effect, scale, sign) in effects.items():
        by = scale or effect.expected / 100
        rows[name] = {
            "published": said,
            "ours": f"{effect.amount / by:.1f} ({effect.lower / by:.1f} to {effect.upper / by:.1f}){sign}",
        }
    print(markdown(pd.DataFrame(rows).T.rename_axis("case"), {}))


# Prints the CPU milliseconds of a series at 48 and at 84 months of history, once for each line it reads.
ESTIMATES = """
import sys, time
import numpy, pandas
from wardlib.analysis import counterfactual
tet = tuple(pandas.to_datetime(sys.argv[1].split(",")))
start = pandas.Period("2020-03", "M")
for number, _ in enumerate(sys.stdin):
    spent = []
    for size in (48, 84):
        months = pandas.period_range(start - size, start + 23, freq="M")
        lines = []
        for seed in range(21):
            rng = numpy.random.default_rng([seed, number])
            logs = 0.05 * numpy.arange(len(months)) / 12 + rng.normal(0, 0.3, 12)[months.month - 1]
            logs += rng.normal(0, 0.1, len(months)) + rng.normal(0, 0.01, len(months)).cumsum()
            lines.append(pandas.Series(100 * numpy.exp(logs), months))
        counterfactual.estimate(lines[0], start=start, tet=tet)
        began = time.process_time()
        for line in lines[1:]:
            counterfactual.estimate(line, start=start, tet=tet)
        spent.append(1000 * (time.process_time() - began) / 20)
    print(*spent, flush=True)
"""


def speed_part(options: argparse.Namespace) -> None:
    """Part `speed`: CPU of a series here and in the revision `--before`, in turns, the median of nine."""
    root, first = HERE.parents[1], ",".join(str(day.date()) for day in simulated.TET)
    with tempfile.TemporaryDirectory() as folder:
        trees = {"this": root}
        if options.before:
            trees[options.before] = Path(folder)
            archive = subprocess.run(
                ["git", "archive", options.before, "wardlib"],
                cwd=root,
                capture_output=True,
                check=True,
            )
            subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        running = {
            name: subprocess.Popen(
                [sys.executable, "-c", ESTIMATES, first], text=True, cwd=tree,
                env=os.environ | {"PYTHONPATH": f"{tree}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            for name, tree in trees.items()
        }  # fmt: skip
        rows: dict[str, list[list[float]]] = {name: [] for name in trees}
        for _ in range(9):
            for name, process in running.items():
                assert process.stdin is not None and process.stdout is not None
                process.stdin.write("\n")
                process.stdin.flush()
                rows[name].append([float(ms) for ms in process.stdout.readline().split()])
        for process in running.values():
            process.communicate()
    table = pd.DataFrame({name: np.median(spent, axis=0) for name, spent in rows.items()})
    if options.before:
        table["ratio"] = np.median(
            np.array(rows["this"]) / np.array(rows[options.before]), axis=0
        )  # of each pair
    table.index = pd.Index(["48 months", "84 months"], name="CPU ms a series")
    print(markdown(table, dict.fromkeys(table, 2)))


PARTS = {
    "speed": speed_part,
    "simulated": simulated_part,
    "real": real_part,
    "sums": sums_part,
    "ledger": ledger_part,
    "districts": district_part,
    "truth": truth_part,
    "published": published_part,
}


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--cases", type=int, default=200, help="series a kind, with and without effect"
    )
    parser.add_argument("--peer-cases", type=int, default=40, help="the same for peers")
    parser.add_argument(
        "--slow-cases", type=int, default=0, help="for Prophet, CausalPy, CausalImpact"
    )
    parser.add_argument(
        "--slow-step", type=int, default=4, help="these on every so many real series"
    )
    parser.add_argument("--before", metavar="REVISION", help="speed: the revision beside this one")
    options = parser.parse_args()
    for part in options.parts or PARTS:
        print(f"\n## {part}\n", flush=True)
        PARTS[part](options)


if __name__ == "__main__":
    main()
