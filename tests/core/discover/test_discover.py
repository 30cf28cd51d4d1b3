from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from core.discover.discover import discover, find_servers
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.providers.presets import presets
from core.wire.bounds import Bounds
from tests.core.discover import replay
from tests.core.discover.replay import KEY, QUICK, look
from tests.servers.scripted import (
    Behaviour,
    Hang,
    Pause,
    Recorded,
    Route,
    ScriptedProvider,
    json_reply,
    models_reply,
    raw,
    text_reply,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.discover.facts import Discovery

Wanted = dict[str, dict[str, object]]


@dataclass(frozen=True)
class Case:
    """One kind of server and what must be found of it."""

    routes: Callable[[], replay.Routes]
    dialect: str
    version: str | None
    models: Wanted
    kinds: dict[str, str] = field(default_factory=dict)
    default: Route = replay.DEFAULT
    path: str = "/v1"


UNKNOWN = "not there"

CASES = {
    "litellm": Case(
        replay.litellm,
        "litellm",
        None,
        {
            "lab-llama": {
                "context_window": 4096,
                "max_output_tokens": 1024,
                "tools": True,
                "reasoning": True,
                "image_input": UNKNOWN,
                "input_cost": UNKNOWN,
                "output_cost": UNKNOWN,
                "upstream": "openai/tiny-qwen3",
            },
            "mock-claude": {
                "context_window": 200_000,
                "max_output_tokens": 64_000,
                "image_input": True,
                "tools": True,
                "input_cost": 3.0,
                "output_cost": 15.0,
                "cache_read_cost": 0.3,
            },
        },
    ),
    "vllm": Case(
        replay.vllm,
        "vllm",
        "0.32.0",
        {"tiny-qwen3": {"context_window": 8192, "tools": UNKNOWN, "loaded": True}},
    ),
    "llamacpp": Case(
        replay.llamacpp,
        "llamacpp",
        "b11434-pypi",
        {
            "tiny-qwen3": {
                "context_window": 4096,
                "context_ceiling": 131_072,
                "image_input": False,
                "tools": True,
                "loaded": True,
            }
        },
    ),
    "llamacpp router": Case(
        replay.llamacpp_router,
        "llamacpp",
        "b11434-pypi",
        {name: {"loaded": False, "context_window": UNKNOWN} for name in
         ("tiny-a", "tiny-b", "tiny-broken")},
    ),
    "ollama": Case(
        replay.ollama,
        "ollama",
        "0.13.5",
        {
            "qwen3:8b": {
                "context_window": 16_384,
                "context_ceiling": 40_960,
                "tools": True,
                "reasoning": True,
                "image_input": False,
                "loaded": False,
            },
            "gemma3:4b": {
                "context_window": 4096,
                "context_ceiling": 131_072,
                "image_input": True,
                "tools": False,
                "loaded": True,
            },
            "nomic-embed-text:latest": {},
        },
        {"nomic-embed-text:latest": "embedding"},
        default=text_reply(404, "404 page not found"),
    ),
    "lmstudio": Case(
        replay.lmstudio,
        "lmstudio",
        None,
        {
            "qwen3-8b": {
                "context_window": 8192,
                "context_ceiling": 40_960,
                "tools": True,
                "reasoning": True,
                "image_input": False,
                "loaded": True,
            },
            "llava-7b": {
                "context_window": UNKNOWN,
                "context_ceiling": 4096,
                "image_input": True,
                "loaded": False,
            },
            "text-embedding-nomic": {},
        },
        {"text-embedding-nomic": "embedding"},
        default=replay.lmstudio_default,
    ),
    "sglang": Case(
        replay.sglang,
        "sglang",
        "0.5.23",
        {
            "qwen": {
                "context_window": 32_768,
                "tools": False,
                "reasoning": True,
                "image_input": False,
            },
            "qwen:lora": {"context_window": 32_768},
        },
    ),
    "openrouter": Case(
        replay.openrouter,
        "openrouter",
        None,
        {
            "qwen/qwen3-coder": {
                "context_window": 262_144,
                "max_output_tokens": 65_536,
                "input_cost": 0.22,
                "output_cost": 0.0,
                "tools": True,
                "reasoning": False,
            },
            "google/image": {"input_cost": UNKNOWN},
        },
        {"google/image": "image"},
        path="/api/v1",
    ),
    "anthropic": Case(
        replay.anthropic, "anthropic", None, {"claude-sonnet-4-5-20250929": {}}
    ),
    "generic": Case(replay.transformers, "generic", None, {}),
}  # fmt: skip


def serve(case: Case) -> ScriptedProvider:
    return ScriptedProvider(case.routes(), default=case.default)


@pytest.mark.parametrize("name", CASES)
async def test_every_dialect_is_recognised_listed_and_described(name: str) -> None:
    case = CASES[name]
    async with serve(case) as server:
        found = await look(server, case.path)
    assert found.error is None
    assert found.reachable is True
    assert found.authorised is True
    assert found.endpoint.dialect == case.dialect
    assert found.endpoint.version == case.version
    assert found.endpoint.base_url == server.origin + case.path
    assert [model.id for model in found.models] == list(case.models)
    for model in found.models:
        assert model.kind == case.kinds.get(model.id, "chat")
        for fact, value in case.models[model.id].items():
            got = model.facts.get(fact)
            if value is UNKNOWN:
                assert got is None or got.source == "pattern", fact
            else:
                assert got is not None, fact
                assert got.value == value, fact
                assert type(got.value) is type(value), fact
                assert got.source == "server", fact
        for fact_name, known in model.facts.items():
            assert known.value is not None, fact_name


@pytest.mark.parametrize("name", CASES)
async def test_the_key_is_never_in_a_request_that_recognises(name: str) -> None:
    case = CASES[name]
    async with serve(case) as server:
        await look(server, case.path)
    for path in ("/version", "/", "/health/liveliness", "/api/version"):
        for request in server.seen("GET", path):
            assert "authorization" not in request.headers


def test_every_dialect_is_a_preset() -> None:
    assert {case.dialect for case in CASES.values()} == {one.dialect for one in presets()}


@pytest.mark.parametrize(
    ("name", "key", "code"),
    [
        ("litellm", Secret("sk-wrong"), "key_refused"),
        ("litellm", None, "key_missing"),
        ("vllm", Secret("sk-wrong"), "key_refused"),
        ("vllm", None, "key_missing"),
        ("llamacpp", Secret("sk-wrong"), "key_refused"),
        ("llamacpp", None, "key_missing"),
    ],
)
async def test_a_key_that_is_not_let_in(name: str, key: Secret | None, code: str) -> None:
    async with serve(CASES[name]) as server:
        found = await look(server, key=key)
    assert found.error is not None
    assert found.error.code == code
    assert found.reachable is True
    assert found.authorised is False
    assert found.endpoint.dialect == CASES[name].dialect
    assert found.models == ()


@pytest.mark.parametrize("status", [500, 200])
async def test_a_list_that_fails_on_a_keyless_server_blames_no_key(status: int) -> None:
    body = text_reply(status, "Internal Server Error")
    async with ScriptedProvider({("GET", "/v1/models"): body}) as server:
        found = await look(server, key=None)
    assert found.error is not None
    assert found.error.code in {"server_error", "bad_shape"}
    assert found.reachable is True


async def test_a_model_that_loads_is_told_as_that() -> None:
    async with ScriptedProvider(replay.llamacpp_loading()) as server:
        found = await look(server)
    assert found.error is not None
    assert found.error.code == "loading"
    assert found.endpoint.dialect == "llamacpp"


async def test_a_closed_port_and_a_bad_url_are_in_the_result() -> None:
    async with ScriptedProvider({}) as server:
        url = server.base_url
    closed = await discover(url, KEY, bounds=QUICK)
    assert closed.error is not None
    assert closed.error.code == "connection_refused"
    assert closed.reachable is False
    assert closed.authorised is None
    bad = await discover("http://user:pw@host/v1", KEY, bounds=QUICK)
    assert bad.error is not None
    assert bad.error.code == "usage"
    assert bad.reachable is None


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("", "/v1"),
        ("/", "/v1"),
        ("/v1", "/v1"),
        ("/v1/v1", "/v1"),
        ("/v1/chat/completions", "/v1"),
        ("/llm", "/llm/v1"),
        ("/llm/v1", "/llm/v1"),
        ("/openai", "/openai"),
    ],
)
async def test_the_path_that_answers_is_taken_and_said(typed: str, taken: str) -> None:
    routes: replay.Routes = {("GET", f"{taken}/models"): models_reply(["m"])}
    async with ScriptedProvider(routes) as server:
        found = await look(server, typed)
    assert found.error is None
    assert found.endpoint.base_url == server.origin + taken
    assert [model.id for model in found.models] == ["m"]
    assert bool(found.changes) is (typed != taken)


async def test_a_path_that_answers_is_not_second_guessed() -> None:
    routes: replay.Routes = {
        ("GET", "/openai/models"): models_reply(["mine"]),
        ("GET", "/v1/models"): models_reply(["other"]),
    }
    async with ScriptedProvider(routes) as server:
        found = await look(server, "/openai")
        assert server.seen("GET", "/v1/models") == []
    assert [model.id for model in found.models] == ["mine"]


async def test_a_base_url_out_of_a_config_is_tried_as_it_stands() -> None:
    routes: replay.Routes = {("GET", "/models"): models_reply(["m"])}
    async with ScriptedProvider(routes) as server:
        base = read_base_url(server.origin, exact=True)
        found = await discover(base, None, bounds=QUICK)
    assert found.endpoint.base_url == server.origin
    assert found.changes == ()


async def test_a_wrong_path_everywhere_is_the_paths_fault() -> None:
    async with ScriptedProvider({}) as server:
        found = await look(server)
    assert found.error is not None
    assert found.error.code == "path_wrong"
    assert found.reachable is True


@pytest.mark.parametrize("path", ["/nonsense", "/nonsense/v1", "/v2"])
async def test_an_explicit_path_is_respected_and_told_when_wrong(path: str) -> None:
    async with serve(CASES["litellm"]) as server:
        found = await look(server, path)
        assert server.seen("GET", "/v1/models") == []
    assert found.error is not None
    assert found.error.code == "path_wrong"
    assert found.endpoint.dialect == "litellm"
    assert f"{server.origin}/v1" in found.error.fix


async def test_a_login_page_is_no_list() -> None:
    page = text_reply(200, "<html><title>Sign in</title></html>", "text/html")
    async with ScriptedProvider({}, default=page) as server:
        found = await look(server)
    assert found.error is not None
    assert found.error.code == "bad_shape"
    assert "Sign in" in found.error.why


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {"a": 1}}, 5, "x", {"object": "list"}]
)
async def test_json_that_is_no_list_is_told(body: object) -> None:
    async with ScriptedProvider({}, default=json_reply(200, body)) as server:
        found = await look(server)
    assert found.error is not None
    assert found.error.code == "bad_shape"


async def test_a_redirect_is_not_followed_by_the_key() -> None:
    async with ScriptedProvider({}, default=models_reply(["m"])) as other:
        away = json_reply(302, {}, {"location": f"{other.base_url}/models"})
        async with ScriptedProvider({}, default=away) as server:
            found = await look(server)
    assert found.error is not None
    assert found.error.code == "redirected"
    assert other.connections == 0


async def test_an_empty_list_is_a_warning() -> None:
    async with ScriptedProvider(replay.transformers()) as server:
        found = await look(server)
    assert found.error is None
    assert found.models == ()
    assert [one.code for one in found.warnings] == ["empty_answer"]


async def test_odd_rows_are_left_out_and_odd_ids_stay_verbatim() -> None:
    rows = ["plain", {"id": "a\u001b[31m"}, {"id": ""}, {"id": 5}, 7, None, {"id": "plain"}]
    body = json_reply(200, {"data": rows})
    async with ScriptedProvider({("GET", "/v1/models"): body}) as server:
        found = await look(server)
    assert [model.id for model in found.models] == ["plain", "a\u001b[31m"]


async def test_ten_thousand_models_are_read_at_once() -> None:
    body = models_reply([f"org/model-{number}" for number in range(10_000)])
    async with ScriptedProvider({("GET", "/v1/models"): body}) as server:
        found = await look(server)
    assert len(found.models) == 10_000


CHAINS = {
    "litellm": 2,  # who it is and the list; then the facts
    "vllm": 1,
    "llamacpp": 2,
    "llamacpp router": 2,
    "ollama": 2,
    "lmstudio": 2,
    "sglang": 2,
    "openrouter": 1,
    "anthropic": 1,
    "generic": 2,  # who it is and the list; what other servers' own pages say
}
"""The longest chain of requests of which each needs the answer of the one before."""
DELAY_S = 0.2


def late(route: Route) -> Route:
    def choose(request: Recorded) -> Behaviour:
        answer = route if isinstance(route, Behaviour) else route(request)
        return Behaviour((Pause(DELAY_S), *answer.steps))

    return choose


async def took(routes: replay.Routes, default: Route, path: str, chain: int) -> Discovery:
    """Look until it takes its chain of delays and less than 20 % more.

    Where other programs hold the processor, what this one computes (the server's part too) is
    taken from its own clock, and there is less than one more round of waiting.
    """
    slow = {where: late(route) for where, route in routes.items()}
    limit = DELAY_S * chain * 1.2
    seconds: list[tuple[float, float]] = []
    async with ScriptedProvider(slow, default=late(default)) as server:
        while len(seconds) < 12:
            started, computed = time.perf_counter(), time.process_time()
            found = await look(server, path)
            wall, cpu = time.perf_counter() - started, time.process_time() - computed
            seconds.append((wall, cpu))
            assert found.error is None
            assert found.seconds == pytest.approx(wall, abs=0.05)
            held_up = wall < DELAY_S * (chain + 1) and DELAY_S * chain + cpu < limit
            if wall < limit or held_up:
                return found
    pytest.fail(f"took {seconds} (wall, processor), more than {limit:.2f} s each time")


@pytest.mark.parametrize("name", CASES)
async def test_independent_requests_go_out_together(name: str) -> None:
    case = CASES[name]
    await took(case.routes(), case.default, case.path, CHAINS[name])


@pytest.mark.parametrize("count", [20, 60])
async def test_many_models_of_one_server_are_asked_about_together(count: int) -> None:
    """The whole of it stays within the delay of its longest chain plus 20 %."""
    rows = [{"id": f"m{number}", "owned_by": "library"} for number in range(count)]
    info = {"general.architecture": "qwen3", "qwen3.context_length": 40960}
    shown = {"capabilities": ["completion"], "model_info": info}
    routes = {
        **replay.ollama(),
        ("GET", "/v1/models"): models_reply(rows),
        ("POST", "/api/show"): json_reply(200, shown),
    }
    found = await took(routes, replay.DEFAULT, "/v1", CHAINS["ollama"])
    assert len(found.models) == count
    assert all("context_ceiling" in model.facts for model in found.models)


async def test_two_hundred_models_add_no_round_of_their_own() -> None:
    """What the delay adds is one chain of it, however many models are asked about."""
    rows = [{"id": f"m{number}", "owned_by": "library"} for number in range(200)]
    routes = {**replay.ollama(), ("GET", "/v1/models"): models_reply(rows)}
    slow = {where: late(route) for where, route in routes.items()}
    added: list[float] = []
    async with ScriptedProvider(routes) as quick, ScriptedProvider(slow) as server:
        while len(added) < 8:
            without, found = await look(quick), await look(server)
            assert len(found.models) == len(without.models) == 200
            added.append(found.seconds - without.seconds)
            if added[-1] < DELAY_S * CHAINS["ollama"] * 1.2:
                return
    pytest.fail(f"the delay added {added}")


async def test_other_paths_are_tried_together() -> None:
    routes: replay.Routes = {("GET", "/llm/v1/models"): models_reply([{"id": "m"}])}
    await took(routes, replay.DEFAULT, "/llm", 3)  # as typed; elsewhere; the pages


async def test_marks_that_hang_hold_nothing_up_beyond_their_bound() -> None:
    routes: replay.Routes = {("GET", "/v1/models"): models_reply(["m"])}
    bounds = Bounds(connect_s=1.0, first_byte_s=0.2, silence_s=0.2, total_s=0.5)
    async with ScriptedProvider(routes, default=raw(Hang())) as server:
        found = await discover(server.base_url, KEY, bounds=bounds)
    assert found.error is None
    assert found.seconds < 2


@pytest.mark.parametrize("interrupted", [False, True])
async def test_marks_given_up_leave_nothing_behind_that_python_complains_of(
    monkeypatch: pytest.MonkeyPatch, *, interrupted: bool
) -> None:
    """Whether their time is over while the list is there, or a person hangs up."""
    monkeypatch.setattr("core.discover.discover._MARKS_S", 0.1)
    loop, said = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, context: said.append(context))
    row = {"id": "m", "owned_by": "vllm"}  # of which nothing more is asked
    routes: replay.Routes = {("GET", "/v1/models"): models_reply([row])}
    if interrupted:
        routes = {}
    async with ScriptedProvider(routes, default=raw(Hang())) as server:
        looking = asyncio.create_task(look(server))
        if interrupted:
            while len(server.requests) < 5:
                await asyncio.wait({looking}, timeout=0.01)
            looking.cancel()
        await asyncio.wait({looking})
        assert looking.cancelled() is interrupted
        if not interrupted:
            assert looking.result().error is None
            assert looking.result().seconds < 1.5  # its own bound, and none of the requests'
        del looking
        gc.collect()
    assert said == []


# ------------------------------------------------------------------ llama.cpp's router


async def test_a_router_tells_which_model_failed_to_load() -> None:
    routes = replay.llamacpp_router("llamacpp-variants/router-after-models")
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    broken = next(model for model in found.models if model.id == "tiny-broken")
    assert broken.facts["loaded"].value is False
    assert "failed to load" in broken.facts["loaded"].note


# ------------------------------------------------------------------ look-alikes


@pytest.mark.parametrize(
    ("routes", "owner", "dialect"),
    [
        ({("GET", "/version"): json_reply(200, {"version": "2.29.0"})}, "localai", "generic"),
        ({("GET", "/version"): json_reply(200, {"version": "1.0", "b": 1})}, "x", "generic"),
        ({("GET", "/"): text_reply(200, "Ollama is running")}, "sglang", "sglang"),
        ({("GET", "/"): text_reply(200, "Ollama is running")}, "library", "ollama"),
        ({}, "vllm", "vllm"),
        ({}, "somebody", "generic"),
    ],
)
async def test_look_alikes_are_told_apart(routes: replay.Routes, owner: str, dialect: str) -> None:
    rows = models_reply([{"id": "m", "owned_by": owner}])
    async with ScriptedProvider({**routes, ("GET", "/v1/models"): rows}) as server:
        found = await look(server)
    assert found.endpoint.dialect == dialect


# ------------------------------------------------------------------ servers of this machine


async def test_servers_of_this_machine_are_found_without_a_key() -> None:
    async with (
        serve(CASES["ollama"]) as ollama,
        serve(CASES["vllm"]) as vllm,
        ScriptedProvider({}) as web,
        ScriptedProvider({}) as gone,
    ):
        await gone.__aexit__(None, None, None)
        ports = [ollama.port, vllm.port, web.port, gone.port]
        found = await find_servers(ports=ports)
        requests = [*ollama.requests, *vllm.requests, *web.requests]
    assert [(one.dialect, one.wants_key) for one in found] == [("ollama", False), ("vllm", True)]
    assert found[0].base_url == ollama.base_url
    assert found[0].label == "Ollama"
    assert all("authorization" not in request.headers for request in requests)
