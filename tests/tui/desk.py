"""A person's desk: a repository, a home of its own, and ``turnkey`` run in this process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from tests.servers.scripted import ScriptedProvider

KEY: Final = "sk-canary-8d1f-VERY-SECRET"
"""The key of every test here. No command but ``env`` and ``run``'s child may tell it."""
WRONG: Final = "sk-canary-8d1f-NOT-THE-KEY"
VARIABLE: Final = "WARDEN_LITELLM_API_KEY"
ROOT: Final = Path(__file__).resolve().parents[2]
FILE_KEYRING: Final = "tests.tui.file_keyring.Keyring"
NO_KEYRING: Final = "keyring.backends.fail.Keyring"
START: Final = "import sys; from tui.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, object]:
        """Its standard output, as the one JSON object that it must be."""
        found: object = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def told(self) -> str:
        """The words of its error: cause and fix, and no traceback."""
        assert "error: " in self.err, self.err
        assert "Traceback" not in self.err
        return self.err


@dataclass
class Desk:
    """Runs commands in :attr:`folder`, and keeps what they said."""

    folder: Path
    home: Path
    env: dict[str, str]
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    said: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The repository's file."""
        return self.folder / "warden.toml"

    @property
    def state(self) -> Path:
        """Where turnkey keeps its own."""
        return self.home / "state" / "turnkey"

    def write(self, text: str) -> bytes:
        """Make the file say ``text``; its bytes."""
        self.file.write_text(text, encoding="utf-8")
        return self.file.read_bytes()

    def data(self) -> dict[str, object]:
        """The file, parsed."""
        return tomllib.loads(self.file.read_text(encoding="utf-8"))

    def bound(self) -> list[tuple[str, str, str]]:
        """The index of keys: variable, origin, source."""
        path = self.state / "keys.json"
        if not path.exists():
            return []
        entries = json.loads(path.read_text(encoding="utf-8"))["entries"]
        return [(one["variable"], one["origin"], one["source"]) for one in entries]

    def kept(self) -> dict[str, str]:
        """What the test keyring holds."""
        path = Path(self.env["TURNKEY_TEST_KEYRING"])
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def export(self, **variables: str | None) -> None:
        """Set variables of the environment; None takes one away."""
        for name, value in variables.items():
            if value is None:
                self.monkeypatch.delenv(name, raising=False)
                self.env.pop(name, None)
            else:
                self.monkeypatch.setenv(name, value)
                self.env[name] = value

    def turnkey(self, *arguments: str, stdin: str = "", secret: bool = False) -> Ended:
        """Run ``turnkey ARGUMENTS`` here. ``secret``: it may tell the key."""
        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(arguments)
        captured = self.capsys.readouterr()
        ended = Ended(code, captured.out, captured.err)
        if not secret:
            self.said.append(ended.out + ended.err)
        return ended

    def apart(self, *arguments: str, secret: bool = False) -> Ended:
        """Run ``turnkey ARGUMENTS`` as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-c", START, *arguments],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        ended = Ended(done.returncode, done.stdout, done.stderr)
        if not secret:
            self.said.append(ended.out + ended.err)
        return ended


def scratch(home: Path) -> dict[str, str]:
    """An environment with nobody's home, keyring or key in it."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PYTHON_KEYRING_BACKEND": NO_KEYRING,
        "TURNKEY_TEST_KEYRING": str(home / "keyring.json"),
        "TURNKEY_TRACEBACK": "1",
        "LANG": "C.UTF-8",
    }


def provider_table(
    url: str, *models: str, name: str = "litellm", more: str = "", lanes: Mapping[str, str] = {}
) -> str:
    """A ``warden.toml`` with one provider, and lanes."""
    lines = ["version = 1", ""]
    for lane, selector in lanes.items():
        lines += [f"[defaults.{lane}]", f'model = "{selector}"', ""]
    lines += [f"[defaults.providers.{name}]", f'baseUrl = "{url}"']
    if more:
        lines.append(more)
    for model in models:
        lines += ["", f"[[defaults.providers.{name}.models]]", f'id = "{model}"']
    return "\n".join(lines) + "\n"


def all_lanes(selector: str) -> dict[str, str]:
    """The three lanes on one selector."""
    return dict.fromkeys(("agent", "auxiliary", "synthesis"), selector)


def unkeyed(server: ScriptedProvider) -> bool:
    """True when no request carried a key."""
    return all("authorization" not in request.headers for request in server.requests)


def at(value: object, *path: str | int) -> object:
    """The value at ``path`` in decoded JSON; fails on one that is not there."""
    for step in path:
        if isinstance(step, int):
            assert isinstance(value, list), (step, value)
            value = value[step]
        else:
            assert isinstance(value, dict), (step, value)
            assert step in value, (step, sorted(value))
            value = value[step]
    return value
