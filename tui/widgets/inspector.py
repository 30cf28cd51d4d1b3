"""What was sent and what came, as it was: body, headers with the key masked, raw events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from textual import work
from textual.containers import Vertical
from textual.widgets import Log, Static

from core.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult

    from core.live.watching import Exchange, Record, Watching

LOOK_S: Final = 1.0
"""How often a stream that runs is looked at, while this is to be seen."""
LINE: Final = 2_000
"""Characters of a line that are shown."""


class Inspector(Vertical):
    """Shows an exchange as lines of text. While it grows, only what is new is written."""

    DEFAULT_CSS = """
    Inspector { border: round $panel; border-title-color: $primary; padding: 0 1; }
    Inspector:focus-within { border: round $primary; }
    Inspector > Log { height: 1fr; scrollbar-size: 1 1; background: $background; }
    Inspector > #inspector-says { height: auto; color: $foreground 75%; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "request"
        self._watching: Watching | None = None
        self._over = False
        self._head: tuple[str, ...] = ()
        self._records = 0
        self._gap = False

    def compose(self) -> ComposeResult:
        """A line on what is missing, and the text."""
        yield Static("nothing was sent yet", id="inspector-says", markup=False)
        yield Log(highlight=False, max_lines=20_000, auto_scroll=False)

    def on_mount(self) -> None:
        """Look at what runs, now and then."""
        self.set_interval(LOOK_S, self._look_again)

    def on_show(self) -> None:
        """Once it is to be seen it shows how things stand."""
        self._look()

    def follow(self, watching: Watching) -> None:
        """Show this request from now on."""
        self.clear()
        self._watching = watching
        self._look()

    def finish(self) -> None:
        """The request is over: nothing more comes."""
        self._over = True
        self._look()

    def _look_again(self) -> None:
        if not self._over:
            self._look()

    def _look(self) -> None:
        if self._watching is not None and self.display:
            self.look(self._watching, over=self._over)

    @work(group="look", exclusive=True)
    async def look(self, watching: Watching, *, over: bool) -> None:
        """Shaping thousands of events takes longer than a frame: it is done beside."""
        exchange = await asyncio.to_thread(watching.exchange)
        if watching is self._watching:
            self.show(exchange, over=over)

    def clear(self) -> None:
        """Nothing was sent yet."""
        self._watching, self._over = None, False
        self._head, self._records, self._gap = (), 0, False
        self.query_one(Log).clear()
        self.query_one("#inspector-says", Static).update("nothing was sent yet")

    def show(self, exchange: Exchange, *, over: bool) -> None:
        """Show ``exchange``; what was written of the same one already stays.

        Once events are no longer kept, those that came last are written with ``over`` alone.
        """
        if not exchange.url:
            return
        log = self.query_one(Log)
        head = tuple(_head(exchange))
        at_end = log.scroll_y >= log.max_scroll_y and log.max_scroll_y > 0 and not over
        records = exchange.records
        rewrite = head != self._head or (over and exchange.dropped > 0)
        if rewrite:
            log.clear()
            log.write_lines(head, scroll_end=False)
            self._head, self._records, self._gap = head, 0, False
        if exchange.dropped:
            first = exchange.kept_first
            log.write_lines(_events(records[self._records : first]), scroll_end=False)
            self._records = max(self._records, first)
            if not self._gap:
                self._gap = True
                log.write_lines([f"── {_gap(exchange.dropped, over=over)}"])
            if over:
                log.write_lines(_events(records[first:]), scroll_end=False)
        else:
            log.write_lines(_events(records[self._records :]), scroll_end=False)
            self._records = len(records)
        if at_end:
            log.scroll_end(animate=False)
        count = len(records) + exchange.dropped
        says = f"{count:,} events" + ("" if over else " so far")
        if exchange.dropped:
            says += f", {exchange.dropped:,} of them are no longer kept"
        self.query_one("#inspector-says", Static).update(says)


def _gap(dropped: int, *, over: bool) -> str:
    if over:
        return f"{dropped:,} events are no longer kept; the last ones follow"
    return "from here on only the last events are kept; they are shown when the stream is over"


def _head(exchange: Exchange) -> Iterator[str]:
    yield f"── sent: {exchange.method} {visible(exchange.url)}"
    for name, value in exchange.request_headers:
        yield f"{name}: {value}"
    yield "── body"
    yield from (visible(line)[:LINE] for line in exchange.body.splitlines())
    if exchange.status is None:
        yield "── no reply yet"
        return
    yield f"── reply: HTTP {exchange.status}"
    for name, value in exchange.reply_headers:
        yield f"{name}: {value}"
    yield "── events, each with its time from the request's first byte"


def _events(records: tuple[Record, ...]) -> list[str]:
    lines = []
    for record in records:
        first, *rest = record.text.splitlines() or [""]
        lines.append(f"{record.at_s:9.4f} s  {_cut(first)}")
        lines += [f"{'':12} {_cut(line)}" for line in rest]
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= LINE else f"{line[:LINE]}… ({len(line) - LINE:,} more)"
