from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import httpx
import pytest

from core.keys.secret import Secret
from core.live.events import (
    Adapted,
    Answer,
    Ended,
    Event,
    Failed,
    Headers,
    KeepAlive,
    Started,
)
from core.live.run import stream
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from core.wire.chat import ChatRequest
from core.wire.client import open_client
from tests.core.live.replay import events_of, recorded
from tests.servers.scripted import (
    Behaviour,
    Close,
    Drip,
    Flood,
    Gate,
    Hang,
    Reset,
    Route,
    ScriptedProvider,
    Send,
    Wait,
    chat_reply,
    error_reply,
    event,
    head,
    in_turn,
    json_reply,
    piece,
    raw,
    reply,
    sse_reply,
    text_reply,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHAT = ("POST", "/v1/chat/completions")
REQUEST = ChatRequest("m", "hello", max_tokens=64)


async def collect(
    route: Route,
    bounds: Bounds | None = None,
    *,
    key: Secret | None = None,
    request: ChatRequest = REQUEST,
    on_connect: Behaviour | None = None,
) -> tuple[list[Event], ScriptedProvider]:
    """All events of one request to a server with this route."""
    within = bounds or Bounds(connect_s=5, first_byte_s=5, silence_s=5)
    async with ScriptedProvider({CHAT: route}, on_connect=on_connect) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, within, key=key) as client:
            events = [one async for one in stream(client, base, request, within, key=key)]
        return events, server


def _failed(events: list[Event]) -> Failed:
    (failed,) = [one for one in events if isinstance(one, Failed)]
    assert isinstance(events[-1], Ended)
    assert not events[-1].complete
    assert sum(isinstance(one, Ended) for one in events) == 1
    return failed


def _answer(events: list[Event]) -> str:
    return "".join(one.text for one in events if isinstance(one, Answer))


async def test_a_good_stream_from_start_to_end() -> None:
    events, server = await collect(
        chat_reply("m", thinking=("why",), usage=usage(3, 5)), key=Secret("sk-good")
    )
    assert [type(one).__name__ for one in events] == [
        "Started",
        "Headers",
        "Served",
        "Reasoning",
        "Answer",
        "Answer",
        "Finished",
        "UsageSeen",
        "Ended",
    ]
    times = [one.at for one in events]
    assert times == sorted(times)
    started = events[0]
    assert isinstance(started, Started)
    assert started.connect_s is not None
    assert 0 < started.connect_s < 1
    (request,) = server.requests
    assert request.bearer == "sk-good"
    assert request.headers["content-type"] == "application/json"
    assert request.field("stream") is True
    assert request.field("max_tokens") == 64


async def test_a_kept_connection_is_used_again_and_says_so() -> None:
    bounds = Bounds()
    async with ScriptedProvider({CHAT: chat_reply("m")}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, bounds, key=None) as client:
            for number in range(3):
                events = [one async for one in stream(client, base, REQUEST, bounds)]
                started = events[0]
                assert isinstance(started, Started)
                assert (started.connect_s is None) == (number > 0)
        assert server.connections == 1


@pytest.mark.parametrize("name", ["litellm/chat-stream-usage", "vllm/tool-call-stream"])
async def test_recorded_streams_dripped_byte_by_byte_give_the_same_events(name: str) -> None:
    _, body = recorded(name)
    behaviour = raw(
        Send(head(200, {"content-type": "text/event-stream", "connection": "close"})),
        Drip(body),
        Close(),
    )
    events, _ = await collect(behaviour)
    expected = events_of(body)
    assert [_timeless(one) for one in events[2:]] == [_timeless(one) for one in expected]


def _timeless(one: Event) -> tuple[str, ...]:
    fields = (f for f in type(one).__struct_fields__ if f != "at")
    return (type(one).__name__, *(str(getattr(one, field)) for field in fields))


async def test_times_are_those_of_the_clock_that_is_given() -> None:
    seen: list[tuple[bytes, float]] = []
    bounds = Bounds()
    async with ScriptedProvider({CHAT: chat_reply("m")}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, bounds, key=None) as client:
            events = [
                one
                async for one in stream(
                    client,
                    base,
                    REQUEST,
                    bounds,
                    clock=lambda: 7.0,
                    arrived=lambda: 8.0,
                    tap=lambda data, at: seen.append((data, at)),
                )
            ]
    assert {one.at for one in events if isinstance(one, Answer)} == {8.0}
    assert {one.at for one in events if isinstance(one, Started | Headers)} == {7.0}
    assert b"[DONE]" in b"".join(data for data, _ in seen)


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("words", "field", "instead"),
    [
        ("Unrecognized request argument supplied: stream_options", "stream_options", None),
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            "max_tokens",
            "max_completion_tokens",
        ),
    ],
)
async def test_a_refused_field_is_left_out_once(
    words: str, field: str, instead: str | None
) -> None:
    events, server = await collect(in_turn(error_reply(400, words), chat_reply("m")))
    first, second = server.requests
    assert first.field(field) is not None
    assert second.field(field) is None
    assert instead is None or second.field(instead) == 64
    assert [one.fault.code for one in events if isinstance(one, Adapted)]
    assert sum(isinstance(one, Started) for one in events) == 2
    assert _answer(events) == "PONG"
    assert events[-1] == Ended(events[-1].at, complete=True)


async def test_a_server_that_refuses_all_is_asked_only_so_often() -> None:
    words = "Unsupported: stream_options, max_tokens and max_completion_tokens"
    events, server = await collect(error_reply(400, words))
    assert len(server.requests) <= 3
    assert _failed(events).status == 400


@pytest.mark.parametrize(
    ("route", "code"),
    [
        (error_reply(401, "Authentication Error", "auth_error"), "key_refused"),
        (error_reply(400, "Invalid model name passed in model=m"), "model_unknown"),
        (json_reply(200, {"error": {"message": "it broke", "code": "500"}}), "server_error"),
        (json_reply(200, {"choices": [{"message": {"content": "PONG"}}]}), "bad_shape"),
        (text_reply(200, "<html><title>Login</title></html>", "text/html"), "bad_shape"),
        (reply(200, b'{"error":"it broke"}', "text/event-stream"), "server_error"),
        (reply(200, b"", "text/event-stream"), "empty_answer"),
        (sse_reply([], done=False), "empty_answer"),
        (sse_reply([b": hello\n\n"]), "empty_answer"),
    ],
)
async def test_what_is_no_stream_is_a_fault_with_words(route: Behaviour, code: str) -> None:
    events, _ = await collect(route, key=Secret("sk-some-key"))
    if code == "empty_answer" and not any(isinstance(one, Failed) for one in events):
        assert events[-1] == Ended(events[-1].at, complete=False)
        return
    fault = _failed(events).fault
    assert fault.code == code
    assert fault.what


async def test_a_stream_without_a_telling_type_is_read_all_the_same() -> None:
    body = event(piece("m", {"content": "PONG"})) + event(piece("m", {}, "stop"))
    events, _ = await collect(reply(200, b"\n" + body, "text/plain"))
    assert _answer(events) == "PONG"
    assert events[-1] == Ended(events[-1].at, complete=True)


async def test_a_compressed_stream_is_read() -> None:
    body = gzip.compress(event(piece("m", {"content": "PONG"})) + event(piece("m", {}, "stop")))
    headers = {"content-encoding": "gzip", "content-length": str(len(body))}
    events, _ = await collect(
        raw(Send(head(200, {"content-type": "text/event-stream", **headers}) + body))
    )
    assert _answer(events) == "PONG"


async def test_the_key_is_masked_where_a_server_echoes_it() -> None:
    events, _ = await collect(
        text_reply(200, "you sent sk-echo-123456", "application/json"), key=Secret("sk-echo-123456")
    )
    fault = _failed(events).fault
    assert "echo-123456" not in fault.what + fault.why


# ------------------------------------------------------------------ broken streams


async def test_a_stream_without_finish_reason_is_incomplete() -> None:
    events, _ = await collect(chat_reply("m", finish=None))
    assert _answer(events) == "PONG"
    assert events[-1] == Ended(events[-1].at, complete=False)
    assert not any(isinstance(one, Failed) for one in events)


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_a_connection_that_breaks_is_told(end: Close | Reset) -> None:
    gate = Gate()
    bounds = Bounds()
    half = piece("m", {"content": "half\n<thi"})
    behaviour = sse_reply([half, Wait(gate), end], done=False, end=False)
    async with ScriptedProvider({CHAT: behaviour}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, bounds, key=None) as client:
            events: list[Event] = []
            async for one in stream(client, base, REQUEST, bounds):
                events.append(one)
                if isinstance(one, Answer):
                    gate.open()
    assert _failed(events).fault.code == "stream_broken"
    assert _answer(events) == "half\n<thi"


async def test_a_connection_that_breaks_after_the_finish_reason_is_whole() -> None:
    behaviour = sse_reply([piece("m", {"content": "PONG"}, "stop"), Close()], done=False, end=False)
    events, _ = await collect(behaviour)
    assert events[-1] == Ended(events[-1].at, complete=True)


async def test_an_answer_on_a_connection_that_is_held_open_is_whole() -> None:
    behaviour = sse_reply(
        [piece("m", {"content": "PONG"}), piece("m", {}, "stop"), Hang()], done=False, end=False
    )
    bounds = Bounds(connect_s=2.0, first_byte_s=9.0, silence_s=1.0)
    events, _ = await collect(behaviour, bounds)
    assert not any(isinstance(event, Failed) for event in events)
    assert isinstance(events[-1], Ended)
    assert events[-1].complete


async def test_an_error_inside_the_stream_ends_it() -> None:
    behaviour = sse_reply(
        [piece("m", {"content": "half"}), {"error": {"message": "out of memory", "code": 500}}]
    )
    events, _ = await collect(behaviour)
    assert "out of memory" in _failed(events).fault.why


async def test_nothing_listens() -> None:
    async with ScriptedProvider({}) as server:
        base = read_base_url(server.base_url)
    bounds = Bounds()
    async with open_client(base, bounds, key=None) as client:
        events = [one async for one in stream(client, base, REQUEST, bounds)]
    assert _failed(events).fault.code == "connection_refused"
    assert not any(isinstance(one, Started) for one in events)


# ------------------------------------------------------------------ bounds

_SHORT = Bounds(connect_s=2, first_byte_s=0.2, silence_s=0.1)


@pytest.mark.parametrize(
    "route",
    [
        raw(Hang()),
        sse_reply([Hang()], done=False, end=False),
        sse_reply([piece("m", {"role": "assistant"}), Hang()], done=False, end=False),
        sse_reply([Flood(b"e\r\n: keep-alive\n\n\r\n")], done=False, end=False),
        json_reply(200, {}, {"content-length": "100"}),
    ],
    ids=["no head", "no event", "role only", "keep-alives only", "half a body"],
)
async def test_a_server_that_sends_no_token_is_given_up(route: Behaviour) -> None:
    events, _ = await collect(route, _SHORT)
    assert _failed(events).fault.code == "timeout"


async def test_silence_after_the_first_token_is_given_up() -> None:
    behaviour = sse_reply([piece("m", {"content": "half"}), Hang()], done=False, end=False)
    events, _ = await collect(behaviour, Bounds(first_byte_s=30, silence_s=0.1))
    assert "silent" in _failed(events).fault.what
    assert _answer(events) == "half"


async def test_the_whole_request_is_bounded_when_that_is_asked_for() -> None:
    one = event(piece("m", {"content": "on and "}))
    chunk = b"%x\r\n%b\r\n" % (len(one), one)
    behaviour = sse_reply([Flood(chunk)], done=False, end=False)
    events, _ = await collect(behaviour, Bounds(total_s=0.2))
    assert "was not done" in _failed(events).fault.what


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (raw(Hang()), "took the request and sent nothing"),
        (sse_reply([Hang()], done=False, end=False), "was not done"),
        (sse_reply([Flood(b"e\r\n: keep-alive\n\n\r\n")], done=False, end=False), "not done"),
    ],
    ids=["no head", "head only", "keep-alives"],
)
async def test_a_limit_that_a_person_set_says_what_was_waited_for(
    route: Behaviour, words: str
) -> None:
    events, _ = await collect(route, Bounds(total_s=0.2))
    fault = _failed(events).fault
    assert words in fault.what
    assert "--timeout" in fault.fix


async def test_a_silent_tls_port_is_said_to_be_silent_in_the_handshake() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = read_base_url(f"https://127.0.0.1:{listener.getsockname()[1]}/v1")
        bounds = Bounds(total_s=0.2)
        async with open_client(base, bounds, key=None) as client:
            events = [one async for one in stream(client, base, REQUEST, bounds)]
    assert "TLS handshake" in _failed(events).fault.what


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"data: " + b"x" * 5000, "too_large"), (event(piece("m", {"content": "x" * 500})) * 20, "")],
)
async def test_what_is_too_large_is_not_read_on(data: bytes, code: str) -> None:
    bounds = Bounds(line_bytes=4096, body_bytes=100)
    events, _ = await collect(sse_reply([data]), bounds)
    fault = _failed(events).fault
    assert fault.code == (code or "too_large")


async def test_a_socket_that_never_answers_a_handshake_is_bounded() -> None:
    events, _ = await collect(chat_reply("m"), _SHORT, on_connect=raw(Hang()))
    assert _failed(events).fault.code == "timeout"


# ------------------------------------------------------------------ leaving


async def test_cancelling_closes_the_connection() -> None:
    behaviour = sse_reply([piece("m", {"content": "half"}), Hang()], done=False, end=False)
    bounds = Bounds()
    async with ScriptedProvider({CHAT: behaviour}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, bounds, key=None) as client:
            came = asyncio.Event()

            async def read() -> None:
                async for one in stream(client, base, REQUEST, bounds):
                    if isinstance(one, Answer):
                        came.set()

            task = asyncio.create_task(read())
            await came.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(5):
                await server.until(lambda one: one.hang_ups == 1)


async def test_closing_the_iterator_closes_the_connection() -> None:
    behaviour = sse_reply([piece("m", {"content": "half"}), Hang()], done=False, end=False)
    bounds = Bounds()
    async with ScriptedProvider({CHAT: behaviour}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, bounds, key=None) as client:
            events = stream(client, base, REQUEST, bounds)
            async for one in events:
                if isinstance(one, Answer):
                    break
            await events.aclose()
            async with asyncio.timeout(5):
                await server.until(lambda one: one.hang_ups == 1)


async def test_a_slow_reader_loses_nothing() -> None:
    count = 30_000
    chunk = event(piece("m", {"content": "x"}))
    lines = [chunk * 1000] * (count // 1000)
    behaviour = sse_reply([*lines, piece("m", {}, "stop")], usage=usage(1, count))
    bounds = Bounds()
    async with ScriptedProvider({CHAT: behaviour}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, bounds, key=None) as client:
            answers = 0
            last: Event | None = None
            async for one in stream(client, base, REQUEST, bounds):
                if isinstance(one, Answer):
                    answers += 1
                    if answers % 1000 == 0:
                        await asyncio.sleep(0)
                last = one
    assert answers == count
    assert isinstance(last, Ended)
    assert last.complete


async def test_keep_alives_are_seen() -> None:
    behaviour = sse_reply([b": one\n\n", piece("m", {"content": "PONG"}, "stop")])
    events, _ = await collect(behaviour)
    assert sum(isinstance(one, KeepAlive) for one in events) == 1


async def test_events_are_taken_though_more_bytes_are_always_there() -> None:
    """A source that never waits for anything, as a socket is that was read too late."""
    made = 0
    taken = False

    async def flood() -> AsyncIterator[bytes]:
        nonlocal made
        while not taken and made < 40_000:
            made += 1
            yield event(piece("m", {"content": "word "}))
        yield event(piece("m", {}, "stop"))

    def answer(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=flood())

    base = read_base_url("http://127.0.0.1:4000/v1")
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        async for one in stream(client, base, REQUEST, Bounds()):
            taken = taken or isinstance(one, Answer)
    assert taken
    assert made < 10_000
