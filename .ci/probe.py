#!/usr/bin/env python3
# ruff: noqa: S603  # it runs what CI built, named on its command line
"""Looks at what was built as a stranger would: the wheel's content, and the program when it runs.

``probe.py wheel FILE | version PROGRAM | demo-server PROGRAM | screens SECONDS COMMAND... |
copy FOLDER``. Every part waits for a bounded time and ends what it started. Exit code 0: it held.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = ("assets", "core", "screens", "tui")
DATA: Final = (".tcss", ".toml")
"""What the packages read at run time, beside code."""
SIZE: Final = struct.pack("HHHH", 30, 100, 0, 0)
"""Rows and columns of the terminal that the screens are shown."""
WORDS: Final = ("turnkey", "demo")
QUIT: Final = b"\x11"
"""Ctrl+Q."""
LEFT: Final = b"\x1b[?1049l"
"""What puts a terminal back to the lines that it showed before."""
CONTROL: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P][^\x07\x1b]*(?:\x07|\x1b\\)|.)")


def wheel(file: str) -> None:
    """The wheel holds the four packages whole, and nothing else."""
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        own = {name for name in names if name.split("/")[0].endswith(".dist-info")}
        (entry_points,) = (name for name in own if name.endswith("/entry_points.txt"))
        told = archive.read(entry_points).decode()
        _hold("turnkey = tui.door:main" in told, "no turnkey command")
    strange = {name for name in names - own if name.split("/")[0] not in PACKAGES}
    _hold(not strange, f"does not belong into the wheel: {sorted(strange)}")
    caches = {name for name in names if "__pycache__" in name}
    _hold(not caches, f"caches are in the wheel: {sorted(caches)}")
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", *DATA}
    }
    _hold(wanted <= names, f"not in the wheel: {sorted(wanted - names)}")
    for suffix in DATA:
        _hold(any(name.endswith(suffix) for name in names), f"no {suffix} in the wheel")
    _say(f"{len(names)} files, {Path(file).stat().st_size // 1024} KiB: {Path(file).name}")


def version(program: str) -> None:
    """``--version`` says the version that the source says, once, in one place."""
    source = (ROOT / "core" / "__init__.py").read_text(encoding="utf-8")
    (wanted,) = re.findall(r'^__version__ = "([^"]+)"', source, re.MULTILINE)
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    _hold(wanted in done.stdout.split(), f"{done.stdout!r} does not say {wanted}")
    _say(done.stdout.strip())


def demo_server(program: str) -> None:
    """``demo-server`` prints its one line, answers with the key in it, and ends when told to."""
    server = subprocess.Popen([program, "demo-server"], stdout=subprocess.PIPE)
    with server:
        try:
            line = server.stdout.readline() if server.stdout is not None else b""
            told = json.loads(line)
            request = urllib.request.Request(  # noqa: S310  # loopback, as printed by turnkey
                f"{told['base_url']}/models", headers={"Authorization": f"Bearer {told['key']}"}
            )
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with direct.open(request, timeout=10) as reply:
                ids = [model["id"] for model in json.load(reply)["data"]]
        finally:
            server.terminate()
    _hold(len(ids) >= 4, f"only {ids}")
    _say(f"{told['base_url']} lists {', '.join(ids)}")


def screens(limit_s: float, command: Sequence[str]) -> None:
    """The screens open in a terminal with words on them, and Ctrl+Q leaves them with code 0."""
    with tempfile.TemporaryDirectory() as folder:
        seen, code = _in_terminal(command, limit_s, {"TMPDIR": folder})
        left = sorted(path.name for path in Path(folder).glob("turnkey*"))
    text = _readable(seen)
    missing = [word for word in WORDS if word not in text]
    if missing or code != 0:
        _say(text[-3000:])
    _hold(not missing, f"not on screen within {limit_s:g} s: {missing}")
    _hold(code == 0, f"ended with {code}")
    _hold(LEFT in seen, "the terminal was not put back")
    _hold(not left, f"left behind: {left}")
    _say(f"{len(seen)} bytes painted, left with code {code}")


def copy(folder: str) -> None:
    """The tree as a clean clone has it: what tools left here stays here."""
    strange = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, folder, ignore=strange)


def _in_terminal(command: Sequence[str], limit_s: float, env: dict[str, str]) -> tuple[bytes, int]:
    """What ``command`` painted, and its exit code; it is told to quit once the words are there."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, SIZE)
    process = subprocess.Popen(
        command,
        stdin=there,
        stdout=there,
        stderr=there,
        env={**os.environ, "TERM": "xterm-256color", **env},
        start_new_session=True,
    )
    os.close(there)
    seen = b""
    end = time.monotonic() + limit_s
    again = 0.0
    with process:
        try:
            while time.monotonic() < end:
                if select.select([here], [], [], 0.2)[0]:
                    try:
                        seen += os.read(here, 65536)
                    except OSError:  # the other side is closed
                        break
                if time.monotonic() > again and all(word in _readable(seen) for word in WORDS):
                    again = time.monotonic() + 2
                    os.write(here, QUIT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
            os.close(here)
    return seen, process.returncode


def _readable(painted: bytes) -> str:
    # pip's own lines come first where the command installs: the alternate screen is what counts
    _, entered, screen = painted.partition(b"\x1b[?1049h")
    return CONTROL.sub(b"", screen if entered else b"").decode("utf-8", "replace").lower()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _hold(held: bool, words: str) -> None:
    if not held:
        _say(words)
        sys.exit(1)


def main(arguments: Sequence[str]) -> None:
    """Runs the part that was asked for."""
    match list(arguments):
        case ["wheel", file]:
            wheel(file)
        case ["version", program]:
            version(program)
        case ["demo-server", program]:
            demo_server(program)
        case ["screens", seconds, *command] if command:
            screens(float(seconds), command)
        case ["copy", folder]:
            copy(folder)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
