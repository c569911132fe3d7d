"""Office files: what is read of them, and what is refused before it is read."""

import datetime
import io
import random
import re
import resource
import struct
import time
import zipfile
from decimal import Decimal

import msoffcrypto.format.ooxml
import openpyxl
import pytest
import python_calamine
import xlsxwriter
import xlwt

from wardlib.data.intake import binaries, containers, workbooks
from wardlib.data.intake.grids import letters
from wardlib.data.intake.workbooks import opened
from wardlib.errors import DataError
from wardlib.language import get

NAMESPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (
        ("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"),
        ("draw", "drawing"),
    )
) + ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'  # fmt: skip


def known(text):
    return text in {"Tháng", "Thu NSNN", "Phí, lệ phí"}


def xlsx(fill, **options):
    """A workbook with the sheet Thu, which `fill(book, sheet)` fills."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, **options}) as book:
        fill(book, book.add_worksheet("Thu"))
    return file.getvalue()


def xls(fill):
    """The same in the old form."""
    file = io.BytesIO()
    book = xlwt.Workbook()
    fill(book, book.add_sheet("Thu", cell_overwrite_ok=True))
    book.save(file)
    return file.getvalue()


def ods(rows, styles="", manifest="", table=""):
    """An .ods file with these rows of XML on the sheet Thu."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml", f"<manifest:manifest>{manifest}</manifest:manifest>"
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content {NAMESPACES}><office:automatic-styles>{styles}"
            "</office:automatic-styles><office:body><office:spreadsheet>"
            f'<table:table table:name="Thu" {table}>{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return file.getvalue()


def changed(data, part, change):
    """An archive with the text of one part changed."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            text = old.read(name)
            if re.fullmatch(part, name):
                text = change(text.decode()).encode()
            new.writestr(name, text)
    return file.getvalue()


def strict(data):
    """A workbook as Strict Open XML names its parts."""
    change = {
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/": "http://purl.oclc.org/ooxml/officeDocument/",
    }

    def renamed(text):
        for old, new in change.items():
            text = text.replace(old, new)
        return text

    return changed(data, ".*", renamed)


SMALL = xlsx(lambda _, sheet: sheet.write_row(0, 0, [1, "x"]))


def cells(data, name="thu.xlsx"):
    """The cells of the first sheet by place, as (value, text, fault, per cent, formula)."""
    grid = opened(data, name, known).grids[0]
    return {
        place: (cell.value, cell.text, cell.fault, cell.percent, cell.formula)
        for place, cell in grid.cells.items()
    }


def kind(data, name="thu.xlsx"):
    """The kind of the one problem for which a file is refused; it is said in Vietnamese too."""
    with pytest.raises(DataError) as caught:
        opened(data, name, known)
    (problem,) = caught.value.problems
    assert problem.told(get("vi")) != problem.told(get("en"))
    return problem.kind


def _everything(book, sheet):
    shown = {
        code: book.add_format({"num_format": code})
        for code in ("0%", '0.0" "%', '0"%"', "dd/mm/yyyy", "hh:mm", "[h]:mm", '_(* "-"??_)')
    }
    for row, (value, code) in enumerate(
        [(0.2, "0%"), (0.0725, '0.0" "%'), (5, '0"%"'), (44685, "dd/mm/yyyy"),
         (44685.25, "dd/mm/yyyy"), (0.5, "hh:mm"), (1.5, "[h]:mm"), (0, '_(* "-"??_)'),
         (-3, "dd/mm/yyyy")]
    ):  # fmt: skip
        sheet.write_number(row, 0, value, shown[code])
    sheet.write_number(0, 1, 916.56)
    sheet.write_number(1, 1, 1e20)
    sheet.write_boolean(2, 1, True)
    sheet.write_formula(3, 1, "=1/0", None, "#DIV/0!")
    sheet.write_formula(4, 1, "=B1*2", None, 1833.12)
    sheet.write_formula(5, 1, "=B1*2", None, "")
    sheet.write_string(6, 1, "Thu\nNSNN")
    sheet.write_rich_string(7, 1, "Phí, ", book.add_format({"bold": True}), "lệ", " phí")
    sheet.write_string(8, 1, "  x ")


EVERYTHING = {
    (0, 0): (Decimal("0.2"), "20%", "", True, False),
    (1, 0): (Decimal("0.0725"), "7.25%", "", True, False),
    (2, 0): (Decimal(5), "5", "", False, False),
    (3, 0): (datetime.date(2022, 5, 4), "2022-05-04", "", False, False),
    (4, 0): (datetime.datetime(2022, 5, 4, 6), "2022-05-04 06:00:00", "", False, False),
    (5, 0): ("12:00:00", "12:00:00", "", False, False),
    (6, 0): ("36:00:00", "36:00:00", "", False, False),
    (7, 0): (Decimal(0), "0", "", False, False),
    (8, 0): (None, "#####", "error", False, False),
    (0, 1): (Decimal("916.56"), "916.56", "", False, False),
    (1, 1): (Decimal(10) ** 20, "1" + 20 * "0", "", False, False),
    (2, 1): (True, "TRUE", "", False, False),
    (3, 1): (None, "#DIV/0!", "error", False, True),
    (4, 1): (Decimal("1833.12"), "1833.12", "", False, True),
    (5, 1): (None, "", "formula", False, True),
    (6, 1): ("Thu\nNSNN", "Thu\nNSNN", "", False, False),
    (7, 1): ("Phí, lệ phí", "Phí, lệ phí", "", False, False),
    (8, 1): ("  x ", "  x ", "", False, False),
}


@pytest.mark.parametrize("change", [bytes, strict], ids=["ordinary", "strict"])
def test_a_cell_is_what_is_stored_and_what_its_format_says(change):
    """Numbers by their shortest decimal text, days, times, percentages, errors (python-calamine #105)
    and formulas that nobody calculated; Strict Open XML reads the same; the name says nothing."""
    data = change(xlsx(_everything))
    assert cells(data, "thu.xls") == EVERYTHING
    assert opened(data, "thu.xls", known).kind == "xlsx"


def test_days_since_1904():
    """A workbook of an old Macintosh counts its days from another one."""

    def fill(book, sheet):
        sheet.write_datetime(0, 0, datetime.date(2022, 5, 4), book.add_format({"num_format": 14}))

    data = xlsx(fill, date_1904=True)
    assert cells(data)[0, 0][0] == datetime.date(2022, 5, 4)


def test_an_empty_text_that_a_formula_gives_is_no_cell():
    """IF(…;"") is a blank, a formula that was never calculated is not."""
    data = xlsx(lambda _, sheet: sheet.write_formula(0, 0, '=""', None, ""))
    assert cells(data)[0, 0][2] == "formula"
    text = changed(
        data, ".*sheet1.xml", lambda xml: xml.replace('<c r="A1">', '<c r="A1" t="str">')
    )
    assert cells(text) == {}


def test_inline_texts_and_phonetic_runs():
    """A text inside the cell is one as any; how a word is read aloud is not part of it."""
    data = xlsx(lambda _, sheet: sheet.write_number(0, 0, 1))
    inline = (
        '<c r="A1" t="inlineStr"><is><r><t>Phí, </t></r><r><t>lệ phí</t></r>'
        '<rPh sb="0" eb="1"><t>fi</t></rPh></is></c>'
    )
    data = changed(data, ".*sheet1.xml", lambda xml: xml.replace('<c r="A1"><v>1</v></c>', inline))
    assert cells(data) == {(0, 0): ("Phí, lệ phí", "Phí, lệ phí", "", False, False)}
    shared = changed(
        SMALL,
        ".*sharedStrings.xml",
        lambda xml: xml.replace("</t></si>", '</t><rPh sb="0" eb="1"><t>fi</t></rPh></si>'),
    )
    assert cells(shared)[0, 1][0] == "x"


@pytest.mark.parametrize(
    "cells_of_row",
    [
        '<c r="A1"><v>1</v></c><c r="A1"><v>2</v></c>',
        '<c r="A1" t="s"><v>-1</v></c>',
        '<c r="A1" t="s"><v>9</v></c>',
        '<c r="A1"><v>NaN</v></c>',
        '<c r="A1"><v>0x10</v></c>',
        '<c r="AAAA1"><v>1</v></c>',
        '<c r="A1"><v>1</v>',
    ],
)
def test_a_sheet_that_makes_no_sense_is_damaged(cells_of_row):
    """A place twice, a shared text that is not there, no number where one must stand."""
    row = f'<row r="1">{cells_of_row}</row>'
    data = changed(
        SMALL,
        ".*sheet1.xml",
        lambda xml: re.sub("<row.*</row>", lambda _: row, xml, flags=re.DOTALL),
    )
    assert kind(data) == "file_damaged"


def test_what_is_hidden_and_merged_is_told():
    """Rows hidden, of no height or folded; columns hidden or of no width (calamine #237); sheets hidden
    twice over; a merged block's value stands in its first cell alone."""

    def fill(book, sheet):
        for row in range(8):
            sheet.write_row(row, 0, [row] * 5)
        sheet.set_row(1, None, None, {"hidden": True})
        sheet.set_row(2, 0)
        sheet.set_row(3, None, None, {"level": 1, "hidden": True})
        sheet.set_row(50_000, None, None, {"hidden": True})
        sheet.set_column(1, 1, 0)
        sheet.set_column(3, 3, 9, None, {"hidden": True})
        sheet.set_column(100, 200, 9, None, {"hidden": True})
        sheet.merge_range(5, 0, 6, 1, "gộp")
        sheet.write_number(6, 1, 99)
        book.add_worksheet("Ẩn").hide()
        book.add_worksheet("Rất ẩn").very_hidden()

    data = changed(
        xlsx(fill), ".*sheet1.xml", lambda xml: xml.replace('<row r="8"', '<row r="8" ht="0"')
    )
    grids = opened(data, "thu.xlsx", known).grids
    assert [(grid.name, grid.hidden) for grid in grids] == [
        ("Thu", False), ("Ẩn", True), ("Rất ẩn", True),
    ]  # fmt: skip
    assert grids[0].hidden_rows == {1, 2, 3, 7}
    assert grids[0].hidden_columns == {1, 3}
    assert grids[0].merges == ((5, 0, 6, 1),)
    assert grids[0].cells[5, 0].value == "gộp"
    assert not {(5, 1), (6, 0), (6, 1)} & grids[0].cells.keys()


def test_sheets_keep_their_order_and_names():
    """Signs of XML in a name, and a sheet of a chart, which holds no cells."""

    def fill(book, sheet):
        sheet.write_number(0, 0, 1)
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Thu!$A$1:$A$1"})
        book.add_chartsheet("Biểu đồ").set_chart(chart)
        book.add_worksheet("Thu & chi <1>").write_string(0, 0, "a & b <c>")

    grids = opened(xlsx(fill), "thu.xlsx", known).grids
    assert [grid.name for grid in grids] == ["Thu", "Thu & chi <1>"]
    assert grids[1].cells[0, 0].value == "a & b <c>"


def test_heads_twice_keep_their_names():
    """Two columns of one head are two columns of one head (pandas #10523, #14704)."""
    data = xlsx(lambda _, sheet: sheet.write_row(0, 0, ["Tháng", "Thu", "Thu", "Thu.1"]))
    assert [cell[0] for cell in cells(data).values()] == ["Tháng", "Thu", "Thu", "Thu.1"]


def test_fonts_are_told():
    """A font of legacy letters is seen, in each container."""

    def fill(book, sheet):
        sheet.write_string(0, 0, "PhÝ", book.add_format({"font_name": ".VnTime"}))

    def fill_old(_, sheet):
        style = xlwt.XFStyle()
        style.font.name = ".VnTime"
        sheet.write(0, 0, "PhÝ", style)

    style = (
        '<style:style style:name="a" style:family="table-cell"><style:text-properties '
        'style:font-name=".VnTime"/></style:style><style:style style:name="b" '
        'style:family="table-cell" style:parent-style-name="a"/>'
    )
    row = (
        '<table:table-column table:default-cell-style-name="b"/><table:table-row>'
        '<table:table-cell office:value-type="string"><text:p>PhÝ</text:p></table:table-cell>'
        "</table:table-row>"
    )
    for data in (xlsx(fill), xls(fill_old), ods(row, style)):
        assert opened(data, "thu", known).grids[0].cells[0, 0].font == ".VnTime"


def test_far_blank_cells_cost_nothing():
    """60,000 rows that hold a format and no figure are no rows."""

    def fill(book, sheet):
        sheet.write_number(0, 0, 1)
        shown = book.add_format({"num_format": "0%"})
        for row in range(60_000):
            sheet.write_blank(row, 9, None, shown)

    grid = opened(xlsx(fill), "thu.xlsx", known).grids[0]
    assert (grid.height, grid.width) == (1, 1)


def test_old_workbooks():
    """.xls: the same cells, what is hidden, errors; a formula that nobody calculated is told."""

    def fill(book, sheet):
        def shown(code):
            style = xlwt.XFStyle()
            style.num_format_str = code
            return style

        sheet.write(0, 0, 0.2, shown("0%"))
        sheet.write(0, 1, datetime.date(2022, 5, 4), shown("dd/mm/yyyy"))
        sheet.write(0, 2, 1.5, shown("[h]:mm"))
        sheet.write(1, 0, True)
        sheet.write(1, 1, xlwt.Formula("1+1"))
        sheet.row(1).set_cell_error(2, "#REF!")
        sheet.write(2, 0, "Thu\nNSNN")
        sheet.write(2, 1, 916.56)
        sheet.write_merge(3, 4, 0, 1, "gộp")
        sheet.row(2).hidden = True
        sheet.col(1).hidden = True
        book.add_sheet("Ẩn").visibility = 2

    data = xls(fill)
    file = opened(data, "thu.xlsx", known)
    assert (file.kind, [grid.hidden for grid in file.grids]) == ("xls", [False, True])
    assert (file.grids[0].hidden_rows, file.grids[0].hidden_columns) == ({2}, {1})
    assert file.grids[0].merges == ((3, 0, 4, 1),)
    assert cells(data) == {
        (0, 0): (Decimal("0.2"), "20%", "", True, False),
        (0, 1): (datetime.date(2022, 5, 4), "2022-05-04", "", False, False),
        (0, 2): ("36:00:00", "36:00:00", "", False, False),
        (1, 0): (True, "TRUE", "", False, False),
        (1, 1): (None, "", "formula", False, True),
        (1, 2): (None, "#REF!", "error", False, False),
        (2, 0): ("Thu\nNSNN", "Thu\nNSNN", "", False, False),
        (2, 1): (Decimal("916.56"), "916.56", "", False, False),
        (3, 0): ("gộp", "gộp", "", False, False),
    }


def _ods_cell(kind, text="", **attributes):
    named = " ".join(
        f'{key.replace("__", ":").replace("_", "-")}="{value}"' for key, value in attributes.items()
    )
    value_type = f'office:value-type="{kind}"' if kind else ""
    return f"<table:table-cell {value_type} {named}>{text}</table:table-cell>"


ODS = (
    '<table:table-column/><table:table-column table:visibility="collapse" '
    'table:number-columns-repeated="2"/><table:table-row>'
    + _ods_cell("string", "<office:annotation><text:p>nói thêm</text:p></office:annotation><text:p>Thu<text:s"
                ' text:c="2"/>A</text:p><text:p>NSNN</text:p>', table__number_columns_spanned=2)
    + "<table:covered-table-cell office:value-type='float' office:value='7'/>"
    + _ods_cell("percentage", "<text:p>20%</text:p>", office__value="0.2")
    + '<table:table-cell table:number-columns-repeated="16381"/></table:table-row>'
    '<table:table-row table:visibility="filter">'
    + _ods_cell("currency", "<text:p>917</text:p>", office__value="916.56")
    + _ods_cell("date", "<text:p>04/05/22</text:p>", office__date_value="2022-05-04")
    + _ods_cell("time", "<text:p>08:30</text:p>", office__time_value="PT08H30M00S")
    + _ods_cell("boolean", "<text:p>TRUE</text:p>", office__boolean_value="true")
    + _ods_cell("string", "<text:p>#REF!</text:p>", table__formula="of:=#REF!", office__string_value="")
    + _ods_cell("", "", table__formula="of:=[.A1]")
    + _ods_cell("float", "<text:p>4</text:p>", table__formula="of:=2+2", office__value="4")
    + '</table:table-row><table:table-row table:number-rows-repeated="2">'
    + _ods_cell("float", "<text:p>5</text:p>", office__value="5", table__number_columns_repeated=2)
    + '</table:table-row><table:table-row table:visibility="collapse" table:number-rows-repeated="1048500">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
)  # fmt: skip


def test_open_document_sheets():
    """.ods: repeated cells and rows, spans, remarks left out, filtered rows, errors and formulas; a
    million blank rows cost nothing."""
    data = ods(ODS)
    started = time.perf_counter()
    grid = opened(data, "thu.ods", known).grids[0]
    assert time.perf_counter() - started < 0.5
    assert (grid.merges, grid.hidden_rows, grid.hidden_columns) == (((0, 0, 0, 1),), {1}, {1, 2})
    five = (Decimal(5), "5", "", False, False)
    assert cells(data) == {
        (0, 0): ("Thu  A\nNSNN", "Thu  A\nNSNN", "", False, False),
        (0, 2): (Decimal("0.2"), "20%", "", True, False),
        (1, 0): (Decimal("916.56"), "916.56", "", False, False),
        (1, 1): (datetime.date(2022, 5, 4), "2022-05-04", "", False, False),
        (1, 2): ("08:30:00", "08:30:00", "", False, False),
        (1, 3): (True, "TRUE", "", False, False),
        (1, 4): (None, "#REF!", "error", False, True),
        (1, 5): (None, "", "formula", False, True),
        (1, 6): (Decimal(4), "4", "", False, True),
        (2, 0): five, (2, 1): five, (3, 0): five, (3, 1): five,
    }  # fmt: skip
    folded = f'<table:table-row-group table:display="false">{ODS[ODS.index("<table:table-row") :]}</table:table-row-group>'
    assert opened(ods(folded), "thu.ods", known).grids[0].hidden_rows == {0, 1, 2, 3}
    style = (
        '<style:style style:name="t" style:family="table"><style:table-properties '
        'table:display="false"/></style:style>'
    )
    assert opened(ods(ODS, style, table='table:style-name="t"'), "thu.ods", known).grids[0].hidden


def test_readers_that_differ_are_told():
    """A cell that the two readers do not read alike holds no value, nor one that only one of them sees."""
    data = xlsx(lambda _, sheet: sheet.write_row(0, 0, [1, "x", 2]))
    real = python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0)

    class Other:
        start = real.start

        def to_python(self):
            return [[1, "y", 2.0, 4]]

    grid = opened(data, "thu.xlsx", known).grids[0]
    assert not any(cell.fault for cell in grid.cells.values())
    compared = workbooks._compared(grid, Other())
    assert {place: cell.fault for place, cell in compared.cells.items()} == {
        (0, 0): "", (0, 1): "differs", (0, 2): "", (0, 3): "differs",
    }  # fmt: skip
    assert compared.cells[0, 1].value is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", "\t", ",", "|"])
def test_csv_in_any_encoding_with_any_delimiter(encoding, delimiter):
    """The pair whose cells are known is taken, though commas stand in the figures; texts stay as they
    stand."""
    rows = [
        ["Tháng", "Thu NSNN"],
        ["01/2022", " 916.560,5"],
        ['"Phí, lệ phí"', "…"],
        [],
        ["x\ny".join('""')],
    ]
    text = "\r\n".join(
        delimiter.join(f'"{cell}"' if "," in cell and cell[0] != '"' else cell for cell in row)
        for row in rows
    )
    file = opened(text.encode(encoding), "thu.xls", known)
    assert (file.kind, file.delimiter) == ("csv", delimiter)
    assert file.encoding.casefold().startswith(encoding[:5])
    grid = file.grids[0]
    assert (grid.name, grid.merges) == ("", None)
    assert {place: cell.value for place, cell in grid.cells.items()} == {
        (0, 0): "Tháng", (0, 1): "Thu NSNN", (1, 0): "01/2022", (1, 1): " 916.560,5",
        (2, 0): "Phí, lệ phí", (2, 1): "…", (4, 0): "x\ny",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ['Tháng;Thu NSNN\n1;"2\n3;4\n', 'Tháng;Thu NSNN\n1;"2"x\n'],
    ids=["unbalanced", "after-the-quote"],
)
def test_broken_csv_is_refused(text):
    """Quotation marks that do not match."""
    assert kind(text.encode(), "thu.csv") == "file_damaged"


@pytest.mark.parametrize("count", [32_768, 200_000])
def test_an_endless_cell_of_a_csv_file_is_told_as_that(count):
    """With the row in which to look for a stray quotation mark."""
    with pytest.raises(DataError) as caught:
        opened(f"Tháng;Thu NSNN\n1;{'x' * count}\n".encode(), "thu.csv", known)
    (problem,) = caught.value.problems
    assert (problem.kind, str(problem.found)) == (
        "file_too_large", "a cell of more than 32,767 letters, in row 2",
    )  # fmt: skip
    assert "quotation mark" in problem.fix
    assert problem.told(get("vi")) != problem.told(get("en"))


def _locked():
    file = io.BytesIO()
    plain = io.BytesIO(xlsx(lambda _, sheet: sheet.write(0, 0, 1)))
    msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("bí mật", file)
    return file.getvalue()


def _locked_old():
    """An .xls file whose second record says that the rest needs a password."""
    data = bytearray(xls(lambda _, sheet: sheet.write(0, 0, 1)))
    length = struct.unpack_from("<H", data, 514)[0]
    struct.pack_into("<H", data, 512 + 4 + length, 0x002F)
    return bytes(data)


def _boundless():
    """An .xls file whose sheet claims billions of rows."""
    data = xls(lambda _, sheet: sheet.write(0, 0, 1))
    at = data.index(struct.pack("<HH", 0x0200, 14)) + 4
    return data[:at] + struct.pack("<II", 0, 0xFFFFFFFF) + data[at + 8 :]


def _zip(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "<a/>")
    return file.getvalue()


HTML = b"<table><tr><td>1</td></tr></table>"


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (HTML, "thu.xls", "file_is_html"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE HTML><html>" + HTML, "thu.csv", "file_is_html"),
        ("<html>".encode("utf-16"), "thu.xlsx", "file_is_html"),
        (b"MIME-Version: 1.0\r\n", "thu.xls", "file_is_html"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
         "thu.xls", "file_is_html"),
        (_locked(), "thu.xlsx", "file_encrypted"),
        (ods("", manifest="<manifest:encryption-data/>"), "thu.ods", "file_encrypted"),
        (_boundless(), "thu.xls", "file_damaged"),
        (_locked_old(), "thu.xls", "file_encrypted"),
        ("Tháng;Thu".encode("utf-16-le"), "thu.csv", "text_broken"),
        ("Tháng;\0Thu".encode("utf-16"), "thu.csv", "text_broken"),
        ("Tháng;Thu".encode("utf-16") + b"x", "thu.csv", "text_broken"),
        (SMALL[: len(SMALL) // 2], "thu.xlsx", "file_damaged"),
        (b"\x00\x01" + SMALL, "thu.xlsx", "file_damaged"),
        (_zip("a.txt"), "thu.xlsx", "file_damaged"),
        (b"", "thu.xlsx", "file_not_office"),
        (b"%PDF-1.7", "thu.xlsx", "file_not_office"),
        (b"{\\rtf1", "thu.csv", "file_not_office"),
        (b"\x89PNG\r\n\x1a\n", "thu.csv", "file_not_office"),
        (b"\x00\x01\x02", "thu.bin", "file_not_office"),
        (_zip("word/document.xml", "[Content_Types].xml"), "thu.xlsx", "file_not_office"),
        (_zip("xl/workbook.bin"), "thu.xlsx", "file_not_office"),
        (b"a;b\n" * 5_500_000, "thu.csv", "file_too_large"),
        (_zip(*map(str, range(2001))), "thu.xlsx", "file_too_large"),
        (xlsx(lambda book, _: [book.add_worksheet() for _ in range(100)]), "thu.xlsx", "file_too_large"),
        (b"1;1;1;1\n" * 125_001, "thu.csv", "file_too_large"),
        (xlsx(lambda _, sheet: sheet.write(1_048_575, 16_383, 1)), "thu.xlsx", "file_too_large"),
        (ods('<table:table-row table:number-rows-repeated="1000">' + _ods_cell("string",
             table__number_columns_repeated=1000) + "</table:table-row>"), "thu.ods", "file_too_large"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_by_what_it_is(data, name, expected):
    """Each with the word for it, and with what to do."""
    assert kind(data, name) == expected


@pytest.mark.parametrize(
    "name",
    ["../thu.xlsx", "a\\thu.xlsx", "thu\0.xlsx", "thu\u202excod.exe", "thu\n.csv", "NUL.xlsx", "com1",
     "x" * 300 + ".xlsx", "..", ""],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(name):
    """Before a byte is looked at."""
    assert kind(SMALL, name) == "file_name"


def test_entities_are_refused():
    """A short part that names an endless text is not read."""
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    data = changed(SMALL, ".*sharedStrings.xml", lambda xml: xml.replace("<sst", bomb + "<sst", 1))
    assert kind(data) == "file_too_large"


def _old_strings(count, text):
    return xls(lambda _, sheet: [sheet.write(row, 0, text) for row in range(count)])


def _texts(text):
    """A workbook with another table of shared texts than the one that it names."""
    data = changed(SMALL, ".*workbook.xml.rels", lambda xml: xml.replace("sharedS", "otherS"))
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/otherStrings.xml", f"<sst><si><t>{text}</t></si></sst>")
    return file.getvalue()


def _formula(count):
    cell = _ods_cell("float", office__value="1", table__formula="of:=" + "1" * count,
                     table__number_columns_repeated=10_000)  # fmt: skip
    return ods(f"<table:table-row>{cell}</table:table-row>")


def _ods_text(text, columns=1, rows=1):
    cell = _ods_cell("string", f"<text:p>{text}</text:p>", table__number_columns_repeated=columns)
    return ods(f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>')


def _inline(count):
    text = f'<c r="A1" t="inlineStr"><is><t>{"x" * count}</t></is></c>'
    return changed(SMALL, ".*sheet1.xml", lambda xml: xml.replace('<c r="A1"><v>1</v></c>', text))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (lambda: xlsx(lambda _, sheet: [sheet.write(row, 0, "x" * 32_000) for row in range(626)]),
         "more than 20,000,000 letters in all cells"),
        (lambda: _old_strings(626, "x" * 32_000), "more than 20,000,000 letters in all cells"),
        (lambda: _ods_text("x" * 32_000, 10, 100), "more than 20,000,000 letters in all cells"),
        (lambda: _formula(2_000), "more than 20,000,000 letters in all cells"),
        (lambda: changed(SMALL, ".*sharedStrings.xml", lambda xml: xml.replace(
            "</sst>", 626 * f"<si><t>{'x' * 32_000}</t></si>" + "</sst>")),
         "more than 20,000,000 letters in all cells"),
        (lambda: changed(SMALL, ".*sharedStrings.xml", lambda xml: xml.replace(">x<", f">{'x' * 32_768}<")),
         "a cell of more than 32,767 letters"),
        (lambda: _inline(32_768), "a cell of more than 32,767 letters"),
        (lambda: _ods_text("x" * 32_768), "a cell of more than 32,767 letters"),
        (lambda: _ods_text('x<text:s text:c="2000000000"/>'), "a cell of more than 32,767 letters"),
        (lambda: _ods_text('<draw:frame><text:p><text:s text:c="2000000000"/></text:p></draw:frame>'),
         "a cell of more than 32,767 letters"),
    ],
    ids=["shared", "old", "repeated", "formulas", "unused", "long", "inline", "long-ods",
         "blanks", "drawn"],
)  # fmt: skip
def test_texts_that_fill_the_memory_are_refused(data, expected):
    """A text counts at each cell that shares it, before python-calamine writes it out as often: with
    less than 50 MiB more memory."""
    made = data()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError) as caught:
        opened(made, "thu", known)
    (problem,) = caught.value.problems
    assert (problem.kind, str(problem.found)) == ("file_too_large", expected)
    assert problem.told(get("vi")) != problem.told(get("en"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_the_longest_texts_are_read():
    """Of as many letters as Excel lets into a cell."""
    text = "x" * 32_767
    long = xlsx(lambda _, sheet: sheet.write(0, 0, text))
    for data in (long, _inline(32_767), _old_strings(1, text), _ods_text(text)):
        assert cells(data)[0, 0][0] == text
    assert cells(f"Tháng;{text}".encode())[0, 1][0] == text


def test_shared_texts_that_only_one_reader_sees_are_damage():
    """python-calamine takes the table of shared texts by its usual name, whatever the workbook names."""
    assert kind(_texts("y")) == "file_damaged"


def _merged(count, height, filled=True):
    """A workbook with `count` merged blocks of so many rows, one beside the other."""

    def fill(_, sheet):
        sheet.write_row(0 if filled else 99_999, 0, range(count if filled else 1))

    blocks = "".join(
        f'<mergeCell ref="{letters(at % 16_384)}{at // 16_384 * height + 1}:'
        f'{letters(at % 16_384)}{(at // 16_384 + 1) * height}"/>'
        for at in range(count)
    )
    blocks = f"</sheetData><mergeCells>{blocks}</mergeCells>"
    return changed(xlsx(fill), ".*sheet1.xml", lambda xml: xml.replace("</sheetData>", blocks))


def _merged_old(count):
    """The same in the old form: one record of many blocks."""
    data = xls(lambda _, sheet: sheet.write_merge(0, 1, 0, 0, 1))
    at = data.index(struct.pack("<HHH", 0x00E5, 10, 1))
    return data[: at + 4] + struct.pack("<H", count) + data[at + 6 :]


def _linked_old(rows):
    """An .xls file with a link over all columns of so many rows, where the merged block stood."""
    data = xls(lambda _, sheet: sheet.write_merge(0, 1, 0, 0, 1))
    at = data.index(struct.pack("<HHH", 0x00E5, 10, 1))
    return data[:at] + struct.pack("<7H", 0x01B8, 10, 0, rows - 1, 0, 255, 0) + data[at + 14 :]


@pytest.mark.parametrize(
    "data",
    [
        lambda: _merged(50_001, 2, filled=False),
        lambda: _merged(101, 4_000),
        lambda: _merged(81, 1_000_000),
        lambda: _merged_old(50_001),
        lambda: _linked_old(2_000),
        lambda: ods("<table:table-row>" + 50_001 * '<table:table-cell table:number-columns-spanned="2"/>'
            + "</table:table-row>"),
        lambda: changed(
            xlsx(lambda _, sheet: [sheet.write_row(row, 0, range(100)) for row in range(100)]),
            ".*sheet1.xml", lambda xml: xml.replace("</sheetData>", "</sheetData><mergeCells>" + 600
                * '<mergeCell ref="CV101:XFD1048576"/>' + "</mergeCells>")),
    ],
    ids=["many", "large", "huge", "old", "links", "ods", "looked-at"],
)  # fmt: skip
def test_merged_blocks_without_end_are_refused(data):
    """Many, large ones, or many over many cells; links of an .xls file likewise."""
    assert kind(data()) == "file_too_large"


def test_merged_blocks_in_which_nothing_stands_are_no_blocks():
    """Nor count they as large ones: forms are merged far beyond what is filled in."""
    grid = opened(_merged(40_000, 1_000, filled=False), "thu.xlsx", known).grids[0]
    assert grid.merges == ()
    grid = opened(_merged(79, 5_000), "thu.xlsx", known).grids[0]
    assert len(grid.merges) == 79


def test_a_file_is_refused_by_its_size_alone():
    """With the size that it has, none of its bytes being read."""
    (problem,) = containers.oversized("thu.xlsx", 3_000_000_000).problems
    assert (problem.file, problem.kind) == ("thu.xlsx", "file_too_large")
    assert str(problem.found) == "a file of 3000 MB"


def test_formulas_of_an_old_sheet_after_a_chart():
    """A chart among the cells has records and an end of its own."""
    data = xls(lambda _, sheet: [sheet.write(0, 0, 1), sheet.write(0, 1, xlwt.Formula("1+1"))])
    stream = bytearray()
    at = data.index(struct.pack("<HH", 0x0200, 14)) + 18
    chart = struct.pack("<HHHHIII", 0x0809, 16, 0x0600, 0x20, 0, 0, 0) + struct.pack("<HH", 0x0A, 0)
    stream += struct.pack("<HHHHIII", 0x0809, 16, 0x0600, 0x10, 0, 0, 0) + chart + data[at:]
    places = binaries._formulas(bytes(stream), 0, containers.Tally("thu.xls"))
    assert places == {(0, 1): True}


@pytest.mark.parametrize("lies", [False, True], ids=["declared", "hidden"])
def test_archives_that_unpack_to_a_gigabyte_are_refused(lies):
    """In under a second with less than 100 MiB more memory, whatever size they declare."""
    file = io.BytesIO()
    blanks = b" " * (1 << 20)
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _ in range(1024):
            part.write(blanks)
    data = bytearray(file.getvalue())
    if lies:
        struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 1000)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert kind(bytes(data)) == "file_too_large"
    assert time.process_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_what_is_not_looked_at_is_told():
    """Macros, links to other files, pictures: named, never run or followed."""
    file = io.BytesIO(SMALL)
    with zipfile.ZipFile(file, "a") as archive:
        for name in ("vbaProject.bin", "externalLinks/externalLink1.xml", "media/image1.png"):
            archive.writestr(f"xl/{name}", b"x")
    assert opened(file.getvalue(), "thu.xlsm", known).ignored == ("macros", "links", "embedded")
    assert opened(SMALL, "thu.xlsx", known).ignored == ()


def test_damage_ends_in_a_problem_or_in_a_file():
    """Bits that flip, ends that are cut off, letters of XML that change: never a traceback."""
    chance = random.Random(19)
    samples = {
        "thu.xlsx": xlsx(_everything),
        "thu.xls": xls(lambda _, sheet: [sheet.write(row, 0, 1.5) for row in range(20)]),
        "thu.ods": ods(ODS),
    }
    outcomes = set()
    for name, data in samples.items():
        for turn in range(150):
            damaged = bytearray(data)
            if turn % 3 == 0:
                damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            elif turn % 3 == 1:
                del damaged[chance.randrange(len(data)) :]
            elif name == "thu.xls":
                damaged[chance.randrange(512, len(data))] = chance.randrange(256)
            else:
                at, sign = chance.random(), chance.choice('0123456789<>"/ az&-')
                damaged = changed(
                    data,
                    chance.choice([".*sheet1.xml|content.xml", ".*styles.xml", ".*workbook.xml.*"]),
                    lambda xml, at=at, sign=sign: xml[: int(at * len(xml))] + sign + xml[int(at * len(xml)) + 1 :],
                )  # fmt: skip
            try:
                opened(bytes(damaged), name, known)
                outcomes.add("opened")
            except DataError as error:
                outcomes |= {problem.kind for problem in error.problems}
    assert {"opened", "file_damaged"} <= outcomes


def test_two_readers_take_their_time_and_no_more():
    """5,000 rows in at most three times what python-calamine and openpyxl need for them."""

    def fill(_, sheet):
        for row in range(5000):
            sheet.write_row(row, 0, [f"dòng {row}", *(row * 1.37 + column for column in range(9))])

    data = xlsx(fill)

    def seconds(read):
        started = time.process_time()
        read()
        return time.process_time() - started

    both = seconds(
        lambda: python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    )
    both += seconds(lambda: openpyxl.load_workbook(io.BytesIO(data)))
    assert min(seconds(lambda: opened(data, "thu.xlsx", known)) for _ in range(2)) < 3 * both
