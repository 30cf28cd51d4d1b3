from __future__ import annotations

import msgspec
import pytest

from core.errors import Fault
from core.keys.secret import MASK, Secret
from core.live.counts import Usage
from core.live.events import (
    Answer,
    Ended,
    Event,
    Failed,
    Finished,
    Headers,
    Reasoning,
    Served,
    Started,
    ToolPiece,
    UsageSeen,
)
from core.live.ping import (
    PONG,
    PONG_PROMPT,
    RATE_PROMPT,
    READY_PROMPTS,
    Run,
    expected,
    judge,
    not_tried,
    ping,
)
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from core.wire.client import open_client
from tests.core.live.replay import replayed
from tests.servers.scripted import (
    Behaviour,
    Recorded,
    Route,
    ScriptedProvider,
    chat_reply,
    error_reply,
    good_server,
    in_turn,
    json_reply,
    piece,
    sse_reply,
    tool_reply,
    usage,
)

CHAT = ("POST", "/v1/chat/completions")


async def run_against(
    server: ScriptedProvider,
    model: str = "m",
    *,
    key: str | None = None,
    prompt: str = PONG_PROMPT,
    max_tokens: int | None = None,
) -> Run:
    """One ping of a scripted server."""
    secret = None if key is None else Secret(key)
    bounds = Bounds(connect_s=5, first_byte_s=5, silence_s=5)
    async with server:
        base = read_base_url(server.base_url)
        async with open_client(base, bounds, key=secret) as client:
            return await ping(
                client,
                base,
                model,
                prompt=prompt,
                max_tokens=max_tokens,
                bounds=bounds,
                key=secret,
            )


def _serving(route: Route) -> ScriptedProvider:
    return ScriptedProvider({CHAT: route})


def _codes(run: Run) -> set[str]:
    return {warning.code for warning in run.warnings}


async def test_a_good_provider_works() -> None:
    run = await run_against(good_server(), "good-model", key="sk-good")
    assert (run.reachable, run.authorised, run.works, run.ok) == (True, True, True, True)
    assert run.served_model == "good-model"
    assert run.finish_reason == "stop"
    assert run.reasoning == "The user wants one word."
    assert run.answer == "PONG"
    assert run.counts_from == "usage"
    assert (run.figures.thinking_tokens, run.figures.answer_tokens) == (3, 2)
    assert run.warnings == ()
    assert run.error is None


def test_the_json_has_the_members_of_the_contract() -> None:
    run = msgspec.to_builtins(judge(replayed("vllm/chat-stream-usage"), "tiny-qwen3", PONG))
    assert {
        "reachable", "authorised", "works", "ok", "served_model", "finish_reason", "reasoning",
        "answer", "tool_calls", "counts_from", "usage", "figures", "warnings", "error",
    } <= set(run)  # fmt: skip
    assert {
        "headers_s", "first_token_s", "first_answer_s", "total_s", "thinking_tokens",
        "answer_tokens", "thinking_tokens_per_s", "answer_tokens_per_s", "gap_p50_s",
        "gap_p95_s", "longest_stall_s",
    } <= set(run["figures"])  # fmt: skip
    assert run["works"] is True
    assert run["error"] is None


async def test_a_wrong_key_is_reachable_and_not_authorised() -> None:
    run = await run_against(good_server(), "good-model", key="sk-bad")
    assert (run.reachable, run.authorised, run.works) == (True, False, False)
    assert run.error is not None
    assert run.error.code == "key_refused"


async def test_a_missing_key_is_reachable_and_not_authorised() -> None:
    run = await run_against(good_server(), "good-model")
    assert (run.reachable, run.authorised, run.works) == (True, False, False)
    assert run.error is not None
    assert run.error.code == "key_missing"


async def test_an_unknown_model_is_authorised_and_does_not_work() -> None:
    run = await run_against(good_server(), "nope", key="sk-good")
    assert (run.reachable, run.authorised, run.works) == (True, True, False)
    assert run.error is not None
    assert run.error.code == "model_unknown"


async def test_where_nothing_listens_nothing_is_reachable() -> None:
    async with ScriptedProvider({}) as server:
        base = read_base_url(server.base_url)
    async with open_client(base, Bounds(), key=None) as client:
        run = await ping(client, base, "m")
    assert (run.reachable, run.authorised, run.works) == (False, None, False)
    assert run.error is not None
    assert run.error.code == "connection_refused"
    assert run.figures.total_s is None


def test_a_request_that_was_never_sent_is_a_run_of_its_own() -> None:
    run = not_tried(Fault("key_missing", "No key."))
    assert (run.reachable, run.authorised, run.works, run.ok) == (None, None, None, None)
    assert run.error == Fault("key_missing", "No key.")


@pytest.mark.parametrize(
    "behaviour",
    [
        chat_reply("m", ("tt-canary", "-SIDE", " PONG")),
        error_reply(403, "bad " + "x" * 150 + " tt-canary-SIDE"),
        error_reply(400, "you sent Bearer tt-canary-SIDE"),
    ],
    ids=["streamed in pieces", "cut short in it", "refused"],
)
async def test_a_secret_header_that_a_server_says_is_masked(behaviour: Behaviour) -> None:
    seen: list[Event] = []
    async with ScriptedProvider({CHAT: behaviour}) as server:
        base = read_base_url(server.base_url)
        headers = {"X-Side": Secret("Bearer tt-canary-SIDE", "tt-canary-SIDE")}
        async with open_client(base, Bounds(), key=None, headers=headers) as client:
            run = await ping(client, base, "m", on_event=seen.append)
    for shown in (str(run), str(seen)):
        assert MASK in shown
        assert "tt-canary" not in shown


# ------------------------------------------------------------------ the budget


def _thinker(request: Recorded) -> Behaviour:
    """Thinks until 256 tokens are gone, and answers when there are more."""
    limit = request.field("max_tokens")
    assert isinstance(limit, int)
    if limit <= 256:
        return chat_reply(
            "m", (), thinking=("hm ",) * 256, finish="length", usage=usage(9, 256, 256)
        )
    return chat_reply("m", thinking=("hm ",) * 300, usage=usage(9, 302, 300))


async def test_thinking_that_used_the_budget_is_given_more_once() -> None:
    server = _serving(_thinker)
    run = await run_against(server)
    assert [one.field("max_tokens") for one in server.requests] == [256, 2048]
    assert run.works is True
    assert run.answer == "PONG"
    assert _codes(run) == {"budget_grown"}
    assert run.figures.thinking_tokens == 300


async def test_thought_then_cut_off_is_no_failure() -> None:
    behaviour = chat_reply("m", (), thinking=("hm",), finish="length", usage=usage(9, 1, 1))
    server = _serving(behaviour)
    run = await run_against(server)
    assert len(server.requests) == 2
    assert run.works is None
    assert run.error is None
    assert _codes(run) == {"budget_grown", "thinking_used_budget"}


async def test_a_budget_that_was_asked_for_is_kept() -> None:
    server = _serving(_thinker)
    run = await run_against(server, max_tokens=100)
    assert [one.field("max_tokens") for one in server.requests] == [100]
    assert run.works is None
    assert _codes(run) == {"thinking_used_budget"}


async def test_an_adapted_request_stays_adapted_with_the_larger_budget() -> None:
    refusal = error_reply(400, "Unsupported parameter: 'stream_options'")
    cut = chat_reply("m", (), thinking=("hm",), finish="length")
    server = _serving(in_turn(refusal, cut, chat_reply("m")))
    run = await run_against(server)
    assert [one.field("stream_options") is None for one in server.requests] == [False, True, True]
    assert run.works is True
    assert _codes(run) == {"budget_grown", "no_usage"}
    assert run.counts_from == "estimate"


# ------------------------------------------------------------------ answers


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (chat_reply("m", ("Hello", "!"), usage=usage(5, 2)), "wrong_answer"),
        (chat_reply("other-model", usage=usage(5, 2)), "wrong_model"),
        (chat_reply("m", (), usage=usage(5, 1)), "empty_answer"),
        (chat_reply("m", finish=None), "stream_broken"),
        (chat_reply("m", ("I can", "not"), finish="content_filter"), "upstream"),
        (tool_reply("m", "read", ("{}",)), "empty_answer"),
        (
            sse_reply([piece("m", {"content": "PO"}), {"error": {"message": "boom"}}], done=False),
            "server_error",
        ),
        (json_reply(200, {"error": "boom"}), "server_error"),
        (error_reply(500, "boom"), "server_error"),
    ],
)
async def test_what_is_not_the_right_answer_does_not_work(behaviour: Behaviour, code: str) -> None:
    run = await run_against(_serving(behaviour))
    assert run.works is False
    assert run.reachable is True
    assert run.error is not None
    assert run.error.code == code


async def test_too_many_requests_decides_nothing() -> None:
    run = await run_against(_serving(error_reply(429, "Too many requests", "throttling_error")))
    assert (run.reachable, run.works) == (True, None)


@pytest.mark.parametrize("answer", ["pong", "The word is: PoNg.", "\n\nPONG"])
async def test_the_word_counts_in_any_case_and_place(answer: str) -> None:
    run = await run_against(_serving(chat_reply("m@main", (answer,), usage=usage(5, 2))))
    assert run.works is True


async def test_any_answer_will_do_for_another_prompt() -> None:
    run = await run_against(_serving(chat_reply("m", ("Hello",), usage=usage(5, 2))), prompt="Hi")
    assert run.works is True
    run = await run_against(_serving(tool_reply("m", "read", ('{"a"', ":1}"))), prompt="Hi")
    assert run.works is True
    assert [(call.id, call.name, call.arguments) for call in run.tool_calls] == [
        ("call_1", "read", '{"a":1}')
    ]


def test_only_the_default_prompt_has_a_right_answer() -> None:
    assert expected(PONG_PROMPT) == "PONG"
    assert expected(RATE_PROMPT) is None
    assert READY_PROMPTS[0].text == PONG_PROMPT


# ------------------------------------------------------------------ judging alone


@pytest.mark.parametrize(
    "name",
    [
        "llamacpp/chat-stream-usage",
        "vllm/chat-stream-usage",
        "vllm/noparser-chat-stream-usage",
        "transformers/chat-stream-usage",
    ],
)
def test_recorded_answers_work(name: str) -> None:
    run = judge(replayed(name), "tiny-qwen3", PONG)
    assert run.works is True
    assert run.usage is not None
    assert run.usage.completion_tokens == run.figures.completion_tokens == 17


def test_a_server_that_serves_its_own_model_whatever_is_asked_is_found_out() -> None:
    run = judge(replayed("llamacpp/error-unknown-model-stream"), "no-such-model", PONG)
    assert run.works is False
    assert run.has("served_other_model")
    assert run.error is not None
    assert run.error.code == "wrong_model"


def test_a_run_that_was_stopped_decides_nothing() -> None:
    run = judge([Started(0.0), Headers(0.1, 200, {}), Answer(0.2, "PO")], "m", PONG)
    assert (run.reachable, run.authorised, run.works, run.error) == (True, True, None, None)


@pytest.mark.parametrize(
    ("events", "reachable", "authorised"),
    [
        ([Failed(1.0, Fault("timeout", "No."))], False, None),
        ([Started(0.0), Failed(1.0, Fault("timeout", "No."))], True, None),
        ([Failed(1.0, Fault("tls", "No."))], False, None),
        ([Started(0), Headers(1, 401, {}), Failed(1, Fault("key_refused", ""), 401)], True, False),
        ([Started(0.0), Headers(1, 200, {}), Failed(1, Fault("bad_shape", ""), 200)], True, None),
        ([Started(0.0), Headers(1, 404, {}), Failed(1, Fault("path_wrong", ""), 404)], True, None),
        ([Failed(1.0, Fault("key_bound_elsewhere", ""))], None, None),
    ],
)  # fmt: skip
def test_reachable_and_authorised_are_results_of_their_own(
    events: list[Event], *, reachable: bool | None, authorised: bool | None
) -> None:
    run = judge([*events, Ended(2.0, complete=False)], "m", PONG)
    assert (run.reachable, run.authorised) == (reachable, authorised)


def test_a_transcript_joins_what_belongs_together() -> None:
    events: list[Event] = [
        Started(0.0),
        Headers(0.1, 200, {}),
        Served(0.2, "m"),
        Reasoning(0.2, "why "),
        Reasoning(0.3, "so"),
        ToolPiece(0.4, 1, "b", "bash", "{"),
        ToolPiece(0.5, 0, "a", "read", "{}"),
        ToolPiece(0.6, 1, "", "", "}"),
        Finished(0.7, "tool_calls"),
        UsageSeen(0.7, Usage(prompt_tokens=1, completion_tokens=40)),
        Ended(0.8, complete=True),
    ]
    run = judge(events, "m", None)
    assert run.reasoning == "why so"
    assert [(call.id, call.name, call.arguments) for call in run.tool_calls] == [
        ("a", "read", "{}"),
        ("b", "bash", "{}"),
    ]
    assert run.works is True
