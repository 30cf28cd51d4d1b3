"""What the probes learned of a model, as the compat and facts that an export writes. Pure.

What a request showed goes over what a name suggests. A flag that differs from Pi's own choice is
written only where it was needed or its effect was seen; one that could not be decided gets the
value that adds nothing to a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.verify.compat import Compat, detected

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from core.verify.pi_shape import PiModel
    from core.verify.verdict import Subject, Verdict

ALWAYS_WRITTEN: Final = (
    "supports_store",
    "supports_developer_role",
    "supports_reasoning_effort",
    "supports_usage_in_streaming",
    "max_tokens_field",
    "supports_strict_mode",
)
"""Written even where equal to Pi's own choice, which differs by version, provider id and host."""

_SAFE: Final = Compat(
    supports_store=False,
    supports_developer_role=False,
    supports_reasoning_effort=False,
    supports_strict_mode=False,
    supports_long_cache_retention=False,
)
_UNPROVEN: Final = {
    "store": "supports_store",
    "developer": "supports_developer_role",
    "reasoning-effort": "supports_reasoning_effort",
    "strict": "supports_strict_mode",
    "cache-retention": "supports_long_cache_retention",
}
"""By probe: the flag that an undecided verdict switches off."""


def cautious() -> Compat:
    """The compat of a model that nothing is known of: the values that add nothing to a request."""
    return _SAFE


def learned_compat(verdicts: Iterable[Verdict], subject: Subject) -> Compat:
    """The flags in which ``subject`` must differ from what Pi 1.5.2 would pick for it.

    Of the verdicts those of ``subject``'s provider and model count, the last of equal probes.
    Only flags that a probe decided (needed, or seen to work) or left undecided are in it.
    """
    mine = of(verdicts, subject)
    found = Compat()
    for verdict in mine.values():
        flags = _flags(verdict)
        flag = _UNPROVEN.get(verdict.probe)
        if verdict.verdict == "unsure" and flag is not None:
            flags = flags.over(msgspec.structs.replace(Compat(), **{flag: False}))
        found = flags.over(found)
    form = mine.get("thinking-format")
    if form is not None and form.finding == "honoured" and form.detail.get("format") == "openai":
        found = msgspec.structs.replace(found, supports_reasoning_effort=None)
    if not (thinks(mine, subject) or subject.described.reasoning):
        # nothing of this is ever sent to a model without reasoning
        found = msgspec.structs.replace(
            found,
            supports_developer_role=None,
            supports_reasoning_effort=None,
            thinking_format=None,
            chat_template_kwargs=None,
            chat_template_args=None,
            thinking_token_budget_field=None,
        )
    return _differing(found, detected(subject.provider, subject.base_url, subject.model, "stock"))


def written_compat(verdicts: Iterable[Verdict], subject: Subject) -> Compat:
    """:func:`learned_compat`, and beside it the flags that are always written, at Pi's value."""
    learned = learned_compat(verdicts, subject)
    default = detected(subject.provider, subject.base_url, subject.model, "stock")
    always = {name: getattr(default, name) for name in ALWAYS_WRITTEN}
    return learned.over(msgspec.structs.replace(Compat(), **always))


def exported_compat(
    verdicts: Iterable[Verdict], subject: Subject, flags: Mapping[str, Collection[str]]
) -> Compat:
    """The compat that an export writes with these verdicts, so that trials are shaped by the same.

    ``flags``: by probe the flags that it decides, under Pi's names. What no probe was asked about
    gets the value that adds nothing to a request.
    """
    mine = of(verdicts, subject)
    compat = written_compat(mine.values(), subject)
    if not mine.keys() & flags.keys():
        return cautious().over(compat)
    unasked = {flag for name, own in flags.items() if name not in mine for flag in own}
    careful = cautious()
    names = zip(careful.__struct_fields__, careful.__struct_encode_fields__, strict=True)
    safe = {
        field: getattr(careful, field)
        for field, name in names
        if name in unasked and getattr(careful, field) is not None
    }
    return msgspec.structs.replace(compat, **safe)


def learned_model(verdicts: Iterable[Verdict], subject: Subject) -> PiModel:
    """``subject``'s facts with what the probes showed: reasoning, levels, images."""
    mine = of(verdicts, subject)
    model = subject.described
    image = mine.get("image")
    if image is not None and image.finding in {"honoured", "refused", "dropped"}:
        model = msgspec.structs.replace(model, image=image.finding == "honoured")
    return msgspec.structs.replace(
        model, reasoning=thinks(mine, subject), thinking_level_map=level_map(mine, subject)
    )


def level_map(mine: dict[str, Verdict], subject: Subject) -> dict[str, str | None]:
    """``thinkingLevelMap``: refused levels out of the choice, and the word for off.

    A level that the user mapped stays as it is.
    """
    mapped: dict[str, str | None] = {}
    levels, form = mine.get("levels"), mine.get("thinking-format")
    effort = mine.get("reasoning-effort")
    read = effort is not None and effort.finding in {"honoured", "read", "accepted"}
    if levels is not None and levels.finding in {"some", "refused", "all"}:
        mapped = {
            level: None
            for level in ("minimal", "low", "medium", "high")
            if levels.detail.get(level) == "refused"
        }
        if len(mapped) == len(("minimal", "low", "medium", "high")):
            mapped = {}  # the field itself is refused; the flag for it says so
    if form is None:
        off = read and levels is not None and levels.detail.get("none") == "accepted"
    else:
        off = bool(form.detail.get("off_word"))
        if form.detail.get("off") is False:
            mapped["off"] = None
    if off:
        mapped["off"] = "none"
    return {**mapped, **subject.described.thinking_level_map}


def thinks(mine: dict[str, Verdict], subject: Subject) -> bool:
    """Whether the model is to be described as one that thinks.

    Thinking between tags counts only where a switch for it was found, for that can turn it off.
    """
    thinking, form = mine.get("thinking"), mine.get("thinking-format")
    if form is not None and form.detail.get("format"):
        return True
    if thinking is not None and thinking.finding in {"honoured", "hidden", "answer_in_thinking"}:
        return True
    if form is not None and form.finding == "no_thinking":
        return False
    return subject.described.reasoning


def of(verdicts: Iterable[Verdict], subject: Subject) -> dict[str, Verdict]:
    """The last verdict of each probe of ``subject``'s model behind its provider."""
    return {
        one.probe: one
        for one in verdicts
        if (one.provider, one.model) == (subject.provider, subject.model)
    }


def _flags(verdict: Verdict) -> Compat:
    """The flags in a verdict; a record that was changed by hand may hold none."""
    try:
        return msgspec.convert(verdict.learned, Compat)
    except msgspec.ValidationError:
        return Compat()


def _differing(found: Compat, default: Compat) -> Compat:
    """``found`` without what Pi picks anyway."""
    same = {
        name: None
        for name in Compat.__struct_fields__
        if getattr(found, name) == getattr(default, name)
    }
    return msgspec.structs.replace(found, **same)
