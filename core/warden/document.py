"""A ``warden.toml`` as an immutable value over its original bytes.

A :class:`Document` is always valid TOML: reading one that is not says where it goes wrong. Edits
(:mod:`core.warden.edits`) give a new Document whose text differs only where it was spliced, and
nothing is written before :func:`core.warden.save.save`.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import stat
import tomllib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from core.errors import ConfigProblem, Fault
from core.text import one_line
from core.warden.config import Config, read_config
from core.warden.locate import find_config
from core.warden.scan import KeyPath, Layout, scan

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Document",
    "digest",
    "empty",
    "find_config",
    "load",
    "load_or_empty",
    "parse",
    "with_bytes",
]

_BOM = codecs.BOM_UTF8
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True)
class Document:
    """One file's bytes, with what was on disk when it was read.

    ``raw`` is the content as edited; ``loaded`` the bytes found on disk, ``None`` when no file
    was there. Two Documents are equal when path and bytes are.
    """

    path: Path
    raw: bytes
    loaded: bytes | None

    @property
    def exists(self) -> bool:
        """Whether the file was on disk when this was loaded or saved."""
        return self.loaded is not None

    @cached_property
    def digest(self) -> str | None:
        """SHA-256, in hex, of what was on disk; ``None`` when no file was there."""
        return None if self.loaded is None else digest(self.loaded)

    @property
    def changed(self) -> bool:
        """Whether there is anything to save."""
        return self.raw != self.loaded and not (self.loaded is None and self.raw == b"")

    @cached_property
    def text(self) -> str:
        """The text, without a byte-order mark, line endings as they are in the file."""
        return _without_bom(self.raw).decode("utf-8")

    @cached_property
    def newline(self) -> str:
        r"""The file's own line ending, ``\r\n`` when most lines have it, else ``\n``."""
        return "\r\n" if self.text.count("\r\n") * 2 > self.text.count("\n") else "\n"

    @cached_property
    def _data(self) -> dict[str, object]:
        return tomllib.loads(self.text)

    def data(self) -> dict[str, object]:
        """What the file says, as ``tomllib`` parses it. Shared: to be read, not changed."""
        return self._data

    @cached_property
    def _config(self) -> Config:
        return read_config(self._data)

    def config(self) -> Config:
        """The typed read of the file: :func:`core.warden.config.read_config`."""
        return self._config

    @cached_property
    def layout(self) -> Layout:
        """Where everything is written."""
        try:
            return scan(self.text)
        except (ValueError, RecursionError) as error:
            raise ConfigProblem(
                Fault(
                    "config_unreadable",
                    f"turnkey cannot follow the layout of {_name(self.path)}.",
                    one_line(str(error)),
                    "Edit the file by hand; nothing was changed.",
                )
            ) from None

    def position(self, path: KeyPath) -> tuple[int, int] | None:
        """Line and column, from 1, of the key or array element at ``path``; ``None``: absent."""
        spot = self.layout.spots.get(path)
        return None if spot is None else self.layout.place(spot.start)

    def with_text(self, text: str) -> Document:
        """The same file with another text; a byte-order mark stays. ConfigProblem if not TOML."""
        mark = _BOM if self.raw.startswith(_BOM) else b""
        return with_bytes(self, mark + text.encode("utf-8"))

    def saved(self) -> Document:
        """This content as what is now on disk."""
        return replace(self, loaded=self.raw)

    def based_on(self, loaded: bytes | None) -> Document:
        """This content over other bytes on disk: an older version after a save, for undo."""
        return replace(self, loaded=loaded)


def digest(raw: bytes) -> str:
    """SHA-256 of a file's bytes, in hex."""
    return hashlib.sha256(raw).hexdigest()


def load(path: Path) -> Document:
    """Read a file. ConfigProblem (``config_unreadable``) when it is absent or not valid TOML.

    The fault names line and column where the file is at fault.
    """
    document = load_or_empty(path)
    if not document.exists:
        raise _unreadable(
            f"There is no file {_name(path)}.",
            f"Looked for {one_line(str(path))}.",
            "Create it with turnkey, or name another with --config.",
        )
    return document


def empty(path: Path) -> Document:
    """A new, empty file that is not on disk yet."""
    return Document(path, b"", None)


def load_or_empty(path: Path) -> Document:
    """The file if it is there, else a new one. ConfigProblem as in :func:`load`."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unreadable(f"{_name(path)} is not a file.", one_line(str(path)), _ANOTHER)
        raw = path.read_bytes()
    except FileNotFoundError:
        return empty(path)
    except OSError as error:
        reason = one_line(error.strerror or type(error).__name__)
        raise _unreadable(f"{_name(path)} cannot be read.", f"{reason}.", _ANOTHER) from None
    return parse(path, raw, raw)


def parse(path: Path, raw: bytes, loaded: bytes | None) -> Document:
    """A Document of given bytes, checked. ConfigProblem when they are not UTF-8 or not TOML."""
    return _checked(Document(path, raw, loaded))


def with_bytes(document: Document, raw: bytes) -> Document:
    """The same file with other bytes, checked as in :func:`parse`."""
    return _checked(replace(document, raw=raw))


_ANOTHER = "Check its permissions, or name another file with --config."


def _checked(document: Document) -> Document:
    name = _name(document.path)
    try:
        document.data()
    except UnicodeDecodeError as error:
        before = _without_bom(document.raw)[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise _unreadable(
            f"{name} is not UTF-8 text: line {line}, column {column}.",
            "TOML files are UTF-8.",
            "Save the file as UTF-8 in your editor.",
        ) from None
    except RecursionError:
        raise _unreadable(
            f"{name} is nested too deeply.", "", "Flatten its arrays and tables."
        ) from None
    except ValueError as error:
        raise _unreadable(*_syntax(name, document.text, str(error))) from None
    return document


def _syntax(name: str, text: str, message: str) -> tuple[str, str, str]:
    """tomllib's complaint as what, why and fix, with line and column in words."""
    match = _AT.search(message)
    if match is None:
        return f"{name} is not valid TOML.", f"{one_line(message)}.", "Correct it and load again."
    if match[1] is None:
        line = text.count("\n") + 1
        column = len(text) - (text.rfind("\n") + 1) + 1
        place = f"line {line}, column {column} (its end)"
    else:
        place = f"line {match[1]}, column {match[2]}"
    why = one_line(message[: match.start()])
    return (
        f"{name} is not valid TOML: {place}.",
        f"The parser says: {why}.",
        "Correct that line; Warden refuses the whole file until then.",
    )


def _without_bom(raw: bytes) -> bytes:
    return raw.removeprefix(_BOM)


def _name(path: Path) -> str:
    return one_line(path.name or str(path))


def _unreadable(what: str, why: str, fix: str) -> ConfigProblem:
    return ConfigProblem(Fault("config_unreadable", what, why, fix))
