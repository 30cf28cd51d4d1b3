"""A keyring for tests that keeps its entries in one file, so that child processes see them too."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

VARIABLE = "TURNKEY_TEST_KEYRING"
"""Names the file."""


class Keyring(KeyringBackend):
    """``{"service/user": value}`` in the file that the environment names."""

    # never chosen by itself: only where a test names it
    priority = -1.0

    def __init__(self) -> None:
        """Nothing to set up (and typed, which the library's own is not)."""

    def _all(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._file().read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def _file(self) -> Path:
        return Path(os.environ[VARIABLE])

    def _write(self, entries: dict[str, str]) -> None:
        self._file().write_text(json.dumps(entries), encoding="utf-8")

    def get_password(self, service: str, username: str) -> str | None:
        return self._all().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._all(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self._all()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError(username)
        self._write(entries)
