from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from core.errors import TurnkeyError
from core.live.ping import ping
from core.providers.base_url import read_base_url
from core.text import visible
from core.wire.client import get, open_client
from core.wire.network import Network
from tests.servers.certificates import Pki, make_pki
from tests.servers.hostile import BEHAVIOURS
from tests.servers.wicked import KEY, SOON_S, bounds_of, leaks, on_stage

if TYPE_CHECKING:
    from tests.servers.hostile import Hostile


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def caught_unhandled() -> list[dict[str, Any]]:
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    return unhandled


def test_there_are_many() -> None:
    assert len(BEHAVIOURS) >= 100
    assert sum(1 for one in BEHAVIOURS.values() if one.tls or one.scheme) >= 10


@pytest.mark.parametrize("name", [name for name, one in BEHAVIOURS.items() if one.streams])
async def test_a_ping_ends_in_time_with_the_right_fault(name: str, pki: Pki) -> None:
    hostile = BEHAVIOURS[name]
    unhandled = caught_unhandled()
    bounds = bounds_of(hostile)
    async with on_stage(hostile, pki) as stage:
        base = read_base_url(stage.base_url)
        started = time.perf_counter()
        async with open_client(
            base, bounds, key=KEY, network=Network(ca_file=pki.ca_file)
        ) as client:
            run = await ping(client, base, "m", bounds=bounds, max_tokens=16, key=KEY)
        took = time.perf_counter() - started
    code = run.error.code if run.error else None
    assert code in hostile.streams, run.error
    assert took < SOON_S
    assert leaks(repr(run) + msgspec.json.encode(run).decode()) == []
    assert stage.bystander.connections == 0
    if run.error is not None:
        words = f"{run.error.what}\n{run.error.why}\n{run.error.fix}"
        assert words == visible(words)
        assert len(words) < 2500
        assert run.works is not True
    assert [one for one in unhandled if "scripted" not in str(one.get("task"))] == []


@pytest.mark.parametrize("name", [name for name, one in BEHAVIOURS.items() if one.endless])
async def test_one_request_ends_in_time(name: str, pki: Pki) -> None:
    assert await ended_in_time(BEHAVIOURS[name], pki) in {"timeout", "too_large", "bad_shape"} | {
        "connection_failed"
    }


async def ended_in_time(hostile: Hostile, pki: Pki) -> str:
    bounds = bounds_of(hostile)
    async with on_stage(hostile, pki) as stage:
        base = read_base_url(stage.base_url)
        started = time.perf_counter()
        with pytest.raises(TurnkeyError) as caught:
            async with open_client(
                base, bounds, key=KEY, network=Network(ca_file=pki.ca_file)
            ) as client:
                await get(client, f"{base.url}/models", bounds)
        assert time.perf_counter() - started < SOON_S
    assert leaks(repr(caught.value.fault)) == []
    return caught.value.fault.code
