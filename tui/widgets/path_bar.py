"""The steps from nothing to a verified, saved file, in one line: what is done, what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.widgets import Static

from core.onboarding import WORDS, next_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.onboarding import Step

SIGNS: Final = {"done": "✓", "next": "▸", "skipped": "–", "open": "·"}
_STYLES: Final = {
    "done": "$success",
    "next": "bold $primary",
    "skipped": "$foreground 60%",
    "open": "$foreground 60%",
}


class PathBar(Static):
    """Shown while the way is walked; nothing else hangs on it."""

    DEFAULT_CSS = """
    PathBar { dock: top; height: 1; margin-top: 1; background: $surface; display: none; }
    PathBar.-shown { display: block; }
    """

    def show(self, steps: Sequence[Step]) -> None:
        """Draw ``steps``; with none the line goes."""
        self.set_class(bool(steps), "-shown")
        if steps:
            self.update(path_line(steps, self.app.size.width))


def path_line(steps: Sequence[Step], width: int) -> Content:
    """The steps, and how to go on; less of it where ``width`` columns are few."""
    coming = next_step(steps)
    words = [f"{SIGNS[step.state]} {step.name}" for step in steps]
    on = "" if coming is None else f"ctrl+n {WORDS[coming.name]}"
    line = len("  ".join(words)) + 3
    if line + len("ctrl+n next") > width:
        done = sum(step.state == "done" for step in steps)
        short = f" {done} of {len(steps)} done  "
        return Content.assemble((short, "$foreground 75%"), (on and f"▸ {on}", "bold $primary"))
    if line + len(on) > width:
        on = "ctrl+n next"
    parts: list[tuple[str, str]] = [(" ", "")]
    for step, word in zip(steps, words, strict=True):
        parts += [(word, _STYLES[step.state]), ("  ", "")]
    return Content.assemble(*parts, (on, "$primary"))
