"""Addresses that people paste although requests go elsewhere: what answers decides."""

from __future__ import annotations

import pytest

from tests.core.discover import replay
from tests.core.discover.replay import look
from tests.servers.scripted import (
    Behaviour,
    ScriptedProvider,
    json_reply,
    models_reply,
    text_reply,
)

WEB_PAGE = text_reply(200, "<html><title>Welcome</title></html>", "text/html")


@pytest.mark.parametrize("typed", ["/api/v1", "/api/v0", "/api/v1/models", "/api/v0/models", ""])
async def test_lm_studios_own_api_leads_to_the_one_for_chat(typed: str) -> None:
    async with ScriptedProvider(replay.lmstudio(), default=replay.lmstudio_default) as server:
        found = await look(server, typed)
    assert found.error is None
    assert found.endpoint.dialect == "lmstudio"
    assert found.endpoint.base_url == f"{server.origin}/v1"
    models = {model.id: model for model in found.models}
    assert models["text-embedding-nomic"].kind == "embedding"
    assert models["qwen3-8b"].facts["context_window"].value == 8192
    assert "context_window" not in models["llava-7b"].facts
    assert models["llava-7b"].facts["context_ceiling"].value == 4096


async def test_lm_studios_own_api_alone_says_what_to_use() -> None:
    routes = replay.lmstudio()
    del routes["GET", "/v1/models"]
    async with ScriptedProvider(routes, default=replay.lmstudio_default) as server:
        found = await look(server, "/api/v1")
    assert found.error is not None
    assert found.error.code == "path_wrong"
    assert f"{server.origin}/v1" in found.error.fix


@pytest.mark.parametrize(
    "typed", ["/api", "/api/", "/api/tags", "/api/embed", "/api/embeddings", "/api/chat", ""]
)
async def test_ollamas_own_api_leads_to_the_one_for_chat(typed: str) -> None:
    default = text_reply(404, "404 page not found")
    async with ScriptedProvider(replay.ollama(), default=default) as server:
        found = await look(server, typed)
    assert found.error is None
    assert found.endpoint.dialect == "ollama"
    assert found.endpoint.version == "0.13.5"
    assert found.endpoint.base_url == f"{server.origin}/v1"
    assert "context_ceiling" in found.models[0].facts


@pytest.mark.parametrize("typed", ["", "/v1", "/api/v1"])
@pytest.mark.parametrize("elsewhere", [text_reply(404, "{}"), WEB_PAGE])
async def test_a_gateway_under_api_is_found(typed: str, elsewhere: Behaviour) -> None:
    async with ScriptedProvider(replay.openrouter(), default=elsewhere) as server:
        found = await look(server, typed)
    assert found.error is None
    assert found.endpoint.dialect == "openrouter"
    assert found.endpoint.base_url == f"{server.origin}/api/v1"
    assert bool(found.changes) is (typed != "/api/v1")


@pytest.mark.parametrize("path", ["/engines/v1", "/api"])
async def test_other_known_places_are_tried(path: str) -> None:
    async with ScriptedProvider({("GET", f"{path}/models"): models_reply(["m"])}) as server:
        found = await look(server, "")
    assert found.endpoint.base_url == server.origin + path


async def test_text_generation_inference_tells_its_window() -> None:
    """As huggingface/text-generation-inference ``router/src/server.rs`` builds its replies."""
    info = {"router": "text-generation-router", "version": "3.3.4", "max_total_tokens": 8192}
    row = {"id": "org/model", "object": "model", "created": 0, "owned_by": "org/model"}
    routes: replay.Routes = {
        ("GET", "/v1/models"): models_reply([row]),
        ("GET", "/info"): json_reply(200, {**info, "max_input_tokens": 8191}),
    }
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    assert (found.endpoint.dialect, found.endpoint.version) == ("generic", "TGI 3.3.4")
    assert found.models[0].facts["context_window"].value == 8192
    assert found.models[0].facts["context_window"].source == "server"


async def test_localai_tells_what_its_models_are_for() -> None:
    """As mudler/LocalAI ``core/http/endpoints/openai/list_capabilities.go`` builds its replies."""
    rows = ["qwen", "eyes", "bert", "paint", "odd"]
    capable = [
        {"id": "qwen", "capabilities": ["chat"], "context_size": 8192},
        {"id": "eyes", "capabilities": ["chat", "vision"], "input_modalities": ["text", "image"]},
        {"id": "bert", "capabilities": ["embeddings"]},
        {"id": "paint", "capabilities": ["image"]},
        {"id": "odd", "capabilities": ["vad"]},
    ]
    routes: replay.Routes = {
        ("GET", "/v1/models"): models_reply([{"id": row, "object": "model"} for row in rows]),
        ("GET", "/version"): json_reply(200, {"version": "v2.28.0"}),
        ("GET", "/.well-known/localai.json"): json_reply(
            200, {"version": "v2.28.0", "endpoints": {"models": "/v1/models"}}
        ),
        ("GET", "/v1/models/capabilities"): json_reply(200, {"object": "list", "data": capable}),
    }
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    assert (found.endpoint.dialect, found.endpoint.version) == ("generic", "LocalAI v2.28.0")
    kinds = {model.id: model.kind for model in found.models}
    assert kinds == {
        "qwen": "chat",
        "eyes": "chat",
        "bert": "embedding",
        "paint": "image",
        "odd": "other",
    }
    facts = {model.id: model.facts for model in found.models}
    assert facts["qwen"]["context_window"].value == 8192
    assert facts["qwen"]["image_input"].value is False
    assert facts["eyes"]["image_input"].value is True


async def test_another_servers_info_page_says_nothing() -> None:
    routes: replay.Routes = {
        ("GET", "/v1/models"): models_reply([{"id": "m", "owned_by": "us"}]),
        ("GET", "/info"): json_reply(200, {"version": "9", "max_total_tokens": 5}),
        ("GET", "/.well-known/localai.json"): json_reply(200, {"version": "9"}),
    }
    async with ScriptedProvider(routes) as server:
        found = await look(server)
    assert found.endpoint.version is None
    assert "context_window" not in found.models[0].facts
