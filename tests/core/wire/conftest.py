"""What holds for a connection holds for both kinds: httpcore's own, and the one with stamps."""

from __future__ import annotations

import inspect
from contextvars import ContextVar

import pytest

from core.wire.stamps import Stamps

_BOTH = frozenset({"test_network", "test_failures", "test_client", "test_hostile"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each request of these modules over both kinds."""
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in _BOTH and inspect.iscoroutinefunction(metafunc.function):
        metafunc.fixturenames.append("connections")
        metafunc.parametrize("connections", ["httpcore", "stamped", "captured"], indirect=True)


@pytest.fixture
def connections(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind that new connections are of."""
    if request.param != "httpcore":
        stamps = Stamps(capture=request.param == "captured")
        always = ContextVar[Stamps | None]("stamps", default=stamps)
        monkeypatch.setattr("core.wire.transport.STAMPS", always)
