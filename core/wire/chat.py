"""The body of a chat request, shaped as Warden's engine shapes it, and the one change it bears.

Warden's lanes run on Pi, whose requests always stream, send the user's words as a list of parts
and the system prompt as a string (badlogic/pi-mono packages/ai, ``openai-completions``). A check
that sent another shape would prove nothing about the lanes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from core.errors import Fault

TokenCapField = Literal["max_tokens", "max_completion_tokens"]
"""The two names under which servers take the output limit."""


class Tool(msgspec.Struct, frozen=True):
    """A function that the model may call; ``parameters`` is its JSON schema."""

    name: str
    description: str
    parameters: dict[str, object]


Api = Literal["openai-completions", "anthropic-messages"]
"""The dialects that are spoken, by Pi's names (badlogic/pi-mono packages/ai)."""


class ChatRequest(msgspec.Struct, frozen=True):
    """One streamed chat request, as data."""

    model: str
    prompt: str = ""
    system: str | None = None
    max_tokens: int | None = None
    """The output limit in tokens; None sends none."""
    token_cap_field: TokenCapField = "max_tokens"  # noqa: S105  # tokens of text
    include_usage: bool = True
    """Ask for token counts at the end of the stream."""
    running_usage: bool = False
    """Ask for token counts on every chunk too (``continuous_usage_stats``: vLLM, SGLang)."""
    tools: tuple[Tool, ...] = ()
    messages: tuple[dict[str, object], ...] = ()
    """A conversation to send word for word, instead of ``system`` and ``prompt``."""
    api: Api = "openai-completions"
    """Which dialect it is put in; Warden's lanes speak the first alone."""
    extra: dict[str, object] = {}
    """More top-level fields. They are merged last and win, as Pi's ``samplingParams`` do."""


def chat_body(request: ChatRequest) -> bytes:
    """``request`` as the JSON body of ``POST <base>/chat/completions``."""
    body: dict[str, object] = {
        "model": request.model,
        "messages": list(request.messages) or _messages(request),
        "stream": True,
    }
    if request.include_usage:
        options = {"include_usage": True}
        if request.running_usage:
            options["continuous_usage_stats"] = True
        body["stream_options"] = options
    if request.max_tokens is not None:
        body[request.token_cap_field] = request.max_tokens
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in request.tools
        ]
    body.update(request.extra)
    return msgspec.json.encode(body)


def _messages(request: ChatRequest) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = []
    if request.system is not None:
        messages.append({"role": "system", "content": request.system})
    messages.append({"role": "user", "content": [{"type": "text", "text": request.prompt}]})
    return messages


# These say something about the caller or the moment, never about a field.
_NOT_ABOUT_A_FIELD: Final = frozenset({401, 403, 404, 408, 429})
# «max_tokens is too large» names the field as well, and another name would not cure it.
_REFUSES: Final = re.compile(
    r"unsupported|not supported|n't support|unrecogni[sz]ed|unknown|unexpected|not permitted"
    r"|not allowed|extra inputs|forbidden|use '?\"?`?max_|instead|drop_params",
    re.IGNORECASE,
)


def adapted(request: ChatRequest, fault: Fault, status: int) -> ChatRequest | None:
    """The same request without the field that a 4xx named, or with its other name.

    ``stream_options`` (or a part of it) is left out; ``max_tokens`` and ``max_completion_tokens``
    stand in for each other. None when the refusal names neither, or when a change would not help.
    ``fault`` holds the server's words in ``what`` and ``why``.
    """
    if not 400 <= status < 500 or status in _NOT_ABOUT_A_FIELD:
        return None
    if fault.code in {"context_overflow", "model_unknown", "key_refused", "key_missing"}:
        return None
    words = f"{fault.what} {fault.why}"
    if request.running_usage and "continuous_usage_stats" in words:
        return msgspec.structs.replace(request, running_usage=False)
    if request.include_usage and ("stream_options" in words or "include_usage" in words):
        return msgspec.structs.replace(request, include_usage=False, running_usage=False)
    if request.max_tokens is None or request.token_cap_field in request.extra:
        return None
    # The field's own name, not as the end of the other one.
    named = re.search(rf"(?<![A-Za-z_]){request.token_cap_field}(?![A-Za-z_])", words)
    if named and _REFUSES.search(words):
        other: TokenCapField = (
            "max_tokens"
            if request.token_cap_field == "max_completion_tokens"  # noqa: S105
            else "max_completion_tokens"
        )
        return msgspec.structs.replace(request, token_cap_field=other)
    return None
