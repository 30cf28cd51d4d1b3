from __future__ import annotations

import pytest

from core.discover.facts import Fact
from core.discover.words import FACT_NAMES, fact_words


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (None, "?"),
        (Fact(None, "server"), "?"),
        (Fact(131_072, "server"), "131,072"),
        (Fact(131_072, "catalogue"), "131,072"),
        (Fact(4096, "default"), "~4,096"),
        (Fact(True, "server"), "yes"),
        (Fact(False, "server"), "no"),
        (Fact(True, "pattern"), "~yes"),
        (Fact(0.15, "server"), "0.15"),
        (Fact(0.0, "server"), "0"),
        (Fact(1.23456, "server"), "1.235"),
        (Fact("idle", "server"), "idle"),
    ],
)
def test_a_fact_says_no_more_than_was_said(fact: Fact | None, words: str) -> None:
    assert fact_words(fact) == words


def test_the_facts_that_people_choose_by_have_a_heading() -> None:
    assert {"context_window", "max_output_tokens", "reasoning", "image_input"} <= set(FACT_NAMES)
