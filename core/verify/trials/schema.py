"""The small part of JSON schema that tools and structured answers use: what is wrong with a value.

Pi checks a tool's arguments before it runs it, and Warden checks structured answers with zod; both
let unknown members pass and refuse missing ones and wrong types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEEPEST: Final = 20


def problem_of(value: object, schema: Mapping[str, object], where: str = "") -> str | None:
    """What is wrong with ``value``, in words with its place; None when it fits.

    Knows ``type``, ``enum``, ``properties``, ``required``, ``items``, ``minimum``, ``minItems``
    and ``minLength``. ``where`` is the place that is told, dotted.
    """
    return _problem(value, schema, where, 0)


def _problem(value: object, schema: Mapping[str, object], where: str, depth: int) -> str | None:
    if depth > _DEEPEST:
        return f"{where or 'it'} is nested too deep"
    named = where or "the whole"
    choices = schema.get("enum")
    if isinstance(choices, list) and value not in choices:
        return f"{named} is none of {', '.join(map(str, choices))}"
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if kind is not None and not any(_is(value, one) for one in kinds):
        return f"{named} is {_word(value)}, not {' or '.join(map(str, kinds))}"
    if isinstance(value, dict):
        return _object_problem(value, schema, where, depth)
    if isinstance(value, list):
        return _array_problem(value, schema, where, depth)
    least = schema.get("minimum")
    if _is(value, "number") and isinstance(least, int | float) and _below(value, least):
        return f"{named} is below {least}"
    shortest = schema.get("minLength")
    if isinstance(value, str) and isinstance(shortest, int) and len(value) < shortest:
        return f"{named} is empty" if shortest == 1 else f"{named} is too short"
    return None


def _below(value: object, least: float) -> bool:
    return isinstance(value, int | float) and value < least


def _object_problem(
    value: Mapping[str, object], schema: Mapping[str, object], where: str, depth: int
) -> str | None:
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if name not in value:
            return f"{_join(where, str(name))} is missing"
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return None
    for name, inner in properties.items():
        if name in value and isinstance(inner, dict):
            found = _problem(value[name], inner, _join(where, str(name)), depth + 1)
            if found is not None:
                return found
    return None


def _array_problem(
    value: list[object], schema: Mapping[str, object], where: str, depth: int
) -> str | None:
    least = schema.get("minItems")
    if isinstance(least, int) and len(value) < least:
        return f"{where or 'the whole'} has {len(value)} entries, not {least}"
    items = schema.get("items")
    if not isinstance(items, dict):
        return None
    for place, item in enumerate(value):
        found = _problem(item, items, f"{where}[{place}]", depth + 1)
        if found is not None:
            return found
    return None


def _is(value: object, kind: object) -> bool:
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "integer":
            whole = isinstance(value, float) and value.is_integer()
            return (isinstance(value, int) and not isinstance(value, bool)) or whole
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
    return True


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else "a number"


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
