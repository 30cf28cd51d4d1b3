"""The vault: keys in the OS keyring, each bound to the origin it was given for.

An entry has service ``turnkey`` and user name ``<VARIABLE>@<origin>``. Where there is no keyring,
or it does not work, keys stay in memory for this run and the :class:`Place` says so; there is
never a file. The keyring library is imported, and the backend looked for, at the first call that
needs it. All methods block, for a bounded time: screens run them with
:func:`core.keys.bounded.beside`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from core.errors import Fault, KeyProblem, UsageProblem
from core.keys import index as bindings
from core.keys.backends import (
    SERVICE,
    Backend,
    BackendError,
    Surroundings,
    find_backend,
    read_surroundings,
)
from core.keys.bounded import BoundedCalls, Patience
from core.keys.clean import unsendable
from core.keys.index import Entry, KeyIndex
from core.keys.place import (
    KEY_VARIABLE,
    NOT_MOVED,
    Place,
    bound_elsewhere,
    memory_place,
    trouble_fault,
)
from core.keys.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
Clock = Callable[[], datetime]


def entry_name(variable: str, origin: str) -> str:
    """The user name of a keyring entry: ``<VARIABLE>@<origin>``."""
    return f"{variable}@{origin}"


def try_out(backend: Backend) -> None:
    """Write, read and delete a throwaway entry: the only way to see a keyring that forgets.

    Raises:
        BackendError: ``refused`` when it does not give back what it got, or what it raised.
    """
    user = f"turnkey-trial-{os.urandom(8).hex()}"
    value = os.urandom(16).hex()
    try:
        backend.set(SERVICE, user, value)
        if backend.get(SERVICE, user) != value:
            raise BackendError("refused", f"{backend.name} does not keep what it is given.")
    except BackendError:
        with contextlib.suppress(BackendError):
            backend.delete(SERVICE, user)
        raise
    backend.delete(SERVICE, user)


class Vault:
    """Keys by variable and origin.

    ``backend`` is the keyring; where it is None, ``find`` looks for one at the first need, and
    without ``find`` everything stays in memory. ``memory`` holds the keys of this run.
    """

    def __init__(
        self,
        backend: Backend | None,
        index: KeyIndex,
        *,
        find: Callable[[], Backend] | None = None,
        here: Surroundings | None = None,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self.index: Final = index
        self.here: Final = here or Surroundings(platform=sys.platform)
        self.memory: Final[dict[tuple[str, str], Secret]] = {}
        self.patience: Callable[[], Patience] = Patience
        """How to wait where a call does not say: screens and commands set who is told of it."""
        self._backend = backend
        self._find = find
        self._clock = clock
        self._none: BackendError | None = None
        self._tried = False
        self._calls = BoundedCalls()

    # Where keys go

    def prepare(self, patience: Patience | None = None) -> Place:
        """Where a key would go now, found out by a throwaway entry.

        To be called before a person is asked for a key.
        """
        try:
            backend = self._call(self._ready, patience)
        except BackendError as trouble:
            return self._memory_place(trouble)
        return Place("keyring", backend.name, f"goes to {backend.name}")

    def keyring(self, patience: Patience | None = None) -> Place:
        """Which keyring is here and whether it is open. Nothing is written, nobody is asked.

        ``fault`` where it is locked or there is none; keys then live in memory.
        """

        def look(backend: Backend) -> bool | None:
            return backend.locked()

        try:
            locked = self._call(look, patience)
        except BackendError as trouble:
            return self._memory_place(trouble)
        if locked:
            closed = BackendError("locked", f"{self._name()} is locked.")
            return Place("keyring", self._name(), "is locked", self._fault(closed, KEY_VARIABLE))
        return Place("keyring", self._name(), "is open")

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
            self._ready(backend)
            value = secret.reveal()
            backend.set(SERVICE, entry_name(variable, origin), value)
            if backend.get(SERVICE, entry_name(variable, origin)) != value:
                raise BackendError("failing", f"{backend.name} gave back something else.")
            return backend

        def late() -> None:
            # Written after the wait ended: listed too, so that it can be deleted.
            self._list(variable, origin)

        try:
            backend = self._call(write, patience, late)
        except BackendError as trouble:
            self.memory[variable, origin] = secret
            return self._memory_place(trouble, variable)
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

        ``provider`` names the provider in the fix.

        Raises:
            KeyProblem: ``key_bound_elsewhere`` when it was stored for another origin only;
                ``keyring`` when the keyring that holds it cannot be read; ``key_missing`` when
                the keyring no longer has it.
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
                return None
            return backend.get(SERVICE, entry_name(variable, origin))

        try:
            value = self._call(read, patience)
        except BackendError as trouble:
            if listed is None:
                return None
            raise KeyProblem(self._fault(trouble, variable)) from None
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

    def sent_to(self, variable: str) -> tuple[str, ...]:
        """The origins that the environment's key of this variable may go to, oldest first."""
        return bindings.origins(self.index.entries, variable, "environment")

    def when(self, variable: str, origin: str, source: bindings.Source) -> str | None:
        """When a binding was made, ISO 8601 in UTC; None: there is no such binding."""
        entry = bindings.find(self.index.entries, variable, origin, source)
        return None if entry is None else entry.stored_at

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
                listed = self._call(remove, patience) or listed
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
        if origin not in self.stored_for(variable):
            return None
        secret = self.fetch(variable, origin, patience)
        if secret is None:
            return None
        if (variable, origin) in self.memory:
            del self.memory[variable, origin]
            return self.remember(new_variable, new_origin, secret)
        place = self.store(new_variable, new_origin, secret, patience)
        if place.kind == "memory":
            self.memory.pop((new_variable, new_origin), None)
            raise KeyProblem(place.fault or NOT_MOVED)
        self.delete(variable, origin, patience)
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
        keys stay.

        Raises:
            UsageProblem: it is stored for several other origins and ``from_origin`` is not given.
            KeyProblem: as :meth:`move`.
        """
        stored = self.stored_for(variable)
        if from_origin is None:
            if origin in stored:
                return None
            elsewhere = [other for other in stored if other not in keep]
            if not elsewhere:
                return None
            if len(elsewhere) > 1:
                raise UsageProblem(
                    Fault(
                        "usage",
                        f"{variable} is stored for several origins: {', '.join(elsewhere)}.",
                        fix="Say which of them is meant, or store the key anew.",
                    )
                )
            from_origin = elsewhere[0]
        return self.move(variable, from_origin, variable, origin, patience)

    def allow_environment(
        self, variable: str, origin: str, *, instead: bool = False, keep: Collection[str] = ()
    ) -> Fault | None:
        """Record that the environment's key of this variable may go to ``origin`` (no value).

        ``instead``: the origins it could go to before are dropped, but for ``keep``. Gives a
        fault when the record could not be written; it then holds for this run.
        """
        gone = (
            [o for o in self.sent_to(variable) if o != origin and o not in keep] if instead else []
        )
        known = bindings.find(self.index.entries, variable, origin, "environment")
        if known is not None and not gone:
            return None
        entry = known or Entry(variable, origin, "environment", bindings.stamp(self._clock()))

        def change(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
            left = bindings.without(entries, variable, gone, "environment")
            return bindings.with_entry(left, entry)

        return self._change(change)

    # Inside

    def _fault(self, trouble: BackendError, variable: str) -> Fault:
        return trouble_fault(trouble, self.here, variable)

    def _memory_place(self, trouble: BackendError, variable: str = KEY_VARIABLE) -> Place:
        return memory_place(trouble, self._name(), self._fault(trouble, variable))

    def _name(self) -> str:
        return "The keyring" if self._backend is None else self._backend.name

    def _list(self, variable: str, origin: str, *, lost: bool = False) -> Fault | None:
        entry = Entry(variable, origin, "keyring", bindings.stamp(self._clock()))
        return self._change(lambda all_: bindings.with_entry(all_, entry), lost=lost)

    def _change(self, change: bindings.Change, *, lost: bool = False) -> Fault | None:
        return self.index.change(change, lost=lost)

    def _ready(self, backend: Backend) -> Backend:
        if not self._tried:
            try:
                try_out(backend)
            except BackendError as trouble:
                if trouble.kind == "refused":
                    self._none = trouble
                raise
            self._tried = True
        return backend

    def _call(
        self,
        work: Callable[[Backend], T],
        patience: Patience | None = None,
        late: Callable[[], None] | None = None,
    ) -> T:
        """``work`` on the backend, which is looked for first; bounded. Raises BackendError."""
        if self._none is not None:
            raise BackendError(self._none.kind, self._none.words)
        if self._backend is None and self._find is None:
            raise BackendError("missing", "There is no keyring here.")

        def run() -> T:
            return work(self._found())

        def asking() -> bool | None:
            # One that is still looked for asks nobody.
            return False if self._backend is None else self._backend.locked()

        return self._calls.call(
            run, patience or self.patience(), name=self._name, asking=asking, late=late
        )

    def _found(self) -> Backend:
        if self._backend is None:
            if self._find is None:
                raise BackendError("missing", "There is no keyring here.")
            try:
                self._backend = self._find()
            except BackendError as trouble:
                if trouble.kind in {"missing", "refused"}:
                    self._none = BackendError(trouble.kind, trouble.words)
                raise
        return self._backend


def open_vault(
    state_dir: Path,
    *,
    env: Mapping[str, str],
    backend: Backend | None = None,
    find: Callable[[], Backend] | None = find_backend,
    platform: str = sys.platform,
) -> Vault:
    """The vault of this machine. Touches neither keyring nor file yet.

    ``state_dir``: turnkey's state folder; the index is ``keys.json`` in it. ``env`` tells SSH,
    containers and the like apart, for what is said when there is no keyring. ``backend`` stands
    in for the platform's; ``find=None`` and no backend: memory alone.
    """
    return Vault(
        backend,
        KeyIndex(state_dir / bindings.FILE_NAME),
        find=find,
        here=read_surroundings(env, platform),
    )
