"""What a model's name suggests: a table, ``assets/patterns.toml``, of the lowest rank.

Used only where neither the server nor a request has spoken, and always marked ``pattern``.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

import msgspec

from core.discover.facts import Fact, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the ids of one family of models had in common when the table was written."""

    match: str
    reasoning: bool | None = None
    """None, here and below: the name does not say."""
    image_input: bool | None = None
    context_window: int | None = None
    """Tokens."""
    max_output_tokens: int | None = None
    store: bool = True
    """Whether the backend takes the field ``store``."""
    prompt_cache_key: bool = True
    """Whether the backend takes the field ``prompt_cache_key``."""


class _KindRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    match: str
    kind: Kind


class _BackendRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    match: str
    prompt_cache_key: bool


_START: Final = 60
_END: Final = 100
# Characters of an id that are looked at: its owner or adapter, and what it is called. A path as
# an id may be of any length, and a list has thousands of them.


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: tuple[_KindRow, ...]
    family: tuple[Family, ...]
    backend: tuple[_BackendRow, ...]


@functools.cache
def _table() -> _Table:
    import tomllib
    from importlib.resources import files

    text = files("assets").joinpath("patterns.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Table)


def prepare() -> None:
    """Read the table and compile what is in it, which takes some hundredths of a second once."""
    table = _table()
    for rows in (table.kind, table.family, table.backend):
        for match in [row.match for row in rows]:
            re.compile(match)


def family_of(model_id: str) -> Family | None:
    """The family that an id belongs to by its name, or None.

    ``prompt_cache_key`` is false behind a backend that refuses it, whatever the family.
    """
    whole = _ends(model_id)
    name = _bare(whole)
    for family in _table().family:
        if re.search(family.match, name):
            for backend in _table().backend:
                if re.search(backend.match, whole):
                    return msgspec.structs.replace(
                        family, prompt_cache_key=backend.prompt_cache_key
                    )
            return family
    return None


def kind_by_name(model_id: str) -> Kind | None:
    """What a model is for, by its name; None when the name says nothing."""
    whole = _ends(model_id)
    for row in _table().kind:
        if re.search(row.match, whole):
            return row.kind
    return None


def pattern_facts(model_id: str) -> dict[str, Fact]:
    """The facts that a name suggests, each of source ``pattern``."""
    family = family_of(model_id)
    if family is None:
        return {}
    suggested = {
        "context_window": family.context_window,
        "max_output_tokens": family.max_output_tokens,
        "image_input": family.image_input,
        "reasoning": family.reasoning,
    }
    return {
        name: Fact(value, "pattern", "judged by its name")
        for name, value in suggested.items()
        if value is not None
    }


def shared_facts(names: Sequence[str]) -> dict[str, Fact]:
    """The facts that every one of ``names`` suggests alike."""
    first, *others = (pattern_facts(name) for name in names)
    return {
        name: fact for name, fact in first.items() if all(one.get(name) == fact for one in others)
    }


def _ends(model_id: str) -> str:
    """The id in lower case; of a long one its start and its end, as of two parts of a path."""
    if len(model_id) > _START + _END:
        model_id = f"{model_id[:_START]}/{model_id[-_END:]}"
    return model_id.lower()


def _bare(model_id: str) -> str:
    """The id without an adapter or owner in front: ``openai/gpt-5`` is ``gpt-5``."""
    return model_id.rsplit("/", maxsplit=1)[-1]
