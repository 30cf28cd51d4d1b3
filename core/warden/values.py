"""Parsed TOML as plain values: compared strictly, and changed by copying along one path.

The edits say with these what a file must mean after them; the spliced text is then held to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.warden.scan import KeyPath

Table = dict[str, object]


def same(one: object, other: object) -> bool:
    """Whether two parsed values mean the same: ``1`` is not ``1.0`` nor ``true``; nan is nan.

    The order of keys does not count, that of array elements does.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and one != one:
        return other != other
    return one == other


def value_at(data: object, path: KeyPath) -> object:
    """The value at ``path``; ``None`` where nothing is (TOML has no null of its own)."""
    for step in path:
        if isinstance(step, str) and isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(step, int) and isinstance(data, list) and 0 <= step < len(data):
            data = data[step]
        else:
            return None
    return data


def with_value(data: Table, path: KeyPath, value: object) -> Table:
    """``data`` with ``value`` at ``path``; missing tables on the way are made. ``data`` stays.

    KeyError where the path runs through something that is not a table.
    """
    changed = _changed(data, path, lambda table, key: {**table, key: value}, make=True)
    return changed if isinstance(changed, dict) else {}


def without(data: Table, path: KeyPath, *, prune: int | None = None) -> Table:
    """``data`` without what is at ``path``.

    ``prune``: tables that end up empty go too, as long as their path is at least this long.
    """
    changed = _changed(data, path, _dropped, make=False)
    result = changed if isinstance(changed, dict) else {}
    parent = path[:-1]
    if prune is not None and len(parent) >= prune and value_at(result, parent) == {} and parent:
        return without(result, parent, prune=prune)
    return result


def _dropped(table: Table, key: str) -> Table:
    return {name: value for name, value in table.items() if name != key}


def _changed(data: object, path: KeyPath, change: _Change, *, make: bool) -> object:
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        if not isinstance(data, list) or step >= len(data) or not rest:
            raise KeyError(step)
        copied = list(data)
        copied[step] = _changed(data[step], rest, change, make=make)
        return copied
    if not isinstance(data, dict):
        raise KeyError(step)
    if not rest:
        return change(data, step)
    if step not in data and not make:
        return data
    return {**data, step: _changed(data.get(step, {}), rest, change, make=make)}


if TYPE_CHECKING:
    from collections.abc import Callable

    _Change = Callable[[Table, str], Table]
