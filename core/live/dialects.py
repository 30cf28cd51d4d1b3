"""The dialects of a streamed request: where it goes, what its body is, who reads the reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.live.messages import MessagesReader
from core.live.reader import EventReader
from core.wire.chat import ChatRequest, chat_body
from core.wire.messages import HEADERS, messages_body, messages_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl


def put(request: ChatRequest, base: BaseUrl) -> tuple[str, bytes, Mapping[str, str]]:
    """URL, body and the headers that only this dialect has."""
    if request.api == "anthropic-messages":
        return messages_url(base), messages_body(request), HEADERS
    return base.url + "/chat/completions", chat_body(request), {}


def reader_for(
    request: ChatRequest, base: BaseUrl, key: Secret | None
) -> EventReader | MessagesReader:
    """The reader of the reply to ``request``."""
    kind = MessagesReader if request.api == "anthropic-messages" else EventReader
    return kind(base, model=request.model, key=key)
