"""The vault: keys in the OS keyring, each bound to the origin it was given for.

An entry has service ``turnkey`` and user name ``<VARIABLE>@<origin>``. Where no keyring works,
keys stay in memory for this run and the :class:`Place` says so; there is never a file. The
keyring library is imported, and the backend looked for, at the first need. All methods block, for
a bounded time: screens run them with :func:`core.keys.bounded.beside`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import Fault, KeyProblem, UsageProblem
from core.keys import index as bindings
from core.keys.agreements import Agreements, Clock, utc_now
from core.keys.backends import (
    SERVICE,
    Backend,
    BackendError,
    Surroundings,
    find_backend,
    read_surroundings,
)
from core.keys.bounded import Patience
from core.keys.clean import unsendable
from core.keys.index import Entry, KeyIndex
from core.keys.keyring import Keyring
from core.keys.place import (
    KEY_VARIABLE,
    NOT_MOVED,
    NOTHING_STORED,
    UNANSWERED,
    Place,
    bound_elsewhere,
    maybe_stored,
    memory_place,
    trouble_fault,
    unseen,
)
from core.keys.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path


def entry_name(variable: str, origin: str) -> str:
    """The user name of a keyring entry: ``<VARIABLE>@<origin>``."""
    return f"{variable}@{origin}"


class Vault(Agreements):
    """Keys by variable and origin.

    ``backend`` is the keyring; where it is None, ``find`` looks for one at the first need, and
    without ``find`` everything stays in memory. ``memory`` holds the keys of this run. What is
    agreed on the environment's keys comes from :class:`Agreements`.
    """

    def __init__(
        self,
        backend: Backend | None,
        index: KeyIndex,
        *,
        find: Callable[[], Backend] | None = None,
        here: Surroundings | None = None,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(index, clock)
        self.here: Final = here or Surroundings(platform=sys.platform)
        self.memory: Final[dict[tuple[str, str], Secret]] = {}
        self.patience: Callable[[], Patience] = Patience
        """How to wait where a call does not say; set by who shows the wait."""
        self.on_late: Callable[[str], None] = lambda _: None
        """Told, from another thread, of a key that was stored after nobody waited any more."""
        self._keyring: Final = Keyring(backend, find, self._new_patience)

    def _new_patience(self) -> Patience:
        return self.patience()  # which may be set later

    def one_action(self, patience: Patience | None = None) -> AbstractContextManager[Patience]:
        """All calls of this thread inside share one patience: they are one action of the user.

        ``patience``: the one to share; else that of an action around, else a new one.
        """
        return self._keyring.one_action(patience)

    # Where keys go

    def prepare(self, patience: Patience | None = None, *, variable: str = KEY_VARIABLE) -> Place:
        """Where a key would go now, found out by a throwaway entry.

        To be called before every time that a person is asked for a key: a keyring that kept one
        may be full, locked or gone by now. ``variable``: the one it is for.
        """

        def try_again(backend: Backend) -> Backend:
            return self._keyring.ready(backend, anew=True)

        try:
            backend = self._keyring.call(try_again, patience)
        except BackendError as trouble:
            return self._memory_place(trouble, variable)
        return Place("keyring", backend.name, f"goes to {backend.name}")

    def keyring(self, patience: Patience | None = None) -> Place:
        """Which keyring is here and whether it is open. Nothing is written, nobody is asked.

        ``fault`` where it is locked or there is none; keys then live in memory.
        """

        def look(backend: Backend) -> bool | None:
            return backend.locked()

        try:
            locked = self._keyring.call(look, patience)
        except BackendError as trouble:
            return self._memory_place(trouble)
        if locked:
            closed = BackendError("locked", f"{self._keyring.name} is locked.")
            fault = self._fault(closed, KEY_VARIABLE)
            return Place("keyring", self._keyring.name, "is locked", fault)
        return Place("keyring", self._keyring.name, "is open")

    def is_open(self, patience: Patience | None = None) -> bool:
        """Whether reading a key is sure to ask nobody: the keyring is there and says it is open."""
        try:
            return self._keyring.call(lambda backend: backend.locked(), patience) is False
        except BackendError:
            return False

    def store(
        self, variable: str, origin: str, secret: Secret, patience: Patience | None = None
    ) -> Place:
        """Keep a key for one origin, and say where it went.

        Where the keyring does not take it, it is kept in memory, and ``fault`` says why. An older
        key of the same variable for another origin stays where it is.

        Raises:
            KeyProblem: it cannot travel in a header (``key_refused``), or is empty.
        """
        if not secret:
            raise KeyProblem(Fault("key_missing", "The key is empty.", fix="Give the key itself."))
        fault = unsendable(secret)
        if fault is not None:
            raise KeyProblem(fault)

        def write(backend: Backend) -> Backend:
            self._keyring.ready(backend)
            value = secret.reveal()
            backend.set(SERVICE, entry_name(variable, origin), value)
            if backend.get(SERVICE, entry_name(variable, origin)) != value:
                raise BackendError("failing", f"{backend.name} gave back something else.")
            return backend

        def late() -> None:
            # Written after the wait ended: listed too, so that it can be deleted.
            self._list(variable, origin)
            self.on_late(f"{self._keyring.name} has {variable} for {origin} after all.")

        try:
            backend = self._keyring.call(write, patience, late)
        except BackendError as trouble:
            self.memory[variable, origin] = secret
            place = self._memory_place(trouble, variable)
            if trouble.kind not in UNANSWERED:
                return place
            # From now on the keyring is asked, since the list may lack what it has.
            self._change(lambda entries: entries, lost=True)
            return msgspec.structs.replace(place, fault=maybe_stored(place.fault))
        self.memory.pop((variable, origin), None)
        fault = self._list(variable, origin)
        return Place("keyring", backend.name, f"in {backend.name}", fault)

    def remember(self, variable: str, origin: str, secret: Secret) -> Place:
        """Keep a key in memory for this run, because that is what the user chose."""
        self.memory[variable, origin] = secret
        return Place("memory", "memory", "kept for this run only")

    # What is there

    def fetch(
        self,
        variable: str,
        origin: str,
        patience: Patience | None = None,
        *,
        provider: str = "NAME",
    ) -> Secret | None:
        """The key that was stored for this variable and exactly this origin; None: there is none.

        Raises:
            KeyProblem: ``key_bound_elsewhere`` when it was stored for another origin only;
                ``keyring`` when the keyring that holds it, or may hold it, cannot be read;
                ``key_missing`` when the keyring no longer has it.
        """
        kept = self.memory.get((variable, origin))
        if kept is not None:
            return kept
        listed = bindings.find(self.index.entries, variable, origin, "keyring")
        if listed is None:
            elsewhere = self.stored_for(variable)
            if elsewhere:
                raise KeyProblem(bound_elsewhere(variable, origin, elsewhere, provider))
            if self.index.complete:
                return None

        def read(backend: Backend) -> str | None:
            # Nobody is asked to unlock a keyring for a key that may not even be there.
            if listed is None and backend.locked():
                raise BackendError("locked", f"{backend.name} is locked.")
            return backend.get(SERVICE, entry_name(variable, origin))

        try:
            value = self._keyring.call(read, patience)
        except BackendError as trouble:
            if listed is None and trouble.kind in NOTHING_STORED:
                return None
            fault = self._fault(trouble, variable)
            raise KeyProblem(fault if listed else unseen(fault, variable, origin)) from None
        if value is not None:
            if listed is None:
                self._list(variable, origin, lost=True)
            return Secret(value)
        if listed is None:
            return None
        raise KeyProblem(
            Fault(
                "key_missing",
                f"The keyring has no key {variable} for {origin} any more.",
                "It was deleted there, or this is another keyring than the one it was stored in.",
                f"Run «turnkey keys set {provider}» to store it again.",
            )
        )

    def stored_for(self, variable: str) -> tuple[str, ...]:
        """The origins that a key of this variable was stored for, in the keyring or in memory."""
        listed = bindings.origins(self.index.entries, variable, "keyring")
        kept = [origin for name, origin in self.memory if name == variable]
        return (*listed, *(origin for origin in kept if origin not in listed))

    @property
    def no_keyring(self) -> str:
        """Why there is no keyring here, one sentence; empty: there is one, or nobody looked."""
        return self._keyring.absence

    # Changes

    def delete(self, variable: str, origin: str, patience: Patience | None = None) -> bool:
        """Delete the key of this variable and origin everywhere; False when there was none.

        Raises:
            KeyProblem: the keyring could not be asked; nothing was deleted there.
        """
        listed = bindings.find(self.index.entries, variable, origin, "keyring") is not None
        if listed or not self.index.complete:
            user = entry_name(variable, origin)

            def remove(backend: Backend) -> bool:
                there = backend.get(SERVICE, user) is not None
                if there:
                    backend.delete(SERVICE, user)
                return there

            try:
                listed = self._keyring.call(remove, patience) or listed
            except BackendError as trouble:
                if listed:
                    raise KeyProblem(self._fault(trouble, variable)) from None
            if listed:
                self._change(lambda all_: bindings.without(all_, variable, (origin,), "keyring"))
        return self.memory.pop((variable, origin), None) is not None or listed

    def move(
        self,
        variable: str,
        origin: str,
        new_variable: str,
        new_origin: str,
        patience: Patience | None = None,
    ) -> Place | None:
        """Carry a stored key to another variable or origin; None when there is none to carry.

        The new entry is written before the old one goes: an end in between leaves both.

        Raises:
            KeyProblem: the keyring could not be read, or did not take the new entry.
        """
        if (variable, origin) == (new_variable, new_origin):
            return None
        with self.one_action(patience):
            place = self.copy(variable, origin, new_variable, new_origin)
            if place is not None:
                self.delete(variable, origin)
        return place

    def copy(
        self,
        variable: str,
        origin: str,
        new_variable: str,
        new_origin: str,
        patience: Patience | None = None,
    ) -> Place | None:
        """Keep a stored key for another variable or origin as well; None: there is none.

        Raises:
            KeyProblem: the keyring could not be read, or did not take the new entry.
        """
        if origin not in self.stored_for(variable):
            return None
        with self.one_action(patience):
            secret = self.fetch(variable, origin)
            if secret is None:
                return None
            if (variable, origin) in self.memory:
                return self.remember(new_variable, new_origin, secret)
            place = self.store(new_variable, new_origin, secret)
        if place.kind == "memory":
            self.memory.pop((new_variable, new_origin), None)
            raise KeyProblem(place.fault or NOT_MOVED)
        return place

    def rebind(
        self,
        variable: str,
        origin: str,
        patience: Patience | None = None,
        *,
        from_origin: str | None = None,
        keep: Collection[str] = (),
    ) -> Place | None:
        """Bind a stored key to ``origin`` from now on; None when no key of it is stored elsewhere.

        ``keep``: origins that other providers of the config use with the same variable; their
        keys stay. Where there is no other, one of these is kept for ``origin`` as well.

        Raises:
            UsageProblem: it is stored for several other origins and ``from_origin`` is not given.
            KeyProblem: as :meth:`move`.
        """
        stored = self.stored_for(variable)
        if from_origin is None:
            if origin in stored:
                return None
            free = [other for other in stored if other not in keep]
            meant = free or list(stored)
            if not meant:
                return None
            if len(meant) > 1:
                raise UsageProblem(
                    Fault(
                        "usage",
                        f"{variable} is stored for several origins: {', '.join(meant)}.",
                        fix="Say with --from ORIGIN which is meant, or store the key anew.",
                    )
                )
            from_origin = meant[0]
        carry = self.copy if from_origin in keep else self.move
        return carry(variable, from_origin, variable, origin, patience)

    # Inside

    def _fault(self, trouble: BackendError, variable: str) -> Fault:
        return trouble_fault(trouble, self.here, variable)

    def _memory_place(self, trouble: BackendError, variable: str = KEY_VARIABLE) -> Place:
        return memory_place(trouble, self._keyring.name, self._fault(trouble, variable))

    def _list(self, variable: str, origin: str, *, lost: bool = False) -> Fault | None:
        entry = Entry(variable, origin, "keyring", bindings.stamp(self._clock()))
        return self._change(lambda all_: bindings.with_entry(all_, entry), lost=lost)


def open_vault(
    state_dir: Path,
    *,
    env: Mapping[str, str],
    backend: Backend | None = None,
    find: Callable[[], Backend] | None = find_backend,
    platform: str = sys.platform,
) -> Vault:
    """The vault of this machine. Touches neither keyring nor file yet.

    ``state_dir``: turnkey's state folder, with the index in it. ``env`` tells SSH, containers and
    the like apart. ``backend`` stands in for the platform's; ``find=None`` and none: memory alone.
    """
    return Vault(
        backend,
        KeyIndex(state_dir / bindings.FILE_NAME),
        find=find,
        here=read_surroundings(env, platform),
    )
