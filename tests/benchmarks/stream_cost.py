"""What a chunk of a stream costs without a screen, beside bare httpx on the same stream.

``python -m tests.benchmarks.stream_cost [ROUNDS]`` reads streams of a server in another process:
in bursts (64 chunks a write, as fast as they are read) and paced (250 chunks a second, so that
each wakes the reader up). Each way reads in a fresh process; printed is its processor time per
chunk, the connection and the interpreter's start left out, and the ratio to httpx ``aiter_lines``
with ``json.loads``. The aim: ours without a screen, as ``turnkey ping`` reads, costs 1.2 times that
at the most. Beyond it the exit code is 1. Beside it stands what a watched request costs, which is
received by a thread of its own and taken thirty times a second, as the Live screen does.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from tests.benchmarks.stream_server import serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

AIM: Final = 1.2
ROUNDS: Final = 5
BURST: Final = ("bench-0-64", "bench-0-25600", 25_600)
PACED: Final = ("bench-250-25", "bench-250-750", 750)
FIELDS: Final = ("content", "reasoning_content")


def raw_socket(port: int) -> Callable[[str], int]:
    """Events counted in what a blocking socket gives: the floor."""

    def read(model: str) -> int:
        body = json.dumps({"model": model}).encode()
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: "
                         + str(len(body)).encode() + b"\r\n\r\n" + body)  # fmt: skip
            count, end = 0, b""
            while not end.endswith(b"0\r\n\r\n"):
                data = end[-10:] + sock.recv(65536)  # what is counted may be cut in two
                count += data.count(b'content": "')
                end = data[-16:]
        return count

    return read


async def httpx_bytes(port: int, model: str) -> int:
    """httpx ``aiter_bytes``, nothing parsed."""
    import httpx

    count, end = 0, b""
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("POST", _url(port), json={"model": model}, timeout=60) as response,
    ):
        async for data in response.aiter_bytes():
            count += (end + data).count(b'content": "')
            end = data[-10:]
    return count


async def httpx_lines(port: int, model: str) -> int:
    """httpx ``aiter_lines`` with ``json.loads``: what one writes first."""
    import httpx

    count = 0
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("POST", _url(port), json={"model": model}, timeout=60) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line[6:])["choices"]
                delta = choices[0]["delta"] if choices else {}
                count += any(delta.get(name) for name in FIELDS)
    return count


async def headless(port: int, model: str) -> int:
    """As ``turnkey ping`` asks: events, figures, verdict."""
    from core.live.ping import ping
    from core.providers.base_url import read_base_url
    from core.wire.bounds import Bounds
    from core.wire.client import open_client
    from core.wire.stamps import STAMPS, Stamps

    base = read_base_url(f"http://127.0.0.1:{port}/v1")
    STAMPS.set(Stamps())
    async with open_client(base, Bounds(), key=None) as client:
        run = await ping(client, base, model, prompt="Hi", max_tokens=1_000_000)
    return (run.figures.thinking_tokens or 0) + (run.figures.answer_tokens or 0)


async def watched(port: int, model: str) -> int:
    """As the Live screen asks, taken thirty times a second."""
    from core.live.prompts import own_prompt
    from core.live.watcher import watch
    from core.providers.base_url import read_base_url

    base = read_base_url(f"http://127.0.0.1:{port}/v1")
    watching = watch(base, model, own_prompt("Hi"), max_tokens=1_000_000)
    while True:
        await asyncio.sleep(1 / 30)
        progress = watching.take()
        if progress.run is not None:
            return progress.events


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1/chat/completions"


def _waited(read: Callable[[int, str], Awaitable[int]], port: int) -> Callable[[str], int]:
    async def once(model: str) -> int:
        return await read(port, model)

    return lambda model: asyncio.run(once(model))


WAYS: Final = ("raw", "bytes", "lines", "headless", "watched")
NAMES: Final = {
    "raw": "raw socket, counted only",
    "bytes": "httpx aiter_bytes, counted only",
    "lines": "httpx aiter_lines + json.loads",
    "headless": "turnkey, headless",
    "watched": "turnkey, watched and taken",
}


def child(way: str, port: int, first: str, model: str, count: int) -> None:
    """One reading in this process: microseconds of processor time per chunk."""
    read = (
        raw_socket(port)
        if way == "raw"
        else _waited(
            {"bytes": httpx_bytes, "lines": httpx_lines, "headless": headless, "watched": watched}[
                way
            ],
            port,
        )
    )
    read(first)  # imports, and what is made once
    before = time.process_time()
    seen = read(model)
    took = time.process_time() - before
    if seen != count:
        raise RuntimeError(f"{way}: {seen} of {count} chunks")
    print(took / count * 1e6)  # noqa: T201


def measure(port: int, way: str, kind: tuple[str, str, int]) -> float:
    """One reading in a fresh process."""
    argv = [sys.executable, "-m", "tests.benchmarks.stream_cost", way, str(port)]
    done = subprocess.run([*argv, *map(str, kind)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> int:
    """Measure in turn, print, judge."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    met = True
    print(f"{os.cpu_count()} cores; medians of {rounds}; microseconds of processor time a chunk")  # noqa: T201
    with serving() as port:
        for title, kind in (("in bursts", BURST), ("250 a second", PACED)):
            took: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(rounds):
                for way in WAYS:
                    took[way].append(measure(port, way, kind))
            print(title)  # noqa: T201
            for way in WAYS:
                pairs = zip(took[way], took["lines"], strict=True)
                ratio = statistics.median(one / lines for one, lines in pairs)
                print(f"  {NAMES[way]:<32}{statistics.median(took[way]):8.2f}   x {ratio:.2f}")  # noqa: T201
                if way == "headless":
                    met = met and ratio <= AIM
    print("the aim is met" if met else "the aim is MISSED")  # noqa: T201
    return 0 if met else 1


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in WAYS:
        child(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
    else:
        sys.exit(main())
