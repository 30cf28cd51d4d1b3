from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import EndpointProblem
from core.wire.sse import Comment, NamedPayload, SseDecoder


def _all(data: bytes) -> list[bytes]:
    decoder = SseDecoder()
    return [*decoder.feed(data), *decoder.finish()]


@pytest.mark.parametrize(
    ("data", "payloads"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data:a\r\n\r\ndata:b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:  two spaces\n\n", [b" two spaces"]),
        (b"data\n\n", [b""]),
        (b"\n\n\n", []),
        (b"id: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: no empty line", [b"no empty line"]),
        (b"event: x\n\ndata: a\n\n", [b"a"]),
    ],
)
def test_events_come_out_as_the_standard_says(data: bytes, payloads: list[bytes]) -> None:
    found = _all(data)
    assert found == payloads
    assert not any(isinstance(payload, NamedPayload) for payload in found)


def test_an_events_name_comes_with_its_payload() -> None:
    payload, plain = _all(b"event: error\ndata: {}\n\nevent: message\ndata: a\n\n")
    assert isinstance(payload, NamedPayload)
    assert payload.event == "error"
    assert not isinstance(plain, NamedPayload)


def test_comments_are_counted_and_given_in_place_when_asked_for() -> None:
    plain = SseDecoder()
    assert plain.feed(b": ping\n\ndata: a\n\n:\n") == [b"a"]
    assert plain.comments == 2
    items = SseDecoder(keep_comments=True).feed(b": ping\n\ndata: a\n\n:\n")
    assert [(type(item), bytes(item)) for item in items] == [
        (Comment, b"ping"),
        (bytes, b"a"),
        (Comment, b""),
    ]


def test_a_line_that_is_no_field_is_kept_as_evidence() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b'{"error": "no such model"}\n') == []
    assert decoder.stray == b'{"error": "no such model"}'


@pytest.mark.parametrize("data", [b"data: " + b"x" * 200, b"data: 12345678\n" * 20])
def test_a_line_or_event_over_the_bound_is_refused(data: bytes) -> None:
    decoder = SseDecoder(100)

    def feed() -> None:
        for start in range(0, len(data), 7):
            decoder.feed(data[start : start + 7])

    with pytest.raises(EndpointProblem) as caught:
        feed()
    assert caught.value.fault.code == "too_large"
    assert decoder.finish() == []


_LINES = st.sampled_from(
    [b"data: {}", b"data:x", b": c", b"event: error", b"event: message", b"", b"", b"stray", b"id"]
)
_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(st.lists(st.tuples(_LINES, _ENDS), max_size=20), st.data())
def test_cutting_the_bytes_anywhere_changes_nothing(
    lines: list[tuple[bytes, bytes]], draw: st.DataObject
) -> None:
    data = b"".join(line + end for line, end in lines)
    cuts = sorted(draw.draw(st.sets(st.integers(0, len(data)))))
    whole, cut = SseDecoder(keep_comments=True), SseDecoder(keep_comments=True)
    expected = [*whole.feed(data), *whole.finish()]
    found: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        found += cut.feed(data[start:end])
    found += cut.finish()
    assert [(type(item), item) for item in found] == [(type(item), item) for item in expected]
    assert (cut.comments, cut.stray) == (whole.comments, whole.stray)
