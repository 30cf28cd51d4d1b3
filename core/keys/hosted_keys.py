"""Credentials in the environment that open a hosted provider to Pi: where an unset lane would go.

Source: pi-ai ``env-api-keys.ts``, by :mod:`core.providers.hosted`. ``GITHUB_TOKEN`` is none of
them: Pi does not read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.keys.steering import looks_like_key
from core.providers.hosted import PI_CREDENTIALS, label

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class HostedKey(msgspec.Struct, frozen=True):
    """What opens a hosted provider to Pi, and whose it is."""

    variable: str
    """The variable; of several that belong together all, with «and» between."""
    provider: str
    """In words for a person: «Anthropic»."""
    withheld: tuple[str, ...] = ()
    """What a child must not have, so that it is closed."""


def _hosted() -> dict[str, HostedKey]:
    found: dict[str, HostedKey] = {}
    for provider, sets in PI_CREDENTIALS.items():
        for names in sets:
            # A key opens on its own; an account number beside it only says whose.
            keys = [name for name in names if looks_like_key(name) and name not in _GENERAL]
            for name in keys or (names if len(names) == 1 else ()):
                found[name] = HostedKey(name, label(provider), (name,))
    for name, provider in _OLDER.items():
        found[name] = HostedKey(name, label(provider), (name,))
    return found


# An older name of Google's, which its libraries read.
_OLDER: Final = {"GOOGLE_API_KEY": "google"}
# What Claude Code reads, where a file says runtime = "claude".
_CLAUDE: Final = ("CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY")
# They open nothing alone, and belong to a whole cloud.
_GENERAL: Final = frozenset(
    {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS"}
)
_SINGLE: Final = _hosted()
HOSTED_NAMES: Final = frozenset(_SINGLE) | frozenset(_CLAUDE) | _GENERAL
"""Variables that hold credentials of a hosted provider."""


def others_found(
    env: Mapping[str, str], listed: Collection[str] = (), *, claude: bool = False
) -> tuple[HostedKey, ...]:
    """Hosted providers' credentials set in ``env``, but for the ``listed`` variables.

    An unset lane would go there. ``WARDEN_<X>_API_KEY`` counts as well, since Warden copies it to
    ``<X>_API_KEY``; a cloud's general credentials where all that Pi wants of them is there. With
    ``claude`` also what opens Anthropic to Claude Code, the other runtime.
    """
    mirrored = {
        f"WARDEN_{name}": HostedKey(f"WARDEN_{name}", key.provider, (f"WARDEN_{name}",))
        for name, key in _SINGLE.items()
    }
    found = [
        key for name, key in (_SINGLE | mirrored).items() if env.get(name) and name not in listed
    ]
    if claude:
        known = {key.variable for key in found}
        found += [
            HostedKey(name, label("anthropic"), (name,))
            for name in _CLAUDE
            if env.get(name) and name not in listed and name not in known
        ]
    for provider, sets in PI_CREDENTIALS.items():
        for names in sets:
            closing = tuple(name for name in names if name in _GENERAL and name not in listed)
            if closing and all(env.get(name) for name in names):
                found.append(HostedKey(" and ".join(names), label(provider), closing))
    return tuple(found)
