"""Whatever is done with a key but reveal() shows a mask."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import traceback
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys.secret import MASK, Secret

CANARY = "sk-canary/9f2+c1==\"'"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "{:>20}".format, ascii])
def test_every_text_form_is_a_mask(show: object) -> None:
    assert callable(show)
    assert CANARY not in show(Secret(CANARY))
    assert CANARY not in repr([Secret(CANARY)])


def test_it_is_never_pickled_copied_or_put_into_json() -> None:
    secret = Secret(CANARY)
    for refuse in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode):
        with pytest.raises(TypeError):
            refuse(secret)


def test_a_traceback_does_not_show_it() -> None:
    try:
        raise ValueError(Secret(CANARY))
    except ValueError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert CANARY not in shown


def test_equal_keys_are_equal_and_text_is_not() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert not Secret("")


@given(st.text(min_size=4, max_size=60))
def test_every_spelling_of_it_is_masked_in_foreign_text(value: str) -> None:
    raw = value.encode()
    for spelling in (
        value,
        quote(value, safe=""),
        quote_plus(value),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        json.dumps(value),
    ):
        shown = Secret(value).redact(f"<<{spelling}>>")
        assert MASK in shown
        if spelling not in MASK:
            assert spelling not in shown
