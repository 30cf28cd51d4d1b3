"""A command started with keys behaves as if it had been started directly."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UsageProblem
from core.keys.child import NotStartedError, as_given, run_command

ROOT = Path(__file__).resolve().parents[3]
START = (
    "import os, sys\n"
    "from core.errors import TurnkeyError\n"
    "from core.keys.child import run_command\n"
    "print('before', flush=False)\n"
    "try:\n"
    "    run_command(sys.argv[1:], {**os.environ, 'TK_KEY': 'sk-canary'})\n"
    "except TurnkeyError as problem:\n"
    "    print(problem.fault.what, file=sys.stderr)\n"
    "    sys.exit(problem.exit_code)\n"
)
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX replaces the process")


def start(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START, *argv],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )


def test_the_child_sees_the_key_and_its_exit_code_is_ours() -> None:
    done = start(
        sys.executable, "-c", "import os; print(os.environ['TK_KEY']); raise SystemExit(7)"
    )
    assert done.returncode == 7
    assert done.stdout.split() == ["before", "sk-canary"]


@posix
def test_the_command_is_this_very_process_and_no_argument_holds_the_key() -> None:
    code = "import os; print(os.getpid()); print(open('/proc/self/cmdline').read())"
    with subprocess.Popen(
        [sys.executable, "-c", START, sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        out, _ = process.communicate(timeout=30)
    assert out.splitlines()[1] == str(process.pid)
    assert "sk-canary" not in out


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_as_it_would_end_the_command(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START, "sh", "-c", "echo ready; exec tail -f /dev/null"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "before\n"
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(30) == -number


@posix
def test_ignored_and_default_signals_are_as_the_shell_left_them() -> None:
    show = ("sh", "-c", "grep SigIgn /proc/self/status")
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc here")
    direct = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    assert start(*show).stdout.splitlines()[1:] == direct.splitlines()


@posix
def test_it_reads_the_terminal_and_controls_jobs() -> None:
    main, terminal = pty.openpty()
    code = "import os, sys; print(sys.stdin.isatty(), os.tcgetpgrp(0) == os.getpgrp(), input())"
    start_here = f"import os, fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n{START}"
    with subprocess.Popen(
        [sys.executable, "-c", start_here, sys.executable, "-c", code],
        stdin=terminal,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        os.write(main, b"typed\n")
        out, _ = process.communicate(timeout=30)
    os.close(main)
    assert out.splitlines()[1] == "True True typed"


@posix
@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (None, 127, "There is no command"),
        ("folder", 126, "cannot be started"),
        ("not executable", 126, "cannot be started"),
        ("no interpreter", 126, "cannot be started"),
    ],
)
def test_a_command_that_does_not_start_ends_as_in_a_shell(
    tmp_path: Path, make: str | None, code: int, words: str
) -> None:
    path = tmp_path / "command"
    if make == "folder":
        path.mkdir()
    elif make is not None:
        path.write_text("#!/no/such/interpreter\n" if make == "no interpreter" else "#!/bin/sh\n")
        path.chmod(0o755 if make == "no interpreter" else 0o644)
    done = start(str(path))
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "sk-canary" not in done.stderr


@posix
def test_a_script_without_a_first_line_is_run_by_sh(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text('echo "$1 $TK_KEY"\nexit 3\n')
    script.chmod(0o755)
    done = start(str(script), "argument")
    assert (done.returncode, done.stdout) == (3, "before\nargument sk-canary\n")


def test_the_childs_own_path_is_searched(tmp_path: Path) -> None:
    with pytest.raises(NotStartedError) as caught:
        run_command(["python3"], {"PATH": str(tmp_path)})
    assert caught.value.exit_code == 127


def test_nothing_to_run_is_a_usage_problem() -> None:
    with pytest.raises(UsageProblem):
        run_command([], {})


def test_a_null_character_in_an_argument_is_said() -> None:
    with pytest.raises(NotStartedError) as caught:
        run_command(["echo", "a\0b"], dict(os.environ))
    assert caught.value.exit_code == 126


def test_where_a_process_cannot_be_replaced_the_command_runs_below() -> None:
    before = signal.getsignal(signal.SIGINT)
    code = "import os; raise SystemExit(5 if os.environ['TK_KEY'] == 'k' else 1)"
    env = {**os.environ, "TK_KEY": "k"}
    assert run_command([sys.executable, "-c", code], env, platform="win32") == 5
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(NotStartedError) as caught:
        run_command(["no-such-command-here"], env, platform="win32")
    assert caught.value.exit_code == 127


@pytest.mark.parametrize(
    ("started", "now", "given"),
    [
        (b"HOME=/h\0", {"LC_CTYPE": "C.UTF-8"}, {}),  # put in by Python
        (b"LC_CTYPE=C.UTF-8\0A=b\0", {"LC_CTYPE": "C.UTF-8"}, {"LC_CTYPE": "C.UTF-8"}),
        (b"LC_CTYPE=C\0", {"LC_CTYPE": "C.UTF-8"}, {"LC_CTYPE": "C"}),
        (b"LC_CTYPE=POSIX\0", {"LC_CTYPE": "C.UTF-8"}, {"LC_CTYPE": "POSIX"}),
        (b"", {"LC_CTYPE": "de_DE.UTF-8"}, {"LC_CTYPE": "de_DE.UTF-8"}),
        (b"", {"LANG": "C"}, {"LANG": "C"}),
        (None, {"LC_CTYPE": "C.UTF-8"}, {"LC_CTYPE": "C.UTF-8"}),  # nobody knows
    ],
)
def test_what_python_adds_to_the_environment_does_not_go_along(
    tmp_path: Path, started: bytes | None, now: dict[str, str], given: dict[str, str]
) -> None:
    path = tmp_path / "environ"
    if started is not None:
        path.write_bytes(started)
    assert as_given(now, path) == given


def test_an_empty_name_is_no_command() -> None:
    with pytest.raises(NotStartedError) as caught:
        run_command([""], {"PATH": "/bin"})
    assert caught.value.exit_code == 127
