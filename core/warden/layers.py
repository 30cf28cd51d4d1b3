"""An organisation's base file and the repository's file, as Warden sees them together.

There are three views with three rules: the whole merged config, what the repository's skills get,
and what the action's own work takes. Every value keeps the layer that gave it. Skills of the base
layer see the base alone, so they need no view here.

Source: getsentry/warden ``config/loader.ts``, ``action/workflow/pr-workflow.ts``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from core.text import one_line

Source = Literal["base", "repo", "both"]

_WHOLE: Final = frozenset({("defaults", "providers")})
"""Maps that are taken from one layer or the other, never merged by name."""
_CONCATENATED: Final = frozenset(
    {
        ("defaults", "ignorePaths"),
        ("defaults", "ignore", "paths"),
        ("defaults", "chunking", "filePatterns"),
    }
)
_INHERITED: Final = (("defaults", "runtime"), ("defaults", "providers"))
_INHERITED_KEYS: Final = (("defaults", "verification"),)
_BUILT_IN_SKILLS: Final = frozenset({"code-review", "security-review"})


class Value(msgspec.Struct, frozen=True):
    """One setting with the layer that gave it."""

    path: tuple[str, ...]
    value: object
    layer: Source
    """``both``: a list with the base's entries first and the repository's after them."""


class Layered(msgspec.Struct, frozen=True):
    """Two layers in their three views, and what to know about them."""

    merged: tuple[Value, ...]
    """The whole config, as it counts for scan limits, ignores, reporting and the runner."""
    repo_skills: tuple[Value, ...]
    """What skills of the repository's file get: its own settings, and of the base only runtime,
    verification and (where it has none of its own) the whole map of providers."""
    workflow: tuple[Value, ...]
    """What the action takes for itself: base first."""
    notes: tuple[str, ...]
    """What a person should know about these two files, in words."""


def layered(base: Mapping[str, object], repo: Mapping[str, object]) -> Layered:
    """Both files, parsed, in the three views. Neither is changed."""
    return Layered(
        merged=tuple(_merge(base, repo, ())),
        repo_skills=tuple(_repo_skills(base, repo)),
        workflow=tuple(_workflow(base, repo)),
        notes=tuple(_notes(base, repo)),
    )


def value_text(value: object) -> str:
    """A value as it is written in the file, on one line; a long one is cut."""
    from core.warden.render import value_text as written

    try:
        return one_line(written(value), 100)
    except TypeError:
        return one_line(str(value), 100)  # a date, which no key of Warden's is


def _merge(
    base: Mapping[str, object], repo: Mapping[str, object], path: tuple[str, ...]
) -> Iterator[Value]:
    for name in dict.fromkeys((*base, *repo)):
        here = (*path, name)
        if here == ("skills",):
            yield from _merge_skills(base.get(name), repo.get(name))
            continue
        below, above = base.get(name), repo.get(name)
        if here in _CONCATENATED and isinstance(below, list) and isinstance(above, list):
            yield Value(here, [*below, *above], "both")
        elif here in _WHOLE:
            yield Value(here, above if name in repo else below, "repo" if name in repo else "base")
        elif isinstance(below, Mapping) and isinstance(above, Mapping):
            yield from _merge(below, above, here)
        elif name in repo:
            yield from _flat(above, here, "repo")
        else:
            yield from _flat(below, here, "base")


def _merge_skills(base: object, repo: object) -> Iterator[Value]:
    taken: set[str] = set()
    sides: tuple[tuple[object, Source], ...] = ((base, "base"), (repo, "repo"))
    for skills, layer in sides:
        names = []
        for skill in skills if isinstance(skills, list) else ():
            name = skill.get("name") if isinstance(skill, Mapping) else None
            if isinstance(name, str) and name not in taken:
                names.append(name)
                yield Value(("skills", name), skill, layer)
        taken.update(names)


def _repo_skills(base: Mapping[str, object], repo: Mapping[str, object]) -> Iterator[Value]:
    for path in _INHERITED:
        value = _at(repo, path)
        layer: Source = "repo"
        if value is None or value == {}:
            value, layer = _at(base, path), "base"
        if value not in (None, {}):
            yield Value(path, value, layer)
    for path in _INHERITED_KEYS:
        below, above = _at(base, path), _at(repo, path)
        yield from _merge(
            below if isinstance(below, Mapping) else {},
            above if isinstance(above, Mapping) else {},
            path,
        )
    inherited = {*_INHERITED, *_INHERITED_KEYS}
    defaults = repo.get("defaults")
    for name, value in defaults.items() if isinstance(defaults, Mapping) else ():
        # Whether the network may be asked is no skill's: it has no place in this column.
        if ("defaults", name) not in {*inherited, ("defaults", "offline")}:
            yield from _flat(value, ("defaults", name), "repo")
    for table in ("runner", "logs"):
        if table in repo:
            yield from _flat(repo[table], (table,), "repo")


def _workflow(base: Mapping[str, object], repo: Mapping[str, object]) -> Iterator[Value]:
    first = (
        ("defaults", "runtime"),
        ("defaults", "providers"),
        ("defaults", "auxiliary", "model"),
        ("runner", "concurrency"),
    )
    for path in first:
        sides: tuple[tuple[Mapping[str, object], Source], ...] = ((base, "base"), (repo, "repo"))
        for data, layer in sides:
            value = _at(data, path)
            if value not in (None, "", {}):
                yield Value(path, value, layer)
                break
    offline = ("defaults", "offline")
    if _at(base, offline) is True or _at(repo, offline) is True:
        yield Value(offline, True, "base" if _at(base, offline) is True else "repo")


def _notes(base: Mapping[str, object], repo: Mapping[str, object]) -> Iterator[str]:
    theirs, own = _skill_names(base), _skill_names(repo)
    for name in own:
        if name in theirs:
            yield (
                f"Skill {one_line(name, 60)} stands in both files: the base layer's wins, and "
                "this file's copy is ignored."
            )
    local = [name for name in theirs if name not in _BUILT_IN_SKILLS and not _remote(base, name)]
    if local:
        listed = ", ".join(one_line(name, 40) for name in local)
        yield f"The base layer has skills of its own ({listed}): the action needs base-skill-root."
    below, above = _at(base, ("defaults", "providers")), _at(repo, ("defaults", "providers"))
    if isinstance(below, Mapping) and isinstance(above, Mapping) and below and above:
        lost = [one_line(name, 40) for name in below if name not in above]
        if lost:
            yield (
                f"Providers are never merged: this file's skills lose {', '.join(lost)} of the "
                "base layer."
            )
        if any(name not in below for name in above):
            yield (
                "The action's own work uses the base layer's providers: a model of a provider "
                "that only this file has ends there in «Pi model not found»."
            )


def _skill_names(data: Mapping[str, object]) -> list[str]:
    skills = data.get("skills")
    entries = skills if isinstance(skills, list) else []
    names = [one.get("name") for one in entries if isinstance(one, Mapping)]
    return [name for name in names if isinstance(name, str)]


def _remote(data: Mapping[str, object], name: str) -> bool:
    skills = data.get("skills")
    return any(
        isinstance(one, Mapping) and one.get("name") == name and bool(one.get("remote"))
        for one in (skills if isinstance(skills, list) else [])
    )


def _at(data: Mapping[str, object], path: tuple[str, ...]) -> object:
    value: object = data
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _flat(value: object, path: tuple[str, ...], layer: Source) -> Iterator[Value]:
    if isinstance(value, Mapping) and path not in _WHOLE:
        for name, entry in value.items():
            yield from _flat(entry, (*path, name), layer)
    else:
        yield Value(path, value, layer)
