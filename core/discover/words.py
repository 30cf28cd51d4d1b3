"""Facts in words: short enough for a column, and never more than was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.discover.facts import Fact

FACT_NAMES: Final[dict[str, str]] = {
    "context_window": "context",
    "context_ceiling": "at most",
    "max_output_tokens": "output limit",
    "reasoning": "thinks",
    "tools": "tools",
    "image_input": "images",
    "loaded": "loaded",
    "wildcard": "served by",
    "upstream": "behind it",
    "elsewhere": "runs elsewhere",
    "input_cost": "$/M in",
    "output_cost": "$/M out",
    "cache_read_cost": "$/M cached",
}
"""Fact -> heading, in the order they are told."""

MARKS: Final[dict[str, str]] = {"server": "", "catalogue": "", "pattern": "~", "default": "~"}
"""What stands before a value that nobody vouched for."""


def fact_words(fact: Fact | None) -> str:
    """The value for a column: «131,072», «yes», «0.15», «~no» for a pattern by name, «?»."""
    if fact is None or fact.value is None:
        return "?"
    mark = MARKS[fact.source]
    value = fact.value
    if isinstance(value, bool):
        return mark + ("yes" if value else "no")
    if isinstance(value, int):
        return f"{mark}{value:,d}"
    if isinstance(value, float):
        return f"{mark}{value:.4g}"
    return mark + str(value)
