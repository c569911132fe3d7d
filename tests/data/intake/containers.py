"""The containers of the intake's samples: pages written as .xlsx (transitional and strict), .xls, .ods and
CSV, the same bytes each time but for a password's; and Vietnamese text in letters of before Unicode."""

from __future__ import annotations

import csv
import datetime
import io
import re
import struct
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter

Place = tuple[int, int]  # row and column, from 0
PLAIN, WHOLE, THREE, PERCENT, DAY = "General", "#,##0", "#,##0.000", "0.0%", "dd/mm/yyyy"
ACCOUNTS = '_(* #,##0_);_(* (#,##0);_(* "-"??_);_(@_)'
_DATE = (1980, 1, 1, 0, 0, 0)  # of each part of a zip: no clock in the samples


def a1(place: Place) -> str:
    """A place as office programs name it; written here again so that the samples do not lean on what
    they test.

    >>> a1((7, 2)), a1((0, 26))
    ('C8', 'AA1')
    """
    name, column = "", place[1] + 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return f"{name}{place[0] + 1}"


@dataclass
class Entry:
    """What stands in a cell: a value or, with `formula`, the value that was stored for it (None: none)."""

    value: object
    look: str = PLAIN
    formula: str = ""
    font: str = "Times New Roman"


@dataclass
class Page:
    """A sheet to be written; `where` finds the cell of a figure by (key of its column, line)."""

    name: str
    cells: dict[Place, Entry] = field(default_factory=dict)
    spans: list[tuple[int, int, int, int]] = field(default_factory=list)
    where: dict[tuple[str, str], Place] = field(default_factory=dict)
    out_of_sight_rows: set[int] = field(default_factory=set)
    out_of_sight_columns: set[int] = field(default_factory=set)
    out_of_sight: bool = False
    locked: bool = False
    remarks: dict[Place, str] = field(default_factory=dict)

    def put(
        self, row: int, column: int, value: object, look: str = PLAIN, formula: str = ""
    ) -> str:
        """Fill a cell; its name."""
        self.cells[row, column] = Entry(value, look, formula)
        return a1((row, column))

    def alter(self, key: str, line: str, value: object, **more: str) -> str:
        """Put another value in place of a figure, its look kept; the cell's name."""
        place = self.where[key, line]
        look = self.cells[place].look if place in self.cells else PLAIN
        self.cells[place] = Entry(value, **({"look": look} | more))
        return a1(place)

    def named(self, key: str, line: str) -> str:
        """The name of the cell of a figure."""
        return a1(self.where[key, line])

    def span(self, top: int, left: int, bottom: int, right: int) -> None:
        if (top, left) != (bottom, right):
            self.spans.append((top, left, bottom, right))

    def rewritten(self, change: Callable[[str], str], font: str = "") -> Page:
        """This page with every text changed, and its font if one is given."""
        for entry in self.cells.values():
            if isinstance(entry.value, str):
                entry.value = change(entry.value)
            entry.font = font or entry.font
        return self

    def moved(self, down: int, right: int) -> Page:
        """This page with all that stands on it further down and to the right."""
        self.cells = {(r + down, c + right): entry for (r, c), entry in self.cells.items()}
        self.where = {key: (r + down, c + right) for key, (r, c) in self.where.items()}
        self.spans = [(t + down, x + right, b + down, y + right) for t, x, b, y in self.spans]
        return self

    def opened(self, row: int) -> Page:
        """This page with an empty row put in at `row`."""
        self.cells = {(r + (r >= row), c): entry for (r, c), entry in self.cells.items()}
        self.where = {key: (r + (r >= row), c) for key, (r, c) in self.where.items()}
        self.spans = [(t + (t >= row), x, b + (b >= row), y) for t, x, b, y in self.spans]
        return self

    @property
    def height(self) -> int:
        return max((row for row, _ in self.cells), default=-1) + 1

    @property
    def width(self) -> int:
        return max((column for _, column in self.cells), default=-1) + 1


# Office Open XML --------------------------------------------------------------------------------


def xlsx(
    *pages: Page,
    strict: bool = False,
    stored: bool = True,
    since_1904: bool = False,
    macros: bool = False,
) -> bytes:
    """A workbook; not `stored`: formulas without the values that nobody calculated."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "date_1904": since_1904}
    options |= {f"strings_to_{what}": False for what in ("formulas", "numbers", "urls")}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"created": datetime.datetime(2022, 2, 1)})
    if macros:
        book.add_vba_project(io.BytesIO(b"no real macros stand here"), is_stream=True)
    looks: dict[tuple[str, str], object] = {}
    for page in pages:
        sheet = book.add_worksheet(page.name)
        for span in page.spans:
            sheet.merge_range(*span, "")
        for (row, column), entry in sorted(page.cells.items()):
            key = entry.look, entry.font
            if key not in looks:
                looks[key] = book.add_format({"num_format": entry.look, "font_name": entry.font})
            if entry.formula:
                sheet.write_formula(row, column, entry.formula, looks[key], entry.value)
            elif isinstance(entry.value, datetime.date):
                sheet.write_datetime(row, column, entry.value, looks[key])
            else:
                sheet.write(row, column, entry.value, looks[key])
        for row in page.out_of_sight_rows:
            sheet.set_row(row, None, None, {"hidden": True})
        for column in page.out_of_sight_columns:
            sheet.set_column(column, column, None, None, {"hidden": True})
        for (row, column), remark in page.remarks.items():
            sheet.write_comment(row, column, remark, {"author": ""})
        if page.out_of_sight:
            sheet.hide()
        if page.locked:
            sheet.protect()
    book.close()

    def part(name: str, data: bytes) -> bytes:
        if not stored and name.startswith("xl/worksheets/"):
            data = re.sub(rb"</f><v>[^<]*</v>", b"</f>", data)
        if strict and name.endswith((".xml", ".rels")):
            for short, long in (
                (b"spreadsheetml/", b"spreadsheetml"),
                (b"officeDocument/", b"officeDocument"),
            ):
                data = data.replace(
                    b"http://schemas.openxmlformats.org/" + short + b"2006/",
                    b"http://purl.oclc.org/ooxml/" + long + b"/",
                )
        return data

    out = io.BytesIO()
    with zipfile.ZipFile(buffer) as source:
        _zipped(out, ((name, part(name, source.read(name))) for name in source.namelist()))
    return out.getvalue()


def locked_xlsx(data: bytes, password: str) -> bytes:
    """A workbook under a password: other bytes each time, since its salt is drawn."""
    from msoffcrypto.format.ooxml import OOXMLFile

    out = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt(password, out)
    return out.getvalue()


def _zipped(out: io.BytesIO, parts: Iterable[tuple[str, bytes]], plain: str = "") -> None:
    with zipfile.ZipFile(out, "w") as target:
        for name, data in parts:
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_STORED if name == plain else zipfile.ZIP_DEFLATED
            target.writestr(info, data)


# Excel 97-2003 ----------------------------------------------------------------------------------


def xls(*pages: Page, password: bool = False, since_1904: bool = False) -> bytes:
    """An old workbook; with `password` one that says so where such workbooks do, in its second record."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import xlwt
        from xlwt.CompoundDoc import XlsDoc

        book = xlwt.Workbook(encoding="utf-8")
        book.dates_1904 = since_1904
        looks = {}
        for page in pages:
            sheet = book.add_sheet(page.name)
            spans = {
                (top, left): (top, bottom, left, right) for top, left, bottom, right in page.spans
            }
            for place, entry in sorted(page.cells.items()):
                key = entry.look, entry.font
                if key not in looks:
                    looks[key] = xlwt.XFStyle()
                    looks[key].num_format_str = entry.look
                    looks[key].font = xlwt.Font()
                    looks[key].font.name = entry.font
                if place in spans:
                    sheet.write_merge(*spans[place], entry.value, looks[key])
                else:
                    sheet.write(*place, entry.value, looks[key])
            for row in page.out_of_sight_rows:
                sheet.row(row).hidden = True
            for column in page.out_of_sight_columns:
                sheet.col(column).hidden = True
            sheet.visibility = int(page.out_of_sight)
        stream = book.get_biff_data()
        if password:  # FILEPASS with RC4, after the record that begins the stream
            first = 4 + struct.unpack_from("<H", stream, 2)[0]
            record = struct.pack("<HHHHH", 0x2F, 54, 1, 1, 1) + bytes(range(48))
            stream = stream[:first] + record + stream[first:]
        out = io.BytesIO()
        XlsDoc().save(out, stream)
    return out.getvalue()


# OpenDocument -----------------------------------------------------------------------------------

_NAMES = "".join(
    f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (
        ("office", "office"),
        ("table", "table"),
        ("text", "text"),
        ("style", "style"),
        ("manifest", "manifest"),
    )
)
_NAMES += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
_NAMES += ' xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"'  # of formulas


def ods(*pages: Page) -> bytes:
    """A spreadsheet as LibreOffice keeps it: covered cells, repeated blanks up to the sheet's end."""
    sheets = "".join(map(_table, pages))
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{_NAMES} office:version="1.3">'
        '<office:automatic-styles><style:style style:name="seen" style:family="table">'
        '<style:table-properties table:display="true"/></style:style>'
        '<style:style style:name="unseen" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
        f"<office:body><office:spreadsheet>{sheets}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest{_NAMES} manifest:version="1.3">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    out = io.BytesIO()
    parts = (("mimetype", kind), ("content.xml", content), ("META-INF/manifest.xml", manifest))
    _zipped(out, ((name, text.encode()) for name, text in parts), plain="mimetype")
    return out.getvalue()


def _table(page: Page) -> str:
    width = page.width
    spans = {span[:2]: (span[2] - span[0] + 1, span[3] - span[1] + 1) for span in page.spans}
    covered = {
        (row, column)
        for top, left, bottom, right in page.spans
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
    } - set(spans)
    columns = "".join(
        "<table:table-column"
        + ' table:visibility="collapse"' * (at in page.out_of_sight_columns)
        + "/>"
        for at in range(width)
    )
    rows = []
    for row in range(page.height):
        line, blanks = "", 0
        for column in range(width + 1):
            place = row, column
            if place not in page.cells and place not in covered and column < width:
                blanks += 1
                continue
            if blanks:
                line += f'<table:table-cell table:number-columns-repeated="{blanks}"/>'
                blanks = 0
            if place in covered:
                line += "<table:covered-table-cell/>"
            elif place in page.cells:
                over = ""
                if place in spans:
                    down, right = spans[place]
                    over = f' table:number-rows-spanned="{down}" table:number-columns-spanned="{right}"'
                line += _cell(page.cells[place], over)
        hidden = ' table:visibility="collapse"' * (row in page.out_of_sight_rows)
        rows.append(f"<table:table-row{hidden}>{line}</table:table-row>")
    rows.append(
        f'<table:table-row table:number-rows-repeated="{1_048_576 - page.height}">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    style = "unseen" if page.out_of_sight else "seen"
    return (
        f'<table:table table:name={quoteattr(page.name)} table:style-name="{style}">'
        f"{columns}{''.join(rows)}</table:table>"
    )


def _cell(entry: Entry, over: str) -> str:
    value, shown = entry.value, str(entry.value)
    if entry.formula:
        formula = re.sub(r"([A-Z]+[0-9]+)", r"[.\1]", entry.formula)
        over += f" table:formula={quoteattr('of:' + formula)}"
    if value is None:
        return f"<table:table-cell{over}/>"
    if isinstance(value, datetime.date):
        kind, stored, shown = "date", f' office:date-value="{value:%Y-%m-%d}"', f"{value:%d/%m/%Y}"
    elif isinstance(value, int | float):
        kind, stored = "float", f' office:value="{value!r}"'
        if "%" in entry.look:
            kind, shown = "percentage", f"{value:.1%}"
    elif entry.formula and shown.startswith("#"):
        kind, stored = "string", ' office:string-value="" calcext:value-type="error"'
    else:
        kind, stored = "string", ""
    lines = "".join(f"<text:p>{escape(part)}</text:p>" for part in shown.split("\n"))
    return f'<table:table-cell{over} office:value-type="{kind}"{stored}>{lines}</table:table-cell>'


# Text files -------------------------------------------------------------------------------------


def separated(page: Page, mark: str, number: Callable[[float], str] = str) -> str:
    """A page as text, its columns parted by `mark`, each number as `number` writes it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark, lineterminator="\r\n")
    for row in range(page.height):
        values = [
            page.cells[row, c].value if (row, c) in page.cells else "" for c in range(page.width)
        ]
        writer.writerow([number(v) if isinstance(v, int | float) else v for v in values])
    return out.getvalue()


def grouped(value: float, group: str = ".", point: str = ",", places: int = 0) -> str:
    """A number as people write it.

    >>> grouped(1234567.5, places=1)
    '1.234.567,5'
    """
    return f"{value:,.{places}f}".translate({ord(","): group, ord("."): point})


# Letters of before Unicode ------------------------------------------------------------------------

_TONES = "\u0300\u0309\u0303\u0301\u0323"  # grave, hook, tilde, acute, dot: the order of the tables below
# TCVN 5712 (ABC), by vowel: the vowel itself, then with each tone; as bytes.
_TCVN = {
    "a": "61 b5 b6 b7 b8 b9", "ă": "a8 bb bc bd be c6", "â": "a9 c7 c8 c9 ca cb",
    "e": "65 cc ce cf d0 d1", "ê": "aa d2 d3 d4 d5 d6", "i": "69 d7 d8 dc dd de",
    "o": "6f df e1 e2 e3 e4", "ô": "ab e5 e6 e7 e8 e9", "ơ": "ac ea eb ec ed ee",
    "u": "75 ef f1 f2 f3 f4", "ư": "ad f5 f6 f7 f8 f9", "y": "79 fa fb fc fd fe", "đ": "ae",
}  # fmt: skip
_TCVN_CAPITALS = dict(zip("ĂÂÊÔƠƯĐ", ["a1", "a2", "a3", "a4", "a5", "a6", "a7"], strict=True))
# VNI-Windows: what follows the plain vowel, by shape of the vowel, without and with each tone.
_VNI = {
    "": " f8 fb f5 f9 ef", "\u0302": "e2 e0 e5 e3 e1 e4", "\u0306": "ea e8 fa fc e9 eb",
}  # fmt: skip
_VNI_ALONE = {
    "đ": "f1",
    "ì": "ec",
    "ỉ": "e6",
    "ĩ": "f3",
    "í": "ed",
    "ị": "f2",
    "ỵ": "ee",
    "ơ": "f4",
    "ư": "f6",
}


def tcvn3(text: str) -> str:
    """Text in TCVN3 as a Western program shows its bytes; capitals with a tone do not exist in it."""
    made = {}
    for vowel, codes in _TCVN.items():
        for tone, code in zip(("", *_TONES), codes.split(), strict=False):
            made[unicodedata.normalize("NFC", vowel + tone)] = chr(int(code, 16))
    made |= {letter: chr(int(code, 16)) for letter, code in _TCVN_CAPITALS.items()}
    return "".join(
        made.get(letter, made.get(letter.lower(), letter)) if not letter.isascii() else letter
        for letter in unicodedata.normalize("NFC", text)
    )


def vni(text: str) -> str:
    """Text in VNI-Windows as a Western program shows its bytes: a vowel, and a letter for its marks."""
    return "".join(map(_vni, unicodedata.normalize("NFC", text)))


def _vni(letter: str) -> str:
    small = letter.lower()
    if letter.isascii() or not letter.isalpha():
        return letter
    base, *marks = unicodedata.normalize("NFD", small)
    tone = next((mark for mark in marks if mark in _TONES), "")
    if small in _VNI_ALONE:
        made = chr(int(_VNI_ALONE[small], 16))
    elif "\u031b" in marks:
        made = chr(int(_VNI_ALONE[{"o": "ơ", "u": "ư"}[base]], 16)) + _mark("", tone)
    else:
        made = base + _mark("".join(mark for mark in marks if mark != tone), tone)
    return made if small == letter else made.upper()


def _mark(shape: str, tone: str) -> str:
    codes = _VNI[shape].split(" ")
    code = codes[_TONES.index(tone) + 1 if tone else 0]
    return chr(int(code, 16)) if code else ""


def cp1258(text: str) -> bytes:
    """Text as Vietnamese Windows writes it: the vowel's shape in its letter, the tone after it."""
    out = b""
    for letter in unicodedata.normalize("NFC", text):
        try:
            out += letter.encode("cp1258")
        except UnicodeEncodeError:
            base, *marks = unicodedata.normalize("NFD", letter)
            tone = "".join(mark for mark in marks if mark in _TONES)
            shaped = base + "".join(mark for mark in marks if mark not in _TONES)
            out += (unicodedata.normalize("NFC", shaped) + tone).encode("cp1258")
    return out


def broken(text: str) -> str:
    """UTF-8 that was once read as Western letters and saved so."""
    return "".join(
        bytes([byte]).decode("cp1252") if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte)
        for byte in unicodedata.normalize("NFC", text).encode()
    )
