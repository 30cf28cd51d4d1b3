"""The lines of Home: a lane, a thing to mend. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from core.providers.key_forms import shown_selector
from core.text import one_line

if TYPE_CHECKING:
    from core.mend import Mend
    from core.warden.lanes import Lane, Resolution

DIM: Final = "$foreground 75%"
NUMBERED: Final = 9
"""Things to mend that have a digit of their own."""


def lane_lines(lane: Lane, resolution: Resolution, tried: str) -> Content:
    """A lane in two lines: the selector and how it did, the rule that gave it."""
    selector = one_line(shown_selector(resolution.selector or "nothing set: Pi would choose"), 200)
    won = next((step for step in resolution.chain if step.rule == resolution.won_by), None)
    why = f"set by {resolution.won_by}" if resolution.selector else one_line(won.why if won else "")
    if lane == "auxiliary":
        why += "; verification reads code here"
    style = "" if resolution.selector else "$error"
    sign = "$success" if tried.startswith("●") else "$error" if tried.startswith("▲") else ""
    return Content.assemble(
        (f"{lane:<10} ", "bold $primary"),
        (f"{selector:<34} ", style),
        (tried, sign),
        ("\n" + " " * 11 + why, DIM),
    )


def mend_lines(number: int, mend: Mend) -> Content:
    """A thing to mend in two lines, after the digit that leads to its fix."""
    digit = f"{number} " if number <= NUMBERED else "  "
    return Content.assemble(
        (digit, "bold $primary"),
        ("▲ " if mend.urgent else "· ", "$error" if mend.urgent else "$warning"),
        one_line(mend.text),
        (f"\n    {one_line(mend.fix)}" if mend.fix else "", DIM),
    )
