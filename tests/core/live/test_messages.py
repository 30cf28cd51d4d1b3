"""``/v1/messages``: another dialect, the same events."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
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
    Reasoning,
    Served,
    ToolPiece,
    UsageSeen,
)
from core.live.messages import STOP_REASONS, MessagesReader
from core.live.prompts import READY_PROMPTS
from core.live.reader import StreamReader
from core.live.watcher import watch
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from core.wire.chat import ChatRequest
from core.wire.messages import messages_body, messages_url
from tests.servers.messages import (
    PING,
    block,
    messages_reply,
    named,
    start,
    stop,
    text,
    thinking,
    tool,
)
from tests.servers.scripted import ScriptedProvider, error_reply

if TYPE_CHECKING:
    from core.live.ping import Run

BASE = read_base_url("http://127.0.0.1:4000/v1")
ROUTE = ("POST", "/v1/messages")
WHOLE = (
    start()
    + PING
    + thinking(0, "Let me", " see")
    + text(1, "It is ", "héllo ", "<b>")
    + tool(2, "toolu_1", "read_file", "", '{"path"', ': "a.py"}')
    + tool(3, "toolu_2", "ls")
    + stop("tool_use", {"output_tokens": 42})
)


def events_of(*pieces: bytes) -> list[Event]:
    reader = StreamReader(MessagesReader(BASE, model="m", key=Secret("sk-canary-012345")), 1 << 20)
    found: list[Event] = []
    for piece in pieces:
        found += reader.feed(piece, 1.0)
    return found + reader.end(1.0)


def test_every_kind_of_block_gives_its_events() -> None:
    assert events_of(WHOLE) == [
        Served(1.0, "m"),
        UsageSeen(1.0, Usage(prompt_tokens=12)),
        KeepAlive(1.0),
        Reasoning(1.0, "Let me"),
        Reasoning(1.0, " see"),
        Answer(1.0, "It is "),
        Answer(1.0, "héllo "),
        Answer(1.0, "<b>"),
        ToolPiece(1.0, 0, "toolu_1", "read_file", ""),
        ToolPiece(1.0, 0, "", "", '{"path"'),
        ToolPiece(1.0, 0, "", "", ': "a.py"}'),
        ToolPiece(1.0, 1, "toolu_2", "ls", ""),
        UsageSeen(1.0, Usage(prompt_tokens=12, completion_tokens=42, total_tokens=54)),
        Finished(1.0, "tool_calls"),
        Ended(1.0, complete=True),
    ]


def test_the_bytes_may_be_cut_at_every_place() -> None:
    whole = events_of(WHOLE)
    for cut in range(len(WHOLE) + 1):
        assert events_of(WHOLE[:cut], WHOLE[cut:]) == whole, cut


@given(st.lists(st.integers(0, len(WHOLE)), max_size=12))
def test_the_bytes_may_be_cut_at_several_places(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(WHOLE)]
    pieces = [WHOLE[a:b] for a, b in pairwise(places)]
    assert events_of(*pieces) == events_of(WHOLE)


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        (
            [start(usage={"input_tokens": 5, "cache_read_input_tokens": 90,
                          "cache_creation_input_tokens": 5, "output_tokens": 3})],
            Usage(prompt_tokens=100, completion_tokens=20, total_tokens=120, cached_tokens=90),
        ),
        (
            # llama.cpp and vLLM count the prompt at the end, or again
            [start(usage={"input_tokens": 0, "output_tokens": 0}),
             stop(usage={"input_tokens": 7, "output_tokens": 9})],
            Usage(prompt_tokens=7, completion_tokens=9, total_tokens=16),
        ),
        (
            # LiteLLM repeats the prompt's as 0
            [start(), stop(usage={"input_tokens": 0, "output_tokens": 9})],
            Usage(prompt_tokens=12, completion_tokens=9, total_tokens=21),
        ),
    ],
)  # fmt: skip
def test_the_last_count_holds_and_the_first_of_the_output_is_none(
    said: list[bytes], usage: Usage
) -> None:
    parts = said if len(said) > 1 else [*said, stop()]
    seen = [one.usage for one in events_of(*parts) if isinstance(one, UsageSeen)]
    assert seen[-1] == usage
    assert all(one.completion_tokens is None for one in seen[:-1])


@pytest.mark.parametrize(("reason", "word"), [*STOP_REASONS.items(), ("pause_turn", "pause_turn")])
def test_stop_reasons_are_told_in_the_words_of_chat_completions(reason: str, word: str) -> None:
    events = events_of(start(), text(0, "x"), stop(reason))
    assert Finished(1.0, word) in events


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("overloaded_error", "rate_limited"),
        ("rate_limit_error", "rate_limited"),
        ("authentication_error", "key_refused"),
    ],
)
def test_an_error_inside_the_stream_ends_it(error: str, code: str) -> None:
    told = {"type": "error", "error": {"type": error, "message": "Busy: sk-canary-012345"}}
    events = events_of(start(), text(0, "half"), named(told), text(1, "never"))
    failed, ended = events[-2:]
    assert isinstance(failed, Failed)
    assert ended == Ended(1.0, complete=False)
    assert failed.fault.code == code
    assert "sk-canary" not in repr(failed)
    assert Answer(1.0, "never") not in events


def test_a_stream_that_breaks_off_is_not_complete() -> None:
    cut = start() + text(0, "half")
    assert events_of(cut)[-1] == Ended(1.0, complete=False)
    assert events_of(cut + b'event: message_delta\ndata: {"type": "mess')[-1] == Ended(
        1.0, complete=False
    )


def test_what_is_no_message_is_called_so() -> None:
    for payload in (b"data: {}\n\n", b"data: nonsense\n\n", b'data: {"choices": []}\n\n'):
        failed = events_of(payload)[0]
        assert isinstance(failed, Failed)
        assert failed.fault.code == "bad_shape"


def test_kinds_that_came_later_are_passed_over() -> None:
    odd = named({"type": "message_hint", "hint": 1})
    odd += block(0, {"type": "server_tool_use", "id": "x"}, [{"type": "citations_delta"}])
    odd += block(1, {"type": "redacted_thinking", "data": "x"}, [])
    kinds = [type(one).__name__ for one in events_of(start(), odd, text(2, "ok"), stop())]
    assert kinds == ["Served", "UsageSeen", "Answer", "UsageSeen", "Finished", "Ended"]


def test_the_whole_input_at_once_is_not_doubled() -> None:
    opened = {"type": "tool_use", "id": "c", "name": "ls", "input": {"path": "."}}
    events = events_of(
        start(), block(0, opened, [{"type": "input_json_delta", "partial_json": "{}"}]), stop()
    )
    (piece,) = [one for one in events if isinstance(one, ToolPiece)]
    assert json.loads(piece.arguments) == {"path": "."}


def test_tags_inside_text_are_thinking_here_too() -> None:
    events = events_of(start(), text(0, "<thi", "nk>hm</think>", "yes"), stop())
    assert Reasoning(1.0, "hm", inline=True) in events
    assert Answer(1.0, "yes") in events
    events = events_of(start(), text(0, "hm", "</think>yes"), stop())
    assert [type(one) for one in events[2:5]] == [Answer, AnswerWasThinking, Answer]


# ------------------------------------------------------------------ requests


async def asked(server: ScriptedProvider, path: str = "/v1") -> Run:
    watching = watch(
        read_base_url(server.origin + path, exact=True),
        "m",
        READY_PROMPTS[0],
        key=Secret("sk-good"),
        bounds=Bounds(connect_s=5, first_byte_s=5, silence_s=5),
        api="anthropic-messages",
    )
    return await watching.over()


@pytest.mark.parametrize("path", ["/v1", ""])
async def test_a_gateway_is_asked_and_judged(path: str) -> None:
    reply = messages_reply(start(), thinking(0, "why"), text(1, "PO", "NG"), stop())
    async with ScriptedProvider({ROUTE: reply}) as server:
        run = await asked(server, path)
    assert (run.works, run.answer, run.reasoning) == (True, "PONG", "why")
    assert run.figures.prompt_tokens == 12
    assert run.figures.completion_tokens == 20
    (request,) = server.requests
    assert request.bearer == "sk-good"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.field("max_tokens") == 256
    assert request.field("stream_options") is None


async def test_a_gateway_that_refuses_the_key_says_so() -> None:
    async with ScriptedProvider({ROUTE: error_reply(401, "invalid x-api-key")}) as server:
        run = await asked(server)
    assert run.error is not None
    assert run.error.code == "key_refused"


def test_the_body_is_shaped_as_the_dialect_has_it() -> None:
    (prompt,) = [prompt for prompt in READY_PROMPTS if prompt.tools]
    request = ChatRequest(
        "m", prompt.text, prompt.system, 300, tools=prompt.tools, extra={"temperature": 0}
    )
    body = json.loads(messages_body(request))
    assert body["system"] == prompt.system
    assert body["max_tokens"] == 300
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": prompt.text}]}
    ]
    assert body["tools"][0]["input_schema"]["required"] == ["path"]
    assert body["temperature"] == 0
    assert body["stream"] is True
    assert json.loads(messages_body(ChatRequest("m")))["max_tokens"] > 0


def test_the_endpoint_is_below_v1_whether_or_not_the_base_names_it() -> None:
    for typed in ("http://gw.example/v1", "http://gw.example"):
        base = read_base_url(typed, exact=True)
        assert messages_url(base) == "http://gw.example/v1/messages"
