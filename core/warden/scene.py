"""What the search for escapes looks at, and what it finds: values, and small questions of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from core.providers.hosted import PI_CREDENTIALS
from core.warden.chains import (
    FILE_RULES,
    PRECEDENCE,
    VARIABLE,
    Lane,
    Layer,
    Override,
    Resolution,
    Work,
    file_value,
)
from core.warden.config import Config, Provider, Variant, split_selector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.warden.pi_choice import PiChoice

EscapeCode = Literal[
    "E1", "E2", "E3", "E4", "E5", "E6", "E8", "E9", "E10", "E11", "E12", "E13", "E14"
]


class Edit(msgspec.Struct, frozen=True):
    """The one edit that closes an escape."""

    path: str
    """The key to set, dotted, as in ``defaults.auxiliary.model`` or ``skills[0].model``; or
    ``defaults.providers.<name>``, a provider that is to be called ``value``."""
    value: str | None
    """What to set it to; None when no model of the chosen provider is known to the file."""
    lane: Lane | None
    """The lane that ``turnkey lane set`` takes; None for a key that is not a lane's."""
    layer: Layer


class Escape(msgspec.Struct, frozen=True):
    """One lane that leaves the user's own infrastructure."""

    code: EscapeCode
    lane: str
    """The kind of work that escapes: one of ``chains.WORKS``."""
    message: str
    """What would leave, where to, and why."""
    fix: str
    """What to do, as an instruction."""
    edit: Edit | None = None
    layer: Layer = "repo"
    """The layer whose skills are concerned."""


class Scene(msgspec.Struct, frozen=True):
    """Everything the search looks at; :func:`core.warden.lanes.resolve` puts it together."""

    config: Config
    base: Config | None
    variant: Variant
    env: Mapping[str, str]
    model_flag: str | None
    pi: PiChoice
    lanes: Mapping[Work, Resolution]
    base_lanes: Mapping[Work, Resolution] | None
    overrides: tuple[Override, ...]
    declared: tuple[str, ...]
    """Names of the providers that the repository's skills get."""
    base_only: bool = False
    """There is no file of the repository's, so that Warden takes the base layer alone."""


def providers_seen(config: Config, base: Config | None) -> tuple[Provider, ...]:
    """The providers that the repository's skills get: its whole map, else the base's whole map.

    They are never merged by name (getsentry/warden pull request 416, ``config/loader.ts``).
    """
    if config.providers or base is None:
        return config.providers
    return base.providers


class View(msgspec.Struct, frozen=True):
    """One layer's skills: what they resolve to, and the file they see."""

    layer: Layer
    config: Config
    other: Config | None
    lanes: Mapping[Work, Resolution]


def moved(env: Mapping[str, str]) -> frozenset[str]:
    """Hosted ids whose address the environment moves; stock only.

    The variable's name is the id in upper case with nothing replaced
    (getsentry/warden ``sdk/runtimes/pi.ts``).
    """
    return frozenset(name for name in PI_CREDENTIALS if env.get(f"WARDEN_{name.upper()}_BASE_URL"))


def named(scene: Scene) -> Iterator[str]:
    """The provider of every selector that could be used, in any layer."""
    selectors: list[str | None] = [scene.model_flag, scene.env.get(VARIABLE)]
    for config in (scene.config, scene.base):
        if config is not None:
            selectors += [file_value(config.defaults, rule) for rule in sorted(FILE_RULES)]
    selectors += [one.selector for one in scene.overrides]
    for selector in selectors:
        parts = split_selector(selector or "")
        if parts is not None:
            yield parts[0]


def feeds(config: Config, work: Work, variant: Variant) -> bool:
    """True when a file of this layer's own would have set ``work``."""
    rules = {entry.rpartition(" ")[2] for entry in PRECEDENCE[variant][work]} & FILE_RULES
    return any(file_value(config.defaults, rule) for rule in rules)


def verifies(view: View, *, per_skill: bool) -> bool:
    """True when findings of any of this layer's skills are verified (the default).

    ``per_skill``: this Warden reads ``verification`` of skills and triggers (stock does). A trigger
    comes before its skill, and a skill before ``[defaults]``. A file without skills counts by its
    ``[defaults]``: skills can be named on Warden's command line.
    """
    inherited = view.other.defaults.verification_enabled if view.other else None
    default = view.config.defaults.verification_enabled
    if default is None:
        default = inherited if view.layer == "repo" and inherited is not None else True
    skills = view.config.skills
    if view.layer == "repo" and view.other is not None:
        theirs = {skill.name for skill in view.other.skills}
        skills = tuple(skill for skill in skills if skill.name not in theirs)
    if not per_skill or not skills:
        return default
    for skill in skills:
        own = default if skill.verification_enabled is None else skill.verification_enabled
        given = [trigger.verification_enabled for trigger in skill.triggers]
        if any(own if one is None else one for one in given or [None]):
            return True
    return False
