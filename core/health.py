"""Whether a provider's server answers: one light question, and when the next one is due.

Nobody asks for these requests, so they are few, short, and only to origins that a person approved
(:mod:`core.approvals`). They read the head of the list of models and change nothing.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.errors import TurnkeyError, UsageProblem
from core.providers.base_url import read_base_url
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl
    from core.warden.config import Provider
    from core.wire.client import Reply
    from core.workspace import Workspace

State = Literal["unknown", "up", "slow", "down", "refused"]
SIGNS: Final[dict[State, str]] = {
    "unknown": "○",
    "up": "●",
    "slow": "◐",
    "down": "▲",
    "refused": "▲",
}

SLOW_S: Final = 1.5
"""Seconds from which a list of models is slow to come."""
EVERY_S: Final = 45.0
"""Seconds between two questions to one origin that answers, before jitter."""
RARELY_S: Final = 600.0
"""Seconds between two questions to one that has long been down."""
_LEAST: Final = 0.8
_MORE: Final = 0.5
# What a pause is multiplied by, at random: turnkeys of one team do not ask in step.
_BUSY: Final = {"rate_limited": "busy", "loading": "loading"}


class Health(msgspec.Struct, frozen=True):
    """What the last question found."""

    state: State
    words: str
    """Two or three words beside the sign: «up 12 ms»."""


UNKNOWN: Final = Health("unknown", "not asked yet")


def judged(reply: Reply, base: BaseUrl, *, keyed: bool) -> Health:
    """What a reply to ``GET models`` says of the server. Pure. ``keyed``: a key went along."""
    from core.wire.failures import fault_from_reply

    fault = fault_from_reply(reply.status, reply.headers, reply.body, base)
    if fault is None:
        took = f"{reply.seconds * 1000:.0f} ms" if reply.seconds < 1 else f"{reply.seconds:.1f} s"
        slow = reply.seconds >= SLOW_S
        return Health("slow", f"slow: {took}") if slow else Health("up", f"up {took}")
    if reply.status in {401, 403} or fault.code in {"key_refused", "key_missing"}:
        return Health("refused", "refuses the key") if keyed else Health("up", "up, wants a key")
    if fault.code in _BUSY:
        return Health("slow", _BUSY[fault.code])
    if reply.status >= 500:
        return Health("down", f"down: answers {reply.status}")
    return Health("down", f"no models there: {reply.status}")


async def look(base: BaseUrl, key: Secret | None) -> Health:
    """Ask ``base`` once for its models, for a few seconds at most. Raises nothing of a server."""
    from core.wire.bounds import Bounds
    from core.wire.client import get, open_client

    bounds = Bounds(3.0, 6.0, 3.0, total_s=8.0, body_bytes=8 * 1024 * 1024)
    try:
        async with open_client(base, bounds, key=key) as client:
            reply = await get(client, f"{base.url}/models", bounds)
    except TurnkeyError as error:
        if error.fault.code == "too_large":
            return Health("up", "up, a long list")
        return Health("down", f"down: {_short(error)}")
    return judged(reply, base, keyed=key is not None)


_WORDS: Final = {
    "connection_refused": "nothing answers",
    "timeout": "no answer in time",
    "connection_failed": "no connection",
    "name_unresolved": "no such name",
    "tls": "certificate",
}


def _short(error: TurnkeyError) -> str:
    return _WORDS.get(error.fault.code, one_line(error.fault.code.replace("_", " "), 40))


def base_of(provider: Provider) -> BaseUrl | None:
    """Where a provider's server is; None where its base URL cannot be meant."""
    try:
        return read_base_url(provider.base_url, exact=True)
    except UsageProblem:
        return None


def watched(workspace: Workspace) -> dict[str, tuple[Provider, BaseUrl]]:
    """Origin -> one provider there, of those that may be asked unasked."""
    bound = {entry.origin for entry in workspace.vault.index.entries}
    bound.update(origin for _, origin in workspace.vault.memory)
    found: dict[str, tuple[Provider, BaseUrl]] = {}
    for provider in workspace.config.providers:
        base = base_of(provider)
        if base is not None and workspace.approvals.allows(base.origin, bound):
            found.setdefault(base.origin, (provider, base))
    return found


def key_at_hand(workspace: Workspace, provider: Provider, base: BaseUrl) -> Secret | None:
    """The key that may go along without anybody being asked anything; None: ask without one.

    One that was sent to this origin before, or was typed for it; one in the keyring only while
    that is open. None over plain http to another machine. May wait for the keyring, briefly.
    """
    from core.keys.bounded import Patience
    from core.keys.environment import stored_variable
    from core.keys.source import find_key

    if base.scheme != "https" and not base.loopback:
        return None
    variable = stored_variable(provider.name, provider.api_key_env)
    quiet = Patience(2.0, 0.0)
    listed = workspace.vault.when(variable, base.origin, "keyring") is not None
    source, secret = find_key(
        provider.name,
        provider.api_key_env,
        base,
        workspace.env,
        workspace.vault,
        variant=workspace.variant,
        look=listed and workspace.vault.is_open(quiet),
        patience=quiet,
    )
    if source.source == "environment":
        return secret if source.stored_at is not None else None
    typed = workspace.pending_keys.get((variable, base.origin))
    return typed or (secret if source.source in {"memory", "keyring"} else None)


class Rounds:
    """When each origin is asked next, and what it said last."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = lambda: _LEAST + _MORE * os.urandom(1)[0] / 255,
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._seen: dict[str, Health] = {}
        self._next: dict[str, float] = {}
        self._silent: dict[str, int] = {}

    def due(self, origin: str) -> bool:
        """Whether it is time to ask ``origin``; if so the caller asks, and is told no meanwhile."""
        now = self._clock()
        if now < self._next.get(origin, now):
            return False
        self._next[origin] = now + RARELY_S
        return True

    def keep(self, origin: str, health: Health) -> None:
        """What the question found; one that is down is asked ever more rarely."""
        self._seen[origin] = health
        self._silent[origin] = self._silent.get(origin, 0) + 1 if health.state == "down" else 0
        pause = min(RARELY_S, EVERY_S * 2.0 ** min(self._silent[origin], 10))
        if health.state != "down":
            pause = EVERY_S
        self._next[origin] = self._clock() + min(RARELY_S, pause * self._jitter())

    def again(self, origin: str) -> None:
        """Ask at the next look: the last question was broken off, or a person wants to know."""
        self._next.pop(origin, None)

    def forget(self, origin: str) -> None:
        """It is not looked after any more."""
        for known in (self._seen, self._next, self._silent):
            known.pop(origin, None)

    def of(self, origin: str) -> Health:
        """What ``origin`` said last."""
        return self._seen.get(origin, UNKNOWN)
