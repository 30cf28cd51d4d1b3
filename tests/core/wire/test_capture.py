"""Receiving without the interpreter: nothing is lost, and no two times become one."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest

from core.wire.capture import SIZE, SLOTS, Capture, can_capture
from core.wire.stamps import ask_kernel

pytestmark = pytest.mark.skipif(not can_capture(), reason="recvmmsg is Linux's")

_SENDER = """
import socket, sys, time
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
sock.send(b"warm")
sock.recv(1)
times = []
for number in range(40):
    times.append(time.time_ns())
    sock.send(b"%04d" % number)
    time.sleep(0.003)
print(*times)
"""


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = socket.create_connection(listener.getsockname())
        there, _ = listener.accept()
    return here, there


def taken(capture: Capture, enough: int) -> bytes:
    """What came, up to the end or to so many bytes."""
    got = bytearray()
    end = time.monotonic() + 10
    while len(got) < enough:
        found = capture.take()
        assert time.monotonic() < end
        if found is None:
            time.sleep(0.001)
            continue
        assert not isinstance(found, OSError), found
        if not found[0]:
            break
        got += found[0]
    return bytes(got)


def test_pieces_keep_their_own_times_however_long_the_interpreter_is_held() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        argv = [sys.executable, "-c", _SENDER, str(listener.getsockname()[1])]
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        sock, _ = listener.accept()
    assert ask_kernel(sock)
    capture = Capture(sock)
    assert taken(capture, 4) == b"warm"  # the call is under way
    sock.send(b"x")
    numbers = list(range(400_000))
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        sorted(numbers, key=str)  # tens of milliseconds without letting go
    out, _ = child.communicate(timeout=10)
    sent = [int(word) for word in out.split()]
    found = []
    while (one := capture.take()) is not None:
        assert not isinstance(one, OSError)
        if not one[0]:
            break
        found.append(one)
    capture.stop()
    assert [data for data, _ in found] == [b"%04d" % number for number in range(40)]
    stamps = [stamp for _, stamp in found if stamp is not None]
    assert len(stamps) >= 35, "the kernel begins to stamp a moment after it was asked to"
    late = sorted(stamp - at for stamp, at in zip(stamps[::-1], sent[::-1], strict=False))
    assert 0 <= late[len(late) // 2] < 2_000_000


def test_more_than_all_buffers_hold_comes_whole() -> None:
    here, there = pair()
    capture = Capture(here)
    data = bytes(range(256)) * (3 * SLOTS * SIZE // 256)
    import threading

    sender = threading.Thread(target=there.sendall, args=(data,))
    sender.start()
    assert taken(capture, len(data)) == data
    sender.join()
    there.close()
    assert taken(capture, 1) == b""
    assert taken(capture, 1) == b"", "the end stays the end"
    capture.stop()


def test_many_small_reads_fill_several_rounds() -> None:
    here, there = pair()
    capture = Capture(here)
    for number in range(3 * SLOTS):
        there.sendall(b"%06d" % number)
        assert taken(capture, 6) == b"%06d" % number
    there.close()
    assert taken(capture, 1) == b""


def test_a_reset_is_an_error() -> None:
    import struct

    here, there = pair()
    capture = Capture(here)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    there.close()
    end = time.monotonic() + 5
    while not isinstance(found := capture.take(), OSError):
        assert time.monotonic() < end, found
        time.sleep(0.001)
    capture.stop()


def test_stopping_ends_the_connection_and_closes_the_socket() -> None:
    here, there = pair()
    capture = Capture(here)
    capture.stop()
    capture.stop()
    there.settimeout(5)
    assert there.recv(1) == b""
    there.close()
    end = time.monotonic() + 5
    while here.fileno() >= 0:
        assert time.monotonic() < end
        time.sleep(0.001)
