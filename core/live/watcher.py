"""A watched request: it runs in a thread with an event loop of its own, and is polled.

Painting holds the interpreter for many milliseconds at a time; in a thread of its own the request
is read all the same, and what it says waits here for whoever takes it.

Importing this module does not import httpx; the thread does.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from core.errors import TurnkeyError
from core.keys.secret import Secret
from core.live.calls import Calls
from core.live.events import (
    Adapted,
    Answer,
    AnswerWasThinking,
    Headers,
    PrefillProgress,
    Reasoning,
    Started,
    ToolPiece,
)
from core.live.ping import ask, masked
from core.live.record import Recorder
from core.live.switch import quick_switching
from core.live.verdict import Run, Transcript, not_tried
from core.live.watching import Exchange, Progress, State
from core.wire.bounds import Bounds
from core.wire.stamps import STAMPS, Stamps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.live.events import Event
    from core.live.figures import RunWarning
    from core.live.prompts import ReadyPrompt
    from core.live.watching import Watching
    from core.providers.base_url import BaseUrl
    from core.wire.chat import Api, ChatRequest
    from core.wire.network import Network

    _Item: TypeAlias = "Event | tuple[Event, Sequence[Event]] | Transcript | _Came | _Sent"

COLUMNS: Final = 60
"""How many columns :attr:`Progress.rates` has at most."""
PENDING: Final = 1 << 20
"""Characters that wait for a take; of more, the oldest are skipped, and that is said."""
WAITING: Final = 256
"""Events and reads that wait for a take before the thread that reads folds them itself."""
_SLOW_S: Final = 0.2
"""How often what is dear to compute is computed anew."""


def watch(
    base: BaseUrl,
    model: str,
    prompt: ReadyPrompt,
    *,
    key: Secret | None = None,
    headers: Mapping[str, Secret | str] | None = None,
    max_tokens: int | None = None,
    bounds: Bounds | None = None,
    network: Network | None = None,
    api: Api = "openai-completions",
) -> Watching:
    """Begin one request as :func:`core.live.ping.ping` makes it, and give what watches it."""
    return _Watch(
        base, model, prompt, key, headers or {}, max_tokens, bounds or Bounds(), network, api
    )


class _Watch:
    """What thread and screen share, behind one lock that neither holds for long."""

    def __init__(
        self,
        base: BaseUrl,
        model: str,
        prompt: ReadyPrompt,
        key: Secret | None,
        headers: Mapping[str, Secret | str],
        max_tokens: int | None,
        bounds: Bounds,
        network: Network | None,
        api: Api,
    ) -> None:
        self._base = base
        self._model = model
        self._prompt = prompt
        self._key = key
        self._headers = headers
        sent = (key, *headers.values())
        self._secrets = [one for one in sent if isinstance(one, Secret)]
        self._max_tokens = max_tokens
        self._bounds = bounds
        self._network = network
        self._api: Api = api
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Run] | None = None
        self._stopping = False
        self._run: Run | None = None
        self._over: Future[Run] = Future()
        self._over.set_running_or_notify_cancel()  # whoever waits for it cannot cancel it
        self._recorder = Recorder(base, key, headers)
        self._transcript = Transcript(model)
        self._state: State = "connecting"
        self._state_at = time.perf_counter()
        self._waiting: deque[_Item] = deque()
        self._thinking: list[str] = []
        self._answer: list[str] = []
        self._pending = 0
        self._skipped = 0
        self._restarted = False
        self._moved = False
        self._prefill: float | None = None
        self._calls = Calls()
        self._events = 0
        self._slow_at = 0.0
        self._rates: tuple[float, ...] = ()
        self._said: tuple[RunWarning, ...] = ()
        threading.Thread(target=self._work, name="turnkey-stream", daemon=True).start()

    # ------------------------------------------------------------------ whoever watches

    def take(self) -> Progress:
        """What came since the last take."""
        with self._lock:
            self._fold()
            now = time.perf_counter()
            transcript, run = self._transcript, self._run
            meter = transcript.meter
            if now - self._slow_at >= _SLOW_S or run is not None:
                self._slow_at = now
                self._rates = meter.rates(now, COLUMNS)
                self._said = run.warnings if run is not None else transcript.warnings(now)
            progress = Progress(
                state=self._state,
                state_s=max(now - self._state_at, 0.0),
                thinking="".join(self._thinking),
                answer="".join(self._answer),
                restarted=self._restarted,
                moved=self._moved,
                skipped=self._skipped,
                figures=meter.figures(now) if run is None else run.figures,
                rate=meter.live_rate(now) if run is None else None,
                rates=self._rates,
                counts_from=meter.counts_from,
                prefill=self._prefill,
                calls=self._calls.told(),
                more_calls=self._calls.more,
                said=self._said,
                run=run,
                chunks=self._recorder.chunks,
                events=self._events,
            )
            self._thinking.clear()
            self._answer.clear()
            self._pending = 0
            self._restarted = self._moved = False
        return progress

    def exchange(self) -> Exchange:
        """The request and the raw reply so far."""
        with self._lock:
            self._fold()
            told = self._recorder.told()
        return self._recorder.shown(told)

    def stop(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._stopping or self._run is not None:
                return
            self._stopping = True
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)

    async def over(self) -> Run:
        """The run, once it is over."""
        return await asyncio.wrap_future(self._over)

    # ------------------------------------------------------------------ the thread

    def _work(self) -> None:
        try:
            with quick_switching():
                run = asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001  # whoever waits for the run gets it
            self._over.set_exception(error)
        else:
            self._over.set_result(run)

    async def _main(self) -> Run:
        task = asyncio.create_task(self._ask())
        with self._lock:
            self._loop, self._task = asyncio.get_running_loop(), task
            if self._stopping:
                task.cancel()
        try:
            run = await task
        except TurnkeyError as error:
            run = not_tried(error.fault)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            self.settle()
            figures = self._transcript.meter.figures(time.perf_counter())  # waiting counts, too
            run = msgspec.structs.replace(self._transcript.run(None), figures=figures)
        run = masked(run, *self._secrets)
        with self._lock:
            self._run = run
            self._enter("stopped" if self._stopping else _end(run), time.perf_counter())
            self._loop = self._task = None
        return run

    async def _ask(self) -> Run:
        from core.wire.client import open_client

        STAMPS.set(Stamps(capture=True))
        client = open_client(
            self._base, self._bounds, key=self._key, headers=self._headers, network=self._network
        )
        async with client:
            return await ask(
                client,
                self._base,
                self._model,
                self._prompt,
                max_tokens=self._max_tokens,
                bounds=self._bounds,
                key=self._key,
                witness=self,
                api=self._api,
            )

    # ------------------------------------------------------------------ what the request tells

    # These run in the thread that reads. They wait for nobody: whoever takes folds what waits.

    def began(self, transcript: Transcript, request: ChatRequest) -> None:
        """A try begins; :func:`core.live.ping.ask` calls it."""
        del request
        self._waiting.append(transcript)

    def sent(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """The request as it went out."""
        self._waiting.append(_Sent(url, tuple(headers), body))

    def read(self, data: bytes, at: float) -> None:
        """Raw bytes of the stream."""
        self._waiting.append(_Came(data, at))

    def saw(self, event: Event, shown: Sequence[Event]) -> None:
        """One event; ``shown`` is what of it may be shown, the key masked."""
        if len(shown) == 1 and shown[0] is event:
            self._waiting.append(event)
        else:
            self._waiting.append((event, shown))
        if len(self._waiting) > WAITING:
            self.settle()  # nobody takes: do it here, before it becomes too much

    def settle(self) -> None:
        """Fold what waits."""
        with self._lock:
            self._fold()

    def _fold(self) -> None:
        waiting = self._waiting
        # What is added meanwhile waits for the next time: a flood must not hold up whoever takes.
        for _ in range(len(waiting)):
            item = waiting.popleft()
            if isinstance(item, _Came):
                self._recorder.read(item.data, item.at)
            elif isinstance(item, tuple):
                self._apply(item[0])
                for one in item[1]:
                    self._show(one)
            elif isinstance(item, Transcript):
                self._transcript = item
            elif isinstance(item, _Sent):
                self._recorder.sent(item.url, item.headers, item.body)
            else:
                self._apply(item)
                self._show(item)

    def _apply(self, event: Event) -> None:
        if isinstance(event, Headers):
            self._recorder.answered(event.status, event.headers)
        self._transcript.apply(event)

    def _show(self, event: Event) -> None:
        if isinstance(event, Answer):
            self._events += 1
            self._answer.append(event.text)
            self._enter("answering", event.at)
            self._waits(len(event.text))
        elif isinstance(event, Reasoning):
            self._events += 1
            self._thinking.append(event.text)
            self._enter("thinking", event.at)
            self._waits(len(event.text))
        elif isinstance(event, ToolPiece):
            self._events += 1
            self._enter("calling", event.at)
            self._calls.add(event)
        elif isinstance(event, PrefillProgress):
            if event.total > 0:
                self._prefill = min(event.processed / event.total, 1.0)
            if self._state in {"connecting", "waiting"}:
                self._enter("prefill", event.at)
        elif isinstance(event, AnswerWasThinking):
            self._thinking += self._answer
            self._answer.clear()
            self._moved = True
            self._enter("thinking", event.at)
        elif isinstance(event, Started):
            self._anew("waiting", event.at)
            self._recorder.started(event.at)
        elif isinstance(event, Adapted):
            self._anew("connecting", event.at)

    def _anew(self, state: State, at: float) -> None:
        """What came before was of a try that does not count."""
        self._restarted = self._restarted or self._state != "connecting"
        self._thinking.clear()
        self._answer.clear()
        self._calls.clear()
        self._pending = self._skipped = self._events = 0
        self._moved = False
        self._prefill = None
        self._rates = ()
        self._enter(state, at)

    def _enter(self, state: State, at: float) -> None:
        if state != self._state:
            self._state, self._state_at = state, at

    def _waits(self, size: int) -> None:
        """Count what waits for a take; far too much of it goes, the oldest first."""
        self._pending += size
        while self._pending > PENDING:
            oldest = self._thinking or self._answer
            gone = oldest[: len(oldest) // 2 + 1]
            del oldest[: len(gone)]
            size = sum(map(len, gone))
            self._pending -= size
            self._skipped += size


class _Came(msgspec.Struct, frozen=True, gc=False):
    """Bytes of the reply, and when they arrived."""

    data: bytes
    at: float


class _Sent(msgspec.Struct, frozen=True):
    """A request as it went out."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def _end(run: Run) -> State:
    """How a request that nobody stopped is over."""
    if run.error is not None and run.error.code not in _JUDGED:
        return "failed"
    return "done"


_JUDGED: Final = frozenset({"wrong_answer", "wrong_model", "empty_answer"})
"""Faults that turnkey finds in an answer that came whole."""
