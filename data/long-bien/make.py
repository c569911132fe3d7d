"""Make the illustrative district of 14 wards, 2017-2021, with a known planted effect in each ward.

Thirteen wards named after trees, which are none of the wards of Long Biên, stand beside phường Phúc
Đồng, which keeps its own files. What moves one ward moves the others in part: season, Tết, due dates,
growth and shocks are common; each ward has a size, a growth and shocks of its own. What COVID-19 did to
each is planted, and written to `truth.csv`. In one ward, `STANDS_OUT`, much more was lost than in the
others: its market for motor vehicles closed for good.

    python data/long-bien/make.py    rewrites the CSV files and descriptors, always the same bytes
    make(seed)                       the same tables for another seed, no file touched

Calendar, lines, relief and closures are those of `data/phuc-dong/make.py`. Amounts, shares and effects
are illustrative.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

SEED = 20200926  # of a district whose truth lies near the middle of its intervals
HERE = Path(__file__).resolve().parent
DATA = HERE.parent


def _phuc_dong() -> ModuleType:
    """The script of phường Phúc Đồng, whose folder is no package."""
    path = DATA / "phuc-dong" / "make.py"
    spec = importlib.util.spec_from_file_location("phuc_dong", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


base = _phuc_dong()

# ---------------------------------------------------------------------------------------- wards


@dataclass(frozen=True)
class Ward:
    """A ward of the illustration: `size` is its receipts beside those of phường Phúc Đồng."""

    folder: str
    name: str
    size: float

    @property
    def area(self) -> str:
        """Its code of an area, which no list has: real ones are five digits."""
        return "VN-HN-004-" + "".join(part.title() for part in self.folder.split("-"))


WARDS = (
    Ward("bang-lang", "Bằng Lăng", 5.6),
    Ward("hoa-sua", "Hoa Sữa", 4.2),
    Ward("phuong-vi", "Phượng Vĩ", 3.4),
    Ward("sau", "Sấu", 2.7),
    Ward("xa-cu", "Xà Cừ", 2.2),
    Ward("hoang-lan", "Hoàng Lan", 1.7),
    Ward("ngoc-lan", "Ngọc Lan", 1.35),
    Ward("sao-den", "Sao Đen", 1.05),
    Ward("loc-vung", "Lộc Vừng", 0.85),
    Ward("muong-vang", "Muồng Vàng", 0.65),
    Ward("com-nguoi", "Cơm Nguội", 0.5),
    Ward("long-nao", "Long Não", 0.38),
    Ward("dau-da", "Dâu Da", 0.27),
)
# What a real district lacks. The newest month has not come in from one; one sends everything later than
# the others; one was made of parts of two others and has kept figures since.
UNREPORTED, NEWEST = "long-nao", pd.Period("2021-12", "M")
LATE, LATE_BY = "com-nguoi", pd.Timedelta(days=20)
YOUNG, BORN = "dau-da", pd.Period("2019-07", "M")

# ------------------------------------------------------------------------------------- receipts

COMMON_NOISE = (
    0.6  # of a line's noise, as a share of its standard deviation; the rest is a ward's own
)
SMALLER_NOISIER = 0.15  # power of the size by which a ward's own noise falls
COMMON_GROWTH, OWN_GROWTH = 0.02, 0.015  # per year, standard deviations, log scale
MIX = 0.2  # how much the shares of the lines differ between wards, likewise
COMMON_LOSS, OWN_LOSS = 0.08, 0.15  # of the share lost, likewise

STANDS_OUT = "xa-cu"
CLOSED = pd.Period("2020-03", "M")  # from this month on
GONE = {"registration_fee": 0.60, "pit": 0.25}  # of what would have come after all other losses


def common_shocks(rng: np.random.Generator) -> pd.DataFrame:
    """What moves a line in all wards, log scale: a row a month, a column a line."""
    size = len(base.MONTHS)
    years = (np.arange(size) - 5.5) / 12
    shocks = {}
    for line in base.LINES:
        drawn = rng.normal(0, COMMON_NOISE * line.noise, size)
        drawn[1:] *= np.sqrt(1 - base.AUTOCORRELATION**2)
        noise = np.empty(size)
        previous = 0.0
        for month, shock in enumerate(drawn):
            noise[month] = previous = base.AUTOCORRELATION * previous + shock
        shocks[line.code] = noise + rng.normal(0, COMMON_GROWTH) * years
    return pd.DataFrame(shocks, base.MONTHS)


def own_line(line: object, ward: Ward) -> object:
    """The line as it is in a ward: with noise of its own alone."""
    own = line.noise * np.sqrt(1 - COMMON_NOISE**2) * ward.size**-SMALLER_NOISIER
    return replace(line, noise=float(own))


def make_receipts(
    ward: Ward,
    common: pd.DataFrame,
    loss_factor: np.ndarray,
    applied: np.ndarray,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The receipts table of a ward, and what was planted in it.

    `common`: as `common_shocks`; `loss_factor`: the district's, one value a line; `applied`: one share a
    deferral.
    """
    count, lines = len(base.MONTHS), len(base.LINES)
    growth = rng.normal(0, OWN_GROWTH, lines)
    level = np.log(ward.size) + rng.normal(0, MIX, lines)
    trend = level + np.outer((np.arange(count) - 5.5) / 12, growth)
    own = {line.code: base.without_covid(own_line(line, ward), rng) for line in base.LINES}
    no_effect = pd.DataFrame(own, base.MONTHS) * np.exp(common + trend)
    factor = loss_factor * np.exp(rng.normal(0, OWN_LOSS, lines))
    planted = base.plant(no_effect, factor, applied)
    if ward.folder == STANDS_OUT:
        for line, share in GONE.items():
            left = planted["no_effect"].loc[CLOSED:, line] - planted["lost"].loc[CLOSED:, line]
            planted["lost"].loc[CLOSED:, line] += base.rounded(left * share)
    shape = (count, len(base.OFFICE))
    guess = np.exp(rng.normal(-0.06, 0.05, shape))
    chance = np.where(base.MONTHS.month == 12, 0.4, 0.06)[:, None]
    first = np.where(rng.random(shape) < chance, np.exp(rng.normal(0, 0.03, shape)), 1.0)
    table = base.reports(base.collected(planted), guess, first)
    kept_pct = table["line"].map({line.code: line.kept_pct for line in base.LINES})
    table = base.with_parents(table.assign(kept=table["collected"] * kept_pct // 100))
    table["line"] = pd.Categorical(table["line"], base.ORDER)
    table = table.sort_values(["reported_on", "month", "line"], ignore_index=True)
    columns = ["month", "line", "collected", "kept", "status", "reported_on"]
    return table.astype({"line": "str"})[columns], planted


def make_targets(ward: Ward, rng: np.random.Generator) -> pd.DataFrame:
    """The targets of a ward: the district's in December, its council's in January."""
    scale = ward.size * rng.uniform(0.9, 1.1, base.PLAN.shape)
    plan = (np.ceil(base.PLAN * scale / 5) * 5).astype(int)  # to 5 million
    premium = np.ceil(plan * base.WARD_PREMIUM / 5) * 5
    rows = [
        (year, line, set_by, int(amount), f"{year - before}-{day}")
        for set_by, own, before, day in (("upper", plan, 1, "12-24"), ("ward", premium, 0, "01-06"))
        for year, column in base.with_total(own).items()
        for line, amount in column.items()
    ]
    table = pd.DataFrame(rows, columns=["year", "line", "set_by", "amount", "reported_on"])
    table["reported_on"] = pd.to_datetime(table["reported_on"])
    return table.sort_values("reported_on", kind="stable", ignore_index=True)


# -------------------------------------------------------------------------------------- schools


def schools_of(ward: Ward) -> tuple[tuple, ...]:
    """The schools of a ward, in the form of `SCHOOLS` of phường Phúc Đồng: the more, the larger it is."""
    begins = str(BORN) if ward.folder == YOUNG else "2017-01"
    code = ward.folder.replace("-", "_")
    kinds = [("mam_non", "Mầm non", 320), ("tieu_hoc", "Tiểu học", 900), ("thcs", "THCS", 700)]
    if ward.size > 1.5:
        kinds += [("mam_non", "Mầm non", 180), ("thpt", "THPT", 800)]
    if ward.size > 3:
        kinds += [("tieu_hoc", "Tiểu học", 700), ("thcs", "THCS", 600)]
    made = []
    for place, (level, title, pupils) in enumerate(kinds):
        letter = "ABCDEFG"[place]
        private = level == "mam_non" and place > 2
        made.append(
            (
                *(f"{code}_{letter.lower()}", f"Trường {title} {ward.name} {letter} (minh họa)"),
                *(level, "private" if private else "public", begins, None),
                *(int(pupils * ward.size**0.3), 1.02),
            )
        )
    return tuple(made)


# ----------------------------------------------------------------------------- a whole district


def lacking(folder: str, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """A ward's table without what a real district would lack of it."""
    if folder == UNREPORTED and name == "receipts":
        return table[table["month"] != NEWEST].reset_index(drop=True)
    if folder == LATE and name in ("receipts", "school_months"):
        later = table.assign(reported_on=table["reported_on"] + LATE_BY)
        return later.sort_values("reported_on", kind="stable", ignore_index=True)
    if folder == YOUNG and name in ("receipts", "school_months"):
        return table[table["month"] >= BORN].reset_index(drop=True)
    if folder == YOUNG and name == "targets":
        return table[table["year"] > BORN.year].reset_index(drop=True)
    return table


def make(seed: int = SEED, complete: bool = False) -> dict[str, dict[str, pd.DataFrame]]:
    """All made tables of the 13 wards by folder and name, no file touched; `truth` of each among them.

    `truth`: a row a month of 2020 and 2021 and line, đồng: `no_effect` (would have been collected),
    `lost`, `deferred` (moved out of the month), `returned` (deferred before, paid in it), `exempt`.
    `complete`: nothing is late, nothing lacks, and no ward is young.
    """
    shared, *own = np.random.default_rng(seed).spawn(1 + len(WARDS))
    common = common_shocks(shared)
    loss_factor = np.exp(shared.normal(0, COMMON_LOSS, len(base.LINES)))
    applied = shared.uniform(*base.APPLIED_SHARE, len(base.DEFERRALS))
    made = {}
    for ward, rng in zip(WARDS, own, strict=True):
        receipts, planted = make_receipts(ward, common, loss_factor, applied, rng)
        tables = {
            "receipts": receipts,
            "targets": make_targets(ward, rng),
            "schools": base.make_schools(schools_of(ward)),
            "school_months": base.make_school_months(rng, schools_of(ward)),
        }
        if not complete:
            tables = {name: lacking(ward.folder, table, name) for name, table in tables.items()}
        stacked = pd.concat(planted, axis=1).loc[base.COVID_MONTHS].stack(future_stack=True)
        truth = stacked.rename_axis(["month", "line"]).reset_index()
        made[ward.folder] = tables | {"truth": truth[["month", "line", *planted]]}
    return made


# ---------------------------------------------------------------------------------------- files

TITLE = "illustrative receipts, plans and schools, 2017-2021"
SOURCE = {
    "title": "Illustrative figures made by data/long-bien/make.py with a planted effect; not collected "
    "by anybody",
    "title_vi": "Số liệu minh họa do data/long-bien/make.py tạo ra, có tác động dịch cài sẵn; không phải "
    "số liệu thu thập được",
}
TARGETS = (
    "One row a revenue line, year and who set its plan. Plans are for collected amounts (thu NSNN)."
)
OFFICES = (
    ("Chi cục Thuế quận Long Biên", "Tax Branch of Long Biên district"),
    ("Phòng GD&ĐT quận Long Biên", "Education Office of Long Biên district"),
    ("Lưu: VT", "File: registry"),
)


def recipients(*first: tuple[str, ...]) -> list[dict[str, str]]:
    """Who receives the papers: `first`, then the offices of the district."""
    keys = ("name_vi", "name_en", "valid_from", "valid_to")
    return [
        {key: text for key, text in zip(keys, own, strict=False) if text}
        for own in (*first, *OFFICES)
    ]


def ward_object(ward: Ward) -> dict[str, object]:
    """What the descriptor says of a ward."""
    name = ward.name
    council = "HĐND phường", "People's Council of the ward"
    return {
        "name_vi": f"Phường {name}",
        "name_en": f"{name} ward",
        "authority_vi": f"Ủy ban nhân dân\nphường {name}",
        "authority_en": f"People's Committee\nof {name} ward",
        "superior_vi": "UBND quận Long Biên",
        "superior_en": "Long Biên district",
        "place": name,
        "recipients": recipients(
            ("UBND quận Long Biên (để báo cáo)", "People's Committee of Long Biên district"),
            ("Đảng ủy phường", "Party Committee of the ward"),
            (*council, "", "2021-06-30"),
            (*council, "2025-07-01"),
        ),
        "areas": ["VN", "VN-HN", "VN-HN-004", ward.area],
        "currency": "VND",
        "illustrative": True,
    }


def district_object() -> dict[str, object]:
    """What the descriptor says of the district."""
    born = {"valid_from": str(BORN.start_time.date())}
    return {
        "name_vi": "Quận Long Biên",
        "name_en": "Long Biên district",
        "authority_vi": "Ủy ban nhân dân\nquận Long Biên",
        "authority_en": "People's Committee\nof Long Biên district",
        "superior_vi": "UBND thành phố Hà Nội",
        "superior_en": "Hà Nội city",
        "place": "Long Biên",
        "recipients": recipients(
            ("UBND thành phố Hà Nội (để báo cáo)", "People's Committee of Hà Nội city"),
            ("Quận ủy Long Biên", "Party Committee of the district"),
            ("UBND các phường thuộc quận", "People's Committees of the district's wards"),
        ),
        "areas": ["VN", "VN-HN", "VN-HN-004"],
        "currency": "VND",
        "illustrative": True,
        "wards": [
            {"ward": "phuc-dong"},
            *({"ward": w.folder} | (born if w.folder == YOUNG else {}) for w in WARDS),
        ],
    }


def planted_table() -> dict[str, object]:
    """How the descriptor describes `truth.csv`."""
    amounts = {
        "no_effect": "Would have been collected.",
        "lost": "Lost to COVID-19.",
        "deferred": "Moved out of this month by law.",
        "returned": "Deferred earlier, paid in this month.",
        "exempt": "Exempt by law.",
    }
    must = {"constraints": {"required": True}}
    text = [
        {"name": "ward", "type": "string", "description": "Folder of the ward.", **must},
        {"name": "month", "type": "yearmonth", "description": "Month.", **must},
        {"name": "line", "type": "string", "description": "Revenue line.", **must}
        | {"codes": "revenue_lines.code"},
    ]
    money = [
        {"name": name, "type": "integer", "description": said, "unit": "VND"}
        | {"constraints": {"required": True, "minimum": 0}}
        for name, said in amounts.items()
    ]
    return {
        "name": "planted",
        "type": "table",
        "path": "truth.csv",
        "description": "What was planted in the illustrative figures of the wards but phường Phúc Đồng, "
        "which has a truth.csv of its own: the right answer that estimates are tested against. Never "
        f"shown in a briefing. In {STANDS_OUT} much more was lost than elsewhere, by plan.",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": text + money,
            "missingValues": [""],
            "primaryKey": ["ward", "month", "line"],
        },
    }


def write(folder: Path, about: dict[str, object], tables: dict[str, pd.DataFrame]) -> None:
    """Write a package: each table of the descriptor `about`, its hash and length, and the descriptor."""
    folder.mkdir(exist_ok=True)
    for resource in about["resources"]:
        table = tables[resource["name"]]
        text = table.to_csv(index=False, lineterminator="\n", float_format=base.plain)
        data = text.encode()
        (folder / resource["path"]).write_bytes(data)
        resource["hash"] = f"sha256:{hashlib.sha256(data).hexdigest()}"
        resource["bytes"] = len(data)
    text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
    (folder / "datapackage.json").write_bytes(text.encode())


def main() -> None:
    """Write the folders of the 13 wards and the district's."""
    model = json.loads((DATA / "phuc-dong" / "datapackage.json").read_text(encoding="utf-8"))
    model |= {"sources": [SOURCE]}
    made = make()
    for ward in WARDS:
        about = model | {
            "name": ward.folder,
            "title": f"Phường {ward.name}, quận Long Biên, Hà Nội (a ward made up): {TITLE}",
            "ward": ward_object(ward),
            "resources": [
                resource | ({"description": TARGETS} if resource["name"] == "targets" else {})
                for resource in model["resources"]
                if resource["name"] in ("receipts", "targets", "schools", "school_months")
            ],
        }
        write(DATA / ward.folder, about, made[ward.folder])
    planted = [made[ward.folder]["truth"].assign(ward=ward.folder) for ward in WARDS]
    table = planted_table() | {"accepted_on": model["resources"][0]["accepted_on"]}
    columns = [field["name"] for field in table["schema"]["fields"]]
    about = model | {
        "name": "long-bien",
        "title": f"Quận Long Biên, Hà Nội, with wards that are made up: {TITLE}",
        "ward": district_object(),
        "resources": [table],
    }
    write(HERE, about, {"planted": pd.concat(planted, ignore_index=True)[columns]})


if __name__ == "__main__":
    main()
