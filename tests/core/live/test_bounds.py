"""What is kept of a stream does not grow with it, whatever it is made of.

Each bound was taken out once and a case seen to fail: of kept text, of all calls' text, of calls
told apart and their ids, of gaps, of the times of events, of the raw bytes.
"""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Final

import pytest

from core.keys.secret import Secret
from core.live.calls import MOST, SLOTS
from core.live.record import Recorder
from core.live.veil import EventVeil
from core.live.verdict import Transcript
from tests.core.live.replay import BASE, reader

if TYPE_CHECKING:
    from collections.abc import Callable

WARM, MORE = 6_000, 3_000
GROWTH: Final = 16 * 1024
"""Bytes; less than three thousand numbers, of which one is made for each chunk, would take."""
TEXT: Final = "word " * 200


def chunk(delta: dict[str, object], **more: object) -> bytes:
    choice = {"index": 0, "delta": delta}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


def call(index: int, call_id: str, arguments: str) -> bytes:
    function = {"name": "read", "arguments": arguments}
    return chunk({"tool_calls": [{"index": index, "id": call_id, "function": function}]})


def grown(make: Callable[[int], bytes], warm: int = WARM) -> int:
    """By how many bytes the most that is kept grows while :data:`MORE` chunks come."""
    transcript, recorder, stream = Transcript("m"), Recorder(BASE, None, {}), reader()
    veil = EventVeil(Secret("sk-a-key-that-never-comes"))

    def feed(first: int, count: int) -> int:
        tracemalloc.reset_peak()
        for number in range(first, first + count):
            data, at = make(number), number / 1000
            recorder.read(data, at)
            for event in stream.feed(data, at):
                transcript.apply(event)
                veil.take(event)
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        before = feed(0, warm)
        after = feed(warm, MORE)
    finally:
        tracemalloc.stop()
    return after - before


@pytest.mark.parametrize("kind", ["answer", "thinking", "call", "usage", "comments"])
def test_memory_stands_still_however_long_a_stream_goes_on(kind: str) -> None:
    counted = {"prompt_tokens": 1, "completion_tokens": 1}
    data = {
        "answer": chunk({"content": TEXT}),
        "thinking": chunk({"reasoning_content": TEXT}),
        "call": call(0, "c", TEXT),
        "usage": chunk({"content": "w"}, usage=counted),
        "comments": b": still here" + b"." * 200 + b"\n\n",
    }[kind]
    assert grown(lambda _: data) < GROWTH


def test_many_long_calls_together_take_no_more_than_a_few() -> None:
    texts = [TEXT * 20 + str(number) for number in range(MOST)]
    made = [call(index, f"c{index}", text) for index, text in enumerate(texts)]
    assert grown(lambda number: made[number % MOST]) < GROWTH


@pytest.mark.parametrize(
    ("letters", "warm", "most"),
    [
        # no more of them are told apart
        (1_000, SLOTS + 10, 4 * GROWTH),
        # each is told apart; the ids alone would be 30 MB
        (10_000, 2_000, 4 * 1024 * 1024),
    ],
)
def test_calls_without_end_take_no_more_than_so_many(letters: int, warm: int, most: int) -> None:
    long_id = "i" * letters
    assert grown(lambda number: call(number, f"{number}{long_id}", ""), warm) < most
