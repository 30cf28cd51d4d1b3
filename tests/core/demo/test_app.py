"""The demo over the wire: the dialect, the key, refusals, streams and their counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from core.demo.models import DEMO_MODELS
from core.demo.serve import Demo, DemoServer, start_demo
from core.demo.tokens import count
from tests.core.demo.helpers import Instant, client, offer, stream, system, user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PONG = [user("Answer with PONG")]
LONG = [user("Explain, in about two hundred words, what tokens per second means.")]
CHAT_IDS = [model.id for model in DEMO_MODELS if model.mode == "chat"]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with start_demo(sleep=Instant()) as running:
        yield running


@pytest_asyncio.fixture
async def http(demo: Demo) -> AsyncIterator[httpx.AsyncClient]:
    async with client(demo) as opened:
        yield opened


# ------------------------------------------------------------------ who it is, who may ask


async def test_it_is_recognised_as_litellm_without_a_key(demo: Demo) -> None:
    async with httpx.AsyncClient(base_url=demo.origin, trust_env=False) as http:
        alive = await http.get("/health/liveliness")
        version = await http.get("/version")
        root = await http.get("/")
    assert alive.text == '"I\'m alive!"'
    assert (version.status_code, version.json()) == (404, {"detail": "Not Found"})
    assert "demo" in root.text


@pytest.mark.parametrize("path", ["/", "/health/liveliness", "/v1/models", "/nowhere"])
async def test_every_reply_says_that_it_is_a_demo(demo: Demo, path: str) -> None:
    async with httpx.AsyncClient(base_url=demo.origin, trust_env=False) as http:
        assert (await http.get(path)).headers["x-turnkey-demo"] == "1"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "auth_error"),
        ({"authorization": "Bearer"}, "auth_error"),
        ({"authorization": "Bearer sk-wrong"}, "token_not_found_in_db"),
        ({"authorization": "Bearer sk-demo-turnkey2"}, "token_not_found_in_db"),
        ({"authorization": "Basic sk-demo-turnkey"}, "token_not_found_in_db"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/models"), ("GET", "/model/info"), ("POST", "/v1/chat/completions")],
)
async def test_without_the_right_key_nothing_is_told(
    demo: Demo, method: str, path: str, headers: dict[str, str], kind: str
) -> None:
    async with httpx.AsyncClient(base_url=demo.origin, trust_env=False) as http:
        answer = await http.request(method, path, headers=headers)
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == (kind, "401")
    assert "Authentication Error" in error["message"]
    assert "sk-" not in answer.text


async def test_the_word_bearer_may_be_written_in_any_case(demo: Demo) -> None:
    headers = {"authorization": f"bearer {demo.key.reveal()}"}
    async with httpx.AsyncClient(base_url=demo.origin, trust_env=False) as http:
        assert (await http.get("/v1/models", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/v1/models", 404),
        ("POST", "/v1", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("HEAD", "/v1/models", 405),
        ("POST", "/health/liveliness", 405),
    ],
)
async def test_wrong_paths_and_methods(
    demo: Demo, http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, demo.origin + path)
    assert answer.status_code == status
    if method != "HEAD":
        assert answer.json()["detail"] in {"Not Found", "Method Not Allowed"}


# ------------------------------------------------------------------ models


@pytest.mark.parametrize("path", ["/v1/models", "/models"])
async def test_the_list_has_every_model(demo: Demo, http: httpx.AsyncClient, path: str) -> None:
    rows = (await http.get(demo.origin + path)).json()["data"]
    by_id = {row["id"]: row for row in rows}
    assert {"demo-plain", "demo-thinker", "demo-slow", "demo-broken-tools"} <= set(by_id)
    assert {row["created"] for row in rows} == {1677610602}
    assert {row["owned_by"] for row in rows} == {"openai"}
    assert by_id["demo-embed"]["mode"] == "embedding"
    # what self-hosted upstreams look like: nobody said
    assert "mode" not in by_id["demo-slow"]
    assert by_id["demo-thinker"]["max_output_tokens"] == 32_768


@pytest.mark.parametrize("path", ["/model/info", "/v1/model/info"])
async def test_model_info_tells_facts_and_leaves_the_unknown_null(
    demo: Demo, http: httpx.AsyncClient, path: str
) -> None:
    rows = (await http.get(demo.origin + path)).json()["data"]
    facts = {row["model_name"]: row["model_info"] for row in rows}
    assert list(facts) == [model.id for model in DEMO_MODELS]
    assert facts["demo-thinker"]["supports_reasoning"] is True
    assert facts["demo-plain"]["input_cost_per_token"] == 0
    assert facts["demo-slow"]["input_cost_per_token"] is None
    assert facts["demo-slow"]["supports_function_calling"] is None
    assert len({info["id"] for info in facts.values()}) == len(facts)


async def test_the_other_routes_of_a_litellm(demo: Demo, http: httpx.AsyncClient) -> None:
    groups = (await http.get(demo.origin + "/model_group/info")).json()["data"]
    assert groups[0]["max_input_tokens"] == 131072.0
    assert (await http.get("/models/demo-slow")).json()["id"] == "demo-slow"
    assert (await http.get("/models/nope")).status_code == 404
    vector = await http.post("/embeddings", json={"model": "demo-embed", "input": ["a", "b"]})
    assert [len(row["embedding"]) for row in vector.json()["data"]] == [8, 8]
    assert (await http.post("/embeddings", json={"model": "demo-plain"})).status_code == 400
    assert (await http.post("/embeddings", content=b"{")).status_code == 400


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"model": "nope", "messages": []}, "Invalid model name passed in model=nope"),
        ({"messages": []}, "Invalid model name passed in model=None"),
        ({"model": "demo-plain"}, "Missing required parameter: 'messages'"),
        ({"model": "demo-plain", "messages": "text"}, "Invalid request format"),
        ({"model": "demo-embed", "messages": []}, "does not support chat completions"),
        ({"model": "demo-plain", "messages": [], "max_tokens": 0}, "at least 1"),
        ({"model": "demo-plain", "messages": [], "reasoning_effort": "zzz"}, "reasoning_effort"),
        (
            {
                "model": "demo-plain",
                "messages": [{"role": "user", "content": [{"type": "image_url"}]}],
            },
            "not a multimodal model",
        ),
        (
            {"model": "demo-slow", "messages": [{"role": "user", "content": "a " * 40_000}]},
            "maximum context length is 32768 tokens",
        ),
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_refusals_are_litellms(
    http: httpx.AsyncClient, body: dict[str, Any], words: str, streamed: bool
) -> None:
    answer = await http.post("/chat/completions", json={**body, "stream": streamed})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert words in error["message"]
    assert error["code"] == "400"


async def test_a_body_that_is_no_json_is_refused(http: httpx.AsyncClient) -> None:
    for body in (b'{"model": ', b"[]", b"\xff\xfe"):
        answer = await http.post("/chat/completions", content=body)
        assert answer.status_code == 400
        assert "Invalid JSON payload" in answer.json()["error"]["message"]


async def test_unknown_fields_are_ignored_as_litellm_does(http: httpx.AsyncClient) -> None:
    read = await stream(http, PONG, turnkey_unknown=1, store=False, prompt_cache_key="k", n=2)
    assert read.answer == "PONG"


# ------------------------------------------------------------------ streams


@pytest.mark.parametrize("model_id", CHAT_IDS)
async def test_every_chat_model_streams_pong_to_the_end(
    http: httpx.AsyncClient, model_id: str
) -> None:
    read = await stream(http, PONG, model=model_id)
    assert read.answer.endswith("PONG")
    assert (read.finish, read.done) == ("stop", True)
    assert {chunk["model"] for chunk in read.chunks} == {model_id}
    assert read.chunks[0]["choices"][0]["delta"] == {"role": "assistant"}


@pytest.mark.parametrize("model_id", CHAT_IDS)
@pytest.mark.parametrize("messages", [PONG, LONG], ids=["pong", "long"])
@pytest.mark.parametrize("cap", [None, 1, 20])
async def test_usage_is_exactly_what_was_streamed(
    http: httpx.AsyncClient, model_id: str, messages: list[dict[str, Any]], cap: int | None
) -> None:
    fields = {} if cap is None else {"max_tokens": cap}
    read = await stream(http, messages, model=model_id, **fields)
    assert read.usage is not None
    streamed = read.thinking_pieces + read.answer_pieces
    assert read.usage["completion_tokens"] == streamed
    assert read.usage["total_tokens"] == streamed + read.usage["prompt_tokens"]
    assert streamed == count(read.thinking) + count(read.answer)
    if cap is not None:
        assert streamed <= cap
    if model_id != "demo-leaky-think":
        details = read.usage["completion_tokens_details"]
        assert details["reasoning_tokens"] == read.thinking_pieces
    else:
        assert "completion_tokens_details" not in read.usage


async def test_the_thinker_thinks_first_and_answers_then(http: httpx.AsyncClient) -> None:
    read = await stream(http, LONG, model="demo-thinker")
    kinds = [next(iter(chunk["choices"][0]["delta"]), None) for chunk in read.chunks]
    last_thought = max(n for n, kind in enumerate(kinds) if kind == "reasoning_content")
    assert last_thought < kinds.index("content")
    assert read.answer_pieces >= 150


async def test_usage_comes_only_when_asked_for_and_beside_an_empty_choice(
    http: httpx.AsyncClient,
) -> None:
    asked = await stream(http, PONG)
    assert asked.chunks[-1]["choices"] == [{"index": 0, "delta": {}}]
    for options in (None, {"include_usage": False}):
        unasked = await stream(http, PONG, stream_options=options)
        assert unasked.usage is None


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_both_names_of_the_cap_hold(http: httpx.AsyncClient, name: str) -> None:
    read = await stream(http, [user("Count from 1 to 300")], **{name: 16})
    assert read.usage is not None
    assert (read.finish, read.usage["completion_tokens"]) == ("length", 16)


async def test_the_prompt_costs_more_with_more_in_it(http: httpx.AsyncClient) -> None:
    bare = await stream(http, PONG)
    ruled = await stream(http, [{"role": "developer", "content": "Be brief."}, *PONG])
    armed = await stream(http, PONG, tools=offer())
    sizes = [read.usage["prompt_tokens"] for read in (bare, ruled, armed) if read.usage]
    assert sizes[0] < sizes[1] < sizes[2]


async def test_a_plain_reply_says_the_same_as_the_stream(http: httpx.AsyncClient) -> None:
    body = {"model": "demo-thinker", "messages": LONG}
    whole = (await http.post("/chat/completions", json=body)).json()
    read = await stream(http, LONG, model="demo-thinker")
    (choice,) = whole["choices"]
    assert choice["message"]["content"] == read.answer
    assert choice["message"]["reasoning_content"] == read.thinking
    assert whole["usage"] == read.usage
    assert (choice["finish_reason"], whole["object"]) == ("stop", "chat.completion")


async def test_plain_replies_split_leaked_tags_and_streams_do_not(http: httpx.AsyncClient) -> None:
    body = {"model": "demo-leaky-think", "messages": PONG}
    message = (await http.post("/chat/completions", json=body)).json()["choices"][0]["message"]
    assert message["content"] == "PONG"
    assert message["reasoning_content"]
    assert (await stream(http, PONG, model="demo-leaky-think")).answer.startswith("<think>")


async def test_headers_name_the_model_and_no_fallback(http: httpx.AsyncClient) -> None:
    answer = await http.post("/chat/completions", json={"model": "demo-plain", "messages": PONG})
    assert answer.headers["x-litellm-model-group"] == "demo-plain"
    assert answer.headers["x-litellm-attempted-fallbacks"] == "0"


# ------------------------------------------------------------------ tools


async def test_a_tool_call_comes_in_pieces_and_its_result_is_used(http: httpx.AsyncClient) -> None:
    asked = [system("You review code."), user("Read VERSION.txt and tell me the codename.")]
    first = await stream(http, asked, tools=offer())
    assert first.finish == "tool_calls"
    (call,) = first.calls.values()
    assert (call["name"], call["arguments"]) == ("read", '{"path":"VERSION.txt"}')
    assert first.call_pieces > 2
    assert first.usage is not None
    assert first.usage["completion_tokens"] == first.call_pieces
    turn = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
        ],
    }
    result = {"role": "tool", "tool_call_id": call["id"], "content": "codename: heron"}
    second = await stream(http, [*asked, turn, result], tools=offer())
    assert "heron" in second.answer
    assert second.finish == "stop"


async def test_a_plain_reply_has_the_call_whole(http: httpx.AsyncClient) -> None:
    body = {"model": "demo-plain", "messages": [user("Read a.txt and b.txt")], "tools": offer()}
    (choice,) = (await http.post("/chat/completions", json=body)).json()["choices"]
    assert choice["finish_reason"] == "tool_calls"
    calls = [call["function"] for call in choice["message"]["tool_calls"]]
    assert [call["arguments"] for call in calls] == ['{"path":"a.txt"}', '{"path":"b.txt"}']


async def test_the_broken_model_writes_its_call_as_text(http: httpx.AsyncClient) -> None:
    read = await stream(http, [user("Read VERSION.txt")], model="demo-broken-tools", tools=offer())
    assert read.calls == {}
    assert read.answer.startswith('<tool_call>\n{"name": "read"')
    assert read.finish == "stop"


# ------------------------------------------------------------------ time


async def test_time_passes_only_through_the_given_sleep() -> None:
    clock = Instant()
    async with DemoServer(sleep=clock) as demo, client(demo) as http:
        await stream(http, PONG, model="demo-slow")
    assert sum(clock.slept) == pytest.approx(4)
    # the role goes out half-way, so the first token has a wait of its own
    assert clock.slept[:2] == [2, 2]
