"""What starting costs, as ratios in one run: to a bare Python, and to the smallest Textual app.

``python -m tests.benchmarks.startup`` runs ``--version`` and ``--help`` in turn with ``python -c
pass``, and the screens on a small file in turn with an app of one label, in a pseudo-terminal of
120x40. It prints medians and ratios: until the process ends, until the first text can be read, and
the memory then; and, without an aim, until the lanes can be read.
The aims: 4.5, 1.4 and 1.5 at the most; beyond one of them the exit code is 1.
Linux alone (memory is read from ``/proc``).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROUNDS: Final = 25
FRAMES: Final = 15
COMMAND_AIM: Final = 4.5
FRAME_AIM: Final = 1.4
MEMORY_AIM: Final = 1.5
ROOT: Final = Path(__file__).resolve().parents[2]
TURNKEY: Final = "import sys; from tui.door import main; sys.exit(main())"
HELLO: Final = """
from textual.app import App
from textual.widgets import Label
class Hello(App):
    def compose(self):
        yield Label("the-first-word")
Hello().run()
"""
FILE: Final = """\
version = 1

[defaults.agent]
model = "local/the-first-word"

[defaults.providers.local]
baseUrl = "http://127.0.0.1:9/v1"

[[defaults.providers.local.models]]
id = "the-first-word"
"""
WORDS: Final = {"smallest app": b"the-first-word", "turnkey": b"turnkey", "its lanes": b"agent"}


def command(code: str, *arguments: str, env: Mapping[str, str]) -> float:
    """Seconds until the process has ended."""
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code, *arguments], env=env, stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - begun


def frame(
    argv: Sequence[str], word: bytes, env: Mapping[str, str], folder: str
) -> tuple[float, float]:
    """Seconds until the word is on the screen, and the memory then, in MiB."""
    begun = time.perf_counter()
    app = Terminal(["env", "-C", folder, *argv], env)
    try:
        seen = app.wait(lambda tail: word in tail)
        return seen - begun, app.rss_mib()
    finally:
        app.close()


def main() -> int:
    """Measure and print; 1 when an aim was missed."""
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        home = {"HOME": folder, "XDG_STATE_HOME": folder, "XDG_CONFIG_HOME": folder}
        env = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            **home,
        }
        Path(folder, "warden.toml").write_text(FILE, encoding="utf-8")
        rows: dict[str, list[float]] = {"python -c pass": [], "--version": [], "--help": []}
        for _ in range(ROUNDS):
            rows["python -c pass"].append(command("pass", env=env))
            for name in ("--version", "--help"):
                rows[name].append(command(TURNKEY, name, env=env))
        bare = statistics.median(rows["python -c pass"])
        print(f"{'':22}{'ms':>8}{'ratio':>8}{'aim':>6}")  # noqa: T201
        for name, times in rows.items():
            ratio = statistics.median(times) / bare
            missed |= ratio > COMMAND_AIM
            aim = "" if name == "python -c pass" else f"{COMMAND_AIM:6.1f}"
            print(f"{name:22}{statistics.median(times) * 1000:8.1f}{ratio:8.2f}{aim}")  # noqa: T201
        frames: dict[str, list[tuple[float, float]]] = {name: [] for name in WORDS}
        for _ in range(FRAMES):
            for name, word in WORDS.items():
                code = HELLO if name == "smallest app" else TURNKEY
                frames[name].append(frame([sys.executable, "-c", code], word, env, folder))
    least = [statistics.median(column) for column in zip(*frames["smallest app"], strict=True)]
    for name, pairs in frames.items():
        shown, memory = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio, weight = shown / least[0], memory / least[1]
        missed |= name == "turnkey" and (ratio > FRAME_AIM or weight > MEMORY_AIM)
        print(  # noqa: T201
            f"{name:22}{shown * 1000:8.1f}{ratio:8.2f}{FRAME_AIM:6.1f}"
            f"   {memory:6.1f} MiB{weight:6.2f}{MEMORY_AIM:6.1f}"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
