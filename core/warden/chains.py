"""The precedence lists of every kind of model work, walked step by step.

One table says which rules decide which work in which variant; everything else reads it. Source:
getsentry/warden ``sdk/analyze.ts``, ``sdk/post-process.ts``, ``sdk/verify.ts``,
``action/workflow/pr-workflow.ts``, ``cli/commands/build.ts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.warden.config import Config, Defaults, Skill, Trigger, Variant, split_selector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.warden.pi_choice import PiChoice

Lane = Literal["agent", "auxiliary", "synthesis"]
"""What a person sets a model for."""
Work = Literal[
    "agent", "auxiliary", "synthesis", "verification", "workflow", "build", "build_repair"
]
"""What Warden makes requests for; every kind resolves to a selector by its own list."""
Layer = Literal["repo", "base"]

LANES: Final[tuple[Lane, ...]] = ("agent", "auxiliary", "synthesis")
WORKS: Final[tuple[Work, ...]] = (
    "agent",
    "auxiliary",
    "synthesis",
    "verification",
    "workflow",
    "build",
    "build_repair",
)

BUILDS: Final[frozenset[Work]] = frozenset({"build", "build_repair"})
"""The work of Warden's command line, which reads one file and knows no layers."""

TRIGGER: Final = "skills[].triggers[].model"
SKILL: Final = "skills[].model"
AGENT: Final = "defaults.agent.model"
AUXILIARY: Final = "defaults.auxiliary.model"
SYNTHESIS: Final = "defaults.synthesis.model"
MODEL: Final = "defaults.model"
FLAG: Final = "--model"
VARIABLE: Final = "WARDEN_MODEL"
PI: Final = "pi"
CLAUDE: Final = "claude"

FILE_RULES: Final = frozenset({AGENT, AUXILIARY, SYNTHESIS, MODEL})
"""The rules that are keys of ``[defaults]``."""

_OUTSIDE: Final = (FLAG, VARIABLE)
_AGENT_CHAIN: Final = (TRIGGER, SKILL, AGENT, MODEL, *_OUTSIDE)
_AS_AGENT: Final = (AGENT, MODEL, *_OUTSIDE)

PRECEDENCE: Final[dict[Variant, dict[Work, tuple[str, ...]]]] = {
    "stock": {
        "agent": _AGENT_CHAIN,
        "auxiliary": (AUXILIARY,),
        "synthesis": (SYNTHESIS, AUXILIARY),
        "verification": (AUXILIARY,),
        "workflow": (f"base {AUXILIARY}", f"repo {AUXILIARY}"),
        "build": (SYNTHESIS, AUXILIARY, *_OUTSIDE),
        "build_repair": (AUXILIARY,),
    },
    "providers": {
        "agent": _AGENT_CHAIN,
        "auxiliary": (AUXILIARY, *_AS_AGENT),
        "synthesis": (SYNTHESIS, AUXILIARY, *_AS_AGENT),
        "verification": (AUXILIARY, *_AS_AGENT),
        # The action's own lane is the one place that never looks at WARDEN_MODEL.
        "workflow": (
            f"base {AUXILIARY}",
            f"repo {AUXILIARY}",
            f"base {AGENT}",
            f"base {MODEL}",
            f"repo {AGENT}",
            f"repo {MODEL}",
        ),
        "build": (SYNTHESIS, AUXILIARY, *_AS_AGENT),
        "build_repair": (AUXILIARY, *_AS_AGENT),
    },
}
"""Which rules decide, highest first. Pi's own choice stands at the end of every list. A rule with
a layer before it is looked up in that layer; the others in the layer that holds the skill."""


class Step(msgspec.Struct, frozen=True):
    """One step of a chain."""

    rule: str
    value: str | None
    """What the step gives, as written; an empty text counts as unset."""
    layer: str | None
    """``repo``, ``base``, ``command line``, ``environment``; None for the choice left to Pi."""
    why: str
    """Why it won or was passed over, for a person."""


class Resolution(msgspec.Struct, frozen=True):
    """What one kind of work resolves to, with the whole chain."""

    lane: str
    selector: str | None
    """None where no rule gives one and the choice is left to Pi (or to Claude Code)."""
    provider: str | None
    """The selector's part before its first ``/``; None without a valid selector."""
    won_by: str
    """The rule that decided: the ``rule`` of a step."""
    layer: str | None
    chain: tuple[Step, ...]

    @property
    def left(self) -> bool:
        """True when nothing decided, so that the runtime chooses for itself."""
        return self.won_by in {PI, CLAUDE}

    @property
    def says(self) -> str:
        """The selector, else whom the choice is left to."""
        return self.selector or f"left to {'Claude Code' if self.won_by == CLAUDE else 'Pi'}"

    @property
    def emptied(self) -> str | None:
        """The first rule that was passed over because its value is an empty text, or None."""
        for step in self.chain:
            if step.rule == self.won_by and step.layer == self.layer:
                return None
            if step.value == "":
                return step.rule
        return None


class Override(msgspec.Struct, frozen=True):
    """A skill or a trigger with a model of its own. It reaches the agent lane and no other."""

    skill: str
    trigger: str | None
    """The trigger's type; None when the skill itself names the model."""
    selector: str
    provider: str | None
    path: tuple[str | int, ...]
    """Where it stands in the file: ``("skills", 0, "model")``."""
    layer: Layer


class EffortChoice(msgspec.Struct, frozen=True):
    """The effort that one kind of work runs with."""

    lane: str
    effort: str | None
    """None: the runtime's own default."""
    won_by: str
    why: str


def file_value(defaults: Defaults, rule: str) -> str | None:
    """What ``[defaults]`` holds for one of :data:`FILE_RULES`; None when it is not there."""
    if rule == AGENT:
        return defaults.agent_model
    if rule == AUXILIARY:
        return defaults.auxiliary_model
    if rule == SYNTHESIS:
        return defaults.synthesis_model
    if rule == MODEL:
        return defaults.model
    return None


def walk(
    work: Work,
    variant: Variant,
    *,
    layers: Mapping[str, Config],
    layer: Layer,
    env: Mapping[str, str],
    model_flag: str | None,
    pi: PiChoice,
    runtime: str,
    skill: Skill | None = None,
    trigger: Trigger | None = None,
) -> Resolution:
    """Walk the chain of ``work`` as the skills of ``layer`` see it.

    ``layers`` holds the files there are, by layer. With ``skill`` (and ``trigger``) the chain is
    that skill's; without, the two first steps of the agent chain only tell which skills have a
    model of their own.
    """
    steps: list[tuple[str, str | None, str | None, str]] = []
    for entry in PRECEDENCE[variant][work]:
        given, _, bare = entry.rpartition(" ")
        rule, place = bare, given or layer
        if rule in FILE_RULES:
            config = layers.get(place)
            if config is None:
                steps.append((rule, None, place, "there is no base layer"))
            else:
                steps.append((rule, file_value(config.defaults, rule), place, "not set"))
        elif rule == FLAG:
            steps.append((rule, model_flag, "command line", "not given"))
        elif rule == VARIABLE:
            steps.append((rule, env.get(VARIABLE), "environment", "not set"))
        elif skill is not None:
            value = skill.model if rule == SKILL else (trigger.model if trigger else None)
            steps.append((rule, value, layer, "not set"))
        else:
            steps.append((rule, None, layer, _who_overrides(layers.get(layer), rule)))
    return _decide(work, steps, pi, runtime)


def _decide(
    work: Work,
    steps: list[tuple[str, str | None, str | None, str]],
    pi: PiChoice,
    runtime: str,
) -> Resolution:
    chain: list[Step] = []
    winner: Step | None = None
    for rule, value, layer, unset in steps:
        if value == "":
            why = "empty, which counts as unset"
        elif value is None:
            why = unset
        elif winner is not None:
            why = f"passed over: {winner.rule} comes first"
        else:
            why = "wins: the first that is set"
        step = Step(rule, value, layer, why)
        chain.append(step)
        if value and winner is None:
            winner = step
    last = CLAUDE if runtime == "claude" else PI
    if winner is not None:
        chain.append(Step(last, None, None, f"not reached: {winner.rule} decides"))
        parts = split_selector(winner.value or "")
        provider = parts[0] if parts and runtime != "claude" else None
        return Resolution(work, winner.value, provider, winner.rule, winner.layer, tuple(chain))
    if last == CLAUDE:
        why = "left to Claude Code, which takes its own default; Warden's providers are ignored"
    else:
        why = pi.why
    chain.append(Step(last, None, None, why))
    return Resolution(work, None, None, last, None, tuple(chain))


def _who_overrides(config: Config | None, rule: str) -> str:
    names: list[str] = []
    for skill in config.skills if config else ():
        models = [skill.model] if rule == SKILL else [one.model for one in skill.triggers]
        if any(models):
            names.append(skill.name or "a skill without a name")
    if not names:
        return "no skill names a model" if rule == SKILL else "no trigger names a model"
    return f"only for {', '.join(names)}: see the overrides"


def overrides(config: Config, layer: Layer) -> tuple[Override, ...]:
    """Every skill and trigger of one layer that names a model (an empty text names none)."""
    found: list[Override] = []
    for index, skill in enumerate(config.skills):
        name = skill.name or f"skills[{index}]"
        if skill.model:
            path: tuple[str | int, ...] = ("skills", index, "model")
            found.append(_override(name, None, skill.model, path, layer))
        for number, trigger in enumerate(skill.triggers):
            if trigger.model:
                path = ("skills", index, "triggers", number, "model")
                kind = trigger.type or f"triggers[{number}]"
                found.append(_override(name, kind, trigger.model, path, layer))
    return tuple(found)


def _override(
    skill: str, trigger: str | None, selector: str, path: tuple[str | int, ...], layer: Layer
) -> Override:
    parts = split_selector(selector)
    return Override(skill, trigger, selector, parts[0] if parts else None, path, layer)


def efforts(
    config: Config, variant: Variant, runtimes: Mapping[Work, str]
) -> dict[str, EffortChoice]:
    """The effort of each kind of work; there is none of its own for synthesis.

    Source: getsentry/warden ``config/schema.ts`` (values), ``sdk/verify.ts`` (verification).
    """
    agent, auxiliary = config.defaults.agent_effort, config.defaults.auxiliary_effort
    chosen: dict[str, EffortChoice] = {}
    for work in WORKS:
        runtime = runtimes[work]
        default = "Claude Code takes high" if runtime == "claude" else "Pi's own default"
        if work == "agent" or (work == "verification" and variant == "providers"):
            rule, value = "defaults.agent.effort", agent
        elif variant == "stock":
            rule, value = "defaults.auxiliary.effort", auxiliary
        else:
            chosen[work] = EffortChoice(
                work, None, runtime, f"this Warden has no effort for it: {default}"
            )
            continue
        if value and runtime == "claude" and rule == "defaults.auxiliary.effort":
            why = "set, but Claude Code ignores it"
            chosen[work] = EffortChoice(work, None, runtime, why)
        elif value:
            chosen[work] = EffortChoice(work, value, rule, f"set by {rule}")
        else:
            chosen[work] = EffortChoice(work, None, runtime, f"{rule} is not set: {default}")
    return chosen
