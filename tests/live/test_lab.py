"""What the live tests stand on: environments that are whole, and servers that end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.live.keeper import AGAIN
from tests.live.lab import installer, is_whole, lab_folder, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live

PACKAGES: Final = ("invented==1.0",)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An environment that holds one package of one file, made by hand."""
    made = tmp_path / "invented-py3"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    site = next(made.glob("lib/python*/site-packages"))
    facts = site / "invented-1.0.dist-info"
    facts.mkdir()
    (site / "invented.py").write_text("", encoding="utf-8")
    (facts / "METADATA").write_text("Name: invented\nVersion: 1.0\n", encoding="utf-8")
    (facts / "RECORD").write_text("invented.py,,\ninvented-1.0.dist-info/METADATA,,\n")
    (made / ".installed").write_text(stamp_of(PACKAGES), encoding="utf-8")
    return made


def test_an_environment_with_its_stamp_and_its_files_is_kept(place: Path) -> None:
    assert is_whole(place, PACKAGES)


def test_another_wish_an_absent_stamp_and_a_lost_file_are_reasons_to_build(place: Path) -> None:
    assert not is_whole(place.with_name("absent"), PACKAGES)
    assert not is_whole(place, ("invented==2.0",))
    next(place.rglob("invented.py")).unlink()
    assert not is_whole(place, PACKAGES)


def test_an_environment_whose_interpreter_is_gone_is_built_again(place: Path) -> None:
    python = place / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert not is_whole(place, PACKAGES)


def test_a_pip_is_found_for_an_environment_that_has_none(place: Path) -> None:
    python = str(place / "bin" / "python")
    asked = [*installer(python)[:-1], "--help"]
    assert subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"HOME": "/h"}, "/h/.cache/turnkey-lab"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/c"}, "/c/turnkey-lab"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "relative"}, "/h/.cache/turnkey-lab"),
        ({"HOME": "/h", "XDG_CACHE_HOME": ""}, "/h/.cache/turnkey-lab"),
    ],
)
def test_environments_are_kept_in_the_users_cache(env: dict[str, str], folder: str) -> None:
    assert lab_folder(env) == Path(folder)


@contextlib.contextmanager
def kept(code: str) -> Iterator[subprocess.Popen[bytes]]:
    keeper = Path(__file__).with_name("keeper.py")
    process = subprocess.Popen(
        [sys.executable, keeper, sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        yield process


def test_a_kept_server_ends_when_the_tests_do() -> None:
    with kept("import os, time; print(os.getpid(), flush=True); time.sleep(600)") as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        pid = int(keeper.stdout.readline())
        keeper.stdin.close()
        assert keeper.wait(20) == -signal.SIGTERM % 256
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_kept_server_that_ends_by_itself_hands_its_exit_code_on() -> None:
    begun = time.monotonic()
    with kept("raise SystemExit(7)") as keeper:
        assert keeper.wait(20) == 7
    assert time.monotonic() - begun < 10


def test_a_kept_server_that_crashes_is_started_again(tmp_path: Path) -> None:
    first = tmp_path / "first"
    crash = f"""
import os, pathlib, signal
first = pathlib.Path({str(first)!r})
if not first.exists():
    first.touch()
    os.kill(os.getpid(), signal.SIGSEGV)
raise SystemExit(7)
"""
    with kept(crash) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline().decode().strip() == AGAIN
        assert keeper.wait(20) == 7
