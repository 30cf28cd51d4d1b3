"""A workspace verified against a server of this process: asked, stopped, gone on with, kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest

from core.errors import EndpointProblem
from core.verify.known import standing_of
from core.verify.receipt import MAX_AGE
from core.verify.run import Decided, Down, Waits
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


@pytest.mark.parametrize(
    ("variant", "thinks"), [("providers", False), ("stock", False), ("providers", True)]
)
async def test_a_good_endpoint_is_verified_and_what_was_told_before_is_what_was_sent(
    tmp_path: Path, variant: str, thinks: bool
) -> None:
    async with lane_server(thinks=thinks) as server:
        workspace = on(tmp_path, server, variant=variant)
        verification = Verification(workspace, Wanted())
        cost = verification.plan.estimate
        before = len(server.seen(*CHAT))
        receipt = await verification.run(lambda _event: None, BOUNDS)
        assert verification.sent == len(server.seen(*CHAT)) - before
        sent = len(server.seen(*CHAT)) - before
    assert [
        (one.probe, one.evidence.text) for one in receipt.verdicts if one.verdict == "fail"
    ] == []
    assert receipt.verified
    assert not receipt.interrupted
    assert sent == sum(one.requests for one in receipt.verdicts)
    assert abs(cost.requests - sent) <= 0.25 * sent
    assert max(sent, cost.requests) <= cost.most_requests
    assert verification.counted <= cost.tokens <= 1.35 * verification.counted
    assert cost.tokens < cost.most_tokens
    now = verification.now
    standing = standing_of(workspace, workspace.variant, now)
    assert standing.verified
    assert standing_of(workspace, workspace.variant, now + MAX_AGE * 2).worth == "stale"
    other = standing_of(workspace, "providers" if variant == "stock" else "stock", now)
    assert other.worth == "stale"
    assert other.fault is not None
    assert other.fault.what.startswith(f"It was verified for the variant {variant}, and not for ")


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


async def test_more_runs_are_not_answered_by_fewer(tmp_path: Path) -> None:
    async with lane_server() as server:
        workspace = on(tmp_path, server)
        await stopped_after(workspace, 33, Wanted(runs=2))
        same, more = (Verification(workspace, Wanted(runs=runs)) for runs in (2, 3))
    assert {task.name for task in same.plan.tasks} == {"concurrency"}
    left = {(task.name, task.lane) for task in more.plan.tasks if task.repeated}
    assert left == {(task.name, task.lane) for task in more.whole.tasks if task.repeated}


async def test_a_flaky_trial_is_not_asked_away(tmp_path: Path) -> None:
    bad = [True]

    def hook(turn: Turn) -> Said | None:
        return Said("no JSON today") if turn.structured and bad and bad.pop() else None

    async with lane_server(hook) as server:
        workspace = on(tmp_path, server)
        assert not (await verified(workspace)).verified
        again = await verified(workspace)
        assert not again.verified  # three passed now, and of six two may as well be luck
        failed = [one for one in again.verdicts if one.verdict == "fail"]
        assert [(one.passed, one.tried) for one in failed] == [(2, 3)]
        assert [(one.verdict, one.passed) for one in failed[0].others] == [("pass", 3)]
        assert (await verified(workspace, Wanted(only=(failed[0].probe,), runs=6))).verified


TWO: Final = """version = 1
[defaults.agent]
model = "mine/good-model"
[defaults.auxiliary]
model = "mine/good-model"
[defaults.synthesis]
model = "gone/x"
[defaults.providers.mine]
baseUrl = "{url}"
models = [{{ id = "good-model" }}]
[defaults.providers.gone]
baseUrl = "http://127.0.0.1:9/v1"
models = [{{ id = "x" }}]
[[skills]]
name = "code-review"
"""


async def test_one_provider_that_is_down_fails_with_its_cause_and_the_others_are_tried(
    tmp_path: Path,
) -> None:
    told: list[Event] = []
    async with lane_server() as server:
        workspace = workspace_at(
            tmp_path, TWO.format(url=server.base_url), state=tmp_path / "state"
        )
        verification = Verification(workspace, Wanted())
        receipt = await verification.run(told.append, BOUNDS)
        assert verification.sent == len(server.seen(*CHAT))
    assert [one.provider for one in told if isinstance(one, Down)] == ["gone"]
    assert verification.failed(receipt)
    words = {(one.provider, one.probe): one for one in receipt.verdicts}
    assert words["mine", "agent_loop"].verdict == "pass"
    assert words["gone", "stays_home"].verdict == "pass"
    down = words["gone", "merge"]
    assert (down.verdict, down.finding) == ("fail", "connection_refused")
    assert "127.0.0.1:9" in down.evidence.text
    assert down.fix
    assert words["gone", "store"].verdict == "unsure"
    assert [one.provider for one in receipt.endpoints] == ["mine"]
    assert not receipt.interrupted


async def test_where_none_can_be_asked_each_cause_is_told(tmp_path: Path) -> None:
    told: list[Event] = []
    text = TWO.format(url="http://127.0.0.1:1/v1")
    with pytest.raises(EndpointProblem):
        await verified(workspace_at(tmp_path, text, state=tmp_path / "state"), tell=told.append)
    assert [one.provider for one in told if isinstance(one, Down)] == ["mine", "gone"]


async def test_a_skills_own_model_is_part_of_what_is_verified(tmp_path: Path) -> None:
    def hook(turn: Turn) -> Said | None:
        return Said("I call no tools.") if turn.loops and turn.model == "weak" else None

    own = SKILL + 'model = "mine/weak"\n'
    async with lane_server(hook, listed=(MODEL, "weak"), serves_any=True) as server:
        text = all_on(MODEL, server.base_url, LIMITS + own)
        workspace = workspace_at(tmp_path, text, state=tmp_path / "state")
        receipt = await verified(workspace, Wanted(only=("agent_loop",), runs=2))
    found = {(one.model, one.lane): one.verdict for one in receipt.verdicts}
    assert found == {
        (MODEL, "agent"): "pass",
        (MODEL, "auxiliary"): "pass",
        ("weak", "agent"): "fail",
    }
    assert [(one.skill, one.selector) for one in receipt.overrides] == [
        ("code-review", "mine/weak")
    ]


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
