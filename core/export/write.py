"""Writing an export: whole or not at all, with nothing lost that somebody else put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from core.errors import ConfigProblem, Fault
from core.export.make import Written, merge_export
from core.text import one_line
from core.warden.document import load_or_empty
from core.warden.save import save

if TYPE_CHECKING:
    from core.export.setup import Export, Setup, Target
    from core.warden.document import Document

_MOST_BYTES: Final = 16 * 1024 * 1024
PRIVATE: Final = 0o600
"""For ``auth.json``, which Pi itself keeps so."""
PUBLIC: Final = 0o666
"""Less what the umask takes."""


def place_for(written: str, export: Export) -> Path:
    """The file that is meant; of a folder (one there is, or with a slash) the usual one in it."""
    path = Path(written).expanduser()
    folder = path.is_dir() or not written or written.endswith(("/", os.sep))
    return path / PurePath(export.suggested).name if folder else path


def write_export(
    setup: Setup,
    target: Target,
    export: Export,
    place: Path,
    *,
    document: Document,
    auth: bool = False,
    replace: bool = False,
) -> Written:
    """Put ``export`` to ``place``, merged with what stands there; says what of that is gone.

    ``document``: the setup's own file. Raises what :func:`core.export.make.merge_export` and
    :func:`write_text` raise; then nothing was written.
    """
    if target == "warden":
        own = place.exists() and document.exists and place.samefile(document.path)
        there = document if own else load_or_empty(place)
        written = merge_export(setup, target, export, None, document=there, own=own)
        save(there.with_text(written.text))
        return written
    seen = read_existing(place)
    written = merge_export(
        setup, target, export, seen, document=document, own=False, auth=auth, replace=replace
    )
    if written.text != seen:
        write_text(place, written.text, seen=seen, mode=PRIVATE if auth else PUBLIC)
    return written


def read_existing(path: Path) -> str | None:
    """What stands at ``path`` as text; None where nothing does.

    Raises ConfigProblem for what is no regular file, is no UTF-8, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _problem(path, "cannot be read", "It is no regular file")
        with path.open("rb") as file:
            held = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _problem(path, "cannot be read", error.strerror or "") from None
    if len(held) > _MOST_BYTES:
        raise _problem(path, "cannot be read", "It is far larger than any such file")
    try:
        return held.decode("utf-8")
    except UnicodeDecodeError:
        raise _problem(path, "cannot be read", "It is not UTF-8 text") from None


def write_text(path: Path, text: str, *, seen: str | None, mode: int = PUBLIC) -> None:
    """Write ``text`` to ``path`` through a file beside it. The folder is made where it is missing.

    ``seen``: what :func:`read_existing` gave; where something else stands there now, nothing is
    written. An existing file keeps its permissions, and a link stays a link; a new one gets
    ``mode``. Raises ConfigProblem.
    """
    try:
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            with os.fdopen(os.open(new, flags, mode), "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            if read_existing(target) != seen:
                raise ConfigProblem(
                    Fault(
                        "config_changed",
                        f"{one_line(path.name, 80)} was changed by another program just now.",
                        "Nothing was written.",
                        "Repeat the export.",
                    )
                )
            if seen is not None:
                new.chmod(stat.S_IMODE(target.stat().st_mode))
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
        said = error.strerror if isinstance(error, OSError) else "its links go in a circle"
        raise _problem(path, "cannot be written", said or "") from None


def _problem(path: Path, what: str, why: str) -> ConfigProblem:
    return ConfigProblem(
        Fault(
            "config_unreadable" if what == "cannot be read" else "config_unwritable",
            f"{one_line(str(path), 160)} {what}.",
            f"{why}." if why else "",
            "Name another file with --output.",
        )
    )
