"""One request and all that came of it: bounded, masked, never raised."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys.secret import MASK, Secret
from core.providers.base_url import read_base_url
from core.verify.courtesy import Courtesy, retry_after
from core.verify.exchange import (
    HEAD_CHARACTERS,
    TAIL_CHARACTERS,
    Answered,
    HttpLine,
    shortened,
)
from core.wire.bounds import Bounds
from core.wire.client import open_client
from tests.servers.scripted import (
    Gate,
    Hang,
    Recorded,
    Reset,
    Route,
    ScriptedProvider,
    Wait,
    chat_reply,
    error_reply,
    in_turn,
    json_reply,
    piece,
    raw,
    sse_reply,
    text_reply,
    tool_reply,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CHAT: Final = ("POST", "/v1/chat/completions")
KEY: Final = Secret("sk-live-0123456789abcdef")
BODY: Final = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
BOUNDS: Final = Bounds(connect_s=5, first_byte_s=5, silence_s=5)


async def ask(
    route: Route,
    body: Mapping[str, object] = BODY,
    *,
    courtesy: Courtesy | None = None,
    bounds: Bounds = BOUNDS,
    once: bool = False,
) -> Answered:
    async with ScriptedProvider({CHAT: route}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, bounds, key=KEY) as client:
            line = HttpLine(client, base, bounds, KEY, courtesy=courtesy)
            return await line.send(body, once=once)


async def test_the_body_goes_out_as_it_was_given() -> None:
    odd = {**BODY, "turnkey_unknown": [1, None], "store": False, "messages": []}
    got: list[object] = []

    def chat(request: Recorded) -> object:
        got.append(request.json())
        return chat_reply("m")

    await ask(chat, odd)  # type: ignore[arg-type]
    await ask(chat, {**odd, "stream": False})  # type: ignore[arg-type]
    assert got == [odd, {**odd, "stream": False}]


async def test_a_stream_is_told_apart_into_thinking_answer_and_counts() -> None:
    answered = await ask(
        chat_reply("m", thinking=("Let", " me"), field_name="reasoning", usage=usage(9, 4, 2))
    )
    assert answered.ok
    assert (answered.thinking, answered.answer) == ("Let me", "PONG")
    assert (answered.thinking_field, answered.finish_reason) == ("reasoning", "stop")
    assert (answered.tokens, answered.served_model, answered.complete) == (13, "m", True)
    assert answered.first_token_s is not None
    assert answered.sent == msgspec.json.encode(BODY).decode()
    assert "data: " in answered.came


async def test_tags_in_the_answer_are_thinking_between_tags() -> None:
    answered = await ask(chat_reply("m", ("<think>Hm.</think>PONG",)))
    assert (answered.thinking, answered.answer) == ("Hm.", "PONG")
    assert answered.thinking_field == "tags"


async def test_a_call_is_put_together() -> None:
    answered = await ask(tool_reply("m", "read", ('{"path":', '"a"}')))
    assert [(one.name, one.arguments) for one in answered.calls] == [("read", '{"path":"a"}')]
    assert answered.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("route", "status", "code", "refused"),
    [
        (error_reply(400, "Unknown parameter: store"), 400, "parameter_refused", True),
        (error_reply(422, "Extra inputs are not permitted"), 422, None, True),
        (error_reply(401, "no key"), 401, "key_refused", False),
        (error_reply(500, "oops"), 500, None, False),
        (text_reply(200, "<html>hello</html>", "text/html"), 200, "bad_shape", False),
        (json_reply(200, {"choices": []}), 200, "bad_shape", False),
        (sse_reply([{"error": {"message": "late", "code": 500}}]), 200, None, False),
        (raw(Hang()), None, "timeout", False),
    ],
)
async def test_failures_are_in_the_answer(
    route: Route, status: int | None, code: str | None, refused: bool
) -> None:
    bounds = Bounds(connect_s=5, first_byte_s=0.2, silence_s=0.2)
    answered = await ask(route, bounds=bounds, courtesy=Courtesy(patience_s=0))
    assert not answered.ok
    assert answered.status == status
    assert answered.fault is not None
    assert code in {None, answered.fault.code}
    assert answered.refused is refused


@pytest.mark.parametrize("stream", [True, False])
async def test_a_connection_that_was_closed_meanwhile_costs_one_more_try(stream: bool) -> None:
    """As llama.cpp's server does: it answers, and closes when the next request is under way."""
    whole = json_reply(200, {"choices": [{"message": {"content": "PONG"}}]})
    good = chat_reply("m") if stream else whole
    body = {**BODY, "stream": stream}
    async with ScriptedProvider({CHAT: in_turn(good, raw(Reset()), good)}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=None) as client:
            line = HttpLine(client, base, BOUNDS)
            assert [(await line.send(body)).answer for _ in range(2)] == ["PONG", "PONG"]
        assert len(server.requests) == 3


async def test_a_server_that_always_hangs_up_is_left_after_two_tries() -> None:
    async with ScriptedProvider({CHAT: raw(Reset())}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=None) as client:
            answered = await HttpLine(client, base, BOUNDS).send(BODY)
        assert (answered.status, len(server.requests)) == (None, 2)


async def test_a_refusals_own_words_are_kept() -> None:
    answered = await ask(error_reply(400, "Unknown parameter: store"))
    assert "Unknown parameter: store" in answered.came


@pytest.mark.parametrize("stream", [True, False])
async def test_a_key_is_nowhere_in_what_is_kept(stream: bool) -> None:
    key = KEY.reveal()
    halves = (key[:9], key[9:], " PONG")
    routes: list[Route] = [
        error_reply(400, f"bad key {key}"),
        chat_reply(f"m-{key}", halves, thinking=halves),
        tool_reply("m", "read", halves),
        json_reply(200, {"model": key, "choices": [{"message": {"content": key}}]}),
        json_reply(400, {"error": {"message": "x"}}, {"x-echo": key}),
        chat_reply("m", (key[:12],)),
    ]
    for route in routes:
        answered = await ask(route, {**BODY, "stream": stream, "note": key})
        whole = msgspec.json.encode(answered).decode()
        assert key not in whole
        assert key[:12] not in whole
        assert key[9:] not in whole
        assert MASK in answered.sent


async def test_what_is_kept_is_short_and_says_so() -> None:
    answered = await ask(chat_reply("m", ("la " * 20_000,)), {**BODY, "note": "x" * 20_000})
    for text in (answered.sent, answered.came):
        assert len(text) < HEAD_CHARACTERS + TAIL_CHARACTERS + 100
        assert "characters left out" in text
    assert len(answered.answer) == 60_000


@given(st.text(max_size=50), st.integers(0, 400))
def test_shortening_keeps_both_ends(text: str, times: int) -> None:
    whole = text * times
    short = shortened(whole)
    assert short == whole or (whole.startswith(short[:HEAD_CHARACTERS]) and "left out" in short)


async def test_control_characters_are_made_visible() -> None:
    answered = await ask(error_reply(400, "red \x1b[31m"))
    assert "\x1b" not in answered.came


# ---------------------------------------------------------------------------- courtesy


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def courtesy(self, limit: int = 4, patience_s: float = 60) -> Courtesy:
        return Courtesy(limit, patience_s=patience_s, clock=self, sleep=self.sleep)


BUSY: Final = error_reply(429, "slow down")


def busy(headers: dict[str, str], status: int = 429) -> Route:
    return json_reply(status, {"error": {"message": "slow down"}}, headers)


async def test_a_server_that_asks_to_wait_is_waited_for_and_told() -> None:
    clock = Clock()
    courtesy = clock.courtesy()
    answered = await ask(in_turn(busy({"retry-after": "7"}), chat_reply("m")), courtesy=courtesy)
    assert answered.ok
    assert (answered.tries, clock.slept) == (2, [7.0])
    assert [(one.seconds, "429" in one.why) for one in courtesy.held] == [(7.0, True)]


async def test_without_a_word_how_long_the_waits_grow_and_end() -> None:
    clock = Clock()
    answered = await ask(busy({}, 503), courtesy=clock.courtesy())
    assert (answered.status, answered.tries, clock.slept) == (503, 4, [2.0, 4.0, 8.0])


async def test_more_than_the_patience_is_not_waited_for() -> None:
    clock = Clock()
    answered = await ask(busy({"retry-after": "61"}), courtesy=clock.courtesy())
    assert (answered.status, answered.tries, clock.slept) == (429, 1, [])
    assert answered.retry_after_s == 61


async def test_once_neither_waits_nor_repeats() -> None:
    clock = Clock()
    answered = await ask(busy({"retry-after": "7"}), courtesy=clock.courtesy(), once=True)
    assert (answered.status, answered.tries, clock.slept) == (429, 1, [])


async def test_no_more_requests_are_under_way_than_the_limit() -> None:
    gate, most, now = Gate(), 0, 0

    def chat(_: Recorded) -> object:
        nonlocal most, now
        now += 1
        most = max(most, now)
        return chat_reply("m", before=(Wait(gate),))

    async with ScriptedProvider({CHAT: chat}) as server:  # type: ignore[dict-item]
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=None) as client:
            line = HttpLine(client, base, BOUNDS, courtesy=Courtesy(2))
            tasks = [asyncio.create_task(line.send(BODY)) for _ in range(4)]
            await server.until(lambda one: len(one.requests) == 2)
            await asyncio.sleep(0)
            assert most == 2
            gate.open()
            answers = await asyncio.gather(*tasks)
    assert all(one.ok for one in answers)


async def test_stopping_closes_the_connection() -> None:
    async with ScriptedProvider({CHAT: sse_reply([piece("m", {}), Hang()])}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=None) as client:
            task = asyncio.create_task(HttpLine(client, base, BOUNDS).send(BODY))
            await server.until(lambda one: len(one.requests) == 1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
            await server.until(lambda one: one.hang_ups == 1)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("-5", 2.0), ("soon", 2.0), ("0", 0.25), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.25), ("7", 7.0)],
)
async def test_whatever_it_asks_for_it_is_given_some_time(asked: str, waited: float) -> None:
    clock = Clock()
    route = in_turn(busy({"retry-after": asked}), chat_reply("m"))
    answered = await ask(route, courtesy=clock.courtesy())
    assert (answered.ok, answered.tries, clock.slept) == (True, 2, [waited])


@pytest.mark.parametrize(
    "asked", ["-5", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "9" * 400, "soon"]
)
async def test_what_is_no_wait_or_an_age_is_neither_waited_for_nor_repeated(asked: str) -> None:
    clock = Clock()
    answered = await ask(busy({"retry-after": asked}), courtesy=clock.courtesy())
    assert sum(clock.slept) <= 14
    assert answered.fault is not None
    assert len(answered.fault.what) < 160


NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Sat, 21 Nov 2026 08:00:20 GMT"}, 20.0),
        ({"retry-after": "Sat, 21 Nov 2026 07:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"llm_provider-retry-after": "9"}, 9.0),
        ({"retry-after": "soon", "llm_provider-retry-after": "9"}, 9.0),
        ({"retry-after": "-4"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1_0"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "\u0663"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_how_long_a_reply_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text(max_size=40))
def test_any_retry_after_is_seconds_or_nothing(text: str) -> None:
    seconds = retry_after({"retry-after": text}, NOW)
    assert seconds is None or 0 <= seconds < float("inf")
