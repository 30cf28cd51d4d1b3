"""A flood of small chunks through the app: nothing lost, keys answered, little of a core used.

``python -m tests.benchmarks.stream_flood [SECONDS]`` streams 5,000 chunks a second through the
Live screen, in a pseudo-terminal that is read all the time, and types meanwhile. Printed: how many
chunks were counted of those written, the time from a key to the next thing painted after it, the
share of a core, and how much memory grew over the stream. Then a million chunks are read without
a screen, and the growth of memory is printed again, with what is no longer kept. The aims: every
chunk counted, 50 ms at the 95th percentile for a key, a third of a core, and 48 MiB. Linux alone.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.stream_server import serving
from tests.benchmarks.stream_times import App, certificates, percentile

if TYPE_CHECKING:
    from core.live.verdict import Run
    from core.live.watching import Exchange, Progress

RATE: Final = 5000
SECONDS: Final = 10
KEYS_EVERY_S: Final = 0.11
ECHO_MS: Final = 50.0
SHARE: Final = 1 / 3
GROWTH_MIB: Final = 48.0
MILLION: Final = 15_625 * 64


def echo(app: App) -> float:
    """Milliseconds from a key that opens or closes the inspector's help to what it painted."""
    before = app.terminal.painted
    start = time.perf_counter()
    app.terminal.press("\t")
    while app.terminal.painted == before and time.perf_counter() - start < 1.0:
        time.sleep(0.0005)
    return (time.perf_counter() - start) * 1000


def flood(seconds: int, folder: Path) -> bool:
    """Through the screen; whether the aims were met."""
    count = RATE * seconds
    with serving() as port:
        app = App("ours", f"http://127.0.0.1:{port}/v1", folder, [f"bench-{RATE}-{count}"])
        try:
            time.sleep(1.0)
            idle = app.terminal.cpu_s()
            time.sleep(2.0)
            idle = (app.terminal.cpu_s() - idle) / 2.0
            before = app.terminal.rss_mib()
            app.terminal.press("\r")
            time.sleep(1.0)
            begun, used = time.perf_counter(), app.terminal.cpu_s()
            pane = app.terminal.cpu_s(main_thread=True)
            echoes = []
            while time.perf_counter() - begun < seconds - 2:
                echoes.append(echo(app))
                time.sleep(KEYS_EVERY_S)
            took, used = time.perf_counter() - begun, app.terminal.cpu_s() - used
            pane = (app.terminal.cpu_s(main_thread=True) - pane) / took
            (told,) = app.told(1, 30)
            grown = app.terminal.rss_mib() - before
        finally:
            app.close()
    slow = percentile(echoes, 0.95)
    print(f"through the screen, {RATE:,} chunks a second for {seconds} s")  # noqa: T201
    print(f"  counted {told['counted']:,} of {count:,}; usage says {told['completion_tokens']:,}")  # noqa: T201
    print(f"  key to paint: p50 {percentile(echoes, 0.5):.1f} ms, p95 {slow:.1f} ms")  # noqa: T201
    print(f"  share of a core: the pane {pane:.2f}, all with reading {used / took:.2f},"  # noqa: T201
          f" idle {idle:.2f}")  # fmt: skip
    print(f"  memory: + {grown:.1f} MiB; raw records no longer kept: {told['dropped']:,}")  # noqa: T201
    exact = told["counted"] == told["completion_tokens"] == count
    return exact and slow <= ECHO_MS and pane <= SHARE


def million() -> bool:
    """Without a screen; whether memory stayed within bounds."""
    from core.live.prompts import own_prompt
    from core.live.watcher import watch
    from core.providers.base_url import read_base_url

    with serving() as port:
        base = read_base_url(f"http://127.0.0.1:{port}/v1")

        def read(count: int) -> tuple[Run, Progress, Exchange]:
            watching = watch(base, f"bench-0-{count}", own_prompt("Hi"), max_tokens=MILLION)
            while True:
                progress = watching.take()
                if progress.run is not None:
                    return progress.run, progress, watching.exchange()
                time.sleep(1 / 30)

        read(6400)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        run, progress, exchange = read(MILLION)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    notes = [one.message for one in run.warnings if one.code == "text_not_kept"]
    print(f"without a screen, {MILLION:,} chunks")  # noqa: T201
    print(f"  counted {progress.events:,}; memory's peak: + {grown:.1f} MiB")  # noqa: T201
    print(f"  raw records no longer kept: {exchange.dropped:,}; {' '.join(notes)}")  # noqa: T201
    return progress.events == MILLION and grown <= GROWTH_MIB


def main() -> int:
    """Both, and whether the aims were met."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    print(f"{os.cpu_count()} cores")  # noqa: T201
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificates(folder)
        met = flood(seconds, folder)
    met = million() and met
    print("the aims are met" if met else "an aim is MISSED")  # noqa: T201
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
