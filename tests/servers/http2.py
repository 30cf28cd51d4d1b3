"""A small HTTP/2 server on loopback: one JSON answer to every request."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

import h2.config
import h2.connection
import h2.errors
import h2.events

if TYPE_CHECKING:
    import ssl


@dataclass(slots=True)
class Http2Server:
    """Answers ``body`` with 200; ``paths`` and ``keys`` are what was asked, and with which key.

    With ``refuse`` it answers nothing: it ends the connection (``goaway``) or the stream
    (``reset``), and names ``error`` for it.
    """

    tls: ssl.SSLContext
    body: bytes
    refuse: Literal["goaway", "reset"] | None = None
    error: h2.errors.ErrorCodes = h2.errors.ErrorCodes.ENHANCE_YOUR_CALM
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        return f"https://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        try:
            writer.write(connection.data_to_send())
            while data := await reader.read(65_536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self._answer(connection, event)
                writer.write(connection.data_to_send())
        except ConnectionError:
            pass  # the client left
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    def _answer(
        self, connection: h2.connection.H2Connection, event: h2.events.RequestReceived
    ) -> None:
        headers = {str(name): str(value) for name, value in event.headers}
        self.paths.append(headers[":path"])
        self.keys.append(headers.get("authorization", ""))
        stream = event.stream_id
        if self.refuse == "goaway":
            connection.close_connection(self.error, last_stream_id=0)
            return
        if self.refuse == "reset":
            connection.reset_stream(stream, self.error)
            return
        connection.send_headers(stream, [(":status", "200"), ("content-type", "application/json")])
        connection.send_data(stream, self.body, end_stream=True)
