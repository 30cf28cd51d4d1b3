"""Words of the kind of server at hand for what to do: a table, read from ``assets/cures.toml``.

Its tables are named as the presets name dialects; another name is a mistake in the table, and
raises before anything is told.
"""

from __future__ import annotations

import functools
from typing import Final, Literal

import msgspec

from core.providers.presets import presets

Name = Literal["parse_calls", "tools_off", "leaks", "swallows", "larger_window"]
"""What is to be cured."""

_ANY: Final = "any"


class Cures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One dialect's words; empty: those for any server do."""

    parse_calls: str = ""
    tools_off: str = ""
    leaks: str = ""
    swallows: str = ""
    larger_window: str = ""
    parsers: dict[str, str] = {}
    """Its names of vLLM's tool parsers, where they differ."""


@functools.cache
def cures() -> dict[str, Cures]:
    """Every dialect's words by its name; ``any`` holds one for each cure."""
    import tomllib
    from importlib.resources import files

    text = files("assets").joinpath("cures.toml").read_text(encoding="utf-8")
    table = msgspec.convert(tomllib.loads(text), dict[str, Cures])
    strange = table.keys() - {one.dialect for one in presets()} - {_ANY}
    if strange:
        raise ValueError(f"cures.toml: no preset is called {min(strange)}")
    return table


def cure(dialect: str, name: Name, parser: str = "") -> str:
    """What to do about ``name`` at a server of this dialect, one sentence or two.

    ``parser``: the tool parser that the model wants, by vLLM's name for it.
    """
    own = cures().get(dialect, Cures())
    text: str = getattr(own, name) or getattr(cures()[_ANY], name)
    return text.format(parser=own.parsers.get(parser, parser))
