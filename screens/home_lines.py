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


_NAME: Final = 11
_SELECTOR: Final = 34


def lane_lines(lane: Lane, resolution: Resolution, tried: str, width: int) -> Content:
    """A lane in two lines of ``width``: the selector and how it did, the rule that gave it.

    How it did is never cut; a selector that is too long loses its middle.
    """
    selector = one_line(shown_selector(resolution.selector or "nothing set: Pi would choose"), 200)
    won = next((step for step in resolution.chain if step.rule == resolution.won_by), None)
    why = f"set by {resolution.won_by}" if resolution.selector else one_line(won.why if won else "")
    if lane == "auxiliary":
        why += "; verification reads code here"
    style = "" if resolution.selector else "$error"
    room = max(12, width - _NAME - len(tried) - 1)
    if len(selector) > room:
        selector = f"{selector[: room // 3]}…{selector[len(selector) - room + room // 3 + 1 :]}"
    sign = "$success" if tried.startswith("●") else "$error" if tried.startswith("▲") else ""
    return Content.assemble(
        (f"{lane:<{_NAME}}", "bold $primary"),
        (f"{selector:<{min(_SELECTOR, room)}} ", style),
        (tried, sign),
        ("\n" + " " * _NAME + why, DIM),
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
