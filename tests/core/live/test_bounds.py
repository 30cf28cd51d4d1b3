"""What is kept of a stream does not grow with it, whatever it is made of."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from core.live.record import Recorder
from core.live.verdict import Transcript
from tests.core.live.replay import BASE, reader

WARM, MORE = 5_000, 3_000
GROWTH = 64 * 1024
"""Bytes; a thousandth of what comes in the meantime."""


def chunk(delta: dict[str, object], **more: object) -> bytes:
    choice = {"index": 0, "delta": delta}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


@pytest.mark.parametrize("kind", ["answer", "thinking", "call", "usage", "comments"])
def test_memory_stands_still_however_long_a_stream_goes_on(kind: str) -> None:
    text = "word " * 200
    call = {"index": 0, "id": "c", "function": {"name": "read", "arguments": text}}
    counted = {"prompt_tokens": 1, "completion_tokens": 1}
    data = {
        "answer": chunk({"content": text}),
        "thinking": chunk({"reasoning_content": text}),
        "call": chunk({"tool_calls": [call]}),
        "usage": chunk({"content": "w"}, usage=counted),
        "comments": b": still here" + b"." * 200 + b"\n\n",
    }[kind]
    transcript, recorder, stream = Transcript("m"), Recorder(BASE, None, {}), reader()

    def feed(first: int, count: int) -> int:
        """The most that is kept while these come, in bytes."""
        tracemalloc.reset_peak()
        for number in range(first, first + count):
            at = number / 1000
            recorder.read(data, at)
            for event in stream.feed(data, at):
                transcript.apply(event)
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        before = feed(0, WARM)
        after = feed(WARM, MORE)
    finally:
        tracemalloc.stop()
    assert after - before < GROWTH
