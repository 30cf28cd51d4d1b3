"""Run as a program: saves that are killed at random moments, and what is on disk after each.

``python -m tests.core.warden.killed_saver FILE ROUNDS SEED`` prints one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from core.warden.document import load
from core.warden.edits import set_lane
from core.warden.save import save


def save_for_ever(path: Path) -> None:
    """One save after another, until somebody ends this process."""
    while True:
        one = load(path)
        turn = "b" if '"a/model"' in one.text else "a"
        save(set_lane(one, "agent", f"{turn}/model"))


def main(path: Path, rounds: int, seed: int) -> dict[str, int]:
    """Kill ``rounds`` savers; count the files that were neither version, and those cut short."""
    chance = random.Random(seed)
    start = load(path)
    whole = {set_lane(start, "agent", f"{turn}/model").raw for turn in "ab"}
    begun = time.perf_counter()
    save(set_lane(start, "agent", "a/model"))
    save(set_lane(load(path), "agent", "b/model"))
    # A busy machine saves slowly: the moments are spread over what saves take here and now.
    spread = 2 * (time.perf_counter() - begun)
    torn = halfway = changed = 0
    before = path.read_bytes()
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            try:
                save_for_ever(path)
            finally:
                os._exit(1)
        time.sleep(chance.uniform(0.0, spread))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        now = path.read_bytes()
        torn += now not in whole
        changed += now != before
        halfway += len(list(path.parent.iterdir())) > 1
        before = now
    save(set_lane(load(path), "agent", "last/model"))
    left = len(list(path.parent.iterdir()))
    return {"torn": torn, "halfway": halfway, "changed": changed, "left": left}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
