"""Hostile servers, running: the canary key's words filled in, and a bystander to redirect to."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from core.keys.secret import Secret
from core.wire.bounds import Bounds
from tests.servers.scripted import Behaviour, Chunk, Drip, Flood, ScriptedProvider, Send, Step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.servers.certificates import Pki
    from tests.servers.hostile import Hostile

CANARY: Final = "sk-canary-0123456789abcdef"
KEY: Final = Secret(CANARY)
SHORT: Final = Bounds(
    connect_s=0.4, first_byte_s=0.4, silence_s=0.4, total_s=0.6, body_bytes=1 << 20,
    line_bytes=1 << 16,
)  # fmt: skip
"""For what never ends by itself."""
ROOMY: Final = Bounds(
    connect_s=5.0, first_byte_s=5.0, silence_s=5.0, total_s=10.0, body_bytes=1 << 20,
    line_bytes=1 << 16,
)  # fmt: skip
"""For what must end by itself, long before these are reached."""
SOON_S: Final = 5.0
"""What either may take altogether, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A hostile server, and one that nothing may ever reach."""

    server: ScriptedProvider
    bystander: ScriptedProvider
    base_url: str


@asynccontextmanager
async def on_stage(hostile: Hostile, pki: Pki) -> AsyncIterator[Stage]:
    """Both servers, running. The hostile one answers every request alike."""
    async with AsyncExitStack() as stack:
        bystander = await stack.enter_async_context(ScriptedProvider({}))
        tls = None if hostile.tls is None else hostile.tls(pki)
        server = ScriptedProvider(
            {},
            default=_filled(hostile.answer, bystander.origin),
            on_connect=hostile.connect,
            tls=tls,
        )
        await stack.enter_async_context(server)
        scheme = hostile.scheme or server.origin.partition(":")[0]
        yield Stage(server, bystander, f"{scheme}://127.0.0.1:{server.port}/v1")


def leaks(text: str) -> list[str]:
    """The spellings of the canary that stand in ``text``."""
    raw = CANARY.encode()
    spelt = (CANARY, base64.b64encode(raw).decode().rstrip("="), raw.hex())
    return [one for one in spelt if one in text]


def bounds_of(hostile: Hostile) -> Bounds:
    return SHORT if hostile.endless else ROOMY


def _filled(behaviour: Behaviour, other: str) -> Behaviour:
    return Behaviour(tuple(_step(step, other) for step in behaviour.steps))


def _step(step: Step, other: str) -> Step:
    if not isinstance(step, Send | Chunk | Drip | Flood) or not any(
        mark in step.data for mark in (b"{other}", b"{key}", b"{key64}")
    ):
        return step
    coded = base64.b64encode(CANARY.encode())
    data = step.data.replace(b"{other}", other.encode())
    data = data.replace(b"{key64}", coded).replace(b"{key}", CANARY.encode())
    head, blank, body = data.partition(b"\r\n\r\n")
    if isinstance(step, Send) and blank and data != step.data:
        old = step.data.partition(b"\r\n\r\n")[2]
        head = head.replace(b"content-length: %d" % len(old), b"content-length: %d" % len(body))
        data = head + blank + body
    return replace(step, data=data)
