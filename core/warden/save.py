"""Writing a ``warden.toml``: whole or not at all, and never over somebody else's change.

A save compares what is on disk with what was loaded, writes a temporary file in the same folder,
syncs it, renames it over the old one and syncs the folder. A crash leaves the old file or the new
one. Savers of turnkey take turns through a lock on the folder, which leaves nothing behind.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ConfigProblem, Fault
from core.text import one_line
from core.warden.difference import diff
from core.warden.document import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.warden.document import Document

__all__ = ["Disk", "backup", "check", "conflict", "diff", "last_saved", "save"]

_TEMPORARY = ".turnkey-tmp"
_TURN_S = 5.0
"""How long a save waits for another one in the same folder, in seconds."""

_REASONS = {
    errno.EACCES: "You may not write in this folder.",
    errno.EPERM: "The system does not permit it.",
    errno.EROFS: "The disk is mounted read-only.",
    errno.ENOSPC: "The disk is full.",
    errno.EDQUOT: "Your disk quota is used up.",
    errno.EFBIG: "The file would grow over a size limit.",
    errno.ENOENT: "The folder does not exist.",
    errno.ENOTDIR: "What should be its folder is a file.",
    errno.EIO: "The disk reported an error.",
    errno.ELOOP: "Its symbolic links lead in a circle.",
}


class Disk:
    """The system calls that a save is made of, so that a test can let any of them fail."""

    def create(self, path: Path, mode: int) -> int:
        """A new file, opened for writing; ``mode`` is narrowed by the umask."""
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0)
        return os.open(path, flags, mode)

    def write(self, handle: int, content: bytes) -> None:
        """All of ``content``."""
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]

    def like(self, handle: int, old: os.stat_result) -> None:
        """Owner, group and permissions of the file that is replaced."""
        if not hasattr(os, "fchown"):
            return
        mine = os.fstat(handle)
        if (mine.st_uid, mine.st_gid) != (old.st_uid, old.st_gid):
            os.fchown(handle, old.st_uid, old.st_gid)
        os.fchmod(handle, stat.S_IMODE(old.st_mode))

    def sync(self, handle: int) -> None:
        """Until the disk has it."""
        os.fsync(handle)

    def replace(self, temporary: Path, target: Path) -> None:
        """The new file takes the old one's place, in one step."""
        temporary.replace(target)

    def place(self, temporary: Path, target: Path) -> None:
        """The new file appears where none was. FileExistsError when one is there by now."""
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError:
            # No hard links here: as good as it gets without them.
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, "exists", str(target)) from None
            temporary.replace(target)

    def sync_folder(self, folder: Path) -> None:
        """The folder's new entry too. Not every system can; then it is left out."""
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def save(document: Document, *, disk: Disk | None = None) -> Document:
    """Write the document; gives it back as what is now on disk.

    Symbolic links are followed, so that the target is what changes. Mode and owner are kept; a
    new file gets 0644 less the umask. ConfigProblem ``config_changed`` when the file on disk is
    not the one that was loaded (changed, removed or newly there), ``config_unwritable`` with the
    reason when writing fails. In both cases the file on disk is as it was, and so is ``document``.
    """
    disk = disk or Disk()
    try:
        target = Path(os.path.realpath(document.path))
        with _turn(target.parent, document.path) as alone:
            if not _unchanged(document, target):
                return document.saved()
            if alone:
                _swept(target)
            _written(document, target, disk)
    except FileExistsError:
        raise _changed(document.path, "Another program has created it meanwhile.") from None
    except OSError as error:
        raise _unwritable(document.path, error) from None
    return document.saved()


def check(document: Document) -> None:
    """ConfigProblem as :func:`save` raises it where the file on disk is not what was loaded, or
    cannot be read; nothing is written."""
    try:
        _unchanged(document, Path(os.path.realpath(document.path)))
    except OSError as error:
        raise _unwritable(document.path, error) from None


def conflict(document: Document) -> bytes | None:
    """What is on disk now, if that is not what was loaded: ``b""`` when it is gone; else ``None``.

    OSError when it cannot be read.
    """
    try:
        current: bytes | None = document.path.read_bytes()
    except FileNotFoundError:
        current = None
    if current == document.loaded:
        return None
    return current or b""


def _unchanged(document: Document, target: Path) -> bool:
    """False when the wanted bytes are there already; ConfigProblem when others are."""
    try:
        current: bytes | None = target.read_bytes()
    except FileNotFoundError:
        current = None
    if current == document.raw:
        return False
    if current is None and document.exists:
        raise _changed(document.path, "It has been removed or renamed since it was loaded.")
    if current is not None and not document.exists:
        raise _changed(document.path, "Another program has created it meanwhile.")
    if current is not None and digest(current) != document.digest:
        raise _changed(document.path, "Another program has written it since it was loaded.")
    return True


def _written(document: Document, target: Path, disk: Disk) -> None:
    old = target.stat() if document.exists else None
    effective = os.access in os.supports_effective_ids
    if old is not None and not os.access(target, os.W_OK, effective_ids=effective):
        raise PermissionError(errno.EACCES, "the file itself is read-only")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}{_TEMPORARY}")
    try:
        handle = disk.create(temporary, 0o644 if old is None else 0o600)
        try:
            disk.write(handle, document.raw)
            if old is not None:
                _kept_like(disk, handle, old)
            disk.sync(handle)
        finally:
            os.close(handle)
        if old is None:
            disk.place(temporary, target)
        elif _unchanged(document, target):
            # Compared once more: other programs do not know of turnkey's lock
            disk.replace(temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink()
    disk.sync_folder(target.parent)


def _kept_like(disk: Disk, handle: int, old: os.stat_result) -> None:
    try:
        disk.like(handle, old)
    except PermissionError:
        why = "its owner and permissions cannot be kept: it belongs to somebody else"
        raise PermissionError(errno.EPERM, why) from None


def _swept(target: Path) -> None:
    """Temporary files that a killed save left behind; under the lock nobody is writing one."""
    prefix = f".{target.name}."
    with suppress(OSError):
        for entry in list(target.parent.iterdir()):
            if entry.name.startswith(prefix) and entry.name.endswith(_TEMPORARY):
                entry.unlink()


@contextmanager
def _turn(folder: Path, path: Path) -> Iterator[bool]:
    """Alone among turnkey's savers in this folder; false where no folder can be locked."""
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, PermissionError):
        yield False
        return
    alone = False
    try:
        until = time.monotonic() + _TURN_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise _busy(path) from None
                time.sleep(0.005)
            except OSError:
                break
            else:
                alone = True
                break
        yield alone
    finally:
        os.close(handle)


# --- the last saved version -----------------------------------------------------------------


def backup(document: Document, state_dir: Path) -> Path:
    """Keep this content as the file's last saved version under ``state_dir``; gives its path.

    One per file, told by a hash of the file's own path; only its owner can read it. OSError when
    the folder cannot be written: a save is not undone for that.
    """
    kept = _kept_at(document.path, state_dir)
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = kept.with_name(f"{kept.name}.{secrets.token_hex(6)}{_TEMPORARY}")
    disk = Disk()
    try:
        handle = disk.create(temporary, 0o600)
        try:
            disk.write(handle, document.raw)
            disk.sync(handle)
        finally:
            os.close(handle)
        temporary.replace(kept)
    finally:
        with suppress(OSError):
            temporary.unlink()
    return kept


def last_saved(path: Path, state_dir: Path) -> bytes | None:
    """The last version of the file at ``path`` that turnkey saved, or ``None``."""
    try:
        return _kept_at(path, state_dir).read_bytes()
    except OSError:
        return None


def _kept_at(path: Path, state_dir: Path) -> Path:
    whole = os.path.realpath(path)
    mark = hashlib.sha256(os.fsencode(whole)).hexdigest()[:16]
    return state_dir / "saved" / f"{mark}-{path.name}"


# --- faults ---------------------------------------------------------------------------------


def _changed(path: Path, why: str) -> ConfigProblem:
    return ConfigProblem(
        Fault(
            "config_changed",
            f"{one_line(path.name)} on disk is not the file that was loaded.",
            why,
            "Nothing was overwritten. Load it again and repeat the change, or save elsewhere.",
        )
    )


def _unwritable(path: Path, error: OSError) -> ConfigProblem:
    reason = _REASONS.get(error.errno or 0)
    if error.errno in (errno.EACCES, errno.EPERM) and error.filename is None:
        reason = f"{one_line(error.strerror or '').capitalize()}."
    return ConfigProblem(
        Fault(
            "config_unwritable",
            f"{one_line(path.name)} cannot be written.",
            reason or f"{one_line(error.strerror or type(error).__name__)}.",
            f"The file is as it was. Look at {one_line(str(path.parent))}, or save elsewhere.",
        )
    )


def _busy(path: Path) -> ConfigProblem:
    return ConfigProblem(
        Fault(
            "config_unwritable",
            f"{one_line(path.name)} cannot be written.",
            "Another program holds a lock on its folder.",
            "Close it, or wait, and save again.",
        )
    )
