"""When a request really began: the connection's own account of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.live.events import Started

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Trace:
    """t0 and the connection's set-up, out of httpcore's trace (encode/httpcore, «extensions»)."""

    def __init__(self, clock: Callable[[], float], started: Callable[[Started], None]) -> None:
        self._clock = clock
        self._started = started
        self._connect_from: float | None = None
        self._connect_to: float | None = None
        self.headers_at: float | None = None

    async def __call__(self, name: str, info: Mapping[str, object]) -> None:  # noqa: ARG002
        """Take one trace event."""
        if name.endswith("connect_tcp.started"):
            self._connect_from = self._clock()
        elif name.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._connect_to = self._clock()
        elif name.endswith("send_request_headers.started"):
            connect = None
            if self._connect_from is not None and self._connect_to is not None:
                connect = self._connect_to - self._connect_from
            self._started(Started(self._clock(), connect))
        elif name.endswith("receive_response_headers.complete"):
            self.headers_at = self._clock()
