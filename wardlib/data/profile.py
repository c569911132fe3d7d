"""Profile: what a descriptor must look like, and every fault of one with its line and place.

The shape is that of `datapackage.schema.json` (JSON Schema); the columns that a table of a known name
cannot do without are those of `tables.json`; what neither can say (one key stands twice, a name refers
to what is not there) is said here. A descriptor without a fault can be read without a further look.
"""

from __future__ import annotations

import functools
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any, NamedTuple

from wardlib.data import patterns, reading
from wardlib.errors import Problem, RequestError, Said, hides, said
from wardlib.language import is_currency
from wardlib.periods import parse_day

REFERENCE = "reference"  # the folder of what all wards share
PERSONS = "persons"  # the unit of a column that counts them
_LIKE_PERSONS = {"person", PERSONS, "people", "pupils", "students", "children", "người", "học sinh"}
_RESERVED = ("all", REFERENCE)  # words that mean something else where wards are named
_DEEPEST = 20  # objects and lists in one another; a sound descriptor has eight
_MOST = 200  # faults told of one descriptor; a file of millions is none
_VALUES = 10_000  # in all; ours have less than a thousand
_DIGITS = 25  # of a whole number; the schema allows nineteen
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")\s*(:)?|[{}\]]|[\[,]\s*')

_Path = tuple[str | int, ...]


class _Fault(NamedTuple):
    """What is wrong at a place of a descriptor."""

    path: _Path
    found: str
    expected: str
    fix: str


@functools.lru_cache(maxsize=4)  # of a ward and the reference, which are read again and again
def faults(folder: str, text: str) -> tuple[Problem, ...]:
    """Every fault of a descriptor, the text of `datapackage.json` in `data/<folder>/`."""
    file = f"data/{folder}/datapackage.json"
    repeated: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            repeated.append("")
        return made

    def whole(digits: str) -> float:
        return int(digits) if len(digits) <= _DIGITS else math.inf

    try:
        described = json.loads(
            text, object_pairs_hook=once, parse_int=whole, parse_constant=lambda _: math.nan
        )
    except json.JSONDecodeError as error:
        fix, message = said("mend the syntax at this line"), reading.outside(error.msg)
        return (Problem(file, error.lineno, "", message, "JSON", fix),)
    except RecursionError:
        return (Problem(file, 0, "", *_TOO_DEEP),)
    found = list(_unfit(described, ()))
    if _is_larger(described, _VALUES):
        fix = said("take out what describes no table")
        many = said("more than {count} values", count=f"{_VALUES:,}")
        found = [_Fault((), many, said("a descriptor of tables"), fix)]
    elif not any(fault.found == _TOO_DEEP[0] for fault in found):
        found += _misshapen(described)
    if not found:
        found += _contradictions(folder, described)
    if not found and not repeated:
        return ()
    lines, twice = _places(text)
    problems = []
    for path, line, first in twice[:_MOST]:
        found_key = said("a key that stands in line {line} too", line=first)
        place, fix = _shown_path(described, path), said("remove one of the two")
        problems.append(Problem(file, line, place, found_key, said("each key once"), fix))
    if left := len(found[_MOST:]) + len(twice[_MOST:]):
        fix = said("correct those above first")
        last = text.count("\n") + 1  # told last
        more = said("{count} more faults", count=f"{left:,}")
        problems.append(Problem(file, last, "", more, said("none"), fix))
    for path, *texts in found[:_MOST]:
        problems.append(Problem(file, _line(lines, path), _shown_path(described, path), *texts))
    return tuple(sorted(set(problems)))


def located(folder: str, text: str, path: _Path, found: str, expected: str, fix: str) -> Problem:
    """A fault at a place of a descriptor that has none of `faults`, found beside other files."""
    line, place = _line(_places(text)[0], path), _shown_path(json.loads(text), path)
    return Problem(f"data/{folder}/datapackage.json", line, place, found, expected, fix)


def _line(lines: dict[_Path, int], path: _Path) -> int:
    """The line of a place, or of what it should stand in."""
    return next(lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines)


_TOO_DEEP = (
    said("more than {count} objects and lists in one another", count=_DEEPEST),
    said("the shape of a descriptor"),
    said("take the inner ones out"),
)


def _is_larger(described: Any, most: int) -> bool:
    """Whether there are more values than `most`, those inside of others counted too."""
    waiting, count = [described], 0
    while waiting and count <= most:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
    return count > most


def _unfit(value: Any, path: _Path) -> Iterator[_Fault]:
    """Faults that a value has wherever it stands: depth, hidden signs, numbers beyond all bounds."""
    if len(path) > _DEEPEST:
        yield _Fault(path[:2], *_TOO_DEEP)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _hidden(key, path)
            yield from _unfit(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _unfit(inner, (*path, at))
    elif isinstance(value, str):
        yield from _hidden(value, path)
    elif isinstance(value, float) and not math.isfinite(value):
        found = said("no number") if math.isnan(value) else said("a number beyond all bounds")
        yield _Fault(path, found, said("a number"), said("write a number in digits"))


def _hidden(text: str, path: _Path) -> Iterator[_Fault]:
    if text.isascii() and text.isprintable():
        return
    if hides(text.replace("\n", "")):
        expected = said("no control sign, nor one without width or of writing direction")
        fix = said("write the text anew, without what is shown as \\")
        yield _Fault(path, _shown(text), expected, fix)
    if not unicodedata.is_normalized("NFC", text):
        expected = said("composed Unicode letters (NFC)")
        fix = said("save the file with composed letters (NFC), e.g. from a Unicode keyboard")
        yield _Fault(path, ascii(text)[:100], expected, fix)


def _is_day(text: str) -> bool:
    try:
        return parse_day(text) is not None
    except RequestError:
        return False


@functools.cache
def validator() -> tuple[dict[str, Any], Callable[[Any], object]]:
    """The schema and what holds a value against it, made once a process."""
    import fastjsonschema

    source = files("wardlib.data") / "datapackage.schema.json"
    schema = json.loads(source.read_text(encoding="utf-8"))
    formats = {"date": _is_day, "currency": is_currency}
    return schema, fastjsonschema.compile(
        schema, formats=formats, use_default=False, fast_fail=False
    )


# Descriptions of columns without a fault, as JSON: the wards of a country have the same few.
_sound: set[str] = set()
_SMALLEST = {"fields": [{"name": "a", "type": "string"}]}  # one that is quickly looked at


def _has_schema(resource: Any) -> bool:
    return isinstance(resource, dict) and "schema" in resource


def _misshapen(described: Any) -> list[_Fault]:
    """What the schema does not allow."""
    from fastjsonschema import JsonSchemaValuesException

    schema, validate = validator()
    texts: list[str] = []
    brief = described
    if isinstance(described, dict) and isinstance(resources := described.get("resources"), list):
        texts = [json.dumps(own["schema"]) if _has_schema(own) else "" for own in resources]
        pairs = zip(resources, texts, strict=True)
        own = [one | {"schema": _SMALLEST} if text in _sound else one for one, text in pairs]
        brief = described | {"resources": own}
    try:
        validate(brief)
        if len(_sound) > _MOST:
            _sound.clear()
        _sound.update(texts)
    except JsonSchemaValuesException as error:
        faults: list[_Fault] = []
        for broken in error.errors:
            path = _path(described, broken.path[1:])
            rule = broken.definition
            if broken.rule == "required":
                for key in rule["required"]:
                    if key not in broken.value:
                        expected = _expected(schema, rule["properties"][key])
                        fix = said("add the property {key}", key=key)
                        faults.append(_Fault((*path, key), _NO_PROPERTY, expected, fix))
            elif broken.rule == "additionalProperties":
                known = rule["properties"]
                expected = said("one of {words}", words=", ".join(known))
                fix = said("correct the name of the property, or remove it")
                for key in broken.value.keys() - known.keys():
                    faults.append(_Fault((*path, key), said("an unknown property"), expected, fix))
            else:
                fix = said("correct the property")
                if broken.rule == "not":
                    fix = said("remove the property")
                found = _shown(broken.value)
                faults.append(_Fault(path, found, _expected(schema, rule), fix))
        return faults
    return []


_NO_PROPERTY: str = said("no such property")


def _expected(schema: dict[str, Any], rule: dict[str, Any]) -> str:
    """The words of the schema for what it expects."""
    if "$ref" in rule:
        rule = schema["definitions"][rule["$ref"].rpartition("/")[2]]
    return Said(rule["description"], {})


def _contradictions(folder: str, described: dict[str, Any]) -> Iterator[_Fault]:
    """Faults of a descriptor of the right shape: what does not fit to the rest of it."""
    name = described["name"]
    if name.casefold() in _RESERVED and folder != REFERENCE:
        fix = said("give the folder another name")
        yield _Fault(("name",), _shown(name), said("another name"), fix)
    if name != folder:
        expected = said("{folder}, the name of the folder", folder=repr(folder))
        yield _Fault(("name",), _shown(name), expected, said("give both the same name"))
    if folder == REFERENCE and "ward" in described:
        expected = said("no ward: all wards share these tables")
        fix = said("remove it; a ward has a folder of its own")
        yield _Fault(("ward",), said("a ward"), expected, fix)
    resources = described["resources"]
    if "ward" in described:
        yield from _ward(described["ward"])
        yield from _wards(folder, described["ward"].get("wards", []))
        yield from _money(described["ward"], resources)
    for key in ("name", "path"):  # some systems tell no capitals from small letters
        values = [resource[key].casefold() for resource in resources]
        yield from _again(values, ("resources",), key)
    for at, resource in enumerate(resources):
        yield from _table(resource["schema"], ("resources", at, "schema"))
        if known := _known_tables().get(resource["name"]):
            yield from _known_table(known, resource["schema"], ("resources", at, "schema"))


def _ward(ward: dict[str, Any]) -> Iterator[_Fault]:
    country, *others = ward["areas"]
    expected = said("a country in two capitals first, then areas inside it")
    if len(country) != 2:
        yield _Fault(("ward", "areas", 0), _shown(country), expected, said("put the country first"))
    for at, area in enumerate(others, 1):
        if not area.startswith(f"{country[:2]}-"):
            yield _Fault(("ward", "areas", at), _shown(area), expected, said("correct the code"))
    for key in ("recipients", "wards"):
        for at, one in enumerate(ward.get(key, [])):
            first, last = _days(one)
            if last < first:
                expected = said("a day not before valid_from, {day}", day=first)
                path = ("ward", key, at, "valid_to")
                yield _Fault(path, _shown(last), expected, said("correct one of the two days"))


def _days(one: dict[str, str]) -> tuple[str, str]:
    """The first and the last day on which something holds."""
    return one.get("valid_from", ""), one.get("valid_to", "9999")


def _wards(folder: str, wards: list[dict[str, str]]) -> Iterator[_Fault]:
    """Wards of a district that are the district itself, or that stand twice for the same day."""
    above: dict[str, list[tuple[str, str]]] = {}
    for at, one in enumerate(wards):
        name, (first, last) = one["ward"], _days(one)
        path = ("ward", "wards", at, "ward")
        if name == folder:
            expected, fix = said("a ward of the district"), said("remove it")
            yield _Fault(path, said("the district itself"), expected, fix)
        if any(start <= last and first <= end for start, end in above.get(name, [])):
            found = said("{value} again", value=_shown(name))
            expected = said("each ward once on a day")
            fix = said("remove one of the two, or correct valid_from and valid_to")
            yield _Fault(path, found, expected, fix)
        above.setdefault(name, []).append((first, last))


def _money(ward: dict[str, Any], resources: list[dict[str, Any]]) -> Iterator[_Fault]:
    """What a ward cannot do without, and amounts in another currency than its own."""
    currency = ward["currency"]
    if not resources and "wards" not in ward:
        fix = said("describe the table of receipts at least")
        yield _Fault(("resources",), said("no table"), said("the tables of the ward"), fix)
    for at, resource in enumerate(resources):
        for place, field in enumerate(resource["schema"]["fields"]):
            unit = field.get("unit", currency)
            if unit != currency and is_currency(unit):
                path = ("resources", at, "schema", "fields", place, "unit")
                expected = said("{currency}, the currency of the ward", currency=currency)
                fix = said("correct the unit, or the currency of the ward")
                yield _Fault(path, _shown(unit), expected, fix)


def _table(schema: dict[str, Any], path: _Path) -> Iterator[_Fault]:
    fields = schema["fields"]
    names = [field["name"] for field in fields]
    yield from _again(names, (*path, "fields"), "name")
    fix = said("name a column of this table")
    key = schema.get("primaryKey", [])
    for at, name in enumerate(_several(key)):
        if name not in names:
            place = (*path, "primaryKey") if isinstance(key, str) else (*path, "primaryKey", at)
            one_of = said("one of {words}", words=", ".join(names))
            yield _Fault(place, _shown(name), one_of, fix)
    if "reported_on" in names and "reported_on" not in _several(key):
        expected = said("a key with reported_on: what makes a row a new report of the same figure")
        fix_key = said("name the columns of the key")
        yield _Fault((*path, "primaryKey"), _shown(key), expected, fix_key)
    types = {field["name"]: field["type"] for field in fields}
    for at, field in enumerate(fields):
        place = (*path, "fields", at)
        yield from _persons(field, names, _several(key), place)
        other = field.get("at_most")
        numbers = [name for name in names if types[name] in ("integer", "number")]
        fit = [name for name in numbers if name != field["name"]]
        if other is not None and other not in fit:
            columns = ", ".join(fit) or said("there is none")
            expected = said("another column of numbers: {columns}", columns=columns)
            yield _Fault((*place, "at_most"), _shown(other), expected, fix)
        yield from _constraints(field, (*place, "constraints"))


def _persons(
    field: dict[str, Any], names: list[str], key: list[str], path: _Path
) -> Iterator[_Fault]:
    """Counts of persons, of which small ones are hidden (see `disclosure`): whole numbers in the unit that
    tells them, none of them in a key, and room for the column that marks what is hidden."""
    name, unit = field["name"], field.get("unit", "")
    if unit.casefold() in _LIKE_PERSONS and unit != PERSONS:
        fix = said("write it so: small counts are hidden")
        yield _Fault((*path, "unit"), _shown(unit), PERSONS, fix)
    if unit != PERSONS:
        return
    if field["type"] != "integer":
        expected = said("integer, as it counts persons")
        fix = said("correct the type, or the unit")
        yield _Fault((*path, "type"), _shown(field["type"]), expected, fix)
    if name in key:
        found = said("{unit} in the primary key", unit=_shown(unit))
        fix = said("leave the column out of the key: a hidden count must not tell rows apart")
        yield _Fault((*path, "unit"), found, said("another column"), fix)
    if f"{name}_hidden" in names:
        expected = said(
            "no column {column}_hidden, which marks the hidden counts of {column}", column=name
        )
        found = said("a column {column}_hidden", column=name)
        yield _Fault(path, found, expected, said("give it another name"))


@functools.cache
def _known_tables() -> dict[str, dict[str, Any]]:
    """By the name of a table that is asked for by name, what its columns cannot do without."""
    source = files("wardlib.data") / "tables.json"
    known: dict[str, dict[str, Any]] = json.loads(source.read_text(encoding="utf-8"))
    return known


def _known_table(known: dict[str, Any], schema: dict[str, Any], path: _Path) -> Iterator[_Fault]:
    """What the pages and the checks count on: the key, by which a later report takes the place of an
    earlier one, and the columns."""
    key = _several(schema.get("primaryKey", []))
    if set(key) != set(known["key"]):
        fix = said("write this key: with another one a figure would count twice, or be lost")
        yield _Fault((*path, "primaryKey"), _shown(key), _shown(known["key"]), fix)
    yield from _columns(known["columns"], schema["fields"], (*path, "fields"))


def _columns(known: dict[str, Any], fields: list[dict[str, Any]], path: _Path) -> Iterator[_Fault]:
    """Columns that are missing, of another type, with cells that may be empty, with words that nobody
    knows, or with codes of no list."""
    places = {field["name"]: at for at, field in reversed(list(enumerate(fields)))}
    if missing := [name for name in known if name not in places]:
        gone = said("no {columns}", columns=", ".join(missing))
        expected = said("the columns {columns}", columns=", ".join(known))
        fix = said("describe the columns, or give the table another name")
        yield _Fault(path, gone, expected, fix)
    for name, needs in known.items():
        if name in missing:
            continue
        place, field = (*path, places[name]), fields[places[name]]
        limits = field.get("constraints", {})
        if field["type"] != needs["type"]:
            fix = said("correct the type, or give the table another name")
            if needs["type"] == "integer" and field["type"] == "number":
                fix = said("write integer, and round the column to whole units")
            yield _Fault((*place, "type"), _shown(field["type"]), needs["type"], fix)
        if needs.get("required") and not limits.get("required"):
            found = _shown(limits["required"]) if "required" in limits else _NO_PROPERTY
            fix = said("write true: without a value in this column the row says nothing")
            yield _Fault((*place, "constraints", "required"), found, "true", fix)
        words = needs.get("enum", [])
        if words and not set(limits.get("enum", [""])) <= set(words):
            found = _shown(limits["enum"]) if "enum" in limits else _NO_PROPERTY
            expected = said("some of {words}", words=_shown(words))
            fix = said("leave out the words that are not among these")
            yield _Fault((*place, "constraints", "enum"), found, expected, fix)
        codes = _several(field.get("codes", []))
        if "codes" in needs and set(codes) != set(needs["codes"]):
            found = _shown(codes) if codes else _NO_PROPERTY
            fix = said(
                "write these lists: without them a misspelt code would be dropped without a word"
            )
            yield _Fault((*place, "codes"), found, _shown(needs["codes"]), fix)


def _several(value: str | list[str]) -> list[str]:
    """A text or a list of texts as a list."""
    return [value] if isinstance(value, str) else value


def _constraints(field: dict[str, Any], path: _Path) -> Iterator[_Fault]:
    limits = field.get("constraints", {})
    low, high = limits.get("minimum"), limits.get("maximum")
    if low is not None and high is not None and high < low:
        expected = said("not below minimum, {value}", value=_shown(low))
        fix = said("correct one of the two bounds")
        yield _Fault((*path, "maximum"), _shown(high), expected, fix)
    if field["type"] == "integer":
        for name in ("minimum", "maximum"):
            if limits.get(name, 0) != int(limits.get(name, 0)):
                expected = said("a whole number, as the column has")
                fix = said("write the bound without decimals")
                yield _Fault((*path, name), _shown(limits[name]), expected, fix)
    if "pattern" in limits and (reason := patterns.refusal(limits["pattern"])):
        found = said("{pattern}: {reason}", pattern=_shown(limits["pattern"]), reason=reason[:200])
        expected = said(
            "a regular expression as RE2 knows it, without looking around or references back"
        )
        yield _Fault((*path, "pattern"), found, expected, said("write the pattern in another way"))


def _again(values: list[str], items: _Path, key: str) -> Iterator[_Fault]:
    """A fault for each value of a key of items that stands above it too."""
    counts: Counter[str] = Counter()
    for at, value in enumerate(values):
        counts[value] += 1
        if counts[value] > 1:
            found = said("{value} again", value=_shown(value))
            expected = said("each {key} once", key=key)
            yield _Fault((*items, at, key), found, expected, said("correct one of the two"))


def _shown(value: Any) -> str:
    """A value as a message shows it: as JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _path(described: Any, parts: list[str]) -> _Path:
    """The path of a value, the places in lists as numbers."""
    path: list[str | int] = []
    for part in parts:
        path.append(int(part) if isinstance(described, list) else part)
        described = described[path[-1]]
    return tuple(path)


def _shown_path(described: Any, path: _Path) -> str:
    """A path as a message shows it: tables and columns by their names, other items of a list by their
    number from 1 on: "resources.receipts.schema.fields.kept.unit", "ward.areas.2"."""
    words = []
    for part in path:
        inside: Any = None
        if isinstance(part, int):
            known = isinstance(described, list) and part < len(described)
            inside = described[part] if known else None
            name = inside.get("name") if isinstance(inside, dict) else None
            alike = [
                item
                for item in described or ()
                if isinstance(item, dict) and item.get("name") == name
            ]
            named = isinstance(name, str) and name and len(alike) == 1
            words.append(str(name) if named else str(part + 1))
        else:
            inside = described.get(part) if isinstance(described, dict) else None
            words.append(part)
        described = inside
    return ".".join(word if len(word) <= 60 else word[:57] + "..." for word in words)


def _places(text: str) -> tuple[dict[_Path, int], list[tuple[_Path, int, int]]]:
    """The line of each value of a JSON text by its path, and the keys that stand in one object again,
    each with its line and that of the first."""
    lines: dict[_Path, int] = {(): 1}
    twice = []
    keys: list[dict[str, int]] = []  # with their lines, of each open object or list
    frames: list[str | int] = []  # the key or the number in each open object or list
    line, at = 1, 0
    for token in _TOKEN.finditer(text):
        line, at = line + text.count("\n", at, token.start()), token.start()
        sign = token[0][0]
        shallow = len(frames) <= _DEEPEST
        if token[2]:
            key = frames[-1] = json.loads(token[1])
            path = tuple(frames[: _DEEPEST + 1])
            if key in keys[-1]:
                twice.append((path, line, keys[-1][key]))
            keys[-1].setdefault(key, line)
            lines.setdefault(path, line)
        elif sign in "{[":
            frames.append("" if sign == "{" else 0)
            keys.append({})
        elif sign in "}]":
            frames.pop()
            keys.pop()
        elif sign == "," and isinstance(frames[-1], int):
            frames[-1] += 1
        if sign in "[," and shallow and isinstance(frames[-1], int):
            lines[tuple(frames)] = line + token[0].count("\n")
    return lines, twice
