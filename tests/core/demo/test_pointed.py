"""The good models give the one value that a file points to, and no list of what they saw."""

from __future__ import annotations

import json

import pytest

from core.demo.answers import say
from core.demo.pointed import pointed
from tests.core.demo.helpers import TOOLS, ask, model, offer, user

POINTS = "The seal of this queue is in settings/a.toml: `seal` of the table [aged], and no other."
SETTINGS = '[calm]\nseal = "zinc-1"\n\n[aged]\nattempts = 3\nseal = "iron-2" # kept\n'


def seen(*files: tuple[str, str], question: str = "Which seal is it?") -> list[dict[str, object]]:
    """A conversation in which these files were read."""
    calls = [
        {
            "id": f"c{place}",
            "type": "function",
            "function": {"name": "read", "arguments": json.dumps({"path": path})},
        }
        for place, (path, _) in enumerate(files)
    ]
    told = [
        {"role": "tool", "tool_call_id": f"c{place}", "content": text}
        for place, (_, text) in enumerate(files)
    ]
    return [user(question), {"role": "assistant", "content": None, "tool_calls": calls}, *told]


@pytest.mark.parametrize(
    ("files", "value"),
    [
        ((("q.py", POINTS), ("settings/a.toml", SETTINGS)), "iron-2"),
        ((("q.py", POINTS.replace("aged", "calm")), ("settings/a.toml", SETTINGS)), "zinc-1"),
        ((("q.py", POINTS),), None),
        ((("q.py", POINTS), ("settings/a.toml", "[calm]\nseal = 1")), None),
        ((("q.py", "The seal is in settings/a.toml."), ("settings/a.toml", SETTINGS)), None),
    ],
)
def test_a_value_is_found_where_a_file_points_to_it(
    files: tuple[tuple[str, str], ...], value: str | None
) -> None:
    found = pointed(ask(*seen(*files)))
    assert (None if found is None else found.value) == value


def test_the_answer_is_the_value_alone() -> None:
    files = (("q.py", POINTS), ("settings/a.toml", SETTINGS))
    said = say(ask(*seen(*files), tools=offer(tuple(TOOLS))), model())
    assert said.text == "The seal is iron-2, and it stands in settings/a.toml."


def test_an_answer_ends_with_the_word_that_was_asked_for() -> None:
    question = "Count from 1 to 3, and end your answer with this word, as it is written: reed-12"
    assert say(ask(user(question)), model()).text == "1, 2, 3 reed-12"
