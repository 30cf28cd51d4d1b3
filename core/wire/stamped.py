"""A connection that knows when its bytes arrived, for httpcore, plain and under TLS.

Bytes are taken from the socket as soon as the event loop sees them, each read with its own time
(:mod:`core.wire.stamps`), whether or not somebody waits for them. TLS is undone above that, so
that the time of plain text is that of the bytes which completed its record.

For a stream that is watched while this program paints, a thread takes the bytes from the socket
without the interpreter (:mod:`core.wire.capture`), and the loop looks at what came.

Needs an event loop with ``add_reader`` (every one but that of Windows). Imports httpcore.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

import httpcore

from core.wire.capture import Capture, can_capture
from core.wire.stamps import SPACE, Source, Stamps, ask_kernel, stamp_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_Piece: TypeAlias = tuple[bytes, tuple[int, Source]]
# Bytes, and when they came.
_READ: Final = 65536
_LOOK_S: Final = 0.004
# How often one looks at what is captured; times are exact all the same.
_CROWD: Final = 12
# Reads that wait at one look from which they are too many to be handed on one by one: 3,000 a
# second. The HTTP parser's cost is by the read, and typing would wait for it.
_TOGETHER_NS: Final = 1_000_000
# Then those of so short a time go on as one, with the time of its last: by that much a time is off.
_PATIENCE: Final = 250
_HELD: Final = 1 << 20
# Bytes that wait to be taken before the kernel, and so the server, is made to wait.


async def connect(
    address: str,
    *,
    port: int,
    local_address: str | None,
    socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    stamps: Stamps,
) -> StampedStream:
    """Connect to an address (no name); whoever calls bounds the time. Raises ConnectError."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option in socket_options or ():
            sock.setsockopt(*option)
        if local_address is not None:
            sock.bind((local_address, 0))
        if ask_kernel(sock):
            stamps.measure()
        await loop.sock_connect(sock, (address, port))
        if stamps.capture and can_capture():
            sock.setblocking(True)
            return StampedStream(sock, stamps, Capture(sock))
    except OSError as error:
        sock.close()
        raise httpcore.ConnectError(str(error)) from error
    except BaseException:
        sock.close()
        raise
    return StampedStream(sock, stamps)


class StampedStream(httpcore.AsyncNetworkStream):
    """A connected socket. What it reads goes out in the pieces, and with the times, it came in."""

    def __init__(self, sock: socket.socket, stamps: Stamps, capture: Capture | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._stamps = stamps
        self._came: deque[_Piece] = deque()
        self._held = 0
        self._end: OSError | bool = False
        self._closed = False
        self._reading = True
        self._waiter: asyncio.Future[None] | None = None
        self._peer: object = sock.getpeername()
        self._own: object = sock.getsockname()
        self._capture = capture
        if capture is None:
            self._loop.add_reader(sock.fileno(), self._readable)

    def _fetch(self, capture: Capture) -> None:
        """What was captured since."""
        came: list[_Piece] = []
        while self._held <= _HELD and not self._end:
            found = capture.take()
            if found is None:
                break
            if isinstance(found, OSError):
                self._end = found
            elif not found[0]:
                self._end = True
            else:
                came.append((found[0], self._stamps.mark(found[1])))
                self._held += len(found[0])
        self._came.extend(came if len(came) < _CROWD else together(came))

    async def _look(self, capture: Capture) -> None:
        """Look at what is captured until something came; less often after a long silence."""
        looks = 0
        while not self._closed:
            self._fetch(capture)
            if self._came or self._end:
                return
            looks += 1
            await asyncio.sleep(_LOOK_S if looks < _PATIENCE else _LOOK_S * 8)
        raise httpcore.ReadError("closed")

    def _readable(self) -> None:
        try:
            data, ancillary, _, _ = self._sock.recvmsg(_READ, SPACE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end = error
            data = b""
        else:
            if data:
                mark = self._stamps.mark(stamp_in(ancillary))
                self._came.append((data, mark))
                self._held += len(data)
            else:
                self._end = True
        if not data or self._held > _HELD:
            self._loop.remove_reader(self._sock.fileno())
            self._reading = False
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """The next piece; empty at the end. Raises ReadTimeout, ReadError."""
        if not self._came:
            await self._wait(timeout)
        if self._came:
            data, mark = self._came.popleft()
            if len(data) > max_bytes:
                self._came.appendleft((data[max_bytes:], mark))
                data = data[:max_bytes]
            self._held -= len(data)
            self._stamps.deliver(mark)
            if (
                self._capture is None
                and not self._reading
                and not self._end
                and self._held < _HELD // 2
            ):
                self._loop.add_reader(self._sock.fileno(), self._readable)
                self._reading = True
            return data
        if isinstance(self._end, OSError):
            raise httpcore.ReadError(str(self._end)) from self._end
        return b""

    async def _wait(self, timeout: float | None) -> None:  # noqa: ASYNC109
        if self._capture is not None:
            if self._closed:
                raise httpcore.ReadError("closed")
            try:
                async with asyncio.timeout(timeout):
                    await self._look(self._capture)
            except TimeoutError as error:
                raise httpcore.ReadTimeout("read") from error
            return
        while not (self._came or self._end):
            if self._closed:
                raise httpcore.ReadError("closed")
            self._waiter = self._loop.create_future()
            try:
                if timeout is None:
                    await self._waiter
                else:
                    async with asyncio.timeout(timeout):
                        await self._waiter
            except TimeoutError as error:
                raise httpcore.ReadTimeout("read") from error
            finally:
                self._waiter = None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send all of it. Raises WriteTimeout, WriteError."""
        if not buffer:
            return
        if self._closed:
            raise httpcore.WriteError("closed")
        try:
            async with asyncio.timeout(timeout):
                self._stamps.sends()
                if self._capture is None:
                    await self._loop.sock_sendall(self._sock, buffer)
                else:
                    await self._send(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout("write") from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def _send(self, buffer: bytes) -> None:
        """Send on a socket that blocks, without blocking."""
        left = memoryview(buffer)
        while left:
            try:
                left = left[self._sock.send(left, socket.MSG_DONTWAIT) :]
            except (BlockingIOError, InterruptedError):
                await asyncio.sleep(_LOOK_S)

    async def aclose(self) -> None:
        """Close the socket; doing it again changes nothing."""
        if self._closed:
            return
        self._closed = True
        if self._capture is not None:
            self._capture.stop()
            await asyncio.sleep(0)
            return
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()
        self._wake()
        await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """The handshake, above this connection."""
        return await _secure(self, ssl_context, server_hostname, timeout)

    def get_extra_info(self, info: str) -> object:
        """What httpcore asks of a connection."""
        match info:
            case "socket":
                return self._sock
            case "client_addr":
                return self._own
            case "server_addr":
                return self._peer
            case "is_readable":
                if self._capture is not None:
                    self._fetch(self._capture)
                if self._came or self._end or self._closed:
                    return True
                return self._capture is None and _is_readable(self._sock)
            case _:
                return None


def together(pieces: Sequence[_Piece]) -> Iterator[_Piece]:
    """The same bytes in fewer pieces; each has the time of its last byte, as the kernel has it."""
    joined: list[bytes] = []
    begun = 0
    last: tuple[int, Source] = (0, "thread")
    for data, mark in pieces:
        if joined and mark[0] - begun > _TOGETHER_NS:
            yield b"".join(joined), last
            joined.clear()
        if not joined:
            begun = mark[0]
        joined.append(data)
        last = mark
    if joined:
        yield b"".join(joined), last


class _SecureStream(httpcore.AsyncNetworkStream):
    """TLS above another connection, which may be one under TLS itself (a proxy's)."""

    def __init__(
        self,
        below: httpcore.AsyncNetworkStream,
        tls: ssl.SSLObject,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
    ) -> None:
        self._below = below
        self._tls = tls
        self._incoming = incoming
        self._outgoing = outgoing
        self._order = asyncio.Lock()

    async def handshake(self) -> None:
        """Agree with the other side. Raises ssl.SSLError, httpcore.NetworkError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush(None)
                await self._more(None)
            else:
                return await self._flush(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Plain text of the next record; empty at the end, announced or not."""
        while True:
            try:
                data = self._tls.read(max_bytes)
            except ssl.SSLWantReadError:
                if self._outgoing.pending:
                    await self._flush(timeout)
                await self._more(timeout)
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as error:
                raise httpcore.ReadError(str(error)) from error
            else:
                return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Encrypt and send all of it."""
        if not buffer:
            return
        try:
            self._tls.write(buffer)
        except ssl.SSLError as error:
            raise httpcore.WriteError(str(error)) from error
        await self._flush(timeout)

    async def _more(self, timeout: float | None) -> None:  # noqa: ASYNC109
        data = await self._below.read(_READ, timeout)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self, timeout: float | None) -> None:  # noqa: ASYNC109
        # One at a time: records must go out in the order in which they were made.
        async with self._order:
            while self._outgoing.pending:
                await self._below.write(self._outgoing.read(), timeout)

    async def aclose(self) -> None:
        """Close the connection below."""
        await self._below.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """One more handshake, inside this one's tunnel."""
        return await _secure(self, ssl_context, server_hostname, timeout)

    def get_extra_info(self, info: str) -> object:
        """What httpcore asks of a connection."""
        if info == "ssl_object":
            return self._tls
        if info == "is_readable" and self._tls.pending():
            return True
        return self._below.get_extra_info(info)


async def _secure(
    below: httpcore.AsyncNetworkStream,
    context: ssl.SSLContext,
    hostname: str | None,
    timeout: float | None,  # noqa: ASYNC109  # httpcore's word
) -> _SecureStream:
    """TLS above ``below``, which is closed when none comes about. Raises ConnectError."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        tls = context.wrap_bio(incoming, outgoing, server_side=False, server_hostname=hostname)
        stream = _SecureStream(below, tls, incoming, outgoing)
        async with asyncio.timeout(timeout):
            await stream.handshake()
    except TimeoutError as error:
        await below.aclose()
        raise httpcore.ConnectTimeout("TLS") from error
    except (OSError, ValueError, httpcore.NetworkError) as error:  # ssl.SSLError is an OSError
        with suppress(httpcore.NetworkError):  # the alert that says why
            if outgoing.pending and not isinstance(error, httpcore.NetworkError):
                await below.write(outgoing.read(), 1.0)
        await below.aclose()
        raise httpcore.ConnectError(str(error)) from error
    except BaseException:
        await below.aclose()
        raise
    return stream


def _is_readable(sock: socket.socket) -> bool:
    """Whether something waits in the socket: on an idle connection, its end."""
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
