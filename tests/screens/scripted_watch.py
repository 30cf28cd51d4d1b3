"""A request that tells a script, with exact times: what the asker of a stage gives to watch."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.live.events import Answer, Ended, Failed, Headers, Reasoning, Started, ToolPiece
from core.live.verdict import Transcript
from core.live.watching import Exchange, Progress, Record

if TYPE_CHECKING:
    from core.live.events import Event
    from core.live.verdict import Run
    from core.live.watching import State

RECORDS = 12


@dataclass
class ScriptedWatch:
    """Tells all events but the last at once; the last one too, unless ``pause`` holds it back."""

    model: str | None
    url: str
    events: list[Event]
    expects: str | None
    pause: asyncio.Event | None
    state_s: float = 1.2
    restarted: bool = False
    stopped: bool = False
    given: int = 0

    def __post_init__(self) -> None:
        """The end waits for nobody, or for the pause, or for a stop."""
        self.transcript = Transcript(self.model)
        self.state: State = "connecting"
        self.ended = asyncio.Event()
        if self.pause is None:
            self.ended.set()

    def take(self) -> Progress:
        """What came since the last take; of a paused script all but its last event."""
        over = self.ended.is_set()
        upto = len(self.events) if over and not self.stopped else len(self.events) - 1
        thinking, answer = "", ""
        for event in self.events[self.given : upto]:
            self.transcript.apply(event)
            if isinstance(event, Reasoning):
                thinking, self.state = thinking + event.text, "thinking"
            elif isinstance(event, Answer):
                answer, self.state = answer + event.text, "answering"
            elif isinstance(event, ToolPiece):
                self.state = "calling"
            elif isinstance(event, Started):
                self.state = "waiting"
            elif isinstance(event, Failed):
                self.state = "failed"
            elif isinstance(event, Ended) and event.complete:
                self.state = "done"
        restarted, self.restarted = self.restarted and self.given == 0, False
        self.given = max(self.given, upto)
        if self.stopped:
            self.state = "stopped"
        now = self.events[self.given - 1].at if self.given else 0.0
        meter, run = self.transcript.meter, self._run() if over else None
        return Progress(
            state=self.state,
            state_s=self.state_s,
            thinking=thinking,
            answer=answer,
            restarted=restarted,
            figures=meter.figures(now) if run is None else run.figures,
            rate=meter.live_rate(now) if run is None else None,
            rates=meter.rates(now, 60),
            counts_from=meter.counts_from,
            calls=self.transcript.tool_calls,
            said=self.transcript.warnings(),
            run=run,
            chunks=self.given,
            events=self.given,
        )

    def begin_anew(self) -> None:
        """As if the first try had been given up: the script is told once more."""
        self.transcript = Transcript(self.model)
        self.given, self.restarted = 0, True

    def _run(self) -> Run:
        transcript = Transcript(self.model)
        for event in self.events[:-1] if self.stopped else self.events:
            transcript.apply(event)
        return transcript.run(None if self.stopped else self.expects)

    def exchange(self) -> Exchange:
        """A request with a masked key, and a few records."""
        start = self.events[0].at
        status = next((one.status for one in self.events if isinstance(one, Headers)), None)
        return Exchange(
            url=f"{self.url}/chat/completions",
            request_headers=(
                ("content-type", "application/json"),
                ("authorization", "••••••••"),
            ),
            body='{\n  "model": "qwen3-coder",\n  "stream": true\n}',
            status=status,
            reply_headers=(("content-type", "text/event-stream"), ("server", "uvicorn")),
            records=tuple(
                Record(event.at - start, f'data: {{"piece": {index}}}')
                for index, event in enumerate(self.events[: min(self.given, RECORDS)])
            ),
        )

    def stop(self) -> None:
        """As if the connection were closed."""
        if not self.ended.is_set():
            self.stopped = True
            self.ended.set()

    async def over(self) -> Run:
        """The run, once the script is at its end."""
        if self.pause is not None and not self.ended.is_set():
            waits = [asyncio.ensure_future(one.wait()) for one in (self.pause, self.ended)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            self.ended.set()
        return self._run()
