"""The installed ``turnkey`` as a person runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM: Final = Path(sys.executable).parent / "turnkey"
LIMIT_S: Final = 120.0
"""Seconds that a command may take before the test gives up on it."""


def scratch_environment(home: Path) -> dict[str, str]:
    """An environment with nobody's home in it: no keyring, no state, no settings, no keys."""
    return {
        "PATH": f"{PROGRAM.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "error",
    }


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, object]:
        """Its standard output as the one JSON object that it must be."""
        return msgspec.json.decode(self.out, type=dict[str, object])


@dataclass(frozen=True, slots=True)
class Repository:
    """An empty repository and the person who works in it."""

    folder: Path
    env: Mapping[str, str]

    @property
    def file(self) -> Path:
        """The file that everything is about."""
        return self.folder / "warden.toml"

    def turnkey(self, *arguments: str, **extra: str) -> Ended:
        """Runs ``turnkey ARGUMENTS`` here, with ``extra`` added to the environment."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env={**self.env, **extra},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


def empty_repository(folder: Path) -> Repository:
    """An empty repository under ``folder``, and a home beside it."""
    place, home = folder / "repository", folder / "home"
    home.mkdir()
    (place / ".git").mkdir(parents=True)  # what marks the root of a repository
    return Repository(place, scratch_environment(home))


def at(value: object, *path: str | int) -> object:
    """The value at ``path`` in decoded JSON; a test fails on one that is not there."""
    for step in path:
        if isinstance(step, int):
            assert isinstance(value, list), (step, value)
            value = value[step]
        else:
            assert isinstance(value, dict), (step, value)
            assert step in value, (step, sorted(value))
            value = value[step]
    return value
