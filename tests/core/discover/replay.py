"""Recorded servers as scripted ones: the routes that each of the transcripts stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.discover.discover import discover
from core.keys.secret import Secret
from core.wire.bounds import Bounds
from tests.servers.scripted import (
    NOT_FOUND,
    Behaviour,
    Recorded,
    Route,
    ScriptedProvider,
    json_reply,
    reply,
    text_reply,
    wants_key,
)
from tests.servers.transcripts import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.discover.facts import Discovery

PLAIN_KEY: Final = "sk-good"
KEY: Final = Secret(PLAIN_KEY)
QUICK: Final = Bounds(connect_s=2.0, first_byte_s=2.0, silence_s=2.0, total_s=5.0)
Routes = dict[tuple[str, str], Route]


async def look(server: ScriptedProvider, path: str = "/v1", key: Secret | None = KEY) -> Discovery:
    """Discover the scripted server at ``path``."""
    return await discover(server.origin + path, key, bounds=QUICK)


def replayed(name: str) -> Behaviour:
    """The recorded reply, as it was."""
    one = load(name)
    kept = {k: v for k, v in one.headers.items() if k != "content-type"}
    return reply(one.status, one.body, one.headers.get("content-type", ""), kept)


def keyed(name: str, refused: str, missing: str) -> Route:
    """The recorded reply for the right key, recorded refusals for a wrong or missing one."""

    def choose(request: Recorded) -> Behaviour:
        if request.bearer is None:
            return replayed(missing)
        return replayed(name if request.bearer == PLAIN_KEY else refused)

    return choose


def litellm(models: str = "litellm/two-models") -> Routes:
    bad, none = "litellm/error-models-bad-key", "litellm/error-models-no-key"
    return {
        ("GET", "/"): replayed("litellm/meta-root"),
        ("GET", "/health/liveliness"): replayed("litellm/meta-health-liveliness"),
        ("GET", "/v1/models"): keyed(models, bad, none),
        ("GET", "/models"): keyed(models, bad, none),
        ("GET", "/model/info"): keyed("litellm/two-meta-model-info", bad, none),
        ("GET", "/model_group/info"): keyed("litellm/meta-model-group-info", bad, none),
    }


def vllm() -> Routes:
    bad, none = "vllm/error-models-bad-key", "vllm/error-models-no-key"
    return {
        ("GET", "/version"): replayed("vllm/meta-version-no-key"),
        ("GET", "/v1/models"): keyed("vllm/models", bad, none),
    }


def llamacpp() -> Routes:
    bad, none = "llamacpp/error-bad-key", "llamacpp/error-models-no-key"
    return {
        ("GET", "/v1/models"): keyed("llamacpp/models", bad, none),
        ("GET", "/models"): keyed("llamacpp/models", bad, none),
        ("GET", "/props"): keyed("llamacpp/meta-props", bad, none),
        ("GET", "/version"): keyed("llamacpp/meta-not-found", bad, none),
        ("GET", "/"): text_reply(200, "<html><title>llama.cpp</title></html>", "text/html"),
    }


def llamacpp_router(models: str = "llamacpp-variants/router-models") -> Routes:
    return {
        ("GET", "/v1/models"): replayed(models),
        ("GET", "/props"): replayed("llamacpp-variants/router-meta-props"),
        ("GET", "/version"): replayed("llamacpp/meta-not-found"),
    }


def llamacpp_loading() -> Routes:
    loading = replayed("llamacpp-variants/loading-models")
    return {("GET", path): loading for path in ("/v1/models", "/models", "/props", "/version")}


def transformers() -> Routes:
    return {("GET", "/v1/models"): replayed("transformers/models")}


def ollama() -> Routes:
    """As ollama/ollama's ``docs/api.md`` shows its replies."""
    shown: Mapping[str, object] = {
        "qwen3:8b": {
            "capabilities": ["completion", "tools", "thinking"],
            "parameters": "temperature 0.6\nnum_ctx                        16384\n",
            "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960},
        },
        "gemma3:4b": {
            "capabilities": ["completion", "vision"],
            "model_info": {"general.architecture": "gemma3", "gemma3.context_length": 131072},
        },
        "nomic-embed-text:latest": {"capabilities": ["embedding"], "model_info": {}},
    }

    def show(request: Recorded) -> Behaviour:
        return json_reply(200, shown.get(str(request.field("model"))))

    return {
        ("GET", "/"): text_reply(200, "Ollama is running"),
        ("GET", "/api/version"): json_reply(200, {"version": "0.13.5"}),
        ("GET", "/version"): text_reply(404, "404 page not found"),
        ("GET", "/v1/models"): json_reply(
            200,
            {
                "object": "list",
                "data": [
                    {"id": name, "object": "model", "created": 1, "owned_by": "library"}
                    for name in shown
                ],
            },
        ),
        ("GET", "/api/tags"): json_reply(
            200, {"models": [{"name": name, "digest": "d"} for name in shown]}
        ),
        ("GET", "/api/ps"): json_reply(
            200, {"models": [{"name": "gemma3:4b", "context_length": 4096, "size_vram": 1}]}
        ),
        ("POST", "/api/show"): show,
    }


def lmstudio_default(request: Recorded) -> Behaviour:
    text = f"Unexpected endpoint or method. ({request.method} {request.path}). Returning 200 anyway"
    return json_reply(200, {"error": text}, {"x-powered-by": "Express"})


def lmstudio() -> Routes:
    """As lmstudio-ai/docs ``2_rest/list.md`` and ``endpoints.mdx`` show its replies."""
    rows = ["qwen3-8b", "llava-7b", "text-embedding-nomic"]
    return {
        ("GET", "/v1/models"): json_reply(
            200,
            {
                "object": "list",
                "data": [
                    {"id": row, "object": "model", "owned_by": "organization_owner"} for row in rows
                ],
            },
        ),
        ("GET", "/api/v1/models"): json_reply(
            200,
            {
                "models": [
                    {
                        "key": "qwen3-8b",
                        "type": "llm",
                        "loaded_instances": [
                            {"id": "qwen3-8b", "config": {"context_length": 8192}}
                        ],
                        "max_context_length": 40960,
                        "capabilities": {
                            "vision": False,
                            "trained_for_tool_use": True,
                            "reasoning": {"allowed_options": ["off", "on"], "default": "on"},
                        },
                    },
                    {"key": "text-embedding-nomic", "type": "embedding", "loaded_instances": []},
                ]
            },
        ),
        ("GET", "/api/v0/models"): json_reply(
            200,
            {
                "object": "list",
                "data": [
                    {
                        "id": "llava-7b",
                        "type": "vlm",
                        "state": "not-loaded",
                        "max_context_length": 4096,
                        "capabilities": [],
                    }
                ],
            },
        ),
    }


def sglang() -> Routes:
    """As sgl-project/sglang ``srt/entrypoints/http_server.py`` builds its replies."""
    return {
        ("GET", "/"): json_reply(200, "SGLang is running"),
        ("GET", "/v1/models"): wants_key(
            PLAIN_KEY,
            json_reply(
                200,
                {
                    "object": "list",
                    "data": [
                        {
                            "id": "qwen",
                            "owned_by": "sglang",
                            "root": "qwen",
                            "max_model_len": 32768,
                        },
                        {"id": "qwen:lora", "owned_by": "sglang", "max_model_len": None},
                    ],
                },
            ),
        ),
        ("GET", "/get_model_info"): json_reply(
            200, {"is_generation": True, "has_image_understanding": False}
        ),
        ("GET", "/server_info"): json_reply(
            200,
            {"version": "0.5.23", "tool_call_parser": None, "reasoning_parser": "qwen3"},
        ),
    }


def openrouter() -> Routes:
    """As openrouter.ai's API reference shows a row."""
    return {
        ("GET", "/api/v1/models"): json_reply(
            200,
            {
                "data": [
                    {
                        "id": "qwen/qwen3-coder",
                        "canonical_slug": "qwen/qwen3-coder-2507",
                        "context_length": 262144,
                        "architecture": {
                            "input_modalities": ["text"],
                            "output_modalities": ["text"],
                        },
                        "pricing": {"prompt": "0.00000022", "completion": "0", "request": "0"},
                        "top_provider": {"max_completion_tokens": 65536},
                        "supported_parameters": ["tools", "tool_choice", "max_tokens"],
                    },
                    {
                        "id": "google/image",
                        "canonical_slug": "google/image",
                        "architecture": {
                            "input_modalities": ["text", "image"],
                            "output_modalities": ["image"],
                        },
                        "pricing": {"prompt": "-1", "completion": "-1"},
                    },
                ]
            },
        )
    }


def anthropic() -> Routes:
    """As docs.anthropic.com shows its list."""
    return {
        ("GET", "/v1/models"): wants_key(
            PLAIN_KEY,
            json_reply(
                200,
                {
                    "data": [
                        {
                            "type": "model",
                            "id": "claude-sonnet-4-5-20250929",
                            "display_name": "Claude Sonnet 4.5",
                            "created_at": "2025-09-29T00:00:00Z",
                        }
                    ],
                    "has_more": False,
                },
            ),
        )
    }


DEFAULT = NOT_FOUND
