"""Make the illustrative tables of phường Phúc Đồng, 2017-2021, with a known planted effect.

No monthly figure of the ward was ever published. These figures are drawn at random (seeded), follow
the real calendar (due dates, Tết, closures, tax relief) and agree with every figure of the article
of 13/09/2020 (`published.csv`). What COVID-19 did to them is planted, and written to `truth.csv`.

    python data/phuc-dong/make.py    rewrites the CSV files and their hashes, always the same bytes
    make(seed)                       the same tables for another seed, no file touched

Amounts of all sizes, shares and effects below are illustrative; dates come from the laws and city
decisions in `data/reference/`, whose tables this script repeats so that `make` needs no file.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

SEED = 20200913
HERE = Path(__file__).resolve().parent
Frame = TypeVar("Frame", pd.DataFrame, pd.Series)

# ------------------------------------------------------------------------------------------- time

MONTHS = pd.period_range("2017-01", "2021-12", freq="M", name="month")
DAYS = pd.date_range("2017-01-01", "2021-12-31")
COVID_MONTHS = MONTHS[MONTHS.year >= 2020]  # the months of truth.csv
ARTICLE = pd.Timestamp("2020-09-13")  # figures known on this day agree with it

# First day of the lunar year (reference/tet.csv).
TET = pd.DatetimeIndex(["2017-01-28", "2018-02-16", "2019-02-05", "2020-01-25", "2021-02-12"])
# Other public holidays on weekdays, days given in lieu included.
HOLIDAYS = pd.to_datetime(
    [
        f"{year}-{day}"
        for year, days in {
            2017: ("01-02", "04-06", "05-01", "05-02", "09-04"),
            2018: ("01-01", "04-25", "04-30", "05-01", "09-03"),
            2019: ("01-01", "04-15", "04-30", "05-01", "09-02"),
            2020: ("01-01", "04-02", "04-30", "05-01", "09-02"),
            2021: ("01-01", "04-21", "04-30", "05-03", "09-02", "09-03"),
        }.items()
        for day in days
    ]
)
# Phases of the epidemic in Hà Nội, both days inclusive (reference/covid_phases.csv).
PHASES = {
    "2020-1": ("2020-02-03", "2020-06-09"),
    "2020-2": ("2020-07-25", "2020-09-15"),
    "2021-3": ("2021-01-27", "2021-03-22"),
    "2021-4": ("2021-04-27", "2022-04-07"),
}


def days_around(days: pd.DatetimeIndex, first: int, last: int) -> pd.DatetimeIndex:
    """Every day from `first` to `last` days after each of `days`, both inclusive."""
    offsets = pd.to_timedelta(np.arange(first, last + 1), unit="D")
    return pd.DatetimeIndex(np.add.outer(days.to_numpy(), offsets.to_numpy()).ravel())


def share_by_month(window: pd.DatetimeIndex) -> np.ndarray:
    """For each month, its share of one year's window (5 windows of equal length, one a year)."""
    counts = window.to_period("M").value_counts().reindex(MONTHS, fill_value=0)
    return counts.to_numpy() / (len(window) / len(TET))


def phase_of(month: pd.Period) -> str | None:
    """The phase that has a day in this month; no month has days of two phases."""
    for phase, (start, end) in PHASES.items():
        if pd.Period(start, "M") <= month <= pd.Period(end, "M"):
            return phase
    return None


# -------------------------------------------------------------------------------------- receipts

MILLION = 1_000_000  # đồng
UNIT = 1_000  # đồng: every amount is a multiple of it
KNOWN_TOTAL = 6_240 * MILLION  # 208 % of the plan of 3,000 million, January-September 2020
AUTOCORRELATION = 0.4  # of the noise, from month to month
OUTLIER_CHANCE, OUTLIER_SD = 0.015, 0.5  # a month in about 70, on the log scale
# Share of a month's due amount paid on the next working day when the due date is a day off.
ROLL_SHARE = 0.25

# Most khoán households pay when the collector comes round at the quarter's end; a weekend does not
# move that, unlike the dated lines below.
QUARTER_ENDS = (11, 15, 70, 11, 16, 70, 11, 16, 72, 12, 18, 74)
FLAT = (1,) * 12


@dataclass(frozen=True)
class Line:
    """A revenue line without children: how much, when, and what COVID-19 does to it.

    `shape` is the split of a year over its months, `chance` how likely a month (of the year) has
    any receipt, `due` the (month, day) on which it falls due. `tet_dip` and `tet_rise` act on the
    log scale on two weeks around Tết and the three weeks before. `kept_pct` is illustrative: the
    percentages of Resolution 13/2016/NQ-HĐND could not be read. `loss` is the share lost in a month
    with exposure 1 of `track`.
    """

    code: str
    yearly_2017: float  # million đồng
    growth: float  # per year
    shape: tuple[float, ...]
    noise: float  # standard deviation, log scale
    kept_pct: int
    chance: float | tuple[float, ...] = 1.0
    due: tuple[tuple[int, int], ...] = ()
    tet_dip: float = 0.0
    tet_rise: float = 0.0
    track: str = "business"
    loss: float = 0.0
    parent: str = "total"
    ward_own: bool = False  # collected by the ward itself: no estimate is reported


LINES = (
    Line("nonstate_vat", 455, 1.04, QUARTER_ENDS, 0.10, 20, track="quarter", loss=0.90,
         parent="nonstate"),
    Line("nonstate_pit", 205, 1.04, QUARTER_ENDS, 0.10, 20, track="quarter", loss=0.90,
         parent="nonstate"),
    Line("nonstate_sct", 25, 1.03, FLAT, 0.35, 20, chance=0.4, track="leisure", loss=0.90,
         parent="nonstate"),  # karaoke, bars: few payers, many months without any receipt
    Line("land_tax", 370, 1.03, (1, 1, 2, 1, 2, 2, 2, 3, 6, 58, 20, 2), 0.11, 70, due=((10, 31),)),
    # Outside January only late payers and households that resumed work. Decree 22/2020 (households
    # that start are exempt in their first year) is therefore left out.
    Line("licence_fee", 170, 1.03, (86, 5, 1, 0.5, 0.5, 0.5, 4, 0.5, 0.5, 0.5, 0.5, 0.5), 0.08, 100,
         chance=(1, 1, 0.6, 0.4, 0.4, 0.4, 1, 0.5, 0.4, 0.4, 0.4, 0.4), due=((1, 30),)),
    Line("registration_fee", 3_400, 1.13, (8, 8, 9, 9, 9, 8.5, 8.5, 8, 8, 7.5, 8, 8.5), 0.12, 50,
         tet_dip=0.5, loss=0.30),
    Line("pit", 1_100, 1.10, (10, 9, 9, 9, 8, 8, 9, 7.5, 7.5, 8, 7, 8), 0.09, 5,
         tet_dip=0.25, tet_rise=0.15, loss=0.15),
    Line("land_rent", 230, 1.03, (1, 1, 2, 3, 40, 5, 2, 2, 3, 35, 4, 2), 0.11, 10,
         due=((5, 31), (10, 31))),
    Line("fees", 130, 1.04, FLAT, 0.08, 100, tet_dip=0.5, loss=0.50, ward_own=True),
    Line("public_land", 130, 1.02, (3, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 3), 0.5, 100, chance=0.35,
         ward_own=True),
    Line("other", 300, 1.03, FLAT, 0.4, 100, chance=0.85, ward_own=True),
)  # fmt: skip
LEAVES = [line.code for line in LINES]
OFFICE = [line.code for line in LINES if not line.ward_own]  # reported by the tax office
KHOAN = [line.code for line in LINES if line.parent == "nonstate"]
CHILDREN = {
    "nonstate": KHOAN,
    "total": ["nonstate", *[line.code for line in LINES if line.parent == "total"]],
}
ORDER = ["total", "nonstate", *LEAVES]

# How far business was shut in Long Biên, 0 open to 1 closed, first to last day inclusive: judged
# from reference/covid_measures.csv. Karaoke and bars were closed on all days with an order.
NO_ORDER = 0.05  # people stayed at home of their own accord
RESTRICTIONS = (
    ("2020-02-03", "2020-03-20", NO_ORDER),
    ("2020-03-21", "2020-03-27", 0.20),
    ("2020-03-28", "2020-03-31", 0.50),  # Directive 15
    ("2020-04-01", "2020-04-22", 0.80),  # Directive 16
    ("2020-04-23", "2020-06-09", 0.25),
    ("2020-08-01", "2020-09-15", 0.12),
    ("2021-02-01", "2021-02-15", 0.12),
    ("2021-02-16", "2021-03-01", 0.25),
    ("2021-03-02", "2021-03-22", 0.10),
    ("2021-04-30", "2021-05-24", 0.20),
    ("2021-05-25", "2021-06-21", 0.35),
    ("2021-06-22", "2021-07-12", 0.20),
    ("2021-07-13", "2021-07-18", 0.35),
    ("2021-07-19", "2021-07-23", 0.60),
    ("2021-07-24", "2021-09-05", 0.80),  # Directive 16
    ("2021-09-06", "2021-10-13", 0.45),  # Directive 15; Long Biên was in zone 2
    ("2021-10-14", "2021-12-31", 0.15),
)
LOSS_SPREAD = 0.08  # each seed draws every line's loss anew: standard deviation, log scale


@dataclass(frozen=True)
class Deferral:
    """Payment that the law let part of the payers put off: late, not lost."""

    lines: tuple[str, ...]
    first: str  # months in which it would have been paid, both inclusive
    last: str
    returns: tuple[tuple[str, float], ...]  # month paid instead, share of all deferred


# Decree 41/2020/NĐ-CP (08/04/2020), Decree 52/2021/NĐ-CP (19/04/2021). Only those who applied are
# deferred; which share did is drawn for each seed and deferral.
APPLIED_SHARE = (0.35, 0.55)
DEFERRALS = (
    Deferral(("nonstate_vat", "nonstate_pit"), "2020-04", "2020-09",
             (("2020-09", 0.05), ("2020-10", 0.08), ("2020-11", 0.12), ("2020-12", 0.75))),
    Deferral(("nonstate_vat", "nonstate_pit"), "2021-04", "2021-06",
             (("2021-10", 0.05), ("2021-11", 0.10), ("2021-12", 0.85))),
    # 31/05/2020 was a Sunday: part of the first instalment would have been paid in June.
    Deferral(("land_rent",), "2020-05", "2020-06", (("2020-10", 1.0),)),
    Deferral(("land_rent",), "2021-05", "2021-05", (("2021-11", 1.0),)),
)  # fmt: skip
# Resolution 406/NQ-UBTVQH15 (19/10/2021): household taxes of these months are never payable. What
# was due before that day had been put off under Decree 52/2021, so nothing was paid in between.
EXEMPT_MONTHS = pd.period_range("2021-07", "2021-12", freq="M")


@cache
def exposure() -> pd.DataFrame:
    """Mean exposure to restrictions, 0 to 1: a row a month, a column a track.

    `quarter` is the mean from the quarter's first day to the month's last: what a khoán household
    pays at the quarter's end is for the whole quarter.
    """
    business = pd.Series(0.0, DAYS)
    for first, last, shut in RESTRICTIONS:
        business.loc[first:last] = shut
    daily = pd.DataFrame({"business": business, "leisure": (business > NO_ORDER).astype(float)})
    days = pd.Series(1, DAYS).groupby(DAYS.to_period("M")).sum()
    monthly = daily.groupby(DAYS.to_period("M")).sum()
    quarter = MONTHS.asfreq("Q")
    to_date = monthly["business"].groupby(quarter).cumsum() / days.groupby(quarter).cumsum()
    return monthly.div(days, axis=0).assign(quarter=to_date)


@cache
def seasonal(line: Line) -> np.ndarray:
    """Share of a year that falls in each month, after Tết and due dates on days off."""
    weights = np.tile(np.array(line.shape) / sum(line.shape), len(MONTHS) // 12)
    weights *= np.exp(-line.tet_dip * share_by_month(days_around(TET, -7, 6)))
    weights *= np.exp(line.tet_rise * share_by_month(days_around(TET, -28, -8)))
    days_off = HOLIDAYS.append(days_around(TET, -2, 4))
    workday = pd.offsets.CustomBusinessDay(holidays=days_off.to_numpy())
    for year in range(2017, 2022):
        for month, day in line.due:
            due = pd.Timestamp(year, month, day)
            if workday.rollforward(due).month != month:
                position = MONTHS.get_loc(due.to_period("M"))
                moved = ROLL_SHARE * weights[position]
                weights[position : position + 2] += (-moved, moved)
    return weights


def without_covid(line: Line, rng: np.random.Generator) -> np.ndarray:
    """What the line would have brought each month, in đồng: trend x season x noise, or nothing."""
    size = len(MONTHS)
    trend = line.yearly_2017 * MILLION * line.growth ** ((np.arange(size) - 5.5) / 12)
    shocks = rng.normal(0, line.noise, size)
    shocks[1:] *= np.sqrt(1 - AUTOCORRELATION**2)
    noise = np.empty(size)
    previous = 0.0
    for i, shock in enumerate(shocks):
        noise[i] = previous = AUTOCORRELATION * previous + shock
    noise += rng.normal(0, OUTLIER_SD, size) * (rng.random(size) < OUTLIER_CHANCE)
    chance = np.tile(np.broadcast_to(line.chance, 12), size // 12)
    occurs = rng.random(size) < chance
    return trend * seasonal(line) * np.exp(noise) * occurs / chance


def rounded(amounts: Frame) -> Frame:
    """To whole thousands of đồng."""
    return (amounts / UNIT).round().astype("int64") * UNIT


def plant(
    no_effect: pd.DataFrame, loss_factor: np.ndarray, applied: np.ndarray
) -> dict[str, pd.DataFrame]:
    """The planted effect, đồng, a row a month and a column a line, by measure of truth.csv.

    `loss_factor` has one value a line, `applied` one share a deferral.
    """
    no_effect = rounded(no_effect)
    rates = pd.DataFrame({line.code: exposure()[line.track] * line.loss for line in LINES}, MONTHS)
    lost = rounded(no_effect * (rates * loss_factor).clip(upper=1))
    due = no_effect - lost
    deferred, returned, exempt = (pd.DataFrame(0, MONTHS, LEAVES) for _ in range(3))
    exempt.loc[EXEMPT_MONTHS, KHOAN] = due.loc[EXEMPT_MONTHS, KHOAN]
    for deferral, share in zip(DEFERRALS, applied, strict=True):
        lines, span = list(deferral.lines), slice(deferral.first, deferral.last)
        deferred.loc[span, lines] = rounded(due.loc[span, lines] * share)
        total = deferred.loc[span, lines].sum()
        *early, (last_month, _) = deferral.returns
        for month, part in early:
            returned.loc[month, lines] = rounded(total * part)
        paid = returned.loc[deferral.returns[0][0] : last_month, lines].sum()
        returned.loc[last_month, lines] = total - paid
    return {
        "no_effect": no_effect,
        "lost": lost,
        "deferred": deferred,
        "returned": returned,
        "exempt": exempt,
    }


def collected(planted: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The final actual amounts that follow from what was planted."""
    late_or_gone = planted["lost"] + planted["deferred"] + planted["exempt"]
    return planted["no_effect"] - late_or_gone + planted["returned"]


def day_of_month(months: pd.PeriodIndex, day: int) -> pd.DatetimeIndex:
    """That day of each month."""
    return months.to_timestamp() + pd.Timedelta(days=day - 1)


def reports(final: pd.DataFrame, guess: np.ndarray, first: np.ndarray) -> pd.DataFrame:
    """Every report of every leaf: `month, line, collected, status, reported_on`.

    The tax office estimates on the 11th of the month itself, closes the month on the 10th of the
    next and corrects some months when the year's books close on 31/01 (`first` != 1); the ward
    reports its own lines on the 8th of the next month. `guess` and `first` are the estimate and the
    first actual as multiples of the final amount, a row a month and a column an office line.
    """
    office, own = final[OFFICE], final.drop(columns=OFFICE)
    books_closed = pd.DatetimeIndex([pd.Timestamp(year + 1, 1, 31) for year in MONTHS.year])
    rounds = (
        (rounded(office * guess), "estimate", day_of_month(MONTHS, 11)),
        (rounded(office * first), "actual", day_of_month(MONTHS + 1, 10)),
        (own, "actual", day_of_month(MONTHS + 1, 8)),
        (office.where(first != 1), "actual", books_closed),
    )
    long = [
        amounts.assign(reported_on=dates)
        .set_index("reported_on", append=True)
        .melt(var_name="line", value_name="collected", ignore_index=False)
        .dropna()
        .assign(status=status)
        .reset_index()
        for amounts, status, dates in rounds
    ]
    return pd.concat(long, ignore_index=True).astype({"collected": "int64"})


def with_parents(leaves: pd.DataFrame) -> pd.DataFrame:
    """Add the parents: on each day on which a child was reported, the sum of what was then known.

    A parent is an estimate as long as one of the children known on that day is.
    """
    table = leaves
    for parent, children in CHILDREN.items():
        family = table[table["line"].isin(children)]
        family = family.assign(estimate=(family["status"] == "estimate").astype(int))
        wide = family.pivot(index=["month", "reported_on"], columns="line").drop(columns="status")
        known = wide.groupby(level="month").ffill()
        sums = pd.DataFrame(
            {
                "collected": known["collected"].sum(axis=1).astype("int64"),
                "kept": known["kept"].sum(axis=1).astype("int64"),
                "status": np.where(known["estimate"].any(axis=1), "estimate", "actual"),
            }
        )
        table = pd.concat([table, sums.reset_index().assign(line=parent)], ignore_index=True)
    return table


def make_receipts(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The receipts table and what was planted in it."""
    paths = pd.DataFrame({line.code: without_covid(line, rng) for line in LINES}, MONTHS)
    loss_factor = np.exp(rng.normal(0, LOSS_SPREAD, len(LINES)))
    applied = rng.uniform(*APPLIED_SHARE, len(DEFERRALS))
    shape = (len(MONTHS), len(OFFICE))
    guess = np.exp(rng.normal(-0.06, 0.05, shape))  # the office estimates with caution
    corrected = rng.random(shape) < np.where(MONTHS.month == 12, 0.4, 0.06)[:, None]
    first = np.where(corrected, np.exp(rng.normal(0, 0.03, shape)), 1.0)

    def known_at_article(table: pd.DataFrame) -> int:
        """Total of January-September 2020 as it stood on the day of the article."""
        months = table["month"].between("2020-01", "2020-09")
        seen = table[months & (table["reported_on"] <= ARTICLE)]
        newest = seen.sort_values("reported_on").drop_duplicates(["month", "line"], keep="last")
        return int(newest["collected"].sum())

    # The same factor on all amounts of all months makes the known total agree without touching the
    # shape of any series; what rounding leaves goes into September's registration fee estimate.
    trial = reports(collected(plant(paths, loss_factor, applied)), guess, first)
    planted = plant(paths * (KNOWN_TOTAL / known_at_article(trial)), loss_factor, applied)
    table = reports(collected(planted), guess, first)
    balance = (
        (table["month"] == "2020-09")
        & (table["line"] == "registration_fee")
        & (table["status"] == "estimate")
    )
    table.loc[balance, "collected"] += KNOWN_TOTAL - known_at_article(table)

    kept_pct = table["line"].map({line.code: line.kept_pct for line in LINES})
    table = with_parents(table.assign(kept=table["collected"] * kept_pct // 100))
    table["line"] = pd.Categorical(table["line"], ORDER)
    table = table.sort_values(["reported_on", "month", "line"], ignore_index=True)
    columns = ["month", "line", "collected", "kept", "status", "reported_on"]
    return table.astype({"line": "str"})[columns], planted


# --------------------------------------------------------------------------------------- targets

# Plan set by the district, million đồng. It is far below what came in before because a district
# that must not miss its plan counts on little from land transactions, which nobody can foresee:
# an assumption of this illustration, without which 208 % after nine months could not arise.
PLAN = pd.DataFrame(
    {
        2017: (780, 380, 180, 480, 220, 150, 90, 80, 110),
        2018: (820, 400, 190, 540, 240, 150, 95, 80, 115),
        2019: (860, 415, 200, 620, 270, 155, 95, 80, 115),
        2020: (900, 430, 210, 700, 300, 160, 100, 80, 120),
        2021: (900, 440, 210, 800, 330, 160, 100, 80, 120),
    },
    ["nonstate", *[line.code for line in LINES if line.parent == "total"]],
)
WARD_PREMIUM = 1.05  # the ward's council plans a little more than it was given
INDICATOR_PLAN = pd.DataFrame(
    {
        2019: (95, 100, 78, 90, 88.5),
        2020: (100, 100, 80, 100, 90),
        2021: (105, 100, 82, 105, 91.5),
    },
    ["blood_units", "dossiers_on_time", "dossiers_early", "loan_dossiers", "health_insurance"],
)


def make_targets() -> pd.DataFrame:
    """The targets: the district's in December, the council's at its session in early January.

    The ward's council existed until 30/06/2021, so it still set the plan of 2021.
    """
    plans = (
        ("upper", with_total(PLAN)),
        ("ward", with_total(np.ceil(PLAN * WARD_PREMIUM / 5) * 5)),  # to 5 million
        ("upper", INDICATOR_PLAN),
    )
    set_on = {"upper": "{before}-12-24", "ward": "{year}-01-06"}
    rows = [
        (year, code, set_by, float(amount), set_on[set_by].format(year=year, before=year - 1))
        for set_by, plan in plans
        for year, column in plan.items()
        for code, amount in column.items()
    ]
    table = pd.DataFrame(rows, columns=["year", "line", "set_by", "amount", "reported_on"])
    table["reported_on"] = pd.to_datetime(table["reported_on"])
    return table.sort_values("reported_on", kind="stable", ignore_index=True)


def with_total(plan: pd.DataFrame) -> pd.DataFrame:
    """A plan in đồng, its total on top."""
    return pd.concat([plan.sum().to_frame("total").T, plan]) * MILLION


# --------------------------------------------------------------------------------------- schools

LEVELS = ("mam_non", "tieu_hoc", "thcs", "thpt")
# Code, name, level, ownership, first and last month, pupils in 2016-2017, growth per school year.
# Two schools are real; since when they teach was not found, so they begin with the figures. The
# others stand for schools whose names were not found. Pupils are illustrative throughout.
SCHOOLS = (
    ("tieu_hoc_phuc_dong", "Trường Tiểu học Phúc Đồng", "tieu_hoc", "public",
     "2017-01", None, 1_240, 1.03),
    ("thcs_phuc_dong", "Trường THCS Phúc Đồng", "thcs", "public", "2017-01", None, 860, 1.04),
    ("mam_non_a", "Trường Mầm non A (minh họa)", "mam_non", "public", "2017-01", None, 430, 1.01),
    ("thpt_b", "Trường THPT B (minh họa)", "thpt", "private", "2017-01", None, 520, 1.05),
    ("mam_non_c", "Trường Mầm non C (minh họa)", "mam_non", "private", "2018-09", None, 120, 1.08),
    ("mam_non_d", "Trường Mầm non D (minh họa)", "mam_non", "private",
     "2017-01", "2021-05", 95, 1.00),
)  # fmt: skip
# First and last teaching day of each school year. 2019-2020 ran on to make up for the closure,
# 2020-2021 was cut short on 14/05/2021: the plan itself moved, so the days after are not lost.
SCHOOL_YEARS = (
    ("2016-09-05", "2017-05-26"),
    ("2017-09-05", "2018-05-25"),
    ("2018-09-05", "2019-05-24"),
    ("2019-09-05", "2020-07-15"),
    ("2020-09-01", "2021-05-14"),
    ("2021-09-06", "2022-05-31"),
)
# Levels, first and last day, state (reference/school_closures.csv). Online teaching was recognised
# from 25/03/2020; kindergartens never taught online. The few days of grade 12 in class in December
# 2021 (half the classes on alternate days) are left out: the whole THPT counts as online.
TAUGHT = ("tieu_hoc", "thcs", "thpt")
CLOSURES = (
    (("thcs", "thpt"), "2020-02-03", "2020-03-24", "closed"),
    (("thcs", "thpt"), "2020-03-25", "2020-05-03", "online"),
    (("mam_non", "tieu_hoc"), "2020-02-03", "2020-05-10", "closed"),
    (LEVELS, "2021-02-01", "2021-02-16", "closed"),
    (TAUGHT, "2021-02-17", "2021-03-01", "online"),
    (("mam_non",), "2021-02-17", "2021-03-01", "closed"),
    (TAUGHT, "2021-05-04", "2021-05-14", "online"),
    (("mam_non",), "2021-05-04", "2021-05-14", "closed"),
    (TAUGHT, "2021-09-06", "2021-12-31", "online"),
    (("mam_non",), "2021-09-06", "2021-12-31", "closed"),
)
# Primary schools taught part of the closure online: illustrative, these weekdays (Monday is 0).
PRIMARY_ONLINE, PRIMARY_WEEKDAYS = slice("2020-03-25", "2020-05-10"), (1, 3)
ATTENDANCE = {"mam_non": 0.966, "tieu_hoc": 0.980, "thcs": 0.977, "thpt": 0.972}
TET_ABSENCE = 0.012  # less attendance in the month of Tết


@cache
def school_days(level: str) -> pd.DataFrame:
    """Days of one school of this level: planned, in person, online and closed, a row a month."""
    state = pd.Series("", DAYS)
    for first, last in SCHOOL_YEARS:
        state.loc[first:last] = "in_person"
    for levels, first, last, what in CLOSURES:
        if level in levels:
            state.loc[first:last] = what
    if level == "tieu_hoc":
        span = state.loc[PRIMARY_ONLINE]
        state.loc[span.index[span.index.day_of_week.isin(PRIMARY_WEEKDAYS)]] = "online"
    off = (DAYS.day_of_week > 4) | DAYS.isin(HOLIDAYS) | DAYS.isin(days_around(TET, -4, 4))
    state[off] = ""
    counts = pd.DataFrame(
        {
            f"{what}_days": (state == what).groupby(DAYS.to_period("M")).sum()
            for what in ("in_person", "online", "closed")
        }
    )
    counts.insert(0, "planned_days", counts.sum(axis=1))
    return counts.rename_axis("month")


def make_schools(schools: tuple[tuple, ...] = SCHOOLS) -> pd.DataFrame:
    """The schools table."""
    columns = ["school", "name", "level", "ownership", "valid_from", "valid_to"]
    table = pd.DataFrame([school[:6] for school in schools], columns=columns)
    return table.astype({"valid_from": "period[M]", "valid_to": "period[M]"})


def make_school_months(
    rng: np.random.Generator, schools: tuple[tuple, ...] = SCHOOLS
) -> pd.DataFrame:
    """The school_months table: one report a school and month, on the 12th of the next month.

    Summer months have a row with no planned day; kindergartens' summer care is left out.
    """
    tet_months = MONTHS.isin(TET.to_period("M"))
    parts = []
    for school, _, level, _, first, last, pupils_2016, growth in schools:
        school_year = MONTHS.year - 2016 - (MONTHS.month < 9)  # 0 is 2016-2017
        intake = pupils_2016 * growth ** np.arange(6) * np.exp(rng.normal(0, 0.015, 6))
        table = school_days(level).assign(pupils=intake.round().astype(int)[school_year])
        usual = ATTENDANCE[level] - TET_ABSENCE * tet_months + rng.normal(0, 0.005, len(MONTHS))
        pupil_days = (table["pupils"] * table["in_person_days"]).to_numpy()
        attended = rng.binomial(pupil_days, usual.clip(0.94, 0.995))
        with np.errstate(invalid="ignore"):  # 0/0: no day in class, so no share
            table["attendance_share"] = np.round(attended / pupil_days, 4)
        table["reported_on"] = day_of_month(MONTHS + 1, 12)
        parts.append(table.loc[first:last].assign(school=school).reset_index())
    columns = ["month", "school", "pupils", *school_days("thcs"), "attendance_share", "reported_on"]
    table = pd.concat(parts, ignore_index=True)[columns]
    return table.sort_values(["reported_on"], kind="stable", ignore_index=True)


# ------------------------------------------------------------------------------------ activities

# Share of culture and sport events that could not take place, first to last day inclusive.
GATHERINGS = (
    ("2020-02-03", "2020-03-10", 0.5),  # no new spring festivals
    ("2020-03-11", "2020-04-22", 1.0),
    ("2020-04-23", "2020-06-09", 0.8),  # festivals and sports events still banned
    ("2020-07-30", "2020-09-15", 0.5),
    ("2021-01-28", "2021-03-22", 0.8),
    ("2021-04-30", "2021-10-13", 1.0),
    ("2021-10-14", "2021-12-31", 0.6),
)
CANCELLED, POSTPONED = 0.03, 0.04  # chance of an event in an ordinary month
COVID_POSTPONED = 0.4  # of the events lost to COVID-19, put off rather than cancelled
HELD_LATER = 0.6  # of the events put off, held in one of the next open months
OPEN = 0.3  # a month is open for them when less than this share of events is barred


@dataclass(frozen=True)
class Field:
    """A field of activity: events planned by month of the year, more around Tết, how many come."""

    name: str
    planned: tuple[float, ...]
    around_tet: float  # further events in the four weeks around Tết
    persons: int  # median per event


FIELDS = (
    Field("extracurricular", (4, 4, 6, 6, 5, 0.3, 0.1, 0.1, 5, 6, 7, 6), 0, 140),
    Field("culture", (3, 3, 2, 2, 3, 2, 3, 3, 4, 3, 3, 3), 4, 110),
    Field("sport", (1, 1, 3, 4, 4, 4, 2, 2, 4, 3, 2, 1.5), 0, 70),
)


@cache
def barred(field: str) -> pd.Series:
    """Share of each month's events that COVID-19 kept from taking place.

    Extracurricular events need pupils at school; the others, gatherings.
    """
    if field == "extracurricular":
        days = school_days("thcs")
        return (1 - days["in_person_days"] / days["planned_days"]).fillna(0)
    daily = pd.Series(0.0, DAYS)
    for first, last, share in GATHERINGS:
        daily.loc[first:last] = share
    return daily.groupby(DAYS.to_period("M")).mean()


def later(put_off: np.ndarray, open_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Events put off that are held in each month: one of the two open months that follow theirs."""
    held = np.zeros_like(put_off)
    for month, count in enumerate(rng.binomial(put_off, HELD_LATER)):
        following = np.flatnonzero(open_[month + 1 :])[:2] + month + 1
        if len(following):
            np.add.at(held, rng.choice(following, count), 1)
    return held


def make_activities(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The activities table, and events expected and lost (a row a month, a column a field).

    Expected are the events that would have been held. `planned` is the year's programme, which
    COVID-19 does not change; an event put off stays in its first month, and is counted in
    `held_later` of the month in which it is held.
    """
    parts, expected, lost = [], {}, {}
    for_later = rng.spawn(1)[0]
    tet = share_by_month(days_around(TET, -14, 13))
    for field in FIELDS:
        planned = rng.poisson(np.tile(field.planned, len(MONTHS) // 12) + field.around_tet * tet)
        chances = [1 - CANCELLED - POSTPONED, CANCELLED, POSTPONED]
        would_be, cancelled, postponed = rng.multinomial(planned, chances).T
        gone = rng.binomial(would_be, barred(field.name))
        put_off = rng.binomial(gone, COVID_POSTPONED)
        held = would_be - gone
        held_later = later(postponed + put_off, (barred(field.name) < OPEN).to_numpy(), for_later)
        events = held + held_later
        persons = field.persons * events * np.exp(rng.normal(0, 0.25, len(MONTHS)))
        expected[field.name], lost[field.name] = would_be, gone
        columns = {
            "month": MONTHS,
            "field": field.name,
            "planned": planned,
            "held": held,
            "cancelled": cancelled + gone - put_off,
            "postponed": postponed + put_off,
            "held_later": held_later,
            "participants": persons.round().astype(int),
            "reported_on": day_of_month(MONTHS + 1, 12),
        }
        parts.append(pd.DataFrame(columns))
    table = pd.concat(parts).sort_values("reported_on", kind="stable", ignore_index=True)
    truth = {"expected": pd.DataFrame(expected, MONTHS), "lost": pd.DataFrame(lost, MONTHS)}
    return table, truth


# ------------------------------------------------------------------------------------ indicators

INDICATOR_MONTHS = MONTHS[MONTHS.year >= 2019]
# The article's figures for September 2020: as estimated on 11/09/2020, and as known on 08/10/2020.
SEPTEMBER_2020 = {
    "blood_units": (115, 115),
    "dossiers_on_time": (100, 100),
    "dossiers_early": (82.9, 83.1),
    "loan_dossiers": (104, 109),
}
BLOOD_DRIVES = {2019: (4, 9), 2020: (6, 8), 2021: (3, 10)}  # the months of each year's two drives
LOANS_TO_AUGUST_2020 = 98  # fewest in April, when people had to stay at home
LOANS_A_MONTH = (8, 5, 9, 9, 9, 9, 9, 8, 9, 9, 8, 8)


def blood_units(rng: np.random.Generator) -> np.ndarray:
    """Units given in each indicator month: two drives a year."""
    units = pd.Series(0, INDICATOR_MONTHS)
    for year, (first, second) in BLOOD_DRIVES.items():
        total = SEPTEMBER_2020["blood_units"][1] if year == 2020 else rng.poisson(104)
        units[f"{year}-{first:02}"] = given = rng.binomial(total, 0.5)
        units[f"{year}-{second:02}"] = total - given
    return units.to_numpy()


def loan_dossiers(rng: np.random.Generator) -> np.ndarray:
    """Dossiers approved in each indicator month."""
    dossiers = pd.Series(rng.poisson(np.tile(LOANS_A_MONTH, 3)), INDICATOR_MONTHS)
    weights = np.array(LOANS_A_MONTH[:8]) * (1, 1, 1, 0.3, 1, 1, 1, 1)
    to_august = rng.multinomial(LOANS_TO_AUGUST_2020, weights / weights.sum())
    dossiers["2020-01":"2020-08"] = to_august
    dossiers["2020-09"] = SEPTEMBER_2020["loan_dossiers"][1] - LOANS_TO_AUGUST_2020
    return dossiers.to_numpy()


def make_indicator_months(rng: np.random.Generator) -> pd.DataFrame:
    """The indicator_months table: estimates on the 11th of the month, actuals on the 8th after.

    Nobody estimates the share with health insurance. Shares are over the year to date.
    """
    years = INDICATOR_MONTHS.year
    size = len(INDICATOR_MONTHS)
    flows = pd.DataFrame(
        {"blood_units": blood_units(rng), "loan_dossiers": loan_dossiers(rng)}, INDICATOR_MONTHS
    )
    counts = pd.DataFrame({"all": rng.poisson(380, size)}, INDICATOR_MONTHS)
    counts["late"] = rng.poisson(1.5, size) * (years == 2019)
    counts["early"] = rng.binomial(counts["all"], 0.80 + 0.015 * (years - 2019))
    to_date = counts.groupby(years).cumsum()
    early = 100 * to_date["early"] / to_date["all"]
    early[years == 2020] += SEPTEMBER_2020["dossiers_early"][1] - early["2020-09"]
    actual = flows.groupby(years).cumsum().astype(float)
    actual["dossiers_on_time"] = (100 - 100 * to_date["late"] / to_date["all"]).round(1)
    actual["dossiers_early"] = early.round(1)
    insured = np.linspace(87.4, 92.0, size) + rng.normal(0, 0.05, size)
    actual["health_insurance"] = insured.round(1)

    # By the 11th only part of the month's blood and dossiers have come in.
    estimate = actual.drop(columns="health_insurance")
    still_out = np.ceil(flows * rng.uniform(0.1, 0.7, flows.shape))
    estimate[flows.columns] -= still_out
    estimate["dossiers_early"] = (early + rng.normal(0, 0.15, size)).round(1)
    for indicator, (known, _) in SEPTEMBER_2020.items():
        estimate.loc["2020-09", indicator] = known
    parts = [
        values.assign(status=status, reported_on=dates).melt(
            ["status", "reported_on"], var_name="indicator", ignore_index=False
        )
        for values, status, dates in (
            (estimate, "estimate", day_of_month(INDICATOR_MONTHS, 11)),
            (actual, "actual", day_of_month(INDICATOR_MONTHS + 1, 8)),
        )
    ]
    table = pd.concat(parts).reset_index().sort_values("reported_on", kind="stable")
    columns = ["month", "indicator", "value", "status", "reported_on"]
    return table[columns].reset_index(drop=True)


# -------------------------------------------------------------------------------- truth and files


def make_truth(planted: dict[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """The truth table from frames (a row a month, a column an item) by table and measure."""
    parts = [
        values.loc[COVID_MONTHS]
        .rename_axis(index="month")
        .melt(var_name="item", ignore_index=False)
        .assign(table=table, measure=measure)
        for (table, measure), values in planted.items()
    ]
    truth = pd.concat(parts).reset_index()
    truth["phase"] = truth["month"].map({month: phase_of(month) for month in COVID_MONTHS})
    return truth[["table", "month", "item", "phase", "measure", "value"]]


def make(seed: int = SEED) -> dict[str, pd.DataFrame]:
    """All made tables by name, months as periods and dates as timestamps; no file is touched.

    `published` and `attributions` are not among them: they were written by hand, from what the ward
    published.
    """
    for_receipts, for_schools, for_activities, for_indicators = np.random.default_rng(seed).spawn(4)
    receipts, effect = make_receipts(for_receipts)
    activities, events = make_activities(for_activities)
    days_lost = pd.DataFrame({level: school_days(level)["closed_days"] for level in LEVELS})
    truth = make_truth(
        {("receipts", measure): values for measure, values in effect.items()}
        | {("school_months", "lost"): days_lost}
        | {("activities", measure): values for measure, values in events.items()}
    )
    return {
        "receipts": receipts,
        "targets": make_targets(),
        "schools": make_schools(),
        "school_months": make_school_months(for_schools),
        "activities": activities,
        "indicator_months": make_indicator_months(for_indicators),
        "truth": truth,
    }


def plain(number: float) -> str:
    """A number without needless digits.

    >>> plain(82.9), plain(3_000_000_000.0)
    ('82.9', '3000000000')
    """
    return f"{number:.4f}".rstrip("0").rstrip(".")


def main() -> None:
    """Write every made table beside this script and every file's hash and length into the descriptor."""
    for name, table in make().items():
        text = table.to_csv(index=False, lineterminator="\n", float_format=plain)
        (HERE / f"{name}.csv").write_bytes(text.encode())
    path = HERE / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    for resource in descriptor["resources"]:
        if resource["name"] in ("received", "origins"):  # nothing of this ward came in a file
            columns = ",".join(field["name"] for field in resource["schema"]["fields"])
            (HERE / resource["path"]).write_bytes(f"{columns}\n".encode())
        data = (HERE / resource["path"]).read_bytes()
        resource["hash"] = f"sha256:{hashlib.sha256(data).hexdigest()}"
        resource["bytes"] = len(data)
    text = json.dumps(descriptor, indent=2, ensure_ascii=False) + "\n"
    path.write_bytes(text.encode())


if __name__ == "__main__":
    main()
