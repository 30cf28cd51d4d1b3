"""The probe of thinking formats: which of Pi's shapes switches this model's thinking on and off.

Each candidate is sent as Pi 1.5.2 shapes it, once on and once off, with a small sum. Both taken
and alike is what an ignored field looks like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.verify.compat import Compat, ThinkingFormat, effective
from core.verify.pi_shape import PiModel, thinking_fields
from core.verify.probe import Probe
from core.verify.probes.asking import ask_sum, sum_of
from core.verify.reading import Judged, read, thinks, told

if TYPE_CHECKING:
    from core.verify.bench import Body, Tape
    from core.verify.reading import Answers
    from core.verify.verdict import Subject

SWITCH: Final[dict[str, object]] = {"enable_thinking": {"$var": "thinking.enabled"}}
CANDIDATES: Final[tuple[Compat, ...]] = (
    Compat(thinking_format="openai"),
    Compat(thinking_format="qwen-chat-template"),
    Compat(thinking_format="chat-template", chat_template_kwargs=SWITCH),
    Compat(
        thinking_format="chat-template",
        chat_template_kwargs={"thinking": {"$var": "thinking.enabled"}},
    ),
    Compat(thinking_format="qwen"),
    Compat(thinking_format="zai"),
    Compat(thinking_format="deepseek"),
    Compat(thinking_format="openrouter"),
    Compat(thinking_format="together"),
    Compat(thinking_format="baseten", chat_template_args=SWITCH),
    Compat(thinking_format="string-thinking"),
    Compat(thinking_format="ant-ling"),
)
"""In the order of trying: what Pi does unasked, then what self-hosted servers read."""
_LIKELY: Final = 4
_AGAIN: Final = (" again", " again 2", " again 3")
"""What repetitions are called, behind the name of what they repeat."""
_FULL: Final = Compat(supports_reasoning_effort=True)


def bodies(candidate: Compat, model: str) -> tuple[Body, Body]:
    """What is added to R0 for thinking on (medium) and off, as Pi 1.5.2 shapes it.

    The level ``off`` is mapped to ``none``, the word that servers know for it, and effort is left
    out beside another switch: one field at a time.
    """
    form = candidate.thinking_format
    alone = form != "openai"
    flags = candidate.over(_FULL)
    if alone:
        flags = msgspec.structs.replace(flags, supports_reasoning_effort=False)
    mapped: dict[str, str | None] = {"off": "none", "medium": "medium"}
    pi = PiModel(model, reasoning=True, thinking_level_map=mapped)
    return thinking_fields(pi, flags, "medium"), thinking_fields(pi, flags, "off")


def label(candidate: Compat) -> str:
    """The format's name, and the switch where that is not plain from it."""
    keys = candidate.chat_template_kwargs or candidate.chat_template_args
    return f"{candidate.thinking_format} ({', '.join(keys)})" if keys else _name(candidate)


def _name(candidate: Compat) -> ThinkingFormat:
    return candidate.thinking_format or "openai"


async def _ask(tape: Tape) -> None:
    """Each candidate until one moves the thinking both ways; what was refused once more."""
    changes: dict[str, Body] = {}
    await _try(tape, changes)
    await tape.confirm_all(changes)


async def _try(tape: Tape, changes: dict[str, Body]) -> None:
    """The candidates, one by one; what each added to R0 stands in ``changes``.

    First the side that would change something; where it changes nothing, the other can prove
    nothing. A model of which nobody says that it thinks is asked with the likely switches alone.
    """
    base = thinks(await ask_sum(tape))
    likely = base or tape.subject.described.reasoning
    for candidate in CANDIDATES if likely else CANDIDATES[:_LIKELY]:
        on, off = bodies(candidate, tape.subject.model)
        name = label(candidate)
        for side, fields in (("off", off), ("on", on)) if base else (("on", on), ("off", off)):
            if not fields:
                continue
            change = changes[f"{name} {side}"] = {"messages": sum_of(tape), **fields}
            answered = await tape.ask(f"{name} {side}", change)
            if answered.ok and thinks(answered) == base and name != "openai":
                break
        if moved(tape.answers, candidate) in {"both", "on"}:
            # a model may think or not of itself: some more of each
            sides = (("on", on), ("off", off)) if off else (("on", on), ("nothing", off))
            again: dict[str, Body] = {
                f"{name} {side}{more}": {"messages": sum_of(tape), **fields}
                for side, fields in sides
                for more in _AGAIN
            }
            await tape.ask_all(again)
        if moved(tape.answers, candidate) == "both":
            return


def moved(answers: Answers, candidate: Compat) -> str:
    """What a candidate did: ``both``, ``on``, ``off``, ``ignored``, ``refused``, ``unclear``."""
    name = label(candidate)
    on, off = read(answers, f"{name} on"), read(answers, f"{name} off")
    base = thinks(answers["sum"])
    if off.state == "accepted" and f"{name} on" not in answers:
        return "ignored"
    if on.state == "refused":
        return "refused"
    if on.state != "accepted":
        return "unclear"
    thought_on = thinks(answers[f"{name} on"])
    steady = all(thinks(answers.get(f"{name} on{more}")) for more in _AGAIN)
    repeated = f"{name} on{_AGAIN[0]}" in answers
    if off.state != "accepted":
        known = not base or off.state == "refused"
        idle = not any(thinks(answers.get(f"{name} nothing{more}")) for more in _AGAIN)
        return "on" if thought_on and known and idle and (steady or not repeated) else "ignored"
    thought_off = thinks(answers[f"{name} off"])
    if not thought_on or thought_off:
        return "ignored"
    if repeated and not steady:
        return "ignored"
    offs = [answers.get(f"{name} off{more}") for more in _AGAIN]
    return "ignored" if any(thinks(one) for one in offs) else "both"


def _judge(answers: Answers, subject: Subject) -> Judged:
    tried = [
        one for one in CANDIDATES if {f"{label(one)} on", f"{label(one)} off"} & answers.keys()
    ]
    found = {label(one): moved(answers, one) for one in tried}
    anything = any(thinks(one) for one in answers.values())
    claimed = subject.described.reasoning
    flags = effective(
        subject.written, subject.provider, subject.base_url, subject.model, subject.variant
    )
    mine = flags.thinking_format or "openai"
    said = "; ".join(f"{name}: {_WORDS[state]}" for name, state in found.items()) + "."
    detail: dict[str, str | int | float | bool | None] = {"reasoning": anything}
    if not answers["sum"].ok:
        return Judged(None, "unclear", f"A small sum already fails: {told(answers['sum'])}")
    if not anything:
        return Judged(
            None if claimed else True,
            "no_thinking",
            "No thinking came whatever was said about it"
            + (", though the model is described as one that thinks." if claimed else "."),
            fix="Set reasoning to false for it.",
            detail=detail,
        )
    best = next((one for one in tried if found[label(one)] == "both"), None)
    half = next((one for one in tried if found[label(one)] == "on"), None)
    chosen = best or half
    if chosen is not None:
        detail |= {"format": chosen.thinking_format, "off": best is not None}
        if chosen.thinking_format == "openai" and best is not None:
            detail["off_word"] = "none"
    own = found.get(mine, "")
    refused = own == "refused" and claimed
    if chosen is not None and chosen.thinking_format == mine:
        return Judged(
            True,
            "honoured" if best is not None else "half",
            f"{label(chosen)} switches thinking on{' and off' if best is not None else ''}.",
            detail=detail,
        )
    if chosen is not None:
        return Judged(
            False if refused or subject.variant == "stock" else None,
            "other",
            f"{label(chosen)} switches thinking; Pi would use {mine}, which does not. {said}",
            chosen,
            cured=True,
            fix=f"Use export pi, which writes thinkingFormat: {chosen.thinking_format}.",
            detail=detail,
        )
    if own == "refused":
        return Judged(
            False if claimed else None,
            "refused",
            f"Thinking comes of itself, and what Pi sends to steer it is refused. {said}",
            Compat(supports_reasoning_effort=False),
            cured=mine == "openai",
            fix="Use export pi, which then says nothing about thinking.",
            detail=detail,
        )
    return Judged(
        None,
        "ignored",
        f"Thinking comes, and nothing moves it. {said}",
        Compat(supports_reasoning_effort=False) if mine == "openai" else Compat(),
        fix="Give the server a chat template with a thinking switch, if you want one.",
        detail=detail,
    )


_WORDS: Final = {
    "both": "on and off",
    "on": "on alone",
    "ignored": "no effect",
    "refused": "refused",
    "unclear": "not decided",
}


PROBES: Final = (
    Probe(
        "thinking-format",
        "Which of Pi's ways to steer thinking does this model obey?",
        ("thinkingFormat", "chatTemplateKwargs", "chatTemplateArgs"),
        32,
        8000,
        _ask,
        _judge,
    ),
)
