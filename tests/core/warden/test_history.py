"""Undo, redo, and edits carried over to a file that changed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ConfigProblem
from core.warden.document import Document, load
from core.warden.edits import (
    LANES,
    add_provider,
    remove_provider,
    rename_provider,
    set_key,
    set_lane,
)
from core.warden.history import History, replay
from core.warden.save import save
from core.warden.values import same, value_at
from tests.core.warden.shapes import GATEWAY, PLAIN, SAMPLES, document, files, in_all_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
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


SKILLS = '[[skills]]\nname = "a"\nmodel = "x/y"\n\n[[skills]]\nname = "b"\n'
PLACE = ("skills", 1, "model")


@pytest.mark.parametrize(
    ("theirs", "changed"),
    [
        (SKILLS + '\n[[skills]]\nname = "c"\n', "added behind"),
        ('[[skills]]\nname = "c"\n\n' + SKILLS, "added before"),
        (SKILLS.replace('name = "a"\nmodel = "x/y"\n\n[[skills]]\n', ""), "removed another"),
        (SKILLS.replace("x/y", "x/z"), "changed another"),
    ],
)
def test_an_edit_of_one_skill_stands_beside_a_change_of_the_list(theirs: str, changed: str) -> None:
    mine = set_key(document(SKILLS), PLACE, "mine/m")
    both = replay(mine, theirs.encode())
    named = {skill.name: skill.model for skill in both.config().skills}
    assert named.pop("b") == "mine/m", changed
    assert named == {
        skill.name: skill.model for skill in document(theirs).config().skills if skill.name != "b"
    }


@pytest.mark.parametrize(
    "theirs",
    [
        SKILLS.replace('name = "b"', 'name = "b"\nmodel = "their/m"'),
        SKILLS.replace('\n[[skills]]\nname = "b"\n', ""),
        SKILLS.replace('name = "b"', 'name = "other"'),
    ],
)
def test_a_skill_that_they_changed_or_took_away_is_a_conflict(theirs: str) -> None:
    mine = set_key(document(SKILLS), PLACE, "mine/m")
    with pytest.raises(ConfigProblem) as caught:
        replay(mine, theirs.encode())
    assert "skills" in caught.value.fault.why


NAMELESS = '[[skills]]\nname = "a"\n[[skills.triggers]]\ntype = "local"\n'
TRIGGER = '[[skills.triggers]]\ntype = "local"\nmodel = "x/y"\n'


def test_tables_without_names_keep_their_places_or_conflict() -> None:
    mine = set_key(document(NAMELESS), ("skills", 0, "triggers", 0, "model"), "mine/m")
    behind = replay(mine, (NAMELESS + TRIGGER).encode())
    (skill,) = behind.config().skills
    assert [one.model for one in skill.triggers] == ["mine/m", "x/y"]
    before = NAMELESS.replace("[[skills.triggers]]", TRIGGER + "[[skills.triggers]]")
    with pytest.raises(ConfigProblem):
        replay(mine, before.encode())


def _anew(one: Document) -> str:
    """The same values in another layout: no comments, other quotes, spaces, and line endings."""
    lines = [line.split(" #")[0].rstrip() for line in one.text.splitlines()]
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return "\r\n".join(["# laid out anew", "", *kept, ""])


@pytest.mark.parametrize(
    "name", ["lanes as tables", "version only", "runner between skills", "skills first"]
)
@pytest.mark.parametrize("edit", ["lane", "provider", "key", "both", "removed"])
def test_edits_are_made_again_on_a_file_that_was_laid_out_anew(name: str, edit: str) -> None:
    base = document(SAMPLES[name])
    if edit == "removed":
        base = document(add_provider(base, GATEWAY).raw)
        mine = remove_provider(base, "gateway")
    else:
        mine = set_lane(base, "agent", "gateway/m") if edit in {"lane", "both"} else base
        mine = add_provider(mine, GATEWAY) if edit in {"provider", "both"} else mine
        mine = set_key(mine, RUN, 9) if edit == "key" else mine
    theirs = _anew(base)
    both = replay(mine, theirs.encode())
    assert both.data() == mine.data()
    assert both.text.startswith("# laid out anew\r\n")
    assert "\n" not in both.text.replace("\r\n", "")


@settings(max_examples=60, deadline=None)
@given(files(), st.sampled_from([*LANES, "provider", "key"]))
def test_a_change_of_line_endings_alone_is_no_conflict(raw: bytes, edit: str) -> None:
    base = document(raw)
    if '"""' in base.text or "'''" in base.text or "\r" in base.text:
        return  # there a line ending is a part of a value
    lane = next((lane for lane in LANES if lane == edit), None)
    if lane is not None:
        mine = set_lane(base, lane, "plain/m", default_model="keep")
    else:
        mine = add_provider(base, PLAIN) if edit == "provider" else set_key(base, RUN, 7)
    theirs = base.with_text(base.text.replace("\n", "\r\n"))
    assert same(replay(mine, theirs.raw).data(), mine.data())


def test_a_renamed_provider_keeps_its_comments_on_a_file_that_was_laid_out_anew() -> None:
    base = document(add_provider(document("version = 1\n"), GATEWAY).raw)
    mine = rename_provider(base, "gateway", "own")
    theirs = "# theirs\n" + base.text.replace("baseUrl", "# why\n  baseUrl")
    both = replay(mine, theirs.encode())
    assert both.data() == mine.data()
    assert "# why" in both.text


USED = """version = 1

[defaults.agent]
model = "mine/m"

[[skills]]
name = "a"

[[skills]]
name = "b"

[defaults.providers.mine]
baseUrl = "http://127.0.0.1:4000/v1"
models = [{ id = "m" }, { id = "n" }]

[defaults.providers.other]
baseUrl = "http://127.0.0.1:4001/v1"
models = [{ id = "m" }]
"""


def _without_n(one: Document) -> Document:
    return one.with_text(one.text.replace(', { id = "n" }', ""))


def _unused(one: Document) -> Document:
    return remove_provider(one, "other")


def _with_skill(one: Document) -> Document:
    return set_key(
        one.with_text(one.text.replace('[[skills]]\nname = "a"\n\n', "")),
        ("skills", 0, "model"),
        "other/m",
    )


@pytest.mark.parametrize("swapped", [False, True], ids=["mine takes away", "theirs takes away"])
@pytest.mark.parametrize(
    ("taking", "using", "named"),
    [
        (
            lambda one: rename_provider(one, "mine", "ours"),
            lambda one: set_lane(one, "auxiliary", "mine/m"),
            ("defaults.auxiliary.model", "mine/m"),
        ),
        (
            lambda one: rename_provider(one, "other", "third"),
            lambda one: set_lane(one, "auxiliary", "other/undeclared"),
            ("defaults.auxiliary.model", "other/undeclared"),
        ),
        (_unused, lambda one: set_lane(one, "synthesis", "other/m"), ("synthesis", "other/m")),
        (_unused, _with_skill, ("skills.b.model", "other/m")),
        (_without_n, lambda one: set_lane(one, "synthesis", "mine/n"), ("synthesis", "mine/n")),
    ],
    ids=["renamed", "renamed, undeclared id", "removed", "removed, a skill", "a model removed"],
)
def test_what_one_side_takes_away_and_the_other_begins_to_use_is_named(
    taking: Callable[[Document], Document],
    using: Callable[[Document], Document],
    named: tuple[str, ...],
    *,
    swapped: bool,
) -> None:
    base = document(USED)
    mine, theirs = taking(base), using(base)
    if swapped:
        mine, theirs = theirs, mine
    with pytest.raises(ConfigProblem) as caught:
        replay(mine, theirs.raw)
    assert caught.value.fault.code == "config_changed"
    assert all(word in caught.value.fault.why for word in named), caught.value.fault.why


def test_a_selector_that_was_left_behind_on_purpose_is_no_conflict() -> None:
    base = document(USED)
    mine = remove_provider(base, "mine")  # the agent's lane dangles, and was listed
    both = replay(mine, set_key(base, RUN, 9).raw)
    assert both.config().defaults.agent_model == "mine/m"
    assert both.config().provider("mine") is None


def test_a_selector_that_follows_a_rename_is_no_conflict() -> None:
    base = document(USED)
    both = replay(rename_provider(base, "mine", "ours"), set_key(base, RUN, 9).raw)
    assert both.config().defaults.agent_model == "ours/m"
