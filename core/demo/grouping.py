"""Findings put together by what they name: how the demo's good models merge.

Rows that name the same thing between backticks belong together; a row that names nothing stays
alone. That is no judgement, and it is enough to show what a merge looks like.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMED: Final = re.compile(r"`([^`\n]{2,80})`")
_ORDER: Final = ("critical", "high", "medium", "low", "info")


def id_lists(properties: Mapping[str, object]) -> list[str]:
    """The properties of a group's schema that list numbers of findings."""
    found: list[str] = []
    for name, schema in properties.items():
        items = schema.get("items") if isinstance(schema, dict) else None
        if isinstance(items, dict) and items.get("type") == "integer":
            found.append(name)
    return found


def grouped(rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> list[dict[str, object]]:
    """One row for each cause, with the ids (else the places, from 1) of its findings.

    ``names`` are the properties that take the ids.
    """
    causes: dict[str, list[tuple[int, Mapping[str, object]]]] = {}
    for place, row in enumerate(rows, start=1):
        given = row.get("id")
        number = given if isinstance(given, int) else place
        match = _NAMED.search("\n".join(str(value) for value in row.values()))
        causes.setdefault(match.group(1) if match else f"{place}", []).append((number, row))
    return [_group(members, names) for members in causes.values()]


def _group(
    members: Sequence[tuple[int, Mapping[str, object]]], names: Sequence[str]
) -> dict[str, object]:
    first = members[0][1]
    numbers = [number for number, _ in members]
    said = {str(row.get("severity", "")).lower() for _, row in members}
    places = ", ".join(f"{row.get('path', '?')}:{row.get('line', '?')}" for _, row in members)
    group: dict[str, object] = {
        **first,
        "summary": f"{first.get('description') or first.get('title') or 'One cause.'} "
        f"It concerns {places}.",
        **dict.fromkeys(names, numbers),
    }
    worst = next((level for level in _ORDER if level in said), None)
    if worst is not None:
        group["severity"] = worst
    return group
