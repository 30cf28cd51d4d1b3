"""One streamed request, as it happens: events out of a live connection, never without a bound.

The request runs in a task of its own, so that times are read when bytes arrive and not when
whoever shows them is ready for more. ``arrived`` is called once after each read, before any
parsing: a network backend that knows the kernel's receive stamps gives those instead of a clock.

Importing this module imports httpx.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final

import httpx
import msgspec

from core.errors import Fault, TurnkeyError
from core.live.body import chunks_of
from core.live.dialects import put, reader_for
from core.live.events import (
    Adapted,
    Answer,
    Ended,
    Event,
    Failed,
    Finished,
    Headers,
    KeepAlive,
    Reasoning,
    Started,
    ToolPiece,
)
from core.live.held import patience_s, piece_by
from core.live.reader import StreamReader
from core.live.stream_faults import (
    broke_off,
    fell_silent,
    no_stream,
    no_token,
    not_done,
    sent_nothing,
)
from core.live.trace import Trace
from core.wire.chat import ChatRequest, adapted
from core.wire.client import proxy_of, secrets_of
from core.wire.failures import fault_from_exception, fault_from_reply
from core.wire.stamps import STAMPS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl
    from core.wire.bounds import Bounds
    from core.wire.stamps import Source, Stamps

_HELD_EVENTS: Final = 20_000
"""Events that wait for a slow reader before the connection is made to wait as well."""
_TURN_S: Final = 0.02
"""How long the reader goes on, where bytes are always there, before the events are taken."""
_DRAIN_S: Final = 0.1
"""How long the end of the body may take after ``[DONE]``, so that the connection is kept."""


async def stream(
    client: httpx.AsyncClient,
    base: BaseUrl,
    request: ChatRequest,
    bounds: Bounds,
    *,
    clock: Callable[[], float] = time.perf_counter,
    arrived: Callable[[], float] | None = None,
    key: Secret | None = None,
    tap: Callable[[bytes, float], None] | None = None,
    sent: Callable[[str, Sequence[tuple[str, str]], bytes], None] | None = None,
) -> AsyncGenerator[Event, None]:
    """POST ``request`` to ``base`` and give its events as they come; the last is :class:`Ended`.

    Failures of the endpoint come as :class:`Failed`, they are not raised. Closing the iterator,
    or cancelling whoever waits for it, closes the connection. ``clock`` gives monotonic seconds;
    ``arrived`` the time at which the bytes just read arrived (else the connection's stamps, where
    :data:`core.wire.stamps.STAMPS` was set before the client connected, else ``clock``); ``tap``
    is shown the raw bytes of the stream, or of the refusal instead, with that time; ``sent`` URL,
    headers (the key among them) and body of each request as it goes out; ``key`` is masked in
    faults, the client sends it.

    Bounds: ``connect_s`` up to the request's first byte; ``first_byte_s`` from there to the first
    token, which keep-alives do not extend; then ``silence_s`` between two reads, which they do,
    for ``first_byte_s`` at most; ``total_s`` for all of it.

    A 4xx that names ``stream_options`` or the output limit's field is answered by one more
    request without it, or with its other name (:class:`Adapted`).
    """
    stamps = STAMPS.get() if arrived is None and clock is time.perf_counter else None
    flow = _Flow(client, base, request, bounds, clock, arrived or clock, stamps, key, tap, sent)
    work = asyncio.create_task(flow.run())
    work.add_done_callback(lambda _: flow.wake.set())
    try:
        while True:
            while flow.events:
                yield flow.events.popleft()
            flow.room.set()
            if work.done():
                break
            flow.wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(flow.deadline()):
                    await flow.wake.wait()
            # Looked at each time: a flood of keep-alives never lets the wait run out.
            fault = flow.overdue()
            if fault is not None:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                if not flow.over:
                    flow.fail(fault)
        while flow.events:
            yield flow.events.popleft()
        if not work.cancelled():
            work.result()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


class _Flow:
    """The request's task, and what it shares with the iterator: events, and how late it is."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        base: BaseUrl,
        request: ChatRequest,
        bounds: Bounds,
        clock: Callable[[], float],
        arrived: Callable[[], float],
        stamps: Stamps | None,
        key: Secret | None,
        tap: Callable[[bytes, float], None] | None,
        sent: Callable[[str, Sequence[tuple[str, str]], bytes], None] | None,
    ) -> None:
        self._client = client
        self._base = base
        self._request = request
        self._bounds = bounds
        self._clock = clock
        self._clocked = arrived
        self._stamps = stamps
        self._key = key
        self._tap = tap
        self._told = sent
        self._reader: StreamReader | None = None
        self._trace = Trace(clock, self._begin)
        self._proxy = proxy_of(client)
        self.events: deque[Event] = deque()
        self.wake = asyncio.Event()
        self.room = asyncio.Event()
        self.over = False
        """Ended is among the events."""
        # Of the event loop's clock, which need not be the events'.
        self._loop = asyncio.get_running_loop()
        self._begun = self._attempted = self._loop.time()
        self._sent: float | None = None
        self._data_at = 0.0
        self._read_at = 0.0
        self._tokens = self._finished = False

    # ------------------------------------------------------------------ bounds

    def deadline(self) -> float | None:
        """When the next bound is reached, in seconds of the loop's clock; None: at none."""
        if self.over:
            return None
        bounds = self._bounds
        if self._sent is None:
            at = self._attempted + bounds.connect_s
        elif not self._tokens:
            at = self._sent + bounds.first_byte_s
        else:
            at = min(self._read_at + bounds.silence_s, self._data_at + bounds.first_byte_s)
        return at if bounds.total_s is None else min(at, self._begun + bounds.total_s)

    def overdue(self) -> Fault | None:
        """The bound that was reached, in words; None if something came in the meantime."""
        deadline, now = self.deadline(), self._loop.time()
        if deadline is None or now < deadline:
            return None
        bounds, base = self._bounds, self._base
        if bounds.total_s is not None and now >= self._begun + bounds.total_s:
            if self._trace.headers_at is not None:
                return not_done(base, bounds.total_s)
            return self._trace.waited(base, now - self._attempted, self._proxy, asked=True)
        if self._sent is None:
            return self._trace.waited(base, now - self._attempted, self._proxy)
        if not self._tokens:
            return no_token(base, bounds.first_byte_s)
        return fell_silent(base, now - self._data_at)

    # ------------------------------------------------------------------ the request

    async def run(self) -> None:
        """Send the request, once more where a refusal names a field, and read to the end."""
        request = self._request
        tried = [request]
        while True:
            refusal = await self._attempt(request)
            if refusal is None:
                break
            other = adapted(request, refusal.fault, refusal.status or 0)
            if other is None or other in tried:
                self._put([refusal, Ended(refusal.at, complete=False)])
                self.over = True
                break
            self._put([Adapted(refusal.at, other, refusal.fault)])
            request = other
            tried.append(other)
            self._sent = None
            self._attempted = self._loop.time()

    def fail(self, fault: Fault, at: float | None = None) -> None:
        """End with ``fault``, after what was still held back."""
        now = self._clock() if at is None else at
        held = self._reader.end(now) if self._reader is not None else []
        self._put([event for event in held if not isinstance(event, Ended)])
        if not any(isinstance(event, Failed) for event in held):
            self._put([Failed(now, self._masked(fault))])
        self._put([Ended(now, complete=False)])
        self.over = True

    def _put(self, events: list[Event]) -> None:
        self.events += events
        self.wake.set()

    def _begin(self, event: Started) -> None:
        self._sent = self._read_at = self._data_at = self._loop.time()
        self._put([event])

    async def _attempt(self, request: ChatRequest) -> Failed | None:
        """One request. A refusal is returned (it may be mended), all else goes to the events."""
        url, body, headers_of_api = put(request, self._base)

        def told(headers: Sequence[tuple[str, str]]) -> None:
            if self._told is not None:
                self._told(url, headers, body)

        trace = self._trace = Trace(self._clock, self._begin, told, self._stamps)
        bounds = self._bounds
        try:
            built = self._client.build_request(
                "POST",
                url,
                content=body,
                headers={"content-type": "application/json", **headers_of_api},
                # Reading is bounded by the iterator, which knows what was read.
                timeout=httpx.Timeout(
                    connect=bounds.connect_s,
                    read=None,
                    write=bounds.silence_s,
                    pool=bounds.connect_s,
                ),
                extensions={"trace": trace},
            )
            response = await self._client.send(built, stream=True)
        except TurnkeyError as error:
            self.fail(error.fault)
            return None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            self.fail(fault_from_exception(error, self._base, self._proxy))
            return None
        try:
            at = trace.headers_at if trace.headers_at is not None else self._clock()
            source: Source = "thread"
            if self._stamps is not None and self._stamps.at is not None:
                at, source = self._stamps.at, self._stamps.source
            if self._sent is None:  # a transport without a trace
                self._begin(Started(at))
            headers = {name.lower(): value for name, value in response.headers.items()}
            self._put([Headers(at, response.status_code, headers, source)])
            return await self._read(request, response, headers)
        except TurnkeyError as error:
            self.fail(error.fault)
        except TimeoutError:
            self.fail(fault_from_exception(httpx.ReadTimeout(""), self._base))
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            self._broken(error)
        finally:
            await response.aclose()
        return None

    async def _read(
        self, request: ChatRequest, response: httpx.Response, headers: dict[str, str]
    ) -> Failed | None:
        chunks = chunks_of(response, headers, self._base, self._bounds)
        async with aclosing(chunks):
            kind = headers.get("content-type", "").lower()
            streamed = response.is_success and "event-stream" in kind
            first = b""
            if response.is_success and not streamed and "json" not in kind and "html" not in kind:
                # No telling type: the first bytes decide.
                async for first in chunks:
                    if first.strip():
                        break
                streamed = bool(first.strip()) and first.lstrip()[:1] not in b"{[<"
            if streamed:
                await self._read_events(request, chunks, first, headers)
                return None
            body = bytearray(first)
            async for chunk in chunks:
                body += chunk
        if self._tap is not None:
            self._tap(bytes(body), self._arrived())
        return self._refusal(request, response.status_code, headers, bytes(body))

    async def _read_events(
        self,
        request: ChatRequest,
        chunks: AsyncIterator[bytes],
        first: bytes,
        headers: dict[str, str],
    ) -> None:
        reader = self._reader = StreamReader(
            reader_for(request, self._base, self._key), self._bounds.line_bytes
        )
        if first:
            self._took(reader, first)
        turn = self._loop.time()
        while not reader.done:
            until = self._data_at + patience_s(self._bounds) if self._finished else None
            if (data := await piece_by(chunks, until)) is None:
                break
            self._took(reader, data)
            if self._read_at - turn > _TURN_S:
                await asyncio.sleep(0)
                turn = self._loop.time()
            if len(self.events) > _HELD_EVENTS:
                self.room.clear()
                await self.room.wait()
        now = self._arrived() if reader.done else self._clock()
        empty = not reader.payloads and not reader.done
        held = self._ending(reader, now)
        if empty and not any(isinstance(event, Failed) for event in held):
            self._nothing(request, reader, headers, now)
            return
        self._put(held)
        self.over = True
        try:
            async with asyncio.timeout(_DRAIN_S):
                async for _ in chunks:
                    pass
        except (TimeoutError, TurnkeyError, httpx.HTTPError, httpx.StreamError, OSError):
            pass  # the answer is whole; only the connection is not used again

    def _ending(self, reader: StreamReader, now: float) -> list[Event]:
        """The last events, told whose times they all have."""
        held = reader.end(now)
        if self._stamps is not None and isinstance(held[-1], Ended):
            held[-1] = msgspec.structs.replace(held[-1], stamps=self._stamps.source)
        return held

    def _arrived(self) -> float:
        """When the bytes that were read last came in."""
        stamps = self._stamps
        return self._clocked() if stamps is None or stamps.at is None else stamps.at

    def _took(self, reader: StreamReader, data: bytes) -> None:
        at = self._arrived()
        if self._tap is not None:
            self._tap(data, at)
        self._read_at = self._loop.time()
        events = reader.feed(data, at)
        if not events:
            return
        if not self._tokens:
            self._tokens = any(isinstance(one, Reasoning | Answer | ToolPiece) for one in events)
        self._finished = self._finished or any(isinstance(one, Finished) for one in events)
        if not isinstance(events[-1], KeepAlive) or not isinstance(events[0], KeepAlive):
            self._data_at = self._read_at
        self._put(events)

    # ------------------------------------------------------------------ what is no stream

    def _refusal(
        self, request: ChatRequest, status: int, headers: dict[str, str], body: bytes
    ) -> Failed:
        """The fault of an answer that is no event stream."""
        for secret in secrets_of(self._client):  # before it is cut short in the middle of one
            told = body.decode("utf-8", "surrogateescape")
            body = secret.redact(told).encode("utf-8", "surrogateescape")
        fault = fault_from_reply(
            status, headers, body, self._base, model=request.model, key=self._key
        )
        if fault is None:
            fault = no_stream(self._base, body)
        return Failed(self._clock(), self._masked(fault), status)

    def _masked(self, fault: Fault) -> Fault:
        """``fault`` without the key, wherever its words come from."""
        if self._key is None:
            return fault
        mask = self._key.redact
        return Fault(fault.code, mask(fault.what), mask(fault.why), mask(fault.fix))

    def _nothing(
        self, request: ChatRequest, reader: StreamReader, headers: dict[str, str], now: float
    ) -> None:
        """An event stream without an event: an error told in bare lines, or nothing at all."""
        fault = None
        if reader.stray:
            plain = {name: text for name, text in headers.items() if name != "content-type"}
            fault = fault_from_reply(
                200, plain, reader.stray, self._base, model=request.model, key=self._key
            )
        self.fail(fault or sent_nothing(self._base), now)

    def _broken(self, error: Exception) -> None:
        """The connection went down while the body came."""
        reader = self._reader
        now = self._clock()
        if reader is not None:
            held = reader.end(now)
            last = held[-1]
            if isinstance(last, Ended) and last.complete:
                # All was said; only the coding's own end is missing.
                self._put(held)
                self.over = True
                return
            self._put(held[:-1])
            self._reader = None
        fault = fault_from_exception(error, self._base)
        if fault.code in {"connection_failed", "bad_shape", "stream_broken"}:
            fault = broke_off(self._base)
        self.fail(fault, now)
