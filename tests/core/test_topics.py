"""The topics of the help: all readable at 80 columns, none out of date by itself."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import get_args

import pytest

from core.errors import UsageProblem
from core.providers.presets import presets
from core.topics import TOPICS, topic, topics
from core.warden.scene import EscapeCode
from tui.cli import COMMANDS


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_has_a_title_and_fits_a_terminal(name: str) -> None:
    found = topic(name)
    assert found.title
    assert found.text
    assert max(map(len, found.text.splitlines())) <= 76
    assert "{" not in found.text.replace("{presets}", "")


def test_every_text_of_the_folder_is_a_topic() -> None:
    written = {one.name.removesuffix(".md") for one in files("assets").joinpath("help").iterdir()}
    assert written == set(TOPICS)


def test_the_servers_come_from_the_presets() -> None:
    text = topic("servers").text
    for one in presets():
        assert re.search(rf"^  {one.dialect} +{re.escape(one.label)}", text, re.MULTILINE)


def test_every_escape_is_explained() -> None:
    explained = re.findall(r"^  (E\d+) ", topic("escapes").text, re.MULTILINE)
    assert explained == [f"E{number}" for number in range(1, 15)]
    assert set(get_args(EscapeCode)) <= set(explained)


def test_only_commands_that_exist_are_named() -> None:
    for one in topics():
        for command in re.findall(r"(?: {2}|`|«|→ )turnkey ([a-z-]+)", one.text):
            assert command in COMMANDS, f"{one.name}: turnkey {command}"


@pytest.mark.parametrize(
    ("typed", "fix"),
    [("escape", "turnkey help escapes"), ("\x1b[31m", "Topics: lanes, escapes")],
)
def test_an_unknown_topic_gets_the_nearest_or_all(typed: str, fix: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        topic(typed)
    assert fix in caught.value.fault.fix
    assert "\x1b" not in caught.value.fault.what
