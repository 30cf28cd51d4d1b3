"""A key that a server streams back reaches nobody who shows it, however it is cut into pieces."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Fault
from core.keys.secret import MASK, Secret
from core.keys.spellings import spellings
from core.live.events import (
    Answer,
    AnswerWasThinking,
    Ended,
    Failed,
    Finished,
    Headers,
    KeepAlive,
    Reasoning,
    Served,
    ToolPiece,
)
from core.live.veil import EventVeil

if TYPE_CHECKING:
    from core.live.events import Event

VALUE = "sk-canary+9f3a/Qz%7E"
KEY = Secret(VALUE)
SPELT = spellings(KEY.reveal())


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[a:b] for a, b in pairwise(ends)]


@given(
    st.lists(st.sampled_from([*SPELT, "s", "sk-", "sk-canary", "PONG ", "c2s", "ss", "%"])),
    st.lists(st.integers(0, 400), max_size=40),
)
def test_no_cut_lets_a_key_through(parts: list[str], places: list[int]) -> None:
    text = "".join(parts)
    veil = KEY.veil()
    shown = "".join([*(veil.push(piece) for piece in cut(text, places)), veil.rest()])
    assert not any(spelling in shown for spelling in SPELT)


@given(st.text(alphabet="sk-canPOG \n", max_size=80), st.lists(st.integers(0, 80), max_size=20))
def test_other_text_comes_whole(text: str, places: list[int]) -> None:
    veil = KEY.veil()
    shown = "".join([*(veil.push(piece) for piece in cut(text, places)), veil.rest()])
    assert shown == text or shown.endswith(MASK)  # it ended in a long beginning of the key


def texts(events: list[Event]) -> str:
    return "".join(one.text for one in events if isinstance(one, Answer | Reasoning))


def test_letters_come_through_masked_and_each_channel_for_itself() -> None:
    veil = EventVeil(KEY)
    shown: list[Event] = []
    for at, letter in enumerate(VALUE):
        shown += veil.take(Answer(at, letter))
        shown += veil.take(Reasoning(at, letter))
    shown += veil.take(Answer(50.0, " s"))
    shown += veil.take(Ended(60.0, complete=True))
    answers = texts([one for one in shown if isinstance(one, Answer)])
    assert answers == f"{MASK} s"
    assert texts([one for one in shown if isinstance(one, Reasoning)]) == MASK
    # what was held keeps its own time
    assert shown[-2] == Answer(50.0, "s")
    assert shown[-1] == Ended(60.0, complete=True)


def test_most_of_a_key_is_masked_as_well() -> None:
    veil = EventVeil(KEY)
    assert veil.take(Answer(1.0, VALUE[:-1])) == []
    assert veil.take(AnswerWasThinking(2.0)) == [Answer(1.0, MASK), AnswerWasThinking(2.0)]


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (Served(1.0, VALUE), Served(1.0, MASK)),
        (Finished(1.0, VALUE), Finished(1.0, MASK)),
        (Headers(1.0, 200, {"x": VALUE}), Headers(1.0, 200, {"x": MASK})),
        (ToolPiece(1.0, 0, VALUE, VALUE, VALUE), ToolPiece(1.0, 0, MASK, MASK, MASK)),
        (
            Failed(1.0, Fault("upstream", VALUE, VALUE, VALUE)),
            Failed(1.0, Fault("upstream", MASK, MASK, MASK)),
        ),
        (KeepAlive(1.0), KeepAlive(1.0)),
    ],
)
def test_it_is_masked_wherever_it_stands(event: Event, shown: Event) -> None:
    assert EventVeil(KEY).take(event) == [shown]


def test_arguments_of_a_tool_are_masked_over_pieces() -> None:
    veil = EventVeil(KEY)
    shown = veil.take(ToolPiece(1.0, 0, "a", "f", '{"k":"' + VALUE[:5]))
    shown += veil.take(ToolPiece(2.0, 0, "", "", VALUE[5:] + '"}'))
    shown += veil.take(Ended(3.0, complete=True))
    assert "".join(one.arguments for one in shown if isinstance(one, ToolPiece)) == (
        '{"k":"' + MASK + '"}'
    )


def test_without_a_key_every_event_is_itself() -> None:
    event = Answer(1.0, "s")
    assert EventVeil(None).take(event)[0] is event
    assert EventVeil(Secret("")).take(event)[0] is event


def test_all_that_the_request_carried_is_masked() -> None:
    veil = EventVeil(KEY, Secret("Bearer tt-side-1234", "tt-side-1234"), None)
    shown: list[Event] = []
    for at, letter in enumerate(f"{VALUE} tt-side-1234 PONG"):
        shown += veil.take(Answer(at, letter))
    shown += veil.take(Ended(60.0, complete=True))
    assert texts(shown) == f"{MASK} {MASK} PONG"
