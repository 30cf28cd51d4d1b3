"""One ``chat.completion.chunk`` decoded: quickly when it has the usual shape, leniently else.

Only the frame is typed; every leaf is ``object`` and looked at by whoever reads it, so a server
that puts a number where others put a text costs that one field and nothing more.
"""

from __future__ import annotations

import json
from typing import Final

import msgspec


class Function(msgspec.Struct, gc=False):
    """The ``function`` of a tool call's piece."""

    name: object = None
    arguments: object = None


class ToolCallPiece(msgspec.Struct, gc=False):
    """One element of ``delta.tool_calls``."""

    index: object = None
    id: object = None
    function: Function | None = None


class Delta(msgspec.Struct, gc=False):
    """What one chunk adds, under every name that servers use for thinking."""

    content: object = None
    reasoning_content: object = None
    reasoning: object = None
    reasoning_text: object = None
    reasoning_details: object = None
    tool_calls: list[ToolCallPiece] | None = None


class Choice(msgspec.Struct, gc=False):
    """One element of ``choices``."""

    index: object = 0
    delta: Delta | None = None
    finish_reason: object = None
    usage: object = None


class Chunk(msgspec.Struct, gc=False, rename={"kind": "object"}):
    """A chunk, and beside it the members that only some servers send."""

    choices: list[Choice] | None = None
    model: object = None
    usage: object = None
    timings: object = None
    prompt_progress: object = None
    error: object = None
    kind: object = None
    detail: object = None
    message: object = None


_REASONING_TYPES: Final = frozenset({"reasoning", "thinking", "reasoning_text", "summary_text"})
_DECODER: Final = msgspec.json.Decoder(Chunk)


def decode_chunk(payload: bytes) -> Chunk | None:
    """The chunk in ``payload``; None when it is not a JSON object at all.

    Bytes that are no UTF-8 and halves of surrogate pairs (servers cut text inside a character)
    become U+FFFD, and a member of an unexpected type is left out.
    """
    try:
        return _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return _chunk(_mended(payload))


def loose_object(payload: bytes) -> dict[str, object] | None:
    """The JSON object in ``payload``, mended as :func:`decode_chunk` does; None when it is none."""
    value: object
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = _mended(payload)
    return value if isinstance(value, dict) else None


def _mended(payload: bytes) -> object:
    try:
        return _whole(json.loads(payload.decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return None


def _whole(value: object) -> object:
    """``value`` with every half surrogate replaced."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _whole(item) for name, item in value.items()}
    return value


def _chunk(value: object) -> Chunk | None:
    if not isinstance(value, dict):
        return None
    choices = value.get("choices")
    return Chunk(
        choices=[_choice(item) for item in choices if isinstance(item, dict)]
        if isinstance(choices, list)
        else None,
        model=value.get("model"),
        usage=value.get("usage"),
        timings=value.get("timings"),
        prompt_progress=value.get("prompt_progress"),
        error=value.get("error"),
        kind=value.get("object"),
        detail=value.get("detail"),
        message=value.get("message"),
    )


def _choice(value: dict[str, object]) -> Choice:
    delta = value.get("delta")
    return Choice(
        index=value.get("index", 0),
        delta=_delta(delta) if isinstance(delta, dict) else None,
        finish_reason=value.get("finish_reason"),
        usage=value.get("usage"),
    )


def _delta(value: dict[str, object]) -> Delta:
    calls = value.get("tool_calls")
    return Delta(
        content=value.get("content"),
        reasoning_content=value.get("reasoning_content"),
        reasoning=value.get("reasoning"),
        reasoning_text=value.get("reasoning_text"),
        reasoning_details=value.get("reasoning_details"),
        tool_calls=[_call(item) for item in calls if isinstance(item, dict)]
        if isinstance(calls, list)
        else None,
    )


def _call(value: dict[str, object]) -> ToolCallPiece:
    function = value.get("function")
    return ToolCallPiece(
        index=value.get("index"),
        id=value.get("id"),
        function=Function(function.get("name"), function.get("arguments"))
        if isinstance(function, dict)
        else None,
    )


def first_choice(chunk: Chunk) -> Choice | None:
    """The choice with index 0; others (``n`` > 1) are not for us."""
    if not chunk.choices:
        return None
    choice = chunk.choices[0]
    if choice.index in (0, None):
        return choice
    return next((one for one in chunk.choices if one.index in (0, None)), None)


def field_reasoning(delta: Delta) -> str:
    """The first non-empty reasoning string, as Pi reads it: two fields never double a text."""
    for value in (delta.reasoning_content, delta.reasoning, delta.reasoning_text):
        if value and isinstance(value, str):
            return value
    return ""


def details_reasoning(details: object) -> str:
    """The text of OpenRouter's ``reasoning_details``: each element's ``text``, else ``summary``."""
    if not isinstance(details, list):
        return ""
    texts: list[str] = []
    for item in details:
        if isinstance(item, dict):
            text = item.get("text") or item.get("summary")
            if isinstance(text, str):
                texts.append(text)
    return "".join(texts)


def content_parts(content: list[object]) -> tuple[str, str]:
    """(thinking, answer) out of a ``content`` list of typed parts (Databricks, Mistral)."""
    thinking: list[str] = []
    answer: list[str] = []
    for part in content:
        if isinstance(part, str):
            answer.append(part)
        elif isinstance(part, dict):
            kind = part.get("type")
            if kind is not None and not isinstance(kind, str):
                continue
            if kind in _REASONING_TYPES:
                thinking.append(_nested_text(part))
            elif kind in {"text", "output_text", None}:
                answer.append(_nested_text(part))
    return "".join(thinking), "".join(answer)


def _nested_text(part: object) -> str:
    """Text under any of the names that parts keep it under, however deep."""
    if isinstance(part, str):
        return part
    if isinstance(part, list):
        return "".join(_nested_text(item) for item in part)
    if isinstance(part, dict):
        for name in ("text", "thinking", "reasoning", "summary", "content"):
            if part.get(name):
                return _nested_text(part[name])
    return ""


def call_arguments(value: object) -> str:
    """A call's arguments as JSON text; some servers send the object itself."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return ""


def status_in(payload: bytes) -> int:
    """The HTTP status that an error object names as its code, else 500."""
    try:
        value: object = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 500
    error = value.get("error", value) if isinstance(value, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)  # of more digits, or of other scripts', Python makes none
    return code if isinstance(code, int) and 400 <= code < 600 else 500
