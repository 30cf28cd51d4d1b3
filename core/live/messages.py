"""The reader for streams of ``/v1/messages``: the same events as from chat completions.

Upstream: docs.anthropic.com, «Streaming messages». A message is a row of blocks (text, thinking,
tool use), each opened, added to and closed by index; every payload names its own type. Token
counts stand in ``message_start`` (the prompt's) and ``message_delta`` (cumulative output).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.live.calls import SLOTS
from core.live.chunk import loose_object
from core.live.counts import Usage, count
from core.live.events import (
    Answer,
    AnswerWasThinking,
    Ended,
    Event,
    Failed,
    Finished,
    KeepAlive,
    Reasoning,
    Served,
    ToolPiece,
    UsageSeen,
)
from core.live.stream_faults import told_in_stream
from core.live.think import ThinkSplitter
from core.wire.sse import Comment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.keys.secret import Secret
    from core.live.think import Kind
    from core.providers.base_url import BaseUrl

STOP_REASONS: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""The dialect's stop reasons in the words of chat completions; others stay as they are."""

_STATUS: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "overloaded_error": 503,
}


class MessagesReader:
    """Payloads of one stream in, events out; works as :class:`core.live.reader.EventReader`."""

    def __init__(
        self, base: BaseUrl, *, model: str | None = None, key: Secret | None = None
    ) -> None:
        self._base = base
        self._model = model
        self._key = key
        self._splitter = ThinkSplitter()
        self._answered = False
        self._finish: str | None = None
        self._failed = False
        self._usage = Usage()
        self._served: str | None = None
        self._slots: dict[int, int] = {}
        self._called = 0
        self._whole: set[int] = set()
        self.payloads = 0
        """How many payloads were understood."""
        self.done = False
        """The message's stop or an error came: nothing after it counts."""

    def feed(self, payload: bytes, at: float, *, last: bool = False) -> list[Event]:
        """The events of one SSE payload that arrived ``at``; ``last``: it may be cut off."""
        if self.done:
            return []
        if isinstance(payload, Comment) or not payload or payload.isspace():
            return [KeepAlive(at)]
        if payload.startswith(b"[DONE]"):  # not of this dialect, but some gateways add it
            self.done = True
            return self._held(at)
        value = loose_object(payload)
        if value is None:
            return [] if last else self._fail(payload, at, None)
        kind = value.get("type")
        if kind == "error" or (kind is None and value.get("error")):
            return self._fail(payload, at, _dict(value.get("error")))
        self.payloads += 1
        match kind:
            case "content_block_delta":
                return self._delta(value, at)
            case "content_block_start":
                return self._open(value, at)
            case "content_block_stop":
                return self._held(at)
            case "message_start":
                return self._start(_dict(value.get("message")), at)
            case "message_delta":
                return self._change(value, at)
            case "message_stop":
                self.done = True
                return self._held(at)
            case "ping":
                return [KeepAlive(at)]
            case str():
                return []  # a kind that came later than this code; the rest is read all the same
            case _:
                return self._fail(payload, at, None)

    def end(self, at: float) -> list[Event]:
        """The events of the stream's end: held text, then :class:`Ended`."""
        events = self._held(at)
        self.done = True
        return [*events, Ended(at, self._finish is not None and not self._failed)]

    def _start(self, message: Mapping[str, object], at: float) -> list[Event]:
        events: list[Event] = []
        model = message.get("model")
        if isinstance(model, str) and model and model != self._served:
            self._served = model
            events.append(Served(at, model))
        # Its output_tokens is the beginning of a count, which would be taken for the whole.
        usage = dict(_dict(message.get("usage")))
        usage.pop("output_tokens", None)
        return events + self._counted(usage, at)

    def _change(self, value: Mapping[str, object], at: float) -> list[Event]:
        events = self._held(at)
        events += self._counted(_dict(value.get("usage")), at)
        reason = _dict(value.get("delta")).get("stop_reason")
        if isinstance(reason, str) and reason and self._finish is None:
            self._finish = STOP_REASONS.get(reason, reason)
            events.append(Finished(at, self._finish))
        return events

    def _counted(self, usage: Mapping[str, object], at: float) -> list[Event]:
        """Counts so far; of the prompt, what was read from or written to a cache is a part too."""
        before = self._usage
        read = count(usage.get("cache_read_input_tokens"))
        fresh = count(usage.get("input_tokens"))
        prompt = before.prompt_tokens
        if fresh is not None:
            written = count(usage.get("cache_creation_input_tokens")) or 0
            whole = fresh + (read or 0) + written
            # The second account may leave the prompt out, as 0.
            prompt = whole if whole or prompt is None else prompt
        out = count(usage.get("output_tokens"))
        out = before.completion_tokens if out is None else out
        self._usage = Usage(
            prompt_tokens=prompt,
            completion_tokens=out,
            total_tokens=None if prompt is None or out is None else prompt + out,
            cached_tokens=before.cached_tokens if read is None else read,
        )
        return [] if self._usage == before else [UsageSeen(at, self._usage)]

    def _open(self, value: Mapping[str, object], at: float) -> list[Event]:
        block = _dict(value.get("content_block"))
        match block.get("type"):
            case "text":
                return self._text(block.get("text"), at)
            case "thinking":
                return self._thought(block.get("thinking"), at)
            case "tool_use":
                return [*self._held(at), *self._call(value, block, at)]
            case _:
                return []

    def _call(
        self, value: Mapping[str, object], block: Mapping[str, object], at: float
    ) -> list[Event]:
        slot = min(self._called, SLOTS - 1)
        self._called += 1
        if len(self._slots) >= SLOTS:  # blocks so old are closed
            self._slots.clear()
            self._whole.clear()
        self._slots[_index(value)] = slot
        given = block.get("input")
        arguments = ""
        if isinstance(given, dict) and given:  # the whole of it at once
            arguments = msgspec.json.encode(given).decode()
            self._whole.add(slot)
        return [ToolPiece(at, slot, _str(block.get("id")), _str(block.get("name")), arguments)]

    def _delta(self, value: Mapping[str, object], at: float) -> list[Event]:
        delta = _dict(value.get("delta"))
        match delta.get("type"):
            case "text_delta":
                return self._text(delta.get("text"), at)
            case "thinking_delta":
                return self._thought(delta.get("thinking"), at)
            case "input_json_delta":
                slot = self._slots.get(_index(value))
                more = _str(delta.get("partial_json"))
                if slot is None or slot in self._whole or not more:
                    return []
                return [ToolPiece(at, slot, "", "", more)]
            case _:  # a signature, a citation
                return []

    def _thought(self, text: object, at: float) -> list[Event]:
        if not isinstance(text, str) or not text:
            return []
        self._splitter.separated()
        return [Reasoning(at, text)]

    def _text(self, text: object, at: float) -> list[Event]:
        if not isinstance(text, str) or not text:
            return []
        return self._sorted(self._splitter.feed(text), at)

    def _held(self, at: float) -> list[Event]:
        return self._sorted(self._splitter.flush(), at)

    def _sorted(self, pieces: list[tuple[Kind, str]], at: float) -> list[Event]:
        events: list[Event] = []
        for kind, text in pieces:
            if kind == "reasoning":
                events.append(Reasoning(at, text, inline=True))
            elif kind == "answer":
                self._answered = True
                events.append(Answer(at, text))
            elif self._answered:
                self._answered = False
                events.append(AnswerWasThinking(at))
        return events

    def _fail(self, payload: bytes, at: float, error: Mapping[str, object] | None) -> list[Event]:
        """An error inside the stream (``error``: what it says of itself), or what is no event."""
        events = self._held(at)
        self._failed = self.done = True
        status = None if error is None else _STATUS.get(_str(error.get("type")), 500)
        fault = told_in_stream(payload, status, self._base, self._model, self._key)
        return [*events, Failed(at, fault)]


def _dict(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""


def _index(value: Mapping[str, object]) -> int:
    found = count(value.get("index"))
    return -1 if found is None else found
