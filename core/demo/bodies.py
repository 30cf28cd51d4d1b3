"""The JSON of the demo's replies, shaped as a LiteLLM proxy (1.106) shapes them.

Pure: values in, bytes out.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from core.demo.models import DEMO_MODELS
from core.demo.tokens import count, tokens

if TYPE_CHECKING:
    from core.demo.models import DemoModel
    from core.demo.script import Counts, Piece, Script

LISTED_AT: Final = 1_677_610_602
"""LiteLLM gives every row of its list this time; readers recognise it by that."""
ROOT_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>turnkey demo provider</title></head><body>"
    b"<p>This is turnkey's demo provider. It speaks as a LiteLLM proxy does; no model is behind "
    b"it.</p></body></html>"
)
ALIVE: Final = b'"I\'m alive!"'
HEALTHY: Final = b'{"status":"healthy","db":"Not connected"}'
NOT_FOUND: Final = b'{"detail":"Not Found"}'
NOT_ALLOWED: Final = b'{"detail":"Method Not Allowed"}'
DONE: Final = b"data: [DONE]\n\n"


def encode(value: object) -> bytes:
    """``value`` as compact JSON."""
    return msgspec.json.encode(value)


def event(value: object) -> bytes:
    """``value`` as one server-sent event."""
    return b"data: " + encode(value) + b"\n\n"


# ---------------------------------------------------------------------------- models


def model_row(model: DemoModel) -> dict[str, object]:
    """A row of ``/v1/models``: facts stand there only when they are known."""
    row: dict[str, object] = {
        "id": model.id,
        "object": "model",
        "created": LISTED_AT,
        "owned_by": "openai",
    }
    if model.says_mode:
        row["mode"] = model.mode
    if model.context_window is not None:
        row["max_input_tokens"] = model.context_window
    if model.max_output_tokens is not None:
        row["max_output_tokens"] = model.max_output_tokens
    return row


def model_list() -> dict[str, object]:
    """The body of ``/v1/models``."""
    return {"data": [model_row(model) for model in DEMO_MODELS], "object": "list"}


def info_row(model: DemoModel) -> dict[str, object]:
    """A row of ``/model/info``; what is not known is null, as LiteLLM has it."""
    return {
        "model_name": model.id,
        "litellm_params": {
            "model": f"openai/{model.id}",
            "merge_reasoning_content_in_choices": False,
        },
        "model_info": {
            "id": deployment_id(model.id),
            "db_model": False,
            "key": f"openai/{model.id}",
            "description": model.summary,
            "mode": model.mode if model.says_mode else None,
            "max_tokens": model.max_output_tokens,
            "max_input_tokens": model.context_window,
            "max_output_tokens": model.max_output_tokens,
            "input_cost_per_token": model.input_cost,
            "output_cost_per_token": model.output_cost,
            "cache_read_input_token_cost": None,
            "litellm_provider": "openai",
            "supports_system_messages": None,
            "supports_response_schema": None,
            "supports_vision": False if model.supports_tools is not None else None,
            "supports_function_calling": model.supports_tools,
            "supports_tool_choice": model.supports_tools,
            "supports_reasoning": model.supports_reasoning,
        },
    }


def info_list() -> dict[str, object]:
    """The body of ``/model/info``."""
    return {"data": [info_row(model) for model in DEMO_MODELS]}


def group_list() -> dict[str, object]:
    """The body of ``/model_group/info``: limits as floats, unknown capabilities false."""
    return {
        "data": [
            {
                "model_group": model.id,
                "providers": ["openai"],
                "max_input_tokens": _float(model.context_window),
                "max_output_tokens": _float(model.max_output_tokens),
                "input_cost_per_token": model.input_cost,
                "output_cost_per_token": model.output_cost,
                "mode": model.mode if model.says_mode else None,
                "supports_vision": False,
                "supports_reasoning": bool(model.supports_reasoning),
                "supports_function_calling": bool(model.supports_tools),
                "supported_reasoning_efforts": None,
            }
            for model in DEMO_MODELS
        ]
    }


def deployment_id(model_id: str) -> str:
    """The id that LiteLLM would give this deployment: 64 hexadecimal digits, always the same."""
    return hashlib.sha256(f"turnkey-demo/{model_id}".encode()).hexdigest()


def _float(number: int | None) -> float | None:
    return None if number is None else float(number)


# ---------------------------------------------------------------------------- chat


def usage(counts: Counts) -> dict[str, object]:
    """The ``usage`` object. A model that leaks its thinking cannot tell how much it was."""
    told: dict[str, object] = {
        "completion_tokens": counts.completion,
        "prompt_tokens": counts.prompt,
        "total_tokens": counts.completion + counts.prompt,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    if counts.reports_thinking:
        told["completion_tokens_details"] = {
            "reasoning_tokens": counts.thinking,
            "text_tokens": counts.answer,
        }
    return told


class Exchange(msgspec.Struct, frozen=True):
    """What all chunks of one reply share."""

    id: str
    model: str
    created: int
    """Seconds since 1970."""

    def chunk(self, delta: dict[str, object], finish: str | None = None) -> dict[str, object]:
        """A ``chat.completion.chunk`` with one choice."""
        choice: dict[str, object] = {"index": 0, "delta": delta}
        if finish is not None:
            choice = {"finish_reason": finish, **choice}
        return {
            "id": self.id,
            "created": self.created,
            "model": self.model,
            "object": "chat.completion.chunk",
            "system_fingerprint": "turnkey-demo",
            "choices": [choice],
        }

    def opening(self) -> bytes:
        """The first event: the role alone, which is no token."""
        return event(self.chunk({"role": "assistant"}))

    def piece(self, piece: Piece) -> bytes:
        """One token as an event."""
        if piece.kind == "thinking":
            return event(self.chunk({"reasoning_content": piece.text}))
        if piece.kind == "answer":
            return event(self.chunk({"content": piece.text}))
        called: dict[str, object] = {
            "index": piece.call,
            "type": "function",
            "function": {"arguments": piece.text},
        }
        if piece.opens is not None:
            called["id"] = self.call_id(piece.call)
            called["function"] = {"arguments": piece.text, "name": piece.opens}
        return event(self.chunk({"tool_calls": [called]}))

    def closing(self, script: Script, *, with_usage: bool) -> bytes:
        """Finish reason, usage if it was asked for (beside an empty choice), and ``[DONE]``."""
        events = event(self.chunk({}, script.finish))
        if with_usage:
            events += event({**self.chunk({}), "usage": usage(script.counts)})
        return events + DONE

    def whole(self, script: Script) -> dict[str, object]:
        """The reply that is not streamed.

        Tags in the answer are split off here, as LiteLLM does in plain replies and only there.
        """
        thinking = "".join(p.text for p in script.pieces if p.kind == "thinking")
        text = "".join(p.text for p in script.pieces if p.kind == "answer")
        if text.startswith("<think>") and "</think>" in text:
            leaked, _, text = text.removeprefix("<think>").partition("</think>")
            thinking, text = leaked, text.lstrip("\n")
        calls = [
            {
                "id": self.call_id(opener.call),
                "type": "function",
                "function": {
                    "name": opener.opens,
                    "arguments": "".join(
                        p.text for p in script.pieces if p.kind == "call" and p.call == opener.call
                    ),
                },
            }
            for opener in script.pieces
            if opener.opens is not None
        ]
        message: dict[str, object] = {"content": text, "role": "assistant"}
        if thinking:
            message["reasoning_content"] = thinking
        if calls:
            message["tool_calls"] = calls
        return {
            "id": self.id,
            "created": self.created,
            "model": self.model,
            "object": "chat.completion",
            "system_fingerprint": "turnkey-demo",
            "choices": [{"finish_reason": script.finish, "index": 0, "message": message}],
            "usage": usage(script.counts),
        }

    def call_id(self, index: int) -> str:
        """The id of the reply's tool call number ``index``."""
        return f"call_{self.id.removeprefix('chatcmpl-')}_{index}"


def embeddings(model: DemoModel, texts: list[str]) -> dict[str, object]:
    """The body of ``/v1/embeddings``: eight numbers a text, made from a digest of it."""
    used = sum(count(text) for text in texts)
    return {
        "object": "list",
        "model": model.id,
        "data": [
            {"object": "embedding", "index": place, "embedding": _vector(text)}
            for place, text in enumerate(texts)
        ],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def _vector(text: str) -> list[float]:
    digest = hashlib.sha256("".join(tokens(text)).encode()).digest()
    return [round(value / 127.5 - 1, 6) for value in digest[:8]]


# ---------------------------------------------------------------------------- errors


def error(
    status: int,
    message: str,
    kind: str = "invalid_request_error",
    param: str | None = None,
    extra: dict[str, object] | None = None,
) -> dict[str, object]:
    """An error body: LiteLLM's ``code`` is the status, as text."""
    shown = {"message": message, "type": kind, "param": param, "code": str(status)}
    return {"error": {**shown, **(extra or {})}}


def unknown_model(model: object) -> dict[str, object]:
    """The refusal of a model id that is not served."""
    words = (
        f"/chat/completions: Invalid model name passed in model={model}. "
        "Call `/v1/models` to view available models for your key."
    )
    return error(400, words, extra={"provider_specific_fields": {"error": words}})


def group_error(status: int, message: str, model: DemoModel) -> dict[str, object]:
    """An upstream's refusal as LiteLLM passes it on, with the suffix that names the group."""
    suffix = (
        f"\n\nLiteLLM: model group '{model.id}' failed with the error above. "
        "No fallback was attempted."
    )
    return error(status, message + suffix)


KEY_MISSING: Final = encode(
    error(401, "Authentication Error, No api key passed in.", "auth_error", "None")
)
KEY_REFUSED: Final = encode(
    error(
        401,
        "Authentication Error, Invalid proxy server token passed. This is turnkey's demo "
        "provider: it takes only the demo key. Unable to find token in cache or "
        "`LiteLLM_VerificationTokenTable`",
        "token_not_found_in_db",
        "key",
    )
)
