from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Fault
from core.keys.source import KeySource
from core.keys.words import source_words

if TYPE_CHECKING:
    from core.errors import Code

VARIABLE = "WARDEN_GW_API_KEY"


def said(code: Code) -> Fault:
    return Fault(code, "It is bound elsewhere.")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (KeySource("gw", VARIABLE, "o", "environment"), f"key from ${VARIABLE}"),
        (KeySource("gw", VARIABLE, "o", "keyring"), "key in the keyring"),
        (KeySource("gw", VARIABLE, "o", "memory"), "key kept for this run"),
        (KeySource("gw", VARIABLE, "o", "placeholder"), "no key"),
        (KeySource("gw", VARIABLE, "o", "none", fault=said("key_missing")), f"${VARIABLE}"),
        (
            KeySource("gw", VARIABLE, "o", "none", fault=said("key_bound_elsewhere")),
            "▲ It is bound elsewhere.",
        ),
    ],
)
def test_where_a_key_is_in_a_few_words(source: KeySource, words: str) -> None:
    assert words in source_words(source)


def test_a_key_that_may_not_be_sent_is_never_called_a_key_that_is_there() -> None:
    bound = KeySource("gw", VARIABLE, "o", "environment", fault=said("key_bound_elsewhere"))
    assert source_words(bound).startswith("▲")
