"""Keyrings for tests: each behaves in one way, in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from core.keys.backends import Backend, BackendError, Surroundings
from core.keys.index import KeyIndex
from core.keys.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GW: Final = "http://gw:4000"
OTHER: Final = "http://evil:4000"
CANARY: Final = "sk-canary-4f1c9a-QUITE-SECRET"
VARIABLE: Final = "WARDEN_LITELLM_API_KEY"


class Works:
    """Keeps what it is given, and counts the calls."""

    name = "Secret Service"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.calls: list[str] = []
        self.is_locked: bool | None = False

    def get(self, service: str, user: str) -> str | None:
        self.calls.append(f"get {user}")
        return self.kept.get((service, user))

    def set(self, service: str, user: str, password: str) -> None:
        self.calls.append(f"set {user}")
        self.kept[service, user] = password

    def delete(self, service: str, user: str) -> None:
        self.calls.append(f"delete {user}")
        self.kept.pop((service, user), None)

    def locked(self) -> bool | None:
        return self.is_locked


class Null(Works):
    """Says yes and keeps nothing, as ``keyring.backends.null`` does."""

    name = "keyring.backends.null.Keyring"

    def set(self, service: str, user: str, password: str) -> None:  # noqa: ARG002
        self.calls.append(f"set {user}")


class Raises(Works):
    """Raises one trouble at every call, while ``trouble`` is set."""

    def __init__(self, trouble: BackendError | Exception) -> None:
        super().__init__()
        self.trouble: BackendError | Exception | None = trouble

    def _maybe(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def get(self, service: str, user: str) -> str | None:
        self._maybe()
        return super().get(service, user)

    def set(self, service: str, user: str, password: str) -> None:
        self._maybe()
        super().set(service, user, password)

    def delete(self, service: str, user: str) -> None:
        self._maybe()
        super().delete(service, user)


class Slow(Works):
    """Answers only after ``released`` is set; ``entered`` tells that a call came."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.entered = threading.Event()
        self.thread: threading.Thread | None = None

    def finish(self) -> None:
        """Let it answer, and wait until the thread that asked is through."""
        self.released.set()
        if self.thread is not None:
            self.thread.join(10)

    def _wait(self) -> None:
        self.thread = threading.current_thread()
        self.entered.set()
        self.released.wait(30)

    def get(self, service: str, user: str) -> str | None:
        self._wait()
        return super().get(service, user)

    def set(self, service: str, user: str, password: str) -> None:
        self._wait()
        super().set(service, user, password)


LOCKED: Final = BackendError("locked", "Secret Service is locked.")
LINUX: Final = Surroundings(platform="linux", bus=True, desktop=True)


def vault_at(
    folder: Path, backend: Backend | None, *, find: Callable[[], Backend] | None = None
) -> Vault:
    """A vault with its index in ``folder``; as a new run of turnkey would open it."""
    return Vault(backend, KeyIndex(folder / "turnkey" / "keys.json"), find=find, here=LINUX)
