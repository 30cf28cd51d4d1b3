from __future__ import annotations

import math

import pytest

from core.discover.rows import per_million, row_facts, tokens


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
