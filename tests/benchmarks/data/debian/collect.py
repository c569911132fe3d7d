"""Rebuild the further real monthly series from downloaded packages.

Usage: ``python collect.py FOLDER``, where FOLDER holds the archives named in
``ARCHIVES``: packages of Debian 12, and one of npm. Nothing is downloaded: every
archive is read from FOLDER and its SHA-256 digest is checked first. R is not
needed, its files are read by the package rdata (``pip install rdata``). Written
beside this script:

* ``monthly.csv``: ``series,month,value``, the series for placebo windows.

``sources.csv`` is written by hand and has one row for each series of
``monthly.csv``. A forecast window lies between its ``usable_first`` and
``usable_last``, both included; the history before a window may begin at the
first month of the series, which is at least 36 months before ``usable_first``.
``family`` is the same for series of one statistic in several places or groups.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import hashlib
import io
import lzma
import struct
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
import zlib
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from math import isnan
from pathlib import Path
from typing import Any

import rdata

Series = dict[str, float]
Table = dict[str, Series]

HERE = Path(__file__).resolve().parent
HISTORY = 36
LONGEST = 192
LAST_MONTH = "2020-01"
EPOCH = date(1970, 1, 1)

ARCHIVES = {
    "aer": (
        "r-cran-aer_1.2-10-1_all.deb",
        "c75319e132fbb7e3d002ef6c2933507046c66877bea8d5029e599757ae36c709",
    ),
    "base": (
        "r-base-core_4.2.2.20221110-2_amd64.deb",
        "cfc8aafc639333d16d9019c7d498ced00fc3565b153682a9d9baa48b9eb96a38",
    ),
    "dplyr": (
        "r-cran-dplyr_1.0.10-1_amd64.deb",
        "0fab87f28f87bf17c8356e24ebcf00db295bceb9b2ba38e05413c7347581a15f",
    ),
    "fextremes": (
        "r-cran-fextremes_4021.83-1_all.deb",
        "1e8326ec5bb4bb7b662f48e552ad1cfec1b04f909998d5d341af2c0039752c42",
    ),
    "forecast": (
        "r-cran-forecast_8.20-1_amd64.deb",
        "507fd6cc665bbc7da86663a5f7b699b8d309ba6ff719db762af93bbd0b135741",
    ),
    "ggplot2": (
        "r-cran-ggplot2_3.4.1+dfsg-1_all.deb",
        "185d18e5ee33aff006d0e6b31aaa77efde7d39c361f991801f41d2b481408fde",
    ),
    "gretl": (
        "gretl-data_2022c-1_all.deb",
        "7790d2f1341c6d75643a31103169b228ae6a2f75aa413db6c7ff0de97dc91a66",
    ),
    "modeldata": (
        "r-cran-modeldata_1.1.0-1_all.deb",
        "66c2e08bb4bf695d972b1e72ea44d5af9ada3c42841793d3871017f7b896bf95",
    ),
    "spacetime": (
        "r-cran-spacetime_1.2-8+dfsg-1_all.deb",
        "8334d95e0866e39646667bdb54c25359251764b64ee9dfe03c1fc9c515784490",
    ),
    "strucchange": (
        "r-cran-strucchange_1.5-3-1_amd64.deb",
        "0be3f44609be4e90be3f295880dbcaebf57e5a918b68eb11f18c0900b2a4874d",
    ),
    "surveillance": (
        "r-cran-surveillance_1.20.3-1_amd64.deb",
        "a8c2260f22dab80a8a6a6ad212bed8166c555dbbab49eb719a674649667f5f18",
    ),
    "vcd": (
        "r-cran-vcd_1%3a1.4-11-1_all.deb",
        "959639853b06a9056b4494e145bf84394a329805645e80c4384091323b6c6ae4",
    ),
    "vega": (
        "vega-datasets-3.2.1.tgz",
        "6f72fda460a9863fae5fcb32f85bcd49e1761fdea6dc6cf9f4962472881cc5a3",
    ),
}


class Archives:
    """The checked archives of one folder, read member by member."""

    def __init__(self, folder: Path) -> None:
        """Check that every archive is there, with the digest it should have."""
        self._paths: dict[str, Path] = {}
        self._open: dict[str, tarfile.TarFile] = {}
        for key, (name, digest) in ARCHIVES.items():
            path = folder / name
            if not path.is_file():
                raise SystemExit(f"missing: {name}")
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found != digest:
                raise SystemExit(f"{name}: sha256 is {found}, expected {digest}")
            self._paths[key] = path

    def read(self, key: str, member: str) -> bytes:
        """Return one member of an archive."""
        if key not in self._open:
            path = self._paths[key]
            data = path.read_bytes()
            if path.suffix == ".deb":
                data = lzma.decompress(ar_member(data, "data.tar.xz"))
            self._open[key] = tarfile.open(fileobj=io.BytesIO(data))  # noqa: SIM115
        stream = self._open[key].extractfile(member)
        if stream is None:
            raise SystemExit(f"{self._paths[key].name}: {member} is not a file")
        return stream.read()

    def lazy(self, key: str, folder: str, name: str) -> Any:
        """Return an object of a package's lazy-load data base, parsed by rdata."""
        stem = f"./usr/lib/R/{folder}/data/Rdata"
        index = parsed(self.read(key, f"{stem}.rdx"))
        offset, length = map(int, field(field(index, "variables"), name).value.tolist())
        packed = self.read(key, f"{stem}.rdb")[offset : offset + length]
        return parsed(unpacked(packed))

    def rda(self, key: str, member: str) -> Any:
        """Return the only object of an R data file, parsed by rdata."""
        data = self.read(key, f"./usr/lib/R/site-library/{member}")
        return rdata.parser.parse_data(data).object.value[0]


def ar_member(data: bytes, name: str) -> bytes:
    """Return one member of a Unix ar archive."""
    start = 8
    while start < len(data):
        header = data[start : start + 60]
        size = int(header[48:58])
        if header[:16].decode().strip().rstrip("/") == name:
            return data[start + 60 : start + 60 + size]
        start += 60 + size + size % 2
    raise SystemExit(f"{name} is not in the archive")


def parsed(data: bytes) -> Any:
    """Return a serialised R object, parsed by rdata."""
    return rdata.parser.parse_data(data, extension=".rds").object


def unpacked(packed: bytes) -> bytes:
    """Unpack an entry of a lazy-load data base: its length, then perhaps a letter."""
    if packed[4:5] == b"Z":
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
        return lzma.decompress(packed[5:], format=lzma.FORMAT_RAW, filters=filters)
    if packed[4:5] == b"2":
        return bz2.decompress(packed[5:])
    return zlib.decompress(packed[4:])


def attribute(item: Any, name: str) -> Any:
    """Return an attribute, or a slot, of an R object."""
    pairs = item.attributes
    while pairs is not None and isinstance(pairs.value, tuple):
        tag = pairs.tag.referenced_object or pairs.tag
        if tag.value.value.decode() == name:
            return pairs.value[0]
        pairs = pairs.value[1]
    raise KeyError(name)


def texts(item: Any) -> list[str]:
    """Return the strings of an R object: character strings, or a factor's labels."""
    if isinstance(item.value, list):
        return [part.value.decode() for part in item.value]
    labels = texts(attribute(item, "levels"))
    return [labels[code - 1] for code in item.value.tolist()]


def field(item: Any, name: str) -> Any:
    """Return an element of an R list, or a column of a data frame, by its name."""
    return item.value[texts(attribute(item, "names")).index(name)]


def numbers(item: Any) -> list[float]:
    """Return the numbers of an R object."""
    return [float(value) for value in item.value.tolist()]


def columns(matrix: Any) -> list[list[float]]:
    """Return the columns of an R matrix."""
    rows = int(attribute(matrix, "dim").value[0])
    values = numbers(matrix)
    return [values[start : start + rows] for start in range(0, len(values), rows)]


def as_month(year: int, month: int) -> str:
    """Return a month as YYYY-MM."""
    return f"{year:04d}-{month:02d}"


def month_of(day: date) -> str:
    """Return the month of a day as YYYY-MM."""
    return as_month(day.year, day.month)


def months_from(first: str) -> Iterator[str]:
    """Yield the months from the first one on, without end."""
    year, month = map(int, first.split("-"))
    while True:
        yield as_month(year, month)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def run_from(first: str, values: Iterable[float]) -> Series:
    """Give consecutive months, from the first one on, to values."""
    return dict(zip(months_from(first), values, strict=False))


def time_series(item: Any) -> Series:
    """Give months to the values of a monthly R time series."""
    start, _, frequency = attribute(item, "tsp").value.tolist()
    if frequency != 12:
        raise SystemExit("a time series is not monthly")
    year, month = divmod(round(start * 12), 12)
    return run_from(as_month(year, month + 1), numbers(item))


def before(series: Series, end: str) -> Series:
    """Drop the months from the end on."""
    return {month: value for month, value in series.items() if month < end}


def summed(days: Iterable[tuple[date, float]]) -> Series:
    """Add up the values of the days of each month."""
    total: Series = {}
    for day, value in days:
        total[month_of(day)] = total.get(month_of(day), 0.0) + value
    return total


def counted(days: Iterable[tuple[date, float]], first: str, last: str) -> Series:
    """Add up events of the months from first to last; a month without any is zero."""
    total = summed(days)
    series: Series = {}
    for month in months_from(first):
        series[month] = total.get(month, 0.0)
        if month == last:
            return series
    raise AssertionError


def whole_months(series: Series, first: date, last: date) -> Series:
    """Drop the first and the last month where the days first to last do not fill them."""
    if first.day > 1:
        series = {month: value for month, value in series.items() if month > month_of(first)}
    if last.day < monthrange(last.year, last.month)[1]:
        series = before(series, month_of(last))
    return series


def weeks_spread(mondays: list[date], counts: list[float]) -> Series:
    """Spread each week's count evenly over its seven days and add up the months."""
    days = (
        (monday + timedelta(days), count / 7)
        for monday, count in zip(mondays, counts, strict=True)
        for days in range(7)
    )
    return whole_months(summed(days), mondays[0], mondays[-1] + timedelta(6))


def weeks_by_thursday(mondays: list[date], counts: list[float]) -> Series:
    """Add up the counts of the weeks whose Thursday lies in the month."""
    thursdays = [monday + timedelta(3) for monday in mondays]
    series = summed(zip(thursdays, counts, strict=True))
    if thursdays[0].day > 7:
        del series[month_of(thursdays[0])]
    if month_of(thursdays[-1]) == month_of(thursdays[-1] + timedelta(7)):
        del series[month_of(thursdays[-1])]
    return series


def mondays_of(days: list[float]) -> list[date]:
    """Return the Mondays that are so many days after the first of January 1970."""
    mondays = [EPOCH + timedelta(int(day)) for day in days]
    if any(monday.weekday() for monday in mondays):
        raise SystemExit("a week does not begin on a Monday")
    return mondays


def years_of_52_weeks(year: int, count: int) -> list[date]:
    """Return Mondays from a year's first ISO week on, without the weeks 53."""
    return [date.fromisocalendar(year + k // 52, k % 52 + 1, 1) for k in range(count)]


def aer(archives: Archives) -> Table:
    """Read the index of retail sales of the Netherlands."""
    data = archives.rda("aer", "AER/data/DutchSales.rda")
    return {"retail_nl": time_series(data)}


def base(archives: Archives) -> Table:
    """Read deaths and road casualties, and kilometres driven, of R's own data."""

    def load(name: str) -> Any:
        return archives.lazy("base", "library/datasets", name)

    table = {
        "accidents_us": time_series(load("USAccDeaths")),
        "lung_deaths_uk_men": time_series(load("mdeaths")),
        "lung_deaths_uk_women": time_series(load("fdeaths")),
    }
    roads = load("Seatbelts")
    names = texts(attribute(roads, "dimnames").value[1])
    for name, code in (
        ("road_gb_rear", "rear"),
        ("road_gb_vans", "VanKilled"),
        ("road_km_gb", "kms"),
    ):
        table[name] = run_from("1969-01", columns(roads)[names.index(code)])
    return table


def dplyr(archives: Archives) -> Table:
    """Count the storms, and the days with a hurricane, of each month."""
    rows = archives.lazy("dplyr", "site-library/dplyr", "storms")
    dates = (numbers(field(rows, name)) for name in ("year", "month", "day"))
    days = [date(*map(int, parts)) for parts in zip(*dates, strict=True)]
    names = zip(days, texts(field(rows, "name")), strict=True)
    storms = {(day.replace(day=1), name) for day, name in names}
    status = zip(days, texts(field(rows, "status")), strict=True)
    hurricanes = {day for day, kind in status if kind == "hurricane"}
    span = ("1975-01", LAST_MONTH)
    return {
        "hurricane_days": counted(((day, 1.0) for day in hurricanes), *span),
        "storms_atlantic": counted(((month, 1.0) for month, _ in storms), *span),
    }


def fextremes(archives: Archives) -> Table:
    """Count and add up the large fire insurance claims of each month."""
    rows = archives.lazy("fextremes", "site-library/fExtremes", "danishClaims")
    days = [date.fromisoformat(text) for text in texts(rows.value[0])]
    amounts = numbers(rows.value[1])
    return {
        "fire_claims_dk": counted(((d, 1.0) for d in days), "1980-01", "1990-12"),
        "fire_losses_dk": counted(zip(days, amounts, strict=True), "1980-01", "1990-12"),
    }


def forecast(archives: Archives) -> Table:
    """Read the gas production of Australia."""
    data = archives.lazy("forecast", "site-library/forecast", "gas")
    return {"gas_australia": time_series(data)}


def ggplot2(archives: Archives) -> Table:
    """Read home sales of places in Texas, and the homes listed in Austin."""
    rows = archives.lazy("ggplot2", "site-library/ggplot2", "txhousing")
    cities = texts(field(rows, "city"))
    years, months = (numbers(field(rows, name)) for name in ("year", "month"))
    table: Table = {}
    for name, place, code in (
        ("listings_austin", "Austin", "listings"),
        ("homes_bryan", "Bryan-College Station", "sales"),
        ("homes_lufkin", "Lufkin", "sales"),
        ("homes_paris_texas", "Paris", "sales"),
        ("homes_victoria", "Victoria", "sales"),
    ):
        cells = zip(cities, years, months, numbers(field(rows, code)), strict=True)
        table[name] = {
            as_month(int(year), int(month)): value
            for city, year, month, value in cells
            if city == place
        }
    return table


def gretl(archives: Archives) -> Table:
    """Read series of the St. Louis Fed's data base, and of a text book's data."""
    folder = "./usr/share/gretl"
    lines = archives.read("gretl", f"{folder}/db/fedstl.idx").decode().splitlines()[1:]
    data = archives.read("gretl", f"{folder}/db/fedstl.bin")
    wanted = {
        "currcir": "currency_us",
        "expch": "exports_china",
        "expjp": "exports_japan",
        "impch": "imports_china",
        "impmx": "imports_mexico",
        "paynsa": "employees_us",
        "seaborr": "seasonal_loans",
        "totalgov": "credit_us_gov",
        "treasury": "treasury_us",
        "tvcksns": "cheques_us",
        "usgdcb": "deposits_us_gov",
        "vault": "vault_cash",
    }
    table: Table = {}
    start = 0
    for title, span in zip(lines[::2], lines[1::2], strict=True):
        count = int(span.split("=")[1])
        code = title.split()[0]
        if code in wanted:
            values = struct.unpack_from(f"<{count}f", data, start)
            table[wanted[code]] = run_from(span.split()[1].replace(".", "-"), values)
        start += 4 * count
    for file, names in (
        ("data7-5", {"Q": "sealing_compound", "SHC": "road_building_us"}),
        ("data9-11", {"volume": "shares_nyse"}),
    ):
        text = archives.read("gretl", f"{folder}/data/ramanathan/{file}.gdt")
        root = ElementTree.fromstring(gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text)
        codes = [variable.get("name") for variable in root.iter("variable")]
        rows = [(row.text or "").split() for row in root.iter("obs")]
        first = root.get("startobs", "").replace(".", "-").replace(":", "-")
        for code, name in names.items():
            table[name] = run_from(first, (float(row[codes.index(code)]) for row in rows))
    return table


def modeldata(archives: Archives) -> Table:
    """Add up Chicago's passengers and home games, and read sales of drinks."""
    rows = archives.lazy("modeldata", "site-library/modeldata", "Chicago")
    days = [EPOCH + timedelta(int(day)) for day in numbers(field(rows, "date"))]
    table: Table = {}
    for code in (
        "Addison",
        "Belmont",
        "Clark_Lake",
        "Clinton",
        "Harlem",
        "Jefferson_Park",
        "Merchandise_Mart",
        "Montrose",
        "Quincy_Wells",
    ):
        # The columns of stations hold the day a fortnight before the row's date.
        lagged = [day - timedelta(14) for day in days]
        series = summed(zip(lagged, numbers(field(rows, code)), strict=True))
        name = f"rail_{code.lower()}"
        table[name] = whole_months(series, lagged[0], lagged[-1])
    for code in ("Blackhawks", "Bulls", "Cubs"):
        series = summed(zip(days, numbers(field(rows, f"{code}_Home")), strict=True))
        table[f"games_{code.lower()}"] = whole_months(series, days[0], days[-1])
    rows = archives.lazy("modeldata", "site-library/modeldata", "drinks")
    days = [EPOCH + timedelta(int(day)) for day in numbers(rows.value[0])]
    table["drinks_us"] = summed(zip(days, numbers(rows.value[1]), strict=True))
    return table


def spacetime(archives: Archives) -> Table:
    """Count the wildfires of northern Los Angeles County in each month."""
    rows = archives.rda("spacetime", "spacetime/data/fires.rda")
    days = [date(1960, 1, 1) + timedelta(int(day) - 1) for day in numbers(field(rows, "Time"))]
    events = ((day, 1.0) for day in days)
    return {"wildfires_la": before(counted(events, "1976-01", "2000-09"), "2000-09")}


def strucchange(archives: Archives) -> Table:
    """Read the homicides of Boston."""
    rows = archives.lazy("strucchange", "site-library/strucchange", "BostonHomicide")
    return {
        "homicides_adults": time_series(field(rows, "ahomicides25")),
        "homicides_youth": time_series(field(rows, "homicides")),
    }


def surveillance(archives: Archives) -> Table:
    """Add up notified infections, and deaths in Denmark, of weeks or months."""

    def load(name: str) -> Any:
        return archives.rda("surveillance", f"surveillance/data/{name}.RData")

    def groups(matrix: Any) -> dict[str, list[float]]:
        names = texts(attribute(matrix, "dimnames").value[1])
        return dict(zip(names, columns(matrix), strict=True))

    table: Table = {}
    rota = groups(attribute(load("rotaBB"), "observed"))
    for group in ("00-04", "05-09", "10-14", "70+"):
        name = "rotavirus_" + group.replace("-", "_").replace("+", "_up")
        table[name] = run_from("2002-01", rota[group])
    meningo = groups(field(load("meningo.age"), "observed"))
    for group, ages in zip(meningo, ("0", "1_5", "5_20", "20_up"), strict=True):
        table[f"meningo_fr_{ages}"] = run_from("1985-01", meningo[group])
    momo = load("momo")
    mondays = mondays_of(numbers(attribute(momo, "epoch")))
    deaths = groups(attribute(momo, "observed"))
    for group, ages, add_up in (
        ("[0,1)", "0", weeks_by_thursday),
        ("[1,5)", "1_4", weeks_by_thursday),
        ("[5,15)", "5_14", weeks_by_thursday),
        ("[15,45)", "15_44", weeks_spread),
        ("[65,75)", "65_74", weeks_spread),
        ("[85,Inf)", "85_up", weeks_spread),
    ):
        table[f"deaths_dk_{ages}"] = add_up(mondays, deaths[group])
    newport = load("salmNewport")
    mondays = mondays_of(numbers(attribute(newport, "epoch")))
    cases = groups(attribute(newport, "observed"))
    for state, name in (
        ("Baden.Wuerttemberg", "newport_baden"),
        ("Bavaria", "newport_bavaria"),
        ("Lower.Saxony", "newport_lower_saxony"),
        ("North.Rhine.Westphalia", "newport_nrw"),
    ):
        table[name] = weeks_by_thursday(mondays, cases[state])
    onset = load("salmAllOnset")
    mondays = mondays_of(numbers(attribute(onset, "epoch")))
    series = weeks_spread(mondays, numbers(attribute(onset, "observed")))
    # Of the last months, not every case had been notified yet.
    table["salmonella_de"] = before(series, "2015-01")
    campy = load("campyDE")
    mondays = mondays_of(numbers(field(campy, "date")))
    table["campylobacter_de"] = weeks_spread(mondays, numbers(field(campy, "case")))
    flu, meningo_germany = columns(field(load("influMen"), "observed"))
    agona = numbers(field(load("salmonella.agona"), "observed"))
    hadar = numbers(field(load("shadar"), "observed"))
    districts = columns(field(load("ha"), "observed"))
    for name, year, counts in (
        ("influenza_de", 2001, flu),
        ("meningo_de", 2001, meningo_germany),
        ("agona_uk", 1990, agona),
        ("hadar_de", 2001, hadar),
        ("hepatitis_berlin", 2001, [sum(row) for row in zip(*districts, strict=True)]),
    ):
        table[name] = weeks_by_thursday(years_of_52_weeks(year, len(counts)), counts)
    return table


def vcd(archives: Archives) -> Table:
    """Add up what happened in the matches of the German football league."""
    rows = archives.lazy("vcd", "site-library/vcd", "Bundesliga")
    days: list[date] = []
    for second in numbers(field(rows, "Date")):
        # Two matches have no date; the match above each is of the same round.
        days.append(days[-1] if isnan(second) else EPOCH + timedelta(seconds=second))
    home, away = (numbers(field(rows, name)) for name in ("HomeGoals", "AwayGoals"))
    teams = texts(field(rows, "HomeTeam")), texts(field(rows, "AwayTeam"))
    matches = list(zip(days, *teams, home, away, strict=True))
    events = {
        "football_away": [(day, float(x < y)) for day, _, _, x, y in matches],
        "football_draws": [(day, float(x == y)) for day, _, _, x, y in matches],
        "football_goals": [(day, x + y) for day, _, _, x, y in matches],
        "football_bayern": [
            (day, x if host == "Bayern Muenchen" else y)
            for day, host, guest, x, y in matches
            if "Bayern Muenchen" in (host, guest)
        ],
    }
    return {name: counted(pairs, "1963-08", "2009-05") for name, pairs in events.items()}


def vega(archives: Archives) -> Table:
    """Count the reported collisions of aircraft with wildlife of each month."""
    text = archives.read("vega", "package/data/birdstrikes.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    table: Table = {}
    for name, column, cells in (
        ("birds_us", "Flight Date", None),
        ("birds_california", "Origin State", {"California"}),
        ("birds_illinois", "Origin State", {"Illinois"}),
        ("birds_louisiana", "Origin State", {"Louisiana"}),
        ("birds_new_york", "Origin State", {"New York"}),
        ("birds_texas", "Origin State", {"Texas"}),
        ("birds_us_damage", "Effect Amount of damage", {"Substantial", "Medium", "Minor"}),
        ("birds_us_goose", "Wildlife Species", {"Canada goose"}),
    ):
        days = (
            (date.fromisoformat(row["Flight Date"]), 1.0)
            for row in rows
            if cells is None or row[column] in cells
        )
        table[name] = counted(days, "1990-01", "2002-06")
    return table


READERS: tuple[Callable[[Archives], Table], ...] = (
    aer,
    base,
    dplyr,
    fextremes,
    forecast,
    ggplot2,
    gretl,
    modeldata,
    spacetime,
    strucchange,
    surveillance,
    vcd,
    vega,
)


def plain(value: float) -> str:
    """Write a number with at most three decimals and no needless digits."""
    text = f"{value:.0f}" if value >= 1e6 else f"{value:.3f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def check(name: str, series: Series, source: dict[str, str]) -> None:
    """Stop where a series has a gap, a negative value, or too little history."""
    months = sorted(series)
    if months != [month for month, _ in zip(months_from(months[0]), months, strict=False)]:
        raise SystemExit(f"{name}: a month is missing")
    if not min(series.values()) >= 0 or not sum(series.values()) < float("inf"):
        raise SystemExit(f"{name}: a value is negative or not a number")
    first, last = source["usable_first"], source["usable_last"]
    if first not in series or last not in series or first > last:
        raise SystemExit(f"{name}: {first} to {last} is not in the series")
    if len(months) < 60 or months.index(first) < HISTORY:
        raise SystemExit(f"{name}: too short")


def main(folder: Path) -> None:
    """Read the archives of a folder and write monthly.csv."""
    archives = Archives(folder)
    table: Table = {}
    for reader in READERS:
        table |= reader(archives)
    with (HERE / "sources.csv").open(encoding="utf-8", newline="") as stream:
        sources = {row["series"]: row for row in csv.DictReader(stream)}
    if sources.keys() != table.keys():
        raise SystemExit(f"sources.csv differs: {sorted(sources.keys() ^ table.keys())}")
    lines = ["series,month,value"]
    for name in sorted(table):
        months = [month for month in sorted(table[name]) if month <= LAST_MONTH][-LONGEST:]
        series = {month: table[name][month] for month in months}
        check(name, series, sources[name])
        lines += [f"{name},{month},{plain(series[month])}" for month in months]
    (HERE / "monthly.csv").write_bytes("\n".join([*lines, ""]).encode())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python collect.py FOLDER")
    main(Path(sys.argv[1]))
