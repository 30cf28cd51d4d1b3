"""The reader: payloads of a chat stream in, events out, whatever the dialect.

Where thinking stands in a stream differs by server and version: ``reasoning_content``
(llama.cpp, SGLang, LiteLLM, transformers, vLLM before 2026), ``reasoning`` (vLLM
github.com/vllm-project/vllm/pull/33402, Ollama, OpenRouter), ``reasoning_text``,
``reasoning_details`` (OpenRouter), typed parts of a ``content`` list (Databricks, Mistral), or
``<think>`` tags inside the answer.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from core.live.calls import SLOTS
from core.live.chunk import (
    Chunk,
    Delta,
    ToolCallPiece,
    call_arguments,
    content_parts,
    decode_chunk,
    details_reasoning,
    field_reasoning,
    first_choice,
    status_in,
)
from core.live.counts import count, read_timings, read_usage
from core.live.events import (
    Answer,
    AnswerWasThinking,
    Ended,
    Event,
    Failed,
    Finished,
    KeepAlive,
    PrefillProgress,
    Reasoning,
    Served,
    TimingsSeen,
    ToolPiece,
    UsageSeen,
)
from core.live.stream_faults import told_in_stream
from core.live.think import ThinkSplitter
from core.wire.sse import Comment, NamedPayload, SseDecoder

if TYPE_CHECKING:
    from core.keys.secret import Secret
    from core.live.messages import MessagesReader
    from core.providers.base_url import BaseUrl

_DONE: Final = b"[DONE]"
_ID: Final = 64
"""Characters of a call's id that is remembered as it is."""


class EventReader:
    """Payloads of one chat stream in, events out. Pure; give every stream a reader of its own.

    ``base``, ``model`` and ``key`` serve the words of errors inside the stream: the key is masked
    in them.
    """

    def __init__(
        self, base: BaseUrl, *, model: str | None = None, key: Secret | None = None
    ) -> None:
        self._base = base
        self._model = model
        self._key = key
        self._splitter = ThinkSplitter()
        self._served: str | None = None
        self._field_reasoning = False
        self._answered = False
        self._finish: str | None = None
        self._failed = False
        self._slots: dict[int | str, int] = {}
        self._slot_ids: list[str] = []
        self.payloads = 0
        """How many chunks were understood."""
        self.done = False
        """``[DONE]`` or an error came: nothing after it counts."""

    def feed(self, payload: bytes, at: float, *, last: bool = False) -> list[Event]:
        """The events of one SSE payload that arrived ``at``.

        ``last`` says that the stream ended inside this payload: half a chunk is then left out
        instead of being called wrong.
        """
        if self.done:
            return []
        name = payload.event if isinstance(payload, NamedPayload) else ""
        if isinstance(payload, Comment) or not payload or payload.isspace():
            return [KeepAlive(at)]
        if payload.startswith(_DONE):
            self.done = True
            return self._held(at)
        chunk = decode_chunk(payload)
        if chunk is None:
            if last:
                return []
            if name == "ping":
                return [KeepAlive(at)]
            return self._fail(payload, at, told=name == "error")
        if (
            chunk.error
            or chunk.kind == "error"
            or name == "error"
            or (chunk.choices is None and (chunk.detail or chunk.message) and not chunk.usage)
        ):
            return self._fail(payload, at, told=True)
        self.payloads += 1
        events: list[Event] = []
        self._read(chunk, at, events)
        return events

    def end(self, at: float) -> list[Event]:
        """The events of the stream's end: held text, then :class:`Ended`."""
        events = self._held(at)
        self.done = True
        events.append(Ended(at, self._finish is not None and not self._failed))
        return events

    def _read(self, chunk: Chunk, at: float, events: list[Event]) -> None:
        model = chunk.model
        if model != self._served and isinstance(model, str) and model:
            self._served = model
            events.append(Served(at, model))
        if chunk.prompt_progress is not None:
            progress = _progress(chunk.prompt_progress, at)
            if progress is not None:
                events.append(progress)
        usage = chunk.usage
        choice = first_choice(chunk)
        if choice is not None:
            if choice.delta is not None:
                self._read_delta(choice.delta, at, events)
            usage = usage or choice.usage
        if usage is not None:
            counted = read_usage(usage)
            if counted is not None:
                events.append(UsageSeen(at, counted))
        if chunk.timings is not None:
            timings = read_timings(chunk.timings)
            if timings is not None:
                events.append(TimingsSeen(at, timings))
        if choice is not None:
            reason = choice.finish_reason
            if isinstance(reason, str) and reason and self._finish is None:
                self._finish = reason
                events += self._held(at)
                events.append(Finished(at, reason))

    def _read_delta(self, delta: Delta, at: float, events: list[Event]) -> None:
        thought = field_reasoning(delta)
        if thought:
            if not self._field_reasoning:
                self._field_reasoning = True
                self._splitter.separated()
            events.append(Reasoning(at, thought))
        elif delta.reasoning_details is not None and not self._field_reasoning:
            thought = details_reasoning(delta.reasoning_details)
            if thought:
                self._splitter.separated()
                events.append(Reasoning(at, thought))
        content = delta.content
        if content:
            if isinstance(content, list):
                told, content = content_parts(content)
                # The same thinking may stand in a field of its own beside the list.
                if told and not thought and not self._field_reasoning:
                    self._splitter.separated()
                    events.append(Reasoning(at, told))
            if isinstance(content, str) and content:
                self._split(content, at, events, twice=bool(thought))
        if delta.tool_calls:
            events += self._held(at)
            for piece in delta.tool_calls:
                call = self._tool_piece(piece, at)
                if call is not None:
                    events.append(call)

    def _split(self, content: str, at: float, events: list[Event], *, twice: bool) -> None:
        """Answer text, inline thinking told apart. ``twice``: a field of this chunk has it too."""
        for kind, text in self._splitter.feed(content):
            if kind == "answer":
                self._answered = True
                events.append(Answer(at, text))
            elif kind == "was_reasoning":
                if self._answered:
                    self._answered = False
                    events.append(AnswerWasThinking(at))
            elif not twice:
                events.append(Reasoning(at, text, inline=True))

    def _held(self, at: float) -> list[Event]:
        """Text that waited for the rest of a tag which did not come."""
        events: list[Event] = []
        for kind, text in self._splitter.flush():
            if kind == "reasoning":
                events.append(Reasoning(at, text, inline=True))
            else:
                self._answered = True
                events.append(Answer(at, text))
        return events

    def _tool_piece(self, piece: ToolCallPiece, at: float) -> ToolPiece | None:
        """A piece under its call: found by index, else by id, else it belongs to the last call."""
        call_id = piece.id if isinstance(piece.id, str) else ""
        known = _short(call_id)
        name, arguments = "", ""
        if piece.function is not None:
            if isinstance(piece.function.name, str):
                name = piece.function.name
            arguments = call_arguments(piece.function.arguments)
        if isinstance(piece.index, int) and not isinstance(piece.index, bool):
            key: int | str = piece.index
            slot = self._slots.get(key)
            if slot is not None and name and known and self._slot_ids[slot] not in {"", known}:
                # Some gateways give every call the index 0.
                slot = None
        elif known:
            key, slot = known, self._slots.get(known)
        else:
            key, slot = -1, len(self._slot_ids) - 1 if self._slot_ids else None
        if slot is None and len(self._slot_ids) >= SLOTS:
            slot = SLOTS - 1
        if slot is None:
            slot = len(self._slot_ids)
            self._slots[key] = slot
            self._slot_ids.append(known)
        elif known and not self._slot_ids[slot]:
            self._slot_ids[slot] = known
        if not (call_id or name or arguments):
            return None
        return ToolPiece(at, slot, call_id, name, arguments)

    def _fail(self, payload: bytes, at: float, *, told: bool) -> list[Event]:
        """The server reports an error inside a good stream, or sends what is no chunk."""
        events = self._held(at)
        self._failed = self.done = True
        status = status_in(payload) if told else None
        fault = told_in_stream(payload, status, self._base, self._model, self._key)
        events.append(Failed(at, fault))
        return events


class StreamReader:
    """Bytes of one event stream in, events out: a decoder and the dialect's reader joined.

    However the bytes are cut, the events are the same (but for their times).
    """

    def __init__(self, reader: EventReader | MessagesReader, line_bytes: int) -> None:
        self._reader = reader
        self._decoder = SseDecoder(line_bytes, keep_comments=True)

    @property
    def done(self) -> bool:
        """``[DONE]`` or an error came."""
        return self._reader.done

    @property
    def payloads(self) -> int:
        """How many chunks were understood."""
        return self._reader.payloads

    @property
    def stray(self) -> bytes:
        """The first lines that were no part of an event stream."""
        return self._decoder.stray

    def feed(self, data: bytes, at: float) -> list[Event]:
        """The events of ``data``, which arrived ``at``. Raises EndpointProblem (``too_large``)."""
        events: list[Event] = []
        for payload in self._decoder.feed(data):
            events += self._reader.feed(payload, at)
        return events

    def end(self, at: float) -> list[Event]:
        """The events of the end: what was left unfinished, then :class:`Ended`."""
        events: list[Event] = []
        for payload in self._decoder.finish():
            events += self._reader.feed(payload, at, last=True)
        return events + self._reader.end(at)


def _short(call_id: str) -> str:
    """What tells a call's id from others. Gateways put whole signatures of thinking into ids."""
    if len(call_id) <= _ID:
        return call_id
    return blake2b(call_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _progress(value: object, at: float) -> PrefillProgress | None:
    if not isinstance(value, dict):
        return None
    processed, total = count(value.get("processed")), count(value.get("total"))
    if processed is None or total is None:
        return None
    return PrefillProgress(at, processed, total, count(value.get("cache")) or 0)
