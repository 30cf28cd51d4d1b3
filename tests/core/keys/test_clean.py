"""Keys as people paste them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import KeyProblem
from core.keys.clean import LONGEST, clean_key, unsendable
from core.keys.secret import Secret


@pytest.mark.parametrize(
    ("pasted", "key", "notes"),
    [
        ("sk-1234", "sk-1234", 0),
        ("sk-1234\n", "sk-1234", 0),
        ("sk-1234\r\n", "sk-1234", 0),
        ("  sk-1234\t\n\n", "sk-1234", 1),
        ("\ufeffsk-1234\u200b", "sk-1234", 1),
        ('"sk-1234"', "sk-1234", 1),
        ("“sk-1234”", "sk-1234", 1),
        ("Bearer sk-1234", "sk-1234", 1),
        ("Authorization: Bearer sk-1234", "sk-1234", 1),
        ("LITELLM_API_KEY=sk-1234", "sk-1234", 1),
        ("export LITELLM_API_KEY='sk-1234'", "sk-1234", 2),
        ("it's", "it's", 0),
        ("'", "'", 0),
        ("sk-12 34", "sk-12 34", 1),
        ("a=b==", "a=b==", 0),
        ("EMPTY", "EMPTY", 0),
    ],
)
def test_surroundings_are_cut_with_a_note(pasted: str, key: str, notes: int) -> None:
    cleaned = clean_key(pasted)
    assert cleaned.secret == Secret(key)
    assert len(cleaned.notes) == notes


@pytest.mark.parametrize("pasted", ["", "\n", "  ", '""', "\u200b"])
def test_nothing_is_no_key(pasted: str) -> None:
    with pytest.raises(KeyProblem) as caught:
        clean_key(pasted)
    assert caught.value.fault.code == "key_missing"


@pytest.mark.parametrize(
    ("pasted", "named"),
    [
        ("sk-12\n34", "character 6 is a line break"),
        ("sk\t34", "a tab"),
        ("sk\x0034", "a null character"),
        ("sk\x1b[31m", "a control character"),
        ("sk–1234", "en dash"),
        ("sk\u200b1234", "zero width space"),
        ("skключ", "a letter outside ASCII"),
        ("x" * (LONGEST + 1), "too long"),
    ],
)
def test_what_no_header_carries_is_refused_without_showing_it(pasted: str, named: str) -> None:
    with pytest.raises(KeyProblem) as caught:
        clean_key(pasted)
    fault = caught.value.fault
    assert fault.code == "key_refused"
    assert named in fault.what
    assert pasted not in f"{fault.what}{fault.why}{fault.fix}"


@given(st.text(max_size=80))
def test_what_passes_can_be_sent(pasted: str) -> None:
    try:
        cleaned = clean_key(pasted)
    except KeyProblem:
        return
    assert unsendable(cleaned.secret) is None
    assert cleaned.secret.reveal().isascii()
