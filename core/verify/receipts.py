"""Where receipts are kept: the state folder, one file for each fingerprint, the newest wins."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import ConfigProblem, Fault
from core.text import one_line
from core.verify.receipt import SCHEMA, Gone, Receipt, Standing, standing
from core.verify.verified import is_verified

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from pathlib import Path

_FOLDER: Final = "receipts"
_MOST_BYTES: Final = 32 * 1024 * 1024
_MOST_FILES: Final = 500
"""Receipts kept; of more, the oldest files go."""
_NAME: Final = re.compile(r"[0-9a-f]{64}\.json")
_SEEN: Final[dict[Path, tuple[bytes, Mapping[str, Collection[str]], Receipt]]] = {}
"""The last receipt that was read, by its bytes: Home asks for it each time it draws."""


class _Version(msgspec.Struct):
    schema: int


class Receipts:
    """The receipts of a state folder. Nothing here is ever sent anywhere.

    ``required`` is what :func:`core.verify.verified.is_verified` wants: what a file says of itself
    is not believed where its own verdicts say otherwise.
    """

    def __init__(self, state: Path, required: Mapping[str, Collection[str]]) -> None:
        self._folder = state / _FOLDER
        self._required = required

    def path(self, fingerprint: str) -> Path:
        """The file of a fingerprint (``sha256:`` and 64 digits)."""
        return self._folder / f"{fingerprint.removeprefix('sha256:')}.json"

    def load(self, path: Path) -> tuple[Receipt | None, Fault | None]:
        """The receipt of a file, or why there is none; both None where no file is."""
        try:
            data = _bytes_of(path)
        except FileNotFoundError:
            return None, None
        except (OSError, ValueError) as error:
            return None, _damaged(path, str(error))
        from core.verify.registry import compat_probes, optional_probes

        seen = _SEEN.get(path)
        if seen is not None and seen[:2] == (data, self._required):
            return seen[2], None
        try:
            version = msgspec.json.decode(data, type=_Version).schema
            if version != SCHEMA:
                return None, Fault(
                    "receipt_other_schema",
                    f"The receipt is of schema {version}; this turnkey reads {SCHEMA}.",
                    "It was written by another version of turnkey.",
                    "Run «turnkey verify» again.",
                )
            found = msgspec.json.decode(data, type=Receipt)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return None, _damaged(path, str(error))
        held = is_verified(
            found.verdicts,
            lanes=found.lanes,
            required=self._required,
            escapes=found.escapes,
            probes=[probe.name for probe in compat_probes()],
            optional=optional_probes(),
            overrides=found.overrides,
        )
        found = msgspec.structs.replace(_shown(found), verified=found.verified and held)
        _SEEN.clear()
        _SEEN[path] = data, self._required, found
        return found, None

    def of(self, fingerprint: str, place: str, now: datetime) -> Standing:
        """What is known of the config now: its own receipt, else the last one of the same file."""
        own, fault = self.load(self.path(fingerprint))
        if own is not None or fault is not None:
            return standing(own, fingerprint, now, fault)
        return standing(self._last(place), fingerprint, now)

    def keep(self, receipt: Receipt) -> Path:
        """Write ``receipt`` for its fingerprint, whole or not at all, readable by its owner alone.

        Raises ConfigProblem ``receipt_unwritable``.
        """
        path = self.path(receipt.config.fingerprint)
        data = msgspec.json.format(msgspec.json.encode(receipt), indent=1) + b"\n"
        new = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
                with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                new.replace(path)
            finally:
                new.unlink(missing_ok=True)
            self._thin()
        except OSError as error:
            raise ConfigProblem(
                Fault(
                    "receipt_unwritable",
                    "The receipt could not be kept.",
                    f"{one_line(str(path.parent))}: {error.strerror}.",
                    "Make the folder writable; the verdicts above were found all the same.",
                )
            ) from error
        return path

    def _files(self) -> list[Path]:
        try:
            found = [one for one in self._folder.iterdir() if _NAME.fullmatch(one.name)]
            return sorted(found, key=lambda one: one.lstat().st_mtime, reverse=True)
        except OSError:
            return []

    def _last(self, place: str) -> Receipt | None:
        """The newest readable receipt of the file that ``place`` marks."""
        for path in self._files():
            found, _ = self.load(path)
            if found is not None and place and found.config.place == place:
                return found
        return None

    def _thin(self) -> None:
        for path in self._files()[_MOST_FILES:]:
            path.unlink(missing_ok=True)


def _shown(found: Receipt) -> Receipt:
    """``found`` with what stands in sentences on one line and without control characters.

    Whoever can write the state folder can write a receipt; it must not be able to write lines of
    its own into an export or onto a terminal. Providers and models stay as they are, since they
    are compared; whoever shows them makes them visible.
    """
    return msgspec.structs.replace(
        found,
        turnkey=one_line(found.turnkey, 40),
        at=one_line(found.at, 40),
        config=msgspec.structs.replace(found.config, file=one_line(found.config.file, 120)),
        verdicts=tuple(
            msgspec.structs.replace(
                one,
                probe=one_line(one.probe, 60),
                finding=one_line(one.finding, 60),
                fix=one_line(one.fix, 2_000),
            )
            for one in found.verdicts
        ),
        escapes=tuple(
            Gone(one_line(one.code, 8), one_line(one.lane, 40), one_line(one.message, 600))
            for one in found.escapes
        ),
    )


def receipt_schema() -> bytes:
    """The JSON schema of a receipt, as it is published in ``assets/receipt.schema.json``."""
    schema = msgspec.json.schema(Receipt)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def _bytes_of(path: Path) -> bytes:
    """A regular file of bearable size; a pipe in its place would be waited for without end."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("it is no regular file")
        if about.st_size > _MOST_BYTES:
            raise ValueError(f"it has {about.st_size} bytes")
        return file.read(_MOST_BYTES)


def _damaged(path: Path, why: str) -> Fault:
    return Fault(
        "receipt_damaged",
        f"The receipt {one_line(path.name, 24)} cannot be read.",
        f"{one_line(why, 160)}.",
        "Run «turnkey verify» again; it writes a new one.",
    )
