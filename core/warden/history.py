"""Undo and redo of edits, and edits carried over to a file that changed meanwhile.

Documents are values, so a history is a row of them. A replay is a merge of three versions: line
by line, so that comments of both sides stay, and held to the merge of what the versions *say*
(:mod:`core.warden.merge`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import permutations
from typing import TYPE_CHECKING

from core.errors import ConfigProblem, Fault
from core.providers.key_forms import shown_selector
from core.text import one_line
from core.warden.document import Document, parse
from core.warden.keys_edit import dotted
from core.warden.merge import PROVIDERS, Clashes, merged, orphaned, rewritten
from core.warden.values import same, value_at, with_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.warden.scan import KeyPath
    from core.warden.values import Table


@dataclass(frozen=True)
class History:
    """The versions of one file in one sitting; ``now`` is the one that is shown."""

    now: Document
    past: tuple[Document, ...] = ()
    future: tuple[Document, ...] = ()

    def edited(self, document: Document) -> History:
        """A new version after ``now``; what had been undone is forgotten. The same: no step."""
        if document.raw == self.now.raw:
            return self
        return History(document, (*self.past, self.now))

    def undo(self) -> History:
        """One version back, as far as there is one."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.now, *self.future))

    def redo(self) -> History:
        """One version forward, as far as there is one."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.now), self.future[1:])

    def saved(self, document: Document) -> History:
        """After a save: every version now stands over the bytes that are on disk.

        So an undo behind the save is a change that can be saved in turn.
        """
        loaded = document.loaded
        return replace(
            self,
            now=document,
            past=tuple(one.based_on(loaded) for one in self.past),
            future=tuple(one.based_on(loaded) for one in self.future),
        )


def replay(mine: Document, theirs: bytes) -> Document:
    """My unsaved edits on top of ``theirs``, what another program has put on disk meanwhile.

    Both sides' changes are kept where they touch other keys: line by line where that gives what
    is meant, else my edits are made again on their text, as where they laid it out anew.
    ConfigProblem ``config_changed`` naming the keys where they touch the same ones,
    so where one removed or renamed what the other has begun to use; ``config_unreadable`` when
    ``theirs`` is not valid TOML. In all of them nothing is lost, for nothing is written here.
    """
    base = parse(mine.path, mine.loaded or b"", mine.loaded)
    other = parse(mine.path, theirs, theirs)
    try:
        wanted = merged(base.data(), mine.data(), other.data())
    except Clashes as found:
        raise _clash(mine, [dotted(path) for path in found.paths]) from None
    orphans = orphaned(wanted, mine.data(), other.data())
    if orphans:
        raise _orphans(mine, orphans)
    # Texts, for a byte-order mark is no part of the first line
    texts = (_ended(base, other), _ended(mine, other), other.text)
    for raw in _texts(*(text.encode() for text in texts)):
        try:
            result = other.with_text(raw.decode())
        except ConfigProblem:
            continue
        if same(result.data(), wanted):
            return result
    try:
        return rewritten(other, wanted)
    except (ConfigProblem, KeyError):
        raise _clash(mine, []) from None


Layers = tuple[Document, Document | None]
"""The repository's file, and the base layer where there is one."""


def fit(wanted: Layers, mine: Layers, theirs: Layers) -> None:
    """Both layers as they would stand, beside both sides'. ConfigProblem ``config_changed`` where
    one side removed or renamed a provider that the other has begun to use from the other layer."""
    orphans = orphaned(_seen(*wanted), _seen(*mine), _seen(*theirs))
    if orphans:
        raise _orphans(wanted[0], orphans)


def _seen(repo: Document, base: Document | None) -> Table:
    """The repository's file with the base layer's providers, where it has none of its own."""
    data = repo.data()
    lent = None if base is None else value_at(base.data(), PROVIDERS)
    held = data.get("defaults", {})
    if not isinstance(held, dict) or held.get("providers") or not lent:
        return data
    return with_value(data, PROVIDERS, lent)


def _ended(mine: Document, theirs: Document) -> str:
    """My text in their line endings, which tell nothing of what has changed."""
    if mine.newline == theirs.newline:
        return mine.text
    return mine.text.replace("\r\n", "\n").replace("\n", theirs.newline)


_Change = tuple[int, int, tuple[bytes, ...]]


def _texts(base: bytes, mine: bytes, theirs: bytes) -> Iterator[bytes]:
    """The ways to put both sides' changed lines into one text, best first."""
    ending = b"\r\n" if b"\r\n" in base else b"\n"
    versions = (base, theirs, mine)
    # A last line without its ending would count as changed by whoever added lines below it
    ended = [one if one.endswith(b"\n") or not one else one + ending for one in versions]
    bare = not any(one.endswith(b"\n") for one in versions)
    lines = ended[0].splitlines(keepends=True)
    sides = [_changes(lines, one.splitlines(keepends=True)) for one in ended[1:]]
    for first, second in permutations(sides):
        result = _applied(lines, first, second)
        if result is not None:
            yield result.removesuffix(ending) if bare else result


def _changes(old: Sequence[bytes], new: Sequence[bytes]) -> list[_Change]:
    matcher = SequenceMatcher(None, old, new)
    return [
        (start, end, tuple(new[first:last]))
        for what, start, end, first, last in matcher.get_opcodes()
        if what != "equal"
    ]


def _applied(
    lines: Sequence[bytes], first: Sequence[_Change], second: Sequence[_Change]
) -> bytes | None:
    """``lines`` with the changes of both; where both add, ``first`` comes first."""
    changes = sorted({*first, *second}, key=lambda one: (one[0], one[1], one not in first))
    pieces: list[bytes] = []
    at = 0
    for start, end, new in changes:
        if start < at:
            return None
        pieces += [*lines[at:start], *new]
        at = end
    pieces += lines[at:]
    return b"".join(pieces)


def _clash(mine: Document, names: Sequence[str]) -> ConfigProblem:
    name = one_line(mine.path.name)
    return ConfigProblem(
        Fault(
            "config_changed",
            f"Your changes and those in {name} on disk cannot be put together.",
            f"Both changed {', '.join(map(one_line, names))}."
            if names
            else "Both changed the same lines.",
            "Load the file again and repeat your change, or save yours elsewhere.",
        )
    )


def _orphans(mine: Document, orphans: Mapping[KeyPath, str]) -> ConfigProblem:
    told = [f"{dotted(path)} names {shown_selector(one)}" for path, one in orphans.items()]
    return ConfigProblem(
        Fault(
            "config_changed",
            f"Your changes and those in {one_line(mine.path.name)} on disk do not fit together.",
            f"{', '.join(map(one_line, told))}, which the other side has removed or renamed.",
            "Load the file again and repeat your change, or save yours elsewhere.",
        )
    )
