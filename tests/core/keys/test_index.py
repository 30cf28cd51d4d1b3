"""The index without values: one step, private, and nothing lost."""

from __future__ import annotations

import os
import stat
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from core.errors import ConfigProblem
from core.keys import index
from core.keys.index import Entry, KeyIndex

if TYPE_CHECKING:
    from pathlib import Path

A = Entry("A_KEY", "http://a", "keyring", "2026-01-01T00:00:00Z")
B = Entry("B_KEY", "http://b", "environment", "2026-01-02T00:00:00Z")


def listed(keys: KeyIndex) -> list[str]:
    return [entry.variable for entry in keys.entries]


def add(keys: KeyIndex, entry: Entry, *, lost: bool = False) -> None:
    assert keys.change(lambda entries: index.with_entry(entries, entry), lost=lost) is None


def test_entries_come_back_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "keys.json"
    add(KeyIndex(path), A)
    assert KeyIndex(path).entries == (A,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir() if p.suffix != ".lock"] == ["keys.json"]


def test_a_binding_is_listed_once() -> None:
    later = Entry("A_KEY", "http://a", "keyring", "2027-01-01T00:00:00Z")
    assert index.with_entry((A, B), later) == (B, later)
    assert index.without((A, B), "A_KEY", ("http://a",), "keyring") == (B,)
    assert index.without((A, B), "A_KEY", ("http://a",), "environment") == (A, B)
    assert index.origins((A, B), "A_KEY", "keyring") == ("http://a",)


def test_what_another_turnkey_wrote_meanwhile_stays(tmp_path: Path) -> None:
    mine, theirs = KeyIndex(tmp_path / "keys.json"), KeyIndex(tmp_path / "keys.json")
    assert mine.entries == theirs.entries == ()
    add(theirs, A)
    add(mine, B)
    assert KeyIndex(tmp_path / "keys.json").entries == (A, B)


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    def write(number: int) -> None:
        add(KeyIndex(tmp_path / "keys.json"), Entry(f"K{number}", "http://a", "keyring", "t"))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(KeyIndex(tmp_path / "keys.json").entries) == 12


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"entries": 3}', b"\xff\xfe", b"null"])
def test_a_damaged_file_is_set_aside_only_when_asked(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    keys = KeyIndex(path)
    assert keys.entries == ()
    assert keys.fault is not None
    assert keys.fault.code == "config_unreadable"
    assert "turnkey keys repair" in keys.fault.fix
    assert keys.change(lambda entries: (*entries, A)) == keys.fault
    assert listed(keys) == ["A_KEY"]  # for this run
    assert path.read_bytes() == content
    assert keys.set_aside() == tmp_path / "keys.json.damaged"
    assert (tmp_path / "keys.json.damaged").read_bytes() == content
    add(keys, A)
    fresh = KeyIndex(path)
    assert fresh.entries == (A,)
    assert not fresh.complete  # the keyring may hold what the lost list knew
    assert fresh.set_aside() is None  # nothing wrong with it
    path.write_bytes(content)
    assert KeyIndex(path).set_aside() == tmp_path / "keys.json.damaged-2"


def test_what_nobody_agreed_to_is_not_even_kept_for_this_run(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(b"{")
    keys = KeyIndex(path)
    assert keys.change(lambda entries: (*entries, A), firm=True) is not None
    assert keys.entries == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "dangling"])
def test_only_a_regular_file_is_read_and_nothing_is_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "keys.json"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.symlink_to(tmp_path / "nowhere")
    keys = KeyIndex(path)
    assert keys.entries == ()
    if kind == "dangling":
        assert keys.fault is None  # as good as no file
        return
    assert keys.fault is not None
    assert "is no regular file" in keys.fault.what
    assert keys.set_aside() is not None
    add(keys, A)
    assert KeyIndex(path).entries == (A,)


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    content = b'{"version": 2, "entries": {"new": "shape"}}'
    path.write_bytes(content)
    keys = KeyIndex(path)
    assert keys.change(lambda entries: (*entries, A)) is not None
    assert keys.entries == (A,)
    with pytest.raises(ConfigProblem, match="newer turnkey"):
        keys.set_aside()
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_said_and_remembered(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    keys = KeyIndex(tmp_path / "state" / "keys.json")
    fault = keys.change(lambda entries: (*entries, A))
    assert fault is not None
    assert fault.code in {"config_unwritable", "config_unreadable"}
    assert keys.entries == (A,)


def test_it_knows_whether_the_list_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    assert KeyIndex(path).complete is False
    add(KeyIndex(path), A)
    assert KeyIndex(path).complete is True
    add(KeyIndex(path), B, lost=True)
    assert KeyIndex(path).complete is False
    add(KeyIndex(path), A)
    assert KeyIndex(path).complete is False


def test_times_are_utc_seconds() -> None:
    assert index.stamp(datetime(2026, 8, 1, 9, 30, 5, 999, tzinfo=UTC)) == "2026-08-01T09:30:05Z"


def test_what_another_turnkey_does_is_seen_at_the_next_look(tmp_path: Path) -> None:
    mine, other = KeyIndex(tmp_path / "keys.json"), KeyIndex(tmp_path / "keys.json")
    assert listed(mine) == []
    add(other, A)
    assert listed(mine) == ["A_KEY"]
    other.change(lambda _: ())
    assert listed(mine) == []


def test_a_list_that_is_held_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(index, "HOLD_S", 0.05)
    held = KeyIndex(tmp_path / "keys.json")
    with (tmp_path / ".keys.json.lock").open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        fault = held.change(lambda all_: (*all_, A))
    assert fault is not None
    assert "Another program keeps it" in fault.why
    assert held.change(lambda all_: (*all_, A)) is None
