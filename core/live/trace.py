"""When a request really began: the connection's own account of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.live.events import Started
from core.wire.timer import ConnectTimer
from core.wire.unreached import waited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.errors import Fault
    from core.providers.base_url import BaseUrl
    from core.wire.stamps import Stamps


class Trace:
    """t0 and the connection's set-up, out of httpcore's trace (encode/httpcore, «extensions»)."""

    def __init__(
        self,
        clock: Callable[[], float],
        started: Callable[[Started], None],
        sent: Callable[[Sequence[tuple[str, str]]], None] | None = None,
        stamps: Stamps | None = None,
    ) -> None:
        self._clock = clock
        self._started = started
        self._sent = sent
        self._stamps = stamps
        self._sending_from = 0.0
        self._connect_from: float | None = None
        self._connect_to: float | None = None
        self.headers_at: float | None = None
        self._timer = ConnectTimer()

    async def __call__(self, name: str, info: Mapping[str, object]) -> None:
        """Take one trace event."""
        await self._timer(name, info)
        if name.endswith("connect_tcp.started"):
            self._connect_from = self._clock()
        elif name.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._connect_to = self._clock()
        elif name.endswith("send_request_headers.started"):
            if self._sent is not None:
                self._sent(_headers(info.get("request")))
            self._sending_from = self._clock()
            if self._stamps is not None:
                self._stamps.sent = None
            else:
                self._started(Started(self._sending_from, self._connect_s()))
        elif "send_request_headers." in name and self._stamps is not None:
            # now the connection knows when the first byte really went
            at = self._stamps.sent
            self._started(Started(self._sending_from if at is None else at, self._connect_s()))
        elif name.endswith("receive_response_headers.complete"):
            self.headers_at = self._clock()

    def waited(
        self, base: BaseUrl, seconds: float, proxy: str | None, *, asked: bool = False
    ) -> Fault:
        """A bound was reached before any reply: what was waited for, in words."""
        self._timer.proxied = proxy is not None
        return waited(base, self._timer.stage(base), seconds, proxy, asked=asked)

    def _connect_s(self) -> float | None:
        if self._connect_from is None or self._connect_to is None:
            return None
        return self._connect_to - self._connect_from


def _headers(request: object) -> list[tuple[str, str]]:
    """The headers of a request as they go out."""
    pairs: object = getattr(request, "headers", ())
    if not isinstance(pairs, list):
        return []
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]
