"""The meter: folds the events of one stream into figures, in memory that does not grow with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.live.events import (
    Adapted,
    Answer,
    AnswerWasThinking,
    Ended,
    Event,
    Failed,
    Finished,
    Headers,
    KeepAlive,
    PrefillProgress,
    Reasoning,
    Served,
    Started,
    TimingsSeen,
    ToolPiece,
    UsageSeen,
)
from core.live.figures import MIN_SECONDS, MIN_TOKENS, CountsFrom, Figures, Gaps, Reason, RunWarning
from core.live.grade import Counts, Seen, counted
from core.live.rates import phase_rate, prefill_rate
from core.live.remarks import Story, remarks
from core.live.tally import WINDOW_S, Timeline, Tracker
from core.live.waits import Signs, waited, waiting

if TYPE_CHECKING:
    from core.live.counts import Timings, Usage
    from core.wire.stamps import Source

_HEAD: Final = 2000


class Meter:
    """Events in, figures out, at any moment. One meter for one stream.

    ``asked_model`` lets it say that another model answered. ``bytes_per_token`` is what an
    earlier run of the same model taught, and only used where the server counts nothing.
    """

    def __init__(
        self, asked_model: str | None = None, *, bytes_per_token: float | None = None
    ) -> None:
        self._asked = asked_model
        self._bytes_per_token = bytes_per_token
        self._reset()

    def _reset(self) -> None:
        self._t0: float | None = None
        self._connect_s: float | None = None
        self._headers_at: float | None = None
        self._stamps: Source | None = None
        self._headers: dict[str, str] = {}
        self._sign_at: float | None = None
        self._prefill: float | None = None
        self._prefill_at: float | None = None
        self._first_token: float | None = None
        self._first_answer: float | None = None
        self._last_token = 0.0
        self._last_thinking: float | None = None
        self._last_answer = 0.0
        self._phase = ""
        self._thinking_events = 0
        self._thinking_bytes = 0
        self._thinking_s = 0.0
        self._stretches = 0
        self._answer_events = 0
        self._answer_bytes = 0
        self._answering_s = 0.0
        self._unanchored = 0
        self._calls = 0
        self._inline = False
        self._answer_head = ""
        self._solid_answer = False
        self._gaps = Gaps()
        self._timeline = Timeline()
        self._usage: Usage | None = None
        self._timings: Timings | None = None
        self._by_usage = Tracker()
        self._by_timings = Tracker()
        self._estimated_reasoning = False
        self._served: str | None = None
        self._finish: str | None = None
        self._failed = False
        self._ended_at: float | None = None
        self._complete = False

    # ------------------------------------------------------------------ events in

    def apply(self, event: Event) -> None:
        """Take one event. A second :class:`Started` begins anew: the first try was refused."""
        if isinstance(event, Answer):
            text = event.text
            self._answer_text(text)
            self._answered(event.at, len(text) if text.isascii() else len(text.encode()))
        elif isinstance(event, Reasoning):
            text = event.text
            self._inline = self._inline or event.inline
            self._thought(event.at, len(text) if text.isascii() else len(text.encode()))
        elif isinstance(event, ToolPiece):
            self._calls = max(self._calls, event.index + 1)
            size = len(event.name) + len(event.arguments.encode())
            self._answered(event.at, max(size, 1))
        elif isinstance(event, UsageSeen):
            self._usage = event.usage
            if event.usage.completion_tokens is not None:
                self._by_usage.update(
                    event.usage.completion_tokens, self._thinking_bytes, self._answer_bytes
                )
        elif isinstance(event, TimingsSeen):
            self._timings = event.timings
            if event.timings.predicted_n is not None:
                self._by_timings.update(
                    event.timings.predicted_n, self._thinking_bytes, self._answer_bytes
                )
        else:
            self._rare(event)

    def _rare(self, event: Event) -> None:
        if isinstance(event, Started):
            self._reset()
            self._t0, self._connect_s = event.at, event.connect_s
        elif isinstance(event, Headers):
            self._headers_at, self._stamps = event.at, event.stamps
            self._headers = event.headers
            # BerriAI/litellm makes reasoning_tokens up where llama.cpp gave none.
            self._estimated_reasoning = "llama.cpp" in event.headers.get("llm_provider-server", "")
        elif isinstance(event, KeepAlive):
            self._sign_at = event.at
        elif isinstance(event, PrefillProgress):
            share = min(event.processed / event.total, 1.0) if event.total > 0 else None
            if share != self._prefill:
                self._prefill, self._prefill_at = share, event.at
        elif isinstance(event, AnswerWasThinking):
            self._answer_was_thinking()
        elif isinstance(event, Served):
            self._served = event.model
        elif isinstance(event, Finished):
            self._finish = event.reason
        elif isinstance(event, Failed):
            self._failed = True
        elif isinstance(event, Ended):
            self._ended_at, self._complete = event.at, event.complete
            self._stamps = event.stamps or self._stamps
        elif isinstance(event, Adapted):
            self._reset()

    def _token(self, at: float) -> None:
        if self._first_token is None:
            self._first_token = at
        else:
            self._gaps.add(at - self._last_token)
        self._last_token = at
        self._timeline.add(at)

    def _thought(self, at: float, size: int) -> None:
        if self._phase == "thinking" and self._last_thinking is not None:
            self._thinking_s += at - self._last_thinking
        else:
            self._phase = "thinking"
            self._stretches += 1
        self._last_thinking = at
        self._thinking_events += 1
        self._thinking_bytes += size
        self._token(at)

    def _answered(self, at: float, size: int) -> None:
        if self._phase == "answer":
            self._answering_s += at - self._last_answer
        else:
            self._phase = "answer"
            if self._last_thinking is not None:
                self._answering_s += at - self._last_thinking
            else:
                self._unanchored = 1
        if self._first_answer is None:
            self._first_answer = at
        self._last_answer = at
        self._answer_events += 1
        self._answer_bytes += size
        self._token(at)

    def _answer_text(self, text: str) -> None:
        if not self._solid_answer and not text.isspace():
            self._solid_answer = True
        if len(self._answer_head) < _HEAD:
            self._answer_head += text[:_HEAD]

    def _answer_was_thinking(self) -> None:
        self._thinking_events += self._answer_events
        self._thinking_bytes += self._answer_bytes
        self._thinking_s += self._answering_s
        if self._answer_events:
            self._stretches += self._unanchored
            self._last_thinking = self._last_answer
        self._answer_events = self._answer_bytes = self._unanchored = 0
        self._answering_s = 0.0
        self._first_answer = None
        self._phase = "thinking"
        self._answer_head, self._solid_answer = "", False
        self._inline = True
        self._by_usage.answer_was_thinking()
        self._by_timings.answer_was_thinking()

    # ------------------------------------------------------------------ figures out

    @property
    def counts_from(self) -> CountsFrom:
        """The origin of the token counts as of now; it improves when usage arrives."""
        return self.counts().counts_from

    @property
    def usage(self) -> Usage | None:
        """The last token counts that the server gave."""
        return self._usage

    @property
    def timings(self) -> Timings | None:
        """The last figures of the server's own clock, to stand beside ours."""
        return self._timings

    @property
    def served_model(self) -> str | None:
        """The model that the server says it is."""
        return self._served

    @property
    def finish_reason(self) -> str | None:
        """The server's finish reason; None while there is none."""
        return self._finish

    @property
    def phase(self) -> str:
        """``connecting``, ``waiting``, ``thinking``, ``answering`` or ``ended``."""
        if self._ended_at is not None:
            return "ended"
        if self._t0 is None:
            return "connecting"
        return {"": "waiting", "thinking": "thinking", "answer": "answering"}[self._phase]

    @property
    def bytes_per_token(self) -> float | None:
        """What this run teaches about its model (grades S, T, U), for runs without counts."""
        counts = self.counts()
        size = self._thinking_bytes + self._answer_bytes
        tokens = counts.thinking + counts.answer
        if counts.counts_from in {"weight", "estimate"} or counts.hidden or tokens < MIN_TOKENS:
            return None
        return size / tokens

    def counts(self) -> Counts:
        """Tokens by phase and where the counts come from, as of now."""
        events = self._thinking_events + self._answer_events
        return counted(
            self._seen(),
            self._usage,
            self._timings,
            running=self._by_usage.running(events),
            running_timings=self._by_timings.running(events),
            estimated_reasoning=self._estimated_reasoning,
            bytes_per_token=self._bytes_per_token,
        )

    def figures(self, now: float) -> Figures:
        """All figures as of ``now`` (seconds of the events' clock); at the end they stand still."""
        t0 = self._t0
        if t0 is None:
            return Figures(connect_s=self._connect_s)
        counts = self.counts()
        withheld: dict[str, Reason] = {}
        buffered = self.buffered()
        first = self._first_token
        thinking_rate = phase_rate(
            "thinking_tokens_per_s",
            counts.thinking,
            counts.thinking - self._stretches,
            self._thinking_s,
            "hidden thinking" if counts.hidden else "buffered" if buffered else None,
            withheld,
        )
        answer_rate = phase_rate(
            "answer_tokens_per_s",
            counts.answer,
            counts.answer - self._unanchored,
            self._answering_s,
            "buffered" if buffered else None,
            withheld,
        )
        shown = counts.thinking * (not counts.hidden) + counts.answer
        span = self._last_token - first if first is not None else 0.0
        generated = counts.total if counts.total is not None else shown
        usage = self._usage
        return Figures(
            connect_s=self._connect_s,
            headers_s=None if self._headers_at is None else self._headers_at - t0,
            first_token_s=None if first is None else first - t0,
            first_answer_s=None if self._first_answer is None else self._first_answer - t0,
            total_s=(now if self._ended_at is None else self._ended_at) - t0,
            thinking_s=self._thinking_s if self._thinking_events else None,
            answering_s=self._answering_s if self._answer_events else None,
            thinking_tokens=counts.thinking,
            answer_tokens=counts.answer,
            unseen_tokens=counts.unseen,
            completion_tokens=counts.total,
            prompt_tokens=None if usage is None else usage.prompt_tokens,
            thinking_tokens_per_s=thinking_rate,
            answer_tokens_per_s=answer_rate,
            tokens_per_s_end_to_end=generated / (self._last_token - t0)
            if first is not None and self._last_token > t0
            else None,
            prefill_tokens_per_s=prefill_rate(
                None if first is None else first - t0,
                self._usage,
                self._timings,
                "hidden thinking" if counts.hidden else "buffered" if buffered else None,
                withheld,
            ),
            itl_s=span / (shown - 1) if shown >= 2 and span > 0 and not buffered else None,
            tpot_excl_first_s=span / (generated - 1)
            if generated >= 2 and span > 0 and not buffered
            else None,
            gap_p50_s=self._gaps.percentile(0.5),
            gap_p95_s=self._gaps.percentile(0.95),
            longest_stall_s=self._gaps.longest if self._gaps.count else None,
            stamps=self._stamps,
            withheld=withheld,
        )

    def live_rate(self, now: float) -> float | None:
        """Tokens per second in the last second before ``now``, by the grade of the moment.

        None before 250 ms of tokens, and after the end; 0.0 while the stream is silent.
        """
        first = self._first_token
        if first is None or self._ended_at is not None or now - first < MIN_SECONDS:
            return None
        events = self._timeline.lately(now)
        return events * self._tokens_per_event() / min(WINDOW_S, now - first)

    def rates(self, now: float, columns: int) -> tuple[float, ...]:
        """Tokens per second over time, from the first token to ``now`` or the last, in ``columns``.

        Rescaled as a whole whenever a better count arrives.
        """
        first = self._first_token
        if first is None or columns < 1:
            return ()
        end = max(now if self._ended_at is None else self._last_token, first)
        scale = self._tokens_per_event()
        return tuple(value * scale for value in self._timeline.rates(first, end, columns))

    def buffered(self) -> bool:
        """Whether the text came in one burst after nearly the whole time: something collected it.

        Over 80 % of the events within 5 % of the time, the first event in the last fifth; and,
        so that a short answer after a long prompt is not blamed, closer together than any model
        writes, or one piece too long to be a chunk.
        """
        first, t0 = self._first_token, self._t0
        if first is None or t0 is None:
            return False
        took = self._last_token - t0
        if first - t0 < MIN_SECONDS or first - t0 < 0.8 * took:
            return False
        events = self._thinking_events + self._answer_events
        if events <= 3:
            size = self._thinking_bytes + self._answer_bytes
            return self._ended_at is not None and not self._calls and size >= 200
        middle = self._gaps.percentile(0.5)
        if events < 5 or middle is None or middle > 0.0005:
            return False
        return self._timeline.densest(0.05 * took) > 0.8 * events

    def warnings(self) -> tuple[RunWarning, ...]:
        """What this run tells, in words with the fix. Most are known only at the end."""
        counts = self.counts()
        told = remarks(
            Story(
                asked=self._asked,
                served=self._served,
                finish=self._finish,
                ended=self._ended_at is not None and not self._failed,
                complete=self._complete,
                counts=counts,
                usage=self._usage,
                thinking_events=self._thinking_events,
                answer_events=self._answer_events,
                answered=self._solid_answer,
                answer_head=self._answer_head[:_HEAD],
                calls=self._calls,
                inline=self._inline,
                buffered=self.buffered(),
                headers=self._headers,
            )
        )
        signs = None if self._ended_at is None else self._signs(self._ended_at)
        # What was collected on the way had to come late.
        return told if signs is None or self.buffered() else (*told, *waited(signs))

    def waiting(self, now: float) -> RunWarning | None:
        """What to think of the silence just before ``now``; None after the end."""
        signs = self._signs(now)
        return None if signs is None or self._ended_at is not None else waiting(signs)

    # ------------------------------------------------------------------ inside

    def _signs(self, now: float) -> Signs | None:
        if self._t0 is None:
            return None
        return Signs(
            now=now,
            sent=self._t0,
            headers=self._headers_at,
            first_token=self._first_token,
            last_token=None if self._first_token is None else self._last_token,
            last_sign=self._sign_at,
            prefill=self._prefill,
            prefill_moved=self._prefill_at,
            gap_p50_s=self._gaps.percentile(0.5),
            longest_stall_s=self._gaps.longest if self._gaps.count else None,
        )

    def _seen(self) -> Seen:
        return Seen(
            self._thinking_events,
            self._thinking_bytes,
            self._answer_events,
            self._answer_bytes,
            self._calls,
            self._finish,
        )

    def _tokens_per_event(self) -> float:
        counts = self.counts()
        events = self._thinking_events + self._answer_events
        shown = counts.answer + (0 if counts.hidden else counts.thinking)
        return shown / events if events else 0.0
