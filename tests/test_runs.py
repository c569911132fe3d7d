"""The `ward` command and the ecosystem's own tools, run as a user runs them."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pypdf
import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def ward(*words, home=None, cwd=None):
    """Run the command; its exit code, standard output and standard error."""
    env = os.environ | ({"WARDLIB_HOME": str(home)} if home else {})
    done = subprocess.run(
        [BIN / "ward", *words], capture_output=True, text=True, env=env, cwd=cwd, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def text_of(path):
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The nine-month run as of 13/09/2020 in both languages, twice (the second time by force), in a
    folder of its own."""
    home = tmp_path_factory.mktemp("run")
    for name in ("data", "notebooks"):
        (home / name).symlink_to(ROOT / name)
    words = ["run", "2020-9M", "--as-of", "2020-09-13", "--language", "vi", "--language", "en"]
    first = ward(*words, home=home)
    before = files(home / "output")
    second = ward(*words, "--force", home=home)
    return home / "output" / "phuc-dong" / "2020-9M.as-of-2020-09-13", first, before, second


def test_a_run_prints_a_line_now_and_then_and_the_totals(run):
    """Where there is no terminal: the first job's line with its file, others seconds apart, a last line of
    totals, exit 0, nothing on stderr."""
    _, (code, out, err), _, _ = run
    lines = out.splitlines()
    assert code == 0, err
    assert err == ""
    assert 2 <= len(lines) < 11
    for line in lines[:-1]:
        assert re.fullmatch(
            r"\[\d+/10\] phuc-dong 2020-9M ([0-9a-z-]+\.(vi|en)): done in \d+\.\d s -> "
            r"output/phuc-dong/2020-9M\.as-of-2020-09-13/\1/\1\.pdf",
            line,
        )
    assert lines[0].startswith("[1/10]")
    assert lines[-1] == "10 done, 0 failed"


def test_a_run_leaves_every_file_and_no_other(run):
    """A folder a job with notebook, HTML, PDF, figures.json and run.json; nothing half-made."""
    folder, *_ = run
    names = [
        "00-data-check",
        "10-tax-collection",
        "20-school-activities",
        "30-targets",
        "90-briefing",
    ]
    expected = {
        f"{name}.{language}/{file}"
        for name in names for language in ("vi", "en")
        for file in ("figures.json", "run.json",
                     *(f"{name}.{language}{suffix}" for suffix in (".ipynb", ".html", ".pdf")))
    }  # fmt: skip
    assert set(files(folder)) == expected
    assert {path.name for path in folder.parent.parent.iterdir()} == {"phuc-dong", "run.json"}


def test_the_same_command_twice_gives_the_same_bytes(run):
    """Every file of the second run equals the first's."""
    folder, _, before, second = run
    after = files(folder.parent.parent)
    assert second[0] == 0
    assert len(before) == 51
    assert [name for name in before if before[name] != after.get(name)] == []


def test_no_output_holds_a_clock_a_host_or_a_path(run):
    """Neither this folder, nor the checkout, nor the machine's name, nor today's date is in it."""
    folder, *_ = run
    words = [str(ROOT), str(folder), os.uname().nodename, 'papermill": {', "start_time"]
    for path in folder.rglob("*"):
        if path.suffix in {".json", ".html", ".ipynb"}:
            text = path.read_text(encoding="utf-8")
            assert not [word for word in words if word in text], path.name


def test_run_json_records_what_was_read_and_made(run):
    """Parameters, digests of data and outputs, versions: enough to make the briefing again."""
    folder, *_ = run
    folder = folder / "90-briefing.vi"
    own = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert own["parameters"] == {
        "ward": "phuc-dong", "period": "2020-9M", "language": "vi", "as_of": "2020-09-13"
    }  # fmt: skip
    assert set(own) == {
        "parameters", "day", "notebook", "code", "data", "face", "versions", "outputs", "bytes"
    }  # fmt: skip
    assert own["day"] == "2020-09-13"
    assert "data/phuc-dong/receipts.csv" in own["data"]
    assert {"python", "pandas", "papermill", "typst", "wardlib"} <= set(own["versions"])
    import hashlib

    for name, digest in own["outputs"].items():
        assert digest == "sha256:" + hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_figures_json_holds_the_unrounded_figures(run):
    """What the tables print, with unit, period, day and source, in no language."""
    folder, *_ = run
    figures = {
        language: (folder / f"90-briefing.{language}" / "figures.json").read_text(encoding="utf-8")
        for language in ("vi", "en")
    }
    assert figures["vi"] == figures["en"]
    table = json.loads(figures["vi"])["chart-targets"]
    assert table["period"] == "2020-9M"
    row = next(row for row in table["data"] if row["item"] == "total")
    assert (row["so_far"], row["target"], row["value"]) == (
        6_240_000_000, 3_000_000_000, 208,
    )  # fmt: skip


def test_the_briefing_prints_the_articles_figures(run):
    """208 % with both amounts, 115 of 100 units, 100 % and 82,9 %; what is missing is named; every page
    says that the data are illustrative."""
    folder, *_ = run
    text = text_of(folder / "90-briefing.vi" / "90-briefing.vi.pdf")
    for part in ("208 % (6.240/3.000 triệu đồng)", "115 % (115/100 đơn vị máu)", "100 %", "82,9 %",
                 "Chưa có báo cáo, không tính là 0: phí, lệ phí (9/2020)"):  # fmt: skip
        assert part in text
    for path in folder.rglob("*.pdf"):
        for page in pypdf.PdfReader(path).pages:
            mark = "SỐ LIỆU MINH HỌA" if ".vi." in path.name else "ILLUSTRATIVE FIGURES"
            assert mark in page.extract_text(), path.name
    for language in ("vi", "en"):
        assert (
            len(
                pypdf.PdfReader(
                    folder / f"90-briefing.{language}" / f"90-briefing.{language}.pdf"
                ).pages
            )
            <= 2
        )


def test_without_a_day_the_later_figures_are_printed(tmp_path):
    """The actual September turns 208 % into more, and the reconciliation says why."""
    for name in ("data", "notebooks"):
        (tmp_path / name).symlink_to(ROOT / name)
    words = ["run", "2020-9M", "--notebook", "00-data-check", "--notebook", "90-briefing"]
    code, _, err = ward(*words, home=tmp_path)
    assert code == 0, err
    folder = tmp_path / "output" / "phuc-dong" / "2020-9M"
    text = text_of(folder / "90-briefing.vi" / "90-briefing.vi.pdf")
    assert "212,5 % (6.375,3/3.000 triệu đồng)" in text
    assert "208 %" not in text
    check = text_of(folder / "00-data-check.vi" / "00-data-check.vi.pdf")
    assert "khớp khi công bố, sau đó điều chỉnh" in check
    assert "308%" in check.replace(" ", "")


def test_the_real_city_carries_no_mark(tmp_path):
    """Philadelphia 2020-Q2 in English: business tax was paid as the time allowed by law ended, parking
    tax was lost, and no loss is shown where none can be; no illustrative mark."""
    for name in ("data", "notebooks"):
        (tmp_path / name).symlink_to(ROOT / name)
    words = ["run", "2020-Q2", "--ward", "philadelphia", "--language", "en"]
    code, _, err = ward(*words, home=tmp_path)
    assert code == 0, err
    folder = tmp_path / "output" / "philadelphia" / "2020-Q2"
    text = text_of(folder / "10-tax-collection.en" / "10-tax-collection.en.pdf")
    moved = text[text.index("of 12 lines lie outside normal variation") :].split(". ")[0]
    late, lost = (
        "(short, then paid as the time allowed by law ended, a loss not excluded)",
        "(lost)",
    )
    assert "business income and receipts tax" in moved.split(late)[0]
    assert "parking tax" in moved.split(late)[1].split(lost)[0]
    assert "Late, not lost" not in text
    for path in [*folder.rglob("*.pdf")]:
        assert "ILLUSTRATIVE" not in text_of(path)
    for path in [*folder.rglob("*.html")]:
        assert "ILLUSTRATIVE" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["run", "2020-13"], ["'2020-13' is not a period", "2020-9M (nine months)"]),
        (["run", "2020-9M", "--ward", "nowhere"], ["no ward 'nowhere'", "phuc-dong"]),
        (["run", "2020-9M", "--ward", "reference"], ["no ward 'reference'"]),
        (["run", "2020-9M", "--ward", "../data/phuc-dong"], ["no ward '../data/phuc-dong'"]),
        (["run", "2020-9M", "--language", "fr"], ["'fr' is not a language", "vi, en"]),
        (["run", "2020-9M", "--as-of", "13/09/2020"], ["'13/09/2020' is not a day"]),
        (["run", "2020-9M", "--notebook", "99-none"], ["no notebook '99-none'", "90-briefing"]),
        (["run", "2035"], ["no receipt of phuc-dong for 2035"]),
        (["run", "2020-13", "--ward", "x", "--language", "fr"], ["2020-13", "'x'", "'fr'"]),
        (["run", "2020-9M", "--langauge", "vi"], ["No such option: --langauge"]),
        (["run"], ["name the periods to run"]),
        (["run", "--failed"], ["output/run.json does not say which jobs failed"]),
        (["run", "2020-9M", "--failed"], ["--failed alone"]),
        (["run", "2020-12..2020-01"], ["'2020-12..2020-01' is no span of periods"]),
        (["run", "2020-01..2020-Q2"], ["'2020-01..2020-Q2' is no span of periods"]),
        (["run", "2020-9M", "--scheduler", "tcp://127.0.0.1:1"], ["no Dask scheduler answers"]),
    ],
)  # fmt: skip
def test_a_bad_request_ends_before_anything_is_written(home, words, parts):
    """Exit 2, a message that says what is wrong and what would be right, no traceback, no file."""
    code, out, err = ward(*words, home=home)
    assert code == 2
    assert out == ""
    for part in parts:
        assert part in err
    assert "Traceback" not in err
    assert not files(home / "output")


def test_a_run_leaves_the_working_folder_alone(home, tmp_path):
    """Not even a socket stands in it while the kernel runs: two runs could take each other's."""
    folder = tmp_path / "empty"
    folder.mkdir()
    seen = set()
    run = subprocess.Popen(
        [BIN / "ward", "run", "2020-08", "--notebook", "90-briefing"],
        cwd=folder, env=os.environ | {"WARDLIB_HOME": str(home)}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    while run.poll() is None:
        seen |= set(folder.iterdir())
        time.sleep(0.05)
    assert run.returncode == 0
    assert seen == set()


def test_faulty_data_stop_the_run(home):
    """Five faults, a missing file and, of another table, a row that nobody accepted: all of them printed,
    exit 2, nothing made."""
    folder = home / "data" / "phuc-dong"
    lines = (folder / "targets.csv").read_text(encoding="utf-8").splitlines()
    lines[1] = "20x0" + lines[1][4:]
    lines[2] = lines[2].replace("upper", "uper").replace("ward", "uper")
    lines[3] += ",more"
    lines[4] = ",".join([*lines[4].split(",")[:3], "1.234,5", "2017-01-05"])
    lines[5] = lines[5][:-10] + "05/01/2017"
    (folder / "targets.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (folder / "receipts.csv").open("a") as file:
        file.write("2021-12,total,789096000,332386900,actual,2022-02-20\n")
    (folder / "schools.csv").unlink()
    code, out, err = ward("run", "2020-9M", home=home)
    assert (code, out) == (2, "")
    for part in ("targets.csv, row 2, column year", "row 3, column set_by", "row 4", "row 5",
                 "row 6, column reported_on", "schools.csv\n    found: No such file",
                 "receipts.csv\n    found: 1 row not accepted", "--accept"):  # fmt: skip
        assert part in err, part
    assert "Traceback" not in err
    assert not files(home / "output")


def test_a_notebook_with_other_parameters_is_refused(home):
    """A parameter renamed in a notebook would be ignored by papermill with a warning only."""
    path = home / "notebooks" / "10-tax-collection.ipynb"
    path.write_text(path.read_text("utf-8").replace("as_of: str", "asof: str"), "utf-8")
    code, _, err = ward("run", "2020-9M", home=home)
    assert code == 2
    assert "10-tax-collection.ipynb takes the parameters asof, language, period, ward" in err
    assert not (home / "output").exists()


def test_a_failed_notebook_is_kept_and_the_others_run(home):
    """Exit 1; the evidence stands where the output would be; the next good run clears it away."""
    path = home / "notebooks" / "10-tax-collection.ipynb"
    good = path.read_text("utf-8")
    path.write_text(good.replace("book.tax.running_total_chart()", "1 / 0"), "utf-8")
    words = ["run", "2020-Q3", "--notebook", "10-tax-collection", "--notebook", "90-briefing"]
    code, out, err = ward(*words, home=home)
    folder = home / "output" / "phuc-dong" / "2020-Q3"
    assert code == 1
    assert out.splitlines()[-1] == "1 done, 1 failed"
    assert "ZeroDivisionError: division by zero" in err
    assert "10-tax-collection.vi: FAILED" in out
    assert {path.name for path in folder.iterdir()} == {
        "10-tax-collection.vi.failed",
        "90-briefing.vi",
    }
    failed = nbformat.read(folder / "10-tax-collection.vi.failed/10-tax-collection.vi.ipynb", 4)
    assert any(o.output_type == "error" for c in failed.cells for o in c.get("outputs", []))
    report = json.loads((home / "output" / "run.json").read_text("utf-8"))
    assert (report["complete"], report["not_run"]) == (1, 0)
    (broken,) = report["failed"]
    assert broken["notebook"] == "10-tax-collection"
    assert broken["error"] == "ZeroDivisionError: division by zero"
    assert [cell.source for cell in failed.cells if cell.id == broken["cell"]] == [
        "book.show(book.tax.year_before_table(), 1 / 0, book.tax.plan_table())"
    ]
    assert (home / broken["file"]).is_file()

    path.write_text(good, "utf-8")
    code, out, _ = ward("run", "--failed", home=home)
    assert (code, out.splitlines()[-1]) == (0, "1 done, 0 failed")
    assert {path.name for path in folder.iterdir()} == {"10-tax-collection.vi", "90-briefing.vi"}
    assert ward("run", "--failed", home=home)[1] == "0 done, 0 failed\n"
    assert {path.name for path in (home / "output").iterdir()} == {"phuc-dong", "run.json"}


def test_check_accepts_a_month_of_data(home):
    """The clerk's way: append rows, see the problem, accept, run."""
    path = home / "data" / "phuc-dong" / "indicator_months.csv"
    with path.open("a", encoding="utf-8") as file:
        file.write("2022-01,blood_units,20,actual,2022-02-08\n")
    code, _, err = ward("check", home=home)
    assert code == 2
    assert "ward check --ward phuc-dong --accept" in err
    code, out, _ = ward("check", "--ward", "phuc-dong", "--accept", home=home)
    assert code == 0
    assert "accepted data/phuc-dong/indicator_months.csv: 1 row more (2022-01: 1)" in out
    assert ward("check", home=home)[0] == 0


def test_accept_refuses_what_is_wrong(home):
    """A fault is not accepted with the change."""
    path = home / "data" / "phuc-dong" / "indicator_months.csv"
    with path.open("a", encoding="utf-8") as file:
        file.write("2022-01,blood_units,many,actual,2022-02-08\n")
    before = (home / "data" / "phuc-dong" / "datapackage.json").read_bytes()
    code, _, err = ward("check", "--accept", home=home)
    assert code == 2
    assert "'many'" in err
    assert (home / "data" / "phuc-dong" / "datapackage.json").read_bytes() == before


def test_a_ward_with_receipts_alone_has_its_briefings(home, accept):
    """A new ward begins with a descriptor and one table: every notebook runs."""
    folder = home / "data" / "sai-dong"
    folder.mkdir()
    (folder / "receipts.csv").write_bytes((home / "data/phuc-dong/receipts.csv").read_bytes())
    raw = json.loads((home / "data/phuc-dong/datapackage.json").read_text("utf-8"))
    raw |= {"name": "sai-dong", "resources": raw["resources"][:1]}
    raw["ward"]["name_vi"] = "Phường Sài Đồng"
    (folder / "datapackage.json").write_text(json.dumps(raw, ensure_ascii=False), "utf-8")
    code, out, err = ward("run", "2020-09", "--ward", "sai-dong", home=home)
    assert code == 0, err
    assert out.splitlines()[-1] == "5 done, 0 failed"
    text = text_of(home / "output/sai-dong/2020-09/90-briefing.vi/90-briefing.vi.pdf")
    assert "Phường Sài Đồng" in text


def test_list_names_wards_and_notebooks():
    """What there is to run, with the months of data; illustrative wards are named as such."""
    code, out, _ = ward("list")
    assert code == 0
    assert "(illustrative); receipts 2017-01 to 2021-12" in out
    assert "philadelphia: City of Philadelphia" in out
    assert "notebook 90-briefing" in out


def test_stock_papermill_and_nbconvert_work_from_an_empty_folder(tmp_path):
    """The ecosystem's own commands give the same pages as ours, from anywhere once WARDLIB_HOME names
    the workbook."""
    env = os.environ | {"WARDLIB_HOME": str(ROOT)}

    def stock(*words):
        done = subprocess.run(
            [BIN / words[0], *words[1:]], cwd=tmp_path, env=env, capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    stock("papermill", str(ROOT / "notebooks" / "10-tax-collection.ipynb"), "x.ipynb",
          "-p", "period", "2020-Q3")  # fmt: skip
    stock("jupyter", "nbconvert", "--to", "ward-pdf", "x.ipynb")
    stock("jupyter", "nbconvert", "--to", "ward-html", "x.ipynb")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.html", "x.ipynb", "x.pdf"]
    assert "Quý III năm 2020" in text_of(tmp_path / "x.pdf")


def test_jupyterlab_exports_both_from_its_menu(tmp_path):
    """A real server lists both formats for the menu and answers the addresses it then asks for."""
    source = ROOT / "notebooks" / "90-briefing.ipynb"
    subprocess.run(
        [BIN / "papermill", "--no-progress-bar", source, tmp_path / "x.ipynb"],
        check=True, capture_output=True,
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [BIN / "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}",
         "--IdentityProvider.token=t", f"--ServerApp.root_dir={tmp_path}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}?token=t", timeout=60) as page:
            return page.read()

    try:
        for _ in range(150):
            try:
                formats = json.loads(get("api/nbconvert"))
                break
            except OSError:
                time.sleep(0.2)
        ours = {name: about["output_mimetype"] for name, about in formats.items() if "ward" in name}
        assert ours == {"ward_html": "text/html", "ward_pdf": "application/pdf"}
        assert get("nbconvert/ward_pdf/x.ipynb").startswith(b"%PDF-1.7")
        assert b'<html lang="vi">' in get("nbconvert/ward_html/x.ipynb")
    finally:
        server.terminate()
        server.wait()


def test_a_ward_without_schools_has_its_notebook(home):
    """Philadelphia: the run succeeds, the page says once what there are no data of, no section stands
    empty and no chart is drawn."""
    words = ["--ward", "philadelphia", "--language", "en", "--notebook", "20-school-activities"]
    code, _, err = ward("run", "2020-Q2", *words, home=home)
    assert code == 0, err
    page = (
        home / "output/philadelphia/2020-Q2/20-school-activities.en/20-school-activities.en.html"
    ).read_text("utf-8")
    said = (
        "There are no data here of schools, nor of extracurricular, cultural and sports activities."
    )
    assert page.count(said) == 1
    assert "<img" not in page
    assert "<table" not in page
    heads = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert [re.sub("<.*?>", "", head) for head in heads] == ["1. Sources and method"]
