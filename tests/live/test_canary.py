"""No file, screen, log, argument list or stranger ever holds the key: a whole journey, watched."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.live.canary import KEY, held, spellings
from tests.live.secret_service import SecretService, missing
from tests.servers.wicked import CANARY as FIXED

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux's"),
]


def test_the_canary_is_told_in_each_of_its_forms() -> None:
    import base64
    from urllib.parse import quote

    for key in (KEY, FIXED):
        for before in ("", "a", "ab", "Bearer "):
            assert held(base64.b64encode(f"{before}{key} and more".encode()))
            assert held(base64.urlsafe_b64encode(f"{before}{key}".encode()))
        assert held(f"https://x.example/?key={quote(key, safe='')}".encode())
        assert held(f"x{key}y".encode())
        assert all(len(form) > 10 for form in spellings(key))


def test_a_whole_journey_leaves_the_key_nowhere(tmp_path: Path) -> None:
    why = missing()
    if why is not None:
        pytest.skip(why)
    done = SecretService(tmp_path).run(
        "unlocked",
        [sys.executable, "-m", "tests.live.canary", str(tmp_path)],
        limit_s=900,
        env={"TMPDIR": str(tmp_path / "tmp"), "TEXTUAL_LOG": str(tmp_path / "home/textual.log")},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout)
    assert told["leaks"] == []
    # and it was a journey
    assert told["keyed"] > 100, told
    assert told["commands"] > 250, told
    assert told["crashed"] >= 8, told
    assert told["screens"] > 200, told
    assert told["samples"] > 200, told
    assert told["files"] > 20, told
    assert told["log"] > 0, told
    assert not held((done.stdout + done.stderr).encode())
