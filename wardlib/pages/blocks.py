"""What a notebook cell shows: one object that renders in JupyterLab, in HTML and in Typst.

A block travels inside the notebook as a MIME bundle, so an exporter needs the notebook alone:
`text/html` and `text/x-typst` hold the rendering, `application/vnd.dataresource+json` (Frictionless
Tabular Data Resource) the figures behind it, `metadata["wardlib"]` what a page needs to know.
Everything from data passes through `html` or `typst` on its way into a rendering.
"""

from __future__ import annotations

import datetime
import html as _html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from wardlib.language import is_missing

TYPST = "text/x-typst"
RESOURCE = "application/vnd.dataresource+json"
SVG = "image/svg+xml"


@dataclass(frozen=True)
class Block:
    """A MIME bundle and its metadata; a notebook displays it as a cell's last expression."""

    data: dict[str, Any]
    about: dict[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple:
        return self.data, {"wardlib": self.about}


def show(*blocks: Block | None) -> None:
    """Display several blocks in one cell, those that there are."""
    from IPython.display import display  # only a notebook has a use for it

    display(*(block for block in blocks if block is not None))


# Signs that print nothing themselves but turn or break what stands beside them: control characters
# and the marks of writing direction (Unicode Standard Annex #9).
_UNPRINTED = dict.fromkeys(
    code
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F),
                 *range(0x2066, 0x206A), 0xFEFF)
    if chr(code) not in "\n\t"
)  # fmt: skip


def printed(text: str) -> str:
    """`text` as it prints: without controls and marks of direction, which could turn a line around.

    >>> printed("Thu\u202e phí\u200f")
    'Thu phí'
    """
    return text.translate(_UNPRINTED)


def html(text: str) -> str:
    """`text` as HTML character data or a quoted attribute."""
    return _html.escape(printed(text))


def typst(text: str) -> str:
    """`text` as Typst content, in markup or a content block.

    A string in code mode is never parsed as markup, so nothing in it can take effect; the
    semicolon ends the expression whatever follows.

    >>> print(typst('#read("secret.txt") $x$'))
    #"#read(\\"secret.txt\\") $x$";
    """
    return f"#{typst_string(_LONG.sub(_broken, text))};"


_LONG = re.compile(r"\S{31,}")  # letters without a space that no column may hold


def _broken(word: re.Match) -> str:
    """A long word with places where a line may break: Typst breaks no word by itself."""
    return "\u200b".join(word[0][at : at + 8] for at in range(0, len(word[0]), 8))


def typst_string(text: str) -> str:
    """`text` as a Typst string literal, for arguments such as alt texts."""
    return '"' + printed(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def paragraph(text: str, kind: str = "") -> Block:
    """A paragraph; `kind` is a class that the page styles ("note")."""
    return Block(
        {
            "text/plain": text,
            "text/html": f'<p class="{kind}">{html(text)}</p>' if kind else f"<p>{html(text)}</p>",
            TYPST: f"#{kind}[{typst(text)}]" if kind else typst(text),
        },
        {"kind": "paragraph"},
    )


def lead(*sentences: str) -> Block:
    """The sentences that open a section; the first, which stands out, says what happened. An
    exporter adds to it which figures and tables show this."""
    first, rest = sentences[0], " ".join(sentences[1:])
    return Block(
        {
            "text/plain": " ".join(sentences),
            "text/html": f'<p class="headline"><strong>{html(first)}</strong> {html(rest)}</p>',
            TYPST: f"{typst(first)} {typst(rest)}",
        },
        {"kind": "headline", "sentences": list(sentences)},
    )


def resource(
    name: str, frame: pd.DataFrame, units: dict[str, str], about: dict[str, Any]
) -> dict[str, Any]:
    """The figures behind a table or chart as a Tabular Data Resource.

    `units` gives the unit of each column that has one; `about` (period, as-of day, sources) is
    added as properties. Values are unrounded and in no language.
    """
    columns = dict(frame.items())
    return {
        "name": name,
        "profile": "tabular-data-resource",
        "schema": {
            "fields": [
                {"name": name, "type": _type(column)}
                | ({"unit": units[name]} if name in units else {})
                for name, column in columns.items()
            ]
        },
        "data": [
            dict(zip(columns, row, strict=True))
            for row in zip(*map(_plains, columns.values()), strict=True)
        ],
        **about,
    }


def as_csv(resource: dict[str, Any]) -> str:
    """The rows of a Tabular Data Resource as CSV, the unit of a column in brackets in its head."""
    fields = resource["schema"]["fields"]
    frame = pd.DataFrame(resource["data"], columns=[field["name"] for field in fields])
    for described in fields:
        if described["type"] == "integer":
            frame[described["name"]] = frame[described["name"]].astype("Int64")
    heads = [f"{f['name']} ({f['unit']})" if "unit" in f else f["name"] for f in fields]
    return frame.to_csv(index=False, header=heads, lineterminator="\n")


def dumps(value: Any) -> str:
    """JSON as this project writes it: two spaces, letters as they are, a final newline."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def joined(parts: Iterable[str]) -> str:
    """Lines of markup, empty ones left out."""
    return "\n".join(part for part in parts if part)


def _type(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.PeriodDtype):
        return "yearmonth"
    if column.dtype.kind == "f":
        values = column.to_numpy(dtype=float, na_value=np.nan)
        known = values[~np.isnan(values)]
        whole = len(known) and np.isfinite(known).all() and (known % 1 == 0).all()
        return "integer" if whole else "number"
    kinds = {"b": "boolean", "i": "integer", "u": "integer", "M": "date"}
    return kinds.get(column.dtype.kind, "string")


def _plains(column: pd.Series) -> list[object]:
    if pd.api.types.is_datetime64_dtype(column):
        days = np.datetime_as_string(column.to_numpy(), unit="D").tolist()
        return [None if day == "NaT" else day for day in days]
    return [_plain(value) for value in column.tolist()]


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value
    if is_missing(value) or value is pd.NA:
        return None
    if isinstance(value, pd.Period):
        return str(value)
    if isinstance(value, (pd.Timestamp, datetime.date)):
        return value.strftime("%Y-%m-%d")
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    # Twelve significant digits: what differs beyond them is the order of a sum, not the figure.
    return float(f"{value:.12g}") if isinstance(value, float) else value
