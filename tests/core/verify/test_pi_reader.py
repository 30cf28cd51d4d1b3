"""What Pi makes of streams that turnkey's own reader would mend."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.live.verdict import ToolCall
from core.verify.pi_reader import PiReader
from core.verify.plain import read_plain
from tests.servers.scripted import DONE, compact, event, piece


def read(*deltas: dict[str, Any], cut: int = 0) -> PiReader:
    """The reader after these deltas, fed in pieces of ``cut`` bytes (0: whole)."""
    data = b"".join(event(piece("m", delta)) for delta in deltas) + DONE
    reader = PiReader(1 << 16)
    step = cut or len(data)
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    reader.end()
    return reader


def call(arguments: object, **more: object) -> dict[str, Any]:
    function = {"arguments": arguments}
    if "name" in more:
        function["name"] = more.pop("name")
    return {"tool_calls": [{**more, "function": function}]}


PIECES: Final = (
    call("", index=0, id="a", name="read"),
    call('{"path":', index=0),
    call(' "x"}', index=0),
)


@pytest.mark.parametrize("cut", [0, 1, 7])
def test_pieces_of_a_call_are_joined(cut: int) -> None:
    assert read(*PIECES, cut=cut).calls == (ToolCall("a", "read", '{"path": "x"}'),)


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        # two calls under one index run into each other
        (
            (call("{}", index=0, id="a", name="read"), call("{}", index=0, id="b", name="ls")),
            (("a", "read", "{}{}"),),
        ),
        # neither index nor id on later pieces: each becomes a call of its own
        (
            (call('{"a":', id="a", name="read"), call("1}")),
            (("a", "read", '{"a":'), ("", "", "1}")),
        ),
        # found by id where there is no index
        ((call('{"a":', id="a", name="read"), call("1}", id="a")), (("a", "read", '{"a":1}'),)),
        # an object instead of text
        ((call({"a": 1}, index=0, id="a", name="r"),), (("a", "r", "[object Object]"),)),
    ],
)
def test_calls_that_pi_breaks(
    deltas: tuple[dict[str, Any], ...], calls: tuple[tuple[str, str, str], ...]
) -> None:
    found = read(*deltas).calls
    assert tuple((one.id, one.name, one.arguments) for one in found) == calls


@pytest.mark.parametrize(
    ("delta", "field"),
    [
        ({"reasoning_content": "a", "reasoning": "a"}, "reasoning_content"),
        ({"reasoning_content": "", "reasoning": "a"}, "reasoning"),
        ({"reasoning_text": "a"}, "reasoning_text"),
        ({"thinking": "a"}, None),
        ({"content": "a"}, None),
    ],
)
def test_the_first_field_with_text_is_where_thinking_stands(
    delta: dict[str, Any], field: str | None
) -> None:
    assert read(delta).thinking_field == field


def test_a_list_for_content_and_an_object_for_arguments_are_told() -> None:
    reader = read({"content": [{"type": "text", "text": "a"}]}, call({"a": 1}, index=0, id="a"))
    assert (reader.list_content, reader.object_arguments) == (True, True)


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_it_never_raises(pieces: list[bytes]) -> None:
    reader = PiReader(128)
    for data in pieces:
        reader.feed(data)
    reader.end()
    assert isinstance(reader.calls, tuple)


NAMES: Final = st.sampled_from(
    ["choices", "message", "content", "tool_calls", "function", "model", "type", "text", "name"]
)
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=100) | JSON.map(compact))
def test_a_whole_reply_is_read_whatever_it_is(body: bytes) -> None:
    plain = read_plain(body)
    assert isinstance(plain.answer, str)
    assert all(isinstance(one.arguments, str) for one in plain.calls)


@pytest.mark.parametrize(
    ("message", "answer", "thinking", "field"),
    [
        ({"content": "a", "reasoning": "t"}, "a", "t", "reasoning"),
        ({"content": "<think>t</think>\n\na"}, "a", "t", "tags"),
        ({"content": "t</think>a"}, "a", "t", "tags"),
        (
            {"content": [{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "a"}]},
            "a",
            "t",
            "parts",
        ),
        ({"content": None}, "", "", None),
    ],
)
def test_thinking_and_answer_of_a_whole_reply(
    message: dict[str, Any], answer: str, thinking: str, field: str | None
) -> None:
    body = compact({"choices": [{"message": message, "finish_reason": "stop"}]})
    plain = read_plain(body)
    assert (plain.answer, plain.thinking, plain.thinking_field) == (answer, thinking, field)


def test_the_reply_of_anthropics_messages_is_read_too() -> None:
    body = compact(
        {"model": "c", "content": [{"type": "text", "text": "PONG"}], "stop_reason": "end_turn"}
    )
    plain = read_plain(body)
    assert (plain.answer, plain.finish_reason, plain.model) == ("PONG", "end_turn", "c")


@pytest.mark.parametrize(
    ("choice", "passed_over"),
    [
        ({"message": {"role": "assistant", "content": "PONG"}}, True),
        ({"message": {"content": None, "tool_calls": [{"id": "c"}]}}, True),
        ({"delta": {}, "message": {"content": "PONG"}}, True),
        # the last chunk of some servers repeats the whole; the deltas were there
        ({"delta": {"content": "PONG"}, "message": {"content": "PONG"}}, False),
        ({"delta": {"content": 'a "message" to read'}}, False),
        ({"message": {"role": "assistant", "content": ""}}, False),
        ({"message": "PONG"}, False),
    ],
)
def test_a_message_in_the_place_of_a_delta_is_noticed(
    choice: dict[str, Any], passed_over: bool
) -> None:
    reader = PiReader(1 << 16)
    reader.feed(b"data: " + compact({"choices": [{"index": 0, **choice}]}) + b"\n\n")
    reader.end()
    assert reader.message_chunks is passed_over


def test_a_whole_message_after_deltas_is_nothing_lost() -> None:
    reader = PiReader(1 << 16)
    for choice in ({"delta": {"content": "PONG"}}, {"message": {"content": "PONG"}}):
        reader.feed(b"data: " + compact({"choices": [choice]}) + b"\n\n")
    reader.end()
    assert not reader.message_chunks
