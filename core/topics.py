"""The topics of ``turnkey help``: short texts on turnkey's concepts, kept in ``assets/help``."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

import msgspec

from core.errors import Fault, UsageProblem
from core.text import one_line

TOPICS: Final = (
    "lanes",
    "escapes",
    "variants",
    "keys",
    "servers",
    "figures",
    "verify",
    "export",
    "warden-errors",
    "exit-codes",
)
"""In the order in which a newcomer would read them."""


class Topic(msgspec.Struct, frozen=True):
    """One text: its title, and its lines of at most 76 columns."""

    name: str
    title: str
    text: str


def topic(name: str) -> Topic:
    """The topic called ``name``.

    Raises:
        UsageProblem: there is none of that name; the fix names the nearest, or all.
    """
    if name not in TOPICS:
        near = get_close_matches(name, TOPICS, 1)
        known = f"turnkey help {near[0]}" if near else f"Topics: {', '.join(TOPICS)}."
        raise UsageProblem(
            Fault("usage", f"There is no help on «{one_line(name, 60)}».", fix=known)
        )
    from importlib.resources import files

    written = files("assets").joinpath("help", f"{name}.md").read_text(encoding="utf-8")
    title, _, text = written.partition("\n")
    return Topic(name, title.removeprefix("# "), _filled(text).strip("\n"))


def topics() -> tuple[Topic, ...]:
    """Every topic, in reading order."""
    return tuple(topic(name) for name in TOPICS)


def _filled(text: str) -> str:
    """``text`` with ``{presets}`` replaced by the table of servers, which has one source."""
    mark = "{presets}"
    if mark not in text:
        return text
    from core.providers.presets import presets

    wide = max(len(one.label) for one in presets())
    rows = (
        f"  {one.dialect:<11} {one.label:<{wide}}  {one.base_url}".rstrip() for one in presets()
    )
    return text.replace(mark, "\n".join(rows))
