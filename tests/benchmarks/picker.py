"""The picker next to a bare line-API list, in a real terminal: what a key press costs.

``python -m tests.benchmarks.picker`` types ``claude`` into the filter and erases it, with 300 and
with 10,000 models, into three programs: a bare line-API list under an input, the list widget of
turnkey under the same input, and the Models screen as a person meets it. It prints, per key press,
the processor time, and the time until the last byte of its painting. The aim: the widget costs
1.3 times the bare list at most, and each costs with 10,000 models what it costs with 300. Beyond
it the exit code is 1. Linux alone (processor time is read from ``/proc``).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.discover.facts import Model

SIZES: Final = (300, 10_000)
KINDS: Final = ("bare", "widget", "screen")
WORD: Final = "claude"
ROUNDS: Final = 12
SILENCE_S: Final = 0.05
AIM: Final = 1.3
FLAT: Final = 1.15
FAMILIES: Final = (
    "anthropic/claude-sonnet",
    "openai/gpt",
    "qwen/qwen3-coder",
    "meta/llama",
    "google/gemini",
    "mistral/devstral",
    "deepseek/deepseek-chat",
    "anthropic/claude-haiku",
    "x/grok",
    "z/glm",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Per key press: processor time, and the time to the last byte of its painting, in ms."""

    cpu: float
    still: float
    still_95: float


class Terminal:
    """A program in a pseudo-terminal of 100 x 30."""

    def __init__(self, argv: list[str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)

    def until_still(self, silence: float, at_most: float = 30.0) -> float | None:
        """Read until nothing came for ``silence`` seconds; when the last byte came."""
        end = time.perf_counter() + at_most
        last: float | None = None
        while time.perf_counter() < end:
            ready, _, _ = select.select([self.master], [], [], silence)
            if not ready:
                if last is not None:
                    return last
                continue
            os.read(self.master, 1 << 20)
            last = time.perf_counter()
        return last

    def press(self, key: str) -> float:
        """Milliseconds from the key to the last byte of what it painted."""
        start = time.perf_counter()
        os.write(self.master, key.encode())
        last = self.until_still(SILENCE_S, 0.5)
        return ((last or start) - start) * 1000

    def drain(self) -> None:
        """Read what was painted meanwhile: a cursor that blinks."""
        while select.select([self.master], [], [], 0)[0]:
            os.read(self.master, 1 << 20)

    def cpu(self) -> float:
        """Milliseconds of processor time so far, of all threads."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6

    def close(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.master)


Case = tuple[str, int]
"""A program and how many models it shows."""


def rounds() -> list[dict[Case, Figures]]:
    """Type and erase, several times over: in each round every program in its turn.

    All of them are open from the start, so that what else the machine does in a round, and how
    fast it runs then, falls on all of them alike.
    """
    cases = [(kind, size) for size in SIZES for kind in KINDS]
    keys = [*WORD, *("\x7f" * len(WORD))]
    with contextlib.ExitStack() as stack:
        terminals: dict[Case, Terminal] = {}
        for kind, size in cases:
            argv = [sys.executable, "-m", "tests.benchmarks.picker", kind, str(size)]
            terminal = terminals[kind, size] = Terminal(argv)
            stack.callback(terminal.close)
            terminal.until_still(0.4, 4.0)  # shorter than the cursor blinks
            terminal.press("/" if kind == "screen" else "x\x7f")
            for key in keys:
                terminal.press(key)
        return [
            {case: one_round(terminals[case], keys) for case in turned(cases, number)}
            for number in range(ROUNDS)
        ]


def turned(cases: list[Case], number: int) -> list[Case]:
    """The cases, another one first in each round."""
    first = number % len(cases)
    return [*cases[first:], *cases[:first]]


def one_round(terminal: Terminal, keys: list[str]) -> Figures:
    """Type and erase once."""
    terminal.drain()
    before = terminal.cpu()
    still = [terminal.press(key) for key in keys]
    cpu = (terminal.cpu() - before) / len(still)
    return Figures(cpu, statistics.median(still), statistics.quantiles(still, n=20)[-1])


def ratio(found: list[dict[Case, Figures]], case: Case, other: Case) -> float:
    """How many times the processor time of ``other`` a case costs: the median over the rounds.

    Each round gives a ratio of its own, of figures that were taken within the same seconds.
    """
    return statistics.median(one[case].cpu / one[other].cpu for one in found)


def main() -> int:
    """Measure all, print the table; 1 when an aim is missed."""
    found = rounds()
    print(  # noqa: T201  # the report is what this program is for
        "per key press  models  cpu ms  x bare  still ms    p95"
    )
    small, large = SIZES
    missed: list[str] = []
    for kind in KINDS:
        for size in SIZES:
            seen = [one[kind, size] for one in found]
            cpu, still, late = (
                statistics.median(values)
                for values in zip(
                    *((one.cpu, one.still, one.still_95) for one in seen), strict=True
                )
            )
            times = ratio(found, (kind, size), ("bare", size))
            print(  # noqa: T201
                f"{kind:<13} {size:>7,} {cpu:>7.2f} {times:>7.2f} {still:>9.1f} {late:>6.1f}"
            )
            if times > AIM:
                missed.append(f"{kind} at {size:,}: {times:.2f} times bare")
        grown = ratio(found, (kind, large), (kind, small))
        if grown > FLAT:
            missed.append(f"{kind} at {large:,}: {grown:.2f} times {small}")
    for words in missed:
        print(f"missed: {words}")  # noqa: T201
    return 1 if missed else 0


# ---------------------------------------------------------------------------- the programs


def run(kind: str, size: int) -> None:
    """One of the programs, in this terminal, until it is killed."""
    ids = [f"{FAMILIES[number % len(FAMILIES)]}-{number:05d}" for number in range(size)]
    from tests.benchmarks.picker_apps import BareApp, ScreenApp, WidgetApp

    if kind == "bare":
        BareApp(ids).run()
    elif kind == "widget":
        WidgetApp(_models(ids)).run()
    else:
        ScreenApp(_models(ids)).run()


def _models(ids: list[str]) -> list[Model]:
    from core.discover.facts import Fact, Model

    return [
        Model(
            name,
            "chat",
            {
                "context_window": Fact(131_072, "server"),
                "max_output_tokens": Fact(16_384, "server"),
                "reasoning": Fact(True, "pattern"),
                "tools": Fact(True, "server"),
                "input_cost": Fact(0.25, "server"),
            },
        )
        for name in ids
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run(sys.argv[1], int(sys.argv[2]))
    else:
        sys.exit(main())
