"""Scenes: each screen in each of its states, staged with scripted answers; no network, no clock.

A scene is a function that makes a window and plays it to the state that its name says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from tests.screens.stage import Stage

    Before: TypeAlias = Callable[[Pilot[int]], Awaitable[None]]
    Staged: TypeAlias = tuple[Stage, Before]


@dataclass(frozen=True, slots=True)
class Scene:
    """A screen in a state."""

    screen: str
    state: str
    make: Callable[[], Staged]

    @property
    def name(self) -> str:
        """The folder of its pictures."""
        return f"{self.screen}-{self.state}"
