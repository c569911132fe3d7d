"""What the benchmarks print: tables in Markdown."""

from __future__ import annotations

import pandas as pd


def markdown(table: pd.DataFrame, decimals: dict[str, int]) -> str:
    """A table as Markdown: index and columns, numbers with the decimals of their column (0)."""

    def cell(column: str, value: object) -> str:
        if isinstance(value, str):
            return value
        return "" if pd.isna(value) else f"{value:,.{decimals.get(column, 0)}f}"

    heads = [table.index.name or "", *map(str, table.columns)]
    rows = [[str(name), *(cell(c, row[c]) for c in table)] for name, row in table.iterrows()]
    lines = [heads, ["---"] + ["---:"] * len(table.columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
