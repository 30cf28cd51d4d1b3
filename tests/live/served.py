"""One server of the lab as a process on loopback: started on a free port, waited for, ended."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.live.lab import LabError
from tests.live.proxy import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_POLL_S: Final = 0.1
_ASK_S: Final = 5.0
_ENDED_S: Final = 40.0
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Served:
    """How to reach a server."""

    port: int
    key: str
    log: Path

    @property
    def authority(self) -> str:
        """Host and port, as a person would type the address."""
        return f"{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        """What belongs into ``baseUrl``."""
        return f"http://{self.authority}/v1"


@contextlib.contextmanager
def serving(
    name: str,
    command: Sequence[str],
    folder: Path,
    health: str,
    limit_s: float,
    key: str,
    env: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """``command --host HOST --port FREE`` until the context ends; yields when ``health`` is 200.

    A port that another process took in between is left for the next one. Raises LabError with the
    end of the log when it does not answer within ``limit_s`` seconds.
    """
    with contextlib.ExitStack() as stack:
        for attempt in range(1, _TRIES + 1):
            served = Served(free_port(), key, folder / f"{name}-{attempt}.log")
            keeper = _start(command, served, folder, env or {})
            stack.callback(_end, keeper)
            if _answers(keeper, f"http://{served.authority}{health}", limit_s):
                break
            words = served.log.read_text(encoding="utf-8", errors="replace")
            if attempt == _TRIES or "in use" not in words.lower():
                raise LabError(f"{name} did not come up; the end of its log:\n{words[-4000:]}")
        else:  # unreachable: the last attempt breaks or raises
            raise LabError(name)
        yield served


def _start(
    command: Sequence[str], served: Served, folder: Path, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    keeper = Path(__file__).with_name("keeper.py")
    with served.log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, str(keeper), *command, "--host", HOST, "--port", str(served.port)],
            stdin=subprocess.PIPE,  # its end tells the keeper to end the server
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), **env},
            start_new_session=True,
        )


def _answers(keeper: subprocess.Popen[bytes], url: str, limit_s: float) -> bool:
    """Waits for a 200; False when the server ended or took too long."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + limit_s
    while keeper.poll() is None and time.monotonic() < end:
        try:
            with direct.open(url, timeout=_ASK_S) as reply:
                if reply.status == 200:
                    return True
        except (OSError, urllib.error.URLError):
            pass  # it does not listen yet, or still loads
        with contextlib.suppress(subprocess.TimeoutExpired):
            keeper.wait(_POLL_S)
    return False


def _end(keeper: subprocess.Popen[bytes]) -> None:
    if keeper.stdin is not None:
        keeper.stdin.close()
    keeper.wait(_ENDED_S)
