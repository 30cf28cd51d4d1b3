"""Which origins turnkey may ask by itself: agreed to by a person, kept, and taken back."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from core.approvals import FILE_NAME, Approvals

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = "http://127.0.0.1:4000", "https://gw.example"


def test_nothing_is_approved_until_somebody_agrees(tmp_path: Path) -> None:
    found = Approvals(tmp_path)
    assert not found.allows(ONE)
    assert found.allows(ONE, bound=[ONE])
    assert not (tmp_path / FILE_NAME).exists(), "looking keeps nothing"


def test_an_approval_lasts_and_covers_its_own_origin_alone(tmp_path: Path) -> None:
    Approvals(tmp_path / "state").note(ONE)
    again = Approvals(tmp_path / "state")
    assert again.allows(ONE)
    assert not again.allows(OTHER)
    assert again.origins == (ONE,)
    assert stat.S_IMODE((tmp_path / "state" / FILE_NAME).stat().st_mode) == 0o600


def test_what_was_taken_back_stays_so_until_somebody_says_otherwise(tmp_path: Path) -> None:
    Approvals(tmp_path).note(ONE)
    assert Approvals(tmp_path).decide(ONE, allowed=False) is None
    again = Approvals(tmp_path)
    again.note(ONE)
    assert not again.allows(ONE, bound=[ONE])
    again.decide(ONE, allowed=True)
    assert Approvals(tmp_path).allows(ONE)


def test_two_turnkeys_see_each_others_decisions(tmp_path: Path) -> None:
    first, second = Approvals(tmp_path), Approvals(tmp_path)
    first.note(ONE)
    second.note(OTHER)
    assert first.allows(OTHER)
    second.decide(ONE, allowed=False)
    assert not first.allows(ONE)
    assert Approvals(tmp_path).origins == (OTHER,)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"\xff",
        b'{"origins": {"http://127.0.0.1:4000": 3}}',
        b'{"version": 2, "origins": {"http://127.0.0.1:4000": true}}',
        b'{"origins": {"http://127.0.0.1:4000": true}, "more": 1}',
    ],
)
def test_a_file_that_cannot_be_understood_approves_nobody_and_stays(
    tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(data)
    found = Approvals(tmp_path)
    assert not found.allows(ONE, bound=[ONE])
    assert found.fault is not None
    assert found.decide(ONE, allowed=True) is found.fault
    assert not found.allows(ONE)
    assert path.read_bytes() == data


def test_without_a_folder_it_holds_for_the_run() -> None:
    found = Approvals()
    found.note(ONE)
    assert found.allows(ONE)
    assert not Approvals().allows(ONE)


def test_a_folder_that_cannot_be_written_is_told_and_holds_for_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = Approvals(tmp_path / "file")
    fault = found.decide(ONE, allowed=True)
    assert fault is not None
    assert fault.code == "config_unwritable"
    assert found.allows(ONE)
