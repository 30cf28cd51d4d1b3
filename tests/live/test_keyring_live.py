"""The vault against a real Secret Service: gnome-keyring on a D-Bus session of its own.

What is stored, and the command line on it. The keyring's files are in a temporary folder, never
the user's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pytest

from tests.live.secret_service import SecretService, State, missing

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux's"),
]

Ask = Callable[..., dict[str, object]]

VALUE: Final = "sk-canary-LIVE-9d20'\"$\\ x"
VARIABLE: Final = "WARDEN_LITELLM_API_KEY"
GW: Final = "http://gw:4000"
NEW: Final = "https://new.example"


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    """gnome-keyring and dbus, installed where that is possible."""
    why = missing()
    if why is not None:
        pytest.skip(why)


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Runs steps of ``keyring_scenarios`` in a session with a keyring in the given state."""
    service = SecretService(tmp_path)

    def run(state: State, *steps: str, folder: str = "state", **extra: str) -> dict[str, object]:
        scenario = [sys.executable, "-m", "tests.live.keyring_scenarios", str(tmp_path / folder)]
        done = service.run(state, [*scenario, *steps], stdin=VALUE, env=extra)
        assert done.returncode == 0, done.stderr
        assert VALUE not in done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert isinstance(told, dict)
        return told

    return run


def test_a_key_is_stored_listed_read_rebound_and_deleted(ask: Ask, tmp_path: Path) -> None:
    first = ask("unlocked", "prepare", "store", "list", "fetch", "fetch-new")
    assert first == {
        "prepare": "goes to Secret Service",
        "store": ["keyring", "in Secret Service", None],
        "list": [[VARIABLE, GW, "keyring"]],
        "fetch": True,
        "fetch-new": [
            "key_bound_elsewhere",
            f"The key {VARIABLE} is bound to {GW}, not to {NEW}.",
        ],
    }
    # another session, another day: what was stored is there
    second = ask("unlocked", "fetch", "rebind", "fetch-new", "list", "delete-new")
    assert second == {
        "fetch": True,
        "rebind": "in Secret Service",
        "fetch-new": True,
        "list": [[VARIABLE, NEW, "keyring"]],
        "delete-new": True,
    }
    third = ask("unlocked", "fetch", "fetch-new", "list")
    assert third == {"fetch": None, "fetch-new": None, "list": []}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "login.keyring" for path in files)
    assert all(VALUE.encode() not in path.read_bytes() for path in files)


def test_a_lost_list_finds_the_key_again(ask: Ask) -> None:
    ask("unlocked", "store")
    assert ask("unlocked", "fetch", "list", folder="another") == {
        "fetch": True,
        "list": [[VARIABLE, GW, "keyring"]],
    }


def test_a_locked_keyring_is_told_as_locked(ask: Ask) -> None:
    ask("unlocked", "store")
    told = ask("locked", "locked", "fetch", "prepare", "store", "fetch+")
    assert told["locked"] is True
    assert told["fetch"] == ["keyring", "Secret Service is locked."]
    assert told["prepare"] == "kept for this run only: Secret Service is locked"
    assert isinstance(told["store"], list)
    assert told["store"][0] == "memory"
    assert told["fetch+"] is True
    assert ask("unlocked", "locked", "fetch") == {"locked": False, "fetch": True}


def test_a_service_without_a_keyring_is_told_as_such(ask: Ask) -> None:
    words = "kept for this run only: Secret Service has no keyring made yet"
    assert ask("empty", "prepare") == {"prepare": words}


def test_without_a_service_keys_live_in_memory(ask: Ask) -> None:
    told = ask("absent", "prepare", "store", "fetch+", "fetch")
    assert told["prepare"] == "kept for this run only: no keyring here"
    assert told["fetch+"] is True
    assert told["fetch"] is None


@pytest.mark.parametrize(
    ("backend", "short"),
    [
        ("keyring.backends.fail.Keyring", "no keyring here"),
        ("keyring.backends.null.Keyring", "the keyring here would not keep it safe"),
    ],
)
def test_the_librarys_fail_and_null_backends_are_not_taken(
    ask: Ask, backend: str, short: str
) -> None:
    told = ask("absent", "prepare", "store", "fetch+", PYTHON_KEYRING_BACKEND=backend)
    assert told["prepare"] == f"kept for this run only: {short}"
    assert told["fetch+"] is True
