"""Real servers for the live tests, one of each for the whole run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.proxy import Proxy, Upstream

if sys.platform == "win32":  # they end process groups and take POSIX locks
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def demo() -> Iterator[Upstream]:
    """turnkey's own demo provider, as a server behind the proxy and as one to ask directly."""
    from core.demo.serve import start_demo
    from tests.live.proxy import Upstream

    with start_demo() as server:
        yield Upstream(server.base_url, server.key.reveal())


@pytest.fixture(scope="session")
def litellm(tmp_path_factory: pytest.TempPathFactory, demo: Upstream) -> Iterator[Proxy]:
    """A real LiteLLM proxy on loopback; see :mod:`tests.live.proxy` for its models."""
    from tests.live.lab import environment, lab_folder
    from tests.live.proxy import PACKAGES, running_proxy

    with environment(lab_folder(os.environ), "litellm", PACKAGES) as programs:
        folder = tmp_path_factory.mktemp("litellm")
        with running_proxy(programs, folder, demo, os.environ) as proxy:
            yield proxy
