"""A desk for each test, and a canary: no command may have told the key."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from tests.tui.desk import FILE_KEYRING, KEY, Desk, scratch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    """An empty repository, a scratch home, and no keyring."""
    import keyring
    from keyring.backends.fail import Keyring as NoKeyring

    folder, home = tmp_path / "repository", tmp_path / "home"
    home.mkdir()
    (folder / ".git").mkdir(parents=True)  # what marks the root of a repository
    env = scratch(home)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    desk = Desk(folder, home, env, monkeypatch, capsys)
    yield desk
    keyring.set_keyring(before)
    for said in desk.said:
        assert KEY not in said, "a command told the key"
    for path in (*folder.rglob("*"), *desk.state.rglob("*")):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), f"the key stands in {path}"


@pytest.fixture
def keyring_desk(desk: Desk) -> Desk:
    """A desk with a keyring that works."""
    import keyring

    from tests.tui.file_keyring import Keyring

    keyring.set_keyring(Keyring())
    desk.export(PYTHON_KEYRING_BACKEND=FILE_KEYRING)
    return desk


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of loopback that is taken and where nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
