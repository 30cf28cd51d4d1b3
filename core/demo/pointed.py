"""How the demo's good models give one value: where a file says in which place another has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from core.demo.tooluse import history

if TYPE_CHECKING:
    from core.demo.ask import Ask

_POINTER: Final = re.compile(
    r"(?:is|are|stands|lives) in [`'\"]?(?P<path>(?:[\w.-]+/)*[\w-][\w.-]*\.\w+)[`'\"]?:"
    r"\s+[`'\"](?P<key>[\w-]+)[`'\"] of the (?:table|section) \[(?P<table>[\w.-]+)\]"
)
_TABLE: Final = re.compile(r"\s*\[(?P<name>[\w.-]+)\]\s*")
_VALUE: Final = re.compile(
    r"\s*(?P<key>[\w-]+)\s*[=:]\s*[\"']?(?P<value>[^\"'#]+?)[\"']?\s*(?:#.*)?"
)


class Pointed(msgspec.Struct, frozen=True):
    """One value, found where a file said that it stands."""

    key: str
    value: str
    path: str


def pointed(ask: Ask) -> Pointed | None:
    """The value that what was read points to, where that was read as well."""
    done = history(ask)
    read = {call.path: call.result for call in done}
    for call in done:
        for pointer in _POINTER.finditer(call.result):
            path = pointer["path"]
            value = _value(read.get(path, ""), pointer["table"], pointer["key"])
            if value:
                return Pointed(pointer["key"], value, path)
    return None


def _value(text: str, table: str, key: str) -> str:
    """What stands for ``key`` below ``[table]``; empty when nothing does."""
    inside = False
    for line in text.splitlines():
        head = _TABLE.fullmatch(line)
        if head is not None:
            inside = head["name"] == table
            continue
        given = _VALUE.fullmatch(line)
        if inside and given is not None and given["key"] == key:
            return given["value"]
    return ""
