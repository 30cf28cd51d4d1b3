"""Whether the Live screen tells the truth about time while it paints in full.

``python -m tests.benchmarks.stream_times [ROUNDS] [RATE ...]`` runs a server that logs when it
wrote each event, and reads its streams in three ways, in turn: a bare blocking socket in a process
with nothing else to do; the obvious way, httpx lines and JSON on the loop that paints; and ours.
The last two run in the app, on its Live screen, in a pseudo-terminal that is read all the time.
Plain http and TLS, at 20, 50 and 200 tokens a second; then a race of four, at 200 each, on the
Race screen, and the share of a core that it takes.

Printed is by how much each is off the server: the time to the first token, and the gaps between
tokens. The aim: ours is off by 0.5 ms more than the bare reader at the median, and 1 ms more at
the 90th percentile, at the most. Beyond it the exit code is 1. Linux alone.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.stream_server import serving
from tests.benchmarks.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

RATES: Final = (20, 50, 200)
SECONDS: Final = 3.0
ROUNDS: Final = 3
WAYS: Final = ("idle bare socket", "obvious way", "ours")
MEDIAN_MS: Final = 0.5
NINTH_MS: Final = 1.0


@dataclass(slots=True)
class Errors:
    """By how many milliseconds one way was off the server."""

    first: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    stamps: set[str] = field(default_factory=set)

    def add(self, log: dict[str, object], first_s: float, times: Sequence[float]) -> None:
        """One stream: the server's log beside what was reported (seconds)."""
        wrote = log["wrote_ns"]
        assert isinstance(wrote, list)
        if len(times) != len(wrote):
            raise RuntimeError(f"{len(wrote)} events were written, {len(times)} reported")
        self.first.append(abs(first_s * 1e3 - (wrote[0] - log["read_ns"]) / 1e6))
        for before, after, one, two in zip(wrote, wrote[1:], times, times[1:], strict=False):
            self.gaps.append(abs((two - one) * 1e3 - (after - before) / 1e6))


def percentile(values: Sequence[float], share: float) -> float:
    """With linear interpolation."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def logs(port: int, ca_file: str | None) -> list[dict[str, object]]:
    """What the server wrote since it was asked last."""
    if ca_file is None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
    else:
        context = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
    try:
        connection.request("GET", "/v1/log")
        found: list[dict[str, object]] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return found


def bare(port: int, ca_file: str | None, model: str) -> tuple[float, list[float]]:
    """Seconds to the first token and of each token, by a blocking socket and nothing else."""
    sock: socket.socket = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if ca_file is not None:
        context = ssl.create_default_context(cafile=ca_file)
        sock = context.wrap_socket(sock, server_hostname="127.0.0.1")
    body = json.dumps({"model": model, "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    times: list[float] = []
    with sock:
        begun = time.perf_counter()
        sock.sendall(request)
        end = b""
        while not end.endswith(b"0\r\n\r\n"):
            data = sock.recv(65536)
            at = time.perf_counter() - begun
            if not data:
                break
            came = data.count(b'"content": "') + data.count(b'"reasoning_content": "')
            times += [at] * came
            end = data[-16:]
    return times[0], times


def main_bare() -> None:
    """The child that does nothing else: a line of JSON for each line of its input."""
    for line in sys.stdin:
        port, ca_file, model = json.loads(line)
        print(json.dumps(bare(port, ca_file, model)), flush=True)  # noqa: T201


class BareReader:
    """That child."""

    def __init__(self) -> None:
        argv = [sys.executable, "-m", "tests.benchmarks.stream_times", "bare"]
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def read(self, port: int, ca_file: str | None, model: str) -> tuple[float, list[float]]:
        """One stream."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([port, ca_file, model]) + "\n")
        self._process.stdin.flush()
        first, times = json.loads(self._process.stdout.readline())
        return first, times

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


class App:
    """The app in a terminal, on the Live screen."""

    def __init__(self, how: str, url: str, folder: Path, models: Sequence[str]) -> None:
        self._out = folder / f"{how}-{len(list(folder.iterdir()))}.jsonl"
        self._out.touch()
        self._read = 0
        env = {"TURNKEY_CA_FILE": str(folder / "ca.pem"), "TURNKEY_HOME": str(folder)}
        argv = [sys.executable, "-m", "tests.benchmarks.stream_app", how, url, str(self._out)]
        self.terminal = Terminal([*argv, *models], env if url.startswith("https") else {})
        self.terminal.wait(lambda tail: b"first token" in tail, 30)

    def run(self, seconds: float) -> dict[str, object]:
        """Press Enter, and wait for what the request told."""
        before = self.terminal.painted
        self.terminal.press("\r")
        (told,) = self.told(1, seconds)
        told["painted"] = self.terminal.painted - before
        return told

    def told(self, count: int, seconds: float) -> list[dict[str, object]]:
        """What so many more requests told."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            lines = self._out.read_text().split("\n")[:-1]  # one may be half written
            if len(lines) >= self._read + count:
                found = [json.loads(line) for line in lines[self._read : self._read + count]]
                self._read += count
                time.sleep(0.5)  # the screen says what the run told, and is idle again
                return found
            time.sleep(0.05)
        raise TimeoutError(f"no result in {seconds} s")

    def close(self) -> None:
        """End it."""
        self.terminal.close()


def measure(
    rates: Sequence[int], rounds: int, *, tls: bool, folder: Path
) -> tuple[dict[tuple[int, str], Errors], int]:
    """The errors by rate and way; and the fewest bytes that one stream had painted."""
    errors = {(rate, way): Errors() for rate in rates for way in WAYS}
    painted = 1 << 40
    ca_file = str(folder / "ca.pem") if tls else None
    with serving(str(folder / "server.pem") if tls else None) as port:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1"
        models = [f"bench-{rate}-{int(rate * SECONDS)}" for rate in rates]
        reader = BareReader()
        apps = {
            "obvious way": App("obvious", url, folder, models),
            "ours": App("ours", url, folder, models),
        }
        try:
            for _ in range(rounds):
                for rate, model in zip(rates, models, strict=True):
                    first, times = reader.read(port, ca_file, model)
                    (log,) = logs(port, ca_file)
                    errors[rate, "idle bare socket"].add(log, first, times)
                    for way, app in apps.items():
                        told = app.run(SECONDS + 20)
                        (log,) = logs(port, ca_file)
                        seen = told["times"]
                        assert isinstance(seen, list)
                        one = errors[rate, way]
                        one.add(log, told["first_token_s"], seen)  # type: ignore[arg-type]
                        one.stamps.add(str(told.get("stamps", "")))
                        painted = min(painted, told["painted"])  # type: ignore[call-overload]
        finally:
            reader.close()
            for app in apps.values():
                app.close()
    return errors, painted


def race(
    rounds: int, *, tls: bool, folder: Path
) -> tuple[dict[tuple[int, str], Errors], int, float]:
    """Four streams at the highest rate in four lanes; bytes painted, the share of a core."""
    rate = RATES[-1]
    errors = {(rate, way): Errors() for way in WAYS}
    painted, used, took = 1 << 40, 0.0, 0.0
    models = [f"bench-{rate}-{int(rate * SECONDS)}-{name}" for name in "abcd"]
    ca_file = str(folder / "ca.pem") if tls else None
    with serving(str(folder / "server.pem") if tls else None) as port:
        reader = BareReader()
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1"
        app = App("race", url, folder, models)
        try:
            for _ in range(rounds):
                first, times = reader.read(port, ca_file, models[0])
                (log,) = logs(port, ca_file)
                errors[rate, WAYS[0]].add(log, first, times)
                before, cpu, begun = app.terminal.painted, app.terminal.cpu_s(), time.perf_counter()
                app.terminal.press("\r")
                by_model = {one["model"]: one for one in app.told(4, SECONDS + 20)}
                painted = min(painted, app.terminal.painted - before)
                used += app.terminal.cpu_s() - cpu
                took += time.perf_counter() - begun
                for log in logs(port, ca_file):
                    told = by_model[log["model"]]
                    one = errors[rate, "ours"]
                    one.add(log, told["first_token_s"], told["times"])  # type: ignore[arg-type]
                    one.stamps.add(str(told["stamps"]))
        finally:
            reader.close()
            app.close()
    return errors, painted, used / took


def show(rates: Sequence[int], errors: dict[tuple[int, str], Errors]) -> bool:
    """A table; whether the aim was met."""
    met = True
    for rate in rates:
        floor = errors[rate, "idle bare socket"]
        for way in WAYS:
            one = errors[rate, way]
            if not one.gaps:
                continue
            cells = []
            for values, beside in ((one.first, floor.first), (one.gaps, floor.gaps)):
                p50, p90 = percentile(values, 0.5), percentile(values, 0.9)
                cells.append(f"{p50:8.3f} {p90:8.3f}")
                if way == "ours":
                    met = met and p50 <= percentile(beside, 0.5) + MEDIAN_MS
                    met = met and p90 <= percentile(beside, 0.9) + NINTH_MS
            print(f"{rate:>5}/s  {way:<17}{'   '.join(cells)}   {len(one.gaps):>6} gaps  "  # noqa: T201
                  f"{'/'.join(sorted(filter(None, one.stamps)))}")  # fmt: skip
    return met


def certificates(folder: Path) -> None:
    """A signer's certificate, and one for 127.0.0.1 with its key."""
    import trustme

    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    server = ca.issue_cert("127.0.0.1")
    server.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))


def main() -> int:
    """Measure, print, judge."""
    numbers = [int(one) for one in sys.argv[1:]]
    rounds = numbers[0] if numbers else ROUNDS
    rates = numbers[1:] or list(RATES)
    met = True
    print(f"{os.cpu_count()} cores; {rounds} streams of {SECONDS:g} s for each line; ms off the "  # noqa: T201
          "server's clock, p50 and p90")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificates(folder)
        for tls in (False, True):
            print(f"{'TLS' if tls else 'plain http'}\n{'':<25}    first token            gaps")  # noqa: T201
            errors, painted = measure(rates, rounds, tls=tls, folder=folder)
            met = show(rates, errors) and met
            print(f"        at least {painted:,} bytes were painted while one stream came")  # noqa: T201
        for tls in (False, True):
            print(f"a race of four, {'TLS' if tls else 'plain http'}")  # noqa: T201
            errors, painted, share = race(rounds, tls=tls, folder=folder)
            met = show(RATES[-1:], errors) and met
            print(f"        at least {painted:,} bytes were painted; {share:.2f} of a core")  # noqa: T201
    print("the aim is met" if met else "the aim is MISSED")  # noqa: T201
    return 0 if met else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        main_bare()
    else:
        sys.exit(main())
