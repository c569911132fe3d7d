"""What a notebook cell shows: content first, which JupyterLab sees as HTML and exporters draw.

A block travels inside the notebook as a MIME bundle, so an exporter needs the notebook alone:
`metadata["wardlib"]` holds the content (plain JSON, in no markup), `text/html` or a picture what
JupyterLab shows of it, and `application/vnd.dataresource+json` (Frictionless Tabular Data Resource)
the figures behind it.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wardlib.language import is_missing
from wardlib.pages import html

RESOURCE = "application/vnd.dataresource+json"
SVG = "image/svg+xml"


@dataclass(frozen=True, repr=False)
class Block:
    """One thing on a page; a notebook displays it as a cell's last expression.

    `content`: its `kind` and what that kind has, as JSON; of a table or chart also `slug`, a name by
    which files and references know it, and `caption`. `plain`: the same as text. `figures`: the
    resource behind a table or chart. `svg`: a chart's picture.
    """

    content: dict[str, Any]
    plain: str
    figures: dict[str, Any] | None = None
    svg: str = ""

    def __repr__(self) -> str:
        return self.plain

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        drawn = {SVG: self.svg} if self.svg else {"text/html": html.render(self.content)}
        data: dict[str, Any] = {"text/plain": self.plain} | drawn
        if self.figures is not None:
            data[RESOURCE] = self.figures
        return data, {"wardlib": self.content}


def paragraph(text: str, *, note: bool = False) -> Block:
    """A paragraph; a note is set smaller."""
    return Block({"kind": "paragraph", "text": text, "note": note}, text)


def headline(*sentences: str) -> Block:
    """The sentences that open a section; the first, which stands out, says what happened. An
    exporter adds to it which figures and tables show this."""
    return Block({"kind": "headline", "sentences": list(sentences)}, " ".join(sentences))


def answer(lines: Iterable[tuple[str, str]]) -> Block:
    """The lines that answer before anything else stands: what each is about, and what it says."""
    lines = list(lines)
    named = [{"about": about, "says": says} for about, says in lines]
    return Block({"kind": "answer", "lines": named}, joined(f"{a}. {says}" for a, says in lines))


def bullets(items: Iterable[str]) -> Block:
    """A list of sentences."""
    items = list(items)
    return Block({"kind": "list", "items": items}, joined(items))


def resource(
    name: str, frame: pd.DataFrame, units: Mapping[str, str], about: Mapping[str, Any]
) -> dict[str, Any]:
    """The figures behind a table or chart as a Tabular Data Resource.

    `units` gives the unit of each column that has one; `about` (period, as-of day, sources) is
    added as properties. Values are unrounded and in no language.
    """
    columns = {str(name): column for name, column in frame.items()}
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
            dict(zip(columns, cells, strict=True))
            for cells in zip(*map(_plains, columns.values()), strict=True)
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
    """Lines of text, empty ones left out."""
    return "\n".join(part for part in parts if part)


def _type(column: pd.Series) -> str:
    """The Table Schema type of a column."""
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
    """The cells of a column as JSON has them."""
    if pd.api.types.is_datetime64_dtype(column):
        days = np.datetime_as_string(column.to_numpy(), unit="D").tolist()
        return [None if day == "NaT" else day for day in days]
    return [_plain(value) for value in column.tolist()]


def _plain(value: Any) -> object:
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
