"""One streamed request as it is watched: its phases, its thinking, its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.containers import Vertical
from textual.content import Content

from core.live.panel import phases
from core.live.words import phase_words
from core.text import one_line
from tui.widgets.letters import LettersFirst
from tui.widgets.phase_bar import PhaseBar
from tui.widgets.stream_pane import StreamPane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from core.live.figures import CountsFrom, Figures
    from core.live.verdict import ToolCall
    from core.live.watching import Progress


SHOWN: Final = 20
"""Tool calls that are shown: each is a line that is laid out with every frame."""


class RunView(Vertical):
    """Shows what :class:`core.live.watching.Progress` tells; asks nobody for it.

    Thinking is open while it is all there is, and folds to its last line when the answer begins;
    :meth:`fold` decides otherwise.
    """

    DEFAULT_CSS = """
    RunView { height: 1fr; width: 1fr; }
    RunView > #thinking { height: 1fr; color: $foreground 70%; text-style: italic; }
    RunView.-folded > #thinking { height: 3; }
    RunView > #answer { height: 1fr; min-height: 3; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.letters = LettersFirst()
        """Those typed beside the run go first."""
        self._chosen: bool | None = None
        self._calls: tuple[ToolCall, ...] = ()
        self._more = 0
        self.add_class("-folded")

    def compose(self) -> ComposeResult:
        """The bar and the two panes."""
        yield PhaseBar()
        yield StreamPane("thinking", id="thinking", letters=self.letters)
        yield StreamPane("answer", id="answer", markdown=True, letters=self.letters)

    def on_mount(self) -> None:
        """Say which key unfolds."""
        self._sign_fold()

    @property
    def thinking(self) -> StreamPane:
        """The pane of thinking."""
        return self.query_one("#thinking", StreamPane)

    @property
    def answer(self) -> StreamPane:
        """The pane of the answer."""
        return self.query_one("#answer", StreamPane)

    @property
    def folded(self) -> bool:
        """Whether thinking is one line."""
        return self.has_class("-folded")

    def begin(self) -> None:
        """A new request: nothing came yet. How thinking was folded by hand stays."""
        self.clear()
        self._fold(self._chosen if self._chosen is not None else True)

    def clear(self) -> None:
        """Nothing came yet."""
        self.thinking.clear()
        self.answer.clear()
        self._calls, self._more = (), 0
        self.query_one(PhaseBar).show((0.0, 0.0, 0.0))
        self._sign_fold()

    def take(self, progress: Progress) -> None:
        """Put what came since the last frame into its pane. Cheap: painting is the panes' own."""
        thinking, answer = self.thinking, self.answer
        if progress.restarted:
            self.clear()
        if progress.moved:
            thinking.push(answer.take_all())
        if progress.skipped:
            answer.skip(progress.skipped)
        if progress.thinking:
            if self._chosen is None and not answer.text:
                self._fold(False)
            thinking.push(progress.thinking)
        if progress.answer or (progress.calls and not self._calls):
            if self._chosen is None:
                self._fold(True)
            answer.push(progress.answer)
        if progress.calls != self._calls or progress.more_calls != self._more:
            self._calls, self._more = progress.calls, progress.more_calls
            answer.aside(call_lines(progress.calls, progress.more_calls))

    def figures(self, progress: Progress) -> None:
        """Show counts, rates and phases; a few times a second is enough."""
        show_notes(self.thinking, self.answer, progress.figures, progress.counts_from)
        self.query_one(PhaseBar).show(phases(progress.figures, progress.state))

    async def finish(self) -> None:
        """The request is over: both panes show all that they keep."""
        await self.thinking.finish()
        await self.answer.finish()

    def fold(self) -> None:
        """Fold thinking or unfold it, and keep it so for the next runs."""
        self._chosen = not self.folded
        self._fold(self._chosen)

    def _fold(self, folded: bool) -> None:  # set_class reads like this, too
        if folded != self.folded:
            self.set_class(folded, "-folded")
            self._sign_fold()

    def _sign_fold(self) -> None:
        pane = self.thinking
        pane.subtitle = "z unfolds" if self.folded else "z folds"
        pane.sign()


def call_lines(calls: Sequence[ToolCall], more: int = 0) -> Content:
    """The first tool calls, a line each, and how many ``more`` came; nothing of them is run."""
    more += max(len(calls) - SHOWN, 0)
    lines = [
        Content.assemble(
            ("→ calls ", "$secondary"),
            (one_line(call.name, 80) or "…", "bold"),
            " ",
            one_line(call.arguments, 600),
        )
        for call in calls[:SHOWN]
    ]
    if more:
        lines.append(Content(f"… and {more:,} more calls"))
    return Content("\n").join(lines)


def show_notes(
    thinking: StreamPane, answer: StreamPane, figures: Figures, counts_from: CountsFrom
) -> None:
    """Counts and rates beside the panes' titles."""
    for pane, tokens, rate, name in (
        (
            thinking,
            figures.thinking_tokens,
            figures.thinking_tokens_per_s,
            "thinking_tokens_per_s",
        ),
        (answer, figures.answer_tokens, figures.answer_tokens_per_s, "answer_tokens_per_s"),
    ):
        reason = figures.withheld.get(name)
        pane.note("" if not tokens else phase_words(tokens, rate, reason, counts_from))
