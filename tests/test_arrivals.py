"""Arrivals: the data check tells from which file and cell the figures came, what was revised, late, missing;
the record of an intake tells what is signed."""

import datetime
import io
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pypdf
import pytest
import xlsxwriter

import wardlib
from wardlib import cli, provenance
from wardlib.analysis import arrivals
from wardlib.data import descriptors
from wardlib.data.intake import examination
from wardlib.language import NBSP, get
from wardlib.pages import html, intake, typst
from wardlib.periods import Period

sys.path.insert(0, str(Path(__file__).parent / "data" / "intake"))

import make

SAMPLES = {sample.file: sample for sample in make.samples()}
TODAY = datetime.date(2026, 1, 1)


def take(folder, name, reported_on, data=None, ward="phuc-dong"):
    """Take in a sample, or other bytes, as `ward intake --apply` does."""
    path = folder / name
    path.write_bytes(SAMPLES[name].data if data is None else data)
    taken = examination.take_in(
        descriptors.ward(ward), [path], reported_on, apply=True, answers=[], layout="", status="",
        today=TODAY,
    )  # fmt: skip
    assert taken.outcome == "accept", [str(problem) for problem in taken.files[0].problems]
    assert taken.rows
    return taken


def long_list(rows):
    """A workbook with one figure a row."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Thu")
    sheet.write(0, 0, "Đơn vị tính: đồng")
    heads = ["Tháng", "Khoản thu", "Thu NSNN", "Ngân sách phường hưởng"]
    for at, row in enumerate([heads, *rows]):
        for column, value in enumerate(row):
            sheet.write(at + 1, column, value)
    book.close()
    return out.getvalue()


def shown(block):
    return block.plain.replace(NBSP, " ")


@pytest.fixture
def ward(home, tmp_path, monkeypatch):
    """A ward with the form of January 2022, and after it two corrections of December 2021."""
    take(tmp_path, "01-commune-form.xlsx", "2022-02-10")
    take(tmp_path, "89-after-the-books-were-closed.ods", "2022-03-31")
    return home


def page(period, language="vi", as_of=""):
    return wardlib.open("phuc-dong", period, language, as_of).arrivals


def test_a_new_month_names_file_and_cells(ward):
    """What a file brought: name, day, how many of which table, cells, unit; behind it each figure's cell."""
    own = page("2022-01")
    assert shown(own.arrived()) == "26 số liệu báo cáo cho tháng 01 năm 2022 đều lấy từ 1 tệp."
    table = own.files_table()
    assert (
        "01-commune-form.xlsx  10/02/2022  Số thu 1/2022: 26 (trang tính B104, ô E10–F24)  "
        "G6: Đơn vị: 1000 đồng"
    ) in shown(table)
    total = next(row for row in table.figures["data"] if row["item"] == "total")
    assert (total["name"], total["sheet"], total["cell"]) == ("01-commune-form.xlsx", "B104", "E10")
    assert total["value"] == 953_520_000
    assert own.revised() is None and own.revised_table() is None


def test_a_correction_names_old_and_new_with_file_and_cell(ward):
    """Both measures of a corrected line, old → new to the last digit, day, file, sheet, cells."""
    own = page("2021-12", "en")
    assert shown(own.arrived()) == (
        "Of 139 figures reported for December 2021, 4 came from 1 file; "
        "135 were entered in the tables directly."
    )
    assert shown(own.revised()) == (
        "Later reports changed 28 figures of December 2021; 20 of them were estimates before."
    )
    text = shown(own.revised_table())
    assert "receipts (VND million): 13.282 → 14.082" in text
    assert "31 March 2022  89-after-the-books-were-closed.ods, sheet So thu, cells C16, D16" in text
    assert "31 January 2022  entered in the tables directly" in text
    assert "Still" not in text


def test_a_target_names_its_line_and_who_set_it(home, tmp_path):
    """A plan that a file revises is told with its line and setter, as of its year."""
    take(tmp_path, "01-commune-form.xlsx", "2022-02-10")
    take(tmp_path, "95-targets.xlsx", "2021-12-20")
    path = home / "data" / "phuc-dong" / "targets.csv"
    plan = next(
        row for row in path.read_text("utf-8").splitlines() if row.startswith("2022,total,upper")
    )
    amount = int(plan.split(",")[3])
    own = page("2022-01")
    found = own.result
    revised = pd.concat(
        [found.revised, pd.DataFrame([{
            "table": "targets", "month": pd.NaT, "item": "total:upper", "measure": "amount",
            "before": float(amount), "before_hidden": False, "now": amount + 1e6,
            "now_hidden": False, "estimate": False, "reported_on": pd.Timestamp("2022-01-20"),
            "name": "b.xlsx", "sheet": "", "cell": "C5",
        }])]
    )  # fmt: skip
    text = shown(replace(own, result=replace(found, revised=revised)).revised_table())
    assert "Tổng thu ngân sách nhà nước trên địa bàn (dự toán quận giao), 2022" in text
    assert "20/01/2022  b.xlsx, ô C5" in text
    assert "Dự toán 2022: 20" in shown(own.files_table())


def test_who_looked_before_sees_what_was_known_then(ward):
    """The edition of a day before the correction knows neither the file nor the change."""
    own = page("2021-12", "en", "2022-02-15")
    assert own.files_table() is None
    assert "31 March" not in shown(own.revised_table())


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_ward_without_files_says_so_in_one_sentence(language):
    """No empty table; that nothing came from a file is no fault."""
    own = wardlib.open("philadelphia", "2020", language, "").arrivals
    assert own.files_table() is None and own.revised() is None and own.revised_table() is None
    assert "384" in shown(own.arrived())


def test_late_is_more_than_fifteen_days_after_the_months_end():
    """Of receipts reported once a year every month is late; the ward's own came in time."""
    own = wardlib.open("philadelphia", "2020", "en", "").arrivals
    assert shown(own.gaps()) == (
        "Reported more than 15 days after the month's end: receipts (Jan 2020–Dec 2020)."
    )
    assert page("2020-9M").gaps() is None


def every(**tables):
    return lambda name: tables.get(name)


def by_hand(rows, columns, **more):
    frame = pd.DataFrame(rows, columns=columns).assign(**more)
    if "month" in frame:
        frame["month"] = pd.PeriodIndex(frame["month"], freq="M")
    frame["reported_on"] = pd.to_datetime(frame["reported_on"])
    return frame


def test_the_last_day_in_time_is_the_fifteenth():
    """Of September's two lines one came on 15 October, in time, the other on the 16th: a part is late. A
    later report of the first makes it no later."""
    rows = [
        ("2020-09", "a", 1, "2020-10-15"),
        ("2020-09", "a", 2, "2020-12-31"),
        ("2020-09", "b", 1, "2020-10-16"),
    ]
    frame = by_hand(rows, ["month", "line", "collected", "reported_on"])
    late = arrivals.trace(every(receipts=frame), Period.parse("2020-09")).late
    assert late[["late", "known"]].values.tolist() == [[1, 2]]


def test_missing_are_items_of_other_tables_while_they_exist():
    """A school that closed in August and one that opens in October lack nothing in September; of
    October, nothing has come."""
    rows = [
        ("2020-08", "closed", 1, "2020-09-01"),
        ("2020-08", "open", 1, "2020-09-01"),
        ("2020-09", "other", 1, "2020-10-01"),
    ]
    frame = by_hand(rows, ["month", "school", "planned_days", "reported_on"])
    schools = pd.DataFrame({"school": ["closed", "open", "other"]})
    schools["valid_from"] = pd.PeriodIndex([None, None, None], freq="M")
    schools["valid_to"] = pd.PeriodIndex(["2020-08", None, None], freq="M")
    found = arrivals.trace(
        every(school_months=frame, schools=schools), Period.parse("2020-Q3")
    ).missing
    told = {(item, str(month), whole) for _, item, month, whole in found.itertuples(index=False)}
    assert told == {
        ("closed", "2020-07", True), ("open", "2020-07", True), ("other", "2020-07", True),
        ("open", "2020-09", False), ("other", "2020-08", False),
    }  # fmt: skip


def test_small_counts_are_hidden_in_what_was_revised(home, accept):
    """Three pupils, then seven: the page says 1–4 and the figures behind it nothing; three, then two is
    no change that anybody can see."""
    path = home / "data" / "phuc-dong" / "school_months.csv"
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    at = head.split(",").index("pupils")
    own = [row.split(",") for row in rows if row.startswith("2020-09,")][:2]
    for row, (then, now) in zip(own, (("3", "7"), ("3", "2")), strict=True):
        for pupils, day in ((then, "2020-11-02"), (now, "2020-11-03")):
            row[at], row[-1] = pupils, day
            rows.append(",".join(row))
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    accept()
    block = page("2020-09", "en").revised_table()
    assert "pupils: 1–4 → 7" in shown(block)
    assert "it stands as 1–4" in shown(block)
    changes = [
        (row["before"], row["now"]) for row in block.figures["data"] if row["measure"] == "pupils"
    ]
    assert (None, 7) in changes and not {2, 3} & {value for pair in changes for value in pair}
    assert "1–4 → 1–4" not in shown(block)


def test_many_figures_are_summed_up(home, tmp_path):
    """A file that changes more figures than a table holds is one row of it, with its months; the figures
    behind it are whole."""
    first = "03-two-months-side-by-side.xlsx"
    take(tmp_path, first, "2022-03-10")
    lines = wardlib.open("phuc-dong", "2022-01", "vi", "").table("revenue_lines").set_index("code")
    rows = SAMPLES[first].about()["rows"]
    # A thousand đồng more in each leaf that brings something, and in all that it is a part of.
    more = Counter()
    for row in rows:
        line = row["line"] if row["collected"] and row["line"] not in set(lines["parent"]) else ""
        while line:
            more[row["month"], line] += 1000
            line = lines["parent"][line]
    changed = [
        [f"{row['month'][5:]}/2022", lines["name_vi"][row["line"]],
         row["collected"] + more[row["month"], row["line"]], row["kept"]]
        for row in rows
    ]  # fmt: skip
    take(tmp_path, "sửa.xlsx", "2022-04-05", long_list(changed))
    block = page("2022-Q1").revised_table()
    revised = len([figure for figure in more.values() if figure])
    assert revised > 12
    assert len(block.content["rows"]) == 1
    assert f"Số thu, 1–2/2022  {revised} số liệu  05/04/2022  sửa.xlsx" in shown(block)
    assert len(block.figures["data"]) == revised


def test_the_name_of_a_file_is_drawn_as_text(ward, tmp_path):
    """Markup in a file's name is neither HTML nor Typst, and no formula in what is attached."""
    name = "=1+1 <b>#emph[x] $y$.xlsx"
    data = SAMPLES["94-indicators.ods"].data
    take(tmp_path, name.replace(".xlsx", ".ods"), "2022-02-11", data)
    block = page("2022-01").files_table()
    assert "&lt;b&gt;#emph[x] $y$.ods" in html.render(block.content)
    assert "<b>" not in html.render(block.content)
    assert '#"\'=1+1 <b>#emph[x] $y$.ods";' in typst.render(block.content)


def test_a_new_month_runs_and_leaves_the_one_before_up_to_date(home, tmp_path):
    """After an intake `ward run` of the new month names file and cells; the month before is up to date."""

    def run(period):
        command = [sys.executable, "-c", "from wardlib.cli import main; main()", "run", period]
        done = subprocess.run(
            [*command, "--notebook", "00-data-check"], cwd=home, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "1 done" in run("2021-12")
    take(tmp_path, "01-commune-form.xlsx", "2022-02-10")
    assert "1 done" in run("2022-01")
    made = home / "output/phuc-dong/2022-01/00-data-check.vi/00-data-check.vi.html"
    text = made.read_text(encoding="utf-8")
    assert "01-commune-form.xlsx" in text and "trang tính B104, ô E10–F24" in text
    assert "0 done, 0 failed, 1 up to date" in run("2021-12")


def command(monkeypatch, capsys, *words):
    """`ward` with these words in this process: its exit code, and what it said."""
    monkeypatch.setattr(sys, "argv", ["ward", *map(str, words)])
    code = 0
    try:
        cli.main()
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr()
    return code, said.out + said.err


def stored(home):
    return {path: path.read_bytes() for path in (home / "data").rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("words", "state", "outcome"),
    [
        ([], "chưa ghi", "Chưa ghi: 13 dòng số liệu mới, 0 dòng điều chỉnh; 0 dòng đã có."),
        (["--apply"], "đã ghi", "Đã ghi: 13 dòng số liệu mới, 0 dòng điều chỉnh; 0 dòng đã có."),
    ],
)
def test_the_record_says_what_was_received(
    home, tmp_path, monkeypatch, capsys, words, state, outcome
):
    """To sign: whether it is written, first of all; the file with its digest and unit, each figure with its
    cells, three places to sign; the same bytes from the same examination."""
    sample = SAMPLES["01-commune-form.xlsx"]
    file, record = tmp_path / sample.file, tmp_path / "record.html"
    file.write_bytes(sample.data)
    asked = ["intake", file, "--ward", "phuc-dong", "--reported-on", "2022-02-10", "--page", record]
    before = stored(home)
    code, said = command(monkeypatch, capsys, *asked, *words)
    assert code == 0, said
    assert (stored(home) == before) is not bool(words)
    text = record.read_text(encoding="utf-8").replace(NBSP, " ")
    assert f'<p class="draft">{state}</p>' in text
    body = text[text.index("<main") :]
    assert body.index(outcome) < body.index("<table")
    for part in (
        "Phiếu tiếp nhận số liệu", "số liệu báo cáo ngày 10/02/2022", "SỐ LIỆU MINH HỌA",
        provenance.digest_bytes(sample.data).removeprefix("sha256:")[:12], "G6: Đơn vị: 1000 đồng",
        "Phí, lệ phí, 1/2022", "thu NSNN (triệu đồng): 12,8", "B104: E12, F12",
        "Người nộp", "Người tiếp nhận", "Lãnh đạo phường Phúc Đồng",
    ):  # fmt: skip
        assert part in text, part
    assert "http" not in text.replace("http-equiv", "")


def examined(tmp_path, name, day, data=None):
    path = tmp_path / name
    path.write_bytes(SAMPLES[name].data if data is None else data)
    return examination.take_in(
        descriptors.ward("phuc-dong"), [path], day, apply=False, answers=[], layout="", status="",
        today=TODAY,
    )  # fmt: skip


def test_the_record_is_an_archivable_page_of_a4(home, tmp_path):
    """The PDF is one sheet of A4, the same bytes each time; letters that no face has are told by their codes,
    as is markup in a name."""
    name = "thu \U0001f4ca #emph[x] <b>.xlsx"
    taken = examined(tmp_path, name, "2022-02-10", SAMPLES["01-commune-form.xlsx"].data)
    made = intake.page(taken, get("vi"), ".pdf", applied=False)
    assert made == intake.page(taken, get("vi"), ".pdf", applied=False)
    sheets = pypdf.PdfReader(io.BytesIO(made)).pages
    assert [[round(float(side)) for side in sheet.mediabox[2:]] for sheet in sheets] == [[595, 842]]
    text = sheets[0].extract_text()
    assert "\\U0001f4ca #emph[x] <b>.xlsx" in text and "CHƯA GHI" in text
    assert (
        "2022-02-10".replace("-", "") in pypdf.PdfReader(io.BytesIO(made)).metadata["/CreationDate"]
    )


def test_the_record_of_a_refused_file_names_every_place(home, tmp_path):
    """Nothing is written, how many places, and each with what was found and what to do."""
    taken = examined(tmp_path, "11-error-cells.xlsx", "2022-02-10")
    refused = [problem for problem in taken.files[0].problems if problem.severity == "refuse"]
    assert refused
    text = intake.page(taken, get("en"), ".html", applied=True).decode()
    assert '<p class="draft">not written</p>' in text
    assert f"Nothing is written: {len(refused)} refused, 0 to be decided" in text
    for problem in refused:
        assert f"sheet {problem.sheet}, cell {problem.cell}</th>" in text
    assert "#REF!" in text


def test_the_record_hides_small_counts(home, tmp_path):
    """Three who took part are 1–4 on paper, and nothing in the figures behind it."""
    taken = examined(tmp_path, "93-activities.xlsx", "2022-03-12")
    own = taken.files[0]
    for at, count in ((0, "3"), (1, "5")):
        arrival = own.arrivals[at]
        own.arrivals[at] = replace(arrival, cells=arrival.cells | {"participants": count})
    text = intake.page(taken, get("en"), ".html", applied=False).decode()
    assert "participants: 1–4<" in text and "participants: 5<" in text
    assert "participants: 3" not in text and "it stands as 1–4" in text


@pytest.mark.parametrize("name", ["record.docx", "nowhere/record.pdf"])
def test_a_page_that_cannot_be_is_refused_before_anything_is_written(
    home, tmp_path, monkeypatch, capsys, name
):
    """Another format, a folder that is not there: nothing is taken in."""
    sample = SAMPLES["01-commune-form.xlsx"]
    file = tmp_path / sample.file
    file.write_bytes(sample.data)
    before = stored(home)
    code, said = command(
        monkeypatch, capsys, "intake", file, "--ward", "phuc-dong", "--reported-on", "2022-02-10",
        "--apply", "--page", tmp_path / name,
    )  # fmt: skip
    assert code == 2 and "--page" in said
    assert stored(home) == before
