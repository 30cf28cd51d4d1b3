"""Every compatibility probe by name, in the order in which they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import Fault, UsageProblem
from core.text import one_line
from core.verify.probes import (
    always,
    caps,
    fields,
    formats,
    history,
    images,
    roles,
    thinking,
    tools,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.verify.probe import Probe

_ALL: Final[tuple[Probe, ...]] = (
    *always.PROBES,
    *tools.PROBES,
    *fields.PROBES,
    *roles.PROBES,
    *caps.PROBES,
    *history.PROBES,
    *thinking.PROBES,
    *formats.PROBES,
    *images.PROBES,
)


def compat_probes(*, optional: bool = False) -> tuple[Probe, ...]:
    """The probes that a verification asks; with ``optional`` those of unasked features too."""
    return tuple(probe for probe in _ALL if optional or not probe.optional)


def probes_named(names: Iterable[str]) -> tuple[Probe, ...]:
    """The probes that ``--only`` names, in their own order.

    Raises UsageProblem for a name that no probe has.
    """
    wanted = set(names)
    unknown = wanted - {probe.name for probe in _ALL}
    if unknown:
        shown = one_line(min(unknown), 60)
        known = ", ".join(probe.name for probe in _ALL)
        raise UsageProblem(Fault("usage", f"There is no probe «{shown}».", f"Probes are: {known}."))
    return tuple(probe for probe in _ALL if probe.name in wanted)


def optional_probes() -> frozenset[str]:
    """Probes of features that Pi sends only where a person switched them on."""
    return frozenset(probe.name for probe in _ALL if probe.optional)
