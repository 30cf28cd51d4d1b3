"""The kinds of server that turnkey knows: a table, read from ``assets/presets.toml``.

That table is the one source of dialect names; nothing else lists them.
"""

from __future__ import annotations

import functools

import msgspec

from core.errors import Fault, UsageProblem


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one kind of server usually is, and what people usually have for it."""

    dialect: str
    """The word for ``--preset``, and what discovery reports: ``litellm``, ``vllm``, ..."""
    label: str
    """The name that people know: «LM Studio»."""
    short: str
    """The same where room is scarce: «other»."""
    tab: bool
    """Whether the form for a new provider has a tab for it; the rest is under «other»."""
    name: str
    """The default provider name. Empty: made from the host by ``names.default_name``."""
    base_url: str
    """Where it listens when nobody changed it, ``/v1`` included. Empty: no usual place."""
    keyless: bool
    """Whether it asks for no key unless told to."""
    key_hint: str
    """Where its key comes from, in words."""
    env_url: tuple[str, ...]
    """Variables that may hold its address already, best first."""
    env_key: tuple[str, ...]
    """Variables that may hold its key already, best first."""
    dummy_keys: tuple[str, ...]
    """What other tools put where a key must stand though none is checked: known, never written."""
    port: int
    """Where to look for it on this machine; 0 is nowhere."""
    lists_all: bool
    """Whether what it does not list it does not serve either, patterns apart."""
    get_model: str
    """What to do, in words, when it has no model that can chat."""
    ml_intern: tuple[str, str] | None = None
    """Prefix of its selectors and stem of its variables in ml-intern; None: it has none there."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    preset: tuple[Preset, ...]


@functools.cache
def presets() -> tuple[Preset, ...]:
    """Every preset, in the order in which people are shown them."""
    import tomllib
    from importlib.resources import files

    text = files("assets").joinpath("presets.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Table).preset


def preset(dialect: str) -> Preset:
    """The preset of a dialect.

    Raises:
        UsageProblem: no preset has that name; the fix lists those that there are.
    """
    for one in presets():
        if one.dialect == dialect:
            return one
    known = ", ".join(one.dialect for one in presets())
    raise UsageProblem(
        Fault("usage", f"There is no preset «{dialect}».", fix=f"Use one of: {known}.")
    )


def tab_of(dialect: str) -> Preset:
    """The preset whose tab of the form stands for ``dialect``: its own, or that for all others.

    Raises:
        UsageProblem: as :func:`preset`.
    """
    own = preset(dialect)
    return own if own.tab else next(one for one in presets() if one.tab and not one.base_url)


def dummy_keys() -> frozenset[str]:
    """Every value that some tool uses as a key where none is checked (``EMPTY``, ...)."""
    return frozenset(key for one in presets() for key in one.dummy_keys)
