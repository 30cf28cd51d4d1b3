"""A server's Markdown is shown as data: nothing to follow, nothing hidden, nothing without end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.formed import LONGEST, data_parser, dear, formed_from


@pytest.mark.parametrize(
    "text",
    [
        "[a](http://evil.example)",
        "![a](http://evil.example/x.png)",
        "<http://evil.example>",
        "http://evil.example www.evil.example",
        "[a][b]\n\n[b]: http://evil.example",
        "<a href='http://evil.example'>x</a>",
        "<script>x</script>",
        "&#x202e;&lt;",
    ],
)
def test_what_could_be_followed_or_hidden_stays_the_text_that_it_is(text: str) -> None:
    inline = [token for token in data_parser().parse(text) if token.type == "inline"]
    pieces = [piece for token in inline for piece in token.children or []]
    assert {piece.type for piece in pieces} <= {"text", "softbreak"}
    shown = "".join(piece.content for piece in pieces)
    assert shown == text.replace("\n", "")


def test_formatting_stays() -> None:
    text = "# a\n\n**b** `c` ~~d~~\n\n| e |\n|---|\n| f |\n\n- g\n\n```python\nh\n```\n"
    kinds = {token.type for token in data_parser().parse(text)}
    assert {"heading_open", "table_open", "bullet_list_open", "fence"} <= kinds


@pytest.mark.parametrize(
    ("text", "too_much"),
    [
        ("x" * LONGEST, False),
        ("x" * (LONGEST + 1), True),
        ("x\n" * 401, True),
        ("|" * 601, True),
        ("", False),
    ],
)
def test_what_would_hold_the_screen_up_is_not_formed(text: str, too_much: bool) -> None:
    assert dear(text) is too_much


def test_the_formed_part_begins_after_a_blank_line_and_never_inside_a_fence() -> None:
    fence = "```\n" + "code\n\n" * 30 + "```\n\n"
    text = "word " * 3_000 + "\n\n" + fence + "the end\n"
    assert text[formed_from(text) :] == fence + "the end\n"
    text = "```\n" + "code\n\n" * 3_000 + "```\n\nthe end\n"
    assert text[formed_from(text) :] == "the end\n"


def test_a_single_block_that_is_too_long_stays_plain() -> None:
    text = "x" * (LONGEST + 1)
    assert formed_from(text) == len(text)


@given(st.text(st.sampled_from("a`~|\n "), max_size=300), st.integers(1, 200))
def test_the_part_is_never_too_much_and_nothing_is_lost(text: str, times: int) -> None:
    whole = text * times
    cut = formed_from(whole)
    assert 0 <= cut <= len(whole)
    assert not dear(whole[cut:])
