"""Addresses that people have already: in the variables that other tools read. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import UsageProblem
from core.providers.base_url import BaseUrl, read_base_url
from core.providers.presets import presets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.providers.presets import Preset

_BIND: Final = "OLLAMA_HOST"
"""Where Ollama's server listens and its client asks, so that it may be no address to connect to."""


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
            base = _ollama_host(text) if variable == _BIND else read_base_url(text)
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


def _ollama_host(text: str) -> BaseUrl:
    """``OLLAMA_HOST``: scheme and port may be left out, and it may be what a server binds.

    Upstream: ollama/ollama ``envconfig/config.go`` (``Host``).
    """
    if "://" not in text:
        rest = text.partition("/")[0]
        if not re.search(r":\d+$", rest.rpartition("]")[2]):
            rest += ":11434"
        text = f"http://{rest}"
    base = read_base_url(text)
    if base.place == "any_address":
        return read_base_url(f"{base.scheme}://127.0.0.1:{base.port}{base.path}")
    return base
