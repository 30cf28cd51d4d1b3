"""Addresses that people have already: in the variables that other tools read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.errors import UsageProblem
from core.providers.base_url import read_base_url
from core.providers.pasted import BIND, client_address
from core.providers.presets import presets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.providers.presets import Preset


class Known(msgspec.Struct, frozen=True):
    """An address that a variable holds."""

    variable: str
    base_url: str
    dialect: str
    """What the variable's name suggests; the server may be another one."""
    label: str


def known_addresses(env: Mapping[str, str]) -> tuple[Known, ...]:
    """The addresses in the presets' variables, each address once, in the order of the presets.

    A variable that several kinds of server share suggests none of them. A value that cannot be a
    base URL is left out, and so is one that holds a login.
    """
    found: dict[str, Known] = {}
    for variable, preset in _variables().items():
        text = env.get(variable, "").strip()
        if not text:
            continue
        try:
            base = read_base_url(client_address(text) if variable == BIND else text)
        except UsageProblem:
            continue
        found.setdefault(base.url, Known(variable, base.url, preset.dialect, preset.label))
    return tuple(found.values())


def _variables() -> dict[str, Preset]:
    """Variable -> the kind of server it is for; the least particular one where several share it."""
    owners: dict[str, Preset] = {}
    for preset in presets():
        for variable in preset.env_url:
            owners[variable] = preset
    return owners
