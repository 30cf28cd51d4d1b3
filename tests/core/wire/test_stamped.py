"""Connections with stamps: whose time it is, and that it is that of the bytes."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

import httpcore
import pytest

from core.wire.stamped import StampedStream, connect, together
from core.wire.stamps import SO_TIMESTAMPNS, Source, Stamps, stamp_in
from tests.servers.certificates import make_pki

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel stamps on Linux alone")


class Clocks:
    """A monotonic and a wall clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100 * SECOND
        self.wall = 5_000 * SECOND

    def stamps(self) -> Stamps:
        return Stamps(lambda: self.now, lambda: self.wall)

    def passes(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)
        self.wall += int(seconds * SECOND)


def test_the_kernels_time_stands_on_the_monotonic_clock() -> None:
    clocks = Clocks()
    stamps = clocks.stamps()
    stamps.measure()
    arrived = clocks.wall + 2 * SECOND
    clocks.passes(2.015)  # somebody painted
    assert stamps.mark(arrived) == (102 * SECOND, "kernel")
    assert stamps.mark(None) == (clocks.now, "thread")


def test_a_clock_that_was_set_meanwhile_is_measured_again() -> None:
    clocks = Clocks()
    stamps = clocks.stamps()
    stamps.measure()
    for step in (3600, -7200):
        clocks.passes(1)
        clocks.wall += step * SECOND
        assert stamps.mark(clocks.wall) == (clocks.now, "kernel")


def test_a_stamp_that_cannot_be_true_gives_way_to_the_reading_threads_time() -> None:
    clocks = Clocks()
    stamps = clocks.stamps()
    stamps.measure()
    first, source = stamps.mark(clocks.wall)
    assert source == "kernel"
    clocks.passes(1)
    assert stamps.mark(clocks.wall - 10 * SECOND) == (clocks.now, "thread"), "before the last one"
    assert stamps.mark(clocks.wall + SECOND) == (clocks.now, "thread"), "in the future"
    again, _ = stamps.mark(clocks.wall - SECOND)
    assert again == first, "as long as nothing stands against it"


def test_the_time_is_that_of_the_piece_that_was_handed_on() -> None:
    stamps = Stamps()
    found = [(stamps.at, stamps.source)]
    marks: list[tuple[int, Source]] = [
        (SECOND // 2, "thread"),
    ]
    marks += [(SECOND, "kernel")] * 4
    marks = [
        marks[0],
    ]
    marks += [(SECOND, "kernel")] * 4
    for mark in marks:
        stamps.deliver(mark)
        found.append((stamps.at, stamps.source))
    assert found[:3] == [(None, "thread"), (0.5, "thread"), (1.0, "thread")]
    assert found[-1] == (1.0, "kernel"), "one of five had no stamp"


def test_the_first_byte_that_went_counts() -> None:
    clocks = Clocks()
    stamps = clocks.stamps()
    stamps.sends()
    clocks.passes(1)
    stamps.sends()
    assert stamps.sent == 100.0


@pytest.mark.parametrize(
    ("ancillary", "found"),
    [
        ([], None),
        ([(socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@ll", 2, 7))], 2 * SECOND + 7),
        ([(socket.SOL_SOCKET, SO_TIMESTAMPNS, b"short")], None),
        ([(socket.SOL_SOCKET, 29, struct.pack("@ll", 2, 7))], None),
    ],
)
def test_the_stamp_is_found_among_ancillary_data(
    ancillary: list[tuple[int, int, bytes]], found: int | None
) -> None:
    assert stamp_in(ancillary) == found


# ------------------------------------------------------------------ real sockets


async def joined(stamps: Stamps) -> tuple[StampedStream, socket.socket]:
    """A connection to a bare socket of the test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = await connect(
            "127.0.0.1",
            port=listener.getsockname()[1],
            local_address=None,
            socket_options=None,
            stamps=stamps,
        )
        there, _ = listener.accept()
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream, there


async def warm(stream: StampedStream, there: socket.socket, stamps: Stamps) -> None:
    """The kernel begins to stamp a moment after it was asked to."""
    for _ in range(10_000):
        there.sendall(b"warm")
        assert await stream.read(100) == b"warm"
        if stamps.source == "kernel":
            return
    raise AssertionError("the kernel does not stamp")


def busy(seconds: float) -> None:
    """Hold the interpreter, as painting does."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@on_linux
async def test_bytes_that_were_read_late_have_the_time_they_came() -> None:
    stamps = Stamps()
    stream, there = await joined(stamps)
    with there:
        await warm(stream, there, stamps)
        sent = time.perf_counter()
        there.sendall(b"late")
        done = time.perf_counter()
        busy(0.05)
        assert await stream.read(100) == b"late"
        assert stamps.source == "kernel"
        assert stamps.at is not None
        assert sent - 0.0005 <= stamps.at <= done + 0.0005
    await stream.aclose()


@on_linux
async def test_under_tls_the_time_is_that_of_the_bytes_which_completed_the_record(
    tmp_path: Path,
) -> None:
    import ssl

    pki = make_pki(tmp_path)
    stamps = Stamps()
    plain, there = await joined(stamps)
    await warm(plain, there, stamps)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = pki.good().wrap_bio(incoming, outgoing, server_side=True)
    there.setblocking(False)
    loop = asyncio.get_running_loop()

    async def greet() -> None:
        while True:
            try:
                server.do_handshake()
            except ssl.SSLWantReadError:
                await loop.sock_sendall(there, outgoing.read())
                incoming.write(await loop.sock_recv(there, 65536))
            else:
                return await loop.sock_sendall(there, outgoing.read())

    context = ssl.create_default_context(cafile=pki.ca_file)
    stream, _ = await asyncio.gather(plain.start_tls(context, "127.0.0.1", 5.0), greet())
    server.write(b"one record")
    record = outgoing.read()
    there.send(record[:10])
    await asyncio.sleep(0)
    busy(0.02)
    sent = time.perf_counter()
    there.send(record[10:])
    done = time.perf_counter()
    busy(0.02)
    assert await stream.read(100) == b"one record"
    assert stamps.at is not None
    assert sent - 0.0005 <= stamps.at <= done + 0.0005
    # A record that was cut over many packets and one that has another on its heels both come whole.
    server.write(b"two")
    server.write(b"three")
    there.send(outgoing.read())
    assert [await stream.read(100), await stream.read(100)] == [b"two", b"three"]
    there.close()
    assert await stream.read(100) == b""
    await stream.aclose()


async def test_what_comes_piece_by_piece_is_given_so_and_ends_once() -> None:
    stream, there = await joined(Stamps())
    there.sendall(b"abcdef")
    assert await stream.read(4) == b"abcd"
    assert await stream.read(4) == b"ef"
    assert not stream.get_extra_info("is_readable")
    there.close()
    assert await stream.read(4) == b""
    assert await stream.read(4) == b""
    assert stream.get_extra_info("is_readable")
    await stream.aclose()
    await stream.aclose()


async def test_a_reader_that_does_not_come_makes_the_server_wait_and_loses_nothing() -> None:
    stream, there = await joined(Stamps())
    data = bytes(range(256)) * (1 << 15)  # 8 MiB
    there.setblocking(False)
    sending = asyncio.ensure_future(asyncio.get_running_loop().sock_sendall(there, data))
    for _ in range(300):  # more turns than it takes to fill what is held
        await asyncio.sleep(0)
    got = bytearray()
    while len(got) < len(data):
        got += await stream.read(65536, 5.0)
    await sending
    assert got == data
    there.close()
    await stream.aclose()


def test_a_crowd_of_pieces_goes_on_as_few_with_the_times_of_their_last_bytes() -> None:
    ms = 1_000_000
    pieces: list[tuple[bytes, tuple[int, Source]]] = [
        (bytes([65 + number]), (number * ms // 2, "kernel")) for number in range(8)
    ]
    joined_up = list(together(pieces))
    assert b"".join(data for data, _ in joined_up) == b"ABCDEFGH"
    assert joined_up == [
        (b"ABC", (1 * ms, "kernel")),
        (b"DEF", (5 * ms // 2, "kernel")),
        (b"GH", (7 * ms // 2, "kernel")),
    ]
    assert list(together([])) == []


@on_linux
@pytest.mark.parametrize("count", [4, 400])
async def test_what_is_captured_comes_whole_and_in_order(count: int) -> None:
    stream, there = await joined(Stamps(capture=True))
    sent = [f"piece {number};".encode() for number in range(count)]
    for one in sent:
        there.sendall(one)
    there.close()
    got = []
    while data := await stream.read(65536, 5.0):
        got.append(data)
    assert b"".join(got) == b"".join(sent)
    await stream.aclose()


async def test_faults_are_those_of_httpcore() -> None:
    stream, there = await joined(Stamps())
    with pytest.raises(httpcore.ReadTimeout):
        await stream.read(10, 0.01)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    there.close()  # a reset
    with pytest.raises(httpcore.ReadError):
        await stream.read(10, 5.0)
    await stream.aclose()
    with pytest.raises(httpcore.WriteError):
        await stream.write(b"x")
    with pytest.raises(httpcore.ReadError):
        await stream.read(10)


async def test_a_read_that_waits_ends_when_the_connection_is_closed() -> None:
    stream, there = await joined(Stamps())
    reading = asyncio.ensure_future(stream.read(10))
    await asyncio.sleep(0)
    await stream.aclose()
    with pytest.raises(httpcore.ReadError):
        await reading
    there.close()
