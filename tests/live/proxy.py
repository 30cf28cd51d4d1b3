"""A real LiteLLM proxy on loopback, with entries that answer by themselves and one on the demo."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.live.keeper import AGAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HOST: Final = "127.0.0.1"
VERSION: Final = "1.106.2"
PACKAGES: Final = (
    f"litellm[proxy]=={VERSION}",
    # the extra does not bring it, and LiteLLM's own refusal of a request without a key imports it
    "prisma",
)
MASTER_KEY: Final = "sk-live-turnkey-0451"
START_LIMIT_S: Final = 180.0
"""Seconds that the proxy may take to answer; it imports a great deal."""
_POLL_S: Final = 0.1
_ASK_S: Final = 5.0
_ENDED_S: Final = 30.0
_TRIES: Final = 3


class ProxyError(RuntimeError):
    """The proxy did not come up; the message ends with what it logged."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server that the proxy passes requests on to."""

    base_url: str
    key: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """How to reach the proxy."""

    port: int
    log: Path

    @property
    def authority(self) -> str:
        """Host and port, as a person would type the address."""
        return f"{HOST}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{self.authority}"

    @property
    def base_url(self) -> str:
        """What belongs into ``baseUrl``."""
        return f"{self.origin}/v1"

    @property
    def crashes(self) -> int:
        """How often its process crashed so far, and was started again."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(AGAIN)


def config(demo: Upstream) -> dict[str, object]:
    """The proxy's configuration: three models of its own, and one that is passed on."""
    return settings_for(
        [
            {
                # a model that LiteLLM's own map knows: window, limit, cost and images come from it
                "model_name": "mock-openai",
                "litellm_params": _mock("openai/gpt-4o-mini", "PONG from mock"),
            },
            {
                # one that only its operator knows
                "model_name": "mock-own",
                "litellm_params": _mock("openai/our-own-weights", "PONG from our own weights"),
                "model_info": {
                    "mode": "chat",
                    "max_input_tokens": 40_960,
                    "max_output_tokens": 8_192,
                    "supports_reasoning": True,
                    "input_cost_per_token": 1.5e-7,
                    "output_cost_per_token": 6e-7,
                },
            },
            {
                # one that nobody says anything about, and whose answer is not what was asked for
                "model_name": "mock-off-topic",
                "litellm_params": _mock("openai/nobody-knows", "Good morning."),
            },
            {
                "model_name": "demo-thinker",
                "litellm_params": {
                    "model": "openai/demo-thinker",
                    "api_base": demo.base_url,
                    "api_key": demo.key,
                },
                "model_info": {"supports_reasoning": True, "max_output_tokens": 32_768},
            },
        ]
    )


def passed_on(upstreams: Mapping[str, Upstream], model: str) -> dict[str, object]:
    """A configuration of entries that are all passed on to ``model``, each to its own server.

    Their operator says a context window and a price; LiteLLM knows nothing else of them.
    """
    return settings_for(
        [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"openai/{model}",
                    "api_base": upstream.base_url,
                    "api_key": upstream.key,
                },
                "model_info": {"max_input_tokens": 4_000, "input_cost_per_token": 2.5e-7},
            }
            for name, upstream in upstreams.items()
        ]
    )


def settings_for(models: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """A configuration with these entries, the master key, no retries and no telemetry."""
    return {
        "model_list": list(models),
        "router_settings": {"num_retries": 0},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "general_settings": {"master_key": MASTER_KEY},
    }


def _mock(model: str, answer: str) -> dict[str, object]:
    return {"model": model, "api_key": "unused", "mock_response": answer}


@contextlib.contextmanager
def running_proxy(
    programs: Path, folder: Path, given: Mapping[str, object], env: Mapping[str, str]
) -> Iterator[Proxy]:
    """A proxy that answers, ended with the context. ``programs``: the ``bin`` that holds litellm.

    ``given`` is its configuration; ``folder`` takes that, its log and what it believes to be its
    home. Raises ProxyError when it does not come up.
    """
    settings = folder / "config.yaml"
    settings.write_text(json.dumps(given, indent=2), encoding="utf-8")  # JSON is YAML
    with contextlib.ExitStack() as stack:
        for attempt in range(1, _TRIES + 1):
            proxy = Proxy(free_port(), folder / f"litellm-{attempt}.log")
            keeper = _start(programs, settings, proxy, env)
            stack.callback(_end, keeper)
            if _answers(keeper, proxy):
                break
            words = proxy.log.read_text(encoding="utf-8", errors="replace")
            if attempt == _TRIES or "address already in use" not in words.lower():
                raise ProxyError(f"LiteLLM did not come up; the end of its log:\n{words[-4000:]}")
        else:  # unreachable: the last attempt breaks or raises
            raise ProxyError
        yield proxy


def free_port() -> int:
    """A port of loopback that nothing listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind((HOST, 0))
        port: int = taken.getsockname()[1]
    return port


def _start(
    programs: Path, settings: Path, proxy: Proxy, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    keeper = Path(__file__).with_name("keeper.py")
    command = [
        *(sys.executable, str(keeper), str(programs / "litellm")),
        *("--config", str(settings), "--host", HOST, "--port", str(proxy.port)),
    ]
    with proxy.log.open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # its end tells the keeper to end the proxy
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=settings.parent,
            env={
                "PATH": env.get("PATH", ""),
                "HOME": str(settings.parent),
                "LANG": "C.UTF-8",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_TELEMETRY": "False",
                "NO_PROXY": "*",
            },
            start_new_session=True,
        )


def until_it_answers(proxy: Proxy) -> None:
    """Waits until a proxy that was started again answers. Raises ProxyError when it doesn't."""
    end = time.monotonic() + START_LIMIT_S
    while not _lives(proxy):
        if time.monotonic() > end:
            raise ProxyError(f"LiteLLM did not come up again on port {proxy.port}.")
        threading.Event().wait(_POLL_S)


def _answers(keeper: subprocess.Popen[bytes], proxy: Proxy) -> bool:
    """Waits until the proxy says that it lives; False when it ended or took too long."""
    end = time.monotonic() + START_LIMIT_S
    while keeper.poll() is None and time.monotonic() < end:
        if _lives(proxy):
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            keeper.wait(_POLL_S)
    return False


def _lives(proxy: Proxy) -> bool:
    """Whether the proxy answers now."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{proxy.origin}/health/liveliness", timeout=_ASK_S) as reply:
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False  # it does not listen yet


def _end(keeper: subprocess.Popen[bytes]) -> None:
    if keeper.stdin is not None:
        keeper.stdin.close()
    keeper.wait(_ENDED_S)
