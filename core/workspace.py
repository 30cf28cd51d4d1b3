"""What one person works on: the file with its unsaved edits, the keys, the variant.

The command line and the screens share this: both open a :class:`Workspace`, ask it, edit through
it and save through it. It holds state and no rules; the rules are in the packages that it calls.
Nothing is written before :meth:`Workspace.save`: not the file, and not a key that was typed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.approvals import Approvals
from core.asker import Asker, NetworkAsker
from core.errors import ConfigProblem, Fault, TurnkeyError, UsageProblem
from core.keys.secret import MASK
from core.leaked import holds_keys
from core.live.history import History
from core.providers.base_url import read_base_url
from core.providers.key_forms import is_opaque, looks_secret, without_keys
from core.sheets import LAYERS, Sheets
from core.text import one_line
from core.warden import document as documents
from core.warden.lanes import providers_seen, resolve
from core.warden.save import backup
from core.warden.workflows import NamedBase, named_bases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.keys.secret import Secret
    from core.keys.source import KeySource
    from core.keys.vault import Vault
    from core.live.ping import Run
    from core.onboarding import Name
    from core.providers.base_url import BaseUrl
    from core.warden.config import Provider, Variant
    from core.warden.lanes import LaneReport, Layer
    from core.warden.problems import Problem


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the form for a new provider is filled in with: the demo's own address and key."""

    name: str
    base_url: str
    key: Secret


@dataclass
class Workspace(Sheets):
    """The working state of one run of turnkey."""

    env: Mapping[str, str]
    vault: Vault
    variant: Variant = "providers"
    state_folder: Path | None = None
    """Where the last saved version is kept; None keeps none (the demo)."""
    demo: Suggestion | None = None
    """Set on the demo provider: the screens say so, and the form is filled in."""
    named_bases: tuple[NamedBase, ...] = ()
    """The base layers that workflows of the repository name."""
    pending_keys: dict[tuple[str, str], Secret] = field(default_factory=dict)
    """Keys typed in this run, by (variable, origin); they reach the vault with the save."""
    asker: Asker = field(default_factory=NetworkAsker)
    """Asks endpoints; another one in tests."""
    guided: bool = False
    """Whether the steps from nothing to a saved file are shown: on from an empty file."""
    skipped: set[Name] = field(default_factory=set)
    """Steps of the way that were left out in this run."""
    approvals: Approvals = field(default_factory=Approvals)
    """The origins that turnkey may ask by itself, because a person had it ask them before."""
    history: History = field(default_factory=History)
    """The live tests and races of this session, for comparing them."""
    _runs: dict[tuple[str, str], Run] = field(default_factory=dict)

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

    def save(self) -> tuple[Fault, ...]:
        """Write the files, then the typed keys. Returns what a person must know about the keys.

        Raises ConfigProblem when a file cannot be written or changed meanwhile; then that file
        was not written. A keyring that fails does not undo the save: its key stays for this run,
        and the returned faults say so.
        """
        unkept = [self._keep_version(layer) for layer in LAYERS if self._changed(layer)]
        self.write_files()
        faults = [fault for fault in unkept if fault is not None]
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

    def _keep_version(self, layer: Layer) -> Fault | None:
        """Keep the version on disk in the state folder; a fault where that does not work.

        A folder that cannot be written is no reason not to save.
        """
        saved = self.saved if layer == "repo" else self.base_saved
        if self.state_folder is None or saved is None or not saved.exists or holds_keys(saved):
            return None
        try:
            backup(saved, self.state_folder)
        except (OSError, ConfigProblem):
            return Fault(
                "config_unwritable",
                "The file is saved, but its version before could not be kept.",
                f"{self.state_folder} cannot be written.",
                "Check its permissions, or set XDG_STATE_HOME.",
            )
        return None

    def lanes(self, model_flag: str | None = None) -> LaneReport:
        """What each lane resolves to, with the unsaved edits."""
        return resolve(
            self.config,
            self.variant,
            env=self.env,
            model_flag=model_flag,
            base=self.base,
            base_only=self.base_only,
        )

    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong with the files of both layers as they stand, worst first.

        For stock Warden the last one is a note where Pi's ``models.json`` is not as the config is.
        """
        from core.warden.layer_problems import problems_of_layers

        keyed = [provider.name for provider in self.providers if self._has_key(provider)]
        found = problems_of_layers(
            None if self.base_only else self.document,
            self.base_document,
            self.named_bases,
            self.variant,
            self.env,
            keyed,
        )
        if self.variant != "stock" or self.demo is not None:
            return found
        from core.export.pi_place import note_for

        note = note_for(self)
        return found if note is None else (*found, note)

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
        known = without_keys(", ".join(provider.name for provider in self.providers))
        # It may be a key, put where the name belongs.
        shown = MASK if looks_secret(name) or is_opaque(name) else one_line(name, 60)
        raise UsageProblem(
            Fault(
                "usage",
                f"There is no provider «{shown}» in {self.document.path.name}.",
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
    workspace.approvals = Approvals(state_folder)
    if base is not None:
        workspace.open_base(base)
    return workspace
