"""The vault against a real Secret Service: gnome-keyring on a D-Bus session of its own.

Needs Debian's packages ``gnome-keyring`` and ``dbus``; as root they are installed. The keyring's
files are in a temporary folder, never the user's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import pytest

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux's"),
]

State = Literal["unlocked", "locked", "empty", "absent"]
Ask = Callable[..., dict[str, object]]

ROOT: Final = Path(__file__).resolve().parents[2]
VALUE: Final = "sk-canary-LIVE-9d20'\"$\\ x"
VARIABLE: Final = "WARDEN_LITELLM_API_KEY"
GW: Final = "http://gw:4000"
NEW: Final = "https://new.example"

# No service folders: nothing is started on demand, and the user's own session is not touched.
BUS: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
INSIDE: Final = """
set -eu
daemon() {
  XDG_DATA_HOME="$TK_DATA" XDG_RUNTIME_DIR="$TK_RUN" \\
    gnome-keyring-daemon --components=secrets "$@" > /dev/null 2>> "$TK_RUN/log"
}
owned() {
  dbus-send --session --print-reply --dest=org.freedesktop.DBus / \\
    org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q 'boolean true'
}
case "$TK_STATE" in
  unlocked) printf private-password | daemon --unlock ;;
  locked | empty) daemon --start ;;
esac
if [ "$TK_STATE" != absent ]; then
  tries=0
  until owned; do
    tries=$((tries + 1)); [ "$tries" -lt 100 ] || { echo 'no Secret Service' >&2; exit 1; }
    sleep 0.1
  done
fi
exec "$@"
"""


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    """gnome-keyring and dbus, installed where that is possible."""
    if all(shutil.which(one) for one in ("gnome-keyring-daemon", "dbus-run-session")):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("needs the Debian packages gnome-keyring and dbus")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    wanted = ("install", "-y", "-qq", "--no-install-recommends", "gnome-keyring", "dbus")
    for arguments in (("update", "-qq"), wanted):
        done = subprocess.run(
            ["apt-get", *arguments], env=env, capture_output=True, timeout=300, check=False
        )
        if done.returncode:
            pytest.skip("gnome-keyring and dbus could not be installed")


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Runs steps of ``keyring_scenarios`` in a session with a keyring in the given state."""
    runs = Path(tempfile.mkdtemp(prefix="tk-"))  # short: socket paths have a limit
    data = tmp_path / "data"

    def run(state: State, *steps: str, folder: str = "state", **extra: str) -> dict[str, object]:
        here = Path(tempfile.mkdtemp(dir=runs))
        (here / "bus.conf").write_text(BUS.format(folder=here))
        mine = data if state != "empty" else tmp_path / "empty"
        mine.mkdir(exist_ok=True)
        env = {
            **{
                k: v for k, v in os.environ.items() if not k.startswith(("DBUS_", "PYTHON_KEYRING"))
            },
            "TK_DATA": str(mine),
            "TK_RUN": str(here),
            "TK_STATE": state,
            "HOME": str(tmp_path / "home"),
            "XDG_CONFIG_HOME": str(tmp_path / "home/config"),
            **extra,
        }
        scenario = [sys.executable, "-m", "tests.live.keyring_scenarios", str(tmp_path / folder)]
        session = ["dbus-run-session", f"--config-file={here / 'bus.conf'}", "--"]
        done = subprocess.run(
            [*session, "sh", "-c", INSIDE, "keyring", *scenario, *steps],
            input=VALUE,
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert VALUE not in done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert isinstance(told, dict)
        return told

    yield run
    shutil.rmtree(runs, ignore_errors=True)


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
