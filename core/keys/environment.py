"""Which variables hold a provider's key: names and order as Warden and Pi resolve them.

Upstream: getsentry/warden ``sdk/runtimes/custom-provider.ts`` (candidates, exclusive
``apiKeyEnv``) and ``utils/index.ts`` (``WARDEN_<X>_API_KEY`` copied to ``<X>_API_KEY``);
pi-ai ``auth`` (``auth.json`` before ``models.json``). Nothing here reads the process's own
environment: it is given.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.keys.hosted_keys import HOSTED_NAMES
from core.keys.secret import MASK
from core.providers.key_forms import is_variable_name
from core.providers.names import env_stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Variant = Literal["providers", "stock"]
"""The Warden that will read the environment."""

PLACEHOLDER: Final = "turnkey-no-key"
"""What a keyless server on this machine gets: Pi wants some key, and rewrites all-capitals ones."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def own_variables(name: str) -> tuple[str, str]:
    """The two variables that belong to a provider by its name, in Warden's order."""
    stem = env_stem(name)
    return f"WARDEN_{stem}_API_KEY", f"{stem}_API_KEY"


def key_variables(
    name: str, api_key_env: str | None, variant: Variant = "providers"
) -> tuple[str, ...]:
    """Where the key of a provider is looked for, first wins; empty values count as unset.

    ``apiKeyEnv`` is exclusive. Without it the ``providers`` variant takes ``WARDEN_<N>_API_KEY``
    before ``<N>_API_KEY``. Stock reads ``<N>_API_KEY`` (named in the exported ``models.json``) and
    fills it from ``WARDEN_<N>_API_KEY`` only where it is unset or empty: the other way round.
    """
    if api_key_env:
        return (_named(api_key_env, name),)
    warden, plain = own_variables(name)
    return (warden, plain) if variant == "providers" else (plain, warden)


def stored_variable(name: str, api_key_env: str | None) -> str:
    """What a key in the keyring is filed under: ``apiKeyEnv``, else ``WARDEN_<N>_API_KEY``."""
    return _named(api_key_env, name) if api_key_env else own_variables(name)[0]


def _named(api_key_env: str, name: str) -> str:
    # What is no name may be a key, and is carried no further.
    return api_key_env if api_key_env in own_variables(name) else shown_variable(api_key_env)


def child_variables(name: str, api_key_env: str | None, variant: Variant) -> tuple[str, ...]:
    """The variables that ``run`` and ``env`` set for a provider.

    The first candidate; for stock also ``<N>_API_KEY``, which the exported ``models.json`` reads.
    """
    first = stored_variable(name, api_key_env)
    plain = own_variables(name)[1]
    return (first,) if variant == "providers" or first == plain else (first, plain)


def shown_variable(variable: str) -> str:
    """A variable's name as it may be shown; a mask where it may rather be a key."""
    return variable if is_variable_name(variable) else MASK


def find_in(env: Mapping[str, str], variables: Iterable[str]) -> str | None:
    """The first of ``variables`` that holds something, or None."""
    return next((variable for variable in variables if env.get(variable)), None)


def is_own(variable: str, name: str) -> bool:
    """True for ``WARDEN_<N>_API_KEY`` and ``<N>_API_KEY``; any other name needs consent.

    A hosted service's variable is nobody's own: a stranger's file could call its provider
    ``anthropic`` and so have ``ANTHROPIC_API_KEY`` sent anywhere.
    """
    if variable.removeprefix("WARDEN_") in HOSTED_NAMES or variable in HOSTED_NAMES:
        return False
    return variable in own_variables(name)


def is_exportable(variable: str) -> bool:
    """True when a POSIX shell can export a variable of that name."""
    return _NAME.fullmatch(variable) is not None


def mirrored(env: Mapping[str, str]) -> dict[str, str]:
    """``env`` as Pi sees it after Warden's start, a new dictionary.

    ``WARDEN_<X>_API_KEY`` is copied to ``<X>_API_KEY`` where that is unset or empty.
    """
    seen = dict(env)
    for variable, value in env.items():
        found = re.fullmatch(r"WARDEN_(.+_API_KEY)", variable, re.DOTALL)
        if found and value and not seen.get(found[1]):
            seen[found[1]] = value
    return seen


def pi_folder(env: Mapping[str, str], home: Path) -> Path:
    """Where Pi keeps ``auth.json``: ``PI_CODING_AGENT_DIR``, else ``~/.pi/agent``."""
    chosen = env.get("PI_CODING_AGENT_DIR")
    if not chosen:
        return home / ".pi" / "agent"
    return home / chosen[2:] if chosen.startswith("~/") else Path(chosen)


def stored_in_pi(auth_json: Path) -> frozenset[str]:
    """The provider ids that Pi's ``auth.json`` holds a key for. No value is kept.

    A key there owns its provider: Pi sends it even where ``models.json`` names another. A missing,
    unreadable or damaged file gives none.
    """
    try:
        ids = msgspec.json.decode(auth_json.read_bytes(), type=dict[str, msgspec.Raw])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return frozenset()
    return frozenset(ids)
