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

from core.warden.document import Document, load
from core.warden.edits import set_lane
from core.warden.save import save


def save_for_ever(versions: tuple[Document, Document]) -> None:
    """One save after another, until somebody ends this process; between them nothing is done."""
    one, other = versions
    if one.path.read_bytes() == one.raw:
        one, other = other, one
    while True:
        save(one.based_on(other.raw))
        one, other = other, one


def main(path: Path, rounds: int, seed: int) -> dict[str, int]:
    """Kill ``rounds`` savers; count the files that were neither version, and those cut short.

    ``ended`` are savers that ended by themselves: their save failed.
    """
    chance = random.Random(seed)
    start = load(path)
    versions = (set_lane(start, "agent", "a/model"), set_lane(start, "agent", "b/model"))
    whole = {one.raw for one in versions}
    save(versions[0])
    begun = time.perf_counter()
    save(versions[1].based_on(versions[0].raw))
    # A busy machine saves slowly: the moments are spread over what saves take here and now.
    spread = 3 * (time.perf_counter() - begun)
    torn = halfway = changed = ended = 0
    before = path.read_bytes()
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            try:
                save_for_ever(versions)
            finally:
                os._exit(1)
        time.sleep(chance.uniform(0.0, spread))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        ended += not os.WIFSIGNALED(status)
        now = path.read_bytes()
        torn += now not in whole
        changed += now != before
        halfway += len(list(path.parent.iterdir())) > 1
        before = now
    save(set_lane(load(path), "agent", "last/model"))
    left = len(list(path.parent.iterdir()))
    return {"torn": torn, "ended": ended, "halfway": halfway, "changed": changed, "left": left}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
