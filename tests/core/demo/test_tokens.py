from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.demo.tokens import count, tokens


@given(st.text())
def test_the_pieces_joined_are_the_text(text: str) -> None:
    pieces = tokens(text)
    assert "".join(pieces) == text
    assert all(pieces)
    assert count(text) == len(pieces)


def test_words_keep_their_space_and_long_ones_come_in_parts() -> None:
    assert tokens("Time to first") == ["Time", " to", " first"]
    assert len(tokens("incomprehensibilities")) == 3
    assert tokens("PONG") == ["PONG"]
