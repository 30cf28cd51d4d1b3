"""A server that fails once is asked again, as Pi asks, and that is told; failing often is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.verify.compat import Compat
from core.verify.courtesy import Courtesy
from core.verify.exchange import HttpLine
from core.verify.trials.registry import run_trial, trials_for
from core.wire.client import open_client
from tests.core.verify.trials.helpers import BOUNDS, setting
from tests.servers.lane_server import Said, Turn, encode, lane_server
from tests.servers.scripted import Behaviour, Close, Reset, error_reply, raw, sse_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.verify.trials.setting import Setting
    from core.verify.verdict import Verdict

    Failing = Callable[[Turn], Behaviour | None]


def _no_end(turn: Turn) -> None:
    turn.finish = None


def _broken_off(turn: Turn) -> Behaviour:
    whole = encode(turn)
    return Behaviour((*whole.steps[:2], Close()))


FAILURES: dict[str, Failing] = {
    "500": lambda _: error_reply(500, "oops"),
    "502": lambda _: error_reply(502, "bad gateway"),
    "503": lambda _: error_reply(503, "away"),
    "504": lambda _: error_reply(504, "too late"),
    "an error in the stream": lambda _: sse_reply([{"error": {"message": "late", "code": 500}}]),
    "broke off": _broken_off,
    "no finish reason": _no_end,
}


async def tried(
    name: str, asked: Setting, failing: Callable[[int, Turn], Behaviour | None]
) -> tuple[Verdict, list[float]]:
    """A trial's verdict, and the waits that it took; ``failing`` gets each request's number."""
    waits: list[float] = []

    async def at_once(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    now = [0.0]
    trial = next(one for one in trials_for(asked.lane, names=[name]))

    def hook(turn: Turn) -> Said | Behaviour | Turn | None:
        return failing(turn.number, turn)

    async with lane_server(hook) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=Secret("")) as client:
            courtesy = Courtesy(sleep=at_once, clock=lambda: now[0])
            line = HttpLine(client, base, BOUNDS, courtesy=courtesy)
            verdict = await run_trial(trial, asked, line)
        assert verdict.requests == len(server.seen("POST", "/v1/chat/completions"))
    return verdict, waits


@pytest.mark.parametrize("why", FAILURES)
@pytest.mark.parametrize("name", ["agent_loop", "bare_json"])
async def test_one_failure_of_the_server_fails_no_trial_and_is_told(name: str, why: str) -> None:
    verdict, waits = await tried(
        name,
        setting(lane="auxiliary"),
        lambda number, turn: FAILURES[why](turn) if number == 1 else None,
    )
    assert verdict.verdict == "pass", verdict.evidence.text
    assert f"One request was answered at the 2nd try ({why})." in verdict.evidence.text
    assert waits == [2.0]


async def test_a_connection_that_is_always_dropped_decides_nothing_after_pis_four_tries() -> None:
    verdict, waits = await tried(
        "bare_json", setting(lane="auxiliary"), lambda _number, _turn: raw(Reset())
    )
    assert (verdict.verdict, verdict.finding) == ("unsure", "connection_failed")
    assert waits == [2.0, 4.0, 8.0]


async def test_a_server_that_fails_to_the_end_is_called_that() -> None:
    verdict, waits = await tried(
        "agent_loop", setting(), lambda _number, _turn: error_reply(500, "CUDA error")
    )
    assert (verdict.verdict, verdict.finding) == ("fail", "server_error")
    assert "failed still at the 4th try (500)" in verdict.evidence.text
    assert waits == [2.0, 4.0, 8.0]
    assert verdict.fix


async def test_failing_again_and_again_is_a_finding_though_pi_gets_through() -> None:
    verdict, _ = await tried(
        "agent_loop",
        setting(),
        lambda number, _turn: error_reply(502, "bad gateway") if number % 2 else None,
    )
    assert (verdict.verdict, verdict.finding) == ("fail", "unsteady")
    assert "requests took more than one try (502)" in verdict.evidence.text
    assert "log" in verdict.fix


async def test_waiting_where_it_was_asked_for_is_no_unsteadiness() -> None:
    verdict, _ = await tried(
        "agent_loop",
        setting(),
        lambda number, _turn: error_reply(429, "slow down") if number % 2 else None,
    )
    assert verdict.verdict == "pass"
    assert "requests took more than one try (429)" in verdict.evidence.text


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_what_pi_does_not_ask_again_is_asked_once(status: int) -> None:
    verdict, waits = await tried(
        "bare_json", setting(lane="auxiliary"), lambda _number, _turn: error_reply(status, "no")
    )
    assert (verdict.requests, waits) == (1, [])


async def test_one_repetition_asks_again_only_so_often() -> None:
    """Every other request fails twice: twelve turns would take a minute and more."""
    verdict, waits = await tried(
        "agent_loop",
        setting(),
        lambda number, _turn: None if number % 3 == 0 else error_reply(502, "bad gateway"),
    )
    assert len(waits) == 6
    assert verdict.verdict == "fail"


async def test_an_id_that_cannot_exist_is_not_asked_for_again() -> None:
    verdict, waits = await tried("canary", setting(), lambda _number, _turn: None)
    assert (verdict.verdict, waits) == ("pass", [])
    verdict, waits = await tried(
        "canary", setting(model="x"), lambda _number, _turn: error_reply(500, "oops")
    )
    assert waits == []


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        (setting(variant="stock", compat=Compat(supports_finish_reason=False)), "pass"),
        (setting(variant="stock"), "fail"),
        # this one cannot be told
        (setting(compat=Compat(supports_finish_reason=False)), "fail"),
    ],
)
async def test_without_finish_reasons_it_works_once_that_is_exported(
    asked: Setting, verdict: str
) -> None:
    found, _ = await tried("agent_loop", asked, lambda _number, turn: _no_end(turn))
    assert found.verdict == verdict, found.evidence.text
