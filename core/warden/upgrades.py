"""Old spellings and leftovers of a file, each with the edit that brings it up to date.

Nothing is upgraded unless somebody asks: Warden still reads some of them, and another Warden may
be meant by others. A file with ``[[triggers]]`` at its top level gets no offer at all, since its
triggers belong under skills that only a person can choose.

Source: getsentry/warden ``config/schema.ts`` of early 2026 and today, and its migration hints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.errors import ConfigProblem
from core.text import one_line
from core.warden.keys_edit import (
    agreed,
    comment_behind,
    dotted,
    rename_key,
    set_key,
    unset_key,
    with_comment,
    without_table,
)
from core.warden.lane_edits import set_lane
from core.warden.schema import LEFTOVERS
from core.warden.secrets import secret_paths
from core.warden.splice import Splice, last_section_below
from core.warden.values import value_at, with_value, without

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.warden.document import Document
    from core.warden.scan import KeyPath

Kind = Literal["add", "rename", "move", "respell", "remove", "set"]


class Upgrade(msgspec.Struct, frozen=True):
    """One edit that is on offer."""

    kind: Kind
    path: KeyPath
    """What it is about, as :class:`core.warden.problems.Problem` has it in ``keys``."""
    says: str
    """What it would do, as an instruction: «Rename reasoningEffort to effort.»"""
    plain: bool
    """True where the new spelling means the very same, so that all of these can be asked for at
    once. False for what takes something away or where there are two ways out."""
    target: KeyPath = ()
    """The key's new place, where it gets one."""
    value: object = None
    """The value that is written, where one is."""


_MOVES: Final[tuple[tuple[KeyPath, KeyPath], ...]] = (
    (("defaults", "model"), ("defaults", "agent", "model")),
    (("defaults", "maxTurns"), ("defaults", "agent", "maxTurns")),
    (("defaults", "auxiliaryMaxRetries"), ("defaults", "auxiliary", "maxRetries")),
)
_ALIASES: Final = {"critical": "high", "info": "low"}


def upgrades(document: Document) -> tuple[Upgrade, ...]:
    """Every upgrade that the file could have, in the order of the file."""
    data = document.data()
    if not document.text.strip() or "triggers" in data:
        return ()
    held = frozenset(secret_paths(data))
    found = [one for one in _found(document) if one.path not in held or one.kind == "remove"]
    return tuple(sorted(found, key=lambda one: document.position(one.path) or (0, 0)))


def untouched(document: Document) -> frozenset[KeyPath]:
    """The old spellings that hold a key: no key is carried to another place in the file."""
    held = frozenset(secret_paths(document.data()))
    return frozenset(one.path for one in _found(document) if one.kind != "remove") & held


def _found(document: Document) -> Iterator[Upgrade]:
    for search in (_version, _renamed, _moved, _aliases, _bare_models, _leftovers):
        yield from search(document)


def upgrade_for(document: Document, path: KeyPath) -> tuple[Upgrade, ...]:
    """The upgrades of one key: none, one, or the two ways out of a bare model."""
    return tuple(one for one in upgrades(document) if one.path == path)


def upgraded(document: Document, upgrade: Upgrade) -> Document:
    """The file with one upgrade made; its comments stay.

    ConfigProblem where the layout does not allow it; the given document is unharmed.
    """
    if upgrade.kind in {"add", "respell", "set"}:
        return set_key(document, upgrade.target or upgrade.path, upgrade.value)
    if upgrade.kind == "rename":
        return rename_key(document, upgrade.path, str(upgrade.target[-1]))
    if upgrade.kind == "move":
        return _with_moved(document, upgrade.path, upgrade.target)
    held = value_at(document.data(), upgrade.path)
    if isinstance(held, dict | list):
        return without_table(document, upgrade.path)
    return unset_key(document, upgrade.path)


def all_upgraded(
    document: Document, *, spellings: bool = True, leftovers: bool = False
) -> tuple[Document, list[Upgrade]]:
    """The file with every plain upgrade, and with ``leftovers`` also without these; what was done.

    What cannot be edited is left as it is.
    """
    done: list[Upgrade] = []
    left: set[tuple[KeyPath, Kind]] = set()
    while True:
        wanted = [
            one
            for one in upgrades(document)
            if (spellings if one.plain else leftovers and one.kind == "remove")
            and (one.path, one.kind) not in left
        ]
        if not wanted:
            return document, done
        try:
            document = upgraded(document, wanted[0])
        except ConfigProblem:
            left.add((wanted[0].path, wanted[0].kind))
        else:
            done.append(wanted[0])


# --- what there is ----------------------------------------------------------------------------


def _version(document: Document) -> Iterator[Upgrade]:
    version = document.data().get("version")
    if version is None:
        yield Upgrade("add", ("version",), "Add version = 1.", plain=True, value=1)
    elif isinstance(version, str) and version.strip() in {"1", "1.0"}:
        yield Upgrade("respell", ("version",), "Write version = 1.", plain=True, value=1)


def _renamed(document: Document) -> Iterator[Upgrade]:
    data = document.data()
    for lane in ("agent", "auxiliary"):
        table = value_at(data, ("defaults", lane))
        path: KeyPath = ("defaults", lane, "reasoningEffort")
        if not isinstance(table, dict) or "reasoningEffort" not in table:
            continue
        if "effort" in table:
            says = "Remove reasoningEffort: effort stands beside it."
            yield Upgrade("remove", path, says, plain=True)
        elif lane == "agent":
            says = "Rename reasoningEffort to effort."
            target: KeyPath = (*path[:-1], "effort")
            yield Upgrade("rename", path, says, plain=True, target=target)
        else:
            # Only stock Warden knows an effort of the auxiliary lane: a person chooses.
            says = "Rename reasoningEffort to effort, for stock Warden."
            target = (*path[:-1], "effort")
            yield Upgrade("rename", path, says, plain=False, target=target)


def _moved(document: Document) -> Iterator[Upgrade]:
    data = document.data()
    for old, new in _MOVES:
        value = value_at(data, old)
        if not value or isinstance(value, dict | list):
            continue
        if value_at(data, new):
            says = f"Remove {dotted(old)}: {dotted(new)} comes before it."
            yield Upgrade("remove", old, says, plain=True)
        elif value_at(data, new) is None:
            says = f"Move {dotted(old)} to {dotted(new)}."
            yield Upgrade("move", old, says, plain=True, target=new)


def _aliases(document: Document) -> Iterator[Upgrade]:
    data = document.data()
    places: list[KeyPath] = [("defaults",)]
    for at, skill in enumerate(_entries(data, ("skills",))):
        places.append(("skills", at))
        triggers = range(len(_entries(skill, ("triggers",))))
        places += [("skills", at, "triggers", number) for number in triggers]
    for place in places:
        for name in ("failOn", "reportOn"):
            value = value_at(data, (*place, name))
            if isinstance(value, str) and value in _ALIASES:
                new = _ALIASES[value]
                says = f'Write {dotted((*place, name))} = "{new}", as "{value}" is read.'
                yield Upgrade("respell", (*place, name), says, plain=True, value=new)


def _bare_models(document: Document) -> Iterator[Upgrade]:
    """``model = "claude-..."``: from the time when Claude Code was the runtime by default."""
    data = document.data()
    if value_at(data, ("defaults", "runtime")) is not None:
        return
    paths: list[KeyPath] = [("defaults", "model")]
    paths += [("defaults", lane, "model") for lane in ("agent", "auxiliary", "synthesis")]
    for at, skill in enumerate(_entries(data, ("skills",))):
        paths.append(("skills", at, "model"))
        triggers = range(len(_entries(skill, ("triggers",))))
        paths += [("skills", at, "triggers", number, "model") for number in triggers]
    for path in paths:
        value = value_at(data, path)
        if isinstance(value, str) and value.startswith("claude") and "/" not in value:
            selector = f"anthropic/{value}"
            says = f"Write {one_line(selector, 60)}: Pi asks Anthropic for it."
            yield Upgrade("respell", path, says, plain=False, value=selector)
            says = 'Set runtime = "claude": Claude Code runs every lane, and no provider of yours.'
            runtime: KeyPath = ("defaults", "runtime")
            yield Upgrade("set", path, says, plain=False, target=runtime, value="claude")


def _leftovers(document: Document) -> Iterator[Upgrade]:
    data = document.data()
    for known in LEFTOVERS:
        for path in _places(data, known.split("."), ()):
            says = f"Remove {dotted(path)}, which Warden ignores."
            yield Upgrade("remove", path, says, plain=False)


def _places(data: object, steps: Sequence[str], path: KeyPath) -> Iterator[KeyPath]:
    if not steps:
        yield path
        return
    name = steps[0].removesuffix("[]")
    value = value_at(data, (name,))
    if value is None:
        return
    if not steps[0].endswith("[]"):
        yield from _places(value, steps[1:], (*path, name))
        return
    for at, entry in enumerate(_entries(data, (name,))):
        yield from _places(entry, steps[1:], (*path, name, at))


def _entries(data: object, path: KeyPath) -> list[object]:
    held = value_at(data, path)
    return held if isinstance(held, list) else []


# --- how it is done ---------------------------------------------------------------------------


def _with_moved(document: Document, old: KeyPath, new: KeyPath) -> Document:
    """The key in its new place: in its own line with a dot where its new table is nowhere yet."""
    if new[-1] == "model":
        return set_lane(
            document, "agent", str(value_at(document.data(), old)), default_model="move"
        )
    value = value_at(document.data(), old)
    spot = document.layout.spots.get(old)
    table = new[:-1]
    if (
        spot is not None
        and table not in document.layout.spots
        and last_section_below(document, table) is None
    ):
        expected = with_value(without(document.data(), old), new, value)
        named = ".".join(str(step) for step in new[len(old) - 1 :])
        parts = list(document.layout.mentions(old))
        try:
            return agreed(document, [Splice(parts[0].start, parts[0].end, named)], expected)
        except (ConfigProblem, IndexError):
            pass
    comment = comment_behind(document, old)
    document = unset_key(set_key(document, new, value), old)
    return with_comment(document, new, comment)
