"""kill -9 of the run, of a worker and of a kernel at random moments, many times over.

    python tests/benchmarks/kills.py [MOMENTS] [SEED]

After each: no orphan process, nothing partial in `output/`, and the next run finishes what is left and
leaves the bytes of an undisturbed run (tests/test_interruptions.py says how that is looked at; it
raises where it does not hold). Prints how many moments hit, by victim, and how far the runs had come.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))
from report import markdown
from test_interruptions import JOBS, VICTIMS, disturb, published, ran, workbook


def main() -> None:
    moments = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        quiet = workbook(Path(folder) / "quiet")
        assert ran(quiet, *JOBS)[0] == 0
        expected = published(quiet)
        for moment in range(moments):
            victim = VICTIMS[moment % len(VICTIMS)]
            hit = False
            while not hit:  # a run that ended before the moment came is no disturbance
                home = workbook(Path(folder) / f"{moment}-{len(rows)}-{chance.random()}")
                done, hit = disturb(home, victim, chance)
            assert published(home) == expected
            left = {path.name for path in (home / "output").iterdir()}
            assert left == {"phuc-dong", "run.json"}, left
            rows.append({"victim": victim, "published": done})
    grouped = pd.DataFrame(rows).groupby("victim", sort=False)["published"]
    table = grouped.size().rename("moments").to_frame()
    table["jobs published by then"] = grouped.min().astype(str) + " to " + grouped.max().astype(str)
    table["partial folders, orphans, other bytes"] = "none"  # each would have raised above
    print(markdown(table, {}))


if __name__ == "__main__":
    main()
