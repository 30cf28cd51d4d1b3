"""Escapes: lanes that end, silently, on another provider than the one the user chose.

The codes E1 to E14 are those of the help (E7, a call of Warden's own without a runtime, is
triggered by no file). What counts as chosen: the providers of ``[defaults.providers]``, and every
provider that a selector names and that Pi does not know as a hosted service (it stands in Pi's
``models.json`` then); for stock also a hosted id whose address ``WARDEN_<ID>_BASE_URL`` moves.
With none of these, the providers that the lanes name were chosen, and only a lane that is left
to Pi can escape. With no lane set either, nothing was chosen and nothing escapes.

E1 is there in both variants, though pull request 416 cures it where the agent's lane is set: its
other lanes follow the agent's then. Where no lane of the file is set at all there is nothing to
follow, and Pi (or WARDEN_MODEL, when that names a hosted service) decides for all of them although
the file declares a provider. That is E1's cause, lanes left unset, and not E2's: this variant's
lanes do look at WARDEN_MODEL.

Source of the conditions: getsentry/warden ``sdk/analyze.ts``, ``sdk/verify.ts``,
``action/workflow/pr-workflow.ts``, ``config/loader.ts``, and the review of pull request 416.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from core.providers.hosted import is_hosted, label
from core.providers.key_forms import shown_selector, without_keys
from core.text import one_line, shell_word
from core.warden.chains import (
    AGENT,
    AUXILIARY,
    FILE_RULES,
    FLAG,
    PI,
    SYNTHESIS,
    VARIABLE,
    Lane,
    Layer,
    Override,
    Resolution,
    Work,
)
from core.warden.reachable import declared_for, reachable
from core.warden.scene import Edit, Escape, EscapeCode, Scene, View, feeds, moved, named, verifies

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHAT: Final[dict[Work, str]] = {
    "agent": "the code under review, and what the agent reads around it,",
    "auxiliary": "what was found, with the code that it quotes,",
    "synthesis": "what was found in all chunks",
    "verification": "repository code: the verifier reads it with tools, so it",
    "workflow": "what was found and said on the pull request",
    "build": "what build and improve read of the repository",
    "build_repair": "the output of build and improve, for its repair,",
}
_LANE_OF: Final[dict[Work, Lane]] = {
    "agent": "agent",
    "auxiliary": "auxiliary",
    "synthesis": "synthesis",
    "verification": "auxiliary",
    "workflow": "auxiliary",
    "build": "auxiliary",
    "build_repair": "auxiliary",
}
_KEY_OF: Final[dict[Lane, str]] = {"agent": AGENT, "auxiliary": AUXILIARY, "synthesis": SYNTHESIS}


def find_escapes(scene: Scene) -> tuple[Escape, ...]:
    """Every escape of the setup, in the order of the lanes; one for each code, lane and layer."""
    search = _Search(scene)
    found: dict[tuple[str, str, str], Escape] = {}
    for escape in search.run():
        shown = replace(escape, message=without_keys(escape.message), fix=without_keys(escape.fix))
        found.setdefault((escape.code, escape.lane, escape.layer), shown)
    return tuple(found.values())


class _Search:
    """The conditions, with what they share worked out once."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.stock = scene.variant == "stock"
        used = frozenset(named(scene))
        files = (scene.config,) if scene.base is None else (scene.config, scene.base)
        declared = frozenset(one.name for file in files for one in file.providers)
        elsewhere = moved(scene.env) if self.stock else frozenset()
        self.named = frozenset(name for name in used | declared if not is_hosted(name)) | elsewhere
        self.own = self.named if self.stock else self.named | declared
        # A moved address matters where a lane uses it, or where nothing else was chosen.
        self.moved = elsewhere & used or (elsewhere if self.own == elsewhere else frozenset())
        self.chosen = self.own or used | declared

    def run(self) -> Iterator[Escape]:
        yield from self._claude()
        for view in self._views():
            yield from self._left(view)
            yield from self._explicit(view)
        yield from self._overridden()

    # -- lanes that nobody set ---------------------------------------------------------------

    def _left(self, view: View) -> Iterator[Escape]:
        for work, resolution in view.lanes.items():
            if resolution.won_by != PI or not self._counts(resolution):
                continue
            if work == "verification":
                if verifies(view, per_skill=self.stock):
                    yield self._escape("E3", work, view, self._pi_message("E3", work))
                continue
            code = self._code_of_left(work, view)
            if code == "E4" and not self._own_skills():
                continue  # no skill is left without the base layer's model
            yield self._escape(code, work, view, self._pi_message(code, work))
            if (
                self.stock
                and self.scene.declared
                and code in {"E1", "E2", "E8"}
                and work in {"agent", "auxiliary", "synthesis"}
            ):
                yield self._escape("E14", work, view, self._pi_message("E14", work))

    def _counts(self, resolution: Resolution) -> bool:
        if not self.chosen:
            # A variable that is there and empty says that a model was meant to be chosen.
            return resolution.emptied == VARIABLE
        # With hosted providers alone, Pi's pick of the very same one leaves nothing.
        return bool(self.own) or self.scene.pi.provider not in self.chosen

    def _code_of_layers(self, work: Work, view: View) -> EscapeCode | None:
        """E4 or E5 where the other layer sets what these skills do not get."""
        if view.other is None or not feeds(view.other, work, self.scene.variant):
            return None
        if view.layer == "base":
            return "E5"
        return None if work in {"workflow", "build", "build_repair"} else "E4"

    def _own_skills(self) -> bool:
        """Whether the repository's file has skills that are not the base layer's."""
        base = self.scene.base
        theirs = {skill.name for skill in base.skills} if base is not None else set()
        return any(skill.name not in theirs for skill in self.scene.config.skills)

    def _code_of_left(self, work: Work, view: View) -> EscapeCode:
        layers = self._code_of_layers(work, view)
        if layers is not None:
            return layers
        if view.lanes[work].emptied is not None:
            return "E13"
        agent = view.lanes["agent"]
        if self.stock and agent.won_by in FILE_RULES:
            return "E10" if work in {"build", "build_repair"} else "E1"
        if self.stock and agent.won_by in {FLAG, VARIABLE}:
            return "E2"
        if not self.stock and work == "workflow" and agent.left is False and self._by_variable():
            return "E6"
        if agent.won_by == PI and any(one.provider in self.own for one in self.scene.overrides):
            return "E8"
        if self.stock and self.scene.declared:
            return "E14"
        if self.moved and agent.won_by == PI:
            return "E12"
        return "E1"

    def _by_variable(self) -> bool:
        """Whether WARDEN_MODEL is all that gives a model: the action has no ``--model``."""
        chain = self.scene.lanes["agent"].chain
        set_here = {step.rule for step in chain if step.value}
        return VARIABLE in set_here and not set_here & FILE_RULES

    def _pi_message(self, code: EscapeCode, work: Work) -> str:
        pi = self.scene.pi
        if pi.hosted and pi.provider:
            seen = " and ".join(pi.variables)
            where = f"{_WHAT[work]} would go to {label(pi.provider)}, because {seen} is set"
        elif pi.provider:
            lucky = one_line(pi.provider, 60)
            where = f"{_WHAT[work]} goes to {lucky} by luck, until some hosted key is set"
        else:
            where = f"{_WHAT[work]} would go to whichever provider Pi finds credentials for"
        name = work.replace("_", " ")
        why = {
            "E1": f"No model is set for {name}",
            "E2": f"{name} does not look at {self._outside()}, and no model is set for it",
            "E3": "The lane that verifies findings has no model",
            "E4": f"Skills of this file get no {name} model from the base layer",
            "E5": f"Skills of the base layer get no {name} model from this file",
            "E6": f"The action's own work on comments does not look at {VARIABLE}",
            "E8": f"Only a skill names your provider; {name} has no model",
            "E10": f"{name} does not use the agent's model, and none is set for it",
            "E12": f"A moved base URL does nothing for {name}, which has no model",
            "E13": f"The model meant for {name} is empty here, which counts as unset",
            "E14": f"Stock Warden drops [defaults.providers], and {name} has no model",
        }.get(code, f"{name} has no model")
        return f"{why}: {where}."

    def _outside(self) -> str:
        return "--model" if self.scene.model_flag else VARIABLE

    # -- lanes that are set to a hosted provider ----------------------------------------------

    def _own(self, layer: Layer, work: Work | None = None) -> frozenset[str]:
        """The user's own providers as skills of ``layer`` see them: a map may give its own
        meaning to a hosted service's name, and the other layer's skills know nothing of it."""
        if self.stock:
            return self.named
        if work == "workflow":  # the action's own work takes the base layer's map first
            layer = "base" if self.scene.base and self.scene.base.providers else "repo"
        return self.named | {one.name for one in declared_for(self.scene, layer)}

    def _explicit(self, view: View) -> Iterator[Escape]:
        for work, resolution in view.lanes.items():
            provider = resolution.provider  # None where Claude Code does the work
            own = self._own(view.layer, work)
            if provider is None or provider in own or not is_hosted(provider):
                continue
            code = self._code_of_explicit(work, resolution, view)
            if code is None:
                continue
            why = f"{work} is set to {_shown(resolution.selector)} by {resolution.won_by}"
            where = f"{_WHAT[work]} leaves for {label(provider)}"
            if code == "E14":
                why += ", and stock Warden drops the provider of that name from the file"
            elif provider in self.own:
                why += ", and the provider of that name in the other layer is not seen here"
            elif code == "E5":
                why += " for skills of the base layer, which get none from this file"
            if work == "auxiliary" and verifies(view, per_skill=self.stock):
                where += ", and so does the repository code that the verifier reads"
            yield self._escape(code, work, view, f"{why}: {where}.", resolution)

    def _code_of_explicit(
        self, work: Work, resolution: Resolution, view: View
    ) -> EscapeCode | None:
        rule, provider = resolution.won_by, resolution.provider
        declared = {one.name for one in declared_for(self.scene, view.layer)}
        if self.stock and provider in declared:
            return "E14" if work in _KEY_OF else None
        if not self.own:
            return None
        if resolution.emptied is not None and work in _KEY_OF:
            return "E13"
        if rule in {FLAG, VARIABLE}:
            if work == "verification":
                return None  # the auxiliary lane's message tells of it
            if self.stock and work == "build" and view.lanes["agent"].won_by in FILE_RULES:
                return "E10"
            layers = self._code_of_layers(work, view)
            return layers or ("E2" if self.stock else "E1")
        if self.moved and work in _KEY_OF:
            return "E12"
        if provider in self.own and work in _KEY_OF:
            return "E5" if view.layer == "base" else "E4"
        if view.lanes["agent"].provider not in self._own(view.layer):
            if not self._moved_here(work, view):
                return None
            return "E9" if work == "workflow" else "E5"
        if work in {"auxiliary", "synthesis"} and rule in {AUXILIARY, SYNTHESIS}:
            return "E9"
        # The action asks the base layer first: a model left there outlives the repository's move.
        if work == "workflow" and resolution.layer == "base":
            return "E9"
        return None

    def _moved_here(self, work: Work, view: View) -> bool:
        """Whether the repository's file gives ``work`` to a provider of the user's own, which
        the skills of the base layer do not hear of; the action asks the base layer first."""
        if view.layer != "base" or view.other is None or work not in {*_KEY_OF, "workflow"}:
            return False
        here = self.scene.lanes[_LANE_OF[work]]
        return here.won_by in FILE_RULES and here.provider in self._own("repo")

    def _overridden(self) -> Iterator[Escape]:
        if not self.own:
            return
        for one in self.scene.overrides:
            seen = self._own(one.layer)
            if one.provider is None or one.provider in seen or not is_hosted(one.provider):
                continue
            if one.trigger is None and self._never_used(one):
                continue
            own = self._reachable(one.layer)
            who = f"skill {one.skill}" + (f", trigger {one.trigger}" if one.trigger else "")
            path = "".join(
                f"[{part}]" if isinstance(part, int) else f".{part}" for part in one.path
            ).lstrip(".")
            yield Escape(
                "E8",
                "agent",
                f"{one_line(who)} has a model of its own, {_shown(one.selector)}: "
                f"{_WHAT['agent']} leaves for {label(one.provider)}.",
                f"Remove {path}, or set it to {own or 'a model of your provider'}.",
                Edit(path, own, None, one.layer),
                one.layer,
            )

    def _never_used(self, one: Override) -> bool:
        """Whether each trigger of the skill has a model of its own, so that the skill's is idle."""
        config = self.scene.base if one.layer == "base" else self.scene.config
        triggers = config.skills[int(one.path[1])].triggers if config is not None else ()
        return bool(triggers) and all(trigger.model for trigger in triggers)

    # -- the other runtime ---------------------------------------------------------------------

    def _claude(self) -> Iterator[Escape]:
        base, config = self.scene.base, self.scene.config
        if base is None or base.defaults.runtime != "claude" or not self.own:
            return
        if self.scene.base_only:
            return  # chosen in the only file that there is
        if config.defaults.runtime is None:
            works: tuple[Work, ...] = ("agent", "auxiliary", "synthesis", "workflow")
        elif config.defaults.runtime == "pi":
            # For the action's own work the base layer's runtime comes first.
            works = ("workflow",)
        else:
            return
        for work in works:
            inherited = work != "workflow"
            layer: Layer = "repo" if inherited else "base"
            how = "is inherited by this file" if inherited else "comes first for the action"
            yield Escape(
                "E11",
                work,
                f'runtime = "claude" in the base layer {how}: providers are ignored, and '
                f"{_WHAT[work]} goes to Claude Code's provider.",
                'Set runtime = "pi" under [defaults] '
                + ("in this file." if inherited else "in the base layer."),
                Edit("defaults.runtime", "pi", None, layer),
            )

    # -- shared --------------------------------------------------------------------------------

    def _views(self) -> Iterator[View]:
        scene = self.scene
        if scene.base is None or scene.base_lanes is None:
            yield View("repo", scene.config, None, scene.lanes)
            return
        if scene.base_only:
            skilled = {**scene.base_lanes, "workflow": scene.lanes["workflow"]}
            yield View("base", scene.base, None, skilled)
            return
        base_names = {skill.name for skill in scene.base.skills}
        own_skills = [skill for skill in scene.config.skills if skill.name not in base_names]
        if not scene.base.skills:
            yield View("repo", scene.config, scene.base, scene.lanes)
            return
        if own_skills:
            yield View("base", scene.base, scene.config, scene.base_lanes)
            yield View("repo", scene.config, scene.base, scene.lanes)
            return
        # Nothing runs with the repository's lanes but build, which reads one file alone.
        workflow: dict[Work, Resolution] = {"workflow": scene.lanes["workflow"]}
        yield View("base", scene.base, scene.config, {**scene.base_lanes, **workflow})
        if not scene.lanes["agent"].left:
            kept: tuple[Work, ...] = ("agent", "build", "build_repair")
            lanes = {work: scene.lanes[work] for work in kept}
            yield View("repo", scene.config, scene.base, lanes)

    def _reachable(self, layer: Layer) -> str | None:
        return reachable(self.scene, layer, self.own or self.chosen)

    def _misnamed(self, work: Work, view: View, message: str, name: str) -> Escape:
        """A provider of the file under a name that stock gives to a hosted service."""
        new = re.sub(r"[^a-z0-9]", "", name.lower()) + "gw"
        config, base = self.scene.config, self.scene.base
        taken = {one.name for file in (config, base) if file for one in file.providers}
        while new in taken:
            new += "2"
        # The repository's lanes may use the base layer's providers: the name is changed there.
        holder: Layer = "base"
        if view.layer == "repo" and config.provider(name) is not None:
            holder = "repo"
        where = " --layer base" if holder == "base" else ""
        # One edit changes one file: the selectors of the other would be left behind.
        edit = Edit(f"defaults.providers.{name}", new, None, holder)
        return Escape(
            "E14",
            work,
            message[0].upper() + message[1:],
            f"turnkey provider rename {shell_word(name)} {new}{where}. Stock Warden knows the "
            "provider only from Pi's models.json",
            edit if holder == view.layer else None,
            view.layer,
        )

    def _escape(
        self,
        code: EscapeCode,
        work: Work,
        view: View,
        message: str,
        resolution: Resolution | None = None,
    ) -> Escape:
        if code == "E14" and resolution is not None and resolution.provider is not None:
            return self._misnamed(work, view, message, resolution.provider)
        lane = _LANE_OF[work]
        if resolution is not None and work == "synthesis" and resolution.won_by == AUXILIARY:
            lane = "auxiliary"
        if resolution is None and not self.stock and view.lanes["agent"].left:
            lane = "agent"  # the other lanes follow it in this variant
        in_base = view.layer == "base" or (resolution is not None and resolution.layer == "base")
        layer: Layer = "base" if in_base else "repo"
        path = _KEY_OF[lane]
        place = " in the base layer" if layer == "base" else ""
        selector = self._reachable(layer)
        if selector is None:
            seen = place or " here"
            fix = f"Add a provider{seen}, then set {path}{place} to a model of it"
        elif layer == "repo":
            fix = f"turnkey lane set {lane} {shell_word(one_line(selector))}"
        else:
            fix = f"Set {path} to {selector}{place}"
        if code == "E13" and view.lanes[work].emptied == VARIABLE:
            fix += f", or give {VARIABLE} a value where Warden runs"
        elif code == "E14":
            fix += ". Stock Warden knows the provider only from Pi's models.json"
        return Escape(
            code,
            work,
            message[0].upper() + message[1:],
            fix,
            Edit(path, selector, lane, layer),
            view.layer,
        )


def _shown(selector: str | None) -> str:
    return one_line(shown_selector(selector or ""), 80)
