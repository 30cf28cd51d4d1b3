"""Undo, redo, and edits carried over to a file that changed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ConfigProblem
from core.warden.document import Document, load
from core.warden.edits import LANES, add_provider, remove_provider, set_key, set_lane
from core.warden.history import History, replay
from core.warden.save import save
from core.warden.values import value_at
from tests.core.warden.shapes import GATEWAY, PLAIN, SAMPLES, document, files, in_all_bytes

if TYPE_CHECKING:
    from pathlib import Path


@settings(max_examples=60, deadline=None)
@given(files(), st.lists(st.sampled_from([*LANES, "undo", "redo", "provider"]), max_size=8))
def test_undo_gives_back_the_bytes(raw: bytes, steps: list[str]) -> None:
    history = History(document(raw))
    for step in steps:
        now = history.now
        if step == "undo":
            history = history.undo()
        elif step == "redo":
            history = history.redo()
        elif step == "provider":
            there = now.config().provider("plain")
            edit = remove_provider(now, "plain") if there else add_provider(now, PLAIN)
            history = history.edited(edit)
        else:
            lane = next(lane for lane in LANES if lane == step)
            history = history.edited(set_lane(now, lane, "plain/m", default_model="keep"))
    latest = history
    while latest.future:
        latest = latest.redo()
    while history.past:
        history = history.undo()
    assert history.now.raw == raw
    while history.future:
        history = history.redo()
    assert history.now == latest.now


def test_an_undo_behind_a_save_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "warden.toml"
    path.write_bytes(b"version = 1\n")
    history = History(load(path))
    history = history.edited(add_provider(history.now, GATEWAY))
    history = history.saved(save(history.now))
    assert not history.now.changed
    back = history.undo()
    assert back.now.changed
    save(back.now)
    assert path.read_bytes() == b"version = 1\n"


@pytest.mark.parametrize(
    "name", ["lanes as tables", "version only", "runner between skills", "skills first"]
)
@pytest.mark.parametrize("form", range(8))
def test_edits_of_other_keys_are_put_together(name: str, form: int) -> None:
    base = document(in_all_bytes(SAMPLES[name])[form])
    mine = set_lane(add_provider(base, GATEWAY), "agent", "gateway/small")
    skill = '\n\n[[skills]] # new\nname = "theirs"'.replace("\n", base.newline)
    theirs = set_key(base.with_text(base.text + skill), RUN, 9)
    both = replay(mine, theirs.raw)
    assert both.loaded == theirs.raw
    assert both.config().provider("gateway") == mine.config().provider("gateway")
    assert value_at(both.data(), ("runner", "concurrency")) == 9
    assert both.data()["skills"] == theirs.data()["skills"]
    assert "[[skills]] # new" in both.text


RUN = ("runner", "concurrency")


def test_two_changes_of_one_key_are_named() -> None:
    base = document(SAMPLES["lanes as tables"])
    mine = set_lane(base, "agent", "mine/m")
    theirs = set_lane(base, "agent", "theirs/m")
    with pytest.raises(ConfigProblem) as caught:
        replay(mine, theirs.raw)
    assert caught.value.fault.code == "config_changed"
    assert "defaults.agent.model" in caught.value.fault.why


def test_the_same_change_twice_is_none() -> None:
    base = document(SAMPLES["lanes as tables"])
    mine: Document = set_lane(base, "agent", "same/m")
    assert replay(mine, mine.raw).raw == mine.raw


def test_what_they_left_unreadable_is_said() -> None:
    mine = set_lane(document("version = 1\n"), "agent", "a/b")
    with pytest.raises(ConfigProblem) as caught:
        replay(mine, b"version = \n")
    assert caught.value.fault.code == "config_unreadable"
