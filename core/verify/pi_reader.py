"""A chat stream as Pi reads it, beside the lenient reading of :mod:`core.live.reader`.

turnkey's own reader mends what it can, so that a person sees what a server meant. Pi mends less:
what it would make of the same bytes decides whether a lane works (earendil-works/pi, package
``pi-ai``, ``api/openai-completions``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.live.chunk import Delta, ToolCallPiece, decode_chunk, loose_object
from core.live.verdict import ToolCall
from core.wire.sse import Comment, SseDecoder

if TYPE_CHECKING:
    from core.live.chunk import Chunk

ThinkingField = Literal["reasoning_content", "reasoning", "reasoning_text", "tags", "parts"]
"""Where thinking stood: a field of the delta, ``<think>`` tags, or typed parts of ``content``."""

FIELDS: Final = ("reasoning_content", "reasoning", "reasoning_text")
"""The fields that Pi reads thinking from, in its order. It sends thinking back under the same."""
MAX_CALLS: Final = 256


class _Call(msgspec.Struct):
    id: str
    name: str
    arguments: list[str]


class PiReader:
    """Bytes of one event stream in; what Pi would hold at its end. Never raises."""

    def __init__(self, line_bytes: int) -> None:
        self._decoder = SseDecoder(line_bytes)
        self._calls: list[_Call] = []
        self._by_index: dict[float, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self.thinking_field: ThinkingField | None = None
        """The field that held thinking first."""
        self.finish: str | None = None
        """The last finish reason; None when there was none."""
        self.choices = 0
        """Chunks that held a choice."""
        self.list_content = False
        """``content`` came as a list, which Pi shows as «[object Object]»."""
        self.object_arguments = False
        """A call's arguments came as an object instead of text; Pi cannot put those together."""
        self.message_chunks = False
        """Chunks hold ``message`` in place of ``delta``, which Pi passes over."""
        self.old_calls = False
        """A call came in ``function_call``, the member before ``tool_calls``; Pi has none of it."""
        self._read_some = False
        self.over = False
        """A line was too long to be read further."""

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        if self.over:
            return
        try:
            payloads = self._decoder.feed(data)
        except Exception:  # noqa: BLE001  # told by the other reader of the same bytes
            self.over = True
            return
        for payload in payloads:
            self._payload(payload)

    def end(self) -> None:
        """The stream is over."""
        if not self.over:
            for payload in self._decoder.finish():
                self._payload(payload)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls as Pi would run them; ``arguments`` is the text it would parse."""
        return tuple(ToolCall(one.id, one.name, "".join(one.arguments)) for one in self._calls)

    def _payload(self, payload: bytes) -> None:
        if isinstance(payload, Comment) or payload.startswith(b"[DONE]"):
            return
        chunk = decode_chunk(payload)
        if chunk is not None:
            self._chunk(chunk)
            if b'"message"' in payload and not (self._read_some or self.message_chunks):
                self.message_chunks = _whole_message(chunk, payload)
            if b'"function_call"' in payload and not self.old_calls:
                self.old_calls = bool(_first(payload, "delta").get("function_call"))

    def _chunk(self, chunk: Chunk) -> None:
        if not chunk.choices:
            return
        choice = chunk.choices[0]
        self.choices += 1
        if isinstance(choice.finish_reason, str) and choice.finish_reason:
            self.finish = choice.finish_reason
        if choice.delta is not None:
            self._delta(choice.delta)

    def _delta(self, delta: Delta) -> None:
        self._read_some = self._read_some or bool(delta.content or delta.tool_calls)
        if self.thinking_field is None:
            self.thinking_field = _field(delta)
        if isinstance(delta.content, list) and delta.content:
            self.list_content = True
        for piece in delta.tool_calls or ():
            if len(self._calls) < MAX_CALLS:
                self._piece(piece)

    def _piece(self, piece: ToolCallPiece) -> None:
        index = piece.index
        place = float(index) if isinstance(index, int | float) else None
        call_id = piece.id if isinstance(piece.id, str) else ""
        function = piece.function
        name = function.name if function is not None and isinstance(function.name, str) else ""
        call = None if place is None else self._by_index.get(place)
        if call is None and call_id:
            call = self._by_id.get(call_id)
        if call is None:
            call = _Call(call_id, name, [])
            self._calls.append(call)
        if place is not None:
            self._by_index.setdefault(place, call)
        if call_id:
            self._by_id[call_id] = call
            call.id = call.id or call_id
        call.name = call.name or name
        arguments = None if function is None else function.arguments
        if isinstance(arguments, str):
            call.arguments.append(arguments)
        elif arguments:
            self.object_arguments = True
            call.arguments.append("[object Object]")


def _whole_message(chunk: Chunk, payload: bytes) -> bool:
    """Whether the chunk says in a ``message`` what belongs into its ``delta``."""
    if not chunk.choices or _says(msgspec.to_builtins(chunk.choices[0].delta)):
        return False
    return _says(_first(payload, "message"))


def _first(payload: bytes, member: str) -> dict[str, object]:
    """A member of the first choice that is an object; empty where there is none."""
    value = loose_object(payload)
    choices = None if value is None else value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    found = first.get(member) if isinstance(first, dict) else None
    return found if isinstance(found, dict) else {}


def _says(message: object) -> bool:
    """Whether text or a call stands in it."""
    if not isinstance(message, dict):
        return False
    return any(message.get(name) for name in ("content", "tool_calls", *FIELDS))


def _field(delta: Delta) -> ThinkingField | None:
    if isinstance(delta.reasoning_content, str) and delta.reasoning_content:
        return "reasoning_content"
    if isinstance(delta.reasoning, str) and delta.reasoning:
        return "reasoning"
    if isinstance(delta.reasoning_text, str) and delta.reasoning_text:
        return "reasoning_text"
    return None
