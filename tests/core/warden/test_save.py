"""Saves: whole or not at all, and never over somebody else's bytes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from core.errors import ConfigProblem
from core.warden.document import Document, empty, load
from core.warden.edits import add_provider, set_lane
from core.warden.save import Disk, backup, conflict, last_saved, save
from tests.core.warden.shapes import GATEWAY, SAMPLES, in_all_bytes

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("TURNKEY_KILLED_SAVES", "1000"))
posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and signals of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "repo" / "warden.toml"
    path.parent.mkdir()
    path.write_bytes(SAMPLES["lanes as tables"].encode())
    return path


def edited(path: Path) -> Document:
    return set_lane(load(path), "agent", "gateway/m")


def entries(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def fault_of(document: Document, disk: Disk | None = None) -> tuple[str, str]:
    with pytest.raises(ConfigProblem) as caught:
        save(document, disk=disk)
    assert caught.value.exit_code == 3
    return caught.value.fault.code, caught.value.fault.why


@pytest.mark.parametrize("raw", in_all_bytes(SAMPLES["comments everywhere"]))
def test_what_was_not_edited_is_saved_as_it_was(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    before = path.stat()
    saved = save(load(path))
    assert path.read_bytes() == raw
    assert path.stat().st_ino == before.st_ino
    assert saved == load(path)


def test_an_edit_is_saved_and_can_be_followed_by_another(path: Path) -> None:
    first = save(edited(path))
    assert not first.changed
    assert path.read_bytes() == first.raw
    second = save(add_provider(first, GATEWAY))
    assert load(path) == second
    assert entries(path.parent) == ["warden.toml"]


def test_a_change_by_another_program_is_not_overwritten(path: Path) -> None:
    mine = edited(path)
    path.write_bytes(b"version = 1 # theirs\n")
    assert fault_of(mine)[0] == "config_changed"
    assert path.read_bytes() == b"version = 1 # theirs\n"
    assert conflict(mine) == b"version = 1 # theirs\n"


def test_a_file_that_was_removed_is_not_brought_back(path: Path) -> None:
    mine = edited(path)
    path.unlink()
    assert fault_of(mine)[0] == "config_changed"
    assert not path.exists()
    assert conflict(mine) == b""


def test_a_file_that_appeared_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "warden.toml"
    mine = set_lane(empty(path), "agent", "a/b")
    path.write_bytes(b"theirs = 1\n")
    assert fault_of(mine)[0] == "config_changed"
    assert path.read_bytes() == b"theirs = 1\n"


def test_a_file_that_appears_in_the_last_moment_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "warden.toml"

    class Late(Disk):
        def sync(self, handle: int) -> None:
            super().sync(handle)
            path.write_bytes(b"theirs = 1\n")

    assert fault_of(set_lane(empty(path), "agent", "a/b"), Late())[0] == "config_changed"
    assert path.read_bytes() == b"theirs = 1\n"
    assert entries(tmp_path) == ["warden.toml"]


def test_a_change_in_the_last_moment_is_seen(path: Path) -> None:
    class Late(Disk):
        def sync(self, handle: int) -> None:
            super().sync(handle)
            path.write_bytes(b"theirs = 1\n")

    assert fault_of(edited(path), Late())[0] == "config_changed"
    assert path.read_bytes() == b"theirs = 1\n"


def test_somebody_who_wrote_the_same_is_no_conflict(path: Path) -> None:
    mine = edited(path)
    path.write_bytes(mine.raw)
    assert not save(mine).changed


def test_two_writers_lose_neither_s_bytes(path: Path) -> None:
    """Two processes save at once: one wins, the other one is told, and can do it again."""
    program = (
        "import pathlib, sys\n"
        "from core.errors import ConfigProblem\n"
        "from core.warden import document, edits, save\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "done = told = 0\n"
        "while done < 60:\n"
        "    one = document.load(path)\n"
        "    new = one.with_text(one.text + f'# {sys.argv[2]} {done}\\n')\n"
        "    try:\n"
        "        save.save(new)\n"
        "    except ConfigProblem as problem:\n"
        "        assert problem.fault.code == 'config_changed', problem.fault\n"
        "        told += 1\n"
        "    else:\n"
        "        done += 1\n"
        "print(told)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(path), name], stdout=subprocess.PIPE)
        for name in ("left", "right")
    ]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    lines = path.read_text().splitlines()
    for name in ("left", "right"):
        assert [line for line in lines if line.startswith(f"# {name}")] == [
            f"# {name} {number}" for number in range(60)
        ]


@posix
def test_mode_and_owner_stay(path: Path) -> None:
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    before = path.stat()
    save(edited(path))
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


@posix
def test_a_new_file_gets_what_the_umask_leaves(tmp_path: Path) -> None:
    path = tmp_path / "warden.toml"
    old = os.umask(0o027)
    try:
        save(set_lane(empty(path), "agent", "a/b"))
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640
    assert entries(tmp_path) == ["warden.toml"]


@posix
def test_a_link_is_followed_to_its_target(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "warden.toml"
    link.symlink_to(os.path.relpath(path, tmp_path))
    saved = save(edited(link))
    assert link.is_symlink()
    assert path.read_bytes() == saved.raw


@posix
def test_a_link_to_nothing_yet_makes_its_target(tmp_path: Path) -> None:
    link = tmp_path / "warden.toml"
    link.symlink_to("real.toml")
    saved = save(set_lane(empty(link), "agent", "a/b"))
    assert link.is_symlink()
    assert (tmp_path / "real.toml").read_bytes() == saved.raw


STEPS = ["create", "write", "like", "sync", "replace"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, ""),
        (errno.EIO, "disk reported an error"),
    ],
)
def test_whatever_fails_the_old_file_stays(path: Path, step: str, number: int, words: str) -> None:
    before = path.read_bytes()

    def fails(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    disk = Disk()
    setattr(disk, step, fails)
    code, why = fault_of(edited(path), disk)
    assert code == "config_unwritable"
    assert words in why
    assert path.read_bytes() == before
    assert entries(path.parent) == ["warden.toml"]
    assert save(edited(path)).raw == path.read_bytes()


def test_a_full_disk_halfway_leaves_the_old_file(path: Path) -> None:
    class Filling(Disk):
        def write(self, handle: int, content: bytes) -> None:
            super().write(handle, content[:20])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = path.read_bytes()
    assert fault_of(edited(path), Filling()) == ("config_unwritable", "The disk is full.")
    assert path.read_bytes() == before
    assert entries(path.parent) == ["warden.toml"]


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    mine = set_lane(empty(tmp_path / "no" / "warden.toml"), "agent", "a/b")
    assert fault_of(mine) == ("config_unwritable", "The folder does not exist.")


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_read_only_means_read_only(path: Path, what: str) -> None:
    mine = edited(path)
    (path if what == "file" else path.parent).chmod(0o555)
    try:
        assert fault_of(mine)[0] == "config_unwritable"
    finally:
        path.parent.chmod(0o755)


def test_a_disk_without_hard_links_still_takes_a_new_file(tmp_path: Path) -> None:
    class Plain(Disk):
        def place(self, temporary: Path, target: Path) -> None:
            temporary.replace(target)

    path = tmp_path / "warden.toml"
    saved = save(set_lane(empty(path), "agent", "a/b"), disk=Plain())
    assert path.read_bytes() == saved.raw


@posix
def test_killed_saves_leave_the_old_file_or_the_new_one(path: Path) -> None:
    path.write_text('version = 1\n[defaults.agent]\nmodel = "a/model"\n' + "# filler\n" * 5000)
    command = [sys.executable, "-m", "tests.core.warden.killed_saver", str(path), str(ROUNDS), "7"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=300)
    found = json.loads(done.stdout)
    assert found["torn"] == 0
    assert found["ended"] == 0
    assert found["halfway"] > 0
    # Some savers died with work done, and what they left in the folder is swept by the next one.
    assert found["changed"] > 0
    assert found["left"] == 1


def test_the_last_saved_version_is_kept_elsewhere(path: Path, tmp_path: Path) -> None:
    state = tmp_path / "state" / "turnkey"
    assert last_saved(path, state) is None
    one = save(edited(path))
    kept = backup(one, state)
    assert last_saved(path, state) == one.raw
    assert backup(save(add_provider(one, GATEWAY)), state) == kept
    assert last_saved(path, state) == path.read_bytes()
    assert last_saved(path.parent / "other.toml", state) is None
    if os.name == "posix":
        assert kept.stat().st_mode & 0o777 == 0o600
    assert entries(path.parent) == ["warden.toml"]
