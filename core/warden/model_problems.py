"""Models and efforts that a file names and Warden or Pi then cannot use.

Source: getsentry/warden ``sdk/runtimes/model-selectors.ts`` (the form of a selector),
``sdk/runtimes/pi.ts`` (the exact look-up).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.providers.hosted import is_hosted
from core.providers.key_forms import shown_selector
from core.text import one_line
from core.warden.config import Config, Variant, split_selector
from core.warden.findings import Finding, Path, nearest


def model_findings(
    config: Config, data: Mapping[str, object], variant: Variant
) -> Iterator[Finding]:
    """Selectors, old spellings of lanes, efforts that do nothing, providers that are ignored."""
    claude = config.defaults.runtime == "claude"
    if claude and config.providers:
        text = 'With runtime = "claude" every lane goes to Claude Code; providers are ignored.'
        fix = 'runtime = "pi"'
        path: Path = ("defaults", "runtime")
        yield Finding("runtime_claude", "error", path, text, "Warden ignores the providers.", fix)
    for path, selector in _selectors(config):
        yield from _selector_findings(path, selector, config, variant, claude=claude)
    yield from _legacy_findings(data)
    yield from _effort_findings(config)


def _selectors(config: Config) -> Iterator[tuple[Path, str]]:
    defaults = config.defaults
    for path, value in (
        (("defaults", "model"), defaults.model),
        (("defaults", "agent", "model"), defaults.agent_model),
        (("defaults", "auxiliary", "model"), defaults.auxiliary_model),
        (("defaults", "synthesis", "model"), defaults.synthesis_model),
    ):
        if value is not None:
            yield path, value
    for index, skill in enumerate(config.skills):
        if skill.model is not None:
            yield ("skills", index, "model"), skill.model
        for number, trigger in enumerate(skill.triggers):
            if trigger.model is not None:
                yield ("skills", index, "triggers", number, "model"), trigger.model


def _selector_findings(
    path: Path, selector: str, config: Config, variant: Variant, *, claude: bool
) -> Iterator[Finding]:
    shown = one_line(shown_selector(selector), 80)
    if selector == "":
        text = "The model is empty, which counts as unset."
        yield Finding("empty_model", "warning", path, text, "The next rule of the lane decides.")
        return
    if claude:
        return
    parts = split_selector(selector)
    if parts is None:
        text = f"«{shown}» is not a selector: it must be provider/model-id."
        fix = _selector_hint(selector, config)
        effect = "Warden stops before the run (invalid_model_selector)."
        yield Finding("selector_format", "error", path, text, effect, fix)
        return
    name, model = parts
    provider = config.provider(name)
    if provider is not None:
        ids = [entry.id for entry in provider.models]
        if model not in ids and ids:
            close = nearest(model, ids)
            fix = f"{name}/{close}" if close else f"Add the model {one_line(model, 60)} to {name}."
            text = f"{one_line(name, 40)} has no model {one_line(model, 80)} in this file."
            effect = "The lane fails when it runs: Pi model not found."
            yield Finding("model_unknown", "error", path, text, effect, fix)
        return
    if is_hosted(name):
        return
    declared = [one.name for one in config.providers]
    effect = "The lane fails when it runs: Pi model not found."
    if name.startswith("@"):
        text = f"«{one_line(name, 40)}» is a vendor's prefix and not a provider."
        fix = f"cloudflare-workers-ai/{shown}" if name == "@cf" else f"Write provider/{shown}."
        yield Finding("provider_unknown", "error", path, text, effect, fix)
        return
    close = nearest(name, declared) or ("google" if name == "gemini" else None)
    text = f"No provider «{one_line(name, 40)}» is declared in this file, and Pi has none."
    if close:
        fix = f"{close}/{one_line(model, 80)}"
        yield Finding("provider_unknown", "error", path, text, effect, fix)
    elif variant == "stock":
        fix = "It must stand in Pi's models.json."
        yield Finding("provider_unknown", "note", path, text, "Pi looks in its models.json.", fix)
    else:
        fix = "Add the provider, or see that Pi's models.json has it."
        yield Finding("provider_unknown", "warning", path, text, effect, fix)


def _selector_hint(selector: str, config: Config) -> str:
    bare = selector.strip("/")
    for provider in config.providers:
        if bare in {entry.id for entry in provider.models}:
            return f"{provider.name}/{one_line(bare, 80)}"
        if bare == provider.name and provider.models:
            return f"{provider.name}/{provider.models[0].id}"
    if bare.startswith("claude"):
        return f'anthropic/{one_line(bare, 60)}, or runtime = "claude"'
    return "Write provider/model-id."


def _legacy_findings(data: Mapping[str, object]) -> Iterator[Finding]:
    defaults = data.get("defaults")
    if not isinstance(defaults, Mapping):
        return
    for old, table, new in (
        ("model", "agent", "model"),
        ("maxTurns", "agent", "maxTurns"),
        ("auxiliaryMaxRetries", "auxiliary", "maxRetries"),
    ):
        if not defaults.get(old):
            continue
        beside = defaults.get(table)
        path: Path = ("defaults", old)
        target = f"defaults.{table}.{new}"
        if isinstance(beside, Mapping) and beside.get(new):
            text = f"defaults.{old} does nothing here: {target} is set and comes first."
            yield Finding(
                "shadowed_key", "warning", path, text, f"Warden uses {target}.", "Remove it."
            )
        else:
            text = f"defaults.{old} is the old spelling of {target}."
            yield Finding("legacy_key", "note", path, text, "Warden still reads it.", target)


def _effort_findings(config: Config) -> Iterator[Finding]:
    defaults = config.defaults
    if defaults.agent_effort:
        yield Finding(
            "effort_spelling",
            "note",
            ("defaults", "agent", "effort"),
            "Wardens up to May 2026 call defaults.agent.effort reasoningEffort.",
            "Such a Warden refuses the whole file; today's reads it.",
            "Ask which Warden reads this file, where it is pinned to an old version.",
        )
    for lane, effort, selector in (
        ("agent", defaults.agent_effort, defaults.agent_model or defaults.model),
        ("auxiliary", defaults.auxiliary_effort, defaults.auxiliary_model),
    ):
        parts = split_selector(selector or "")
        provider = config.provider(parts[0]) if parts else None
        if not effort or effort == "off" or parts is None or provider is None:
            continue
        for entry in provider.models:
            if entry.id == parts[1] and not entry.reasoning:
                text = f"{one_line(entry.id, 80)} is declared without reasoning: effort is idle."
                path: Path = ("defaults", lane, "effort")
                yield Finding(
                    "effort_without_reasoning",
                    "note",
                    path,
                    text,
                    "Pi sends no effort.",
                    "reasoning = true at the model, if it can think.",
                )
