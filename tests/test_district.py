"""The district: a package that names wards, its jobs, and its page, by three small wards made by hand."""

import dataclasses
import datetime
import json
import re
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, executed

import wardlib
from wardlib import cli, provenance
from wardlib.analysis import members, remembered
from wardlib.analysis.members import District
from wardlib.data import book, descriptors
from wardlib.errors import DataError, ExportError, RequestError
from wardlib.pages import document, gathering
from wardlib.pages.block import known
from wardlib.pages.completion import complete
from wardlib.periods import Period
from wardlib.runs import cache, plans
from wardlib.runs.plans import Job

DONOR = "phuc-dong"
PLANS = {"a": 2_000_000_000, "b": 3_000_000_000, "c": 5_000_000_000}
SIZES = {"a": 1, "b": 2, "c": 3}
DISTRICT = {
    "name": "vung", "title": "Vùng", "licenses": [{"title": "CC0 1.0"}],
    "sources": [{"title": "the wards", "title_vi": "các phường"}],
    "ward": {
        "name_vi": "Huyện Vùng", "name_en": "Vùng district", "authority_vi": "UBND\nhuyện Vùng",
        "authority_en": "People's Committee", "superior_vi": "UBND thành phố Hà Nội",
        "superior_en": "Hà Nội", "place": "Vùng", "areas": ["VN", "VN-HN"], "currency": "VND",
        "illustrative": True, "wards": [{"ward": name} for name in SIZES],
    },
    "resources": [],
}  # fmt: skip


def totals():
    """The newest receipts of the donor's total by month, the day of their report that of the first."""
    every = pd.read_csv(ROOT / "data" / DONOR / "receipts.csv")
    own = every[(every["line"] == "total") & (every["status"] == "actual")]
    return own.drop_duplicates("month").reset_index(drop=True)


def make(home, name, receipts, *, plan=None, illustrative=True, schools=False):
    """A ward with the receipts of its total alone, and a plan of 2020."""
    folder = home / "data" / name
    folder.mkdir(exist_ok=True)
    described = json.loads((ROOT / "data" / DONOR / "datapackage.json").read_text("utf-8"))
    kept = ("receipts", "targets", *(("schools", "school_months") if schools else ()))
    resources = [own for own in described["resources"] if own["name"] in kept]
    for own in resources:
        for recorded in ("hash", "bytes", "accepted_on"):
            own.pop(recorded)
    described["ward"] |= {
        "name_vi": f"Phường {name.upper()}", "name_en": f"Ward {name.upper()}", "illustrative": illustrative,
    }  # fmt: skip
    described |= {"name": name, "resources": resources}
    (folder / "datapackage.json").write_text(json.dumps(described), "utf-8")
    receipts.to_csv(folder / "receipts.csv", index=False)
    rows = [f"2020,total,upper,{plan},2019-12-24"] if plan else []
    head = "year,line,set_by,amount,reported_on"
    (folder / "targets.csv").write_text("\n".join([head, *rows]) + "\n", "utf-8")
    for table in ("schools", "school_months") if schools else ():
        shutil.copy(ROOT / "data" / DONOR / f"{table}.csv", folder)
    accept(folder)


def accept(folder):
    """Record the files of a ward as they are now."""
    path = folder / "datapackage.json"
    described = json.loads(path.read_text("utf-8"))
    for own in described["resources"]:
        file = folder / own["path"]
        own |= {"hash": provenance.digest(file), "bytes": file.stat().st_size}
    path.write_text(json.dumps(described), "utf-8")


def describe(home, **ward):
    """Write the district's descriptor, its `ward` object changed."""
    folder = home / "data" / "vung"
    folder.mkdir(exist_ok=True)
    described = DISTRICT | {"ward": DISTRICT["ward"] | ward}
    (folder / "datapackage.json").write_text(json.dumps(described), "utf-8")


@pytest.fixture
def district(tmp_path, monkeypatch):
    """A workbook with the district `vung` of the wards a, b and c, of which c is three times a."""
    home = tmp_path / "workbook"
    for name in ("data/reference", "notebooks"):
        shutil.copytree(ROOT / name, home / name)
    known_ = totals()
    for name, size in SIZES.items():
        own = known_.assign(collected=known_["collected"] * size, kept=known_["kept"] * size)
        make(home, name, own, plan=PLANS[name])
    describe(home)
    monkeypatch.setenv("WARDLIB_HOME", str(home))
    return home


def change(home, ward, how):
    """Change the receipts of a ward."""
    file = home / "data" / ward / "receipts.csv"
    how(pd.read_csv(file)).to_csv(file, index=False)
    accept(file.parent)


def problems():
    with pytest.raises(DataError) as error:
        descriptors.ward("vung")
    return {problem.column: problem.found for problem in error.value.problems}


# ------------------------------------------------------------------------------------ descriptor


@pytest.mark.parametrize(
    ("wards", "column", "found"),
    [
        ([], "ward.wards", "[]"),
        ([{"ward": "a"}, {"valid_to": "2020-01-01"}], "ward.wards.2.ward", "no such property"),
        ([{"ward": "a", "until": "2020-01-01"}], "ward.wards.1.until", "an unknown property"),
        ([{"ward": "a", "valid_to": "2020-02-30"}], "ward.wards.1.valid_to", '"2020-02-30"'),
        ([{"ward": "../a"}], "ward.wards.1.ward", '"../a"'),
        ([{"ward": "a", "valid_from": "2020-02-01", "valid_to": "2020-01-31"}],
         "ward.wards.1.valid_to", '"2020-01-31"'),
        ([{"ward": "vung"}], "ward.wards.1.ward", "the district itself"),
        ([{"ward": "a"}, {"ward": "a"}], "ward.wards.2.ward", '"a" again'),
        ([{"ward": "a", "valid_to": "2020-06-30"}, {"ward": "a", "valid_from": "2020-06-30"}],
         "ward.wards.2.ward", '"a" again'),
        ([{"ward": "d"}], "ward.wards.1.ward", "no such ward"),
        ([{"ward": "reference"}], "ward.wards.1.ward", "no such ward"),
        ([{"ward": "other"}], "ward.wards.1.ward", "a district"),
    ],
)  # fmt: skip
def test_a_district_that_names_wards_wrongly_is_refused(wards, column, found, district):
    """Each fault is told at its place: of the list's shape, of days, of wards that there are not, that are
    the district itself, a district too, or named twice for one day."""
    other = DISTRICT | {"name": "other"}
    (district / "data" / "other").mkdir()
    (district / "data" / "other" / "datapackage.json").write_text(json.dumps(other), "utf-8")
    describe(district, wards=wards)
    assert problems() == {column: found}


def test_every_ward_that_is_wrong_is_told_at_once(district):
    """As is that made-up figures are not said to be such."""
    describe(district, illustrative=False, wards=[{"ward": "d"}, {"ward": "a"}, {"ward": "e"}])
    assert problems() == {
        "ward.wards.1.ward": "no such ward",
        "ward.wards.2.ward": "a ward whose figures are illustrative",
        "ward.wards.3.ward": "no such ward",
    }


def test_a_ward_may_leave_a_district_and_come_back(district):
    """Its days do not overlap: a month is the district's where the ward belongs to it at its end."""
    first = {"ward": "a", "valid_to": "2020-02-29"}
    again = {"ward": "a", "valid_from": "2020-05-15"}
    describe(district, wards=[first, {"ward": "b", "valid_from": "2021-01-01"}, again])
    found = descriptors.ward("vung")
    assert found.members(Period.parse("2020-H1")) == {"a": {1, 2, 5, 6}}
    assert set(found.members(Period.parse("2021-01"))) == {"a", "b"}
    assert found.wards[0].valid_to == datetime.date(2020, 2, 29)


def test_check_and_list_tell_of_a_district(district, monkeypatch, capsys):
    """How many wards it has, beside the tables of its own."""
    told = []
    for words in (["check", "--ward", "vung"], ["list"]):
        monkeypatch.setattr(sys, "argv", ["ward", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        told.append(capsys.readouterr().out)
    assert told[0] == (
        "vung: wards: 3, tables of its own: 0, no problem\n"
        "vung: its wards were not checked; ward check checks all\n"
    )
    assert "vung: Vùng (illustrative); wards: 3\n" in told[1]


# ------------------------------------------------------------------------------------------ jobs


def test_each_unit_has_its_notebooks(district):
    """By default a ward gets those for wards, a district those for districts; its parameter is `district`."""
    asked = plans.plan(["2020-Q3"], wards=["all"], languages=["vi"])
    assert [job.notebook for job in asked if job.ward == "vung"] == ["80-district"]
    ours = [job.notebook for job in asked if job.ward == "a"]
    assert ours == [name for name in plans.notebooks() if name != "80-district"]
    assert len(asked) == len(list(asked)) == 3 * len(ours) + 1
    (job,) = plans.plan(["2020-Q3"], wards=["vung"], languages=["vi"], notebooks=["80-district"])
    assert job.parameters == {
        "district": "vung",
        "period": "2020-Q3",
        "language": "vi",
        "as_of": "",
    }
    few = plans.plan(["2020-Q3"], wards=["all"], languages=["vi"], notebooks=["80-district"])
    assert (list(few), plans.wards(few)) == ([job], 1)


def test_a_notebook_and_a_unit_that_do_not_fit_are_told(district):
    """Each, once, with what to name instead."""
    with pytest.raises(RequestError) as error:
        plans.plan(["2020"], wards=["vung"], languages=["vi"], notebooks=["30-targets"])
    assert (
        "vung is a district: name a notebook that is for a district, such as 80-district."
        in str(error.value)
    )
    assert "30-targets is for a ward: name a ward with --ward." in str(error.value)
    with pytest.raises(RequestError, match="80-district is for a district"):
        plans.known([Job("80-district", "a", "2020", "vi", "")])
    both = plans.plan(
        ["2020"], wards=["a", "vung"], languages=["vi"], notebooks=["30-targets", "80-district"]
    )
    assert [(job.ward, job.notebook) for job in both] == [
        ("a", "30-targets"),
        ("vung", "80-district"),
    ]


def test_a_page_is_asked_of_the_unit_that_has_it(district):
    """A ward has no wards; a period that no ward has figures of is none of the district's."""
    with pytest.raises(RequestError, match="a is a ward"):
        _ = wardlib.open("a", "2020-9M", "en").district
    with pytest.raises(RequestError, match="no receipt of vung for 2031"):
        wardlib.open("vung", "2031")
    describe(district, wards=[{"ward": "a", "valid_from": "2021-01-01"}])
    with pytest.raises(RequestError, match="no ward belongs to vung in 2020-9M: see valid_from"):
        wardlib.open("vung", "2020-9M")
    period = Period.parse("2020-9M")
    assert set(book.unreported(descriptors.ward("vung"), [period], None)) == {period}


def test_tab_offers_districts_and_their_periods(district):
    """In a parameters cell of a notebook for districts; where a ward may be named, all units."""
    assert complete('district: str = "') == ("", ["vung"])
    assert complete('wardlib.open("') == ("", ["a", "b", "c", "vung"])
    assert complete('district = "vung"\nperiod = "2021-H')[1] == ["2021-H1"]


# ------------------------------------------------------------------------------------------ page


def cells(block, head):
    """The cells of a row of a table, each as one text."""
    (row,) = [row for row in block.content["rows"] if row["head"] == head]
    return [" ".join(cell["lines"]) + cell["mark"] for cell in row["cells"]], row["says"]


def test_receipts_are_added_where_all_report(district):
    """The sum of three wards is six times the first's, their plans are added, the paper is of the newest
    report of any."""
    found = totals()
    year = found[(found["month"] >= "2020-01") & (found["month"] <= "2020-09")]["collected"].sum()
    page = wardlib.open("vung", "2020-9M", "en").district
    total = page.result.total
    assert total.year_to_date == 6 * year
    assert total.plan == sum(PLANS.values())
    assert total.share == pytest.approx(6 * year / 10e9)
    shown, _ = cells(page.receipts_table(), "All 3 wards")
    assert shown == [f"{6 * year / 1e6:,.1f}", "10,000.0", f"{100 * total.share:.1f}", "9/9"]
    assert "Plan set by the district" in [
        own["head"] for own in page.receipts_table().content["columns"]
    ]
    assert page.edition.day == datetime.date(2020, 10, 10)
    assert page.reports().plain == "Every ward has reported every month and line."
    assert set(page.result.summed) == set(SIZES)
    (split,) = [own["year to date"] for ward, own in page.result.splits.items() if ward == "c"]
    assert page.result.whole["year to date"].collected == 2 * split.collected
    months, last = page.result.months, page.result.spans[-1][1]
    alone = dataclasses.replace(
        page.result, months=months[months["month"] == last], spans=((last, last),)
    )
    svg = type(page)(page.edition, alone).months_chart().svg  # a single month has its interval too
    bands = re.findall(r'<path d="([^"]*)"[^>]*#b9770e; opacity: 0.25', svg)
    assert len(bands) == 3
    for band in bands:
        across = [float(x) for x in re.findall(r"[ML] (\S+)", band)]
        assert max(across) - min(across) > 50  # points


def test_a_month_that_lacks_is_named_and_nothing_stands_in_its_place(district):
    """There is no sum, the others stand, and the effect of all is told up to the last month of all, with its
    months. A ward whose own figures show a loss is named, and that three are too few to be compared."""
    change(district, "b", lambda rows: rows[rows["month"] < "2020-08"])

    def fallen(rows):
        rows.loc[rows["month"] >= "2020-03", ["collected", "kept"]] //= 5
        return rows

    change(district, "c", fallen)
    page = wardlib.open("vung", "2020-9M", "vi").district
    assert page.result.total.lacking == ("b",)
    assert pd.isna(page.result.total.year_to_date)
    assert "còn thiếu số liệu của phường B" in page.answer().plain
    assert "Đôn đốc báo cáo của phường B" in page.answer().plain
    assert "thấp nhất: phường C" in page.answer().plain  # of those with all months
    assert "ất thu ở phường C" in page.answer().plain
    assert "làm rõ nguyên nhân ở phường C" in page.answer().plain
    assert page.funnel_chart() is None
    assert "Quá ít phường để so sánh với nhau" in page.effect_sentence().plain
    table = page.effect_table()
    sums, says = cells(table, "Tổng 3 phường")
    assert sums[1].endswith("†") and says.startswith("2–7/2020: ")
    assert cells(table, "Phường B")[0][1].endswith("†")
    assert not cells(table, "Phường A")[0][1].endswith("†")
    assert "2–9/2020, các tháng đã báo cáo" in table.content["caption"]
    assert "biểu đồ phễu" not in table.content["note"].lower()
    said = page.reports().plain
    assert said.startswith("Phường B: chưa báo cáo từ tháng 8 năm 2020 (báo cáo gần nhất ngày")
    shown, _ = cells(page.receipts_table(), "Tổng 3 phường")
    assert (shown[0], shown[2], shown[3]) == ("…", "…", "…")
    assert cells(page.receipts_table(), "Phường B")[0][3] == "7/9"
    assert str(page.result.whole["year to date"].last) == "2020-07"


def test_a_month_in_the_middle_that_lacks_is_named(district):
    """As one in which something was reported since."""
    change(district, "b", lambda rows: rows[rows["month"] != "2020-05"])
    said = wardlib.open("vung", "2020-9M", "en").district.reports().plain
    assert said.startswith("Ward B: not reported: May 2020")


def test_currencies_are_not_added(district):
    """A ward with amounts in another currency stands in the list in its own, and in no sum; real figures
    beside illustrative ones have the others marked, in tables, captions and the head."""
    shutil.copytree(ROOT / "data/philadelphia", district / "data/philadelphia")
    describe(district, wards=[*DISTRICT["ward"]["wards"], {"ward": "philadelphia"}])
    page = wardlib.open("vung", "2020-9M", "en").district
    assert page.result.total.wards == tuple(SIZES)
    assert "philadelphia" not in page.result.summed
    table = page.receipts_table()
    name = page.result.wards.at["philadelphia", "name_en"]
    _, says = cells(table, name)
    assert says == "amounts in USD million"
    assert (
        f"Not in the sum, as their amounts are in another currency: {name}."
        in (table.content["note"])
    )
    assert cells(table, "Ward A°") and cells(table, "All 3 wards°")
    assert "3 of 4 wards°" in page.answer().plain
    assert "° illustrative figures." in table.content["note"]
    assert page.months_chart().content["caption"].endswith("(° illustrative figures)")
    assert "Ward A°" in page.months_chart().content["alt"]
    assert page.edition.mark == (
        "ILLUSTRATIVE FIGURES of the wards marked ° – not real data of these wards"
    )
    money = {
        own["name"] for own in table.figures["schema"]["fields"] if "USD" in own.get("unit", "")
    }
    assert not money
    assert {row["currency"] for row in table.figures["data"]} == {"VND", "USD"}


def test_a_district_whose_areas_no_phase_names(district):
    """Takes the start of its wards: the country alone, of a city with dollars."""
    shutil.copytree(ROOT / "data/philadelphia", district / "data/philadelphia")
    describe(district, wards=[{"ward": "philadelphia"}], areas=["US"], currency="USD")
    page = wardlib.open("vung", "2020-Q2", "en").district
    assert [str(month) for month in page.result.spans[-1]] == ["2020-03", "2020-06"]
    assert page.result.total.wards == page.result.summed == ("philadelphia",)
    describe(district, wards=[{"ward": "philadelphia"}])  # neither its start nor its currency
    page = wardlib.open("vung", "2020-Q2", "en").district
    assert "not enough evidence: another currency" in page.answer().plain
    assert "before the epidemic" not in page.answer().plain + page.effect_sentence().plain
    assert page.effect_table() is not None


def test_a_ward_with_no_statement_stands_with_its_reason(district):
    """One without a history, one that has reported nothing yet, one whose files are at fault."""
    change(district, "a", lambda rows: rows[rows["month"] >= "2020-01"])
    change(district, "b", lambda rows: rows[rows["month"] > "2020-09"])
    with (district / "data/c/receipts.csv").open("a") as file:
        file.write("2020-01,nothing,x,y,z,never\n")
    make(district, "d", totals(), plan=1)
    describe(district, wards=[{"ward": name} for name in "abcd"])
    page = wardlib.open("vung", "2020-9M", "en").district
    table = page.effect_table()
    assert "24 months" in cells(table, "Ward A")[1]
    assert cells(table, "Ward B") == (["…"] * 4, "not enough evidence: no month is reported")
    assert cells(table, "Ward C")[1] == "its files are at fault: see ward check --ward c"
    assert page.result.summed == ("d",)
    assert "Ward B: nothing reported since January 2020." in page.reports().plain
    assert "Ward C: its files are at fault" in page.reports().plain
    assert "Mend the files of Ward C; ask for the reports of Ward B." in page.answer().plain
    describe(district, wards=[{"ward": "c"}])
    with pytest.raises(RequestError, match=r"can be read\. See ward check --ward c"):
        wardlib.open("vung", "2020-9M")


def test_wards_that_merge_within_the_year(district):
    """Each has the months at whose end it belongs to the district: their sum is whole, but no sum of plans and
    none of the effect has a ward for a part of the year."""
    wards = [
        {"ward": "a", "valid_to": "2020-06-30"}, {"ward": "b", "valid_from": "2020-06-15"}, {"ward": "c"},
    ]  # fmt: skip
    describe(district, wards=wards)
    own = totals().set_index("month")["collected"]
    page = wardlib.open("vung", "2020-9M", "en").district
    total, found = page.result.total, page.result.wards
    assert found.loc["a", ["reported", "expected"]].tolist() == [6, 6]
    assert found.loc["b", ["reported", "expected"]].tolist() == [4, 4]
    assert total.year_to_date == (
        own["2020-01":"2020-06"].sum()
        + 2 * own["2020-06":"2020-09"].sum()
        + 3 * own["2020-01":"2020-09"].sum()
    )
    assert (pd.isna(total.plan), total.partly) == (True, ("a", "b"))
    assert page.result.summed == ("c",)
    assert (
        "Ward A and Ward B (of the district for a part of the year)"
        in page.effect_table().content["note"]
    )
    split = page.result.splits["a"]["year to date"]
    assert (str(split.first), str(split.last)) == ("2020-02", "2020-06")
    assert "Ward A: belongs to the district until June 2020 only." in page.reports().plain
    assert "Ward B: belongs to the district since June 2020 only." in page.reports().plain
    assert "1 of 3 wards" in page.answer().plain
    assert set(page.result.targets["ward"]) == {"c"}
    left_out = "Left out, as of the district for a part of the year: Ward A and Ward B."
    assert left_out in page.targets_sentence().plain


def test_a_day_in_the_past_sees_nothing_later(district):
    """As of 10/09/2020 no ward had reported September, though the files have it now."""
    page = wardlib.open("vung", "2020-9M", "en", "2020-09-10").district
    assert page.result.total.lacking == tuple(SIZES)
    assert set(page.result.wards["reported"]) == {8}


def test_a_period_before_the_epidemic(district):
    """Has receipts against plans, and says nothing of an effect."""
    page = wardlib.open("vung", "2019-Q3", "en").district
    assert (
        page.effect_table() is None and page.months_chart() is None and page.funnel_chart() is None
    )
    assert page.effect_sentence().plain == "The period ends before the epidemic."
    assert "no plan" not in page.answer().plain and not pd.isna(page.result.total.year_to_date)


def test_schools_that_lost_the_same_share_a_row(district):
    """Days lost stand by ward and level; a ward without schools is named."""
    for name in "ab":
        make(district, name, totals(), plan=PLANS[name], schools=True)
    page = wardlib.open("vung", "2020-Q1", "en").district
    table = page.schools_table()
    (row,) = table.content["rows"]
    assert row["head"] == "Ward A, Ward B"
    assert "No data of schools: Ward C." in table.content["note"]
    lost = wardlib.open("a", "2020-Q1", "en").schools.result.table("levels")
    lost = lost[lost["kind"] == "period"].set_index("level")["lost"]
    own = {row["level"]: row["lost"] for row in table.figures["data"] if row["ward"] == "b"}
    assert own == pytest.approx(lost.to_dict())


def test_papers_are_the_same_whatever_small_counts_are(district):
    """A school of 2 pupils and one of 4 give the same page and the same digests."""
    file, said = district / "data/a/school_months.csv", []
    for name in "ab":
        make(district, name, totals(), plan=PLANS[name], schools=True)
    for pupils in (2, 4):
        months = pd.read_csv(file)
        months.loc[months["school"] == "mam_non_d", "pupils"] = pupils
        assert (months["pupils"] == pupils).any()
        months.to_csv(file, index=False)
        accept(file.parent)
        book = wardlib.open("vung", "2020-Q1", "en")
        table = book.district.schools_table()
        said.append((table.content, table.figures, book.sources().content["digests"]))
    assert said[0] == said[1]


def test_a_large_district_shows_the_wards_that_matter(district):
    """Of more than twenty wards a table has twenty, and the attached figures all."""
    names = [f"w{at:02}" for at in range(22)]
    for name in names:
        make(
            district,
            name,
            totals()[lambda rows: rows["month"] >= "2020-01"],
            plan=10_000 if name == "w07" else 1_000,
        )
    describe(district, wards=[{"ward": name} for name in names])
    page = wardlib.open("vung", "2020-Q1", "en").district
    table = page.receipts_table()
    heads = [row["head"] for row in table.content["rows"]]
    assert heads[:2] == ["All 22 wards", "Ward W07"] and len(heads) == 21
    assert len(table.figures["data"]) == 22
    assert "Of 22 wards those that matter most here" in table.content["note"]
    seen_to_stand_out(page, names)


def seen_to_stand_out(page, wards):
    """Of made-up ratios, a ward that is hardly known lies far off and inside its own limits, which are those
    that decide, are drawn and are told; marked where illustrative beside real."""
    compared = pd.DataFrame(
        {"size": 1e9, "ratio": 0.1, "error": 0.02}, pd.Index(wards, name="ward")
    )
    compared["size"] *= np.arange(1, len(wards) + 1)
    compared.loc["w07", "ratio"] = 0.5
    compared.loc["w08", ["ratio", "error"]] = 0.4, 0.3
    marks = page.result.wards.assign(illustrative=[name != "w07" for name in wards])
    over = page.result.spans[-1]
    found = dataclasses.replace(page.result, compared=compared, over=over, wards=marks)
    page = type(page)(page.edition, found)
    outside = "Ward W07 (shortfall 50\xa0% of the expected)."
    assert f"Outside the limits for wards of their size: {outside}" in page.effect_sentence().plain
    assert "The funnel compares 22 wards°, Feb–Mar 2020" in page.effect_table().content["note"]
    chart = page.funnel_chart()
    assert chart.content["caption"].endswith("Feb–Mar 2020 (° illustrative figures)")
    assert chart.content["alt"].endswith(f"Outside: {outside}")
    assert chart.content["newest"]  # a narrow screen opens where it stands, at the right
    drawn = pd.DataFrame(chart.figures["data"]).query("kind == 'ward'").set_index("ward")
    assert drawn.index[drawn["ratio"] > drawn["upper"]].tolist() == ["w07"]
    real = dataclasses.replace(found, wards=marks.assign(illustrative=True))
    usual = type(page)(page.edition, real).funnel_chart().svg
    hollow = r"<use [^>]*fill: #ffffff"  # points
    assert (
        len(re.findall(hollow, chart.svg)) - len(re.findall(hollow, usual)) == 21 + 1
    )  # the legend's


def test_the_notebook_shows_every_block(district):
    """Three lines that answer first, then the reports, tables and charts, each with its figures."""
    for name in "ab":
        make(district, name, totals(), plan=10**12, schools=True)
    notebook = executed.__wrapped__("80-district", "vung", "2020-9M", "vi")
    contents = [known(output) for cell in notebook.cells for output in cell.get("outputs", [])]
    (top,) = [content for content in contents if content["kind"] == "answer"]
    assert [line["about"] for line in top["lines"]] == [
        "Thu ngân sách",
        "Dịch COVID-19",
        "Việc cần làm",
    ]
    slugs = [content["slug"] for content in contents if "slug" in content]
    assert slugs == [
        "wards-receipts", "wards-months", "wards-effect", "wards-schools", "wards-targets",
    ]  # fmt: skip
    assert document.read(notebook).record["parameters"]["district"] == "vung"
    (asked,) = [
        cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])
    ]
    asked.source = asked.source.replace("vung", "other")
    with pytest.raises(ExportError, match="other, 2020-9M"):
        document.read(notebook)


# ----------------------------------------------------------------------------------------- stored


def test_a_district_is_written_down_and_read_again(district):
    """To the last digit."""
    result, _ = gathering._gathered(wardlib.open("vung", "2020-9M").book)
    again = District.read(result.text())
    assert again.text() == result.text()
    for name in ("wards", "months", "compared", "lacking", "targets"):
        left, right = getattr(again, name), getattr(result, name)
        pd.testing.assert_frame_equal(left, right, check_dtype=False, check_index_type=False)
    assert again.whole["year to date"].row() == result.whole["year to date"].row()
    assert members.in_danger(again.targets).equals(members.in_danger(again.targets))


def test_what_was_made_is_not_made_again_while_no_file_changes(district, monkeypatch):
    """Neither read nor estimated; one byte of one ward's files, and it is."""
    first = wardlib.open("vung", "2020-9M", "en")
    said, read = first.district.answer().plain, dict(first.book.digests)

    def never(*_):
        raise AssertionError("it was made again")

    monkeypatch.setattr(gathering, "_gathered", never)
    again = wardlib.open("vung", "2020-9M", "en")
    assert (again.district.answer().plain, dict(again.book.digests)) == (said, read)
    with (district / "data/c/receipts.csv").open("a") as file:
        file.write("2016-12,total,5,5,actual,2017-01-10\n")
    with pytest.raises(AssertionError, match="made again"):
        _ = wardlib.open("vung", "2020-9M", "en").district
    remembered.forget()


def test_a_job_runs_again_when_a_ward_reports(district, monkeypatch):
    """A row that it reads, of any ward, makes it stale, and so does a ward whose files are mended; what was
    reported after its day does not."""
    day = "2020-12-31"
    job = Job("80-district", "vung", "2020-9M", "vi", day)
    with (district / "data/c/receipts.csv").open("a") as file:
        file.write("2020-01,nothing,5,5,actual,2020-02-10\n")
    book = wardlib.open("vung", "2020-9M", "vi", day)
    _ = book.district
    read = book.sources().content["digests"]
    assert {f"data/{ward}/receipts.csv" for ward in SIZES} <= set(read)
    job.folder.mkdir(parents=True)
    (job.folder / "page.html").write_text("x")
    record = {"parameters": job.parameters, "versions": {}, "day": day, "data": read}
    monkeypatch.setattr(cache.provenance, "versions", dict)
    made = cache.record(job, cache.notebook(job) | record, job.folder)
    (job.folder / cache.RECORD).write_text(json.dumps(made))

    def state_after(ward, change_):
        file = district / "data" / ward / "receipts.csv"
        before = file.read_text()
        file.write_text(change_(before))
        found = cache.state(job)
        file.write_text(before)
        return found

    assert cache.state(job) == cache.CURRENT
    assert (
        state_after("a", lambda text: text + "2020-01,total,7,7,actual,2021-01-10\n")
        == cache.CURRENT
    )
    assert (
        state_after("b", lambda text: text + "2020-01,total,7,7,actual,2020-12-10\n") == cache.STALE
    )
    assert state_after("c", lambda text: text.replace("nothing", "total")) == cache.STALE
    assert cache.state(job) == cache.CURRENT
