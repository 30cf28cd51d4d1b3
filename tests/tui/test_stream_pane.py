"""Streamed text is painted at frame rate, bounded, and stays where a reader holds it."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from textual.app import App
from textual.widgets import Markdown, Static

from tui.widgets.letters import ECHO_S, REST_S, TURN_S, TYPED_S, LettersFirst
from tui.widgets.prompt_line import PromptLine
from tui.widgets.stream_pane import FAST, KEPT, StreamPane
from tui.widgets.tail import TAIL, Tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.pilot import Pilot

PARAGRAPH = "A line of the answer, with `code` in it.\n\n"


class Host(App[None]):
    """A pane and nothing else."""

    def __init__(self, *, markdown: bool) -> None:
        super().__init__()
        self.letters = LettersFirst()
        self.pane = StreamPane("answer", id="answer", markdown=markdown, letters=self.letters)

    def compose(self) -> ComposeResult:
        yield self.pane


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause(0.01)


@pytest.mark.parametrize("markdown", [False, True])
async def test_what_comes_is_painted_and_what_is_over_is_all_there(markdown: bool) -> None:
    app = Host(markdown=markdown)
    async with app.run_test(size=(60, 12)) as pilot:
        for piece in ("One ", "**two** ", "three"):
            app.pane.push(piece)
        await until(pilot, lambda: app.pane.painted == "One **two** three")
        await app.pane.finish()
        assert app.pane.painted == app.pane.text == "One **two** three"


async def test_slow_text_is_formed_while_it_comes() -> None:
    app = Host(markdown=True)
    async with app.run_test(size=(60, 12)) as pilot:
        formed = app.pane.query_one("#formed", Markdown)
        app.pane.push("# Head\n\n")
        await until(pilot, lambda: bool(formed.query("MarkdownH1")))
        app.pane.push("- one\n- two\n")
        await until(pilot, lambda: bool(formed.query("MarkdownBulletList")))
        assert formed.display


async def test_fast_text_is_a_bounded_tail_and_formed_at_its_end() -> None:
    app = Host(markdown=True)
    async with app.run_test(size=(60, 12)) as pilot:
        formed = app.pane.query_one("#formed", Markdown)
        plain = app.pane.query_one("#plain", Static)
        tail = app.pane.query_one(Tail)
        for _ in range(20):
            app.pane.push(PARAGRAPH * (FAST // len(PARAGRAPH)))
            await app.pane.flush()
        await pilot.pause()
        assert formed.styles.display == "none"
        assert tail.styles.display == "block"
        assert len(tail.text) == TAIL
        await app.pane.finish()
        await pilot.pause()
        assert formed.styles.display == "block"
        assert formed.source.endswith(PARAGRAPH)
        shown = str(plain.content) + formed.source
        assert shown.replace("\n", "") == app.pane.text.replace("\n", "")


async def test_the_end_is_painted_once_and_not_with_every_frame() -> None:
    app = Host(markdown=True)
    async with app.run_test(size=(60, 12)) as pilot:
        app.pane.push(PARAGRAPH)
        await app.pane.finish()
        block = app.pane.query_one("#formed", Markdown).children[0]
        for _ in range(5):
            await app.pane.flush()
            await pilot.pause()
        assert app.pane.query_one("#formed", Markdown).children[0] is block


async def test_of_a_million_pieces_the_last_are_kept_and_the_rest_is_said_to_be_gone() -> None:
    app = Host(markdown=True)
    async with app.run_test(size=(60, 12)):
        pieces = ["tok\n" * 1_000] * 1_000
        for piece in pieces:
            app.pane.push(piece)
            await app.pane.flush()
        await app.pane.finish()
        assert len(app.pane.text) == KEPT
        gone = 4_000_000 - KEPT
        assert f"({gone:,} characters before this are no longer kept)" in app.pane.painted


async def test_what_nobody_took_in_time_is_said_to_be_gone() -> None:
    app = Host(markdown=False)
    async with app.run_test(size=(60, 12)):
        app.pane.skip(1234)
        app.pane.push("the rest")
        await app.pane.finish()
        assert app.pane.painted == "… (1,234 characters before this are no longer kept)\nthe rest"


async def test_it_follows_until_somebody_scrolls_up_and_again_when_asked() -> None:
    app = Host(markdown=True)
    async with app.run_test(size=(60, 12)) as pilot:
        pane = app.pane
        pane.focus()
        pane.push(PARAGRAPH * 20)
        await until(pilot, lambda: pane.max_scroll_y > 0 and pane.scroll_y == pane.max_scroll_y)
        await pilot.press("pageup")
        await until(pilot, lambda: not pane.following)
        assert "f follows again" in str(pane.border_subtitle)
        held = pane.scroll_y
        longer = pane.max_scroll_y
        pane.push(PARAGRAPH * 5)
        await until(pilot, lambda: pane.max_scroll_y > longer)
        await pilot.pause()
        assert pane.scroll_y == pane.scroll_target_y <= held
        await pilot.press("f")
        await until(pilot, lambda: pane.scroll_y == pane.max_scroll_y)
        assert pane.following
        assert pane.border_subtitle == ""


async def test_going_to_the_end_follows_again() -> None:
    app = Host(markdown=False)
    async with app.run_test(size=(60, 12)) as pilot:
        pane = app.pane
        pane.focus()
        pane.push("line\n" * 60)
        await until(pilot, lambda: pane.max_scroll_y > 0 and pane.scroll_y == pane.max_scroll_y)
        await pilot.press("home")
        await until(pilot, lambda: not pane.following)
        await pilot.press("end")
        await until(pilot, lambda: pane.following)


async def test_a_fast_text_that_is_being_read_stands_still_even_past_its_end() -> None:
    app = Host(markdown=True)
    async with app.run_test(size=(60, 12)) as pilot:
        pane = app.pane
        pane.focus()
        for _ in range(6):
            pane.push(PARAGRAPH * (FAST // len(PARAGRAPH)))
            await pane.flush()
        await until(pilot, lambda: pane.settled)
        await pilot.press("pageup")
        await until(pilot, lambda: 0 < pane.scroll_y < pane.max_scroll_y)
        assert not pane.following
        read = pane.painted
        assert read == pane.text
        pane.push(PARAGRAPH)
        await pane.finish()
        await pilot.pause()
        assert pane.painted == read
        assert "the stream is over, f shows its end" in str(pane.border_subtitle)
        await pilot.press("f")
        await until(pilot, lambda: pane.painted != read)
        assert pane.query_one("#formed", Markdown).source.endswith(PARAGRAPH)


async def test_the_last_lines_of_a_fast_text_wait_for_whoever_types_but_not_for_long() -> None:
    app = Host(markdown=False)
    async with app.run_test(size=(60, 12)) as pilot:
        app.pane.push("fast " * FAST)
        await until(pilot, lambda: app.pane.settled)
        app.letters.typed(monotonic())
        app.pane.push("later")
        await app.pane.flush()
        assert not app.pane.painted.endswith("later"), "a letter goes first"

        def types_on() -> bool:
            app.letters.typed(monotonic())
            return app.pane.painted.endswith("later")

        await until(pilot, types_on)


@pytest.mark.parametrize(
    ("since_letter", "since_painted", "lets"),
    [
        (0.0, 0.3, False),  # the letter is painted alone
        (ECHO_S - 0.001, 0.3, False),
        (ECHO_S + 0.001, 0.0, True),  # right after it nobody types the next one yet
        (TURN_S - 0.001, 0.0, True),
        (TURN_S + 0.001, 0.3, False),  # the next one may come
        (TYPED_S - 0.001, 0.3, False),
        (TYPED_S + 0.001, 0.0, True),  # nobody types
        (0.0, REST_S + 0.001, True),  # however one types
    ],
)
def test_frames_are_painted_right_after_a_letter(
    since_letter: float, since_painted: float, lets: bool
) -> None:
    letters = LettersFirst()
    assert letters.lets(1000.0, 1000.0)
    letters.typed(1000.0)
    now = 1000.0 + since_letter
    assert letters.lets(now, now - since_painted) is lets


async def test_a_letter_in_the_prompt_asks_for_no_new_layout() -> None:
    class Asking(App[None]):
        def compose(self) -> ComposeResult:
            yield PromptLine("Say PONG.", compact=True)

    app = Asking()
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.pause()
        laid_out: list[bool] = []
        line = app.query_one(PromptLine)
        app.screen.screen_layout_refresh_signal.subscribe(line, lambda _: laid_out.append(True))
        await pilot.press("h", "o", "w")
        await pilot.pause()
        assert "how" in line.value
        assert not laid_out
        await pilot.press(*("x" * 60))  # longer than its place: the end stays in sight
        assert line.scroll_offset.x > 0
        assert not laid_out


async def test_text_that_belongs_elsewhere_is_given_away_whole() -> None:
    app = Host(markdown=True)
    async with app.run_test(size=(60, 12)) as pilot:
        app.pane.push("painted ")
        await until(pilot, lambda: app.pane.painted == "painted ")
        app.pane.push("waiting")
        assert app.pane.take_all() == "painted waiting"
        app.pane.push("new")
        await until(pilot, lambda: app.pane.painted == "new")


async def test_a_line_end_in_two_pieces_is_one_line_end() -> None:
    app = Host(markdown=False)
    async with app.run_test(size=(60, 12)) as pilot:
        app.pane.push("one\r")
        await until(pilot, lambda: app.pane.painted == "one")
        app.pane.push("\ntwo")
        await until(pilot, lambda: app.pane.painted == "one\ntwo")
