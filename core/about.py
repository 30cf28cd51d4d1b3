"""What a bug report needs to know of this machine, safe to paste: ``turnkey info``.

Names of variables, never their values; the home folder is written ``~``; no host, no address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core import __version__
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LIBRARIES: Final = ("textual", "httpx", "msgspec", "tomlkit", "keyring", "click")
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_TRUST: Final = (
    *("TURNKEY_CA_FILE", "TURNKEY_CLIENT_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    "NODE_EXTRA_CA_CERTS",
)
_WARDEN: Final = ("WARDEN_MODEL", "WARDEN_OFFLINE", "PI_CODING_AGENT_DIR")
_TERMINAL: Final = ("TERM", "COLORTERM", "TERM_PROGRAM")


class About(msgspec.Struct, frozen=True):
    """This turnkey on this machine, in words. An absent file is told as such."""

    turnkey: str
    python: str
    system: str
    libraries: dict[str, str]
    config: str
    """The ``warden.toml`` that would be opened."""
    base: str
    """The base layer that was named, or «none»."""
    variant: str
    settings: str
    state: str
    """The folder of the key index (no values), receipts and saved versions."""
    approved: int
    """How many servers turnkey may look after by itself, because somebody agreed to that."""
    logs: str
    keyring: str
    """Which keyring holds the keys, or why none does."""
    terminal: dict[str, str]
    variables: tuple[str, ...]
    """Variables that are set here and matter, by name: keys, proxies, certificates, Warden's."""


def about(
    env: Mapping[str, str],
    *,
    home: Path,
    config: Path,
    base: Path | None,
    variant: str,
    settings: Path,
    state: Path,
    keyring: str,
    encoding: str,
    approved: int = 0,
) -> About:
    """Put together what ``turnkey info`` tells. Reads versions, and looks whether files are there.

    ``config`` is the nearest file, or the one that would be made; ``keyring`` is told in words.
    """
    import platform

    terminal = {name: one_line(env[name], 60) for name in _TERMINAL if env.get(name)}
    terminal["encoding"] = encoding
    terminal["over"] = _over(env)
    return About(
        turnkey=__version__,
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        system=f"{platform.system()} {platform.release()} {platform.machine()}".strip(),
        libraries=_versions(),
        config=_there(config, home),
        base="none" if base is None else _there(base, home),
        variant=variant,
        settings=_there(settings, home),
        state=_there(state, home),
        approved=approved,
        logs="none: turnkey writes no log",
        keyring=keyring,
        terminal=terminal,
        variables=named_variables(env),
    )


def tilde(path: Path, home: Path) -> str:
    """``path`` with the home folder, which holds a person's name, written ``~``."""
    inside = path.is_relative_to(home) and len(home.parts) > 1
    return one_line(f"~/{path.relative_to(home).as_posix()}" if inside else str(path), 200)


def named_variables(env: Mapping[str, str]) -> tuple[str, ...]:
    """The names of variables that steer turnkey, Pi or Warden here; empty ones count as unset."""
    from core.keys.steering import looks_like_key

    steering = {*_TRUST, *_WARDEN, *_PROXIES, *(name.lower() for name in _PROXIES), "NO_COLOR"}
    return tuple(
        sorted(
            one_line(name, 80)
            for name, value in env.items()
            if value and (name in steering or name.startswith("TURNKEY_") or looks_like_key(name))
        )
    )


def _over(env: Mapping[str, str]) -> str:
    """What stands between the terminal and turnkey: «ssh, tmux»."""
    signs = {"ssh": "SSH_CONNECTION", "tmux": "TMUX", "screen": "STY", "wsl": "WSL_DISTRO_NAME"}
    return ", ".join(word for word, name in signs.items() if env.get(name)) or "nothing"


def _there(path: Path, home: Path) -> str:
    shown = tilde(path, home)
    try:
        return shown if path.exists() else f"{shown} (not there yet)"
    except OSError as error:
        return f"{shown} ({error.strerror})"


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found
