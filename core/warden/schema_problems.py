"""What Warden's own schema would say of a file: all of it, where Warden stops at the first word.

Source: getsentry/warden ``config/schema.ts`` (keys, strict tables, rules over several keys) and
``config/loader.ts`` (the hint for legacy triggers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from core.text import one_line
from core.warden.findings import DROPS, FAILS, REFUSES, Finding, Path, Severity, dotted, nearest
from core.warden.schema import (
    LEFTOVERS,
    MODELS_JSON_ONLY,
    Node,
    tree,
    value_fault,
    variants_of,
)

if TYPE_CHECKING:
    from core.warden.config import Variant

_STOCK_DROPS: Final = "Stock Warden drops the whole block; turnkey cannot export it as it stands."
_RENAMED: Final = {
    "defaults.agent.reasoningEffort": "effort",
    "defaults.auxiliary.reasoningEffort": "effort",
}
_REMOTE: Final = re.compile(
    # A repository's address is what git takes as well; Warden's own form is the short one.
    r"(?:https?://\S+/|git@[^\s:/]+:|ssh://\S+/)?[A-Za-z0-9_][\w.-]*/(?!-)[\w.-]+(?:@[\w./-]+)?"
)
_WARDEN_OF: Final[dict[Variant, str]] = {
    "stock": "stock Warden",
    "providers": "the Warden that reads [defaults.providers]",
}


def schema_findings(data: Mapping[str, object], variant: Variant) -> Iterator[Finding]:
    """Unknown, missing and mistyped keys of a parsed file, table by table.

    The provider block is checked in the variant ``stock`` too, as warnings: stock Warden drops
    it, and turnkey exports it.
    """
    yield from _walk(data, tree(variant), (), "", variant)


def _walk(
    data: Mapping[str, object], node: Node, path: Path, schema_path: str, variant: Variant
) -> Iterator[Finding]:
    dropped = variant == "stock" and path[:2] == ("defaults", "providers")
    refuses = _STOCK_DROPS if dropped else REFUSES
    severity: Severity = "warning" if dropped else "error"
    for name, value in data.items():
        here = (*path, name)
        known = f"{schema_path}.{name}" if schema_path else name
        if name in node.keys:
            fault = value_fault(node.keys[name], value)
            if fault:
                # A missing version and a wrong one get words of their own.
                code = "version" if here == ("version",) else "wrong_value"
                fix = "version = 1" if here == ("version",) else _near_value(node, name, value)
                yield Finding(code, severity, here, f"{dotted(here)} {fault}.", refuses, fix)
            elif isinstance(value, str) and value in {"critical", "info"} and name != "name":
                meant = "high" if value == "critical" else "low"
                if name in {"failOn", "reportOn"}:
                    text = f'"{value}" is read as "{meant}".'
                    yield Finding("alias", "note", here, text, f'Warden uses "{meant}".')
        elif name in node.tables:
            yield from _walk_table(value, node.tables[name], here, known, variant)
        else:
            yield _unknown(node, name, here, known, variant, dropped=dropped)
    for name, row in node.keys.items():
        if row.required and name not in data:
            yield _missing(name, path, severity, refuses)
    for name, child in node.tables.items():
        if child.table.required and name not in data:
            yield _missing(name, path, severity, refuses)


def _walk_table(
    value: object, node: Node, path: Path, schema_path: str, variant: Variant
) -> Iterator[Finding]:
    dropped = variant == "stock" and path[:2] == ("defaults", "providers")
    refuses = _STOCK_DROPS if dropped else REFUSES
    severity: Severity = "warning" if dropped else "error"
    table = node.table
    shown = dotted(path)
    if table.kind == "array":
        if not isinstance(value, list):
            text = f"{shown} must be a list of tables: [[{shown}]]."
            yield Finding("wrong_type", severity, path, text, refuses, f"[[{shown}]]")
            return
        if table.at_least_one and not value:
            text = f"{shown} must have at least one entry."
            yield Finding("wrong_value", severity, path, text, refuses, f"[[{shown}]]")
        for index, entry in enumerate(value):
            if isinstance(entry, Mapping):
                yield from _walk(entry, node, (*path, index), f"{schema_path}[]", variant)
            else:
                text = f"{shown}[{index}] must be a table."
                yield Finding("wrong_type", severity, (*path, index), text, refuses)
        return
    if not isinstance(value, Mapping):
        text = f"{shown} must be a table."
        yield Finding("wrong_type", severity, path, text, refuses, f"[{shown}]")
    elif table.kind == "map":
        child = node.tables["<name>"]
        for name, entry in value.items():
            yield from _walk_table(entry, child, (*path, name), f"{schema_path}.<name>", variant)
    else:
        yield from _walk(value, node, path, schema_path, variant)


def _missing(name: str, path: Path, severity: Severity, refuses: str) -> Finding:
    if not path and name == "version":
        text = "version is missing."
        return Finding("version", "error", (name,), text, REFUSES, "version = 1, on the first line")
    text = f"{dotted((*path, name))} is missing."
    if path == ("service",):
        text += " The service has no address of its own."
        fix = 'url = "https://…", or remove [service]: without an address nothing in it counts.'
        return Finding("missing_key", severity, (*path, name), text, refuses, fix)
    return Finding("missing_key", severity, (*path, name), text, refuses, f"Add {name}.")


def _unknown(
    node: Node, name: str, path: Path, known: str, variant: Variant, *, dropped: bool
) -> Finding:
    shown = dotted(path)
    if known == "triggers":
        return Finding(
            "legacy_triggers",
            "error",
            path,
            "[[triggers]] at top level is the format of January 2026.",
            REFUSES,
            "Move each trigger under the skill it runs: [[skills]], then [[skills.triggers]]. "
            "turnkey does not edit such a file.",
        )
    new = _RENAMED.get(known)
    if new is not None and new not in node.keys:
        text = f"{shown} is called {new} in stock Warden; this one has no such key."
        return Finding("unknown_key", "error", path, text, REFUSES, "Remove it.")
    if new is not None:
        text = f"{shown} is called {new}."
        return Finding("renamed_key", "error", path, text, REFUSES, new)
    if known in LEFTOVERS:
        text = f"Warden ignores {shown}."
        return Finding("leftover_key", "note", path, text, DROPS, LEFTOVERS[known])
    elsewhere = [one for one in variants_of(known) if one != variant]
    close = nearest(name, node.names())
    if node.table.strict:
        severity: Severity = "warning" if dropped else "error"
        effect = _STOCK_DROPS if dropped else REFUSES
    else:
        severity, effect = "warning", DROPS
    if elsewhere:
        text = f"{shown} is known to {_WARDEN_OF[elsewhere[0]]} only."
        fix = "Remove it, or run the Warden that knows it."
        return Finding("other_variant", severity, path, text, effect, fix)
    if name in MODELS_JSON_ONLY and path[:2] == ("defaults", "providers"):
        text = f"{name} cannot stand in warden.toml; only Pi's models.json has it."
        fix = "turnkey keys set" if name == "apiKey" else "Write it into Pi's models.json."
        return Finding("unknown_key", severity, path, text, effect, fix)
    text = f"Warden knows no key {shown}."
    fix = f"Did you mean {close}?" if close else "Remove it."
    return Finding("unknown_key", severity, path, text, effect, fix)


def _near_value(node: Node, name: str, value: object) -> str:
    row = node.keys[name]
    if isinstance(value, str) and row.choices:
        close = nearest(value, row.choices)
        return f'{name} = "{close}"' if close else ""
    return f"The default is {row.default}." if row.default else ""


# -- rules over more than one key ----------------------------------------------------------------


def cross_findings(data: Mapping[str, object], variant: Variant) -> Iterator[Finding]:
    """The schema's rules over more than one key: unique skill names, what a trigger needs."""
    seen: dict[str, int] = {}
    for index, skill in _entries(data, "skills"):
        name = skill.get("name")
        if isinstance(name, str) and name:
            if name in seen:
                text = f"Two skills are called {one_line(name, 60)}."
                path: Path = ("skills", index, "name")
                yield Finding("duplicate_skill", "error", path, text, REFUSES, "Rename one.")
            seen.setdefault(name, index)
        yield from _remote(skill, index)
        for number, trigger in _entries(skill, "triggers"):
            here: Path = ("skills", index, "triggers", number)
            kind = trigger.get("type")
            if kind == "pull_request" and "actions" not in trigger:
                text = "A pull_request trigger needs actions."
                fix = 'actions = ["opened", "synchronize", "reopened"]'
                yield Finding("missing_key", "error", (*here, "actions"), text, REFUSES, fix)
            if kind in {"local", "schedule"} and "labels" in trigger:
                text = "labels works with pull_request triggers only."
                yield Finding(
                    "wrong_value", "error", (*here, "labels"), text, REFUSES, "Remove it."
                )
            if kind == "schedule" and not skill.get("paths"):
                text = f"A skill with a schedule needs paths: {one_line(str(name), 60)}."
                fix = 'paths = ["src/**"]'
                yield Finding(
                    "missing_key", "error", ("skills", index, "paths"), text, REFUSES, fix
                )
    service = data.get("service")
    if variant == "stock" and isinstance(service, Mapping):
        if service.get("memory") is True and service.get("data") == "metrics":
            text = "service.memory needs service.data to be findings or code."
            yield Finding("wrong_value", "error", ("service", "memory"), text, REFUSES)
        url = service.get("url")
        if isinstance(url, str) and "://" not in url:
            text = "service.url must be a URL with a scheme."
            yield Finding("wrong_value", "error", ("service", "url"), text, REFUSES)


def _remote(skill: Mapping[str, object], index: int) -> Iterator[Finding]:
    remote = skill.get("remote")
    if isinstance(remote, str) and not _REMOTE.fullmatch(remote):
        text = f"skills[{index}].remote is no owner/repo: «{one_line(remote, 60)}»."
        path: Path = ("skills", index, "remote")
        fix = "Write owner/repo, or owner/repo@ and the commit's hash."
        yield Finding("remote_format", "error", path, text, FAILS, fix)


def _entries(data: Mapping[str, object], name: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    entries = data.get(name)
    if isinstance(entries, list):
        for index, entry in enumerate(entries):
            if isinstance(entry, Mapping):
                yield index, entry
