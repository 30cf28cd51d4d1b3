"""The files that one person edits: both layers, their unsaved edits, undo, and what is on disk.

State and no rules: the edits are :mod:`core.warden.edits`, the merge with what another program has
written is :mod:`core.warden.history`. Nothing is written before a save.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from core.errors import ConfigProblem, Fault, UsageProblem
from core.leaked import masked_diff
from core.text import one_line
from core.warden import document as documents
from core.warden.document import Document
from core.warden.history import fit, replay
from core.warden.save import check, conflict
from core.warden.save import save as save_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.warden.chains import Layer
    from core.warden.config import Config

LAYERS: Final[tuple[Layer, ...]] = ("repo", "base")
Pair = tuple[Document, Document | None]
"""The repository's file and the base layer, as they stood at one time."""


@dataclass
class Sheets:
    """The repository's file and, where one was given, an organisation's base layer."""

    document: Document
    """The file with the edits that are not saved yet."""
    saved: Document
    """The file as it was loaded or last saved."""
    base_document: Document | None = field(default=None, kw_only=True)
    """The organisation's base layer with the edits that are not saved yet; edited only where the
    layer is named: by the layer switch of the Lanes screen, or ``--layer base``."""
    base_saved: Document | None = field(default=None, kw_only=True)
    """The base layer as it was loaded or last saved."""
    _undone: list[Pair] = field(default_factory=list, kw_only=True)
    _done: list[Pair] = field(default_factory=list, kw_only=True)

    @property
    def config(self) -> Config:
        """The file with its unsaved edits, as typed values."""
        return self.document.config()

    @property
    def base(self) -> Config | None:
        """The base layer with its unsaved edits, as typed values; None: there is none."""
        return None if self.base_document is None else self.base_document.config()

    def sheet(self, layer: Layer) -> Document:
        """The file of a layer with its unsaved edits. KeyError: there is no base layer."""
        if layer == "repo":
            return self.document
        if self.base_document is None:
            raise KeyError(layer)
        return self.base_document

    def open_base(self, path: Path) -> None:
        """Read an organisation's base layer beside the file.

        Raises ConfigProblem when it cannot be read or parsed, UsageProblem when it is the file
        itself, which Warden's action refuses.
        """
        layer = documents.load_or_empty(path)
        if not layer.exists:
            raise ConfigProblem(
                Fault(
                    "config_unreadable",
                    f"There is no base layer {one_line(path.name)}.",
                    f"Looked for {one_line(str(path))}.",
                    "Name the organisation's file with --base, or leave that out.",
                )
            )
        if self.document.exists and path.samefile(self.document.path):
            raise UsageProblem(
                Fault(
                    "usage",
                    "The base layer and the file are the same.",
                    "Warden's action refuses base-config-path and config-path that are one file.",
                    "Name the organisation's file with --base.",
                )
            )
        self.base_document = self.base_saved = layer

    @property
    def documents(self) -> tuple[Document, ...]:
        """The files there are, the repository's first."""
        base = () if self.base_document is None else (self.base_document,)
        return (self.document, *base)

    def follows(self, layer: Layer, name: str) -> bool:
        """Whether the repository's selectors mean the provider ``name`` of the file of ``layer``
        that is not their own: the base layer's, where the repository has no providers."""
        known = self.base is not None and self.base.provider(name) is not None
        return layer == "base" and known and not self.config.providers

    @property
    def base_only(self) -> bool:
        """True when there is a base layer and no file of the repository's: Warden's action takes
        the base alone then (getsentry/warden ``config/loader.ts``)."""
        return self.base_document is not None and not self.document.exists and not self.document.raw

    def _changed(self, layer: Layer) -> bool:
        if layer == "repo":
            return self.document.raw != self.saved.raw
        return self.base_document is not None and self.base_document != self.base_saved

    @property
    def can_undo(self) -> bool:
        """True when an edit can be taken back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """True when an edit that was taken back can be made again."""
        return bool(self._undone)

    def edit(self, document: Document, layer: Layer = "repo") -> None:
        """Take a new state of a layer's file; the old one can be had back by :meth:`undo`."""
        self.edit_together({layer: document})

    def edit_together(self, documents: Mapping[Layer, Document]) -> None:
        """Take new states of several layers' files: one step for :meth:`undo`."""
        if all(document.raw == self.sheet(layer).raw for layer, document in documents.items()):
            return
        self._done.append((self.document, self.base_document))
        self._undone.clear()
        for layer, document in documents.items():
            self._put(document, layer)

    def _put(self, document: Document, layer: Layer) -> None:
        if layer == "repo":
            self.document = document
        else:
            self.base_document = document

    def undo(self) -> bool:
        """Step back one edit, also behind a save; False when there is none."""
        return self._step(self._done, self._undone)

    def redo(self) -> bool:
        """Step forward again; False when there is nothing to repeat."""
        return self._step(self._undone, self._done)

    def _step(self, source: list[Pair], target: list[Pair]) -> bool:
        if not source:
            return False
        target.append((self.document, self.base_document))
        self.document, self.base_document = source.pop()
        return True

    def pending_diff(self) -> str:
        """The unified diff that :meth:`save` would make true; empty when nothing changed.

        Keys that stand in a file are masked.
        """
        shown = masked_diff(self.saved, self.document)
        if self.base_saved is not None and self.base_document is not None:
            shown += masked_diff(self.base_saved, self.base_document)
        return shown

    def elsewhere(self, layer: Layer = "repo") -> bytes | None:
        """What another program has put on disk since the file was read; None: nothing.

        ``b""`` where the file is gone. OSError when it cannot be read.
        """
        if layer == "base" and self.base_document is None:
            return None
        return conflict(self.sheet(layer))

    def elsewhere_diff(self, layer: Layer = "repo") -> str:
        """What another program changed: a unified diff with keys masked, or that it is broken."""
        theirs = self.elsewhere(layer)
        mine = self.sheet(layer)
        if theirs is None:
            return ""
        try:
            other = documents.parse(mine.path, theirs, theirs)
        except ConfigProblem:
            # What cannot be parsed cannot be searched for keys either: it is not shown.
            return f"{mine.path.name} is no valid TOML now; open it in an editor.\n"
        return masked_diff(documents.parse(mine.path, mine.loaded or b"", None), other)

    def reload(self, *, keep: bool = True) -> None:
        """Read the files again, and make the unsaved edits again on what is there now.

        Raises ConfigProblem ``config_changed`` where the edits touch the keys that the other
        program changed, or use a provider of the other layer that it took away; nothing happens
        then. Without ``keep`` the edits are given up instead.
        """
        reread: list[tuple[Layer, Document, Document]] = []
        for layer in LAYERS:
            theirs = self.elsewhere(layer)
            if theirs is None:
                continue
            mine = self.sheet(layer)
            there = documents.load_or_empty(mine.path)
            if not keep:
                reread.append((layer, there, there))
            elif there.exists:
                reread.append((layer, replay(mine, theirs), there))
            else:
                reread.append((layer, mine.based_on(None), there))
        if keep:
            self._look_across(
                {layer: document for layer, document, _ in reread},
                {layer: there for layer, _, there in reread},
            )
        for layer, document, there in reread:
            self._put(document, layer)
            if layer == "repo":
                self.saved = there
            else:
                self.base_saved = there
        if reread:
            # What was before knows nothing of the other program's change, and would undo it.
            self._undone.clear()
            self._done[:] = [] if not keep else [(self.saved, self.base_saved)]

    def save_as(self, path: Path) -> None:
        """Write the edited file to another place, where none may be, and go on with that one.

        Raises ConfigProblem when a file is there or it cannot be written.
        """
        copy = save_document(Document(path, self.document.raw, None))
        self.document = self.saved = copy
        self._done.clear()
        self._undone.clear()

    def write_files(self) -> None:
        """Write what changed. ConfigProblem when a file cannot be written or changed meanwhile.

        All are looked at before any is written, for a selector may follow into the other layer;
        the base layer goes first, since it is the one that may be somebody else's.
        """
        there: dict[Layer, Document] = {}
        for layer in LAYERS:
            if self._changed(layer):
                check(self.sheet(layer))
            else:
                there.update(self._there(layer))
        self._look_across(there, there)
        if self.base_document is not None and self._changed("base"):
            self.base_document = self.base_saved = save_document(self.base_document)
        if self._changed("repo"):
            self.document = self.saved = save_document(self.document)
        for stack in (self._done, self._undone):
            stack[:] = [self._rebased(sheets) for sheets in stack]

    def _there(self, layer: Layer) -> dict[Layer, Document]:
        """The layer's file as another program has left it, where that can be told; else none."""
        with suppress(OSError, ConfigProblem):
            theirs = self.elsewhere(layer)
            if theirs is not None:
                return {layer: documents.parse(self.sheet(layer).path, theirs, theirs)}
        return {}

    def _look_across(
        self, wanted: Mapping[Layer, Document], there: Mapping[Layer, Document]
    ) -> None:
        """ConfigProblem where one layer, as it would stand, uses a provider that the other lost.

        ``wanted`` and ``there`` are the files that another program changed: as they would stand,
        and as it left them.
        """
        if not there or self.base_document is None:
            return
        fit(
            (wanted.get("repo", self.document), wanted.get("base", self.base_document)),
            (self.document, self.base_document),
            (there.get("repo", self.saved), there.get("base", self.base_saved)),
        )

    def _rebased(self, sheets: Pair) -> Pair:
        """Older versions over what is on disk now, so that they can be saved in turn."""
        repo, base = sheets
        if base is not None and self.base_saved is not None:
            base = base.based_on(self.base_saved.loaded)
        return repo.based_on(self.saved.loaded), base
