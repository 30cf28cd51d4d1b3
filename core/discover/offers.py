"""Servers to fill the form with: those that answer on this machine, and addresses known already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.providers.presets import preset
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.discover.discover import Found
    from core.providers.known import Known


class Offer(msgspec.Struct, frozen=True):
    """A server to fill the form with."""

    dialect: str
    base_url: str
    words: str
    """What is known beside: its version, that it wants a key, the variable that holds it."""

    def line(self) -> str:
        """Kind, address, and what is known beside, in columns."""
        where = self.base_url.removeprefix("http://").removesuffix("/v1")
        label = one_line(preset(self.dialect).short, 12)
        return f"{label:<12} {one_line(where, 30):<30} {one_line(self.words)}"


def offers(found: Sequence[Found], known: Sequence[Known]) -> tuple[Offer, ...]:
    """What was found first, then the addresses of variables that it does not have. Pure."""
    told = [
        Offer(one.dialect, one.base_url, "wants a key" if one.wants_key else one.version or "")
        for one in found
    ]
    there = {_same(one.base_url) for one in told}
    told += [
        Offer(one.dialect, one.base_url, f"from ${one.variable}")
        for one in known
        if _same(one.base_url) not in there
    ]
    return tuple(told)


def _same(url: str) -> str:
    """An address in the spelling by which it is compared: both names of this machine are one."""
    return url.replace("//localhost", "//127.0.0.1", 1)
