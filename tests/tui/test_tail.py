"""The last lines of a fast text: within the window, whatever comes, and in whatever pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from tui.widgets.tail import TAIL, Tail, _fits


class Host(App[None]):
    """A tail and nothing else."""

    def compose(self) -> ComposeResult:
        yield Tail(id="tail")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=80), st.integers(2, 40))
def test_what_fits_is_no_wider_than_the_window_and_at_least_something(
    text: str, width: int
) -> None:
    end = _fits(text, width)
    assert cell_len(text[:end]) <= width or end == 1
    assert end == len(text) or end > 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two three", 7),
        ("abcdefghijk", 8),
        ("short", 5),
        ("日本語日本語", 4),
        ("日本 日本語", 2),
    ],
)
def test_lines_end_at_a_blank_where_there_is_one(text: str, expected: int) -> None:
    assert _fits(text, 8) == expected


async def test_pieces_make_the_same_lines_as_the_whole() -> None:
    app = Host()
    async with app.run_test(size=(30, 6)) as pilot:
        tail = app.query_one(Tail)
        text = "A few words, then\na line end, and 日本語 too.\n\n" * 8 + "x" * 90
        tail.begin(text)
        whole = list(tail._lines)
        tail.begin("")
        for start in range(0, len(text), 7):
            tail.put(text[start : start + 7])
        assert tail._lines == whole
        assert len(whole) == 6
        await pilot.pause()
        assert [tail.render_line(y).text for y in range(6)] == [
            line + " " * (30 - cell_len(line)) for line in whole
        ]


async def test_another_window_wraps_anew_and_memory_is_bounded() -> None:
    app = Host()
    async with app.run_test(size=(60, 6)) as pilot:
        tail = app.query_one(Tail)
        tail.begin("word " * 10_000)
        assert len(tail.text) == TAIL
        await pilot.resize_terminal(20, 10)
        await pilot.pause()
        assert len(tail._lines) == 10
        assert all(cell_len(line) <= 20 for line in tail._lines)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab \n\t日"), max_size=30), max_size=20))
async def test_no_line_is_ever_wider_than_the_window(pieces: list[str]) -> None:
    app = Host()
    async with app.run_test(size=(12, 4)):
        tail = app.query_one(Tail)
        for piece in pieces:
            tail.put(piece)
        assert len(tail._lines) <= 4
        assert all(cell_len(line) <= 12 for line in tail._lines)
