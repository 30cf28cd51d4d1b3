from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from core.discover.discover import discover
from core.text import visible
from core.wire.network import Network
from tests.servers.certificates import Pki, make_pki
from tests.servers.hostile import BEHAVIOURS
from tests.servers.scripted import ScriptedProvider, models_reply
from tests.servers.wicked import KEY, ROOMY, SOON_S, bounds_of, leaks, on_stage

if TYPE_CHECKING:
    from core.errors import Fault


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def shown(fault: Fault) -> str:
    return f"{fault.what}\n{fault.why}\n{fault.fix}"


@pytest.mark.parametrize("name", [name for name, one in BEHAVIOURS.items() if one.lists])
async def test_discovery_ends_in_time_with_the_right_fault(name: str, pki: Pki) -> None:
    hostile = BEHAVIOURS[name]
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    async with on_stage(hostile, pki) as stage:
        started = time.perf_counter()
        found = await discover(
            stage.base_url, KEY, bounds=bounds_of(hostile), network=Network(ca_file=pki.ca_file)
        )
        took = time.perf_counter() - started
    assert (found.error.code if found.error else None) in hostile.lists, found.error
    assert took < SOON_S
    assert leaks(repr(found) + msgspec.json.encode(found).decode()) == []
    assert stage.bystander.connections == 0
    faults = [*found.warnings, *([found.error] if found.error else [])]
    for fault in faults:
        assert shown(fault) == visible(shown(fault))
        assert all(len(line) < 900 for line in shown(fault).splitlines())
        assert fault.what
    if found.error is not None:
        assert found.models == ()
        assert found.error.fix
    assert [one for one in unhandled if "scripted" not in str(one.get("task"))] == []


async def test_a_hundred_thousand_models_are_listed() -> None:
    rows = [{"id": f"org/model-{number}", "object": "model"} for number in range(100_000)]
    async with ScriptedProvider({("GET", "/v1/models"): models_reply(rows)}) as server:
        started = time.perf_counter()
        found = await discover(
            server.base_url, KEY, bounds=msgspec.structs.replace(ROOMY, body_bytes=1 << 25)
        )
        took = time.perf_counter() - started
    assert len(found.models) == 100_000
    assert took < 20
