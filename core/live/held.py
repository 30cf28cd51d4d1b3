"""The end of a stream that does not come: the answer is whole, and the connection is held open.

Some servers send neither usage nor ``[DONE]`` after the finish reason (huggingface transformers
``serve``, old text-generation-inference), and a proxy before them may hold the connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.wire.bounds import Bounds

_AFTER_FINISH_S: Final = 5.0


def patience_s(bounds: Bounds) -> float:
    """Seconds that usage and ``[DONE]`` may be silent after the finish reason."""
    return min(_AFTER_FINISH_S, bounds.silence_s / 2)


async def piece_by(chunks: AsyncIterator[bytes], until: float | None) -> bytes | None:
    """The next piece; None at the end, or when none came until then (by the loop's clock)."""
    if until is None:
        return await anext(chunks, None)
    try:
        async with asyncio.timeout_at(until):
            return await anext(chunks, None)
    except TimeoutError:
        return None
