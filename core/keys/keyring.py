"""The keyring as the vault uses it: found at the first need, tried out before a key is asked for.

Every call is bounded; all calls of one user's action share one bound, however many they are.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Final, TypeVar

from core.keys.backends import SERVICE, Backend, BackendError
from core.keys.bounded import BoundedCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.keys.bounded import Patience

T = TypeVar("T")
_NONE: Final = "There is no keyring here."


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


class Keyring:
    """Bounded calls to one backend.

    Where ``backend`` is None, ``find`` looks for one at the first call; without ``find`` there is
    none. ``patience`` makes the patience of an action that brings none.
    """

    def __init__(
        self,
        backend: Backend | None,
        find: Callable[[], Backend] | None,
        patience: Callable[[], Patience],
    ) -> None:
        self._backend = backend
        self._find = find
        self._patience = patience
        self._none: BackendError | None = None
        self._tried = False
        self._calls = BoundedCalls()
        self._action = threading.local()

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "The keyring" if self._backend is None else self._backend.name

    @property
    def absence(self) -> str:
        """Why there is none, one sentence; empty where there is one, or nobody looked yet."""
        if self._none is not None:
            return self._none.words
        return _NONE if self._backend is None and self._find is None else ""

    @contextlib.contextmanager
    def one_action(self, patience: Patience | None = None) -> Iterator[Patience]:
        """All calls of this thread inside share one patience.

        ``patience``: the one to share; else that of an action around, else a new one.
        """
        before: Patience | None = getattr(self._action, "patience", None)
        shared = patience or before or self._patience()
        self._action.patience = shared
        try:
            yield shared
        finally:
            self._action.patience = before

    def ready(self, backend: Backend, *, anew: bool = False) -> Backend:
        """The backend, tried out before the first key; ``anew``: once more. Raises BackendError."""
        if anew or not self._tried:
            self._tried = False
            try:
                try_out(backend)
            except BackendError as trouble:
                if trouble.kind == "refused":
                    self._none = trouble
                raise
            self._tried = True
        return backend

    def call(
        self,
        work: Callable[[Backend], T],
        patience: Patience | None = None,
        late: Callable[[], None] | None = None,
    ) -> T:
        """``work`` on the backend, which is looked for first; bounded.

        ``late`` runs when ``work`` succeeds after the wait has ended. Raises BackendError.
        """
        if self._none is not None:
            raise BackendError(self._none.kind, self._none.words)
        if self._backend is None and self._find is None:
            raise BackendError("missing", _NONE)

        def run() -> T:
            return work(self._found())

        def asking() -> bool | None:
            # One that is still looked for asks nobody.
            return False if self._backend is None else self._backend.locked()

        with self.one_action(patience) as shared:
            return self._calls.call(run, shared, name=lambda: self.name, asking=asking, late=late)

    def _found(self) -> Backend:
        if self._backend is None:
            if self._find is None:
                raise BackendError("missing", _NONE)
            try:
                self._backend = self._find()
            except BackendError as trouble:
                if trouble.kind in {"missing", "refused"}:
                    self._none = BackendError(trouble.kind, trouble.words)
                raise
        return self._backend
