"""A request in a thread of its own: what whoever polls it sees."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

from core.keys.secret import MASK, Secret
from core.live.prompts import PONG_PROMPT, READY_PROMPTS, ReadyPrompt
from core.live.record import Recorder
from core.live.watcher import PENDING, _Watch, watch
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from tests.servers.scripted import (
    Gate,
    Hang,
    Pause,
    ScriptedProvider,
    Wait,
    chat_reply,
    error_reply,
    event,
    in_turn,
    piece,
    raw,
    sse_reply,
    tool_reply,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.live.watching import Progress, Watching
    from tests.servers.scripted import Route, Step

CHAT = ("POST", "/v1/chat/completions")
QUICK = Bounds(connect_s=5, first_byte_s=5, silence_s=5)
KEY = "sk-canary-0123456789"
PONG = READY_PROMPTS[0]


async def until(
    watching: Watching, holds: Callable[[Progress], bool], seconds: float = 10.0
) -> list[Progress]:
    """Every take up to the first that holds."""
    takes: list[Progress] = []
    end = time.monotonic() + seconds
    while not takes or not holds(takes[-1]):
        assert time.monotonic() < end, takes[-1:]
        await asyncio.sleep(0.005)
        takes.append(watching.take())
    return takes


async def run_out(
    route: Route,
    prompt: ReadyPrompt = PONG,
    *,
    key: Secret | None = None,
    max_tokens: int | None = None,
) -> tuple[list[Progress], Watching, ScriptedProvider]:
    """All takes of one request that nobody stops."""
    async with ScriptedProvider({CHAT: route}) as server:
        base = read_base_url(server.base_url)
        watching = watch(base, "m", prompt, key=key, max_tokens=max_tokens, bounds=QUICK)
        takes = await until(watching, lambda now: now.run is not None)
    return takes, watching, server


def joined(takes: list[Progress], what: str) -> str:
    """The text as a pane has it: what came since it last began anew."""
    text = ""
    for take in takes:
        text = ("" if take.restarted else text) + getattr(take, what)
    return text


async def test_what_is_taken_piece_by_piece_is_the_whole() -> None:
    reply = chat_reply("m", ("PO", "NG"), thinking=("why", " not"), usage=usage(3, 6))
    takes, watching, _ = await run_out(reply)
    last = takes[-1]
    assert joined(takes, "thinking") == "why not"
    assert joined(takes, "answer") == "PONG"
    assert (last.state, last.events, last.chunks) == ("done", 4, 8)
    assert last.run is not None
    assert last.run.works is True
    assert last.figures == last.run.figures
    assert last.figures.stamps is not None
    assert (last.rate, last.skipped) == (None, 0)
    again = watching.take()
    assert (again.thinking, again.answer, again.run) == ("", "", last.run)
    assert await watching.over() == last.run


async def test_states_follow_the_stream() -> None:
    gates = [Gate() for _ in range(4)]
    progress = {"prompt_progress": {"processed": 512, "total": 2048, "cache": 0}}
    call = {"index": 0, "id": "c", "function": {"name": "read", "arguments": "{}"}}
    events: list[Step | bytes | Mapping[str, object]] = [
        Wait(gates[0]),
        piece("m", {}) | progress,
        Wait(gates[1]),
        piece("m", {"reasoning_content": "hm"}),
        Wait(gates[2]),
        piece("m", {"content": "PONG"}),
        Wait(gates[3]),
        piece("m", {"tool_calls": [call]}),
        piece("m", {}, "tool_calls"),
    ]
    async with ScriptedProvider({CHAT: sse_reply(events)}) as server:
        watching = watch(read_base_url(server.base_url), "m", PONG, bounds=QUICK)
        await until(watching, lambda now: now.state == "waiting")
        gates[0].open()
        takes = await until(watching, lambda now: now.state == "prefill")
        assert takes[-1].prefill == 0.25
        assert takes[-1].figures.first_token_s is None
        gates[1].open()
        await until(watching, lambda now: now.state == "thinking")
        gates[2].open()
        takes = await until(watching, lambda now: now.state == "answering")
        assert takes[-1].state_s < 5
        gates[3].open()
        takes = await until(watching, lambda now: now.run is not None)
    assert [(call.name, call.arguments) for call in takes[-1].calls] == [("read", "{}")]
    assert takes[-1].state == "done"


async def test_a_stopped_request_closes_its_connection_and_keeps_what_came() -> None:
    hang = sse_reply([piece("m", {"content": "PO"}), Hang()], done=False, end=False)
    async with ScriptedProvider({CHAT: hang}) as server:
        watching = watch(read_base_url(server.base_url), "m", PONG, bounds=QUICK)
        other = watch(read_base_url(server.base_url), "m", PONG, bounds=QUICK)
        takes = await until(watching, lambda now: now.events == 1)
        await until(other, lambda now: now.events == 1)
        watching.stop()
        watching.stop()
        takes += await until(watching, lambda now: now.run is not None)
        assert takes[-1].state == "stopped"
        assert joined(takes, "answer") == "PO"
        run = await watching.over()
        assert (run.answer, run.works, run.error) == ("PO", None, None)
        watching.stop()
        # the race beside it goes on
        assert other.take().state == "answering"
        other.stop()
        assert (await other.over()).answer == "PO"


async def test_what_was_waited_before_a_stop_is_in_the_total() -> None:
    async with ScriptedProvider({CHAT: raw(Hang())}) as server:
        watching = watch(read_base_url(server.base_url), "m", PONG, bounds=QUICK)
        takes = await until(watching, lambda now: (now.figures.total_s or 0) > 0.1)
        watching.stop()
        run = await watching.over()
    assert run.figures.total_s is not None
    assert run.figures.total_s >= (takes[-1].figures.total_s or 0)


async def test_one_can_stop_before_it_has_begun() -> None:
    async with ScriptedProvider({CHAT: raw(Hang())}) as server:
        watching = watch(read_base_url(server.base_url), "m", PONG, bounds=QUICK)
        watching.stop()
        run = await watching.over()
    assert run.works is None
    assert watching.take().state == "stopped"


async def test_a_budget_that_grew_begins_the_pane_anew() -> None:
    cut = chat_reply("m", (), thinking=("long", " thought"), finish="length", usage=usage(3, 256))
    good = chat_reply("m", ("PONG",), thinking=("short",), usage=usage(3, 5))
    takes, watching, server = await run_out(in_turn(cut, good))
    assert sum(take.restarted for take in takes) == 1
    assert joined(takes, "thinking") == "short"
    assert joined(takes, "answer") == "PONG"
    assert takes[-1].run is not None
    assert takes[-1].run.has("budget_grown")
    assert "budget_grown" in {said.code for said in takes[-1].said}
    assert [request.field("max_tokens") for request in server.requests] == [256, 2048]
    assert '"max_tokens": 2048' in watching.exchange().body


async def test_a_given_limit_never_grows() -> None:
    cut = chat_reply("m", (), thinking=("long",), finish="length", usage=usage(3, 8))
    takes, _, server = await run_out(cut, max_tokens=8)
    assert [request.field("max_tokens") for request in server.requests] == [8]
    assert takes[-1].run is not None
    assert takes[-1].run.works is None


async def test_answer_that_was_thinking_moves() -> None:
    reply = chat_reply("m", ("secret ", "plan</think>", "PONG"), usage=usage(3, 5))
    takes, _, _ = await run_out(reply)
    thinking = answer = ""
    for take in takes:
        if take.moved:
            thinking, answer = thinking + answer, ""
        thinking, answer = thinking + take.thinking, answer + take.answer
    assert (thinking, answer) == ("secret plan", "PONG")


async def test_a_prompt_brings_its_system_text_and_its_tools() -> None:
    (prompt,) = [prompt for prompt in READY_PROMPTS if prompt.tools]
    takes, _, server = await run_out(tool_reply("m", "read_file", ('{"path"', ':"a"}')), prompt)
    (request,) = server.requests
    messages = request.field("messages")
    assert isinstance(messages, list)
    assert [message["role"] for message in messages] == ["system", "user"]
    assert "read_file" in str(request.field("tools"))
    assert [call.arguments for call in takes[-1].calls] == ['{"path":"a"}']
    assert takes[-1].run is not None
    assert takes[-1].run.works is True


async def test_what_cannot_be_reached_has_failed_and_says_why() -> None:
    async with ScriptedProvider({}) as server:
        port = server.port
    watching = watch(read_base_url(f"http://127.0.0.1:{port}"), "m", PONG, bounds=QUICK)
    run = await watching.over()
    assert watching.take().state == "failed"
    assert run.error is not None
    assert run.error.code == "connection_refused"


async def test_a_key_that_cannot_be_sent_has_failed_too() -> None:
    base = read_base_url("http://127.0.0.1:9")
    watching = watch(base, "m", PONG, key=Secret("sk-\n"), bounds=QUICK)
    run = await watching.over()
    assert run.error is not None
    assert run.error.code == "key_refused"
    assert watching.take().state == "failed"


# ------------------------------------------------------------------ the inspector


async def test_the_exchange_holds_what_was_sent_and_what_came_with_times() -> None:
    reply = chat_reply("m", ("PONG",), usage=usage(3, 5))
    _, watching, _ = await run_out(reply, key=Secret(KEY))
    exchange = watching.exchange()
    assert exchange.url.endswith("/v1/chat/completions")
    headers = {name.lower(): value for name, value in exchange.request_headers}
    assert headers["authorization"] == MASK
    assert headers["content-type"] == "application/json"
    assert PONG_PROMPT in exchange.body
    assert exchange.status == 200
    assert "text/event-stream" in dict(exchange.reply_headers)["content-type"]
    texts = [record.text for record in exchange.records]
    assert '"content":"PONG"' in texts[1]
    assert texts[-1] == "data: [DONE]"
    times = [record.at_s for record in exchange.records]
    assert times == sorted(times)
    assert times[0] > 0
    assert exchange.dropped == 0
    assert KEY not in repr(exchange)


@pytest.mark.parametrize("size", [1, 3, 50])
async def test_a_key_that_is_streamed_back_is_shown_nowhere(size: int) -> None:
    parts = tuple(KEY[at : at + size] for at in range(0, len(KEY), size))
    takes, watching, _ = await run_out(chat_reply("m", parts), key=Secret(KEY))
    shown = joined(takes, "answer") + repr(watching.exchange()) + repr(takes[-1].run)
    assert KEY not in shown
    texts = [record.text for record in watching.exchange().records]
    assert KEY not in "".join(text.split('"content":"')[-1].split('"')[0] for text in texts)


async def test_a_secret_header_that_is_streamed_back_is_shown_nowhere() -> None:
    headers = {"X-Side": Secret(f"Bearer {KEY}", KEY)}
    async with ScriptedProvider({CHAT: chat_reply("m", (KEY[:5], KEY[5:], " PONG"))}) as server:
        watching = watch(read_base_url(server.base_url), "m", PONG, headers=headers, bounds=QUICK)
        takes = await until(watching, lambda now: now.run is not None)
    assert "PONG" in joined(takes, "answer")
    assert KEY not in joined(takes, "answer") + repr(watching.exchange()) + repr(takes[-1].run)


async def test_a_long_stream_keeps_its_beginning_and_its_end_and_counts_the_rest() -> None:
    count = 6000
    body = b"".join(event(piece("m", {"content": f"w{number} "})) for number in range(count))
    body += event(piece("m", {}, "stop"))
    takes, watching, _ = await run_out(sse_reply([body]), ReadyPrompt("own", "hi", ""))
    exchange = watching.exchange()
    assert takes[-1].events == count
    assert exchange.dropped > 0
    assert len(exchange.records) + exchange.dropped == count + 2
    assert '"w0 "' in exchange.records[0].text
    assert '"w0 "' not in exchange.records[exchange.kept_first].text
    assert '"finish_reason":"stop"' in exchange.records[-2].text
    assert joined(takes, "answer").endswith(f"w{count - 1} ")


async def test_a_refusal_is_in_the_exchange() -> None:
    takes, watching, _ = await run_out(error_reply(401, "Invalid key"))
    assert takes[-1].state == "failed"
    assert watching.exchange().status == 401


async def test_text_that_nobody_takes_is_bounded_and_what_is_gone_is_counted() -> None:
    word = "x" * 4000
    count = PENDING // len(word) + 100
    body = b"".join(event(piece("m", {"content": word})) for _ in range(count))
    body += event(piece("m", {}, "stop"))
    async with ScriptedProvider({CHAT: sse_reply([body])}) as server:
        watching = watch(
            read_base_url(server.base_url), "m", ReadyPrompt("own", "hi", ""), bounds=QUICK
        )
        await watching.over()
    take = watching.take()
    assert take.events == count
    assert len(take.answer) <= PENDING
    assert len(take.answer) + take.skipped == count * len(word)


@pytest.mark.parametrize(
    ("before", "code", "words"),
    [
        ((), "slow", "accepted the request"),
        ((Pause(0.1), b": keep-alive\n\n") * 8, "slow", "signs of life"),
        (tuple(piece("m", {"content": f"w{number} "}) for number in range(30)), "stuck", "no sign"),
        (
            (piece("m", {}) | {"prompt_progress": {"processed": 40, "total": 100, "cache": 0}},),
            "stuck",
            "has read 40%",
        ),
    ],
    ids=["no token", "keep-alives", "silence in the answer", "prefill that stands"],
)
async def test_silence_is_spoken_of_while_it_lasts(
    before: tuple[Step | bytes | Mapping[str, object], ...],
    code: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.live.waits.LONG_S", 0.25)
    gate = Gate()
    route = sse_reply(
        [*before, Wait(gate), piece("m", {"content": "PONG"}), piece("m", {}, "stop")]
    )
    async with ScriptedProvider({CHAT: route}) as server:
        watching = watch(read_base_url(server.base_url), "m", PONG, bounds=QUICK)
        takes = await until(watching, lambda now: any(words in one.message for one in now.said))
        gate.open()
        after = await until(watching, lambda now: now.run is not None)
    assert [one.code for one in takes[-1].said] == [code]
    assert takes[-1].said[0].fix
    assert code not in {one.code for one in after[-1].said}, "it is over"


async def test_what_of_a_long_answer_is_not_kept_is_said() -> None:
    word = "x" * 100_000
    body = b"".join(event(piece("m", {"content": word})) for _ in range(60))
    body += event(piece("m", {}, "stop"))
    takes, _, _ = await run_out(sse_reply([body]), ReadyPrompt("own", "hi", ""))
    run = takes[-1].run
    assert run is not None
    (told,) = [one for one in run.warnings if one.code == "text_not_kept"]
    gone = int(told.message.split()[0].replace(",", ""))
    assert run.answer.count("x") + gone == 60 * len(word)
    assert "--max-tokens" in told.fix


async def test_a_take_does_not_wait_for_the_end_of_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one takes, as much comes again."""
    folded = 0
    flooded: _Watch

    def one_more(recorder: Recorder, data: bytes, at: float) -> None:
        nonlocal folded
        del recorder
        folded += 1
        if folded < 10_000:
            flooded.read(data, at)

    async with ScriptedProvider({CHAT: raw(Hang())}) as server:
        watching = watch(read_base_url(server.base_url), "m", PONG, bounds=QUICK)
        assert isinstance(watching, _Watch)
        flooded = watching
        await until(flooded, lambda now: now.state == "waiting")
        monkeypatch.setattr(Recorder, "read", one_more)
        flooded.read(b": alive\n\n", 1.0)
        flooded.take()
        assert folded < 100
        flooded.stop()
        await flooded.over()


async def test_threads_end_with_their_requests() -> None:
    await run_out(chat_reply("m"))
    for _ in range(200):
        if not any(thread.name == "turnkey-stream" for thread in threading.enumerate()):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(threading.enumerate())
