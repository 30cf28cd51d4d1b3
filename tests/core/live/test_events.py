from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.keys.secret import Secret
from core.live.counts import Usage
from core.live.events import (
    Answer,
    AnswerWasThinking,
    Ended,
    Event,
    Failed,
    Finished,
    KeepAlive,
    PrefillProgress,
    Reasoning,
    Served,
    TimingsSeen,
    ToolPiece,
    UsageSeen,
)
from core.live.reader import EventReader
from tests.core.live.replay import BASE, WIRE, events_of, reader, recorded

WHOLE = sorted(str(path.relative_to(WIRE).with_suffix("")) for path in WIRE.glob("*/*.sse"))


def _chunk(delta: dict[str, object], **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return json.dumps({"choices": [choice], **more}).encode()


def _read(*payloads: bytes, at: float = 1.0) -> list[Event]:
    events_reader = EventReader(BASE, model="m")
    events: list[Event] = []
    for payload in payloads:
        events += events_reader.feed(payload, at)
    return [*events, *events_reader.end(at)]


def _texts(events: list[Event]) -> tuple[str, str]:
    thinking = "".join(one.text for one in events if isinstance(one, Reasoning))
    answer = "".join(one.text for one in events if isinstance(one, Answer))
    return thinking, answer


# ------------------------------------------------------------------ real transcripts

_THOUGHT = "Okay, the user wants a short reply.\n"
_SAID = "PONG from lab weights."
_RAW = "llamacpp-variants/nokey-rawthink-chat-stream-usage"


@pytest.mark.parametrize(
    ("name", "thinking", "answer", "finish", "pieces"),
    [
        ("llamacpp/chat-stream-usage", _THOUGHT, _SAID, "stop", (8, 5)),
        ("llamacpp/chat-stream-no-usage", _THOUGHT, _SAID, "stop", (8, 5)),
        ("llamacpp/chat-stream-no-thinking", "", _SAID, "stop", (0, 5)),
        ("llamacpp/length-inside-thinking-stream", "Okay, the user", "", "length", (3, 0)),
        (_RAW, "\n" + _THOUGHT, "\n\n" + _SAID, "stop", (8, 6)),
        ("vllm/chat-stream-usage", "\n" + _THOUGHT, "\n\n" + _SAID, "stop", (8, 6)),
        ("vllm/noparser-chat-stream-usage", "\n" + _THOUGHT, "\n\n" + _SAID, "stop", (8, 6)),
        ("vllm/length-inside-thinking-stream", "\nOkay, the user", "", "length", (3, 0)),
        ("transformers/chat-stream-usage", "\n" + _THOUGHT, "\n\n" + _SAID, "stop", (8, 5)),
        ("litellm/chat-stream-usage", _THOUGHT, _SAID, "stop", (8, 5)),
        ("litellm/lab-vllm-chat-stream-usage", "\n" + _THOUGHT, "\n\n" + _SAID, "stop", (8, 6)),
    ],
)  # fmt: skip
def test_recorded_streams_give_their_texts(
    name: str, thinking: str, answer: str, finish: str, pieces: tuple[int, int]
) -> None:
    events = events_of(recorded(name)[1])
    assert _texts(events) == (thinking, answer)
    assert [one.reason for one in events if isinstance(one, Finished)] == [finish]
    assert (
        sum(isinstance(one, Reasoning) for one in events),
        sum(isinstance(one, Answer) for one in events),
    ) == pieces
    assert events[-1] == Ended(1.0, complete=True)
    assert not any(isinstance(one, Failed) for one in events)


@pytest.mark.parametrize("server", ["llamacpp", "vllm", "transformers", "litellm"])
def test_recorded_tool_calls_are_assembled(server: str) -> None:
    events = events_of(recorded(f"{server}/tool-call-stream")[1])
    pieces = [one for one in events if isinstance(one, ToolPiece)]
    assert {piece.index for piece in pieces} == {0}
    assert [piece.name for piece in pieces if piece.name] == ["read"]
    assert len({piece.id for piece in pieces if piece.id}) == 1
    assert json.loads("".join(piece.arguments for piece in pieces)) == {"path": "README.md"}


def test_a_whole_transcript_event_by_event() -> None:
    events = events_of(recorded("llamacpp/length-inside-thinking-stream")[1])
    assert events[:5] == [
        Served(1.0, "tiny-qwen3"),
        Reasoning(1.0, "Okay,"),
        Reasoning(1.0, " the"),
        Reasoning(1.0, " user"),
        Finished(1.0, "length"),
    ]
    assert events[5] == UsageSeen(
        1.0, Usage(prompt_tokens=12, completion_tokens=4, total_tokens=16, cached_tokens=11)
    )
    assert isinstance(events[6], TimingsSeen)
    assert events[6].timings.predicted_n == 4
    assert events[7:] == [Ended(1.0, complete=True)]


def test_a_stream_without_done_is_complete_by_its_finish_reason() -> None:
    body = recorded("transformers/chat-stream-usage")[1]
    assert b"[DONE]" not in body
    assert events_of(body)[-1] == Ended(1.0, complete=True)


@pytest.mark.parametrize("name", WHOLE)
def test_cutting_a_recorded_stream_at_every_byte_gives_the_same_events(name: str) -> None:
    body = recorded(name)[1]
    stream = reader()
    found: list[Event] = []
    for place in range(len(body)):
        found += stream.feed(body[place : place + 1], 1.0)
    assert [*found, *stream.end(1.0)] == events_of(body)


@settings(max_examples=30)
@given(st.sampled_from(WHOLE), st.data())
def test_cutting_the_bytes_anywhere_gives_the_same_events(name: str, draw: st.DataObject) -> None:
    body = recorded(name)[1]
    cuts = sorted(draw.draw(st.sets(st.integers(0, len(body)), max_size=20)))
    stream = reader()
    found: list[Event] = []
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        found += stream.feed(body[start:end], 1.0)
    assert [*found, *stream.end(1.0)] == events_of(body)


# ------------------------------------------------------------------ dialects


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "why"},
        {"reasoning": "why"},
        {"reasoning_text": "why"},
        {"reasoning_content": "why", "reasoning": "why"},
        {"reasoning": "why", "reasoning_details": [{"type": "reasoning.text", "text": "why"}]},
        {"reasoning_details": [{"type": "reasoning.text", "text": "why"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "why"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "why"}]}]},
        {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "why"}]}]},
        {"content": [{"type": "reasoning", "text": "why"}], "reasoning_content": "why"},
        {"content": "<think>why</think>"},
        {"content": "<think>why</think>", "reasoning_content": "why"},
    ],
)
def test_thinking_is_found_wherever_a_server_puts_it_and_once(delta: dict[str, object]) -> None:
    assert _texts(_read(_chunk(delta), _chunk({"content": "so"}))) == ("why", "so")


def test_details_that_repeat_a_field_of_earlier_chunks_are_not_taken() -> None:
    events = _read(_chunk({"reasoning": "why"}), _chunk({"reasoning_details": [{"text": "why"}]}))
    assert _texts(events)[0] == "why"


def test_a_tag_that_only_closes_makes_the_answer_so_far_thinking() -> None:
    events = _read(_chunk({"content": "why\n"}), _chunk({"content": "</think>so"}))
    assert events[:3] == [Answer(1.0, "why\n"), AnswerWasThinking(1.0), Answer(1.0, "so")]


def test_calls_are_told_apart_by_index_then_id() -> None:
    def piece(**fields: object) -> bytes:
        return _chunk({"tool_calls": [fields]})

    events = _read(
        piece(index=0, id="a", function={"name": "read", "arguments": "{"}),
        piece(index=1, id="b", function={"name": "bash", "arguments": ""}),
        piece(index=0, function={"arguments": "}"}),
        piece(index=0, id="c", function={"name": "edit", "arguments": {"x": 1}}),
        piece(id="d", function={"name": "find", "arguments": ""}),
        piece(function={"arguments": "[]"}),
    )
    pieces = [one for one in events if isinstance(one, ToolPiece)]
    assert [(one.index, one.id, one.name, one.arguments) for one in pieces] == [
        (0, "a", "read", "{"),
        (1, "b", "bash", ""),
        (0, "", "", "}"),
        (2, "c", "edit", '{"x":1}'),
        (3, "d", "find", ""),
        (3, "", "", "[]"),
    ]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"prompt_tokens": 3, "completion_tokens": 5, "reasoning_tokens": 2, "cost": 0.5},
            Usage(prompt_tokens=3, completion_tokens=5, reasoning_tokens=2, cost=0.5),
        ),
        (
            {"prompt_tokens": 3.0, "completion_tokens": 5, "prompt_cache_hit_tokens": 1},
            Usage(prompt_tokens=3, completion_tokens=5, cached_tokens=1),
        ),
        (
            {"input_tokens": 3, "output_tokens": 5},
            Usage(prompt_tokens=3, completion_tokens=5),
        ),
    ],
)
def test_usage_is_read_under_its_many_names(usage: dict[str, object], expected: Usage) -> None:
    assert UsageSeen(1.0, expected) in _read(_chunk({}, usage=usage))
    choice = {"index": 0, "delta": {}, "usage": usage}
    assert UsageSeen(1.0, expected) in _read(json.dumps({"choices": [choice]}).encode())


@pytest.mark.parametrize("usage", [None, {}, [], "many", {"completion_tokens": "5"}])
def test_a_usage_that_counts_nothing_is_no_event(usage: object) -> None:
    assert not any(isinstance(one, UsageSeen) for one in _read(_chunk({}, usage=usage)))


def test_prefill_progress_of_llama_cpp() -> None:
    progress = {"total": 100, "cache": 10, "processed": 40, "time_ms": 5}
    events = _read(json.dumps({"choices": [], "prompt_progress": progress}).encode())
    assert events[0] == PrefillProgress(1.0, 40, 100, 10)


def test_role_only_and_empty_chunks_are_no_tokens() -> None:
    events = _read(_chunk({"role": "assistant", "content": ""}), _chunk({"content": None}))
    assert events == [Ended(1.0, complete=False)]


# ------------------------------------------------------------------ what goes wrong


def test_comments_pings_and_empty_events_are_signs_of_life() -> None:
    stream = reader()
    events = stream.feed(b": keep-alive\n\ndata:\n\nevent: ping\ndata: x\n\n", 2.0)
    assert events == [KeepAlive(2.0)] * 3


@pytest.mark.parametrize(
    "payload",
    [
        b'{"error":{"message":"out of memory","code":"500"}}',
        pytest.param(
            b'{"error":{"message":"out of memory","code":"' + b"5" * 5_000 + b'"}}', id="no number"
        ),
        pytest.param('{"error":{"message":"out of memory","code":"²"}}'.encode(), id="squared"),
        b'{"error":"out of memory"}',
        b'{"object":"error","message":"out of memory","type":"x","code":500}',
        b'{"choices":[{"finish_reason":"error"}],"error":{"message":"out of memory"}}',
    ],
)
def test_an_error_inside_the_stream_fails_it(payload: bytes) -> None:
    events = _read(_chunk({"content": "half"}), payload, _chunk({"content": "not this"}))
    assert _texts(events)[1] == "half"
    failed = next(one for one in events if isinstance(one, Failed))
    assert "out of memory" in failed.fault.what + failed.fault.why
    assert events[-1] == Ended(1.0, complete=False)


def test_an_error_event_by_name_fails_the_stream() -> None:
    stream = reader()
    events = stream.feed(b'event: error\ndata: {"message":"boom"}\n\n', 1.0)
    assert isinstance(events[0], Failed)
    assert stream.done


def test_an_error_masks_the_key_and_shows_control_characters() -> None:
    events_reader = EventReader(BASE, key=Secret("sk-very-secret"))
    body = json.dumps({"error": {"message": "bad \x1b[31m key sk-very-secret"}}).encode()
    (failed,) = events_reader.feed(body, 1.0)
    assert isinstance(failed, Failed)
    words = failed.fault.what + failed.fault.why
    assert "very-secret" not in words
    assert "\x1b" not in words


@pytest.mark.parametrize("member", ["error", "strange", "model", "choices"])
def test_what_is_nested_without_end_is_a_fault_and_nothing_raises(member: str) -> None:
    deep = b"[" * 20_000 + b"]" * 20_000
    events = _read(b'{"choices":[],"' + member.encode() + b'":' + deep + b"}")
    assert any(isinstance(one, Failed) for one in events)


def test_a_payload_that_is_not_json_is_called_so() -> None:
    (failed, _) = _read(b"<html>")
    assert isinstance(failed, Failed)
    assert failed.fault.code == "bad_shape"


def test_a_stream_cut_inside_a_chunk_is_incomplete_and_no_more() -> None:
    stream = reader()
    body = b"data: " + _chunk({"content": "half"}) + b'\n\ndata: {"choices":[{"del'
    events = [*stream.feed(body, 1.0), *stream.end(1.0)]
    assert events == [Answer(1.0, "half"), Ended(1.0, complete=False)]


def test_text_after_done_does_not_count() -> None:
    events = _read(b"[DONE]", _chunk({"content": "late"}))
    assert events == [Ended(1.0, complete=False)]


def test_half_a_tag_at_the_end_is_text() -> None:
    assert _texts(_read(_chunk({"content": "a\n<thi"})))[1] == "a\n<thi"


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (rb'{"choices":[{"index":0,"delta":{"content":"a\ud83d"}}]}', "a�"),
        (b'{"choices":[{"index":0,"delta":{"content":"a\xff"}}]}', "a�"),
        (b'{"choices":[{"index":"0","delta":{"content":"a","tool_calls":"no"}}]}', ""),
        (b'{"choices":[{"index":0,"delta":{"content":"a","tool_calls":"no"}}]}', "a"),
        (b'{"choices":[{"index":0,"delta":"odd"}]}', ""),
        (b'{"choices":"odd"}', ""),
        (b'{"choices":[{"index":0,"delta":{"content":"\\u001b[2J"}}]}', "\x1b[2J"),
    ],
)
def test_odd_chunks_cost_one_field_and_nothing_more(payload: bytes, answer: str) -> None:
    events = _read(payload)
    assert _texts(events)[1] == answer
    assert not any(isinstance(one, Failed) for one in events)


@given(st.binary(max_size=200))
def test_no_payload_makes_the_reader_raise(payload: bytes) -> None:
    assert isinstance(_read(payload)[-1], Ended)


_MEMBERS = [
    "choices",
    "delta",
    "content",
    "index",
    "tool_calls",
    "function",
    "usage",
    "error",
    "reasoning_details",
    "timings",
    "prompt_progress",
    "completion_tokens",
    "type",
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_MEMBERS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(_JSON)
def test_no_json_makes_the_reader_raise(value: object) -> None:
    assert isinstance(_read(json.dumps(value).encode())[-1], Ended)
