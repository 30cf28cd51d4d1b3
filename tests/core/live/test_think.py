from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.live.think import ThinkSplitter


def split(pieces: list[str]) -> list[tuple[str, str]]:
    splitter = ThinkSplitter()
    found: list[tuple[str, str]] = []
    for piece in pieces:
        found += splitter.feed(piece)
    found += splitter.flush()
    joined: list[tuple[str, str]] = []
    for kind, text in found:
        if joined and joined[-1][0] == kind:
            joined[-1] = (kind, joined[-1][1] + text)
        else:
            joined.append((kind, text))
    return joined


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("just an answer", [("answer", "just an answer")]),
        ("<think>why</think>so", [("reasoning", "why"), ("answer", "so")]),
        (" \n<think>why</think>so", [("answer", " \n"), ("reasoning", "why"), ("answer", "so")]),
        ("<think>never closed", [("reasoning", "never closed")]),
        (
            "<think>a</think>b\n<think>c</think>d",
            [("reasoning", "a"), ("answer", "b\n"), ("reasoning", "c"), ("answer", "d")],
        ),
        ("why\n</think>\nso", [("answer", "why\n"), ("was_reasoning", ""), ("answer", "\nso")]),
        ("[THINK]why[/THINK]so", [("reasoning", "why"), ("answer", "so")]),
        ("the tag <think> opens", [("answer", "the tag <think> opens")]),
        ("close with `</think>` then", [("answer", "close with `</think>` then")]),
        ("<think>a < b && c</think>ok", [("reasoning", "a < b && c"), ("answer", "ok")]),
        ("if a <", [("answer", "if a <")]),
        ("<thin air", [("answer", "<thin air")]),
        ("<think>x</thi", [("reasoning", "x</thi")]),
    ],
)
def test_thinking_is_told_from_the_answer(text: str, parts: list[tuple[str, str]]) -> None:
    assert split([text]) == parts
    assert split(list(text)) == parts


def test_a_lone_closing_tag_is_text_where_the_server_parts_thinking() -> None:
    splitter = ThinkSplitter()
    splitter.separated()
    assert splitter.feed("a</think>b") == [("answer", "a</think>b")]


_TEXT = st.lists(
    st.sampled_from(
        [
            "<think>",
            "</think>",
            "[THINK]",
            "<",
            "</",
            "`",
            "\n",
            " ",
            "word",
            "é",
            "]",
            "<thinking>",
        ]
    ),
    max_size=12,
).map("".join)


@given(_TEXT, st.data())
def test_cutting_the_text_anywhere_changes_nothing(text: str, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.sets(st.integers(0, len(text)))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split(pieces) == split([text])
