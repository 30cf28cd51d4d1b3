"""``turnkey run -- true`` next to the least that could be done: read an entry, become the command.

``python -m tests.benchmarks.run_startup`` stores a key in a real Secret Service of its own (the
Debian packages ``gnome-keyring`` and ``dbus``), starts both in turn, and prints the ratio of their
medians. The aim is 1.5 at the most; beyond it the exit code is 1.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.live.secret_service import ROOT, SecretService, missing

ROUNDS: Final = 31
AIM: Final = 1.5
ORIGIN: Final = "https://gw.example"
VARIABLE: Final = "WARDEN_LITELLM_API_KEY"
BARE: Final = f"""
import os, keyring
value = keyring.get_password("turnkey", "{VARIABLE}@{ORIGIN}")
os.execvpe("true", ["true"], {{**os.environ, "{VARIABLE}": value}})
"""
FILE: Final = f"""\
version = 1

[defaults.agent]
model = "litellm/qwen3-coder"

[defaults.providers.litellm]
baseUrl = "{ORIGIN}/v1"
"""
START: Final = "import sys; from tui.cli import main; sys.exit(main())"


def seconds(argv: list[str]) -> float:
    """What one run of ``argv`` took; it has to end well."""
    start = time.perf_counter()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure() -> int:
    """Inside the session: store, then start both in turn; prints the times as JSON."""
    program = Path(sys.executable).parent / "turnkey"
    turnkey = [str(program)] if program.exists() else [sys.executable, "-c", START]
    subprocess.run(
        [*turnkey, "keys", "set", "litellm"], input=b"sk-benchmark", check=True, capture_output=True
    )
    ours, bare = [*turnkey, "run", "--", "true"], [sys.executable, "-c", BARE]
    for argv in (ours, bare) * 2:  # files into the page cache, byte code written
        seconds(argv)
    pairs = [(seconds(ours), seconds(bare)) for _ in range(ROUNDS)]
    json.dump([[pair[0] for pair in pairs], [pair[1] for pair in pairs]], sys.stdout)
    return 0


def main() -> int:
    """Measure in a session of its own, and print."""
    why = missing()
    if why is not None:
        print(why)  # noqa: T201
        return 0
    with tempfile.TemporaryDirectory(prefix="turnkey-") as scratch:
        folder = Path(scratch)
        (folder / "warden.toml").write_text(FILE)
        done = SecretService(folder).run(
            "unlocked",
            [sys.executable, "-m", "tests.benchmarks.run_startup", "inside"],
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ.get("PATH", "")},
            cwd=folder,
        )
    if done.returncode:
        print(done.stderr)  # noqa: T201
        return done.returncode
    ours, bare = (statistics.median(times) for times in json.loads(done.stdout))
    print(  # noqa: T201  # the report is what this program is for
        f"turnkey run -- true    {ours * 1000:6.1f} ms\n"
        f"one entry, then exec   {bare * 1000:6.1f} ms\n"
        f"ratio                  {ours / bare:6.2f}  (at most {AIM})"
    )
    return 0 if ours / bare <= AIM else 1


if __name__ == "__main__":
    sys.exit(measure() if sys.argv[1:] == ["inside"] else main())
