"""One error reply, prepared for those who judge it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.errors import Code, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.wire.bodies import ErrorBody


class Seen(msgspec.Struct, frozen=True):
    """One error reply, prepared for judging."""

    status: int
    headers: Mapping[str, str]
    error: ErrorBody
    text: str
    """Message, type and code together, lower case."""
    words: str
    """The innermost message, safe to show."""
    at: str
    host: str
    model: str | None
    keyed: bool
    """Whether a key was sent."""
    asks_litellm: bool
    """False when the server is known to be something else than LiteLLM."""
    path: str = ""
    """The base URL's path: ``/v1``."""
    own: bool = False
    """Whether the host is this machine, which no proxy of the environment stands before."""
    inside: bool = False
    """The error came in a reply with status 200; ``status`` is what it means."""

    def has(self, *needles: str) -> bool:
        """Whether one of ``needles`` (lower case) is in what the server said."""
        return any(needle in self.text for needle in needles)

    def fault(self, code: Code, what: str, fix: str, why: str | None = None) -> Fault:
        """A fault whose ``why`` is, unless given, the server's own words."""
        return Fault(code, what, self.words if why is None else why, fix)
