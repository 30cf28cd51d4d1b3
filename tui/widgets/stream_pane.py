"""Streamed text that is painted at frame rate, however fast it comes."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, Static

from core.text import visible
from tui.widgets.formed import data_parser, dear, formed_from
from tui.widgets.letters import LettersFirst
from tui.widgets.tail import TAIL, Tail

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import MouseScrollUp

HELD: Final = 20_000
"""Characters to scroll through while a fast text is held in its place."""
KEPT: Final = 100_000
"""Characters kept for reading afterwards; what came earlier is said to be gone."""
FRAME_S: Final = 1 / 30
TAIL_S: Final = 1 / 15
"""The last lines of a fast text change at most this often: nobody reads them any faster."""
FORM_S: Final = 1 / 10
"""Markdown grows at most this often: each time its last block is laid out anew."""
RELEASE_S: Final = 0.5
"""How long a scrolling by a person may take to leave the end, animated as it is."""
FAST: Final = 1_400
"""Characters in a second from which text is a tail until its end; 200 tokens and a little more."""


class StreamPane(VerticalScroll, can_focus=True):
    """Text that arrives in pieces. It follows the end until one scrolls up.

    With ``markdown`` it is formatted while it comes at up to 200 tokens a second, and at its end.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", id="follow", show=False, tooltip="Go along with the end"),
    ]
    DEFAULT_CSS = """
    StreamPane { border: round $panel; padding: 0 1; scrollbar-size-vertical: 1; }
    StreamPane { border-subtitle-color: $foreground 75%; }
    StreamPane:focus { border: round $primary; }
    StreamPane > Static { width: 1fr; height: auto; }
    StreamPane > Markdown { padding: 0; margin: 0; width: 1fr; display: none; }
    StreamPane > #plain, StreamPane > #aside, StreamPane > Tail { display: none; }
    """

    def __init__(
        self, title: str, *, id: str, markdown: bool = False, letters: LettersFirst | None = None
    ) -> None:
        """``letters``: those typed beside it go first."""
        super().__init__(id=id)
        self._letters = letters or LettersFirst()
        self._title = title
        self._markdown = markdown
        self._text = ""
        self._shown = ""
        self._held = ""
        self._dropped = 0
        self._pending: list[str] = []
        self._following = True
        self._released_at = 0.0
        self._formed = 0
        self._formed_at = 0.0
        self._painted_at = 0.0
        self._tail = False
        self._over = False
        self._whole = False
        self._stale = False
        self._window: list[tuple[float, int]] = []
        self._lock = asyncio.Lock()
        self._named = self.border_title = title
        self.subtitle = ""

    def compose(self) -> ComposeResult:
        """The text plain, its last lines, the text as Markdown, and what stands below it."""
        yield Static(markup=False, id="plain")
        yield Tail(id="tail")
        if self._markdown:
            yield Markdown(id="formed", parser_factory=data_parser, open_links=False)
        yield Static(markup=False, id="aside")

    def on_mount(self) -> None:
        """Paint thirty times a second."""
        self.set_interval(FRAME_S, self.flush)

    def on_resize(self) -> None:
        """Folded, unfolded, or in another window: the end stays in sight."""
        self._keep_end()

    # ------------------------------------------------------------------ what comes in

    @property
    def text(self) -> str:
        """All that was received and kept, painted or not."""
        return self._text + "".join(self._pending)

    @property
    def painted(self) -> str:
        """What stands in the pane, formatting signs included."""
        tail = self.query_one(Tail)
        if tail.styles.display != "none":
            return tail.text
        plain = str(self.query_one("#plain", Static).content)
        if not self._markdown:
            return plain
        return plain + self.query_one("#formed", Markdown).source

    @property
    def settled(self) -> bool:
        """Whether all that came is painted."""
        done = self._tail or self._over or self._formed == len(self._shown)
        return done and not self._pending and not self._lock.locked()

    @property
    def following(self) -> bool:
        """Whether the pane goes along with the end."""
        return self._following

    def push(self, text: str) -> None:
        """Take a piece; it is painted with the next frame."""
        if text:
            self._pending.append(text)

    def clear(self) -> None:
        """Forget everything; the next text starts anew."""
        self._text = self._shown = self._held = ""
        self._dropped = self._formed = 0
        self._pending.clear()
        self._window.clear()
        self._tail = False
        self._over = self._whole = False
        self._stale = True
        self._following = True
        self._plain("")
        self.query_one(Tail).display = False
        self.aside(Content(""))
        self.note("")
        self.sign()

    def take_all(self) -> str:
        """Give all text away and forget it: it belongs somewhere else."""
        text = self.text
        self.clear()
        return text

    def skip(self, count: int) -> None:
        """``count`` characters came and will never be here."""
        self._dropped += count

    def aside(self, content: Content) -> None:
        """What stands below the text; empty: nothing."""
        below = self.query_one("#aside", Static)
        below.update(content)
        below.display = bool(content.plain)

    def note(self, words: str) -> None:
        """Words beside the title: counts and rates."""
        title = f"{self._title}  {words}" if words else self._title
        if title != self._named:
            self._named = self.border_title = title

    def sign(self) -> None:
        """The line at the lower edge: whether it follows, else what the screen put there."""
        if self._following:
            self.border_subtitle = self.subtitle
        else:
            more = "the stream is over, f shows its end" if self._over else "f follows again"
            self.border_subtitle = f"▲ held here: {more}"

    # ------------------------------------------------------------------ painting

    async def flush(self) -> None:
        """Paint what came since the last frame."""
        if self._lock.locked():
            return  # a frame that takes longer than a frame; the next one paints both
        async with self._lock:
            await self._paint()

    async def finish(self) -> None:
        """The stream is over: show all that is kept, as Markdown as far as that can be."""
        async with self._lock:
            self._over = True
            await self._paint()
        self.sign()

    async def _paint(self) -> None:
        at_end = not self._following and self.scroll_y >= self.max_scroll_y
        if at_end and monotonic() - self._released_at > RELEASE_S:
            self._resume()
        if self._stale:
            await self._unform()
        now = monotonic()
        if not self._over and not self._letters.lets(now, self._painted_at):
            return
        if self._pending and self._tail and not self._over and now - self._painted_at < TAIL_S:
            return
        if self._pending:
            self._painted_at = now
            self._take(now)
            self._whole = False
        elif not self._over:
            if self._formed < len(self._shown) and not self._tail:
                await self._form()
            return
        if self._tail and not self._following:
            return  # what is being read stays as it is; it is painted when it follows again
        if self._over:
            if not self._whole:
                await self._paint_whole()
        elif not self._tail:
            await self._form()

    async def _unform(self) -> None:
        self._stale = False
        if self._markdown:
            formed = self.query_one("#formed", Markdown)
            if formed.source:
                await formed.update("")
            formed.display = False

    def _take(self, now: float) -> None:
        """The pending pieces, made visible, and whether they come too fast to be formatted."""
        new = "".join(self._pending)
        self._pending.clear()
        self._text += new
        new = self._held + new
        # a carriage return may be the first half of a line's end
        self._held = "\r" if new.endswith("\r") and not self._over else ""
        fresh = visible(new[: len(new) - len(self._held)])
        self._shown += fresh
        if len(self._text) > KEPT:
            self._dropped += len(self._text) - KEPT
            self._text = self._text[-KEPT:]
            self._shown = self._shown[-KEPT:]
        self._window = [one for one in self._window if one[0] > now - 1.0]
        self._window.append((now, len(new)))
        came = sum(size for _, size in self._window[1:])
        if self._tail:
            if self._following and not self._over:
                self.query_one(Tail).put(fresh)
        elif not self._over and (came > FAST or self._long):
            self._hurry()

    @property
    def _long(self) -> bool:
        """Whether there is too much text to be laid out with every frame."""
        return dear(self._shown) if self._markdown else len(self._shown) > TAIL

    def _hurry(self) -> None:
        """From here on to the end only the last lines are shown."""
        self._tail = self._stale = True
        self._plain("")
        tail = self.query_one(Tail)
        tail.display = True
        tail.begin(self._shown)

    async def _form(self) -> None:
        if not self._markdown:
            self._formed = len(self._shown)
            self._plain(self._shown)
            return
        now = monotonic()
        if now - self._formed_at < FORM_S:
            return
        self._formed_at = now
        formed = self.query_one("#formed", Markdown)
        formed.display = True
        new, self._formed = self._shown[self._formed :], len(self._shown)
        await formed.append(new)

    async def _paint_whole(self) -> None:
        self._whole, self._stale = True, False
        self.query_one(Tail).display = False
        gone = f"… ({self._dropped:,} characters before this are no longer kept)\n"
        before = gone if self._dropped else ""
        if not self._markdown:
            self._plain(before + self._shown)
            return
        formed = self.query_one("#formed", Markdown)
        cut = formed_from(self._shown)
        self._plain((before + self._shown[:cut]).rstrip("\n"))
        if formed.source != self._shown[cut:]:
            await formed.update(self._shown[cut:])
        self._formed = len(self._shown)
        formed.display = bool(formed.source)

    def _plain(self, text: str) -> None:
        plain = self.query_one("#plain", Static)
        plain.update(Content(text))
        plain.display = bool(text)

    # ------------------------------------------------------------------ following

    def _keep_end(self) -> None:
        # Textual's own anchor() pushes a text shorter than the window to its bottom (8.2.8).
        if self._following:
            self.call_next(self._go_to_end)

    def _go_to_end(self) -> None:
        if self._following:
            self.scroll_end(animate=False, immediate=True)

    def watch_virtual_size(self) -> None:
        """The text was laid out, and is longer now, or shorter."""
        self._keep_end()

    def release_anchor(self) -> None:
        """Textual calls this before every scrolling by a person: stay where they go."""
        super().release_anchor()
        self._released_at = monotonic()
        if self._following and self.max_scroll_y > 0:
            self._following = False
            self.sign()

    def _holds(self) -> bool:
        """Whether this is the first step back from the last lines: more is put in their place."""
        if not self._tail or self._over or not self._following:
            return False
        self._following = False
        self._released_at = monotonic()
        self.query_one(Tail).display = False
        self._plain(self._shown[-HELD:])
        self.sign()
        self.call_after_refresh(self._back_a_page)
        return True

    def action_scroll_up(self) -> None:
        """A line back."""
        if not self._holds():
            super().action_scroll_up()

    def action_page_up(self) -> None:
        """A page back."""
        if not self._holds():
            super().action_page_up()

    def action_scroll_home(self) -> None:
        """To the beginning; of a fast text, a page back at first."""
        if not self._holds():
            super().action_scroll_home()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """The wheel, likewise."""
        if self._holds():
            event.prevent_default()
            event.stop()

    def _back_a_page(self) -> None:
        self.scroll_to(y=self.max_scroll_y - self.size.height // 2, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Back at the end it follows again."""
        super().watch_scroll_y(old_value, new_value)
        if not self._following and new_value > old_value and new_value >= self.max_scroll_y:
            self._resume()

    def _resume(self) -> None:
        """Go along with the end again; after the stream's end, the next frame paints all."""
        self._following = True
        self.sign()
        if self._tail and not self._over:
            self._hurry()
        self._keep_end()

    def action_follow(self) -> None:
        """Go along with the end again."""
        if not self._following:
            self._resume()
