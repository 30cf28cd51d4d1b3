"""All that one request told, folded out of events and raw bytes, and kept without a key. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from core.errors import Fault  # noqa: TC001  # what Answered is made of
from core.live.counts import Usage  # noqa: TC001  # what Answered is made of
from core.live.events import (
    Answer,
    AnswerWasThinking,
    Ended,
    Event,
    Failed,
    Finished,
    Headers,
    Reasoning,
    Served,
    Started,
    ToolPiece,
    UsageSeen,
)
from core.live.verdict import ToolCall  # noqa: TC001
from core.verify.courtesy import retry_after
from core.verify.pi_reader import PiReader

HEAD_CHARACTERS: Final = 6_000
"""How much of a request's or a reply's beginning is kept as evidence."""
TAIL_CHARACTERS: Final = 2_000
RAW_BYTES: Final = 1 << 20


class Answered(msgspec.Struct, frozen=True):
    """All that one request told. No text in it holds the key."""

    status: int | None
    """The HTTP status; None: no reply came."""
    headers: dict[str, str] = {}
    """Names in lower case."""
    answer: str = ""
    """The answer, thinking told apart."""
    thinking: str = ""
    thinking_field: str | None = None
    """Where thinking stood: ``reasoning_content reasoning reasoning_text tags parts``."""
    calls: tuple[ToolCall, ...] = ()
    """As Pi puts them together (:mod:`core.verify.pi_reader`), whatever was meant."""
    finish_reason: str | None = None
    usage: Usage | None = None
    served_model: str | None = None
    fault: Fault | None = None
    """What failed, in words; None when the reply came as it should."""
    complete: bool = False
    """A finish reason came and nothing failed."""
    seconds: float = 0.0
    """Of the last try alone, without waits."""
    first_token_s: float | None = None
    retry_after_s: float | None = None
    """How long the server asks to wait."""
    sent: str = ""
    """The request's body, shortened."""
    came: str = ""
    """The reply as it came, shortened; it says what was left out."""
    tries: int = 1
    """How often it was sent: more than once where the server asked to wait, or failed."""
    stumbles: tuple[str, ...] = ()
    """What each try before the last one failed with, in a word: «502», «broke off»."""
    pieces: int = 0
    """Events of a stream that held text or a piece of a call."""
    list_content: bool = False
    """``content`` came as a list of parts, which Pi cannot show."""
    message_chunks: bool = False
    """A stream's chunks hold ``message`` in place of ``delta``, which Pi does not read."""
    old_calls: bool = False
    """A call came in ``function_call``, which Pi does not read."""
    object_arguments: bool = False
    """A call's arguments came as an object, which Pi cannot read."""

    @property
    def ok(self) -> bool:
        """A success's status, and no fault but an answer cut at its limit."""
        return self.status is not None and 200 <= self.status < 300 and self.fault is None

    @property
    def refused(self) -> bool:
        """A 4xx that is about the request itself, not about the key, the path or the moment."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in _OTHER

    @property
    def tokens(self) -> int | None:
        """Tokens in and out together, as far as the server counted."""
        if self.usage is None:
            return None
        return (self.usage.prompt_tokens or 0) + (self.usage.completion_tokens or 0)


_OTHER: Final = frozenset({401, 403, 404, 408, 409, 429})


def failed_server(answered: Answered) -> bool:
    """A server's own failure: a 5xx, an error within the stream, a connection that went down.

    After these Pi asks again (pi-coding-agent ``core/agent-session``), as after a stream without
    an end; after a 4xx it does not.
    """
    status, fault = answered.status, answered.fault
    if status is not None and status >= 500:
        return True
    told = fault is not None and fault.code in _FAILURES
    return told and (status is None or 200 <= status < 300)


_FAILURES: Final = frozenset({"connection_failed", "server_error", "stream_broken", "upstream"})


def stumble(answered: Answered) -> str:
    """What a try failed with, in a word or two."""
    if answered.status is not None and answered.status >= 300:
        return str(answered.status)
    if answered.fault is None:
        return "no finish reason" if answered.finish_reason is None else "no answer"
    words = {"connection_failed": "no reply", "stream_broken": "broke off"}
    return words.get(answered.fault.code, "an error in the stream")


def shortened(text: str) -> str:
    """``text`` with its middle left out when it is long, saying how much."""
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    left_out = len(text) - HEAD_CHARACTERS - TAIL_CHARACTERS
    return (
        f"{text[:HEAD_CHARACTERS]}\n… {left_out:,} characters left out …\n{text[-TAIL_CHARACTERS:]}"
    )


class Fold:
    """Events and raw bytes of one stream, folded into an answer."""

    def __init__(self, line_bytes: int) -> None:
        self._pi = PiReader(line_bytes)
        self._raw = bytearray()
        self._more = 0
        self._answer: list[str] = []
        self._thinking: list[str] = []
        self._inline = False
        self._pieces = 0
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._served: str | None = None
        self._fault: Fault | None = None
        self._complete = False
        self._started: float | None = None
        self._first: float | None = None

    def tap(self, data: bytes, _at: float) -> None:
        """Take raw bytes as they came."""
        self._pi.feed(data)
        room = RAW_BYTES - len(self._raw)
        self._raw += data[:room]
        self._more += max(0, len(data) - room)

    def apply(self, event: Event) -> None:
        """Take one event."""
        match event:
            case Started(at=at):
                self._started = at
            case Headers(status=status, headers=headers):
                self._status, self._headers = status, headers
            case Answer(text=text):
                self._token(event.at)
                self._answer.append(text)
            case Reasoning(text=text, inline=inline):
                self._token(event.at)
                self._thinking.append(text)
                self._inline = self._inline or inline
            case AnswerWasThinking():
                self._thinking += self._answer
                self._answer = []
                self._inline = True
            case ToolPiece():
                self._token(event.at)
            case Finished(reason=reason):
                self._finish = reason
            case UsageSeen(usage=usage):
                self._usage = usage
            case Served(model=model):
                self._served = model
            case Failed(fault=fault):
                self._fault = fault
            case Ended(complete=complete):
                self._complete = complete

    def _token(self, at: float) -> None:
        self._pieces += 1
        if self._first is None:
            self._first = at

    def answered(self) -> Answered:
        """What it all told, with keys still in it."""
        self._pi.end()
        thinking = "".join(self._thinking)
        field: str | None = self._pi.thinking_field
        if thinking and field is None:
            field = "tags" if self._inline else "parts"
        first = None
        if self._first is not None and self._started is not None:
            first = self._first - self._started
        came = self._raw.decode("utf-8", "replace")
        if self._more:
            came += f"\n… {self._more:,} bytes more came …\n"
        return Answered(
            status=self._status,
            headers=self._headers,
            answer="".join(self._answer),
            thinking=thinking,
            thinking_field=field,
            calls=self._pi.calls,
            finish_reason=self._finish,
            usage=self._usage,
            served_model=self._served,
            fault=self._fault,
            complete=self._complete,
            first_token_s=first,
            retry_after_s=retry_after(self._headers),
            came=came,
            pieces=self._pieces,
            list_content=self._pi.list_content,
            message_chunks=self._pi.message_chunks,
            old_calls=self._pi.old_calls,
            object_arguments=self._pi.object_arguments,
        )
