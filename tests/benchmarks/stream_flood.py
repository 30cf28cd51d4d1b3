"""A flood of small chunks through the app: nothing lost, keys answered, little of a core used.

``python -m tests.benchmarks.stream_flood [SECONDS]`` streams 5,000 chunks a second through the Live
screen, in a pseudo-terminal that is read all the time, and types into the prompt meanwhile.
Printed: how many chunks were counted of those written, the time from a letter typed to that letter
in the output, the share of a core, and how much memory grew over the stream. The same app then
reads the same stream and drops its text and figures: what it uses less is the pane's share. Then a
million chunks are read, through the screen and without one, and the growth of memory is printed
again, with what is no longer kept. The aims: every chunk counted, 50 ms at the 95th percentile for
a letter, a third of a core for the pane, and 48 MiB. Linux alone.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from tests.benchmarks.stream_server import serving
from tests.benchmarks.stream_times import App, certificates, percentile

if TYPE_CHECKING:
    from core.live.verdict import Run
    from core.live.watching import Exchange, Progress
    from tests.benchmarks.terminal import Terminal

RATE: Final = 5000
SECONDS: Final = 10
PAUSES_S: Final = (0.05, 0.2)
"""Seconds between a letter that was seen and the next one: as uneven as people type."""
IDLE_S: Final = 2.0
FIRST: Final = "þ"
"""Shows that the prompt takes letters."""
LETTERS: Final = "".join(
    map(
        chr,
        (
            *range(0x3B1, 0x3C2),
            *range(0x430, 0x450),
            *range(0x561, 0x587),
            *range(0x10D0, 0x10F1),
            *range(0x0E01, 0x0E2F),
        ),
    )
)
"""Letters that neither the stream nor the screen has, each typed once."""
ECHO_MS: Final = 50.0
SHARE: Final = 1 / 3
GROWTH_MIB: Final = 48.0
MILLION: Final = 15_625 * 64


@dataclass(frozen=True, slots=True)
class Flooded:
    """What one app did while the flood came."""

    echoes: list[float]
    """Milliseconds from each letter typed to that letter in the output."""
    main_share: float
    """Processor seconds of the thread that paints, for each second."""
    share: float
    """Processor seconds of all threads, for each second."""
    idle: float
    """The same before the flood."""
    grown_mib: float
    told: dict[str, object]


def echo(terminal: Terminal, letter: str) -> float:
    """Milliseconds from a letter that was never typed before to that letter in the output."""
    encoded = letter.encode()
    terminal.forget()
    start = time.perf_counter()
    terminal.press(letter)
    return (terminal.wait(lambda tail: encoded in tail, 5.0) - start) * 1000


def begin_typing(terminal: Terminal) -> None:
    """Type one letter until the prompt takes it: the focus may still be on its way there."""
    end = time.perf_counter() + 10.0
    while True:
        terminal.press(FIRST)
        try:
            terminal.wait(lambda tail: FIRST.encode() in tail, 0.25)
        except TimeoutError:
            if time.perf_counter() > end:
                raise
        else:
            return


def flooded(how: str, seconds: int, folder: Path) -> Flooded:
    """Stream, and type meanwhile."""
    with serving() as port:
        app = App(how, f"http://127.0.0.1:{port}/v1", folder, [f"bench-{RATE}-{RATE * seconds}"])
        terminal = app.terminal
        try:
            terminal.rested()
            idle = terminal.cpu_s()
            time.sleep(IDLE_S)
            idle = (terminal.cpu_s() - idle) / IDLE_S
            before = terminal.rss_mib()
            terminal.forget()
            terminal.press("\r")
            terminal.wait(lambda tail: "● thinking".encode() in tail or b"waiting" in tail)
            terminal.press("e")  # into the prompt's line
            begin_typing(terminal)
            begun, used = time.perf_counter(), terminal.cpu_s()
            main = terminal.cpu_s(main_thread=True)
            echoes = []
            letters, pauses = iter(LETTERS), Random(7)
            while time.perf_counter() - begun < seconds - 2:
                echoes.append(echo(terminal, next(letters)))
                time.sleep(pauses.uniform(*PAUSES_S))
            took = time.perf_counter() - begun
            share = (terminal.cpu_s() - used) / took
            main = (terminal.cpu_s(main_thread=True) - main) / took
            (told,) = app.told(1, 30)
            grown = terminal.rss_mib() - before
        finally:
            app.close()
    return Flooded(echoes, main, share, idle, grown, told)


def flood(seconds: int, folder: Path) -> bool:
    """Through the screen; whether the aims were met."""
    count = RATE * seconds
    ours = flooded("ours", seconds, folder)
    floor = flooded("dropped", seconds, folder)
    told, pane = ours.told, ours.share - floor.share
    print(f"through the screen, {RATE:,} chunks a second for {seconds} s")  # noqa: T201
    print(f"  counted {told['counted']:,} of {count:,}; usage says {told['completion_tokens']:,}")  # noqa: T201
    for name, one in (("as it is", ours), ("chunks dropped", floor)):
        p50, p95 = percentile(one.echoes, 0.5), percentile(one.echoes, 0.95)
        print(  # noqa: T201
            f"  {name:<15} letter to letter p50 {p50:.1f}, p95 {p95:.1f}, longest"
            f" {max(one.echoes):.1f} ms of {len(one.echoes)}; share of a core {one.share:.2f},"
            f" of it the painting thread {one.main_share:.2f}; idle {one.idle:.2f}"
        )
    print(f"  the pane: {pane:.2f} of a core")  # noqa: T201
    print(f"  memory: + {ours.grown_mib:.1f} MiB; raw records no longer kept: {told['dropped']:,}")  # noqa: T201
    exact = told["counted"] == told["completion_tokens"] == count
    slow = percentile(ours.echoes, 0.95)
    return exact and slow <= ECHO_MS and max(pane, ours.main_share) <= SHARE


def million_shown(folder: Path) -> bool:
    """Through the screen, as fast as it goes; whether memory stood still."""
    with serving() as port:
        app = App("ours", f"http://127.0.0.1:{port}/v1", folder, [f"bench-0-{MILLION}"])
        terminal = app.terminal
        try:
            before = terminal.rss_mib()
            terminal.press("\r")
            sizes: list[float] = []
            told: list[dict[str, object]] = []
            while not told and len(sizes) < 1200:
                with suppress(TimeoutError):
                    told = app.told(1, 0.25)
                sizes.append(terminal.rss_mib() - before)
        finally:
            app.close()
    half = max(sizes[: max(len(sizes) // 2, 1)])
    counted = told[0]["counted"] if told else 0
    print(f"through the screen, {MILLION:,} chunks")  # noqa: T201
    print(  # noqa: T201
        f"  counted {counted:,}; memory: + {half:.1f} MiB at the most in the first half,"
        f" + {max(sizes):.1f} MiB in all"
    )
    return counted == MILLION and max(sizes) <= GROWTH_MIB


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
        met = million_shown(folder) and met
    met = million() and met
    print("the aims are met" if met else "an aim is MISSED")  # noqa: T201
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
