"""Which provider Pi would take for a lane that nobody gave a model, as far as can be known.

Warden hands Pi empty settings, so no saved default counts. Pi walks a fixed list of its built-in
providers and takes the first that has credentials; only when none has any does it take the first
model that was registered or stands in ``models.json``. The environment is all that is seen here:
credentials in Pi's ``auth.json`` count too and cannot be known from a config file.

The order and the variables are in :mod:`core.providers.hosted`. Source: pi-coding-agent
``core/model-resolver.ts``; the copy of ``WARDEN_<X>_API_KEY`` to ``<X>_API_KEY``:
getsentry/warden ``utils/index.ts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.providers.hosted import PI_CREDENTIALS, label

if TYPE_CHECKING:
    from collections.abc import Mapping


class PiChoice(msgspec.Struct, frozen=True):
    """What Pi would take for a lane without a model."""

    provider: str | None
    """A provider id, or None when the environment does not tell."""
    variables: tuple[str, ...]
    """The variables that decided it, as they stand in the environment; names only."""
    hosted: bool
    """True when the provider is one of Pi's built-in ones."""
    why: str
    """One sentence for a person."""


def pi_choice(env: Mapping[str, str], registered: tuple[str, ...] = ()) -> PiChoice:
    """What Pi would pick with these variables.

    ``registered`` are the providers that Warden registers and that have a key, in order: Pi falls
    back to them when no built-in provider has credentials.
    """
    for provider, sets in PI_CREDENTIALS.items():
        for names in sets:
            found = tuple(present for name in names if (present := _present(env, name)))
            if len(found) == len(names):
                verb = "is" if len(found) == 1 else "are"
                return PiChoice(
                    provider,
                    found,
                    hosted=True,
                    why=f"left to Pi, which takes {label(provider)} because "
                    f"{' and '.join(found)} {verb} set",
                )
    if registered:
        return PiChoice(
            registered[0],
            (),
            hosted=False,
            why=f"left to Pi, which takes the first registered model ({registered[0]}), by luck: "
            "no hosted provider has a key in this environment",
        )
    return PiChoice(
        None,
        (),
        hosted=False,
        why="left to Pi: no hosted provider has a key in this environment, so what Pi's auth.json "
        "and models.json hold decides",
    )


def _present(env: Mapping[str, str], name: str) -> str | None:
    """The variable that gives ``name`` a value, after Warden's copy of its own prefix."""
    if env.get(name):
        return name
    prefixed = f"WARDEN_{name}"
    # Warden copies only key variables: WARDEN_<X>_API_KEY, whatever X is.
    if name.endswith("_API_KEY") and env.get(prefixed):
        return prefixed
    return None
