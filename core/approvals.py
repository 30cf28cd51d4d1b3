"""Which origins turnkey may ask by itself: those that a person had it ask before.

Home's dots come from requests that nobody asks for, so they go only where somebody agreed to that:
a key was bound to the origin, or a person added, tested or verified a provider there. Opening a
file, a stranger's above all, agrees to nothing. The file in the state folder holds origins alone.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

FILE_NAME: Final = "approved.json"
_VERSION: Final = 1
_MOST_BYTES: Final = 1024 * 1024


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    origins: dict[str, bool]
    """Origin -> whether it may be asked; False: a person took that back."""
    version: int = _VERSION


class Approvals:
    """What a person agreed to, kept in ``folder``; None keeps it for this run alone.

    A file that cannot be understood approves nothing and is never written over: what was taken
    back stands in it as well.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = None if folder is None else folder / FILE_NAME
        self._known: dict[str, bool] = {}
        self._seen: tuple[int, int, int] | None = None
        self.fault: Fault | None = None
        """Why the file cannot be used, or None. Known after the first look."""

    def allows(self, origin: str, bound: Collection[str] = ()) -> bool:
        """Whether ``origin`` may be asked unasked. ``bound``: the origins that keys are bound to.

        What a person said of it goes before what a key's binding says.
        """
        self._look()
        return self.fault is None and self._known.get(origin, origin in bound)

    def note(self, origin: str) -> None:
        """A person had ``origin`` asked. What was taken back stays so."""
        self._look()
        if origin not in self._known:
            self.decide(origin, allowed=True)

    def decide(self, origin: str, *, allowed: bool) -> Fault | None:
        """A person said so. Gives a fault where it could not be kept; then it holds for this run.

        With a file that cannot be understood nothing can be allowed.
        """
        self._look()
        self._known[origin] = allowed
        if self._path is None or self.fault is not None:
            return self.fault
        try:
            self._write(self._path)
        except OSError as error:
            return Fault(
                "config_unwritable",
                "Which servers may be looked after cannot be kept.",
                f"{self._path}: {error.strerror or type(error).__name__}.",
                "It holds for this run. Make the folder writable, or set XDG_STATE_HOME.",
            )
        return None

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that somebody approved here, in order of their names."""
        self._look()
        return tuple(sorted(origin for origin, allowed in self._known.items() if allowed))

    def _look(self) -> None:
        """Read the file again where another turnkey wrote it."""
        if self._path is None:
            return
        try:
            about = self._path.lstat()
        except OSError:
            return
        seen = about.st_mtime_ns, about.st_ino, about.st_size
        if seen == self._seen:
            return
        self._seen, self.fault = seen, None
        try:
            if not stat.S_ISREG(about.st_mode) or about.st_size > _MOST_BYTES:
                raise ValueError
            found = msgspec.json.decode(self._path.read_bytes(), type=_File)
            if found.version != _VERSION:
                raise ValueError
        except (OSError, ValueError):  # msgspec's own errors are ValueErrors
            self.fault = Fault(
                "config_unreadable",
                f"The list of approved servers cannot be understood: {self._path}.",
                "Until then no server is asked unasked.",
                "Remove the file; servers are approved again as you use them.",
            )
            return
        self._known.update(found.origins)

    def _write(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = msgspec.json.format(msgspec.json.encode(_File(self._known)), indent=1) + b"\n"
        new = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
                file.write(data)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        about = path.lstat()
        self._seen = about.st_mtime_ns, about.st_ino, about.st_size
