"""Two small proxies on loopback: HTTP (CONNECT) and SOCKS5. Every name leads to one port."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Literal, Self


@dataclass(slots=True)
class TunnelProxy:
    """Tunnels to ``port`` of this machine, whatever host was asked for.

    ``asked`` is what clients wanted, ``heard`` every byte that was meant for the proxy itself.
    ``refuse`` is the status line of an HTTP proxy that lets nobody through.
    """

    port: int
    kind: Literal["http", "socks5"] = "http"
    refuse: str = ""
    asked: list[str] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    own_port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its address, with a login."""
        scheme = "socks5h" if self.kind == "socks5" else "http"
        return f"{scheme}://me:hunter2@127.0.0.1:{self.own_port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.own_port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greet = self._greet_socks if self.kind == "socks5" else self._greet_http
        try:
            if not await greet(reader, writer):
                return
            there, out = await asyncio.open_connection("127.0.0.1", self.port)
            await asyncio.gather(_pump(reader, out), _pump(there, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # one of the ends left
        finally:
            writer.close()

    async def _greet_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heard += head
        self.asked.append(head.split()[1].decode())
        if self.refuse:
            writer.write(f"HTTP/1.1 {self.refuse}\r\ncontent-length: 0\r\n\r\n".encode())
            await writer.drain()
            return False
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return True

    async def _greet_socks(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x02")  # a login
        _, size = await reader.readexactly(2)
        user = await reader.readexactly(size)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        self.heard += user + password
        writer.write(b"\x01\x00")
        *_, size = await reader.readexactly(5)  # a name, by the rule of socks5h
        name = await reader.readexactly(size)
        port = int.from_bytes(await reader.readexactly(2))
        self.asked.append(f"{name.decode()}:{port}")
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        return True


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        with contextlib.suppress(ConnectionError):
            writer.close()
