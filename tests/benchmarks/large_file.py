"""A 5,000-line ``warden.toml`` loaded, edited and saved, next to tomlkit's parse of the same text.

``python -m tests.benchmarks.large_file`` prints ratios: times of one machine mean little. Below 1
is quicker than tomlkit's parse, which stands for what a person does not feel.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import tomlkit

from core.warden.document import load
from core.warden.edits import add_provider, remove_provider, set_lane
from core.warden.problems import problems
from core.warden.save import save
from tests.core.warden.shapes import GATEWAY

if TYPE_CHECKING:
    from collections.abc import Callable

LINES = 5000
ROUNDS = 7


def text() -> str:
    """A large but plausible file: skills with triggers, paths and comments."""
    head = 'version = 1\n\n[defaults.agent]\nmodel = "gateway/small"\n'
    skill = (
        "\n# What {0} looks at.\n[[skills]]\n"
        'name = "skill-{0}"\nremote = "owner/repo@{0:040x}"\nfailOn = "high"  # strict\n'
        'paths = [\n  "src/{0}/**",  # sources\n  "tests/{0}/**",\n]\n\n'
        '[[skills.triggers]]\ntype = "pull_request"\nactions = ["opened", "synchronize"]\n'
    )
    grown, number = head, 0
    while grown.count("\n") < LINES:
        grown += skill.format(number)
        number += 1
    return grown


def seconds(action: Callable[[], object]) -> float:
    """The median time of one call."""
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def main() -> None:
    """Print a line for each thing that a person does."""
    raw = text()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warden.toml"
        path.write_text(raw)
        unit = seconds(lambda: tomlkit.parse(raw))

        def switched() -> None:
            one = load(path)
            turn = "a" if '"b/m"' in one.text else "b"
            save(set_lane(one, "agent", f"{turn}/m"))

        def provider_and_back() -> None:
            remove_provider(add_provider(load(path), GATEWAY), "gateway")

        def checked() -> None:
            one = load(path)
            problems(one.data(), one.position, "providers", {})

        rows: list[tuple[str, Callable[[], object]]] = [
            ("tomllib's parse", lambda: tomllib.loads(raw)),
            ("load, with the layout", lambda: load(path).layout.spots),
            ("load and set a lane", lambda: set_lane(load(path), "agent", "x/y")),
            ("load, add a provider, remove it", provider_and_back),
            ("load, set a lane, save", switched),
            ("load and check", checked),
        ]
        write = sys.stdout.write
        write(f"{raw.count(chr(10))} lines; tomlkit's parse = 1 ({unit * 1000:.0f} ms here)\n")
        for name, action in rows:
            write(f"{name:<34}{seconds(action) / unit:6.2f}\n")


if __name__ == "__main__":
    main()
