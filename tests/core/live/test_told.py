"""Every remark of a run, driven over a real connection; and none on a healthy stream."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from core.live.ping import Run, ping
from core.live.remarks import buffering_fix
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from core.wire.client import open_client
from tests.servers.messages import messages_reply, start, stop, text, thinking
from tests.servers.scripted import (
    Behaviour,
    Pause,
    ScriptedProvider,
    Send,
    chat_reply,
    event,
    head,
    in_turn,
    piece,
    raw,
    sse_reply,
    tool_reply,
    usage,
    usage_piece,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.wire.chat import Api
    from tests.servers.scripted import Route, Step

CHAT = ("POST", "/v1/chat/completions")
MESSAGES = ("POST", "/v1/messages")
WORDS = tuple(f"word{number} " for number in range(40))


async def run_of(
    route: Route,
    *,
    speed: float = 1.0,
    max_tokens: int | None = None,
    api: Api = "openai-completions",
) -> Run:
    """One run of «Hi»; ``speed``: how many seconds one second counts for."""
    within = Bounds(connect_s=5, first_byte_s=5, silence_s=5)
    async with ScriptedProvider({CHAT: route, MESSAGES: route}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, within, key=None) as client:
            return await ping(
                client, base, "m", prompt="Hi", bounds=within, max_tokens=max_tokens, api=api,
                clock=lambda: time.perf_counter() * speed,
            )  # fmt: skip


def codes(run: Run) -> set[str]:
    return {warning.code for warning in run.warnings}


def stream(*events: Step | bytes | Mapping[str, object], total: int | None) -> Behaviour:
    counted = None if total is None else usage(5, total)
    return sse_reply([*events, piece("m", {}, "stop")], usage=counted)


def said(words: str) -> dict[str, object]:
    return piece("m", {"content": words})


def together(words: tuple[str, ...], total: int) -> bytes:
    """A whole stream in one write, as a proxy that collected it sends it."""
    parts = [event(said(word)) for word in words]
    end = event(piece("m", {}, "stop")) + event(usage_piece("m", usage(5, total)))
    return b"".join(parts) + end + b"data: [DONE]\n\n"


SSE = {"content-type": "text/event-stream", "connection": "close"}
NGINX = {**SSE, "server": "nginx/1.27.0"}


@pytest.mark.parametrize(
    ("code", "route", "word"),
    [
        ("served_other_model", chat_reply("other", usage=usage(5, 3)), "other"),
        ("no_usage", chat_reply("m", WORDS), "include_usage"),
        (
            "thinking_used_budget",
            chat_reply("m", (), thinking=WORDS, finish="length", usage=usage(5, 41)),
            "output limit",
        ),
        ("empty_answer", chat_reply("m", (), thinking=WORDS, usage=usage(5, 43)), "template"),
        ("hidden_thinking", chat_reply("m", WORDS, usage=usage(5, 120, 80)), "80 tokens"),
        ("usage_disagrees", chat_reply("m", WORDS, usage=usage(5, 900)), "more than"),
        ("usage_disagrees", chat_reply("m", WORDS, usage=usage(5, 3)), "fewer"),
        (
            "thinking_in_answer",
            chat_reply("m", ("<think>", "hm, ", "so", "</think>", "yes"), usage=usage(5, 6)),
            "--reasoning-parser",
        ),
        (
            "thinking_in_answer",
            chat_reply("m", ("hm, ", "so", "</think>", "yes"), usage=usage(5, 5)),
            "--reasoning-format",
        ),
        (
            "tool_call_as_text",
            chat_reply("m", ('<tool_call>\n{"name": "read",', ' "arguments": {}}\n</tool_call>'),
                       usage=usage(5, 16)),
            "--tool-call-parser",
        ),
        (
            "served_model_unknown",
            sse_reply([{"choices": [{"index": 0, "delta": {"content": "yes"}}]},
                       {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}],
                      usage=None),
            "which model",
        ),
        ("buffered", raw(Send(head(200, NGINX)), Pause(0.3), Send(together(WORDS, 41))),
         "proxy_buffering off"),
    ],
)  # fmt: skip
async def test_each_remark_is_made_and_says_what_to_do(
    code: str, route: Behaviour, word: str
) -> None:
    run = await run_of(route, max_tokens=2048)
    assert code in codes(run)
    (told,) = [warning for warning in run.warnings if warning.code == code]
    assert word in f"{told.message} {told.fix}"
    assert told.fix


async def test_the_first_token_that_took_long_is_spoken_of() -> None:
    route = stream(Pause(0.2), *map(said, WORDS), total=41)
    run = await run_of(route, speed=100)
    assert codes(run) == {"slow_start"}
    assert "Ask again" in run.warnings[0].fix


async def test_a_stall_in_the_middle_is_spoken_of() -> None:
    half = [Pause(0.002), Pause(0.002)]
    first = [step for word in WORDS for step in (said(word), half[0])]
    route = stream(*first, Pause(0.4), *map(said, WORDS), total=81)
    run = await run_of(route, speed=30)
    assert codes(run) == {"stalled"}


async def test_a_limit_that_was_too_small_is_grown_and_spoken_of() -> None:
    cut = chat_reply("m", (), thinking=WORDS, finish="length", usage=usage(5, 256))
    good = chat_reply("m", WORDS, thinking=WORDS, usage=usage(5, 84))
    assert codes(await run_of(in_turn(cut, good))) == {"budget_grown"}


@pytest.mark.parametrize(
    "route",
    [
        chat_reply("m", WORDS, usage=usage(5, 41)),
        chat_reply("m", WORDS, thinking=WORDS, usage=usage(5, 84)),
        chat_reply("m", ("PONG",), usage=usage(5, 2)),
        tool_reply("m", "read", ('{"path"', ': "a"}')),
        stream(b": keep-alive\n\n", Pause(0.02), *map(said, WORDS), total=41),
        # a long prompt, and then a quick short answer
        stream(Pause(0.3), *(s for word in WORDS[:6] for s in (said(word), Pause(0.005))), total=7),
        # two tokens a chunk
        chat_reply("m", tuple(word * 2 for word in WORDS), usage=usage(5, 81)),
    ],
)
async def test_a_healthy_stream_is_left_in_peace(route: Behaviour) -> None:
    run = await run_of(route)
    assert run.warnings == ()
    assert run.works is True


async def test_a_healthy_stream_of_the_other_dialect_is_left_in_peace() -> None:
    counted = {"output_tokens": 84}
    route = messages_reply(start(), thinking(0, *WORDS), text(1, *WORDS), stop(usage=counted))
    run = await run_of(route, api="anthropic-messages")
    assert run.warnings == ()
    assert run.works is True


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"server": "nginx/1.27.0"}, "proxy_buffering off"),
        ({"via": "1.1 Caddy"}, "flush_interval -1"),
        ({"server": "cloudflare"}, "no-transform"),
        ({"server": "Apache/2.4.62"}, "flushpackets=on"),
        ({"server": "envoy"}, "buffer"),
        ({"server": "uvicorn", "content-length": "99"}, "Content-Length"),
        ({"content-encoding": "gzip", "server": "nginx"}, "compression"),
        ({}, "proxy_buffering off"),
    ],
)
def test_which_setting_lets_a_stream_through(headers: dict[str, str], word: str) -> None:
    assert word in buffering_fix(headers)
