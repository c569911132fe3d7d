"""The page with which `make lab` begins, as the notebooks have it: their titles, their questions.

python tests/start.py --write    brings notebooks/start.vi.md and start.en.md up to date

A notebook's question stands in a comment after its title, which nothing shows, or else below the title.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
_TITLE = re.compile(r"# (?P<title>.*?) *(?:<!-- (?P<asked>.*?) -->)?<span.*\n*(?P<below>.*)")
_PAGES = {
    "vi": """# Sổ tính COVID-19 của phường

1. Nhấp vào tên một sổ trong bảng.
2. Nhấp **Chạy lại từ đầu** trên thanh công cụ của sổ.

| sổ | trả lời câu hỏi |
|---|---|
{rows}

Muốn xem phường khác, kỳ khác, bản tiếng Anh hay số liệu của một ngày trước, sửa `ward` (của quận: `district`), `period`, `language`,
`as_of` ở đầu sổ rồi chạy lại từ đầu. Sổ đã chạy xong thì nút **Báo cáo PDF** và trình đơn **Phường** xuất thành báo cáo. Còn điều gì
chưa chắc thì mở sổ [{explore}](explore.ipynb): sửa giả định và xem ngay kết quả, không cần sửa ô lệnh.

[The same in English](start.en.md)
""",
    "en": """# The ward's COVID-19 workbook

1. Click on a notebook in the table.
2. Click on **Run from the top** in its toolbar.

| notebook | question |
|---|---|
{rows}

For another ward or period, the Vietnamese edition, or what was known on an earlier day, change `ward` (`district`), `period`, `language`,
`as_of` at the notebook's head and run from the top again. A notebook that has run is made into a briefing by the button **Briefing as PDF** and the menu
**Ward**. In doubt, open [{explore}](explore.ipynb): there controls try what if, and nothing has to be typed.

[Trang này bằng tiếng Việt](start.vi.md)
""",
}


def pages() -> dict[Path, str]:
    """The start page in each language, by its file."""
    made = {}
    for code, page in _PAGES.items():
        rows, explore = [], ""
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            head = next(
                cell for cell in cells if f"lang-{code}" in cell["metadata"].get("tags", [])
            )
            said = _TITLE.match("".join(head["source"]))
            assert said, f"{path.name}: its first cell in {code} begins with no title"
            rows.append(f"| [{said['title']}]({path.name}) | {said['asked'] or said['below']} |")
            explore = said["title"]  # the last one, which has no number
        made[NOTEBOOKS / f"start.{code}.md"] = page.format(rows="\n".join(rows), explore=explore)
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", required=True)
    parser.parse_args()
    for file, text in pages().items():
        file.write_text(text, encoding="utf-8")
