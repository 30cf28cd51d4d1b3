"""The body of a request to an Anthropic-compatible gateway: ``POST /v1/messages``.

Pi calls the dialect ``anthropic-messages`` (badlogic/pi-mono packages/ai); LiteLLM, vLLM, SGLang
and llama.cpp serve it beside chat completions (docs.anthropic.com, «Messages»).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from core.providers.base_url import BaseUrl
    from core.wire.chat import ChatRequest

HEADERS: Final = {"anthropic-version": "2023-06-01"}
"""The dialect's version, which its servers want named. It is the only one there is."""
NEEDED_TOKENS: Final = 1024
"""The output limit where none was asked for: the dialect wants one."""


def messages_url(base: BaseUrl) -> str:
    """The endpoint: below ``/v1``, which base URLs of this dialect often leave out."""
    return base.url + ("/messages" if base.path.endswith("/v1") else "/v1/messages")


def messages_body(request: ChatRequest) -> bytes:
    """``request`` as JSON. A conversation in ``messages`` goes as it is."""
    words = [{"type": "text", "text": request.prompt}]
    body: dict[str, object] = {
        "model": request.model,
        "max_tokens": request.max_tokens or NEEDED_TOKENS,
        "messages": list(request.messages) or [{"role": "user", "content": words}],
        "stream": True,
    }
    if request.system is not None and not request.messages:
        body["system"] = request.system
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
    body.update(request.extra)
    return msgspec.json.encode(body)
