"""A chat reply that came whole, out of its JSON: OpenAI's shape, or Anthropic's messages. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.live.chunk import call_arguments, content_parts, details_reasoning
from core.live.verdict import ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping


class Plain(msgspec.Struct, frozen=True):
    """What a whole reply says; empty where it says nothing."""

    answer: str = ""
    thinking: str = ""
    thinking_field: str | None = None
    calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    usage: object = None
    model: str | None = None


def read_plain(body: bytes) -> Plain:
    """The reply in ``body``; an empty one when it is no such reply. Never raises."""
    try:
        top: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Plain()
    if not isinstance(top, dict):
        return Plain()
    model = top.get("model")
    served = model if isinstance(model, str) else None
    choices = top.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        message = choices[0].get("message")
        if isinstance(message, dict):
            return _message(message, _text(choices[0].get("finish_reason")), top, served)
    if isinstance(top.get("content"), list):
        return _message(top, _text(top.get("stop_reason")), top, served)
    return Plain(usage=top.get("usage"), model=served)


def _message(
    message: Mapping[str, object], finish: str | None, top: Mapping[str, object], model: str | None
) -> Plain:
    thinking, field = "", None
    for name in ("reasoning_content", "reasoning", "reasoning_text"):
        value = message.get(name)
        if isinstance(value, str) and value:
            thinking, field = value, name
            break
    else:
        thinking = details_reasoning(message.get("reasoning_details"))
    content = message.get("content")
    answer = content if isinstance(content, str) else ""
    if isinstance(content, list):
        told, answer = content_parts(content)
        if told and not thinking:
            thinking, field = told, "parts"
    before, tag, after = answer.partition("</think>")
    if tag and not thinking:
        thinking, answer, field = before.replace("<think>", "", 1).strip(), after.lstrip(), "tags"
    calls = message.get("tool_calls")
    return Plain(
        answer=answer,
        thinking=thinking,
        thinking_field=field,
        calls=tuple(_calls(calls)) if isinstance(calls, list) else (),
        finish_reason=finish,
        usage=top.get("usage"),
        model=model,
    )


def _calls(calls: list[object]) -> list[ToolCall]:
    found: list[ToolCall] = []
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(call, dict) and isinstance(function, dict):
            found.append(
                ToolCall(
                    _text(call.get("id")) or "",
                    _text(function.get("name")) or "",
                    call_arguments(function.get("arguments")),
                )
            )
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
