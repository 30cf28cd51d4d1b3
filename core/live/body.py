"""The body of a reply as it comes, bounded whether it streams or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import EndpointProblem
from core.live.stream_faults import too_much
from core.wire.client import body_chunks

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    import httpx

    from core.providers.base_url import BaseUrl
    from core.wire.bounds import Bounds

_STREAM_TIMES: Final = 64
"""How much larger than a body that is read whole a stream may be: 2 GiB by the usual bounds.

Nothing of it is kept beyond bounds of its own, and whoever watches can stop it.
"""


async def chunks_of(
    response: httpx.Response, headers: Mapping[str, str], base: BaseUrl, bounds: Bounds
) -> AsyncGenerator[bytes, None]:
    """The body as it comes. A compressed one, or one read whole, by the careful way.

    Raises EndpointProblem (``too_large``) beyond the bound.
    """
    streamed = response.is_success and "json" not in headers.get("content-type", "")
    if not streamed or headers.get("content-encoding", "identity") != "identity":
        careful: AsyncIterator[bytes] = body_chunks(response, bounds)
        async for chunk in careful:
            yield chunk
        return
    most = bounds.body_bytes * _STREAM_TIMES
    left = most
    async for chunk in response.aiter_raw():
        left -= len(chunk)
        if left < 0:
            raise EndpointProblem(too_much(base, most))
        yield chunk
