"""Book: what a ward knew of a period on a day, and which rows that was read from."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from wardlib.data import checks, descriptors, disclosure, reading
from wardlib.data.cells import File
from wardlib.data.descriptors import Table, Ward
from wardlib.data.reading import View
from wardlib.errors import DataError, RequestError, nearest, said
from wardlib.periods import Period, parse_day
from wardlib.shown import Shown

_MOST = 200_000  # rows of a table, as seen on several days, that are remembered


def load(
    ward: Ward,
    table: str,
    *,
    as_of: datetime.date | None = None,
    every_report: bool = False,
) -> pd.DataFrame | None:
    """What was known of `table` on the day `as_of`; without it, what is known by now.

    The newest of each figure; with `every_report`: earlier reports too. Columns are those of
    `checks.typed`, small counts of persons hidden (`disclosure.disclosed`), the index 0, 1, ... None
    where the ward has no such table.

    Raises DataError with every fault of the table's file.
    """
    described = ward.table(table)
    if described is None:
        return None
    view = View(as_of.isoformat() if as_of else "")
    return _seen(checks.sound(ward, described), view, every_report)


def _seen(file: File, view: View, every_report: bool) -> pd.DataFrame:
    """The rows of a whole table that a reader sees, as he may see them; made once while it is remembered,
    hence not to be changed."""
    asked = view.day, every_report
    if asked not in file.seen:
        assert file.frame is not None
        frame = file.frame
        lines = reading.lines(view.rows(file.sheet))
        if len(lines) < len(frame):
            frame = frame.loc[list(lines)]
        if "reported_on" in frame and not every_report:
            frame = reading.newest(frame, file.table.primary_key)
        file.seen[asked] = disclosure.disclosed(file.table, frame.reset_index(drop=True))
        while len(file.seen) > 1 and sum(map(len, file.seen.values())) > _MOST:
            del file.seen[next(iter(file.seen))]
    return file.seen[asked].copy(deep=False)  # pandas copies what a reader writes to


def _digest(file: File, view: View) -> str:
    """The digest of what a reader sees of a table."""
    if view.day not in file.digests:
        file.digests[view.day] = disclosure.digest(file.table, view, file.sheet)
    return file.digests[view.day]


@dataclass(frozen=True, eq=False, repr=False)
class Book(Shown):
    """What a ward knew of a period on a day: its tables, and a record of the rows read.

    It sees every row reported by its `day`, of later months too. `digests` maps each file read so far
    to the digest of the rows that it gave (`disclosure.digest`). A table is read once.
    """

    ward: Ward
    period: Period
    as_of: datetime.date | None
    # The day, of a book as of none, where whoever opens it has it already.
    known: datetime.date | None = field(default=None, repr=False)
    # Not taken over by dataclasses.replace: what is read depends on the day.
    digests: dict[str, str] = field(init=False, repr=False, default_factory=dict)
    _files: dict[str, File] = field(init=False, repr=False, default_factory=dict)

    def _title(self) -> str:
        day = f" as known on {self.as_of}" if self.as_of else ""
        return f"Book of {self.ward.id}, {self.period}{day}"

    @cached_property
    def day(self) -> datetime.date:
        """The day on which this was known: `as_of`, else the newest on which a row of the period's
        last month, its year, or one before was reported, of all tables of the ward, and of its wards in
        the year to date.

        Raises DataError with every fault of such a table of its own, RequestError where nothing was
        reported.
        """
        if found := self.as_of or self.known:
            return found
        reported = [table for table in self.ward.tables.values() if table.is_reported]
        days = [reading.last_report(self._read(table).sheet, self.period) for table in reported]
        days += [_last_report(ward, self.period) for ward in self.ward.members(self.period)]
        newest = max(days, default="")
        if not newest:
            raise RequestError(_absence(self.ward, self.period, None))
        return datetime.date.fromisoformat(newest)

    def table(self, name: str, *, every_report: bool = False) -> pd.DataFrame | None:
        """`load` for this ward and day."""
        described = self.ward.table(name)
        if described is None:
            return None
        view, file = View(self.day.isoformat()), self._read(described)
        self.digests[described.file] = _digest(file, view)
        return _seen(file, view, every_report)

    def lines(self, name: str) -> list[int]:
        """On which line of its file each row of `table(name, every_report=True)` stands (the header's is 1);
        none where the ward has no such table."""
        described = self.ward.table(name)
        if described is None:
            return []
        view = View(self.day.isoformat())
        return list(reading.lines(view.rows(self._read(described).sheet)))

    def history(self, table: str, item: str, of: str, measure: str) -> pd.DataFrame | None:
        """Every report of a figure known by this day, and where it came from: column `measure` of `table`
        for `item` (a line, a school; of targets line and setter, "total:upper") of the month or year `of`
        ("2020-09", "2020"). None where the ward has no such table.

        Columns: `reported_on`; `value`, missing where it is hidden; `hidden`, whether it is, as a small
        count of persons or with one; `status`, "" where the table has none; `file`, the name under which
        it came in, `sheet`, `cell`, `text`, the figure as it stood there, all "" where it was not taken in
        from a file; `derived`, whether it was calculated from the cell and others. By the day of the report.

        Raises RequestError where the table has no such column of figures.
        """
        described, every = self.ward.table(table), self.table(table, every_report=True)
        if described is None or every is None:
            return None
        measures = [name for name in described.columns if name not in described.primary_key]
        if measure not in measures or not described.is_reported:
            raise RequestError(
                said(
                    "no figures {measure} in {table}: {measures}.",
                    measure=repr(measure),
                    table=table,
                    measures=", ".join(measures),
                ),
                nearest(measure, measures),
            )
        own = every
        for column, part in zip(described.item, item.split(":"), strict=False):
            own = own[own[column] == part]
        since = "month" if "month" in own else "year"
        own = own[own[since].astype(str) == of].sort_values("reported_on", kind="stable")
        value = own[measure]
        marks = own.filter(regex="_hidden$").any(axis=1).astype(bool)
        shown = pd.DataFrame(
            {
                "reported_on": own["reported_on"],
                "value": value,
                "hidden": marks & value.isna(),
                "status": own.get("status", ""),
            }
        ).reset_index(drop=True)
        told = shown.join(self._origins(table, item, of, measure), on="reported_on")
        told["derived"] = told["derived"].eq(True)
        return told.fillna(dict.fromkeys(("file", "sheet", "cell", "text"), ""))

    def _origins(self, table: str, item: str, of: str, measure: str) -> pd.DataFrame:
        """Where a figure came from, by the day of the report."""
        columns = ["file", "sheet", "cell", "text", "derived"]
        found = self.table(descriptors.ORIGINS, every_report=True)
        files = self.table(descriptors.RECEIVED, every_report=True)
        if found is None or files is None:
            return pd.DataFrame(columns=columns)
        found = found[(found["table"] == table) & (found["item"] == item)]
        found = found[found["measure"] == measure]
        since = found["month"].astype(str).where(found["month"].notna(), found["year"].astype(str))
        found = found[since == of].set_index("reported_on")[columns]
        names = files.drop_duplicates("file").set_index("file")["name"]
        return found.assign(file=found["file"].map(names))

    def _read(self, table: Table) -> File:
        """The whole table, every row of it."""
        if table.file not in self._files:
            self._files[table.file] = checks.sound(self.ward, table)
        return self._files[table.file]

    @property
    def descriptors(self) -> dict[str, str]:
        """The digests of the descriptors that the tables were read by."""
        return descriptors.digests(self.ward.id, descriptors.REFERENCE)


def _last_report(name: str, period: Period) -> str:
    """The newest day on which a row of a period or before was reported by a ward, as `reading.last_report`;
    tables at fault, whose rows no reader gets, are passed over."""
    days = [""]
    with suppress(DataError):
        ward = descriptors.ward(name)
        for table in ward.tables.values():
            with suppress(DataError):
                if table.is_reported:
                    days.append(reading.last_report(checks.sound(ward, table).sheet, period))
    return max(days)


def open_book(ward: str, period: str, as_of: str = "") -> Book:
    """The book of a notebook's parameters, texts as papermill hands them over.

    Raises RequestError where they name nothing, or where nothing was reported for the period, of a district
    by none of its wards.
    """
    book = Book(descriptors.ward(ward), Period.parse(period), parse_day(as_of))
    own = None if book.ward.wards else book.table("receipts")
    if absent := unreported(book.ward, [book.period], book.as_of, own):
        raise RequestError(absent[book.period], _reported(book.ward, book.period))
    return book


def unreported(
    ward: Ward,
    periods: Iterable[Period],
    as_of: datetime.date | None,
    receipts: pd.DataFrame | None = None,
) -> dict[Period, str]:
    """Those of the periods of which no receipt was known on the day `as_of`, each with a text that
    says so; `receipts`, if they are at hand, save reading them."""
    absent = list(periods)
    every = _months(ward, as_of) if receipts is None else [set(reading.plain(receipts["month"]))]
    for months in every:  # of a district ward by ward: the first mostly has all that is asked for
        absent = [
            period
            for period in absent
            if months.isdisjoint(range(period.first.ordinal, period.last.ordinal + 1))
            or (ward.wards and not ward.members(period))
        ]
        if not absent:
            break
    return {period: _absence(ward, period, as_of) for period in absent}


def _months(ward: Ward, as_of: datetime.date | None = None) -> Iterator[set[int]]:
    """The months of receipts known on a day, as ordinals; of a district those of each of its wards whose
    files have no fault."""
    for name in dict.fromkeys(member.ward for member in ward.wards):
        with suppress(DataError, RequestError):
            yield from _months(descriptors.ward(name), as_of)
    if not ward.wards and (receipts := load(ward, "receipts", as_of=as_of)) is not None:
        yield set(reading.plain(receipts["month"]))


def months(ward: Ward) -> list[pd.Period]:
    """The months in which the ward, or one of the district, has receipts, whenever they were reported."""
    every = set().union(*_months(ward))
    return [pd.Period(ordinal=month, freq="M") for month in sorted(every)]


def _absence(ward: Ward, period: Period, as_of: datetime.date | None) -> str:
    """Says that no receipt of the period was known on the day `as_of`; of a district also where no ward
    belongs to it then, or none can be read."""
    if ward.wards and not ward.members(period):
        return said(
            "no ward belongs to {ward} in {period}: see valid_from and valid_to of its wards in {file}.",
            ward=ward.id,
            period=period,
            file=f"data/{ward.id}/{descriptors.DESCRIPTOR}",
        )
    months = _span(ward)
    if ward.wards and not months:
        every = dict.fromkeys(member.ward for member in ward.wards)
        return said(
            "no ward of {ward} has receipts that can be read. See {command}.",
            ward=ward.id,
            command=" ".join(["ward check", *(f"--ward {name}" for name in every)]),
        )
    span = said("{low} to {high}", low=months[0], high=months[1]) if months else "…"
    if as_of:
        return said(
            "no receipt of {ward} for {period} was reported by {day}. Months in its files: {span}.",
            ward=ward.id,
            period=period,
            day=as_of,
            span=span,
        )
    return said(
        "no receipt of {ward} for {period} is in its files. Months in its files: {span}.",
        ward=ward.id,
        period=period,
        span=span,
    )


def _span(ward: Ward) -> tuple[pd.Period, pd.Period] | None:
    """The first and the last month of the ward's receipts, whenever they were reported."""
    every = months(ward)
    return (every[0], every[-1]) if every else None


def _reported(ward: Ward, period: Period) -> str:
    """The period of the same kind, of the nearest year that has receipts in it; "" where none has."""
    if (span := _span(ward)) is None:
        return ""
    years = [
        year
        for year in range(span[0].year, span[1].year + 1)
        if Period(year, period.part).first <= span[1] and Period(year, period.part).last >= span[0]
    ]
    found = min(years, key=lambda year: abs(year - period.year), default=None)
    return str(Period(found, period.part)) if found not in (None, period.year) else ""


def coverage(book: Book) -> pd.DataFrame:
    """What has come in of each table of the ward that is reported by month, up to the period's last.

    Columns: `table`; `rows`, the figures known; `first`, `last`, the
    months they span; `reported`, the months of the period with some row; `expected`, the months of
    the period; `newest`, the day of the newest report. In the order of the descriptor.
    """
    rows = []
    for name, table in book.ward.tables.items():
        if not table.is_reported or "month" not in table.columns or name == descriptors.ORIGINS:
            continue
        frame = book.table(name)
        assert frame is not None  # the ward has described it
        frame = frame[frame["month"] <= book.period.last]
        months = frame["month"]
        rows.append(
            {
                "table": name,
                "rows": len(frame),
                "first": months.min(),
                "last": months.max(),
                "reported": int(book.period.months.isin(months).sum()),
                "expected": len(book.period.months),
                "newest": frame["reported_on"].max(),
            }
        )
    return pd.DataFrame(rows)
