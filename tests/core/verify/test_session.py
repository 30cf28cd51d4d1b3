"""A workspace verified against a server of this process: asked, stopped, gone on with, kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest

from core.errors import EndpointProblem
from core.verify.known import standing_of
from core.verify.receipt import MAX_AGE
from core.verify.run import Decided, Waits
from core.verify.session import Verification, Wanted
from core.warden.chains import LANES
from core.wire.bounds import Bounds
from tests.core.desk import workspace_at
from tests.core.verify.trials.helpers import all_on
from tests.servers.lane_server import MODEL, Said, Turn, lane_server
from tests.servers.scripted import Behaviour, Hang, in_turn, json_reply, raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.verify.receipt import Receipt
    from core.verify.run import Event
    from core.workspace import Workspace
    from tests.servers.scripted import ScriptedProvider

BOUNDS: Final = Bounds(connect_s=5, first_byte_s=10, silence_s=10)
CHAT: Final = ("POST", "/v1/chat/completions")
SKILL: Final = '[[skills]]\nname = "code-review"\n'
LIMITS: Final = "contextWindow = 32000\n"


def on(folder: Path, server: ScriptedProvider, **options: str) -> Workspace:
    """All lanes on the server's model."""
    text = all_on(MODEL, server.base_url, LIMITS + SKILL)
    variant = options.get("variant", "providers")
    return workspace_at(
        folder,
        text,
        state=folder / "state",
        variant="stock" if variant == "stock" else "providers",
    )


async def verified(
    workspace: Workspace,
    wanted: Wanted | None = None,
    tell: Callable[[Event], None] = lambda _event: None,
) -> Receipt:
    return await Verification(workspace, wanted or Wanted()).run(tell, BOUNDS)


async def stopped_after(workspace: Workspace, count: int, wanted: Wanted | None = None) -> None:
    """Start, and stop once so many verdicts were found."""
    enough = asyncio.Event()

    def tell(event: Event) -> None:
        if isinstance(event, Decided) and event.done >= count:
            enough.set()

    run = asyncio.create_task(verified(workspace, wanted, tell))
    run.add_done_callback(lambda _run: enough.set())
    await enough.wait()
    assert not run.done()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


def of_lanes(receipt: Receipt) -> set[tuple[str, str | None]]:
    return {(one.probe, one.lane) for one in receipt.verdicts}


@pytest.mark.parametrize("variant", ["providers", "stock"])
async def test_a_good_endpoint_is_verified_within_its_estimate(
    tmp_path: Path, variant: str
) -> None:
    async with lane_server() as server:
        workspace = on(tmp_path, server, variant=variant)
        verification = Verification(workspace, Wanted())
        cost = verification.plan.estimate
        before = len(server.seen(*CHAT))
        receipt = await verification.run(lambda _event: None, BOUNDS)
        sent = len(server.seen(*CHAT)) - before
    assert [
        (one.probe, one.evidence.text) for one in receipt.verdicts if one.verdict == "fail"
    ] == []
    assert receipt.verified
    assert not receipt.interrupted
    assert sent == sum(one.requests for one in receipt.verdicts)
    assert sent <= cost.most_requests
    assert sum(one.tokens or 0 for one in receipt.verdicts) <= cost.tokens
    now = verification.now
    standing = standing_of(workspace, workspace.variant, now)
    assert standing.verified
    assert standing_of(workspace, workspace.variant, now + MAX_AGE * 2).worth == "stale"


async def test_what_passed_before_a_stop_is_not_asked_again(tmp_path: Path) -> None:
    async with lane_server() as server:
        workspace = on(tmp_path, server)
        await stopped_after(workspace, 12)
        first = standing_of(workspace, "providers", Verification(workspace, Wanted()).now).receipt
        assert first is not None
        assert first.interrupted
        assert not first.verified
        going_on = Verification(workspace, Wanted())
        left = {task.question for task in going_on.plan.tasks}
        asked = {(one.probe, one.provider, one.model, one.lane) for one in first.verdicts}
        assert going_on.resumed >= 12
        assert not left & asked
        assert left | asked == {task.question for task in going_on.whole.tasks}
        receipt = await going_on.run(lambda _event: None, BOUNDS)
    assert receipt.verified
    assert not receipt.interrupted
    assert receipt.at >= first.at


async def test_a_failure_before_a_stop_is_asked_again(tmp_path: Path) -> None:
    broken = True

    def hook(turn: Turn) -> Said | None:
        return Said("no JSON today") if broken and turn.structured else None

    async with lane_server(hook) as server:
        workspace = on(tmp_path, server)
        only = Wanted(only=("bare_json",))
        assert (await verified(workspace, only)).verdicts[0].verdict == "fail"
        await stopped_after(workspace, 20)
        again = Verification(workspace, Wanted())
        assert "bare_json" in {task.name for task in again.plan.tasks}
        broken = False
        receipt = await again.run(lambda _event: None, BOUNDS)
    assert receipt.verified


async def test_a_run_that_is_stopped_takes_nothing_from_an_earlier_one(tmp_path: Path) -> None:
    async with lane_server() as server:
        workspace = on(tmp_path, server)
        before = await verified(workspace)
        assert before.verified
        await stopped_after(workspace, 3)
        verification = Verification(workspace, Wanted())
        standing = standing_of(workspace, "providers", verification.now)
        assert standing.verified
        assert verification.resumed == 0  # all is decided, so all is asked again
        assert standing.receipt is not None
        assert of_lanes(standing.receipt) == of_lanes(before)


async def test_parts_add_up_to_the_word(tmp_path: Path) -> None:
    async with lane_server() as server:
        workspace = on(tmp_path, server)
        words = [(await verified(workspace, Wanted(lanes=(lane,)))).verified for lane in LANES]
    assert words == [False, False, True]


async def test_a_server_that_asks_to_wait_is_waited_for_and_said_so(tmp_path: Path) -> None:
    busy = json_reply(429, {"error": {"message": "slow down"}}, {"retry-after": "0.01"})
    told: list[Event] = []
    async with lane_server() as server:
        chat = server.routes[CHAT]
        server.routes = {**server.routes, CHAT: in_turn(busy, chat)}
        receipt = await verified(on(tmp_path, server), Wanted(only=("served_model",)), told.append)
        assert len(server.seen(*CHAT)) == 2
    assert [one.verdict for one in receipt.verdicts] == ["pass"]
    assert [one.seconds for one in told if isinstance(one, Waits)] == [0.01]


async def test_a_server_that_dies_on_the_way_leaves_what_was_decided(tmp_path: Path) -> None:
    def hook(turn: Turn) -> Behaviour | None:
        return raw(Hang()) if turn.structured else None

    async with lane_server(hook) as server:
        workspace = on(tmp_path, server)
        await stopped_after(workspace, 5)
        hung = standing_of(workspace, "providers", Verification(workspace, Wanted()).now).receipt
    assert hung is not None
    assert len(hung.verdicts) >= 5
    with pytest.raises(EndpointProblem):
        await verified(workspace)
    kept = standing_of(workspace, "providers", Verification(workspace, Wanted()).now).receipt
    assert kept == hung
