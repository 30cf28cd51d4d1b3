from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from core.discover.dialect import Answers
from core.discover.facts import Model
from core.discover.litellm import LiteLLM
from core.discover.wildcards import Patterns
from tests.core.discover import replay
from tests.core.discover.replay import look
from tests.servers.scripted import ScriptedProvider, json_reply, models_reply, text_reply

if TYPE_CHECKING:
    from core.discover.facts import Discovery


def deployment(name: str, upstream: str, **info: object) -> dict[str, object]:
    return {"model_name": name, "litellm_params": {"model": upstream}, "model_info": info}


async def litellm_look(
    rows: list[str],
    deployments: list[dict[str, object]],
    groups: list[dict[str, object]] | None = None,
) -> Discovery:
    routes = replay.litellm()
    routes["GET", "/v1/models"] = models_reply(rows)
    routes["GET", "/model/info"] = json_reply(200, {"data": deployments})
    routes["GET", "/model_group/info"] = json_reply(200, {"data": groups or []})
    async with ScriptedProvider(routes) as server:
        return await look(server)


async def test_of_several_deployments_the_smallest_limit_is_shown_and_said() -> None:
    found = await litellm_look(
        ["big"],
        [
            deployment("big", "openai/x", max_input_tokens=8192, supports_vision=True),
            deployment("big", "openai/y", max_input_tokens=4096, supports_vision=False),
            deployment("big", "openai/z", input_cost_per_token=0),
        ],
    )
    facts = found.models[0].facts
    assert facts["context_window"].value == 4096
    assert facts["context_window"].note.startswith("the smallest of 2 deployments")
    assert facts["image_input"].value is False
    assert facts["input_cost"].value == 0.0
    assert "output_cost" not in facts


async def test_a_wildcards_models_say_where_they_come_from() -> None:
    found = await litellm_look(
        ["wild/gpt-4o", "own"],
        [deployment("wild/*", "openai/*"), deployment("own", "ollama_chat/own")],
    )
    assert found.models[0].facts["wildcard"].value == "wild/*"
    assert "wildcard" not in found.models[1].facts
    assert "wild/*" in found.warnings[0].what
    assert "price list" in found.warnings[0].why


async def test_what_a_price_list_says_is_of_the_catalogue() -> None:
    group = {"model_group": "wild/m", "max_input_tokens": 9000.0, "mode": "chat"}
    found = await litellm_look(["wild/m"], [deployment("wild/*", "openai/*")], [group])
    facts = found.models[0].facts
    assert (facts["context_window"].value, facts["context_window"].source) == (9000, "catalogue")
    assert facts["kind"].source == "catalogue"
    assert facts["wildcard"].source == "server"


async def test_a_wildcard_that_lists_nothing_is_explained() -> None:
    found = await litellm_look([], [deployment("hosted_vllm/*", "hosted_vllm/*")])
    assert found.error is None
    assert any("no list" in one.why for one in found.warnings)


async def test_without_model_info_the_group_and_then_the_list_are_read() -> None:
    routes = replay.litellm()
    del routes["GET", "/model/info"]
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    facts = found.models[0].facts
    assert facts["context_window"].value == 4096
    assert facts["tools"].value is True
    assert "image_input" not in facts, "false in the group's row may mean unknown"
    del routes["GET", "/model_group/info"]
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    assert found.models[0].facts["context_window"].value == 4096
    assert "tools" not in found.models[0].facts


async def test_models_of_a_price_list_are_sorted_by_their_names() -> None:
    async with ScriptedProvider(replay.litellm("litellm/wildcard-models")) as server:
        found = await look(server)
    kinds = {model.id: model.kind for model in found.models}
    assert kinds["wild/gpt-image-2.5-flare"] == "image"
    assert kinds["wild/gpt-realtime-2"] == "audio"
    assert kinds["wild/gpt-4o-mini-audio-preview-2024-12-17"] == "audio"
    assert kinds["wild/sora-2"] == "other"
    assert kinds["wild/gpt-5.4-nano"] == "chat"
    nano = next(model for model in found.models if model.id == "wild/gpt-5.4-nano")
    assert nano.facts["context_window"].source == "pattern"
    assert nano.facts["kind"].source == "default"


# ------------------------------------------------------------------ deployments of one name


async def test_deployments_that_differ_show_what_holds_for_each() -> None:
    found = await litellm_look(
        ["mixed"],
        [
            deployment("mixed", "hosted_vllm/qwen3", supports_function_calling=True),
            deployment("mixed", "ollama_chat/llama3", supports_function_calling=None),
            deployment("mixed", "openai/gpt-4o", mode="chat", supports_function_calling=True),
        ],
        [{"model_group": "mixed", "supports_function_calling": True, "max_input_tokens": 9e5}],
    )
    facts = found.models[0].facts
    assert facts["upstream"].value == "hosted_vllm/qwen3, ollama_chat/llama3, openai/gpt-4o"
    assert facts["upstream"].note == "3 deployments behind one name"
    assert "tools" not in facts, "one deployment does not say, and the group tells of the best"
    assert "context_window" not in facts, "the group's limit is that of its largest"
    assert "image_input" not in facts, "only one of the three is known to see by its name"


@pytest.mark.parametrize(
    ("api_base", "note"),
    [
        ("http://gpu-box:8000/v1", "at gpu-box:8000"),
        ("https://user:pa55@gpu.acme.lan/v1?key=sk-x", "at gpu.acme.lan"),
        ("", ""),
        (None, ""),
    ],
)
async def test_where_a_deployment_runs_is_told_without_secrets(
    api_base: str | None, note: str
) -> None:
    one = deployment("m", "hosted_vllm/m")
    one["litellm_params"] = {"model": "hosted_vllm/m", "api_base": api_base}
    found = await litellm_look(["m"], [one])
    assert found.models[0].facts["upstream"].note == note


async def test_deployments_of_several_kinds_are_not_taken_for_chat() -> None:
    found = await litellm_look(
        ["both"],
        [deployment("both", "a/b", mode="chat"), deployment("both", "a/c", mode="embedding")],
    )
    assert found.models[0].kind == "embedding"
    assert "several kinds" in found.models[0].facts["kind"].note


@pytest.mark.parametrize("info", [True, False])
async def test_a_groups_zero_price_and_its_false_are_no_facts(info: bool) -> None:
    found = await litellm_look(
        ["m"],
        [deployment("m", "openai/m", input_cost_per_token=None)] if info else [],
        [{"model_group": "m", "input_cost_per_token": 0.0, "supports_vision": False}],
    )
    assert "input_cost" not in found.models[0].facts
    assert "image_input" not in found.models[0].facts


async def test_a_groups_best_is_said_to_be_that() -> None:
    group = {"model_group": "m", "providers": ["a", "b"], "max_input_tokens": 8192.0}
    found = await litellm_look(["m"], [], [group])
    assert found.models[0].facts["context_window"].value == 8192
    assert "best of several" in found.models[0].facts["context_window"].note


# ------------------------------------------------------------------ wildcards


async def test_a_pattern_is_no_model_to_choose() -> None:
    found = await litellm_look(["hosted_vllm/*", "own"], [deployment("own", "openai/own")])
    assert [model.id for model in found.models] == ["own"]
    assert any("hosted_vllm/*" in one.what for one in found.warnings)


@pytest.mark.parametrize(
    ("model_id", "serving"),
    [
        ("openai/gpt-4o", "openai/gpt-*"),
        ("openai/o3", "openai/*"),
        ("azure/x-mini", "*/x-mini"),
        ("a/b-c-d", "a/*-c-*"),
        ("a/c", "*"),
        ("", "*"),
    ],
)
def test_the_most_exact_pattern_serves(model_id: str, serving: str) -> None:
    names = ["plain", "*", "openai/*", "openai/gpt-*", "*/x-mini", "a/*-c-*"]
    assert Patterns(names).serving(model_id) == serving


def test_without_a_pattern_that_fits_nothing_serves() -> None:
    assert Patterns(["a/*", "a*a"]).serving("a") == ""
    assert Patterns([]).serving("a") == ""


async def test_of_many_patterns_a_few_are_told_one_by_one() -> None:
    found = await litellm_look([], [deployment(f"p{n}/*", f"p{n}/*") for n in range(40)])
    told = [one for one in found.warnings if one.code == "model_unknown"]
    assert len(told) == 6
    assert told[-1].what.startswith("35 more entries")


@pytest.mark.parametrize("wild", ["p{}/*", "p{}*m*", "p*{}*"])
def test_many_models_under_many_patterns_cost_little(wild: str) -> None:
    rows = tuple({"id": f"p{n % 2000}/model-{n}"} for n in range(20_000))
    entries = [deployment(wild.format(n), "x/*") for n in range(2000)]
    answers = Answers(rows, {"/model/info": {"data": entries}})
    started = time.process_time()
    read = LiteLLM().read(answers)
    assert len(read.models) == 20_000
    assert time.process_time() - started < 6


# ------------------------------------------------------------------ the version


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/health/readiness/details", {"litellm_version": "1.106.2"}),
        ("/health/readiness", {"litellm_version": "1.106.2"}),
        ("/public/model_hub/info", {"litellm_version": "1.106.2"}),
    ],
)
async def test_the_version_is_read_where_the_proxy_tells_it(
    path: str, body: dict[str, str]
) -> None:
    routes = {**replay.litellm(), ("GET", path): json_reply(200, body)}
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    assert found.endpoint.version == "1.106.2"


async def test_that_page_alone_makes_no_litellm() -> None:
    routes: replay.Routes = {
        ("GET", "/public/model_hub/info"): json_reply(200, {"litellm_version": "1"}),
        ("GET", "/"): text_reply(200, "hello"),
        ("GET", "/v1/models"): models_reply([{"id": "m", "owned_by": "us"}]),
    }
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    assert found.endpoint.dialect == "generic"


@pytest.mark.parametrize(
    ("names", "ids", "said"),
    [
        (["v/*-x", "v/*"], ["v/m-x"], []),
        (["v/*-x"], [f"v/m{n}" for n in range(1000)], []),
        (["a*" * 9 + "c"], ["a" * 150], ["1 of the entries with a star in the middle"]),
        ([f"*-{n}" for n in range(60)], ["v"], ["10 of the entries with a star in the middle"]),
        (
            [f"a*{n:02d}a" for n in range(50)],
            ["a" * 150 + str(n) for n in range(7000)],
            ["The entries with a star in the middle"],
        ),
    ],
)
def test_no_list_of_patterns_costs_more_than_a_bound_and_what_is_left_out_is_told(
    names: list[str], ids: list[str], said: list[str]
) -> None:
    patterns = Patterns(names)
    models = [Model(one, "chat", {}) for one in ids]
    for model in models:
        patterns.serving(model.id)
    told = [one.what for one in patterns.warnings(models) if one.code == "too_large"]
    assert len(told) == len(said)
    for words, begins in zip(told, said, strict=True):
        assert words.startswith(begins)
