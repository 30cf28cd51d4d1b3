"""Everything that is wrong with a ``warden.toml``, at once, with the place and a way out.

Two kinds stand side by side: what Warden's schema would say (it stops at the file, without a
line), and what the schema lets pass but Warden or Pi then chokes on. Nothing here looks at the
network, the keyring or the disk. The checks: :mod:`core.warden.schema_problems`,
:mod:`core.warden.model_problems`, :mod:`core.warden.provider_problems`,
:mod:`core.warden.secrets`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import structs

from core.providers.key_forms import without_keys
from core.warden.config import Provider, Variant, read_config
from core.warden.findings import Finding, Path, Severity, dotted
from core.warden.model_problems import model_findings
from core.warden.provider_problems import provider_findings
from core.warden.schema_problems import cross_findings, schema_findings
from core.warden.secrets import movable, secret_paths

if TYPE_CHECKING:
    from core.warden.chains import Layer

Locate = Callable[[Path], tuple[int, int] | None]
"""Line and column of a path, from 1; None when the file does not say."""

_RANK: Final[dict[Severity, int]] = {"error": 0, "warning": 1, "note": 2}


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong, or worth knowing."""

    code: str
    severity: Severity
    path: str
    """Dotted: ``skills[0].triggers[1].model``."""
    line: int | None
    column: int | None
    """From 1; None for both when the place is not known."""
    message: str
    effect: str
    """What Warden would do: refuse the file, drop the key, use the default, fail when it runs."""
    suggestion: str = ""
    """What to do or write; empty when there is nothing to advise."""
    keys: Path = ()
    """The same path in parts, for a program."""
    layer: Layer = "repo"
    """The file it stands in: the repository's, or the organisation's base layer."""


def problems(
    data: Mapping[str, object],
    locate: Locate,
    variant: Variant,
    env: Mapping[str, str],
    keyed: Collection[str] = (),
    *,
    inherited: Sequence[Provider] = (),
    layer: Layer = "repo",
    loose: Sequence[tuple[int, int]] = (),
) -> tuple[Problem, ...]:
    """Every problem of a parsed file, errors first, then by line.

    ``data`` is what ``tomllib`` gives; ``locate`` tells line and column of a path, from 1, or
    None; ``env`` is the environment that Warden would run in (names and presence are used, values
    never shown); ``keyed`` are providers whose key is kept elsewhere, such as in a keyring;
    ``inherited`` are the providers of the base layer, which count where this file has none;
    ``loose`` are the places of keys in comments (:func:`core.warden.secrets.loose_keys`). No text
    that is given back holds what has the form of a key.
    """
    config = read_config(data)
    seen = config
    if inherited and not config.providers:
        defaults = structs.replace(config.defaults, providers=tuple(inherited))
        seen = structs.replace(config, defaults=defaults)
    found = [
        *schema_findings(data, variant),
        *cross_findings(data, variant),
        *model_findings(seen, data, variant),
        *provider_findings(config, data, variant, env, keyed),
        *_secret_findings(data, layer),
    ]
    placed = [_placed(finding, locate, layer) for finding in dict.fromkeys(found)]
    placed += [_loose(place, layer) for place in loose]
    placed.sort(key=lambda one: (_RANK[one.severity], one.line or 0, one.column or 0))
    return tuple(placed)


def _placed(finding: Finding, locate: Locate, layer: Layer) -> Problem:
    path = finding.path
    place = locate(path)
    while place is None and path:
        path = path[:-1]
        place = locate(path) if path else (1, 1)
    line, column = place or (1, 1)
    return Problem(
        finding.code,
        finding.severity,
        without_keys(dotted(finding.path)),
        line,
        column,
        without_keys(finding.message),
        without_keys(finding.effect),
        without_keys(finding.suggestion),
        finding.path,
        layer,
    )


def _loose(place: tuple[int, int], layer: Layer) -> Problem:
    text = "A comment holds what looks like a key. Keys do not belong in this file."
    fix = f"Take it out by hand. {_REVOKE}"
    return Problem("secret_in_file", "error", "", *place, text, _KNOWN, fix, (), layer)


def _secret_findings(data: Mapping[str, object], layer: Layer) -> Iterator[Finding]:
    for path in secret_paths(data):
        if path[-1] == "baseUrl":
            text = f"{dotted(path)} has a password in it. Passwords do not belong in this file."
        else:
            text = f"{dotted(path)} looks like a key. Keys do not belong in this file."
        way = "turnkey check --move-keys moves it to the keyring."
        if layer == "base":
            way = "turnkey check --move-keys moves it to the keyring, with this file as --config."
        fix = f"{way if movable(path) else 'Take it out by hand.'} {_REVOKE}"
        yield Finding("secret_in_file", "error", path, text, _KNOWN, fix)


_KNOWN: Final = "Everyone who reads the repository has it."
_REVOKE: Final = "Revoke it if the file was ever pushed."
