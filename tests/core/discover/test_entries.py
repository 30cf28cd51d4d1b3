from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.discover.entries import model_entry
from core.discover.facts import Fact, Model, Source, Value
from core.warden.config import Cost, ModelEntry

if TYPE_CHECKING:
    from collections.abc import Mapping


def model(source: Source = "server", **facts: Value) -> Model:
    return saying(facts, source)


def saying(facts: Mapping[str, Value], source: Source = "server") -> Model:
    return Model("m", "chat", {name: Fact(value, source) for name, value in facts.items()})


@pytest.mark.parametrize("source", ["server", "catalogue"])
def test_what_was_said_is_written(source: Source) -> None:
    entry = model_entry(
        model(
            source,
            context_window=40_960,
            max_output_tokens=8_192,
            reasoning=True,
            image_input=True,
            input_cost=0.15,
            output_cost=0.6,
            cache_read_cost=0.075,
        )
    )
    assert entry == ModelEntry(
        "m",
        reasoning=True,
        input=("text", "image"),
        context_window=40_960,
        max_tokens=8_192,
        cost=Cost(0.15, 0.6, 0.075, 0.0),
    )


@pytest.mark.parametrize("source", ["pattern", "default"])
def test_a_guess_stays_out_of_the_file(source: Source) -> None:
    guessed = model(
        source, context_window=4096, reasoning=True, image_input=True, input_cost=1, output_cost=1
    )
    assert model_entry(guessed) == ModelEntry("m")


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"context_window": None, "reasoning": False, "image_input": None},
        {"context_window": 0, "max_output_tokens": -1},
        {"context_window": "4096", "max_output_tokens": 10.5},
        {"input_cost": 0.0, "output_cost": 0.0},
        {"input_cost": 0.1},
        {"input_cost": -1.0, "output_cost": 1.0},
        {"input_cost": True, "output_cost": 1.0},
    ],
)
def test_what_is_unknown_or_odd_stays_out(facts: dict[str, Value]) -> None:
    assert model_entry(saying(facts)) == ModelEntry("m")


def test_one_price_may_be_zero() -> None:
    assert model_entry(model(input_cost=0, output_cost=2)).cost == Cost(0, 2, 0, 0)


def test_a_binary_fraction_is_written_as_the_price_that_was_meant() -> None:
    entry = model_entry(model(input_cost=1.5e-7 * 1e6, output_cost=6e-7 * 1e6))
    assert entry.cost == Cost(0.15, 0.6, 0, 0)


@given(
    st.dictionaries(
        st.sampled_from(
            ["context_window", "max_output_tokens", "reasoning", "input_cost", "output_cost"]
        ),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    )
)
def test_no_fact_makes_an_entry_that_warden_refuses(facts: dict[str, Value]) -> None:
    entry = model_entry(saying(facts))
    assert entry.context_window is None or entry.context_window > 0
    assert entry.max_tokens is None or entry.max_tokens > 0
    assert entry.cost is None or min(entry.cost.input, entry.cost.output) >= 0
