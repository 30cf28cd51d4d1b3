"""What a streamed request proves: reachable, authorised and works are three results.

Only a right answer from the model that was asked for is "works". A model that thought until its
output limit has neither failed nor answered; that is a result of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import Fault
from core.live.calls import MOST, Calls, ToolCall
from core.live.counts import Usage  # noqa: TC001  # Run can be decoded
from core.live.events import (
    Adapted,
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
from core.live.figures import CountsFrom, Figures, RunWarning
from core.live.kept import KeptText
from core.live.meter import Meter
from core.live.remarks import CUT_IN_THOUGHT, fits
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Run", "ToolCall", "Transcript", "judge", "not_tried"]

_GOOD_FINISH: Final = frozenset({"stop", "end", "length", "tool_calls", "function_call"})
"""The finish reasons that Pi takes for an answer; every other word is an error to it."""
_UNREACHED: Final = frozenset(
    {"connection_refused", "connection_failed", "name_unresolved", "tls", "timeout"}
)
_KEY: Final = frozenset({"key_refused", "key_missing"})
# A server that gives one of these has read the request, and so let the key pass.
_PAST_THE_KEY: Final = frozenset(
    {"model_unknown", "context_overflow", "parameter_refused", "upstream"}
)
# What only a model's server says, once it let the request in.
_SPEECH: Final = (Reasoning, Answer, ToolPiece, Served, Finished, UsageSeen)
_PASSING: Final = frozenset({"rate_limited", "loading"})


def _holds(answer: str, word: str) -> bool:
    """Whether the answer holds the word itself, in any case; not as a part of another one."""
    pattern = rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])"
    return re.search(pattern, answer, re.IGNORECASE) is not None


class Run(msgspec.Struct, frozen=True):
    """One run of ``turnkey ping``, as its JSON gives it."""

    reachable: bool | None
    """An answer came, or at least a connection; None when nothing was tried."""
    authorised: bool | None
    """The server let the key (or none) pass; None when that did not show."""
    works: bool | None
    """The right answer came from the asked model; None when that is not decided."""
    ok: bool | None
    """The same as ``works``."""
    served_model: str | None
    finish_reason: str | None
    reasoning: str
    answer: str
    tool_calls: tuple[ToolCall, ...]
    counts_from: CountsFrom
    usage: Usage | None
    figures: Figures
    warnings: tuple[RunWarning, ...]
    error: Fault | None

    def has(self, code: str) -> bool:
        """Whether a warning with this code was given."""
        return any(warning.code == code for warning in self.warnings)


class Transcript:
    """Events folded into what a run is judged by. One for one try."""

    def __init__(self, asked_model: str | None = None, meter: Meter | None = None) -> None:
        self._asked = asked_model
        self.meter = meter if meter is not None else Meter(asked_model)
        """Fed by :meth:`apply`; ask it for figures while the stream runs."""
        self._reset()
        self._refused: list[RunWarning] = []

    def _reset(self) -> None:
        self._reasoning = KeptText()
        self._answer = KeptText()
        self._calls = Calls()
        self._finish: str | None = None
        self._status: int | None = None
        self._web_page = False
        self._spoke = False
        self._failed: Failed | None = None
        self._started = False
        self._ended: Ended | None = None
        self._last_at = 0.0

    def apply(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, Started):
            self._reset()
            self._started = True
        self._last_at = event.at
        self._spoke = self._spoke or isinstance(event, _SPEECH)
        self.meter.apply(event)
        if isinstance(event, Answer):
            self._answer.add(event.text)
        elif isinstance(event, Reasoning):
            self._reasoning.add(event.text)
        elif isinstance(event, ToolPiece):
            self._calls.add(event)
        elif isinstance(event, AnswerWasThinking):
            self._reasoning.take_all(self._answer)
        elif isinstance(event, Finished):
            self._finish = event.reason
        elif isinstance(event, Headers):
            self._status = event.status
            self._web_page = "html" in event.headers.get("content-type", "")
        elif isinstance(event, Failed):
            self._failed = event
        elif isinstance(event, Ended):
            self._ended = event
        elif isinstance(event, Adapted):
            self._refused.append(
                RunWarning(
                    "parameter_adapted",
                    "The server refused a field, and the request was repeated without it:"
                    f" {event.fault.why or event.fault.what}",
                    "Warden's engine sends it unless told otherwise, by the model's compat flags.",
                )
            )

    @property
    def reasoning(self) -> str:
        """The thinking so far."""
        return str(self._reasoning)

    @property
    def answer(self) -> str:
        """The answer so far."""
        return str(self._answer)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls so far; of very many the first ones."""
        return self._calls.told()

    def warnings(self, now: float | None = None) -> tuple[RunWarning, ...]:
        """What the stream tells so far; at ``now``, also what to think of its silence."""
        silence = None if now is None else self.meter.waiting(now)
        return (silence, *self._told()) if silence is not None else self._told()

    def _told(self) -> tuple[RunWarning, ...]:
        gone = self._reasoning.dropped + self._answer.dropped
        gone += self._calls.dropped
        found = (*self._refused, *self.meter.warnings())
        if more := self._calls.more:
            calls = RunWarning(
                "calls_not_kept",
                f"{more:,} tool calls after the first {MOST} are not kept; all were counted.",
                "The model calls without end: look at its chat template, set an output limit.",
            )
            found = (*found, calls)
        if not gone:
            return found
        note = RunWarning(
            "text_not_kept",
            f"{gone:,} characters from the middle of the text are not kept; all of it was counted.",
            "Set an output limit (--max-tokens) if the model does not end by itself.",
        )
        return (*found, note)

    def run(self, expects: str | None, notes: Sequence[RunWarning] = ()) -> Run:
        """The verdict. ``expects``: what the answer must hold, in any case; None: anything.

        ``notes`` stand before the warnings of the run itself.
        """
        meter = self.meter
        warnings = (*notes, *self.warnings())
        cut = any(warning.code == CUT_IN_THOUGHT for warning in warnings)
        error = self._error(expects, cut=cut)
        reachable = self._reachable()
        works: bool | None
        if error is not None:
            undecided = reachable is None or error.code in _PASSING
            works = None if undecided else False
        elif cut or self._ended is None:
            works = None
        else:
            works = True
        return Run(
            reachable=reachable,
            authorised=self._authorised(),
            works=works,
            ok=works,
            served_model=meter.served_model,
            finish_reason=self._finish,
            reasoning=self.reasoning,
            answer=self.answer,
            tool_calls=self.tool_calls,
            counts_from=meter.counts_from,
            usage=meter.usage,
            figures=meter.figures(self._last_at),
            warnings=warnings,
            error=error,
        )

    def _reachable(self) -> bool | None:
        if self._status is not None:
            return True
        if self._failed is None:
            return True if self._started else None
        if self._failed.fault.code in _UNREACHED:
            # A connection that took the request and then said nothing was reached all the same.
            return self._started and self._failed.fault.code == "timeout"
        return True if self._started else None

    def _authorised(self) -> bool | None:
        if self._failed is not None:
            if self._failed.fault.code in _KEY:
                return False if self._status is not None else None
            told = self._status is not None and not self._web_page
            if self._failed.fault.code in _PAST_THE_KEY and told:
                return True
        # A status alone proves nothing: a web page and an empty body come with 200 as well.
        return True if self._spoke else None

    def _error(self, expects: str | None, *, cut: bool) -> Fault | None:
        """What is wrong; None when all is well, not decided, or stopped by whoever asked."""
        if self._failed is not None:
            return self._failed.fault
        if self._ended is None or cut:
            return None
        answer = self.answer
        if not self._ended.complete:
            return Fault(
                "stream_broken",
                "The stream ended without saying that the answer is complete.",
                "No finish reason came: the server or a proxy broke off, or the server never gives"
                " one. What came may be a part only.",
                "Look at the server's log; a round number of seconds points to a proxy's limit.",
            )
        if self._finish not in _GOOD_FINISH:
            return Fault(
                "upstream",
                f"The server ended the answer with «{one_line(self._finish or '', 60)}».",
                "Warden's engine takes that for an error.",
                "Look at the server's log, or at its content filter.",
            )
        served = self.meter.served_model
        if self._asked and served and not fits(self._asked, served):
            return Fault(
                "wrong_model",
                f"«{one_line(served, 80)}» answered instead of «{one_line(self._asked, 80)}».",
                "The server ignores or maps the model id.",
                "Choose the id that the server lists.",
            )
        if not answer.strip() and not (self._calls.count and expects is None):
            return Fault(
                "empty_answer",
                "The model stopped without an answer.",
                "All it wrote was taken for thinking."
                if self.reasoning
                else "The stream held no text at all.",
                "Check the server's chat template and reasoning parser.",
            )
        if expects is not None and not _holds(answer, expects):
            return Fault(
                "wrong_answer",
                f"The answer does not hold {expects}.",
                f"It says: {one_line(answer, 160)}",
                "Raise the output limit: the answer was cut off."
                if self._finish == "length"
                else "Check that the model is a chat model, with its own chat template.",
            )
        return None


def judge(events: Iterable[Event], asked_model: str | None, expects: str | None) -> Run:
    """The run that ``events`` tell. ``expects``: what the answer must hold; None: anything."""
    transcript = Transcript(asked_model)
    for event in events:
        transcript.apply(event)
    return transcript.run(expects)


def not_tried(fault: Fault) -> Run:
    """The run of a request that was never sent: a key is missing, a URL cannot be meant."""
    return judge([Failed(0.0, fault), Ended(0.0, complete=False)], None, None)
