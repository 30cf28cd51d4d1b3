"""A server that knows when it wrote each event: the truth that the stream benchmarks are held to.

``python -m tests.benchmarks.stream_server [CERT_FILE]`` prints its port and serves until its input
ends, over TLS when a file with certificate and key is given. The model's name says what to send:
``bench-<tokens a second>-<tokens>``, with 0 for as fast as it can. Writes are blocking, one an
event, each timed right before; ``GET /v1/log`` gives the times of finished streams, and forgets
them. Times are nanoseconds of the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SO_TIMESTAMPNS: Final = 35
PREFILL_S: Final = 0.25
HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
WORDS: Final = ("the ", "lamp ", "turns, ", "and ", "every ", "ship ", "sees ", "it ", "flash. ")


@dataclass(frozen=True, slots=True)
class Log:
    """One stream: when its request began to come, and when each token-bearing event was written."""

    model: str
    read_ns: int
    wrote_ns: list[int]


def chunk(delta: dict[str, object], model: str, **more: object) -> bytes:
    """One chunk as the usual servers frame it: an event, in an HTTP chunk of its own."""
    body = {
        "id": "chatcmpl-7b1b1c1c8f0f4a0fb4f6c8d1",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}],
        **more,
    }
    return framed(f"data: {json.dumps(body)}\n\n".encode())


def framed(event: bytes) -> bytes:
    """``event`` as an HTTP chunk."""
    return f"{len(event):x}\r\n".encode() + event + b"\r\n"


def pieces(model: str, count: int) -> list[bytes]:
    """The token-bearing chunks: a third of thinking, then answer; a paragraph now and then."""
    found = []
    for number in range(count):
        text = WORDS[number % len(WORDS)] if number % 60 else "\n\nThen "
        field = "reasoning_content" if number < count // 3 else "content"
        found.append(chunk({field: text}, model))
    return found


def last(model: str, count: int) -> bytes:
    """Finish reason, usage, and the end of it all."""
    usage = {"prompt_tokens": 12, "completion_tokens": count, "total_tokens": count + 12}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return (
        chunk({}, model, choices=[end])
        + chunk({}, model, choices=[], usage=usage)
        + framed(b"data: [DONE]\n\n")
        + b"0\r\n\r\n"
    )


class Wire:
    """One connection, TLS or not, that knows when its last bytes came: by the kernel's stamp."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        self._sock = sock
        self._held = b""
        self.stamp_ns = 0
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if context is not None:
            self._tls = context.wrap_bio(self._in, self._out, server_side=True)
            while True:
                try:
                    self._tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    self._flush()
                    self._in.write(self._receive())
            self._flush()

    def _receive(self) -> bytes:
        data, ancillary, _, _ = self._sock.recvmsg(65536, 64)
        now = time.perf_counter_ns()
        behind = time.time_ns()
        self.stamp_ns = now
        for _, kind, value in ancillary:
            if kind == SO_TIMESTAMPNS:
                seconds, rest = struct.unpack_from("@ll", value)
                self.stamp_ns = now - (behind - (seconds * 1_000_000_000 + rest))
        if not data:
            raise ConnectionError("the client left")
        return data

    def _flush(self) -> None:
        if self._out.pending:
            self._sock.sendall(self._out.read())

    def _read(self) -> bytes:
        if self._tls is None:
            return self._receive()
        while True:
            try:
                return self._tls.read(65536)
            except ssl.SSLWantReadError:
                self._flush()
                self._in.write(self._receive())

    def send(self, data: bytes) -> None:
        """All of it."""
        if self._tls is None:
            self._sock.sendall(data)
        else:
            self._tls.write(data)
            self._flush()

    def request(self) -> tuple[bytes, bytes] | None:
        """Head and body of the next request."""
        try:
            if not self._held:
                self._held = self._read()
            first_ns = self.stamp_ns
            while b"\r\n\r\n" not in self._held:
                self._held += self._read()
            head, _, rest = self._held.partition(b"\r\n\r\n")
            found = re.search(rb"(?i)content-length: *(\d+)", head)
            length = int(found[1]) if found else 0
            while len(rest) < length:
                rest += self._read()
            self.stamp_ns = first_ns
        except ConnectionError:
            return None
        self._held = rest[length:]
        return head, rest[:length]


class Server:
    """A thread a connection."""

    def __init__(self, cert_file: str | None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._context: ssl.SSLContext | None = None
        if cert_file is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(cert_file)
        self.port: int = self._listener.getsockname()[1]
        self._logs: list[Log] = []

    def serve(self) -> None:
        """Take connections for as long as the process lives."""
        while True:
            sock, _ = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._converse, args=(sock,), daemon=True).start()

    def _converse(self, sock: socket.socket) -> None:
        try:
            with sock:
                wire = Wire(sock, self._context)
                while self._answer(wire):
                    pass
        except OSError:
            pass  # the client left

    def _answer(self, wire: Wire) -> bool:
        request = wire.request()
        if request is None:
            return False
        head, body = request
        if head.startswith(b"POST"):
            self._stream(wire, json.loads(body)["model"], wire.stamp_ns)
            return True
        logs = [{"model": one.model, "read_ns": one.read_ns, "wrote_ns": one.wrote_ns}
                for one in self._logs]  # fmt: skip
        self._logs.clear()
        told = json.dumps(logs).encode()
        start = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(told)}"
        wire.send(start.encode() + b"\r\n\r\n" + told)
        return True

    def _stream(self, wire: Wire, model: str, read_ns: int) -> None:
        rate, count = (int(part) for part in model.split("-")[1:3])
        if not rate:
            wire.send(HEAD)
            self._burst(wire, model, count)
            return
        ready = pieces(model, count)
        time.sleep(PREFILL_S)
        wire.send(HEAD + chunk({"role": "assistant"}, model))
        begin = time.perf_counter() + 0.02
        wrote = []
        for number, piece in enumerate(ready):
            wait = begin + number / rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            wrote.append(time.perf_counter_ns())
            wire.send(piece)
        self._logs.append(Log(model, read_ns, wrote))  # whoever reads the end may ask at once
        wire.send(last(model, count))

    def _burst(self, wire: Wire, model: str, count: int) -> None:
        """As fast as it goes, 64 chunks a write."""
        whole = b"".join(pieces(model, 192)[64:128])
        for _ in range(count // 64):
            wire.send(whole)
        wire.send(last(model, count // 64 * 64))


@contextmanager
def serving(cert_file: str | None = None) -> Iterator[int]:
    """A server in a process of its own; its port."""
    argv = [sys.executable, "-m", "tests.benchmarks.stream_server"]
    if cert_file is not None:
        argv.append(cert_file)
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait()


def main() -> None:
    """Serve until the input ends."""
    server = Server(sys.argv[1] if len(sys.argv) > 1 else None)
    print(server.port, flush=True)  # noqa: T201
    threading.Thread(target=server.serve, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
