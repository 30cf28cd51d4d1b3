from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from core.discover.dialect import Answers
from core.discover.llamacpp import LlamaCpp
from core.discover.rows import per_million, row_facts, tokens

if TYPE_CHECKING:
    from core.wire.bodies import Json


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (4096, 4096),
        (4096.0, 4096),
        (1, 1),
        (0.5, None),
        (0, None),
        (-1, None),
        (True, None),
        ("4096", None),
        (None, None),
        (math.inf, None),
        (math.nan, None),
        (10**400, None),
    ],
)
def test_counts_of_tokens(value: object, count: int | None) -> None:
    assert tokens(value) == count


@pytest.mark.parametrize(
    ("value", "price"),
    [
        (0.00000022, 0.22),
        ("0.00000022", 0.22),
        ("2.2e-7", 0.22),
        ("0", 0.0),
        (0, 0.0),
        (".5", 500_000.0),
        ("1_0", None),
        (" 1", None),
        ("\u0661", None),
        ("1e400", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("free", None),
        (True, None),
        (None, None),
        (math.inf, None),
        (10**400, None),
    ],
)
def test_prices_per_million(value: object, price: float | None) -> None:
    assert per_million(value) == price


@pytest.mark.parametrize(
    ("row", "window", "ceiling"),
    [
        ({"max_context_length": 32768}, 32768, None),
        ({"max_context_length": 32768, "state": "not-loaded"}, None, 32768),
        ({"max_context_length": 32768, "loaded_instances": []}, None, 32768),
        (
            {"max_context_length": 32768, "state": "loaded", "loaded_context_length": 4096},
            4096,
            32768,
        ),
        ({"meta": {"n_ctx": 4096, "n_ctx_train": 131072}}, 4096, 131072),
    ],
)
def test_what_a_model_could_hold_is_not_what_it_holds(
    row: dict[str, object], window: int | None, ceiling: int | None
) -> None:
    facts = row_facts(row).found
    assert (facts["context_window"].value if "context_window" in facts else None) == window
    assert (facts["context_ceiling"].value if "context_ceiling" in facts else None) == ceiling


@pytest.mark.parametrize(
    ("row", "window", "ceiling", "output"),
    [
        ({"context_length": 200_000}, 200_000, None, None),
        ({"top_provider": {"context_length": 32_768}}, 32_768, None, None),
        (
            {
                "context_length": 200_000,
                "top_provider": {"context_length": 32_768, "max_completion_tokens": 8192},
            },
            32_768,
            200_000,
            8192,
        ),
        ({"context_length": 8192, "top_provider": {"context_length": 8192}}, 8192, None, None),
        ({"context_length": 8192, "top_provider": {"context_length": None}}, 8192, None, None),
    ],
)
def test_openrouters_window_is_that_of_who_serves_the_model(
    row: dict[str, Json], window: int | None, ceiling: int | None, output: int | None
) -> None:
    found = row_facts({"id": "m", **row}).model("m")
    assert found.value("context_window") == window
    assert found.value("context_ceiling") == ceiling
    assert found.value("max_output_tokens") == output


@pytest.mark.parametrize(
    ("props", "note"),
    [
        ({"chat_template_caps": {"supports_reasoning_effort": True}}, "effort"),
        ({"chat_template": "{% if enable_thinking %}"}, "switches thinking"),
        ({"chat_template_caps": {"supports_reasoning_effort": False}}, None),
        ({"chat_template_caps": {"supports_reasoning_effort": "yes"}}, None),
        ({}, None),
    ],
)
def test_llamacpps_template_tells_of_reasoning(props: dict[str, Json], note: str | None) -> None:
    answers = Answers(({"id": "m.gguf"},), {"/props": props})
    (model,) = LlamaCpp().read(answers).models
    fact = model.facts.get("reasoning")
    if note is None:
        assert fact is None
    else:
        assert fact is not None
        assert (fact.value, fact.source) == (True, "server")
        assert note in fact.note
