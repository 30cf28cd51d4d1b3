"""Servers with one defect each: every one is called by its name, and the good one by none."""

from __future__ import annotations

import msgspec
import pytest

from core.verify.pi_shape import PiModel
from core.warden.chains import LANES
from tests.core.verify.trials.helpers import every_name, setting, verdicts
from tests.servers.known_bad import KNOWN_BAD, Bad
from tests.servers.lane_server import MODEL, Said, Turn, lane_server
from tests.servers.scripted import Behaviour, json_reply


@pytest.mark.parametrize("bad", KNOWN_BAD.values(), ids=KNOWN_BAD)
async def test_one_defect_fails_its_own_trials_and_no_other(bad: Bad) -> None:
    runs = 3 if "flaky" in bad.expects.values() else 1
    model = PiModel(MODEL, bad.reasoning, context_window=bad.context_window, max_tokens=8192)
    asked = setting(pi=model, dialect=bad.dialect, listed=bad.listed, runs=runs)
    async with bad.server() as server:
        found = await verdicts(server.base_url, asked)
    failed = {one.probe: one.finding for one in found if one.verdict == "fail"}
    assert failed == bad.expects
    assert {one.probe: one.finding for one in found if one.verdict == "unsure"} == bad.unsure
    telling = [one for one in found if one.verdict != "pass"]
    assert any(bad.fix in one.fix for one in telling), [one.fix for one in telling]
    assert all(one.fix for one in telling)
    assert all(one.evidence.exchanges for one in telling)


def test_there_are_at_least_twenty() -> None:
    assert len(KNOWN_BAD) >= 20


@pytest.mark.parametrize("variant", ["providers", "stock"])
@pytest.mark.parametrize("thinks", [False, True])
async def test_the_good_server_raises_no_alarm(variant: str, thinks: bool) -> None:
    asked = setting(
        pi=PiModel(MODEL, thinks, context_window=32_000, max_tokens=4_096),
        variant="stock" if variant == "stock" else "providers",
        runs=2,
    )
    async with lane_server(thinks=thinks) as server:
        found = await verdicts(server.base_url, asked, names=every_name())
    assert {one.verdict for one in found} == {"pass"}, [
        (one.probe, one.evidence.text) for one in found if one.verdict != "pass"
    ]
    assert {one.probe for one in found} == set(every_name())


@pytest.mark.parametrize("lane", LANES)
async def test_what_was_sent_and_came_stands_in_the_evidence(lane: str) -> None:
    asked = msgspec.structs.replace(setting(), runs=1)
    async with lane_server() as server:
        found = await verdicts(server.base_url, asked, lanes=[one for one in LANES if one == lane])
        sent = len(server.seen("POST", "/v1/chat/completions"))
    assert sum(one.requests for one in found) == sent
    for one in found:
        assert len(one.evidence.exchanges) <= 6
        assert all(MODEL in sent or "canary" in sent for sent, _ in one.evidence.exchanges)


async def test_a_call_that_only_the_stream_breaks_is_told_so() -> None:
    """Unstreamed the same server gives a proper call: the streaming parser is at fault."""
    bad = KNOWN_BAD["two calls under one index"]
    assert bad.hook is not None
    broken = bad.hook()

    def hook(turn: Turn) -> Said | Behaviour | Turn | None:
        if turn.ask.stream is True or not turn.said.calls:
            return broken(turn)
        call = turn.said.calls[0]
        function = {"name": call.name, "arguments": call.arguments}
        made = {"id": "c1", "type": "function", "function": function}
        message = {"role": "assistant", "content": None, "tool_calls": [made]}
        choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
        return json_reply(200, {"model": MODEL, "choices": [choice]})

    async with lane_server(hook) as server:
        found = await verdicts(server.base_url, setting(), lanes=["agent"], names=["agent_loop"])
    assert [one.finding for one in found] == ["broken_arguments"]
    assert "without a stream" in found[0].evidence.text
    assert found[0].fix.startswith("The fault is in the stream alone")
    assert found[0].detail["right_unstreamed"] is True
