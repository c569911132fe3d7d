"""What a notebook cell shows: content first, which JupyterLab sees as HTML and exporters draw.

A block travels inside the notebook as a MIME bundle, so an exporter needs the notebook alone:
`metadata["wardlib"]` holds the content (plain JSON, in no markup), `text/html` or a picture what
JupyterLab shows of it, and `application/vnd.dataresource+json` (Frictionless Tabular Data Resource)
the figures behind it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from wardlib.errors import ExportError
from wardlib.language import CODES, is_missing
from wardlib.pages import screen

RESOURCE = "application/vnd.dataresource+json"
SVG = "image/svg+xml"

# What each kind of content has: a type, a pattern of a text, a list or a record of these; in a tuple,
# what may be null instead; after an item, how many of it a list has at least.
_SLUG = re.compile("(?!.{81})[a-z0-9]+(?:-[a-z0-9]+)*")  # it names files, too
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OF: dict[str, Any] = {
    **dict.fromkeys(("ward", "period", "subject", "assumptions"), str),
    "as_of": (_DAY,),
    "day": _DAY,
    "language": re.compile("|".join(CODES)),
    "illustrative": bool,
}
_KINDS: dict[str, dict[str, Any]] = {
    "paragraph": {"text": str, "note": bool},
    "sources": {"text": str, "note": bool, "digests": dict},
    "headline": {"sentences": [str]},
    "answer": {"lines": [{"about": str, "says": str}]},
    "list": {"items": [str]},
    "signatures": {"places": [str, 1]},
    "chart": {"slug": _SLUG, "caption": str, "alt": str, "newest": bool},
    "table": {
        "slug": _SLUG,
        "caption": str,
        "columns": [{"head": str, "width": int, "words": bool}, 1],
        "rows": [
            {
                "head": str,
                "depth": int,
                "says": str,
                "cells": [{"lines": [str, 1], "mark": str, "pad": str}],
            }
        ],
        "note": str,
    },
    "head": {
        **dict.fromkeys(
            ("subtitle", "known", "mark", "number", "dated", "draft", "paper", "record", "superior",
             "to", "chart", "table", "skip"),
            str,
        ),
        **{name: [str] for name in ("lines", "authority", "recipients")},
        "motto": [str, 2],
        "signature": [str, 2],
        "vietnamese": bool,
    },
}  # fmt: skip
_FIGURES = {"schema": {"fields": [{"name": str, "type": str}]}, "data": [dict]}


class OfEdition(Protocol):
    """What a block is of: an edition, which says which one it is."""

    @property
    def of(self) -> dict[str, Any]: ...


@dataclass(frozen=True, repr=False)
class Block:
    """One thing on a page; a notebook displays it as a cell's last expression.

    `of`: of which edition it is (see `Edition.of`). `content`: its `kind` and what that kind has, as JSON;
    of a table or chart also `slug`, a name by which files and references know it, and `caption`.
    `plain`: the same as text. `figures`: the resource behind a table or chart. `svg`: a chart's picture.
    """

    of: dict[str, Any]
    content: dict[str, Any]
    plain: str
    figures: dict[str, Any] | None = None
    svg: str = ""

    def __repr__(self) -> str:
        return self.plain

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        content = self.content | {"of": self.of}
        data: dict[str, Any] = {"text/plain": self.plain}
        if self.svg:
            data[SVG] = self.svg
        if not self.svg or screen.is_interactive():  # which holds the picture a second time
            data["text/html"] = screen.render(content, self.svg, self.of["language"])
        if self.figures is not None:
            data[RESOURCE] = self.figures
        return data, {"wardlib": content | _running(self.content["kind"])}


def digest_of(source: str) -> str:
    """The first digits of the digest of what a cell does: of its lines without those of comments."""
    lines = (line.rstrip() for line in source.splitlines())
    done = "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
    return hashlib.sha256(done.encode(errors="replace")).hexdigest()[:12]


def _running(kind: str) -> dict[str, Any]:
    """By which cell a block is shown, where one runs; of the head and the sources also which have run in this
    session. See `agreement`."""
    shell = "IPython" in sys.modules and sys.modules["IPython"].get_ipython()
    sources = shell.history_manager.input_hist_raw if shell and shell.history_manager else []
    if len(sources) < 2:
        return {}
    whole = {"ran": sorted(set(map(digest_of, sources[1:])))} if kind in ("head", "sources") else {}
    return {"by": digest_of(sources[-1])} | whole


def paragraph(edition: OfEdition, text: str, *, note: bool = False) -> Block:
    """A paragraph; a note is set smaller."""
    return Block(edition.of, {"kind": "paragraph", "text": text, "note": note}, text)


def headline(edition: OfEdition, *sentences: str) -> Block:
    """The sentences that open a section; the first, which stands out, says what happened. An
    exporter adds to it which figures and tables show this."""
    return Block(
        edition.of, {"kind": "headline", "sentences": list(sentences)}, " ".join(sentences)
    )


def answer(edition: OfEdition, lines: Iterable[tuple[str, str]]) -> Block:
    """The lines that answer before anything else stands: what each is about, and what it says."""
    lines = list(lines)
    named = [{"about": about, "says": says} for about, says in lines]
    return Block(
        edition.of, {"kind": "answer", "lines": named}, joined(f"{a}. {says}" for a, says in lines)
    )


def bullets(edition: OfEdition, items: Iterable[str]) -> Block:
    """A list of sentences."""
    items = list(items)
    return Block(edition.of, {"kind": "list", "items": items}, joined(items))


def signatures(edition: OfEdition, places: Iterable[str]) -> Block:
    """Places to sign, side by side, each below the words that say whose it is."""
    places = list(places)
    return Block(edition.of, {"kind": "signatures", "places": places}, joined(places))


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


def known(output: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a notebook's output, which any cell may have put there, with what this version
    draws of its kind and nothing else; empty where it claims to be none of ours.

    Raises ExportError where it lacks something or has it in another shape.
    """
    content = output.get("metadata", {}).get("wardlib")
    if not content:
        return {}
    kind = content.get("kind") if isinstance(content, dict) else None
    if not (isinstance(kind, str) and kind in _KINDS):
        raise _strange("kind")
    drawn: dict[str, Any] = _fitted(content, _KINDS[kind] | {"of": _OF}, kind)
    return {"kind": kind} | drawn


def known_figures(figures: Any, slug: str) -> dict[str, Any]:
    """The figures behind the table or chart `slug` as an output holds them; ExportError where they are
    no Tabular Data Resource."""
    if isinstance(figures, str):
        try:
            figures = json.loads(figures)
        except ValueError:
            raise _strange(f"{slug}: figures") from None
    fields = _fitted(figures, _FIGURES, f"{slug}: figures")["schema"]["fields"]
    if len({field["name"] for field in fields}) < len(fields):
        raise _strange(f"{slug}: figures: schema: fields")
    return dict(figures)


def _fitted(value: Any, shape: Any, place: str) -> Any:
    """What of `value` has its place in `shape`; ExportError names the place of what does not fit."""
    if isinstance(shape, dict) and isinstance(value, dict):
        return {
            name: _fitted(value.get(name, ...), inner, f"{place}: {name}")
            for name, inner in shape.items()
        }
    if isinstance(shape, list) and isinstance(value, list) and len(value) >= sum(shape[1:]):
        return [_fitted(each, shape[0], place) for each in value]
    if isinstance(shape, tuple):
        return None if value is None else _fitted(value, shape[0], place)
    if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
        raise _strange(place)  # half of a sign, which no file can hold
    if isinstance(shape, re.Pattern):
        fits = isinstance(value, str) and shape.fullmatch(value) is not None
        fits = fits and (shape is not _DAY or _is_day(value))
    else:  # a notebook's records are of a class of their own; of the rest exactly, as True is an int
        fits = isinstance(value, dict) if shape is dict else type(value) is shape
    if not fits:
        raise _strange(place)
    return value


def _is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text) is not None
    except ValueError:
        return False


def _strange(place: str) -> ExportError:
    return ExportError(
        f"an output lacks what this version of wardlib draws ({place}): it was made by another one. "
        "Run the notebook again."
    )


# What begins so is a formula for Excel and LibreOffice, be it a cell or what a reader takes for one that
# parts cells at another sign than the comma, as a Vietnamese Excel does. The apostrophe before it makes
# it a text. OWASP, CSV Injection: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(
    r"(^|[;\t\r\n])(?=[\s\"\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠])|^(?=[\t\r\n])"
)


def as_csv(resource: dict[str, Any]) -> str:
    """The rows of a Tabular Data Resource as CSV, the unit of a column in brackets in its head. No text
    is a formula for a program of spreadsheets; numbers stay as they are."""
    fields = resource["schema"]["fields"]
    frame = pd.DataFrame(resource["data"], columns=[field["name"] for field in fields])
    for described in fields:
        column = frame[described["name"]]
        if described["type"] == "integer" and column.map(_whole).all():
            frame[described["name"]] = column.astype("Int64")
        elif not pd.api.types.is_numeric_dtype(column):
            frame[described["name"]] = column.map(_as_text, na_action="ignore")
    heads = [
        _as_text(f"{f['name']} ({_as_text(f['unit'])})" if "unit" in f else f["name"])
        for f in fields
    ]
    return frame.to_csv(index=False, header=heads, lineterminator="\n")


def _whole(value: Any) -> bool:
    return is_missing(value) or (
        type(value) in (int, float) and value % 1 == 0 and abs(value) < 2**63
    )


def _as_text(value: Any) -> Any:
    """A text as one, whatever it begins with; what is no text as it is."""
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


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
