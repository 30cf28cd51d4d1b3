"""Bare JSON, as Warden's structured lanes want it: the schema stands in the prompt.

Warden never sends ``response_format``; it looks for JSON in the text (getsentry/warden
sdk/runtimes/pi.ts). What is filled in comes from the request: JSON it carries (findings to merge),
lines that name a place (``src/a.py:12 ...``), or what tools have shown.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from core.demo.grouping import grouped, id_lists
from core.demo.tooluse import evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from core.demo.ask import Ask

_WANTED: Final = re.compile(
    r"\b(?:return|respond|reply|output|answer|produce|emit|only|bare|valid|matching)\b"
    r"[^.\n]{0,60}\bJSON\b|\bJSON\b[^.\n]{0,40}\b(?:only|schema|object|array)\b",
    re.IGNORECASE,
)
_ARRAY_NAME: Final = re.compile(r"[\"'`]?(\w+)[\"'`]?\s*:\s*(?:\[|Array<)|`(\w+)` array")
_OPENING: Final = re.compile(r"[{\[]")
_PLACE: Final = re.compile(
    r"(?P<path>[\w./-]+\.\w{1,8}):(?P<line>\d+)(?::\d+)?[\s:—-]*(?P<text>.*)"
)
_TYPES: Final = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_MOST_TRIES: Final = 400
"""Opening braces that are looked at in one text: prose full of braces must stay cheap."""
_DEEPEST: Final = 12

_SAME: Final = (
    frozenset({"path", "file", "filename", "filepath"}),
    frozenset({"line", "startline", "linenumber", "lineno", "start"}),
    frozenset({"endline", "end"}),
    frozenset({"title", "name", "summary", "message", "description", "text", "explanation"}),
)
"""Names that mean the same, so that a row fits a schema which spells it otherwise."""


def wants_json(ask: Ask) -> bool:
    """Whether the reply is to be JSON and nothing else."""
    if (ask.response_format or {}).get("type") in {"json_object", "json_schema"}:
        return True
    return _WANTED.search(f"{ask.instructions}\n{ask.question}") is not None


def json_answer(ask: Ask) -> str:
    """JSON that fits the schema (or the example) which the request shows."""
    schema = _schema(ask)
    if schema is None:
        name = _ARRAY_NAME.search(f"{ask.instructions}\n{ask.question}")
        key = (name.group(1) or name.group(2)) if name is not None else "findings"
        return _dumps({key: []})
    return _dumps(_Builder(schema, _rows(ask)).build(schema, {}, 0))


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


# ---------------------------------------------------------------------------- the schema


def _schema(ask: Ask) -> dict[str, object] | None:
    given = _dict(_dict((ask.response_format or {}).get("json_schema")).get("schema"))
    if given:
        return given
    for text in (ask.instructions, ask.question):
        for value in _values(text):
            if _is_schema(value):
                return _dict(value)
    for value in _values(ask.instructions):
        if isinstance(value, dict | list) and value:
            return _schema_of(value)
    return None


def _is_schema(value: object) -> bool:
    fields = _dict(value)
    return (
        fields.get("type") in _TYPES and ("properties" in fields or "items" in fields)
    ) or isinstance(fields.get("properties"), dict)


def _schema_of(example: object) -> dict[str, object]:
    """The schema of an example: ``{"findings": [{"severity": "high|low"}]}``."""
    if isinstance(example, dict):
        return {
            "type": "object",
            "properties": {str(key): _schema_of(item) for key, item in example.items()},
        }
    if isinstance(example, list):
        return {"type": "array", "items": _schema_of(example[0]) if example else {}}
    if isinstance(example, bool):
        return {"type": "boolean"}
    if isinstance(example, int | float):
        return {"type": "integer" if isinstance(example, int) else "number"}
    if isinstance(example, str) and re.fullmatch(r"\w+(?:\s*\|\s*\w+)+", example):
        return {"enum": [choice.strip() for choice in example.split("|")]}
    return {"type": "null"} if example is None else {"type": "string"}


def _values(text: str) -> Iterator[object]:
    """Every JSON object or array that stands in ``text``, outermost ones only."""
    decoder = json.JSONDecoder()
    place = tries = 0
    while tries < _MOST_TRIES:
        match = _OPENING.search(text, place)
        if match is None:
            return
        tries += 1
        try:
            value, place = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            place = match.start() + 1
        else:
            yield value


# ---------------------------------------------------------------------------- the rows


def _rows(ask: Ask) -> list[dict[str, object]]:
    """What the request says of findings: rows in its JSON, else places in its text or tools."""
    rows = [row for value in _values(ask.question) for row in _objects(value)]
    if not rows:
        lines = ask.question.splitlines()
        rows = [_placed(match) for line in lines if (match := _PLACE.search(line)) is not None]
    if not rows:
        rows = [
            {"path": line.path, "line": line.number, "title": line.text}
            for line in evidence(ask, 1)
        ]
    unlike: dict[str, dict[str, object]] = {}
    for row in rows:
        unlike.setdefault(_identity(row), row)
    return list(unlike.values())


def _objects(value: object, depth: int = 0) -> Iterator[dict[str, object]]:
    """The objects inside arrays, outermost first; an object alone is its own row."""
    if depth > _DEEPEST or _is_schema(value):
        return
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield _dict(item)
            else:
                yield from _objects(item, depth + 1)
    elif isinstance(value, dict):
        inner = [row for item in value.values() for row in _objects(item, depth + 1)]
        yield from inner
        if not inner and depth == 0:
            yield _dict(value)


def _placed(match: re.Match[str]) -> dict[str, object]:
    words = match["text"].strip() or match.string.strip()
    return {
        "path": match["path"].removeprefix("./"),
        "line": int(match["line"]),
        "title": words,
        "line_text": match.string,
    }


def _identity(row: Mapping[str, object]) -> str:
    """Two findings at one place are one finding."""
    where = _dict(row.get("location")) or row
    path, line = _like("path", where), _like("line", where)
    if path is not None and line is not None:
        return f"{path}:{line}"
    return json.dumps(row, sort_keys=True, default=str)


def _like(name: str, row: Mapping[str, object]) -> object:
    """The value of ``name`` in ``row``, under any spelling that means the same."""
    if name in row:
        return row[name]
    plain = _plain(name)
    same = next((group for group in _SAME if plain in group), frozenset({plain}))
    for key, value in row.items():
        if _plain(key) in same:
            return value
    return None


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


# ---------------------------------------------------------------------------- filling it in


class _Builder:
    """Builds one value that fits ``root``; rows fill its arrays of objects."""

    def __init__(self, root: Mapping[str, object], rows: Sequence[dict[str, object]]) -> None:
        self._root = root
        self._rows = rows

    def build(self, schema: Mapping[str, object], row: Mapping[str, object], depth: int) -> object:
        schema = self._resolved(schema)
        if depth > _DEEPEST:
            return None
        if "const" in schema:
            return schema["const"]
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            return _chosen(choices, row)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        if kind == "object" or "properties" in schema:
            return self._object(schema, row, depth)
        if kind == "array" or "items" in schema:
            return self._array(schema, row, depth)
        return _scalar(schema, str(kind) if kind is not None else "string")

    def _object(
        self, schema: Mapping[str, object], row: Mapping[str, object], depth: int
    ) -> dict[str, object]:
        # At the top a lone row speaks for the whole: a verdict on one finding, say.
        lone = depth == 0 and not row and len(self._rows) == 1
        row = self._rows[0] if lone else row
        built: dict[str, object] = {}
        for name, item in _dict(schema.get("properties")).items():
            inner = self._resolved(_dict(item))
            value = _like(name, row)
            if isinstance(value, dict) and "properties" in inner:
                built[name] = self.build(inner, _dict(value), depth + 1)
            elif value is not None and _fits(value, inner):
                built[name] = value
            else:
                listed = inner.get("type") == "array" or "items" in inner
                built[name] = self.build(inner, {} if lone and listed else row, depth + 1)
        return built

    def _array(
        self, schema: Mapping[str, object], row: Mapping[str, object], depth: int
    ) -> list[object]:
        items = self._resolved(_dict(schema.get("items")))
        built: list[object] = []
        if "properties" in items and not row:
            built = [self.build(items, one, depth + 1) for one in self._fitting(items)]
        least = schema.get("minItems")
        while isinstance(least, int) and len(built) < min(least, 50):
            built.append(self.build(items, {}, depth + 1))
        most = schema.get("maxItems")
        return built[:most] if isinstance(most, int) else built

    def _fitting(self, items: Mapping[str, object]) -> list[dict[str, object]]:
        properties = _dict(items.get("properties"))
        lists = id_lists(properties)
        if lists:
            return grouped(self._rows, lists)
        names = list(properties)
        return [row for row in self._rows if any(_like(n, row) is not None for n in names)]

    def _resolved(self, schema: Mapping[str, object]) -> Mapping[str, object]:
        for _ in range(_DEEPEST):
            reference = schema.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/"):
                target: Mapping[str, object] = self._root
                for step in reference[2:].split("/"):
                    target = _dict(target.get(step))
                schema = target
                continue
            options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            if not isinstance(options, list) or not options:
                return schema
            kept = [_dict(one) for one in options]
            schema = next((one for one in kept if one.get("type") != "null"), kept[0])
        return schema


def _chosen(choices: Sequence[object], row: Mapping[str, object]) -> object:
    """The choice that the row's words name, else the first."""
    said = " ".join(str(value).lower() for value in row.values())
    return next((c for c in choices if isinstance(c, str) and c.lower() in said), choices[0])


def _fits(value: object, schema: Mapping[str, object]) -> bool:
    choices = schema.get("enum")
    if isinstance(choices, list):
        return value in choices
    kind = schema.get("type")
    kinds: Iterable[object] = kind if isinstance(kind, list) else (kind,)
    return any(_is(value, one) for one in kinds)


def _is(value: object, kind: object) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
    return kind is None


def _scalar(schema: Mapping[str, object], kind: str) -> object:
    match kind:
        case "integer" | "number":
            least = schema.get("minimum")
            return least if isinstance(least, int | float) else 0
        case "boolean":
            return False
        case "null":
            return None
    text = "demo"
    least = schema.get("minLength")
    return text.ljust(least, ".") if isinstance(least, int) else text


def _dict(value: object) -> dict[str, object]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}
