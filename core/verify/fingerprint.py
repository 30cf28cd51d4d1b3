"""Which config a receipt is for: a digest over what decides what a lane does, and nothing else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from core.warden.config import Config, Skill, Trigger, Variant

_VERSION: Final = 1
"""Grows when other values are taken in, so that no old receipt fits a new reading."""


def fingerprint(config: Config, base: Config | None, variant: Variant) -> str:
    """``sha256:`` and 64 hexadecimal digits over the parsed values of both layers.

    Taken in: providers with their models, the lanes and ``defaults.model``, effort, runtime,
    verification, the models of skills and triggers, and which Warden will read it. Left out:
    comments, order of keys, ``runner.concurrency``, and whatever else changes no request.
    """
    value = {
        "version": _VERSION,
        "variant": variant,
        "layers": [None if layer is None else _layer(layer) for layer in (config, base)],
    }
    encoded = msgspec.json.encode(value, order="sorted")
    return f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def place_mark(path: Path) -> str:
    """A short digest of where a config is, by which its last receipt is found when it changed.

    A path holds names of people and customers, so it is not kept itself.
    """
    return hashlib.sha256(str(path.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]


def _layer(config: Config) -> dict[str, object]:
    defaults = config.defaults
    return {
        # An empty string counts as unset for a lane (getsentry/warden config/loader.ts).
        "model": defaults.model or None,
        "agent": [defaults.agent_model or None, defaults.agent_effort],
        "auxiliary": [defaults.auxiliary_model or None, defaults.auxiliary_effort],
        "synthesis": defaults.synthesis_model or None,
        "runtime": defaults.runtime or "pi",
        "verification": defaults.verification_enabled,
        "providers": sorted(
            msgspec.to_builtins(defaults.providers), key=lambda provider: str(provider["name"])
        ),
        "skills": [_skill(skill) for skill in config.skills],
    }


def _skill(skill: Skill) -> list[object]:
    triggers = [_trigger(trigger) for trigger in skill.triggers]
    return [skill.name, skill.remote, skill.model or None, skill.verification_enabled, triggers]


def _trigger(trigger: Trigger) -> list[object]:
    return [trigger.type, trigger.model or None, trigger.verification_enabled]
