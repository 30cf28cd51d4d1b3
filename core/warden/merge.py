"""Two changes of one file, put together by what they say, and a file made to say it.

The merge looks at values alone, so that a file which another program has laid out anew, or given
other line endings, is no conflict. Tables of a list are told apart by their names: a skill that
was added beside the one that was edited is none either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import ConfigProblem
from core.warden.config import read_provider
from core.warden.edits import (
    LANES,
    add_provider,
    remove_provider,
    rename_provider,
    selectors,
    set_lane,
    set_models,
)
from core.warden.keys_edit import cannot_edit, dotted, set_key, unset_key, without_table
from core.warden.render import model_table, whole_provider
from core.warden.values import same, value_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.warden.document import Document
    from core.warden.scan import KeyPath
    from core.warden.values import Table

PROVIDERS: Final = ("defaults", "providers")
_NAMES: Final = ("name", "id", "pattern")
"""The keys that tell the tables of a list apart: skills, models, file patterns."""


class Clashes(Exception):
    """Both sides changed the same values, each to something else; :attr:`paths` names them."""

    def __init__(self, *paths: KeyPath) -> None:
        super().__init__(", ".join(map(dotted, paths)))
        self.paths = paths


def merged(base: Table, mine: Table, theirs: Table) -> Table:
    """What a file says with both sides' changes of ``base``. Raises :class:`Clashes`."""
    return _merged_tables(base, mine, theirs, ())


def _merge(base: object, mine: object, theirs: object, path: KeyPath) -> object:
    """One value; None stands for one that is not there, since TOML has no null."""
    if same(mine, base) or same(mine, theirs):
        return theirs
    if same(theirs, base):
        return mine
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return _merged_tables(base, mine, theirs, path)
    if isinstance(mine, list) and isinstance(theirs, list) and isinstance(base, list):
        return _merged_lists(base, mine, theirs, path)
    raise Clashes(path)


def _merged_tables(base: object, mine: Table, theirs: Table, path: KeyPath) -> Table:
    before = base if isinstance(base, dict) else {}
    result: Table = {}
    clashes: list[KeyPath] = []
    for key in [*theirs, *(key for key in mine if key not in theirs)]:
        try:
            value = _merge(before.get(key), mine.get(key), theirs.get(key), (*path, key))
        except Clashes as found:
            clashes += found.paths
            continue
        if value is not None:
            result[key] = value
    if clashes:
        raise Clashes(*clashes)
    return result


def _merged_lists(
    base: list[object], mine: list[object], theirs: list[object], path: KeyPath
) -> list[object]:
    named = [_by_name(one) for one in (base, mine, theirs)]
    for key in _NAMES:
        before, here, there = (one.get(key) for one in named)
        if before is not None and here is not None and there is not None:
            return list(_merged_tables(before, here, there, path).values())
    # Without names only places are left, and they hold only where theirs stayed as they were.
    if len(mine) != len(base) or len(theirs) < len(base):
        raise Clashes(path)
    result = list(theirs)
    for at, (old, new) in enumerate(zip(base, mine, strict=True)):
        if not same(old, new):
            if not same(theirs[at], old):
                raise Clashes((*path, at))
            result[at] = new
    return result


def _by_name(entries: list[object]) -> Mapping[str, Table]:
    """The list as a table, for each key that names every entry, and each of them otherwise."""
    found: dict[str, Table] = {}
    for key in _NAMES:
        names = [value_at(entry, (key,)) for entry in entries]
        texts = [name for name in names if isinstance(name, str)]
        if len(set(texts)) == len(entries):
            found[key] = dict(zip(texts, entries, strict=True))
    return found


def orphaned(wanted: Table, *sides: Table) -> dict[KeyPath, str]:
    """The selectors of ``wanted`` whose provider or model a side has and ``wanted`` has not.

    So it is where one side removes or renames what the other begins to use. Skills are named in
    the paths instead of counted. What named nothing on a side already is that side's own business.
    """
    known = {name for side in sides for name in _declared(side)}
    before = [_unmet(side, known) for side in sides]
    return {
        path: selector
        for path, selector in _unmet(wanted, known).items()
        if not any(side.get(path) == selector for side in before)
    }


def _declared(data: Table) -> set[str]:
    """Every ``provider`` and every ``provider/model`` that the file declares."""
    found: set[str] = set()
    held = value_at(data, PROVIDERS)
    for name, table in held.items() if isinstance(held, dict) else ():
        models = value_at(table, ("models",))
        found.add(name)
        found |= {
            f"{name}/{value_at(model, ('id',))}"
            for model in (models if isinstance(models, list) else [])
        }
    return found


def _unmet(data: Table, known: set[str]) -> dict[KeyPath, str]:
    declared = _declared(data)
    return {
        _by_names(data, path): selector
        for path, selector in selectors(data)
        if {selector, selector.partition("/")[0]} & known - declared
    }


def _by_names(data: Table, path: KeyPath) -> KeyPath:
    """The path with each skill's name in place of its number, which the other side may change."""
    name = value_at(data, (*path[:2], "name")) if path[:1] == ("skills",) else None
    return (path[0], name, *path[2:]) if isinstance(name, str) else path


# --- a file that says it ------------------------------------------------------------------------


def rewritten(document: Document, wanted: Table) -> Document:
    """The document with the edits that make it say ``wanted``; the rest keeps every byte.

    ConfigProblem where there is no edit for a difference.
    """
    document = _renamed(document, wanted)
    document = _settled(document, (), wanted)
    if not same(document.data(), wanted):
        raise cannot_edit(document, "The result would say something else than was asked for.")
    return document


def _renamed(document: Document, wanted: Table) -> Document:
    held, asked = value_at(document.data(), PROVIDERS), value_at(wanted, PROVIDERS)
    if not isinstance(held, dict) or not isinstance(asked, dict):
        return document
    for old in [name for name in held if name not in asked]:
        for new in [name for name in asked if name not in held]:
            if same(held[old], asked[new]):
                return rename_provider(document, old, new, keep_selectors=True)
    return document


def _settled(document: Document, path: KeyPath, wanted: object) -> Document:
    held = value_at(document.data(), path) if path else document.data()
    if same(held, wanted):
        return document
    if path[:-1] == PROVIDERS and (held is None or wanted is None):
        return _provider(document, path, wanted)
    if path[:2] == PROVIDERS and len(path) == 4 and path[3] == "models" and held is not None:
        table: Table = {"baseUrl": "x", "models": wanted}
        models = read_provider(str(path[2]), table).models
        if same([model_table(model) for model in models], wanted):
            return set_models(document, str(path[2]), models)
    if isinstance(held, dict) and isinstance(wanted, dict):
        return _table(document, path, held, wanted)
    if isinstance(held, list) and isinstance(wanted, list) and len(held) == len(wanted):
        before = document
        try:
            for at, value in enumerate(wanted):
                document = _settled(document, (*path, at), value)
        except ConfigProblem:
            return set_key(before, path, wanted)
        return document
    if wanted is None:
        gone = without_table if isinstance(held, dict | list) else unset_key
        return gone(document, path)
    if path[:1] == ("defaults",) and path[1:] in {(lane, "model") for lane in LANES}:
        lane = next(lane for lane in LANES if lane == path[1])
        return set_lane(document, lane, str(wanted), default_model="keep")
    return set_key(document, path, wanted)


def _table(document: Document, path: KeyPath, held: Table, wanted: Table) -> Document:
    for key in [*wanted, *(key for key in held if key not in wanted)]:
        value = wanted.get(key)
        if isinstance(value, dict) and key not in held and (*path, key) != PROVIDERS:
            for inner, entry in value.items():
                document = _settled(document, (*path, key, inner), entry)
        elif isinstance(value, dict) and (*path, key) == PROVIDERS and key not in held:
            for name, entry in value.items():
                document = _provider(document, (*path, key, name), entry)
        else:
            document = _settled(document, (*path, key), value)
    return document


def _provider(document: Document, path: KeyPath, wanted: object) -> Document:
    name = str(path[-1])
    if wanted is None:
        return remove_provider(document, name)
    if isinstance(wanted, dict):
        provider = read_provider(name, wanted)
        if same(whole_provider(provider), wanted):
            return add_provider(document, provider)
    return set_key(document, path, wanted)
