"""Requests at once are borne only when each one's answer is its own, whole, and by the model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.verify.trials.crowd import Count, tasks_at_once
from tests.core.verify.trials.helpers import setting, verdicts
from tests.servers.lane_server import Said, Turn, lane_server
from tests.servers.scripted import Behaviour, Reset, error_reply, raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.verify.verdict import Verdict

    Spoil = Callable[[Turn, list[str]], Said | Behaviour | None]

FIRST: Final = frozenset(range(4))
"""Places of the four requests at once."""
AGAIN: Final = frozenset(range(5, 9))
"""The same once more, after one alone."""
THREE: Final = frozenset(range(10, 13))


def empty(_turn: Turn, _before: list[str]) -> Said:
    return Said("")


def cut(turn: Turn, _before: list[str]) -> Said:
    turn.finish = "length"
    return Said(turn.said.text[:40])


def stops_early(turn: Turn, _before: list[str]) -> Said:
    return Said(turn.said.text[:40])


def foreign(turn: Turn, before: list[str]) -> Said:
    """The answer of another request, as from a cache or a mixed-up batch."""
    before.append(turn.said.text)
    return Said(before[0]) if len(before) > 1 else turn.said


def garbage(_turn: Turn, _before: list[str]) -> Said:
    return Said("lorem ipsum dolor")


def other_model(turn: Turn, _before: list[str]) -> None:
    turn.model = "tiny-fallback-1b"


def falls_back(turn: Turn, _before: list[str]) -> None:
    turn.fields["x-litellm-attempted-fallbacks"] = 1


def bad_gateway(_turn: Turn, _before: list[str]) -> Behaviour:
    return error_reply(502, "bad gateway")


def drops(_turn: Turn, _before: list[str]) -> Behaviour:
    return raw(Reset())


async def tried(spoil: Spoil, places: frozenset[int] | None) -> Verdict:
    """The trial's verdict where the requests at these places (None: all) are spoilt."""
    seen: list[int] = []
    before: list[str] = []

    def hook(turn: Turn) -> Said | Behaviour | None:
        seen.append(turn.number)
        spoilt = places is None or len(seen) - 1 in places
        return spoil(turn, before) if spoilt else None

    async with lane_server(hook) as server:
        found = await verdicts(server.base_url, setting(), lanes=["agent"], names=["concurrency"])
        assert found[0].requests == len(server.seen("POST", "/v1/chat/completions"))
    return found[0]


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (empty, "empty_at_once"),
        (cut, "cut_at_once"),
        (stops_early, "wrong_at_once"),
        (foreign, "wrong_at_once"),
        (garbage, "wrong_at_once"),
        (other_model, "other_model_at_once"),
        (falls_back, "other_model_at_once"),
        (bad_gateway, "too_many"),
    ],
)
async def test_what_is_no_whole_answer_of_its_own_is_not_borne(spoil: Spoil, finding: str) -> None:
    verdict = await tried(spoil, FIRST | AGAIN)
    assert (verdict.verdict, verdict.finding) == ("fail", finding), verdict.evidence.text
    assert verdict.detail["borne"] == 3
    assert "runner.concurrency = 3" in verdict.fix


async def test_the_highest_number_that_is_borne_is_named() -> None:
    verdict = await tried(empty, FIRST | AGAIN | THREE)
    assert verdict.detail["borne"] == 2
    assert "came empty" in verdict.evidence.text


@pytest.mark.parametrize("spoil", [empty, garbage, cut])
async def test_what_comes_alike_alone_says_nothing_of_the_crowd(spoil: Spoil) -> None:
    verdict = await tried(spoil, None)
    assert (verdict.verdict, verdict.finding) == ("unsure", "wrong_alone")
    assert verdict.fix


@pytest.mark.parametrize("spoil", [bad_gateway, empty])
async def test_one_bad_moment_is_told_and_no_failure(spoil: Spoil) -> None:
    verdict = await tried(spoil, frozenset({2}))
    assert (verdict.verdict, verdict.detail["borne"]) == ("pass", 4)
    assert "The first time 1 of them did not come right" in verdict.evidence.text


async def test_a_model_that_always_goes_by_another_name_is_no_matter_of_the_crowd() -> None:
    verdict = await tried(other_model, None)
    assert verdict.verdict == "pass"


@given(st.integers(1, 40))
def test_tasks_at_once_share_no_number(many: int) -> None:
    tasks = tasks_at_once(many)
    numbers = [number for task in tasks for number in range(task.first, task.last + 1)]
    assert len(tasks) == many
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        (", ".join(map(str, range(300, 341))), True),
        ("Here are 41 numbers:\n" + "\n".join(map(str, range(300, 341))), True),
        (" ".join(str(one) for one in range(300, 341) if one % 10 != 7), True),
        (", ".join(map(str, range(300, 340))), False),
        ("300, 301, ..., 340", False),
        (", ".join(map(str, range(400, 441))), False),
        (", ".join(map(str, range(300, 441))), False),
        (re.sub(r"\d", "x", ", ".join(map(str, range(300, 341)))), False),
        ("", False),
        pytest.param("9" * 5_000, False, id="no number"),
    ],
)
def test_a_count_is_whole_or_it_is_not(answer: str, done: bool) -> None:
    assert Count(300).done(answer) is done
