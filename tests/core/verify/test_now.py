"""A receipt is held against what the lanes resolve to now, and a trial against who answered."""

from __future__ import annotations

from typing import Final

import pytest
from msgspec.structs import replace

from core.verify.answered import Answered
from core.verify.known import as_of_now
from core.verify.pi_shape import PiModel
from core.verify.receipt import CoveredConfig, Gone, Receipt
from core.verify.run import by_whom
from core.verify.trials.setting import Setting
from core.verify.verdict import Evidence, Verdict
from core.verify.verified import is_verified
from core.warden.chains import LANES
from core.warden.config import read_config
from core.warden.lanes import resolve

CONFIG: Final = read_config(
    {
        "version": 1,
        "defaults": {
            "auxiliary": {"model": "gw/m"},
            "synthesis": {"model": "gw/m"},
            "providers": {"gw": {"baseUrl": "http://127.0.0.1:9/v1", "models": [{"id": "m"}]}},
        },
        "skills": [{"name": "s"}],
    }
)


def receipt(env: dict[str, str]) -> Receipt:
    """A receipt of the config as it resolved in ``env``."""
    report = resolve(CONFIG, "providers", env=env)
    return Receipt(
        "1",
        "2026-11-21T00:00:00Z",
        "providers",
        CoveredConfig("sha256:0"),
        lanes={lane: report.lanes[lane].selector for lane in LANES},
        escapes=tuple(Gone(one.code, one.lane, one.message) for one in report.escapes),
        verified=True,
    )


HOME: Final = {"WARDEN_MODEL": "gw/m"}


@pytest.mark.parametrize(
    ("env", "worth"),
    [
        (HOME, "fresh"),
        (HOME | {"PATH": "/bin"}, "fresh"),
        ({"WARDEN_MODEL": "anthropic/claude-opus-4"}, "stale"),
        ({}, "stale"),
    ],
)
def test_a_lane_that_the_environment_moved_is_not_verified(env: dict[str, str], worth: str) -> None:
    now = resolve(CONFIG, "providers", env=env)
    found = as_of_now(receipt(HOME), now)
    assert found.worth == worth
    assert found.verified is (worth == "fresh")


PASSED: Final = Verdict("agent_loop", "gw", "m", "agent", "pass", Evidence("x"), passed=3, tried=3)
SETTING: Final = Setting("gw", "agent", PiModel("m"))
ANSWER: Final = Answered(status=200, answer="yes", served_model="m", complete=True)


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ((ANSWER, ANSWER), "pass"),
        ((ANSWER, replace(ANSWER, served_model=None)), "pass"),
        ((ANSWER, replace(ANSWER, served_model="cloud-gpt-9")), "fail"),
        ((ANSWER, replace(ANSWER, headers={"x-litellm-attempted-fallbacks": "1"})), "fail"),
    ],
)
def test_another_model_in_the_middle_of_a_trial_fails_it(
    answers: tuple[Answered, ...], word: str
) -> None:
    assert by_whom(PASSED, SETTING, answers).verdict == word
    canary = replace(PASSED, probe="canary")
    assert by_whom(canary, SETTING, answers) == canary  # it asks for another on purpose


@pytest.mark.parametrize(
    ("k", "n", "holds"), [(3, 3, True), (2, 2, True), (1, 1, False), (0, 0, False)]
)
def test_once_is_not_often_enough_for_the_word(k: int, n: int, holds: bool) -> None:
    verdicts = [replace(PASSED, lane=lane, passed=k, tried=n) for lane in LANES]
    found = is_verified(
        verdicts,
        lanes=dict.fromkeys(LANES, "gw/m"),
        required=dict.fromkeys(LANES, ("agent_loop",)),
        escapes=(),
    )
    assert found is holds
