"""LiteLLM's wildcard entries: which of them serves an id, and what to say of them.

Upstream: BerriAI/litellm ``router_utils/pattern_match_deployments.py`` (a ``*`` stands for any
text, the most exact pattern wins), ``litellm-docs:docs/proxy/model_discovery.md``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from core.errors import Fault
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.discover.facts import Model

_LONGEST: Final = 200
# Characters of a pattern that are looked at; with it the work for an id has a bound.
_MOST_INNER: Final = 50
# Patterns with a star elsewhere than at their end, which are tried one by one.
_MOST_STARS: Final = 4
# More in one pattern is no entry that a person wrote.
_MOST_TRIES: Final = 300_000
# Comparisons with such patterns for one list altogether: some tenths of a second.
_MOST_TOLD: Final = 5


class Patterns:
    """The entries with a ``*`` among names: each id is looked up, not compared with all of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: tuple[str, ...] = tuple(dict.fromkeys(name for name in names if "*" in name))
        short = [name for name in self.names if len(name) <= _LONGEST]
        self._by_start = {name[:-1]: name for name in short if "*" not in name[:-1]}
        self._lengths = sorted({len(start) for start in self._by_start}, reverse=True)
        inner = [name for name in self.names if "*" in name[:-1]]
        tried = [one for one in inner if len(one) <= _LONGEST and one.count("*") <= _MOST_STARS]
        tried = sorted(tried, key=len, reverse=True)[:_MOST_INNER]
        self._inner = [(name, name.split("*")) for name in tried]
        self._unused = len(inner) - len(tried)
        self._tries = _MOST_TRIES

    def serving(self, model_id: str) -> str:
        """The most exact entry that serves an id, or nothing."""
        found = ""
        for length in self._lengths:
            if length <= len(model_id) and model_id[:length] in self._by_start:
                found = self._by_start[model_id[:length]]
                break
        if self._tries >= 0:
            for name, parts in self._inner:
                if len(name) <= len(found):
                    break  # the longest come first
                self._tries -= 1
                if _fits(parts, model_id):
                    return name
        return found

    def warnings(self, models: Sequence[Model]) -> list[Fault]:
        """What each entry means for a person who chooses, the first few one by one."""
        if not self.names:
            return []
        listed = Counter(model.value("wildcard") for model in models)
        found = [_warning(name, listed[name]) for name in self.names[:_MOST_TOLD]]
        more = len(self.names) - _MOST_TOLD
        if more > 0:
            found.append(
                Fault(
                    "model_unknown",
                    f"{more} more entries serve any name under them.",
                    "Each model says under which entry it is listed.",
                    "Ping a model before you choose it; an id may be typed.",
                )
            )
        if self._unused or self._tries < 0:
            which = f"{self._unused} of the entries" if self._unused else "The entries"
            found.append(
                Fault(
                    "too_large",
                    f"{which} with a star in the middle were not compared with every id.",
                    f"There are too many of them, or of ids: {len(self.names)} entries in all.",
                    "An id that is listed without its entry may be served by one of them.",
                )
            )
        return found


def _fits(parts: Sequence[str], text: str) -> bool:
    """Whether ``parts`` stand in ``text`` in their order, from its start to its end."""
    first, *middle, last = parts
    if len(text) < len(first) + len(last):
        return False
    if not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _warning(name: str, listed: int) -> Fault:
    why = (
        f"{listed} of the ids listed come from LiteLLM's own price list."
        if listed
        else "LiteLLM has no list for what is behind it, so none of its models is listed."
    )
    return Fault(
        "model_unknown",
        f"The entry «{one_line(name, 60)}» serves any name under it.",
        why,
        "Ping a model before you choose it; an id may be typed.",
    )
