"""What one person works on: the file with its unsaved edits, the keys, the variant.

The command line and the screens share this: both open a :class:`Workspace`, ask it, edit through
it and save through it. It holds state and no rules; the rules are in the packages that it calls.
Nothing is written before :meth:`Workspace.save`: not the file, and not a key that was typed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from core.asker import Asker, NetworkAsker
from core.errors import ConfigProblem, Fault, TurnkeyError, UsageProblem
from core.leaked import holds_keys, masked_diff
from core.providers.base_url import read_base_url
from core.text import one_line
from core.warden import document as documents
from core.warden.document import Document
from core.warden.history import replay
from core.warden.lanes import Layer, providers_seen, resolve
from core.warden.save import backup, conflict
from core.warden.save import save as save_document
from core.warden.workflows import NamedBase, named_bases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.keys.secret import Secret
    from core.keys.source import KeySource
    from core.keys.vault import Vault
    from core.live.ping import Run
    from core.providers.base_url import BaseUrl
    from core.warden.config import Config, Provider, Variant
    from core.warden.lanes import LaneReport
    from core.warden.problems import Problem

LAYERS: Final[tuple[Layer, ...]] = ("repo", "base")
Sheets = tuple[Document, Document | None]
"""The repository's file and the base layer, as they stood at one time."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the form for a new provider is filled in with: the demo's own address and key."""

    name: str
    base_url: str
    key: Secret


@dataclass
class Workspace:
    """The working state of one run of turnkey."""

    document: Document
    """The file with the edits that are not saved yet."""
    saved: Document
    """The file as it was loaded or last saved."""
    env: Mapping[str, str]
    vault: Vault
    variant: Variant = "providers"
    state_folder: Path | None = None
    """Where the last saved version is kept; None keeps none (the demo)."""
    demo: Suggestion | None = None
    """Set on the demo provider: the screens say so, and the form is filled in."""
    base_document: Document | None = None
    """The organisation's base layer with the edits that are not saved yet; only the layer switch
    of the Lanes screen edits it."""
    base_saved: Document | None = None
    """The base layer as it was loaded or last saved."""
    named_bases: tuple[NamedBase, ...] = ()
    """The base layers that workflows of the repository name."""
    pending_keys: dict[tuple[str, str], Secret] = field(default_factory=dict)
    """Keys typed in this run, by (variable, origin); they reach the vault with the save."""
    asker: Asker = field(default_factory=NetworkAsker)
    """Asks endpoints; another one in tests."""
    _runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    _undone: list[Sheets] = field(default_factory=list)
    _done: list[Sheets] = field(default_factory=list)

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
        layer = documents.load(path)
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

    def _changed(self, layer: Layer) -> bool:
        if layer == "repo":
            return self.document.raw != self.saved.raw
        return self.base_document is not None and self.base_document != self.base_saved

    @property
    def unsaved(self) -> bool:
        """True when there is something to save: an edit of a file, or a typed key."""
        return any(map(self._changed, LAYERS)) or bool(self.waiting_keys)

    @property
    def waiting_keys(self) -> dict[tuple[str, str], Secret]:
        """The typed keys that a save would store: those of providers that the file names now.

        The key of a provider that was undone waits in memory, for a redo.
        """
        from core.keys.environment import stored_variable

        named: set[tuple[str, str]] = set()
        for provider in self.providers:
            with suppress(UsageProblem):
                origin = read_base_url(provider.base_url, exact=True).origin
                named.add((stored_variable(provider.name, provider.api_key_env), origin))
        return {entry: secret for entry, secret in self.pending_keys.items() if entry in named}

    @property
    def tried(self) -> dict[str, Run]:
        """The last live test of this run by selector, of the endpoints that the file names now.

        A test of a provider's earlier address says nothing of its present one.
        """
        now: dict[str, str] = {}
        for provider in self.providers:
            with suppress(UsageProblem):
                now[provider.name] = read_base_url(provider.base_url, exact=True).url
        return {
            selector: run
            for (selector, url), run in self._runs.items()
            if now.get(selector.partition("/")[0], url) == url
        }

    def remember(self, selector: str, base: BaseUrl, run: Run) -> None:
        """Keep what a live test of ``selector`` at ``base`` showed."""
        self._runs[selector, base.url] = run

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
        if document.raw == self.sheet(layer).raw:
            return
        self._done.append((self.document, self.base_document))
        self._undone.clear()
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

    def _step(self, source: list[Sheets], target: list[Sheets]) -> bool:
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
        program changed; nothing happens then. Without ``keep`` the edits are given up instead.
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

    def save(self) -> tuple[Fault, ...]:
        """Write the files, then the typed keys. Returns what a person must know about the keys.

        Raises ConfigProblem when a file cannot be written or changed meanwhile; then that file
        was not written. A keyring that fails does not undo the save: its key stays for this run,
        and the returned faults say so.
        """
        faults = []
        if self._changed("repo"):
            unkept = self._keep_version()
            self.document = self.saved = save_document(self.document)
            if unkept is not None:
                faults.append(unkept)
        if self.base_document is not None and self._changed("base"):
            self.base_document = self.base_saved = save_document(self.base_document)
        for stack in (self._done, self._undone):
            stack[:] = [self._rebased(sheets) for sheets in stack]
        for (variable, origin), secret in self.waiting_keys.items():
            if self.demo is not None:
                place = self.vault.remember(variable, origin, secret)
            else:
                place = self.vault.store(variable, origin, secret)
            if place.fault is not None:
                faults.append(place.fault)
            self.pending_keys.pop((variable, origin), None)
        return tuple(faults)

    def carry_key(self, old: Provider, name: str, api_key_env: str | None) -> bool:
        """Let the key of a provider that gets another name or variable wait under the new one.

        It is stored with the save; the old entry stays, so that the edit can be undone. False
        when there is none to carry, or it cannot be read now. May wait for the keyring.
        """
        from core.keys.environment import stored_variable

        before = stored_variable(old.name, old.api_key_env)
        after = stored_variable(name, api_key_env)
        try:
            origin = read_base_url(old.base_url, exact=True).origin
            secret = self.pending_keys.get((before, origin)) or self.vault.fetch(before, origin)
        except TurnkeyError:
            return False
        if secret is None or before == after:
            return False
        self.pending_keys[after, origin] = secret
        return True

    def _keep_version(self) -> Fault | None:
        """Keep the version on disk in the state folder; a fault where that does not work.

        A folder that cannot be written is no reason not to save.
        """
        if self.state_folder is None or not self.saved.exists or holds_keys(self.saved):
            return None
        try:
            backup(self.saved, self.state_folder)
        except (OSError, ConfigProblem):
            return Fault(
                "config_unwritable",
                "The file is saved, but its version before could not be kept.",
                f"{self.state_folder} cannot be written.",
                "Check its permissions, or set XDG_STATE_HOME.",
            )
        return None

    def _rebased(self, sheets: Sheets) -> Sheets:
        """Older versions over what is on disk now, so that they can be saved in turn."""
        repo, base = sheets
        if base is not None and self.base_saved is not None:
            base = base.based_on(self.base_saved.loaded)
        return repo.based_on(self.saved.loaded), base

    def lanes(self, model_flag: str | None = None) -> LaneReport:
        """What each lane resolves to, with the unsaved edits."""
        return resolve(
            self.config, self.variant, env=self.env, model_flag=model_flag, base=self.base
        )

    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong with the files of both layers as they stand, worst first."""
        from core.warden.layer_problems import problems_of_layers

        keyed = [provider.name for provider in self.providers if self._has_key(provider)]
        return problems_of_layers(
            self.document, self.base_document, self.named_bases, self.variant, self.env, keyed
        )

    def key_source(self, provider: Provider, *, look: bool = False) -> KeySource:
        """Where the provider's key is, by the index alone: quick, and no keyring is asked.

        With ``look`` the keyring is asked as well, which may take its time.

        Raises UsageProblem when the provider's base URL cannot be meant.
        """
        from core.keys.source import find_key

        base = read_base_url(provider.base_url, exact=True)
        source, _ = find_key(
            provider.name,
            provider.api_key_env,
            base,
            self.env,
            self.vault,
            variant=self.variant,
            look=look,
            pi_stored=self._stored_in_pi(),
        )
        return source if source.source == "environment" else self._typed(provider, base, source)[0]

    def _stored_in_pi(self) -> frozenset[str]:
        """The providers that Pi has a key of its own for, in the home that Pi would see."""
        from core.keys.environment import pi_folder, stored_in_pi

        home = self.env.get("HOME") or self.env.get("USERPROFILE")
        if not home:
            return frozenset()
        return stored_in_pi(pi_folder(self.env, Path(home)) / "auth.json")

    def _typed(
        self, provider: Provider, base: BaseUrl, source: KeySource
    ) -> tuple[KeySource, Secret | None]:
        """A key typed in this run, which stands in for ``source``; else that and None."""
        from core.keys.environment import stored_variable

        variable = stored_variable(provider.name, provider.api_key_env)
        typed = self.pending_keys.get((variable, base.origin))
        if typed is None:
            return source, None
        memory = msgspec.structs.replace(
            source, source="memory", variable=variable, stored_at=None, fault=None
        )
        return memory, typed

    def _has_key(self, provider: Provider) -> bool:
        """Whether a key is stored or typed for the provider's origin; asks no keyring."""
        from core.keys.environment import stored_variable

        try:
            origin = read_base_url(provider.base_url, exact=True).origin
        except UsageProblem:
            return False
        variable = stored_variable(provider.name, provider.api_key_env)
        known = (*self.vault.stored_for(variable), *self._typed_for(variable))
        return origin in known

    def _typed_for(self, variable: str) -> tuple[str, ...]:
        return tuple(origin for name, origin in self.pending_keys if name == variable)

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The providers that the repository's skills get: the file's, else the base layer's."""
        return providers_seen(self.config, self.base)

    def provider(self, name: str) -> Provider:
        """The provider of that name; UsageProblem naming the known ones otherwise."""
        for provider in self.providers:
            if provider.name == name:
                return provider
        known = ", ".join(provider.name for provider in self.providers)
        raise UsageProblem(
            Fault(
                "usage",
                f"There is no provider «{one_line(name, 60)}» in {self.document.path.name}.",
                f"It has: {known}." if known else "It has no provider yet.",
                "Name one of these, or add it: turnkey provider add NAME --url URL."
                if known
                else "Add one: turnkey provider add NAME --url URL.",
            )
        )

    def key_for(
        self, provider: Provider, base: BaseUrl | None = None, *, send: bool = True
    ) -> tuple[KeySource, Secret | None]:
        """Where the provider's key comes from now, and the key, for its own origin alone.

        Order: the environment as Warden resolves it, a key typed in this run, the keyring, and
        the placeholder of a keyless server on this machine. With ``send`` an environment's key
        is bound to the first origin it goes to; without, it is only looked at. May wait for the
        keyring, for a bounded time.
        """
        from core.keys.source import find_key, resolve_key

        base = base or read_base_url(provider.base_url, exact=True)
        find = resolve_key if send else find_key
        source, secret = find(
            provider.name,
            provider.api_key_env,
            base,
            self.env,
            self.vault,
            variant=self.variant,
            pi_stored=self._stored_in_pi(),
        )
        if source.source == "environment":
            return source, secret
        source, typed = self._typed(provider, base, source)
        return source, secret if typed is None else typed


def open_workspace(
    path: Path,
    *,
    env: Mapping[str, str],
    vault: Vault,
    variant: Variant = "providers",
    state_folder: Path | None = None,
    demo: Suggestion | None = None,
    base: Path | None = None,
) -> Workspace:
    """Open ``path``, or start an empty document that would be saved there.

    Raises ConfigProblem when the file or the base layer cannot be read or parsed, UsageProblem
    when both are the same file; nothing is touched.
    """
    document = documents.load_or_empty(path)
    named = () if demo is not None else named_bases(path.parent)
    workspace = Workspace(
        document, document, env, vault, variant, state_folder, demo, named_bases=named
    )
    if base is not None:
        workspace.open_base(base)
    return workspace
