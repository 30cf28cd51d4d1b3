"""Tool calls are put together from pieces, and a flood of them stays within bounds."""

from __future__ import annotations

import json

from core.live.calls import MOST, SLOTS, TEXT, Calls, ToolCall
from core.live.events import Started, ToolPiece
from core.live.messages import MessagesReader
from core.live.reader import EventReader
from core.live.verdict import Transcript
from tests.core.live.replay import BASE

MANY = 3 * MOST


def piece(index: int, arguments: str = "{}", name: str = "read") -> ToolPiece:
    return ToolPiece(1.0, index, f"call{index}", name, arguments)


def test_pieces_of_calls_that_come_mixed_are_put_together() -> None:
    calls = Calls()
    for one in (piece(0, '{"a"'), piece(1), piece(0, ": 1}", ""), piece(3, "")):
        calls.add(one)
    assert calls.told() == (
        ToolCall("call0", "read", '{"a": 1}'),
        ToolCall("call1", "read", "{}"),
        ToolCall("", "", ""),
        ToolCall("call3", "read", ""),
    )
    assert (calls.count, calls.more, calls.dropped) == (4, 0, 0)


def test_of_very_many_calls_the_first_are_kept_and_the_rest_is_said() -> None:
    transcript = Transcript("m")
    transcript.apply(Started(0.0))
    for index in range(MANY):
        transcript.apply(piece(index))
    assert len(transcript.tool_calls) == MOST
    (told,) = [one for one in transcript.warnings() if one.code == "calls_not_kept"]
    assert told.message.startswith(f"{MANY - MOST:,} tool calls after the first {MOST}")
    few = Transcript("m")
    few.apply(piece(MOST - 1))
    assert "calls_not_kept" not in {one.code for one in few.warnings()}


def test_of_very_long_calls_together_the_first_text_is_kept_and_the_rest_is_said() -> None:
    calls, long = Calls(), "x" * (TEXT // 8)
    for index in range(20):
        calls.add(piece(index, long))
    told = calls.told()
    assert [one.arguments for one in told[:7]] == [long] * 7
    assert told[-1].arguments == f"\n[… {len(long):,} characters are not kept …]"
    assert sum(len(one.arguments) for one in told) < TEXT * 1.01
    assert calls.dropped > 20 * len(long) - TEXT


def test_a_reader_tells_only_so_many_calls_apart() -> None:
    chat, messages = EventReader(BASE), MessagesReader(BASE)
    last: dict[str, int] = {}
    for number in range(SLOTS + 50):
        call = {"index": number, "id": f"c{number}", "function": {"name": "read"}}
        chunk = {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
        block = {"type": "tool_use", "id": f"c{number}", "name": "read", "input": {}}
        opened = {"type": "content_block_start", "index": number, "content_block": block}
        for name, reader, told in (("chat", chat, chunk), ("messages", messages, opened)):
            events = reader.feed(json.dumps(told).encode(), 1.0)
            (found,) = [event for event in events if isinstance(event, ToolPiece)]
            last[name] = found.index
    assert last == {"chat": SLOTS - 1, "messages": SLOTS - 1}


def test_two_calls_under_one_index_stay_two() -> None:
    reader = MessagesReader(BASE)
    found: list[int] = []
    for number in range(3):
        block = {"type": "tool_use", "id": f"c{number}", "name": "read", "input": {}}
        opened = {"type": "content_block_start", "index": 0, "content_block": block}
        events = reader.feed(json.dumps(opened).encode(), 1.0)
        found += [event.index for event in events if isinstance(event, ToolPiece)]
    assert found == [0, 1, 2]
