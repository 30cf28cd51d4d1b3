"""Whoever types beside a stream sees the letter first: when the rest may be painted.

A letter that is typed while a frame is painted waits until the frame is done, and that takes
several times its processor time while another thread reads a fast stream. People leave a tenth of
a second between two letters, so frames are painted right after a letter was shown.
"""

from __future__ import annotations

from typing import Final

ECHO_S: Final = 0.02
"""Seconds in which a letter is painted, alone."""
TURN_S: Final = 0.06
"""Seconds after a letter up to which the rest may begin: hardly anybody types the next one yet."""
TYPED_S: Final = 0.5
"""Seconds after a letter from which on nobody types."""
REST_S: Final = 0.35
"""Seconds that something rests at the most, however one types."""


class LettersFirst:
    """Knows when the last letter was typed; times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._typed_at = float("-inf")

    def typed(self, now: float) -> None:
        """A letter was typed."""
        self._typed_at = now

    def lets(self, now: float, last: float) -> bool:
        """Whether what was painted at ``last`` may be painted again."""
        since = now - self._typed_at
        return since >= TYPED_S or ECHO_S <= since < TURN_S or now - last >= REST_S
