"""The runs of this session, and how one stands among its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.live.history import Compared, History, Kept, change_words, compare
from core.live.panel import fit
from core.text import one_line
from tui.widgets.ask import BOX

if TYPE_CHECKING:
    from textual.app import ComposeResult

_SIGNS = {"done": "✓", "stopped": "■", "failed": "✗"}


class RunsScreen(ModalScreen[None]):
    """A line a run, the latest first; below, the one at the cursor against the others like it."""

    DEFAULT_CSS = (
        BOX.format(name="RunsScreen")
        + """
    RunsScreen > Vertical { width: 94%; max-width: 110; height: 90%; padding: 0 1; }
    RunsScreen OptionList {
        height: 1fr; min-height: 4; background: $surface;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    RunsScreen #compared { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,h", "leave", "Back")]

    def __init__(self, history: History) -> None:
        super().__init__()
        self._history = history
        self._kept = tuple(reversed(history.kept))

    def compose(self) -> ComposeResult:
        """The runs and the comparison."""
        with Vertical():
            yield Static(Content.styled(_heading(self._history), "bold $primary"))
            yield OptionList(*(Option(run_line(kept)) for kept in self._kept), markup=False)
            yield Static(id="compared", markup=False)
            yield Static(Content.styled("esc back   ↑ ↓ another run", "$foreground 70%"))

    @on(OptionList.OptionHighlighted)
    def tell(self, event: OptionList.OptionHighlighted) -> None:
        """Compare the run at the cursor with the others of its model and prompt."""
        event.stop()
        kept = self._kept[event.option_index]
        others = self._history.like(kept)
        self.query_one("#compared", Static).update(comparison(kept, others))

    def action_leave(self) -> None:
        """Back to the stream, which went on."""
        self.dismiss(None)


def _heading(history: History) -> str:
    gone = f", {history.gone} older ones are no longer kept" if history.gone else ""
    return f"{len(history)} runs of this session{gone}"


def run_line(kept: Kept) -> Content:
    """One run: how it ended, its main figures, its model and prompt; figures in columns."""
    figures = kept.run.figures
    works = kept.run.works is not False and kept.state == "done"
    sign = _SIGNS.get(kept.state, "·") if works or kept.state != "done" else "✗"
    style = {"✓": "$success", "✗": "$error"}.get(sign, "$warning")
    return Content.assemble(
        f"{kept.number:>3} ",
        (sign, style),
        f" {fit(figures.first_token_s, 6)} s {fit(figures.total_s, 6)} s"
        f" {fit(figures.answer_tokens_per_s, 6, 1)} tok/s  ",
        (one_line(kept.selector, 60), "bold"),
        (f"  {one_line(kept.prompt, 20)}", "$foreground 70%"),
    )


def comparison(kept: Kept, others: tuple[Kept, ...]) -> Content:
    """A line a figure: this run, the median, the range, the difference."""
    if not kept.counts:
        return Content("This run did not come to its end, and is in no median.")
    count = len(others)
    head = (
        "A single run of this model and prompt: no median yet."
        if count < 2
        else f"Against all {count} runs of this model and prompt:"
    )
    lines = [Content(head), Content.styled(_HEAD, "bold")]
    lines += [_line(line) for line in compare(kept, others)]
    return Content("\n").join(lines)


_HEAD = f"{'':<12}{'this':>8}{'median':>8}{'':<23}  lowest to highest"


def _line(line: Compared) -> Content:
    digits = 3 if line.unit == "s" else 1
    span = ""
    if line.of > 1:
        span = f"{fit(line.low, 8, digits)} to {fit(line.high, 7, digits)}"
    words = change_words(line)
    style = "$warning" if words.endswith("worse") else "$success" if words else ""
    return Content.assemble(
        f"{line.label:<12}{fit(line.this, 8, digits)}"
        f"{fit(line.median if line.of > 1 else None, 8, digits)} {line.unit:<6}  ",
        (f"{words:<14}", style),
        f"  {span}",
    )
