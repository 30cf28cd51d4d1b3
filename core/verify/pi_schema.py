"""A tool's JSON schema made strict as Pi 1.5.2 makes its own: every key required, none other.

earendil-works/pi ``pi-ai`` ``api/constrained-sampling``: keys that were optional take null, and
what strict sampling cannot express makes the whole tool an ordinary one. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_CANNOT: Final = frozenset(
    {"$ref", "$defs", "definitions", "allOf", "oneOf", "patternProperties", "dependentSchemas"}
    | {"dependencies", "unevaluatedProperties", "propertyNames", "contains", "prefixItems"}
    | {"not", "if", "then", "else"}
)


def strict_schema(schema: Mapping[str, object]) -> dict[str, object] | None:
    """The strict form of an object's schema, or None where there is none. The input stays."""
    made = _node(schema)
    return made if made is not None and made.get("type") == "object" else None


def _node(schema: object) -> dict[str, object] | None:
    if not isinstance(schema, dict) or not _CANNOT.isdisjoint(schema):
        return None
    made: dict[str, object] = dict(schema)
    unions = made.get("anyOf")
    if unions is not None:
        if not isinstance(unions, list) or not unions or any(map(_structured, unions)):
            return None
        variants = [_node(one) for one in unions]
        if None in variants:
            return None
        made["anyOf"] = variants
    if "items" in made:
        items = _node(made["items"])
        if items is None:
            return None
        made["items"] = items
    if made.get("type") != "object":
        return None if "properties" in made else made
    if made.get("additionalProperties", False) is not False:
        return None
    return _object(made)


def _object(made: dict[str, object]) -> dict[str, object] | None:
    properties, required = made.get("properties", {}), made.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        return None
    if any(name not in properties for name in required):
        return None
    closed: dict[str, object] = {}
    for name, value in properties.items():
        node = _node(value)
        if node is None:
            return None
        closed[name] = (
            node if name in required or _takes_null(node) else {"anyOf": [node, {"type": "null"}]}
        )
    return {
        **made,
        "properties": closed,
        "required": list(properties),
        "additionalProperties": False,
    }


def _structured(schema: object) -> bool:
    if not isinstance(schema, dict):
        return False
    kinds = schema.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return bool({"object", "array"} & set(listed)) or "properties" in schema or "items" in schema


def _takes_null(schema: object) -> bool:
    if not isinstance(schema, dict):
        return False
    kinds, words, unions = schema.get("type"), schema.get("enum"), schema.get("anyOf")
    return (
        kinds == "null"
        or (isinstance(kinds, list) and "null" in kinds)
        or ("const" in schema and schema["const"] is None)
        or (isinstance(words, list) and None in words)
        or (isinstance(unions, list) and any(map(_takes_null, unions)))
    )
