"""What every kind of model work resolves to, why, and what would escape.

The door to :mod:`core.warden.chains` (the precedence lists) and :mod:`core.warden.escapes`. One
call answers for a file, an environment, a variant, ``--model`` and an organisation's base layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.providers.names import env_stem
from core.warden.chains import (
    BUILDS,
    LANES,
    WORKS,
    EffortChoice,
    Lane,
    Layer,
    Override,
    Resolution,
    Step,
    Work,
    efforts,
    overrides,
    walk,
)
from core.warden.config import Config, Variant
from core.warden.escapes import find_escapes
from core.warden.pi_choice import PiChoice, pi_choice
from core.warden.scene import Edit, Escape, Scene, providers_seen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LANES",
    "WORKS",
    "Edit",
    "EffortChoice",
    "Escape",
    "Lane",
    "LaneReport",
    "Layer",
    "Override",
    "Resolution",
    "Step",
    "Variant",
    "Work",
    "providers_seen",
    "resolve",
    "resolve_skill",
]


class LaneReport(msgspec.Struct, frozen=True):
    """All lanes of one setup: the JSON of ``turnkey lanes``."""

    variant: Variant
    lanes: dict[str, Resolution]
    """As the skills of the repository's file see them, or the base layer's where there is no such
    file; ``workflow`` looks at both layers."""
    overrides: tuple[Override, ...]
    escapes: tuple[Escape, ...]
    efforts: dict[str, EffortChoice]
    runtime: str
    """``pi`` or ``claude``, as the skills of the repository's file run."""
    pi: PiChoice
    """What Pi would take for a lane that nobody set, as far as the environment shows."""
    base_lanes: dict[str, Resolution] | None = None
    """As the skills of the base layer see them; None without a base layer."""


def resolve(
    config: Config,
    variant: Variant,
    *,
    env: Mapping[str, str],
    model_flag: str | None = None,
    base: Config | None = None,
    base_only: bool = False,
) -> LaneReport:
    """Resolve every kind of work of ``config`` (the repository's file).

    ``base_only``: there is no such file, and ``config`` is blank. Warden's action takes the base
    layer alone then, so that its skills are all there are.

    ``env`` is the environment that Warden would run in; ``model_flag`` stands for its ``--model``;
    ``base`` is an organisation's layer. Skills of the repository see the repository's models only
    and skills of the base the base's (getsentry/warden ``config/loader.ts``).
    """
    layers: dict[str, Config] = {"repo": config}
    if base is not None:
        layers["base"] = base
    pi = pi_choice(env, _registered(config, variant, env, base))
    # Build is a command line's: it reads one file, and knows of no layers.
    alone = pi_choice(env, _registered(config, variant, env, None))
    runtimes = {work: _runtime(config, None if work in BUILDS else base) for work in WORKS}
    runtimes["workflow"] = _workflow_runtime(config, base)
    lanes = {
        work: walk(
            work,
            variant,
            layers=layers,
            layer="repo",
            env=env,
            model_flag=model_flag,
            pi=alone if work in BUILDS else pi,
            runtime=runtimes[work],
        )
        for work in WORKS
    }
    base_lanes = None
    if base is not None:
        base_lanes = {
            work: walk(
                work,
                variant,
                layers=layers,
                layer="base",
                env=env,
                model_flag=model_flag,
                pi=pi,
                runtime=base.defaults.runtime or "pi",
            )
            for work in WORKS
            if work not in {"workflow", *BUILDS}
        }
    if base_only and base_lanes is not None:
        lanes = {**lanes, **base_lanes}
    found = _effective_overrides(config, base)
    scene = Scene(
        config=config,
        base=base,
        variant=variant,
        env=env,
        model_flag=model_flag,
        pi=pi,
        lanes=lanes,
        base_lanes=base_lanes,
        overrides=found,
        declared=tuple(one.name for one in providers_seen(config, base)),
        base_only=base_only,
    )
    return LaneReport(
        variant=variant,
        lanes={work: lanes[work] for work in WORKS},
        overrides=found,
        escapes=find_escapes(scene),
        efforts=efforts(config, variant, runtimes),
        runtime=runtimes["agent"],
        pi=pi,
        base_lanes=None if base_lanes is None else {work: base_lanes[work] for work in base_lanes},
    )


def resolve_skill(
    config: Config,
    variant: Variant,
    skill: int,
    trigger: int | None = None,
    *,
    env: Mapping[str, str],
    model_flag: str | None = None,
    base: Config | None = None,
) -> Resolution:
    """The agent chain of one skill (and one of its triggers), by their places in the file.

    ``config`` is the file that holds the skill. ``base`` is the layer below it, of which its
    skills inherit the runtime and, where it has no providers, the base's; None for a skill of the
    base itself. Raises IndexError when the file has no such skill or trigger.
    """
    chosen = config.skills[skill]
    return walk(
        "agent",
        variant,
        layers={"repo": config},
        layer="repo",
        env=env,
        model_flag=model_flag,
        pi=pi_choice(env, _registered(config, variant, env, base)),
        runtime=_runtime(config, base),
        skill=chosen,
        trigger=None if trigger is None else chosen.triggers[trigger],
    )


def _registered(
    config: Config, variant: Variant, env: Mapping[str, str], base: Config | None
) -> tuple[str, ...]:
    """The providers that Warden registers with a key, in order; stock registers none."""
    if variant == "stock":
        return ()
    keyed: list[str] = []
    for provider in providers_seen(config, base):
        stem = env_stem(provider.name)
        own = (f"WARDEN_{stem}_API_KEY", f"{stem}_API_KEY")
        names = (provider.api_key_env,) if provider.api_key_env else own
        if any(env.get(name) for name in names):
            keyed.append(provider.name)
    return tuple(keyed)


def _runtime(config: Config, base: Config | None) -> str:
    inherited = base.defaults.runtime if base is not None else None
    return config.defaults.runtime or inherited or "pi"


def _workflow_runtime(config: Config, base: Config | None) -> str:
    inherited = base.defaults.runtime if base is not None else None
    return inherited or config.defaults.runtime or "pi"


def _effective_overrides(config: Config, base: Config | None) -> tuple[Override, ...]:
    """The overrides of both layers, without the repository's copies of skills of the base."""
    if base is None:
        return overrides(config, "repo")
    names = {skill.name for skill in base.skills}
    own = tuple(one for one in overrides(config, "repo") if one.skill not in names)
    return overrides(base, "base") + own
