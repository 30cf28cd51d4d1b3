"""The table of a race: who is best, and when that can be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.live.figures import Figures
from core.live.race import COLUMNS, Racer, table

if TYPE_CHECKING:
    from core.live.watching import State

NAMES: list[str] = [name for _, _, name, _ in COLUMNS]


def racer(
    state: State = "done",
    *,
    right: bool = True,
    first_token_s: float | None = None,
    answer_tokens_per_s: float | None = None,
    total_s: float | None = None,
) -> Racer:
    figures = Figures(
        first_token_s=first_token_s, answer_tokens_per_s=answer_tokens_per_s, total_s=total_s
    )
    return Racer("p/m", state, figures, "usage", right)


def best(racers: list[Racer], name: str) -> list[bool]:
    index = NAMES.index(name)
    return [place.cells[index].best for place in table(racers)]


def test_less_time_and_more_tokens_win() -> None:
    racers = [
        racer(first_token_s=0.2, answer_tokens_per_s=40.0, total_s=3.0),
        racer(first_token_s=0.4, answer_tokens_per_s=80.0, total_s=2.0),
    ]
    assert best(racers, "first_token_s") == [True, False]
    assert best(racers, "answer_tokens_per_s") == [False, True]
    assert best(racers, "total_s") == [False, True]


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_who_did_not_get_there_wins_nothing(state: State) -> None:
    racers = [racer(state, total_s=0.1), racer(total_s=2.0), racer(total_s=3.0)]
    assert best(racers, "total_s") == [False, True, False]
    assert table(racers)[0].cells[NAMES.index("total_s")].text == "0.100"


def test_a_wrong_answer_wins_nothing_however_fast() -> None:
    racers = [racer(total_s=0.1, right=False), racer(total_s=2.0), racer(total_s=3.0)]
    assert best(racers, "total_s") == [False, True, False]


def test_nobody_is_best_while_somebody_can_still_beat_it() -> None:
    racers = [
        racer(first_token_s=0.2, total_s=1.0),
        racer(first_token_s=0.3, total_s=2.0),
        racer("answering", first_token_s=0.4, total_s=0.5),
    ]
    assert best(racers, "total_s") == [False, False, False]
    assert best(racers, "first_token_s") == [True, False, False]


def test_one_alone_is_not_best_and_neither_are_all() -> None:
    assert best([racer(total_s=1.0), racer("failed", total_s=2.0)], "total_s") == [False, False]
    assert best([racer(total_s=1.0), racer(total_s=1.0001)], "total_s") == [False, False]


def test_equal_as_shown_shares_the_word() -> None:
    racers = [racer(total_s=1.0), racer(total_s=1.0001), racer(total_s=2.0)]
    assert best(racers, "total_s") == [True, True, False]


def test_what_is_not_known_is_a_dash_with_no_grade() -> None:
    place = table([Racer("p/m", "waiting"), Racer("p/n", "waiting")])[0]
    assert {cell.text for cell in place.cells} == {"–"}
    assert place.grade == "–"
