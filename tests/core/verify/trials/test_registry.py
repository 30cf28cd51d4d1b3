"""Trials as data: what they cost, who they are for, how they are told, stopped and repeated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from core.verify.compat import Compat
from core.verify.pi_shape import PiModel
from core.verify.trials import telling
from core.verify.trials.registry import (
    TRIALS,
    estimate,
    run_trial,
    trial_names,
    trials_for,
)
from core.verify.trials.setting import Outcome, Step, settings_for
from core.warden.chains import LANES
from tests.core.verify.trials.helpers import (
    all_on,
    config_of,
    line_to,
    report_of,
    setting,
    verdicts,
)
from tests.servers.lane_server import MODEL, Turn, lane_server
from tests.servers.scripted import Behaviour, Gate, Wait

if TYPE_CHECKING:
    from core.verify.exchange import Answered

_BY_NAME = {trial.name: trial for trial in TRIALS}


def test_each_lane_has_what_its_work_needs() -> None:
    assert {one.name for one in trials_for("agent")} >= {"agent_loop", "stays_home", "canary"}
    # verification runs on the auxiliary lane, with tools
    assert {one.name for one in trials_for("auxiliary")} >= {"agent_loop", "bare_json"}
    unverified = {one.name for one in trials_for("auxiliary", verifies=False)}
    assert "agent_loop" not in unverified
    assert "merge" in {one.name for one in trials_for("synthesis")}
    for lane in LANES:
        assert {"context_window", "output_limit"}.isdisjoint(one.name for one in trials_for(lane))
    assert [one.name for one in trials_for("agent", names=["context_window"])] == ["context_window"]
    assert len(set(trial_names())) == len(TRIALS)


@pytest.mark.parametrize("name", trial_names())
async def test_the_estimate_holds_what_the_server_counted(name: str) -> None:
    trial = _BY_NAME[name]
    asked = setting(
        lane=trial.lanes[0], runs=2, pi=PiModel(MODEL, context_window=32_000, max_tokens=2_048)
    )
    async with lane_server() as server, line_to(server.base_url) as line:
        verdict = await run_trial(trial, asked, line)
        sent = len(server.seen("POST", "/v1/chat/completions"))
    cost = trial.cost(asked)
    assert verdict.requests == sent
    assert cost.requests == sent
    assert sent <= cost.most_requests
    assert (verdict.tokens or 0) <= cost.tokens * 1.25
    assert cost.chain <= max(cost.most_requests, 1)


def test_what_two_lanes_ask_alike_is_counted_once() -> None:
    agent, auxiliary = setting(lane="agent"), setting(lane="auxiliary")
    canary, loop = _BY_NAME["canary"], _BY_NAME["agent_loop"]
    assert canary.key(agent) == canary.key(auxiliary)
    assert loop.key(agent) != loop.key(auxiliary)
    assert estimate([(canary, agent), (canary, auxiliary)]).requests == 1
    both = estimate([(loop, agent), (loop, auxiliary)])
    assert both.requests == 2 * loop.cost(agent).requests
    assert both.chain == loop.cost(agent).chain
    other = setting(pi=PiModel("another"))
    assert estimate([(canary, agent), (canary, other)]).requests == 2


def test_only_what_measures_the_load_wants_to_be_alone() -> None:
    assert [one.name for one in TRIALS if one.alone] == ["concurrency"]


async def test_repetitions_go_out_at_once() -> None:
    gate = Gate()
    waiting: list[int] = []

    def together(turn: Turn) -> Behaviour | None:
        waiting.append(turn.number)
        if len(waiting) == 3:
            gate.open()
        return None if len(waiting) > 3 else Behaviour((Wait(gate), *_encoded(turn).steps))

    async with lane_server(together) as server, line_to(server.base_url) as line:
        trial = _BY_NAME["bare_json"]
        verdict = await asyncio.wait_for(
            run_trial(trial, setting(lane="auxiliary", runs=3), line), 20
        )
    assert (verdict.verdict, verdict.passed, verdict.tried) == ("pass", 3, 3)


def _encoded(turn: Turn) -> Behaviour:
    from tests.servers.lane_server import encode

    return encode(turn)


async def test_stopping_closes_every_connection() -> None:
    never = Gate()

    def holds(turn: Turn) -> Behaviour:
        return Behaviour((Wait(never), *_encoded(turn).steps))

    async with lane_server(holds) as server, line_to(server.base_url) as line:
        work = asyncio.ensure_future(run_trial(_BY_NAME["agent_loop"], setting(runs=3), line))
        await server.until(lambda one: len(one.requests) == 3)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await server.until(lambda one: one.hang_ups == 3)


async def test_each_step_is_told_with_its_run() -> None:
    steps: list[Step] = []
    async with lane_server() as server:
        await verdicts(
            server.base_url,
            setting(runs=2),
            lanes=["agent"],
            names=["agent_loop"],
            steps=steps,
        )
    assert {(one.run, one.runs) for one in steps} == {(1, 2), (2, 2)}
    ended = [one for one in steps if one.turn == 0]
    assert [one.passed for one in ended] == [True, True]
    assert any("grep" in one.words for one in steps)
    assert max(one.turn for one in steps) == 5


# ---------------------------------------------------------------------------- k of n

_PASS = Outcome(True, "ok", "It went well.")
_FAIL = Outcome(False, "no_calls", "It never called.", "Do this.")
_OTHER = Outcome(False, "empty", "It was empty.", "Do that.")
_OPEN = Outcome(None, "rate_limited", "It was asked to wait.")


@pytest.mark.parametrize(
    ("outcomes", "verdict", "finding", "passed"),
    [
        ([_PASS, _PASS, _PASS], "pass", "ok", 3),
        ([_FAIL, _FAIL, _FAIL], "fail", "no_calls", 0),
        ([_PASS, _FAIL, _PASS], "fail", "flaky", 2),
        ([_FAIL, _OTHER, _FAIL], "fail", "no_calls", 0),
        ([_PASS, _OPEN, _PASS], "unsure", "rate_limited", 2),
        ([_FAIL, _OPEN, _OPEN], "fail", "no_calls", 0),
        ([_OPEN], "unsure", "rate_limited", 0),
    ],
)
def test_k_of_n(outcomes: list[Outcome], verdict: str, finding: str, passed: int) -> None:
    class Silent:
        async def send(self, *_: object, **__: object) -> Answered:
            raise AssertionError

    ledgers = [telling.Ledger(Silent(), setting()) for _ in outcomes]
    found = telling.combined("t", setting(), outcomes, ledgers, lane="agent")
    assert (found.verdict, found.finding, found.passed) == (verdict, finding, passed)
    assert found.tried == len(outcomes)
    if len(outcomes) > 1:
        assert f"{passed} of {len(outcomes)} runs passed" in found.evidence.text
    assert (found.fix != "") is (verdict == "fail")
    if finding == "flaky":
        assert found.detail["reason"] == "no_calls"
        assert found.flaky


# ---------------------------------------------------------------------------- settings


def test_settings_come_out_of_the_config() -> None:
    text = all_on("m", extra="contextWindow = 9000\nreasoning = true\n") + (
        "[runner]\nconcurrency = 2\n"
    )
    text = text.replace("[defaults.agent]\n", '[defaults.agent]\neffort = "low"\n')
    config = config_of(text)
    found = settings_for(
        config,
        report_of(config),
        listed={"mine": ("m", "n")},
        dialects={"mine": "vllm"},
        compat={"mine/m": Compat(supports_store=False)},
    )
    assert [one.lane for one in found] == list(LANES)
    agent, auxiliary, synthesis = found
    assert agent.pi == PiModel("m", True, context_window=9000, max_tokens=8192)
    assert (agent.window_declared, agent.max_tokens_declared) == (True, False)
    assert agent.concurrency == 2
    assert (agent.dialect, agent.listed) == ("vllm", ("m", "n"))
    assert agent.compat.supports_store is False
    assert (agent.level, agent.loop_level) == ("low", "low")
    # this Warden has an effort for verification alone, and it is the agent's
    assert (auxiliary.level, auxiliary.loop_level) == (None, "low")
    assert synthesis.level is None


def test_a_lane_that_is_elsewhere_has_no_setting() -> None:
    config = config_of(
        all_on("m").replace(
            '[defaults.synthesis]\nmodel = "mine/m"', '[defaults.synthesis]\nmodel = "openai/x"'
        )
    )
    assert [one.lane for one in settings_for(config, report_of(config))] == ["agent", "auxiliary"]


def test_a_body_is_the_variants_own() -> None:
    from core.verify.pi_shape import User

    old = setting().body((User("x"),))
    new = msgspec.structs.replace(setting(), variant="stock").body((User("x"),))
    assert "max_completion_tokens" not in old
    assert "max_completion_tokens" in new
