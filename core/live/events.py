"""What happens in one streamed answer, as typed events, whatever dialect the server speaks.

Times are seconds of one monotonic clock, of when the bytes arrived. Texts are as the server
sent them: whoever shows them makes control characters visible (:mod:`core.text`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from core.errors import Fault  # noqa: TC001  # what Failed is made of

if TYPE_CHECKING:
    from core.live.counts import Timings, Usage
    from core.wire.chat import ChatRequest


class Started(msgspec.Struct, frozen=True, gc=False):
    """The request's first byte goes to a ready connection. The t0 of every figure."""

    at: float
    connect_s: float | None = None
    """Seconds that setting up the connection took before ``at``; None when one was reused."""


class Headers(msgspec.Struct, frozen=True):
    """The head of the response is here; header names in lower case."""

    at: float
    status: int
    headers: dict[str, str]
    stamps: Literal["kernel", "thread"] = "thread"
    """Whose times the events have: the kernel's receive times, or those of the reading thread."""


class Adapted(msgspec.Struct, frozen=True):
    """A field was refused by name, and the request goes out again without it; Started follows."""

    at: float
    request: ChatRequest
    """What is sent now."""
    fault: Fault
    """The refusal."""


class PrefillProgress(msgspec.Struct, frozen=True, gc=False):
    """How far the prompt is read, in tokens (llama.cpp ``prompt_progress``)."""

    at: float
    processed: int
    total: int
    cached: int = 0


class Reasoning(msgspec.Struct, frozen=True, gc=False):
    """Thinking text, never empty."""

    at: float
    text: str
    inline: bool = False
    """It stood in the answer channel, between tags."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """Answer text, never empty."""

    at: float
    text: str


class AnswerWasThinking(msgspec.Struct, frozen=True, gc=False):
    """A ``</think>`` came that nothing had opened: all answer text so far was thinking.

    Happens at most once, where a chat template opens the tag inside the prompt.
    """

    at: float


class ToolPiece(msgspec.Struct, frozen=True, gc=False):
    """A piece of a tool call; ``name`` and ``id`` come with its first piece."""

    at: float
    index: int
    """Which call of this answer, counted from 0 in order of appearance."""
    id: str
    name: str
    arguments: str
    """JSON text to append; may be empty."""


class UsageSeen(msgspec.Struct, frozen=True, gc=False):
    """Token counts so far. The last one holds; they are never added up."""

    at: float
    usage: Usage


class TimingsSeen(msgspec.Struct, frozen=True, gc=False):
    """The server's own figures so far. The last one holds."""

    at: float
    timings: Timings


class Served(msgspec.Struct, frozen=True, gc=False):
    """The model that the server says it is (again only when it changes)."""

    at: float
    model: str


class Finished(msgspec.Struct, frozen=True, gc=False):
    """The server's finish reason: ``stop``, ``length``, ``tool_calls`` …"""

    at: float
    reason: str


class KeepAlive(msgspec.Struct, frozen=True, gc=False):
    """A sign of life without content: it resets the clock of silence, not of the first token."""

    at: float


class Failed(msgspec.Struct, frozen=True):
    """The request failed, before, instead of or inside the stream."""

    at: float
    fault: Fault
    status: int | None = None
    """The HTTP status, when there was one."""


class Ended(msgspec.Struct, frozen=True, gc=False):
    """Nothing more comes. Always the last event."""

    at: float
    complete: bool
    """A finish reason came and nothing failed; without one the stream was cut off."""
    stamps: Literal["kernel", "thread"] | None = None
    """As in :class:`Headers`, now that all was read; None: as it was said there."""


Event = (
    Started
    | Headers
    | Adapted
    | PrefillProgress
    | Reasoning
    | Answer
    | AnswerWasThinking
    | ToolPiece
    | UsageSeen
    | TimingsSeen
    | Served
    | Finished
    | KeepAlive
    | Failed
    | Ended
)

TokenEvent = Reasoning | Answer | ToolPiece
"""The events that carry tokens."""
