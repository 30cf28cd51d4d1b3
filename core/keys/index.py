"""The index of keys: which variable is bound to which origin, since when. Never a value.

A keyring cannot list its entries, and an environment variable has no origin of its own; this file
in the state folder remembers both. Pure functions over tuples of :class:`Entry` decide;
:class:`KeyIndex` reads and writes the file (mode 0600, replaced in one step).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Callable, Collection, Iterator
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.errors import ConfigProblem, Fault

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

Source = Literal["keyring", "environment"]

FILE_NAME: Final = "keys.json"
_VERSION: Final = 1
_LARGEST: Final = 8 * 1024 * 1024
"""Bytes; a list of ten thousand bindings has less than two million."""
HOLD_S: Final = 3.0
"""Seconds that another writer of the list is waited for."""
_TICK_S: Final = 0.02
_HELD: Final = f"Another program keeps it to itself for more than {HOLD_S:g} s"
_UNTOLD: Final = "No key is lost, they are in the keyring; but where each may go is not known."


class Entry(msgspec.Struct, frozen=True):
    """One binding: this variable's key may go to this origin."""

    variable: str
    origin: str
    """Scheme, host and port, as ``BaseUrl.origin`` has it."""
    source: Source
    """``keyring``: stored there under ``<variable>@<origin>``. ``environment``: the value stays in
    the environment; it was sent to this origin before, or somebody agreed to that."""
    stored_at: str
    """When, ISO 8601 in UTC."""


class _File(msgspec.Struct, frozen=True):
    entries: tuple[Entry, ...]
    version: int = _VERSION
    complete: bool = True
    """False once an earlier list was lost: the keyring may hold entries that are not listed."""


class _Version(msgspec.Struct, frozen=True):
    version: int = _VERSION


Change = Callable[[tuple[Entry, ...]], tuple[Entry, ...]]
"""What is to be done to the entries, whatever they are when the file is written."""


def origins(entries: Collection[Entry], variable: str, source: Source) -> tuple[str, ...]:
    """The origins that a variable is bound to, oldest first."""
    fitting = [e for e in entries if e.variable == variable and e.source == source]
    return tuple(entry.origin for entry in sorted(fitting, key=lambda entry: entry.stored_at))


def find(entries: Collection[Entry], variable: str, origin: str, source: Source) -> Entry | None:
    """The entry for exactly this variable, origin and source, or None."""
    for entry in entries:
        if (entry.variable, entry.origin, entry.source) == (variable, origin, source):
            return entry
    return None


def with_entry(entries: tuple[Entry, ...], new: Entry) -> tuple[Entry, ...]:
    """The entries with ``new`` at the end, in place of an older one for the same binding."""
    return (*without(entries, new.variable, (new.origin,), new.source), new)


def without(
    entries: tuple[Entry, ...], variable: str, gone: Collection[str], source: Source
) -> tuple[Entry, ...]:
    """The entries but those that bind ``variable`` from ``source`` to an origin in ``gone``."""
    return tuple(
        entry
        for entry in entries
        if not (entry.variable == variable and entry.source == source and entry.origin in gone)
    )


def stamp(now: datetime) -> str:
    """A time as the index writes it: ISO 8601, UTC, whole seconds."""
    return now.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


class KeyIndex:
    """The index as a file. Safe to use from several threads, and beside other processes.

    A file that cannot be understood is never written over: the entries start empty in memory,
    :attr:`fault` says so, and this run's changes are kept in memory alone. Only :meth:`set_aside`,
    which a person asks for, moves such a file away.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.fault: Fault | None = None
        """What is wrong with the file, or None. Known after the first look at the entries."""
        self.unkept: Fault | None = None
        """Why it is not recorded where a key of this run went, or None."""
        self.on_unkept: Callable[[Fault], None] = lambda _: None
        """Told the first time."""
        self._entries: tuple[Entry, ...] | None = None
        self._newer = False
        self._complete = False
        self._stamp: tuple[int, int, int] | None = None
        self._unwritten = False
        """Something holds for this run alone: what the file says is not all."""
        self._lock = threading.RLock()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All bindings, in the order of the file, which is read again when another wrote it."""
        with self._lock:
            seen = self._entries is not None and self._stamp == self._look()
            if self._entries is None or not (seen or self._unwritten):
                self._entries = self._read()
            return self._entries

    def _look(self) -> tuple[int, int, int] | None:
        """What changes whenever a file is put in the place of another; None: there is none."""
        try:
            about = self.path.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_ino, about.st_size

    @property
    def complete(self) -> bool:
        """True when a key that the list does not have is not stored.

        False on a fresh machine and once a list was lost, where only asking the keyring can tell.
        """
        with self._lock:
            _ = self.entries
            return self._complete

    def change(self, change: Change, *, lost: bool = False, firm: bool = False) -> Fault | None:
        """Apply ``change`` to what is in the file now, and write it.

        ``change`` may raise, to refuse what is in the file now: then nothing is written.
        ``lost``: a key was met in the keyring that no list knew, so an earlier list was lost, and
        the new one is not :attr:`complete` either.
        Gives a fault when it could not be written; the change then holds for this run alone, or
        with ``firm`` not even for that.
        """
        with self._lock:
            mine = self.entries
            if self.fault is not None:
                self._hold(mine, change, firm=firm)
                return self.fault
            try:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with _only_writer(self.path):
                    # Another turnkey may have written meanwhile: its entries are kept.
                    found = self._read()
                    fault = self._unread()
                    if fault is not None:
                        self._hold(mine, change, firm=firm)
                        return fault
                    self._entries = found  # what a change looks at is what it is made to
                    known = self._complete or not self.path.exists()
                    new = _File(change(found), complete=known and not lost)
                    self._write(new)
                    self._entries, self._complete = new.entries, new.complete
                    self._stamp, self._unwritten = self._look(), False
                    return None
            except OSError as error:
                self._hold(mine, change, firm=firm)
                held = isinstance(error, TimeoutError)  # for now, by another
                return Fault(
                    "timeout" if held else "config_unwritable",
                    f"The list of keys cannot be written: {self.path}.",
                    f"{error.strerror or type(error).__name__}.",
                    "Make its folder writable, or name another with XDG_STATE_HOME.",
                )

    def goes_unkept(self, fault: Fault) -> None:
        """Note that an environment's key leaves without a record, and say so the first time."""
        first, self.unkept = self.unkept is None, fault
        if first:
            self.on_unkept(fault)

    def _hold(self, mine: tuple[Entry, ...], change: Change, *, firm: bool) -> None:
        """Keep a change that could not be written for this run; with ``firm`` not even that."""
        self._entries = mine if firm else change(mine)
        self._unwritten = self._unwritten or not firm

    def set_aside(self) -> Path | None:
        """Move a file that cannot be understood away, so that a new list begins; where it is now.

        None: there is nothing wrong with it. To be called only when a person asks for it, since
        what the file knew of the environment's keys is not known any more then.

        Raises:
            ConfigProblem: it is from a newer turnkey, or cannot be moved.
        """
        with self._lock:
            self._entries = self._read()
            if self.fault is None:
                return None
            if self._newer:
                raise ConfigProblem(self.fault)
            try:
                with _only_writer(self.path):
                    aside = self._free_name()
                    self.path.rename(aside)
                    self._entries = self._read()
                    self._write(_File((), complete=False))
                    return aside
            except OSError as error:
                what = f"The list of keys cannot be set aside: {self.path}."
                why = error.strerror or type(error).__name__
                fault = Fault("config_unwritable", what, why, "Make its folder writable.")
            raise ConfigProblem(fault)

    def _unread(self) -> Fault | None:
        """What the last reading found wrong."""
        return self.fault

    def _free_name(self) -> Path:
        numbers = (".damaged", *(f".damaged-{number}" for number in range(2, 1000)))
        names = (self.path.with_name(self.path.name + ending) for ending in numbers)
        return next(name for name in names if not os.path.lexists(name))

    def _read(self) -> tuple[Entry, ...]:
        self.fault, self._complete, self._newer = None, False, False
        self._stamp = self._look()
        try:
            raw = _regular_file(self.path)
        except FileNotFoundError:
            return ()
        except OSError as error:
            why = f"{error.strerror or type(error).__name__}."
            fix = "Make it readable, or name another folder with XDG_STATE_HOME. The keyring's"
            fix += " keys are not lost."
            self.fault = self._unusable("cannot be read", why, fix)
            return ()
        aside = "«turnkey keys repair» sets the file aside and starts a new list."
        if raw is None:
            self.fault = self._unusable("is no regular file", _UNTOLD, aside)
            return ()
        try:
            if msgspec.json.decode(raw, type=_Version).version > _VERSION:
                self._newer = True
                fix = "Use the newer turnkey, or upgrade this one."
                self.fault = self._unusable("was written by a newer turnkey", _UNTOLD, fix)
                return ()
            found = msgspec.json.decode(raw, type=_File)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.fault = self._unusable("is damaged", _UNTOLD, aside)
            return ()
        self._complete = found.complete
        return found.entries

    def _unusable(self, what: str, why: str, fix: str) -> Fault:
        return Fault("config_unreadable", f"The list of keys {what}: {self.path}.", why, fix)

    def _write(self, content: _File) -> None:
        data = msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        handle = os.open(new, flags, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise


def _regular_file(path: Path) -> bytes | None:
    """What is in the file; None: it is no regular file, or far larger than any list of keys.

    Never waits, as a named pipe would make it.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags)
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode) or about.st_size > _LARGEST:
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read(_LARGEST)


@contextlib.contextmanager
def _only_writer(path: Path) -> Iterator[None]:
    """Keep other processes from writing at the same moment; the system ends the hold with us.

    The hold lasts as long as one small write; one that lasts longer is waited for no more than
    :data:`HOLD_S`. Where the platform has no such lock, writing goes on without: the file is
    replaced in one step either way. Raises TimeoutError.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK  # a named pipe there is not waited for
    handle = os.open(path.with_name(f".{path.name}.lock"), flags, 0o600)
    end = monotonic() + HOLD_S
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if monotonic() > end:
                    raise TimeoutError(errno.ETIMEDOUT, _HELD) from None
                sleep(_TICK_S)
                continue
            except OSError:  # some network folders refuse locks
                pass
            break
        yield
    finally:
        os.close(handle)
