from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.bodies import mended_json, read_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (rb'["a\ud800b"]', ["a\ufffdb"]),
        (rb'["\udc00", "\ud83d\ude00"]', ["\ufffd", "\U0001f600"]),
        (rb'["\\\ud800"]', ["\\\ufffd"]),
        (b'["caf\xe9"]', ["caf\ufffd"]),
        (b"[1e400, 2]", [math.inf, 2]),
        (b"[-1e400, NaN, Infinity]", [-math.inf, None, math.inf]),
        (b"[" + b"9" * 5000 + b"]", [math.inf]),
    ],
)
def test_one_bad_value_does_not_cost_the_rest(body: bytes, value: object) -> None:
    assert mended_json(body) == (value, True)
    assert read_json(body) == value


@pytest.mark.parametrize(
    "body", [b'{"a": "b"}', rb'["\\ud800"]', b"[1, 2.5, null]", b'"\\ud83d\\ude00"']
)
def test_sound_json_needs_no_mending(body: bytes) -> None:
    assert mended_json(body) == (json.loads(body), False)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"a": ', b"\xff\xfe", b"[" * 100_000, b"[" * 900 + b"1e400"]
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        read_json(body)


def test_a_large_broken_body_is_read_in_linear_time() -> None:
    rows = b",".join(rb'{"id":"model-\ud800%d"}' % number for number in range(50_000))
    started = time.process_time()
    value, mended = mended_json(b"[" + rows + b"]")
    assert mended
    assert isinstance(value, list)
    assert len(value) == 50_000
    assert time.process_time() - started < 5


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        value = read_json(body)
    except ValueError:
        return
    json.dumps(value).encode()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=9))
def test_every_escape_survives_the_mending(value: object) -> None:
    body = json.dumps([value, 0]).encode()[:-2] + b"1e400]"
    assert mended_json(body) == ([value, math.inf], True)
