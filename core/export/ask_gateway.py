"""Which sides a gateway answers: one «Reply with PONG» request to each that will be used.

``/v1/messages`` gets the key as ``X-Api-Key`` and ``/v1/chat/completions`` as a bearer, for so the
gateway's reader sends it (paradigmxyz/centaur pull request 189). The key leaves for its own
origin alone, by :func:`core.wire.client.open_client`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.errors import Fault, TurnkeyError

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.target import Target
    from core.wire.bounds import Bounds
    from core.wire.network import Network

Side = Literal["chat", "messages"]
SIDES: Final[tuple[Side, ...]] = ("chat", "messages")
PATHS: Final[dict[Side, str]] = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}
HEADERS: Final[dict[Side, str]] = {"chat": "Authorization: Bearer", "messages": "X-Api-Key"}


class Asked(msgspec.Struct, frozen=True):
    """What one side answered."""

    side: Side
    path: str
    header: str
    """How the key went there."""
    works: bool
    served_model: str | None = None
    error: Fault | None = None


async def ask_gateway(
    target: Target,
    sides: Collection[Side] = SIDES,
    *,
    bounds: Bounds | None = None,
    network: Network | None = None,
) -> tuple[Asked, ...]:
    """Ask each of ``sides`` of ``target`` once, all at the same time.

    Failures of the endpoint are in the answers. Works is a right answer from the chosen model.
    """
    import asyncio

    chosen = [side for side in SIDES if side in sides]
    asked = (_ask(target, side, bounds, network) for side in chosen)
    return tuple(await asyncio.gather(*asked))


async def _ask(target: Target, side: Side, bounds: Bounds | None, network: Network | None) -> Asked:
    from core.live.ping import ping
    from core.target import told_of_key
    from core.wire.bounds import Bounds
    from core.wire.client import open_client

    bounds = bounds if bounds is not None else Bounds()
    # That reader sends the key and nothing else: the provider's own headers stay away here, too.
    bearer, slot = target.key, {}
    if side == "messages" and target.key is not None:
        bearer, slot = None, {"X-Api-Key": target.key}
    try:
        async with open_client(
            target.base, bounds, key=bearer, headers=slot, network=network
        ) as client:
            run = await ping(
                client,
                target.base,
                target.model or "",
                bounds=bounds,
                key=target.key,
                api="anthropic-messages" if side == "messages" else "openai-completions",
            )
    except TurnkeyError as error:  # a proxy or a certificate that cannot be used
        return Asked(side, PATHS[side], HEADERS[side], works=False, error=error.fault)
    fault = None if run.error is None else told_of_key(run.error, target.source)
    return Asked(side, PATHS[side], HEADERS[side], run.ok is True, run.served_model, fault)
