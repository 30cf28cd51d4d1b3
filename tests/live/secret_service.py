"""A real Secret Service for a test: gnome-keyring on a D-Bus session of its own, never the user's.

Needs Debian's packages ``gnome-keyring`` and ``dbus``; as root they are installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

State = Literal["unlocked", "locked", "empty", "absent"]

ROOT: Final = Path(__file__).resolve().parents[2]
LIMIT_S: Final = 180.0
"""Seconds that what runs in a session may take."""

# No service folders: nothing is started on demand, and the user's own session is not touched.
_BUS: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
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
_INSIDE: Final = """
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


def missing() -> str | None:
    """Why there can be no Secret Service here, or None; installs the packages where it may."""
    if all(shutil.which(one) for one in ("gnome-keyring-daemon", "dbus-run-session")):
        return None
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "needs the Debian packages gnome-keyring and dbus"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    wanted = ("install", "-y", "-qq", "--no-install-recommends", "gnome-keyring", "dbus")
    for arguments in (("update", "-qq"), wanted):
        done = subprocess.run(
            ["apt-get", *arguments], env=env, capture_output=True, timeout=300, check=False
        )
        if done.returncode:
            return "gnome-keyring and dbus could not be installed"
    return None


@dataclass(frozen=True, slots=True)
class SecretService:
    """Runs programs in sessions; what is stored in one is there in the next."""

    folder: Path
    """Where the keyring's own files are, and the home of what runs."""

    @property
    def data(self) -> Path:
        """The keyring's own files."""
        return self.folder / "data"

    def run(
        self,
        state: State,
        argv: Sequence[str],
        *,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        limit_s: float = LIMIT_S,
    ) -> subprocess.CompletedProcess[str]:
        """``argv`` in a session whose keyring is in ``state``; ``env`` is added to its own."""
        runs = Path(tempfile.mkdtemp(prefix="tk-"))  # short: socket paths have a limit
        (runs / "bus.conf").write_text(_BUS.format(folder=runs))
        mine = self.data if state != "empty" else self.folder / "empty"
        mine.mkdir(parents=True, exist_ok=True)
        around = {
            **{
                k: v for k, v in os.environ.items() if not k.startswith(("DBUS_", "PYTHON_KEYRING"))
            },
            "TK_DATA": str(mine),
            "TK_RUN": str(runs),
            "TK_STATE": state,
            "HOME": str(self.folder / "home"),
            "XDG_CONFIG_HOME": str(self.folder / "home/config"),
            "XDG_STATE_HOME": str(self.folder / "home/state"),
            **(env or {}),
        }
        session = ["dbus-run-session", f"--config-file={runs / 'bus.conf'}", "--"]
        try:
            return subprocess.run(
                [*session, "sh", "-c", _INSIDE, "keyring", *argv],
                input=stdin,
                env=around,
                cwd=cwd,
                capture_output=True,
                text=True,
                timeout=limit_s,
                check=False,
            )
        finally:
            shutil.rmtree(runs, ignore_errors=True)
