"""Starting a command with an environment of its own, as if it had been started directly.

On POSIX this process becomes the command: signals, exit code, terminal and job control are the
command's, since nothing stands between. Windows cannot do that; there the command runs below, and
Ctrl-C goes to it alone.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from core.errors import Fault, TurnkeyError, UsageProblem
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_FOUND: Final = 127
NOT_STARTABLE: Final = 126
_COERCED: Final = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
"""What Python tries, in this order (PEP 538)."""


class NotStartedError(TurnkeyError):
    """The command was not started. ``exit_code`` is a shell's: 127 not found, 126 not startable."""

    def __init__(self, fault: Fault, exit_code: int) -> None:
        super().__init__(fault)
        self.exit_code = exit_code


def run_command(
    argv: Sequence[str], env: Mapping[str, str], *, platform: str = sys.platform
) -> int:
    """Run ``argv`` with ``env`` as its whole environment. On POSIX this does not come back.

    The command is looked for in the ``PATH`` of ``env``. Gives the exit code where the platform
    cannot replace a process.

    Raises:
        UsageProblem: ``argv`` is empty.
        NotStartedError: there is no such command, or it cannot be run.
    """
    if argv and not argv[0]:
        raise _not_started("", FileNotFoundError(errno.ENOENT, "no name"))  # as bash says
    if not argv:
        fix = "Write it after «--»: turnkey run -- warden"
        raise UsageProblem(Fault("usage", "There is no command to run.", fix=fix))
    # What was printed so far belongs before the command's own words.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if platform != "win32":
        _replace(argv, env)
    return _run_below(argv, env)


def as_given(env: Mapping[str, str], started: Path = Path("/proc/self/environ")) -> dict[str, str]:
    """``env`` without the ``LC_CTYPE`` that Python itself puts in where the locale is C (PEP 538).

    ``started``: the environment that this process was started with, as Linux shows it; where it
    cannot be read, nothing is taken away.
    """
    given = dict(env)
    if "LC_CTYPE" not in given:
        return given
    try:
        before = os.fsdecode(started.read_bytes()).split("\0")
    except OSError:
        return given
    old = next((entry[9:] for entry in before if entry.startswith("LC_CTYPE=")), None)
    if old is None and given["LC_CTYPE"] in _COERCED:
        del given["LC_CTYPE"]
    elif old in {"C", "POSIX"} and given["LC_CTYPE"] in _COERCED:
        given["LC_CTYPE"] = old
    return given


def _replace(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    # Python ignores these, and a program inherits what is ignored: `| head` would not end it.
    changed = {
        number: signal.signal(number, signal.SIG_DFL)
        for name in ("SIGPIPE", "SIGXFSZ")
        if (number := getattr(signal, name, None)) is not None
        and signal.getsignal(number) == signal.SIG_IGN
    }
    try:
        os.execvpe(argv[0], list(argv), dict(env))  # noqa: S606  # the whole purpose
    except OSError as error:
        if error.errno == errno.ENOEXEC:
            _replace_by_shell(argv, env)
        raise _not_started(argv[0], error) from None
    except ValueError:  # a null character in an argument
        why = "An argument or a variable has a null character in it."
        raise _refused(argv[0], why) from None
    finally:
        for number, handler in changed.items():
            signal.signal(number, handler)


def _replace_by_shell(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Run a script without a ``#!`` line as every shell does: by ``sh``. Comes back on failure."""
    path = argv[0]
    if "/" not in path:
        folders = os.get_exec_path(dict(env))
        found = (os.path.join(folder, path) for folder in folders)  # noqa: PTH118
        path = next((one for one in found if os.access(one, os.X_OK)), path)
    try:
        os.execve("/bin/sh", ["sh", path, *argv[1:]], dict(env))  # noqa: S606  # what shells do
    except OSError:
        return


def _run_below(argv: Sequence[str], env: Mapping[str, str]) -> int:
    import shutil
    import subprocess

    found = shutil.which(argv[0], path=env.get("PATH") or env.get("Path"))
    if found is None:
        raise _not_started(argv[0], FileNotFoundError(errno.ENOENT, "not found"))
    # Ctrl-C reaches the child by the console itself; we only have to outlive it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with subprocess.Popen([found, *argv[1:]], env=dict(env)) as child:  # noqa: S603
            return child.wait()
    except OSError as error:
        raise _not_started(argv[0], error) from None
    finally:
        signal.signal(signal.SIGINT, before)


def _not_started(command: str, error: OSError) -> NotStartedError:
    shown = one_line(command, 120)
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        if "/" in command and os.path.exists(command):  # noqa: PTH110
            why = "The program that its first line names is not there."
            return _refused(command, why)
        fix = "Check its spelling, and that it is installed for this shell."
        fault = Fault("usage", f"There is no command «{shown}».", fix=fix)
        return NotStartedError(fault, NOT_FOUND)
    if error.errno == errno.E2BIG:
        return _refused(command, "Its arguments and environment are too long.")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return _refused(command, "It is not executable, or a folder.")
    return _refused(command, error.strerror or "")


def _refused(command: str, why: str) -> NotStartedError:
    fault = Fault("usage", f"The command «{one_line(command, 120)}» cannot be started.", why)
    return NotStartedError(fault, NOT_STARTABLE)
