"""One streamed request, seen from outside while it runs: what a screen polls. Types alone.

The request runs in a thread of its own with its own event loop (:mod:`core.live.watcher`), so
that painting never decides when bytes are read. Whoever shows it asks :meth:`Watching.take` as
often as it paints; nothing is called back.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from core.live.figures import CountsFrom, Figures, RunWarning
from core.live.verdict import Run, ToolCall  # noqa: TC001  # a Struct's fields are read

State = Literal[
    "connecting",
    "waiting",
    "prefill",
    "thinking",
    "answering",
    "calling",
    "done",
    "stopped",
    "failed",
]
"""Where a request stands. prefill: the server says that it reads the prompt. done, stopped and
failed are ends; a run whose verdict is bad is done, one that the endpoint broke has failed.
"""

ENDS: frozenset[State] = frozenset({"done", "stopped", "failed"})


class Progress(msgspec.Struct, frozen=True):
    """What happened since the last take, and how things stand. Texts have the key masked."""

    state: State = "connecting"
    state_s: float = 0.0
    """Seconds in that state."""
    thinking: str = ""
    """Thinking that came since the last take; as the server sent it (:mod:`core.text` shows it)."""
    answer: str = ""
    """Answer text that came since the last take."""
    restarted: bool = False
    """The request began anew (the budget has grown, a field was refused) since the last take: what
    was shown goes, ``thinking`` and ``answer`` are of the new try.
    """
    moved: bool = False
    """All answer text up to the last take was thinking after all (a lone ``</think>`` came)."""
    skipped: int = 0
    """Characters of this try that came and are in no take, because nobody took them in time."""
    figures: Figures = Figures()
    rate: float | None = None
    """Tokens per second over the last second; None before there is one and after the end."""
    rates: tuple[float, ...] = ()
    """Tokens per second over the time since the first token, oldest first, for a sparkline."""
    counts_from: CountsFrom = "estimate"
    prefill: float | None = None
    """How much of the prompt is read, 0 to 1; None where the server does not say."""
    calls: tuple[ToolCall, ...] = ()
    """The tool calls so far, their arguments as far as they came; of very many the first ones."""
    more_calls: int = 0
    """How many calls came after those."""
    said: tuple[RunWarning, ...] = ()
    """What the run tells in words, so far; the last word is in ``run``."""
    run: Run | None = None
    """Set once the request is over, stopped ones too."""
    chunks: int = 0
    """Records of this try's stream that came whole: chunks, comments, the word at its end."""
    events: int = 0
    """Token-bearing events of this try."""


class Record(msgspec.Struct, frozen=True):
    """One raw event of the stream as it came, lines and all."""

    at_s: float
    """Seconds from the request's first byte."""
    text: str
    """Control characters made visible, the key masked."""


class Exchange(msgspec.Struct, frozen=True):
    """What was sent and what came back, for whoever inspects the request. The key is masked."""

    method: str = "POST"
    url: str = ""
    request_headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    """The JSON as it was sent, indented."""
    status: int | None = None
    reply_headers: tuple[tuple[str, str], ...] = ()
    records: tuple[Record, ...] = ()
    """The first and the last of the stream; what lies between may no longer be kept."""
    dropped: int = 0
    """How many records are no longer kept, after the first ``kept_first``."""
    kept_first: int = 0
    """How many of ``records`` stand before the gap, if there is one."""


class Watching(Protocol):
    """A request under way. It is polled, never waits for whoever polls, and can be stopped."""

    def take(self) -> Progress:
        """What came since the last take. Never blocks for long; cheap at 30 Hz."""
        ...

    def exchange(self) -> Exchange:
        """The request and the raw reply so far."""
        ...

    def stop(self) -> None:
        """Close the connection. Doing it again, or after the end, changes nothing."""
        ...

    async def over(self) -> Run:
        """The run, once it is over; a stopped one is judged by what came."""
        ...
