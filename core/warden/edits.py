"""Edits of a ``warden.toml``: pure functions from Document to Document.

Text is spliced, never written anew: what an edit does not concern keeps every byte. Adding a
provider and removing it again gives back the very bytes, in whatever way the file is written
(only a blank file keeps the ``version = 1`` that it was begun with). Every result is held to what
it must parse to; an edit that cannot be made raises and nothing is lost.

Source of the shapes: getsentry/warden ``config/schema.ts`` and ``sdk/runtimes/custom-provider.ts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.errors import Fault, Refusal, UsageProblem
from core.text import one_line
from core.warden import render
from core.warden.keys_edit import (
    agreed,
    begun,
    dotted,
    inline_ancestor,
    place_below,
    pruned,
    rename_key,
    require_tables,
    set_key,
    set_keys,
    unset_key,
    written_at,
)
from core.warden.lane_edits import LANES, DefaultModel, LaneName, set_lane, unset_lane
from core.warden.splice import (
    Splice,
    block_after,
    elements_added,
    end_of_section,
    entry_added,
    last_section_below,
)
from core.warden.values import value_at, with_value, without

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.warden.config import ModelEntry, Provider
    from core.warden.document import Document
    from core.warden.scan import KeyPath
    from core.warden.values import Table

__all__ = [
    "LANES",
    "DefaultModel",
    "LaneName",
    "Use",
    "add_provider",
    "dangling",
    "remove_provider",
    "rename_key",
    "rename_provider",
    "replace_provider",
    "selectors",
    "set_key",
    "set_lane",
    "set_models",
    "unset_key",
    "unset_lane",
    "uses",
]

_PROVIDERS: KeyPath = ("defaults", "providers")


class Use(NamedTuple):
    """A selector in the file that names a provider, and where it stands (from 1)."""

    path: KeyPath
    dotted: str
    selector: str
    line: int
    column: int


def add_provider(document: Document, provider: Provider) -> Document:
    """A new ``[defaults.providers.<name>]`` with its models.

    It goes behind the last provider, else the last ``[defaults.*]`` table, else before the first
    ``[[skills]]``, else to the end; into an inline table where that is how the file has it.
    Refusal ``provider_exists`` when the name is taken.
    """
    document = begun(document)
    data = document.data()
    path = _path(provider.name)
    require_tables(document, _PROVIDERS)
    if value_at(data, path) is not None:
        raise _exists(document, provider.name)
    table = render.whole_provider(provider)
    expected = with_value(data, path, table)
    inline = inline_ancestor(document, _PROVIDERS)
    if inline is not None:
        at, value = inline
        # Dots rather than a new `providers = {}`: so that removing can tell which of them stood
        names = [str(step) for step in path[len(at) :]]
        entry = f"{render.dotted_text(names)} = {render.inline_text(table)}"
        return agreed(document, [entry_added(value, entry)], expected)
    others = last_section_below(document, _PROVIDERS)
    place = place_below(document, ("defaults",) if others is None else _PROVIDERS)
    block = render.provider_lines([str(step) for step in path], provider)
    return agreed(document, [block_after(document, place, block)], expected)


def remove_provider(document: Document, name: str) -> Document:
    """The provider leaves with its models and the comments directly above its table.

    UsageProblem when there is none. What would dangle is :func:`dangling`'s to say, before.
    """
    path = _known(document, name)
    data = document.data()
    splices = list(written_at(document, path, headings=True))
    expected = [without(data, path), *pruned(data, path)]
    return agreed(document, splices, *expected)


def replace_provider(document: Document, provider: Provider) -> Document:
    """The provider of that name says what ``provider`` says; only what differs is touched.

    UsageProblem when there is none of that name.
    """
    path = _known(document, provider.name)
    wanted = render.provider_table(provider)
    data = document.data()
    changes: dict[KeyPath, object] = {}
    for key in ("baseUrl", "api", "apiKeyEnv", "headers"):
        at = (*path, key)
        changes.update(_changes(value_at(data, at), at, wanted.get(key)))
    document = set_keys(document, changes)
    return set_models(document, provider.name, provider.models)


def rename_provider(
    document: Document, old: str, new: str, *, keep_selectors: bool = False
) -> Document:
    """The provider is called ``new`` wherever its name stands; selectors follow.

    Lanes, ``defaults.model``, skills and triggers that said ``old/...`` say ``new/...``, unless
    ``keep_selectors``. UsageProblem when there is no ``old``, Refusal when ``new`` is taken.
    """
    path = _known(document, old)
    data = document.data()
    if old == new:
        return document
    if value_at(data, _path(new)) is not None:
        raise _exists(document, new)
    expected = with_value(without(data, path), _path(new), value_at(data, path))
    key = render.key_text(new)
    layout = document.layout
    splices = [Splice(part.start, part.end, key) for part in layout.mentions(path)]
    if not keep_selectors:
        more, expected = _followed(document, old, new, expected)
        splices += more
    return agreed(document, splices, expected)


def rename_selectors(document: Document, old: str, new: str) -> Document:
    """Selectors that said ``old/...`` say ``new/...``: in the file of a layer that uses a provider
    of the other one."""
    splices, expected = _followed(document, old, new, document.data())
    return agreed(document, splices, expected) if splices else document


def _followed(
    document: Document, old: str, new: str, expected: dict[str, object]
) -> tuple[list[Splice], dict[str, object]]:
    splices: list[Splice] = []
    layout = document.layout
    for use in uses(document, old):
        selector = new + use.selector[len(old) :]
        value = layout.spots[use.path].value
        if value is None:
            continue
        written = document.text[value.start : value.end]
        text = render.string_text(selector, like=written)
        splices.append(Splice(value.start, value.end, text))
        expected = with_value(expected, use.path, selector)
    return splices, expected


def set_models(document: Document, name: str, models: Sequence[ModelEntry]) -> Document:
    """The provider lists exactly ``models``: those it has are edited in place, new ones follow.

    Entries are told by their ids. UsageProblem when there is no such provider.
    """
    path: KeyPath = (*_known(document, name), "models")
    kept = _kept(document, path, models)
    if kept is None:
        return _rewritten(document, path, models)
    wanted = {model.id: model for model in models}
    gone = [at for at, identifier in enumerate(kept) if identifier not in wanted]
    document = _models_removed(document, path, gone)
    data = document.data()
    changes: dict[KeyPath, object] = {}
    for at, identifier in enumerate([one for one in kept if one in wanted]):
        changes.update(_model_changes(data, (*path, at), wanted[identifier]))
    document = set_keys(document, changes)
    return _models_added(document, path, [one for one in models if one.id not in kept])


def uses(document: Document, name: str) -> tuple[Use, ...]:
    """Every selector in the file that names the provider ``name``, in the file's order."""
    found: list[Use] = []
    for path, selector in selectors(document.data()):
        if selector.startswith(f"{name}/"):
            line, column = document.position(path) or (0, 0)
            found.append(Use(path, dotted(path), selector, line, column))
    return tuple(sorted(found, key=lambda use: (use.line, use.column)))


def dangling(document: Document, name: str) -> tuple[str, ...]:
    """What would point nowhere without the provider: ``defaults.agent.model (line 12)``."""
    return tuple(f"{use.dotted} (line {use.line})" for use in uses(document, name))


def selectors(data: Mapping[str, object]) -> Iterator[tuple[KeyPath, str]]:
    """Every place where Warden reads a selector, with what is written there."""
    paths: list[KeyPath] = [("defaults", "model")]
    paths += [("defaults", lane, "model") for lane in LANES]
    for at, skill in enumerate(_elements(value_at(data, ("skills",)))):
        paths.append(("skills", at, "model"))
        triggers = _elements(value_at(skill, ("triggers",)))
        paths += [("skills", at, "triggers", one, "model") for one in range(len(triggers))]
    for path in paths:
        value = value_at(data, path)
        if isinstance(value, str):
            yield path, value


# --- models ---------------------------------------------------------------------------------


def _kept(document: Document, path: KeyPath, models: Sequence[ModelEntry]) -> list[str] | None:
    """The ids that are listed now, when they can be edited in place; else ``None``.

    They cannot where ids repeat, entries are malformed, or the wanted order is another.
    """
    listed = _elements(value_at(document.data(), path))
    ids = [value_at(entry, ("id",)) for entry in listed]
    names = [one for one in ids if isinstance(one, str)]
    wanted = [model.id for model in models]
    if len(names) != len(ids) or len(set(names)) != len(names) or len(set(wanted)) != len(wanted):
        return None
    staying = [one for one in names if one in set(wanted)]
    return names if wanted[: len(staying)] == staying else None


def _rewritten(document: Document, path: KeyPath, models: Sequence[ModelEntry]) -> Document:
    spot = document.layout.spots.get(path)
    if spot is not None and spot.value is not None:
        return set_key(document, path, [render.model_table(model) for model in models])
    return _models_added(unset_key(document, path), path, models)


def _models_removed(document: Document, path: KeyPath, gone: Sequence[int]) -> Document:
    if not gone:
        return document
    data = document.data()
    listed = _elements(value_at(data, path))
    left = [entry for at, entry in enumerate(listed) if at not in set(gone)]
    splices: list[Splice] = []
    if left:
        splices += written_at(document, *((*path, at) for at in gone), headings=True)
        return agreed(document, splices, with_value(data, path, left))
    splices = list(written_at(document, path, headings=True))
    return agreed(document, splices, without(data, path), *pruned(data, path))


def _models_added(document: Document, path: KeyPath, models: Sequence[ModelEntry]) -> Document:
    if not models:
        return document
    data = document.data()
    tables = [render.model_table(model) for model in models]
    expected = with_value(data, path, [*_elements(value_at(data, path)), *tables])
    spot = document.layout.spots.get(path)
    if spot is not None and spot.value is not None:
        written = [render.inline_text(table) for table in tables]
        return agreed(document, elements_added(document, spot.value, written), expected)
    if inline_ancestor(document, path[:-1]) is not None:
        return set_key(document, path, tables)
    section = last_section_below(document, path)
    if section is None:
        section = last_section_below(document, path[:-1])
    place = (
        place_below(document, ("defaults",))
        if section is None
        else end_of_section(document, section)
    )
    block = render.model_lines([str(step) for step in path], models)
    return agreed(document, [block_after(document, place, block)], expected)


def _model_changes(
    data: Table, path: KeyPath, model: ModelEntry
) -> Iterator[tuple[KeyPath, object]]:
    table = render.model_table(model)
    usual: Table = {"name": model.id, "reasoning": False, "input": ["text"]}
    for key in ("name", "reasoning", "input", "contextWindow", "maxTokens", "cost"):
        held = value_at(data, (*path, key))
        if key in table or held != usual.get(key):
            yield from _changes(held, (*path, key), table.get(key))


def _changes(held: object, path: KeyPath, wanted: object) -> Iterator[tuple[KeyPath, object]]:
    """What makes ``held`` say ``wanted``, key by key where that is a table; None: is absent."""
    if isinstance(held, dict) and isinstance(wanted, dict):
        for key in held:
            if key not in wanted:
                yield (*path, key), None
        for key, value in wanted.items():
            yield from _changes(held.get(key), (*path, key), value)
    # 1 and 1.0 are one price, and how it is written is the user's affair.
    elif held != wanted or isinstance(held, bool) is not isinstance(wanted, bool):
        yield path, wanted


# --- small things ---------------------------------------------------------------------------


def _path(name: str) -> KeyPath:
    return (*_PROVIDERS, name)


def _elements(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _known(document: Document, name: str) -> KeyPath:
    held = value_at(document.data(), _path(name))
    if isinstance(held, dict):
        return _path(name)
    listed = value_at(document.data(), _PROVIDERS)
    names = ", ".join(map(one_line, listed)) if isinstance(listed, dict) and listed else ""
    raise UsageProblem(
        Fault(
            "usage",
            f"There is no provider «{one_line(name)}» in {one_line(document.path.name)}.",
            f"It has: {names}." if names else "It has no providers.",
            "Name one of these." if names else "Add one with turnkey provider add.",
        )
    )


def _exists(document: Document, name: str) -> Refusal:
    place = document.position(_path(name))
    line = f" (line {place[0]})" if place else ""
    return Refusal(
        Fault(
            "provider_exists",
            f"There is a provider «{one_line(name)}» already{line}.",
            "Each name can stand once.",
            "Choose another name, or edit or remove that one.",
        )
    )
