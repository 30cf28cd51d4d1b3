"""Many small questions to one plain http server at once: a connection each, and little else.

What httpx 0.28 and httpcore 1.0 do for one request costs 1 to 2 ms of a core, and more the more
connections their pool holds: fifty questions to a server on the next desk take longer than their
answers. Here a question costs about a quarter of a millisecond. Importing this imports h11.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import h11

from core.errors import EndpointProblem, Fault
from core.text import one_line
from core.wire.client import Reply, proxy_of, too_large
from core.wire.inflate import Inflater, inflater

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from core.errors import Code
    from core.wire.bounds import Bounds

_HEADERS: Final = {"content-type": "application/json", "connection": "close"}
_AT_THE_DOOR: Final = 24
# Connections that are being opened at one time: some servers let no more than 100 wait for them
# (asyncio's own; Python's http.server: 5), and one that is turned away comes back a second later.
_WHOLE_HEAD: Final = 64 * 1024
# Bytes of a head, or of a chunk's first line, that is not complete yet.
_CRUMBS: Final = 256
_CRUMB: Final = 64
# Pieces that a reply may come in, however small; with more, bytes that they have on average: two
# hundred replies of one byte a chunk would hold up the event loop for a quarter of a minute.
_UNSENDABLE: Final = "cannot be asked: one of its headers has a form that no request can carry"

_Told = tuple[int, dict[str, str], bytes]


class Crowd:
    """POSTs to one URL of a client's own origin, each over a connection that ends with it."""

    def __init__(self, client: httpx.AsyncClient, url: str, address: str, bounds: Bounds) -> None:
        """``client`` is one of :func:`core.wire.client.open_client`; ``url`` is for :func:`fits`.

        ``address``: where the client's own connections go, so that no name is looked up again.

        Raises:
            EndpointProblem: ``redirected``, the URL is of another origin than the client.
        """
        request = client.build_request("POST", url, content=b"", headers=_HEADERS)
        if client.auth is not None:
            # The client's own gate: it adds the key, and lets nothing out to another origin.
            request = next(client.auth.sync_auth_flow(request))
        self._target = request.url.raw_path
        self._headers = [one for one in request.headers.raw if one[0].lower() != b"content-length"]
        self._url = url
        self._place = (address, request.url.port or 80)
        self._bounds = bounds
        self._door = asyncio.Semaphore(_AT_THE_DOOR)

    @staticmethod
    def fits(client: httpx.AsyncClient, url: str) -> bool:
        """Whether nothing stands between: TLS and proxies are the client's own matter."""
        return url.startswith("http://") and proxy_of(client) is None

    async def post(self, body: bytes) -> Reply:
        """POST ``body`` as JSON and read the reply whole, within the bounds; any status is one.

        Raises:
            EndpointProblem: there was no whole reply, or it reached a bound.
        """
        started = time.perf_counter()
        head = self._head(len(body))
        loop = asyncio.get_running_loop()
        talk = _Talk((head, h11.Data(body), h11.EndOfMessage()), self._bounds, loop.create_future())
        try:
            async with asyncio.timeout(self._bounds.overall_s()):
                async with self._door, asyncio.timeout(self._bounds.connect_s):
                    await loop.create_connection(lambda: talk, *self._place)
                status, fields, text = await self._whole(talk)
        except TimeoutError:
            raise EndpointProblem(self._fault("timeout", "did not answer in time")) from None
        except h11.RemoteProtocolError:
            raise EndpointProblem(
                self._fault("bad_shape", "does not answer as http does")
            ) from None
        except OSError:
            raise EndpointProblem(self._fault("connection_failed", "broke off")) from None
        finally:
            talk.end()
        return Reply(status, fields, text, time.perf_counter() - started, self._url)

    def _head(self, size: int) -> h11.Request:
        headers = [*self._headers, (b"content-length", str(size).encode())]
        try:
            return h11.Request(method="POST", target=self._target, headers=headers)
        except h11.LocalProtocolError:
            # From None: the error's text holds the header's value.
            raise EndpointProblem(self._fault("usage", _UNSENDABLE)) from None

    async def _whole(self, talk: _Talk) -> _Told:
        await asyncio.wait({talk.done}, timeout=self._bounds.first_byte_s)
        while not talk.done.done():
            came = talk.came
            if came:
                await asyncio.wait({talk.done}, timeout=self._bounds.silence_s)
            if talk.came == came and not talk.done.done():
                raise TimeoutError
        return talk.done.result()

    def _fault(self, code: Code, words: str) -> Fault:
        return Fault(code, f"{one_line(self._url)} {words}.")


class _Talk(asyncio.Protocol):
    """One request and its reply."""

    def __init__(
        self, sent: Sequence[h11.Event], bounds: Bounds, done: asyncio.Future[_Told]
    ) -> None:
        self.done = done
        """Status, headers and body, or why there are none."""
        self.came = 0
        """Bytes that have come."""
        self._sent = sent
        self._bounds = bounds
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_WHOLE_HEAD)
        self._status = 0
        self._fields: dict[str, str] = {}
        self._inflate: Inflater | None = None
        self._left = bounds.body_bytes
        self._events = 0
        self._pieces: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            pieces = (self._http.send(one) for one in self._sent)
            transport.write(b"".join(piece for piece in pieces if piece))

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self.came += len(data)
        self._read(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, which may be how the body ends."""
        if exc is None:
            self._read(b"")
        if not self.done.done():
            self.done.set_exception(ConnectionError())

    def end(self) -> None:
        """Let go of the connection, whatever state it is in."""
        if self._transport is not None:
            self._transport.abort()
        if not self.done.cancel() and not self.done.cancelled():
            self.done.exception()  # seen, though nobody waits for it any more

    def _read(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
            while not self.done.done() and (event := self._http.next_event()) is not h11.NEED_DATA:
                self._take(event)
        except (h11.RemoteProtocolError, EndpointProblem) as error:
            if not self.done.done():
                # An end that comes too early is a connection that broke off.
                self.done.set_exception(error if data else ConnectionError())

    def _take(self, event: object) -> None:
        self._events += 1
        if self._events > max(_CRUMBS, (self._bounds.body_bytes - self._left) // _CRUMB):
            raise h11.RemoteProtocolError("it comes in crumbs")
        if event is h11.PAUSED:
            raise h11.RemoteProtocolError("it switches to another protocol")
        if isinstance(event, h11.Response):
            self._status = event.status_code
            for raw_name, raw in event.headers:
                name, value = raw_name.decode("latin-1"), raw.decode("latin-1")
                before = self._fields.get(name)
                self._fields[name] = value if before is None else f"{before}, {value}"
            self._inflate = inflater(self._fields.get("content-encoding", ""))
        elif isinstance(event, h11.Data):
            piece = bytes(event.data)
            if self._inflate is not None:
                piece = self._inflate.feed(piece, self._left + 1)
            self._left -= len(piece)
            if self._left < 0:
                raise EndpointProblem(too_large(self._bounds))
            self._pieces.append(piece)
        elif isinstance(event, h11.EndOfMessage):
            if self._inflate is not None:
                self._inflate.finish()
            self.done.set_result((self._status, self._fields, b"".join(self._pieces)))
        elif isinstance(event, h11.ConnectionClosed):
            self.done.set_exception(ConnectionError())
