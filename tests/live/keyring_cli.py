"""Runs ``turnkey`` commands one after the other, in the session it is started in; tells what came.

``python -m tests.live.keyring_cli`` reads steps from standard input, a JSON list, and prints a JSON
list of ``{"code", "out", "err"}``. A step is ``{"argv": [...]}`` with, where it needs them,
``"stdin"``, ``"env"``, ``"terminal"``: what a person types at a terminal of their own, and
``"interrupt"``: that Ctrl-C is pressed once the command has written a line.
"""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

START: Final = "import sys; from tui.cli import main; sys.exit(main())"
LIMIT_S: Final = 60.0


class Step(TypedDict, total=False):
    """One command, and how a person is with it."""

    argv: list[str]
    stdin: str
    env: dict[str, str]
    terminal: str
    interrupt: bool


class Came(TypedDict):
    """What came of a command; ``code`` is negative where a signal ended it."""

    code: int
    out: str
    err: str


def do(step: Step) -> Came:
    """One command, from its start to its end."""
    argv = [sys.executable, "-c", START, *step["argv"]]
    env = {**os.environ, "PYTHONPATH": os.getcwd(), **step.get("env", {})}  # noqa: PTH109
    if "terminal" in step:
        return at_terminal(argv, env, step["terminal"])
    if step.get("interrupt"):
        return interrupted(argv, env)
    done = subprocess.run(
        argv, input=step.get("stdin", ""), env=env, capture_output=True, text=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip
    return Came(code=done.returncode, out=done.stdout, err=done.stderr)


def interrupted(argv: list[str], env: Mapping[str, str]) -> Came:
    """Ctrl-C, as a terminal sends it: SIGINT to the whole process group."""
    with subprocess.Popen(
        argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        first = child.stdout.readline()
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=LIMIT_S)
        return Came(code=child.returncode, out=first + out, err=err)


def at_terminal(argv: list[str], env: Mapping[str, str], typed: str) -> Came:
    """At a terminal of its own, as its foreground job; what the terminal showed is ``out``."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, dict(env))
    shown = bytearray()
    end = time.monotonic() + LIMIT_S
    sent = False
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # Linux says so when the last one has closed it
                break
            if not piece:
                break
            shown += piece
        if not sent and shown.rstrip().endswith((b"?", b":")):
            os.write(terminal, typed.encode())
            sent = True
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return Came(code=os.waitstatus_to_exitcode(status), out=shown.decode(), err="")


if __name__ == "__main__":
    steps: list[Step] = json.load(sys.stdin)
    json.dump([do(step) for step in steps], sys.stdout)
