"""What verdicts say of the models of a setup, as an exported file would describe them. Pure.

A flag that a probe decided is written as it was found; one whose probe was not asked gets the
value that adds nothing to a request. Flags of optional probes are Pi's own to choose then, since
it sends what they are about only where a person switched that on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.export.setup import Learned
from core.verify.learned import cautious, learned_model, of, written_compat
from core.verify.pi_shape import PiModel
from core.verify.trials.setting import DEFAULT_MAX_TOKENS, DEFAULT_WINDOW
from core.verify.verdict import Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from core.verify.compat import Compat
    from core.verify.verdict import Verdict
    from core.warden.config import ModelEntry, Provider


def described(model: ModelEntry) -> PiModel:
    """A model of the file as an exported ``models.json`` describes it before anything is learned.

    Where the file says no limit it gets Pi's default, with which the trials for stock are made.
    """
    return PiModel(
        model.id,
        reasoning=model.reasoning,
        image="image" in model.input,
        context_window=model.context_window or DEFAULT_WINDOW,
        max_tokens=model.max_tokens or DEFAULT_MAX_TOKENS["stock"],
    )


def learned_models(
    providers: Collection[Provider], verdicts: Sequence[Verdict]
) -> dict[str, Learned]:
    """By selector what the compatibility probes found; models that none was asked of are left out.

    So ``stock`` trials and the exported file describe a model alike: a trial's compat is this one.
    """
    if not verdicts:
        return {}
    from core.verify.trials.limits import OUTPUT_LIMIT  # brings httpx along

    flags = _flags_by_probe()
    found: dict[str, Learned] = {}
    for provider in providers:
        for model in provider.models:
            subject = Subject(
                provider.name,
                model.id,
                variant="stock",
                facts=described(model),
                base_url=provider.base_url,
            )
            mine = of(verdicts, subject)
            if not mine.keys() & flags.keys():
                continue
            compat = _safe_where_unasked(written_compat(verdicts, subject), mine, flags)
            facts = learned_model(verdicts, subject)
            image = mine.get("image")
            found[f"{provider.name}/{model.id}"] = Learned(
                compat,
                dict(facts.thinking_level_map),
                facts.reasoning,
                _held_limit(mine.get(OUTPUT_LIMIT)),
                None if image is None or image.finding != "refused" else False,
            )
    return found


def borne(verdicts: Collection[Verdict]) -> int | None:
    """The highest number of requests at once that every endpoint bore; None: it was not tried."""
    if not verdicts:
        return None
    from core.verify.trials.crowd import NAME  # brings httpx along

    numbers = [
        level
        for one in verdicts
        if one.probe == NAME
        and isinstance(level := one.detail.get("borne"), int)
        and not isinstance(level, bool)
        and level > 0
    ]
    return min(numbers, default=None)


def _flags_by_probe() -> dict[str, frozenset[str]]:
    from core.verify.registry import compat_probes

    return {probe.name: frozenset(probe.flags) for probe in compat_probes()}


def _safe_where_unasked(
    compat: Compat, mine: Collection[str], flags: dict[str, frozenset[str]]
) -> Compat:
    unasked = {flag for name, own in flags.items() if name not in mine for flag in own}
    careful = cautious()
    names = zip(careful.__struct_fields__, careful.__struct_encode_fields__, strict=True)
    safe = {
        field: getattr(careful, field)
        for field, name in names
        if name in unasked and getattr(careful, field) is not None
    }
    return msgspec.structs.replace(compat, **safe)


def _held_limit(verdict: Verdict | None) -> int | None:
    """Tokens at which answers end, where the declared limit was seen not to hold."""
    if verdict is None or verdict.finding != "limit_smaller":
        return None
    written = verdict.detail.get("completion_tokens")
    if not isinstance(written, int) or isinstance(written, bool) or written <= 0:
        return None
    return written
