"""Environments for real servers: installed once, kept in the user's cache, shared between runs.

``${XDG_CACHE_HOME:-~/.cache}/turnkey-lab/<name>`` is a virtual environment with a stamp that says
which packages were asked for. An environment without its stamp, with another one, or with files
missing is built again. A lock beside it is held exclusively while it is built and shared while it
is used, so that two test runs do not fight over it; it is the kernel's, and goes with its process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import IO

INSTALL_LIMIT_S: Final = 1200.0
"""Seconds that an installation may take, downloads included, or be waited for."""
_POLL_S: Final = 0.1

_WHOLE: Final = """
import csv
import importlib.metadata as metadata
import sys
found = list(metadata.distributions())
lost = [
    row[0]
    for one in found
    # not one.files: since Python 3.12 that leaves out what is missing
    for row in csv.reader((one.read_text("RECORD") or "").splitlines())
    if row and not row[0].endswith(".pyc") and not one.locate_file(row[0]).exists()
]
sys.exit(1 if lost or not found else 0)
"""
"""Asks an environment whether every file that its packages installed is still there."""


class LabError(RuntimeError):
    """The environment could not be made; the message says what was run and what it said."""


def lab_folder(env: Mapping[str, str]) -> Path:
    """Where environments are kept: the user's cache (XDG Base Directory Specification)."""
    cache = env.get("XDG_CACHE_HOME", "")
    # the specification has relative paths ignored
    root = Path(cache) if cache.startswith("/") else Path(env.get("HOME") or Path.home()) / ".cache"
    return root / "turnkey-lab"


@contextlib.contextmanager
def environment(
    folder: Path,
    name: str,
    packages: Sequence[str],
    finish: Callable[[str], None] | None = None,
    limit_s: float = INSTALL_LIMIT_S,
) -> Iterator[Path]:
    """The environment ``name`` with ``packages`` in it, built if need be; yields its ``bin``.

    ``finish`` gets its Python after the installation, which may take ``limit_s`` seconds. It is
    not rebuilt by anyone while the context is open. Raises LabError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{name}-py{sys.version_info.major}{sys.version_info.minor}"
    with (folder / f"{place.name}.lock").open("ab") as lock:
        held(lock, fcntl.LOCK_SH)
        while not is_whole(place, packages):
            held(lock, fcntl.LOCK_EX)
            if not is_whole(place, packages):  # another run may have built it meanwhile
                _build(place, packages, finish, limit_s)
            # the kernel may let another run in between; then the loop looks again
            held(lock, fcntl.LOCK_SH)
        yield place / "bin"


def stamp_of(packages: Sequence[str]) -> str:
    """What the stamp of a finished environment reads."""
    return "\n".join(packages) + "\n"


def is_whole(place: Path, packages: Sequence[str]) -> bool:
    """True when the environment was finished for these packages and no file is missing."""
    try:
        if (place / ".installed").read_text(encoding="utf-8") != stamp_of(packages):
            return False
    except OSError:
        return False
    python = place / "bin" / "python"
    if not python.exists():  # also where the interpreter it was made with is gone
        return False
    return subprocess.run([python, "-I", "-c", _WHOLE], check=False).returncode == 0


def _build(
    place: Path,
    packages: Sequence[str],
    finish: Callable[[str], None] | None,
    limit_s: float,
) -> None:
    shutil.rmtree(place, ignore_errors=True)
    run([sys.executable, "-m", "venv", "--without-pip", str(place)])
    python = str(place / "bin" / "python")
    run([*installer(python), *packages], limit_s=limit_s)
    if finish is not None:
        finish(python)
    (place / ".installed").write_text(stamp_of(packages), encoding="utf-8")


def installer(python: str) -> list[str]:
    """The command that installs into the environment of ``python``, less the packages.

    The environment that runs the tests has no pip when it was made with ``--without-pip``; then
    the interpreter that it was made from has, or another ``python3`` on the path. An interpreter
    that carries ``ensurepip`` can always make one.
    """
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    for candidate in (sys.executable, str(base), shutil.which("python3"), shutil.which("python")):
        if candidate and _succeeds([candidate, "-m", "pip", "--version"]):
            return [candidate, "-m", "pip", "--python", python, "install", "--quiet"]
    if _succeeds([python, "-m", "ensurepip", "--default-pip"]):
        return [python, "-m", "pip", "install", "--quiet"]
    raise LabError("No pip was found to install with: install pip for this Python and repeat.")


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def run(
    command: Sequence[str],
    env: Mapping[str, str] | None = None,
    limit_s: float = INSTALL_LIMIT_S,
) -> None:
    """Runs ``command`` to its end, within the limit. Raises LabError with what it said."""
    # pip's own switches by environment, since options differ between its versions
    quiet = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**(os.environ if env is None else env), **quiet},
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(command)} took more than {limit_s:g} s.") from None
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}")


def held(file: IO[bytes], kind: int) -> None:
    """Takes the lock on ``file``, waiting as long as an installation may take. Raises LabError."""
    end = time.monotonic() + INSTALL_LIMIT_S
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise LabError(f"{file.name} has been held by another run for too long.") from None
            time.sleep(_POLL_S)
        else:
            return
