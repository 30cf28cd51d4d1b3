"""What is agreed on keys of the environment: which origins each may go to. Never a value.

A variable has no origin of its own, so the list of keys remembers where its key went, or was
allowed to go. :mod:`core.keys.source` decides by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from core.errors import Fault, KeyProblem
from core.keys import index as bindings
from core.keys.index import Entry

if TYPE_CHECKING:
    from core.keys.index import KeyIndex

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class Agreements:
    """The list of keys, as far as it speaks of the environment's; and what it says of itself."""

    def __init__(self, index: KeyIndex, clock: Clock = utc_now) -> None:
        self.index: Final = index
        self._clock: Final = clock

    def sent_to(self, variable: str) -> tuple[str, ...]:
        """The origins that the environment's key of this variable may go to, oldest first."""
        return bindings.origins(self.index.entries, variable, "environment")

    @property
    def list_fault(self) -> Fault | None:
        """Why the list of keys cannot be used, or None."""
        _ = self.index.entries
        return self.index.fault

    def when(self, variable: str, origin: str, source: bindings.Source) -> str | None:
        """When a binding was made, ISO 8601 in UTC; None: there is no such binding."""
        entry = bindings.find(self.index.entries, variable, origin, source)
        return None if entry is None else entry.stored_at

    def allow_environment(
        self,
        variable: str,
        origin: str,
        *,
        instead: bool = False,
        keep: Collection[str] = (),
        firm: bool = False,
        decide: Callable[[], Fault | None] = lambda: None,
    ) -> Fault | None:
        """Record that the environment's key of this variable may go to ``origin`` (no value).

        ``instead``: the origins it could go to before are dropped, but for ``keep``. Gives a
        fault when the record could not be written; it then holds for this run, or with ``firm``
        not at all: nobody agreed to it, so what cannot be remembered is not allowed. ``decide``
        is asked once more on what stands in the list while nobody else can write it.
        """
        gone = (
            [o for o in self.sent_to(variable) if o != origin and o not in keep] if instead else []
        )
        known = bindings.find(self.index.entries, variable, origin, "environment")
        if known is not None and not gone:
            return None
        entry = known or Entry(variable, origin, "environment", bindings.stamp(self._clock()))

        def change(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
            refused = decide()
            if refused is not None:
                raise KeyProblem(refused)
            left = bindings.without(entries, variable, gone, "environment")
            return bindings.with_entry(left, entry)

        try:
            return self.index.change(change, firm=firm)
        except KeyProblem as problem:
            return problem.fault

    def forget_environment(self, variable: str, origins: Collection[str]) -> Fault | None:
        """Forget that the environment's key of this variable may go to ``origins``.

        Gives a fault when that could not be written.
        """
        gone = tuple(origins)
        if not gone:
            return None
        return self._change(lambda all_: bindings.without(all_, variable, gone, "environment"))

    def _change(self, change: bindings.Change, *, lost: bool = False) -> Fault | None:
        return self.index.change(change, lost=lost)
