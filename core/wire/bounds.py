"""How long and how much turnkey reads from a server before it calls that an error."""

from __future__ import annotations

import msgspec

BRIEF_S = 30.0
"""Seconds that a question may take which a healthy server answers at once."""

_PATIENCE_S = 40.0
# Seconds that a person waits for one look at an endpoint.


class Bounds(msgspec.Struct, frozen=True):
    """One bound for each stage of a request; reaching one is a fault that names it.

    A cold model may take minutes to its first byte, so the stages are bounded apart.
    """

    connect_s: float = 10.0
    """Seconds for name, TCP and TLS together; through a proxy, TLS has as many again."""
    first_byte_s: float = 300.0
    """Seconds from the request sent to the reply's status line."""
    silence_s: float = 60.0
    """Seconds between two pieces of a reply."""
    total_s: float | None = None
    """Seconds for the request as a whole (``--timeout``); None leaves it to the other bounds."""
    body_bytes: int = 32 * 1024 * 1024
    """Bytes of a reply's body, after any decompression."""
    line_bytes: int = 1024 * 1024
    """Bytes of one line of an event stream."""

    def overall_s(self) -> float:
        """Seconds after which a request that is read whole has taken too long.

        A server that drips one byte before each silence runs out would else never end.
        """
        if self.total_s is not None:
            return self.total_s
        return self.connect_s + self.first_byte_s + self.silence_s


def brief(bounds: Bounds) -> Bounds:
    """The bounds for questions that a healthy server answers at once (its version, its models)."""
    return msgspec.structs.replace(
        bounds,
        first_byte_s=min(bounds.first_byte_s, 20.0),
        silence_s=min(bounds.silence_s, 10.0),
        total_s=min(bounds.total_s or BRIEF_S, BRIEF_S),
    )


def whole_s(bounds: Bounds) -> float:
    """Seconds for one look at an endpoint as a whole: its three steps, but none too long.

    ``--timeout`` bounds each request; a list, one elsewhere, and the facts follow one another.
    """
    each = bounds.overall_s()
    return max(each, min(3 * each, _PATIENCE_S))
