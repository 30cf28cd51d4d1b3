"""How many requests an origin gets at once, and how long it is left alone when it asks for that.

One :class:`Courtesy` is shared by all that verifies, so that a server which says 429 to one probe
is not asked by the others either. Whoever stops cancels the tasks; a wait ends with them.
"""

from __future__ import annotations

import asyncio
import heapq
import re
import time
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import msgspec

from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

CONCURRENCY: Final = 4
"""Requests at once to one origin: as many as Warden's runner sends unless told otherwise."""
PATIENCE_S: Final = 60.0
"""The longest wait, in seconds, that a server can ask for and get."""
BACKOFF_S: Final = (2.0, 4.0, 8.0)
"""Waits before each repetition where the server names none; as many as Pi makes."""
LEAST_S: Final = 0.25
"""The wait, in seconds, before the same is asked again where a server asks for none at all."""
ASKS_TO_WAIT: Final = frozenset({429, 503})

URGENCY: Final[ContextVar[int]] = ContextVar("URGENCY", default=0)
"""How many requests may still have to wait for the one that is about to go out. Whoever stands
before the longest row goes first, so that nothing is left to be waited for alone at the end."""
MOST_URGENT: Final = 1_000
"""For what others wait for already."""


class Held(msgspec.Struct, frozen=True):
    """One wait that a server asked for."""

    origin: str
    seconds: float
    why: str
    """In words for a person."""


class Courtesy:
    """A limit of requests at once for each origin, and the pauses that origins ask for."""

    def __init__(
        self,
        limit: int = CONCURRENCY,
        *,
        patience_s: float = PATIENCE_S,
        tell: Callable[[Held], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limit = max(1, limit)
        self.patience_s = patience_s
        """How long a single wait may be, in seconds."""
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._places: dict[str, _Places] = {}
        self._until: dict[str, float] = {}
        self.held: list[Held] = []
        """Every wait so far, oldest first."""

    @asynccontextmanager
    async def turn(self, origin: str) -> AsyncGenerator[None]:
        """A place among the requests to ``origin``, once its pause is over.

        Of those who wait the one with the greatest :data:`URGENCY` comes first, then the oldest.
        """
        places = self._places.setdefault(origin, _Places(self.limit))
        async with places.one():
            while (left := self._until.get(origin, 0.0) - self._clock()) > 0:
                await self._sleep(left)
            yield

    async def rest(self, origin: str, seconds: float, why: str) -> bool:
        """Let whoever failed at ``origin`` wait alone; False when that is more than the patience.

        The others go on: a server that fails once need not be one that has too much to do.
        """
        if seconds > self.patience_s:
            return False
        self._told(Held(origin, seconds, one_line(why, 200)))
        await self._sleep(seconds)
        return True

    def hold(self, origin: str, seconds: float, why: str) -> bool:
        """Leave ``origin`` alone for ``seconds``; False when that is more than the patience."""
        if seconds > self.patience_s:
            return False
        self._until[origin] = max(self._until.get(origin, 0.0), self._clock() + seconds)
        self._told(Held(origin, seconds, one_line(why, 200)))
        return True

    def _told(self, held: Held) -> None:
        self.held.append(held)
        if self._tell is not None:
            self._tell(held)


class _Places:
    """So many places at once, given by urgency and then by age."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        """A place, given back at the end."""
        await self._take()
        try:
            yield
        finally:
            self._give()

    async def _take(self) -> None:
        if self._free > 0:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (-URGENCY.get(), self._count, mine))
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._give()  # it had been given a place already
            raise

    def _give(self) -> None:
        while self._waiting:
            _, _, next_one = heapq.heappop(self._waiting)
            if not next_one.done():
                next_one.set_result(None)  # the place goes from hand to hand
                return
        self._free += 1


_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,9})?", re.ASCII)
_LONGEST: Final = 64
"""Characters of a header's value that are looked at: a date has fewer."""


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a reply asks to wait: ``Retry-After`` as RFC 9110 has it (seconds or a date).

    ``headers`` in lower case. ``retry-after-ms`` (OpenAI's clients read it) is finer and goes
    first; ``llm_provider-retry-after`` is the upstream's own behind LiteLLM. None: it asks for
    nothing that can be understood, as a number below zero.
    """
    milliseconds = _seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    for name in ("retry-after", "llm_provider-retry-after"):
        value = headers.get(name, "").strip()[:_LONGEST]
        seconds = _seconds(value)
        if seconds is None and value:
            seconds = _until(value, now or datetime.now(UTC))
        if seconds is not None:
            return seconds
    return None


def _seconds(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text.strip()) else None


def _until(text: str, now: datetime) -> float | None:
    try:
        when = parsedate_to_datetime(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return max(0.0, (when - now).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
