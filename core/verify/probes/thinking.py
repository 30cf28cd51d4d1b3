"""Probes of thinking: where it shows, which efforts are taken, how much it may cost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, get_args

from core.verify.bench import BOGUS
from core.verify.compat import BudgetField, Compat
from core.verify.pi_reader import FIELDS
from core.verify.probe import Probe
from core.verify.probes.asking import ask_sum, sum_of
from core.verify.reading import (
    Judged,
    knows_fields,
    prompt_tokens,
    read,
    thinks,
    thought,
    undecided,
)

if TYPE_CHECKING:
    from core.verify.bench import Body, Tape
    from core.verify.exchange import Answered
    from core.verify.reading import Answers, Reading
    from core.verify.verdict import Subject

LEVELS: Final = ("minimal", "low", "medium", "high")
"""The levels that every reasoning model of Pi has unless told otherwise."""
BUDGETS: Final[tuple[BudgetField, ...]] = get_args(BudgetField)
_SMALL: Final = 64
_APART: Final = 1.3


async def _ask_thinking(tape: Tape) -> None:
    await ask_sum(tape)


def _thinking(answers: Answers, subject: Subject) -> Judged:
    answered = answers["sum"]
    if not answered.ok:
        return undecided(read({**answers, "after": answers["before"]}, "sum"))
    claimed = subject.described.reasoning
    field = answered.thinking_field
    if not thinks(answered):
        if claimed:
            return Judged(
                None,
                "none",
                "The model is described as one that thinks, and no thinking came with a sum.",
                fix="Set reasoning to false for it, unless «thinking-format» finds its switch.",
            )
        return Judged(True, "none", "No thinking comes, and none is expected.")
    amount = thought(answered)
    detail: dict[str, str | int | float | bool | None] = {"field": field, "amount": amount}
    if field == "tags":
        return Judged(
            False,
            "tags",
            "Thinking comes inside the answer, between <think> tags: Pi takes it for the answer,"
            " and JSON is searched in it.",
            fix="Give the server a reasoning parser (vLLM, SGLang: --reasoning-parser; llama.cpp:"
            " --reasoning-format deepseek; LM Studio: the switch in its developer settings).",
            detail=detail,
        )
    if not answered.answer.strip() and answered.finish_reason == "stop":
        return Judged(
            False,
            "answer_in_thinking",
            "The model stopped with all its text in the thinking and none in the answer.",
            fix="Check the server's reasoning parser and chat template; they do not fit the model.",
            detail=detail,
        )
    if field is None:
        return Judged(
            True, "hidden", f"The model thinks unseen: {amount} tokens are counted.", detail=detail
        )
    if field not in FIELDS:
        return Judged(
            False,
            "parts",
            "Thinking comes as typed parts of a content list, which Pi shows as [object Object].",
            fix="Put a gateway before it that turns parts into reasoning_content.",
            detail=detail,
        )
    return Judged(True, "honoured", f"Thinking shows in the field {field}.", detail=detail)


# ---------------------------------------------------------------------------- effort


async def _ask_effort(tape: Tape) -> None:
    """Low, a word that is no level, high and off; low and high again where they differ."""
    await ask_sum(tape)
    low = await _effort(tape, "low")
    if not low.ok:
        await tape.confirm("low", {"messages": sum_of(tape), "reasoning_effort": "low"})
        return
    bogus = await _effort(tape, BOGUS)
    if not bogus.ok:
        await tape.confirm(BOGUS, {"messages": sum_of(tape), "reasoning_effort": BOGUS})
        return
    _, high, off = await asyncio.gather(
        tape.control(), _effort(tape, "high"), _effort(tape, "none")
    )
    again: list[str] = []
    if off.ok and not thinks(off) and thinks(tape.answers["sum"]):
        again += ["none", "sum"]  # a model may think or not of itself
    if high.ok and thought(high) > thought(low) * _APART:
        again += ["low", "high"]
    await asyncio.gather(*(_once_more(tape, name) for name in again))


async def _once_more(tape: Tape, name: str) -> Answered:
    effort: Body = {} if name == "sum" else {"reasoning_effort": name}
    return await tape.ask(f"{name} again", {"messages": sum_of(tape), **effort})


async def _effort(tape: Tape, level: str) -> Answered:
    change: Body = {"messages": sum_of(tape), "reasoning_effort": level}
    return await tape.ask_shared(level, change, f"effort {level}")


def reads_effort(answers: Answers) -> tuple[str, str]:
    """Whether ``reasoning_effort`` is read, as (finding, words), given that ``low`` is taken."""
    bogus = read(answers, BOGUS)
    if bogus.state == "refused":
        return "honoured", f"A word that is no level is refused ({bogus.words})."
    offs, plains = _pair(answers, "none"), _pair(answers, "sum")
    if len(offs) == len(plains) == 2 and all(map(thinks, plains)) and not any(map(thinks, offs)):
        return "honoured", "With none the model does not think, without the field it does; twice."
    low = [thought(answers.get(name)) for name in ("low", "low again")]
    high = [thought(answers.get(name)) for name in ("high", "high again")]
    if "high again" in answers and min(high) > max(low) * _APART:
        return "honoured", f"High thinks more than low, twice: {high} against {low}."
    changed = _template_reads(answers)
    if changed:
        return "read", changed
    if bogus.state == "unclear":
        return "unclear", bogus.words
    if knows_fields(answers):
        return "accepted", "Unknown fields are refused here, so this one is known."
    return "ignored", "Any word is taken, unknown fields are as well, and nothing differs."


def _pair(answers: Answers, name: str) -> list[Answered]:
    """The good answers to a request and to its repetition."""
    asked = (answers.get(name), answers.get(f"{name} again"))
    return [one for one in asked if one is not None and one.ok]


def _template_reads(answers: Answers) -> str:
    """A template that reads the word writes it into the prompt, which then has another length."""
    counted = {name: prompt_tokens(answers.get(name)) for name in ("low", "high", "none", "sum")}
    known = {value for value in counted.values() if value is not None}
    if len(known) < 2:
        return ""
    return f"The prompt's length depends on it: {counted}."


def _judge_effort(answers: Answers, subject: Subject) -> Judged:
    thinking = subject.described.reasoning or thinks(answers["sum"])
    unused = "" if thinking else " Pi sends it to reasoning models only."
    off = Compat(supports_reasoning_effort=False)
    reading = read(answers, "low")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            not thinking,
            "refused",
            f"reasoning_effort is refused ({reading.words}).{unused}",
            off,
            cured=True,
            fix="At a LiteLLM proxy set drop_params: true, or allowed_openai_params to pass it on;"
            " else export pi, which writes supportsReasoningEffort: false.",
        )
    finding, words = reads_effort(answers)
    if finding in {"honoured", "accepted", "read"}:
        return Judged(True, finding, f"reasoning_effort is taken. {words}")
    if not thinking:
        return Judged(True, finding, f"reasoning_effort is taken. {words}{unused}")
    return Judged(
        None,
        finding,
        f"reasoning_effort is taken. {words}",
        off if finding == "ignored" else Compat(),
        cured=finding == "ignored",
        fix="See «thinking-format» for a switch that this server reads.",
    )


# ---------------------------------------------------------------------------- levels


async def _ask_levels(tape: Tape) -> None:
    await ask_sum(tape)
    changes: dict[str, Body] = {}
    for level in (*LEVELS, "none", BOGUS):
        await _effort(tape, level)
        changes[level] = {"messages": sum_of(tape), "reasoning_effort": level}
    await tape.confirm_all(changes)


def _levels(answers: Answers, subject: Subject) -> Judged:
    thinking = subject.described.reasoning or thinks(answers["sum"])
    readings: dict[str, Reading] = {level: read(answers, level) for level in (*LEVELS, "none")}
    states = {level: reading.state for level, reading in readings.items()}
    off = answers["none"]
    if states["none"] == "accepted" and thinks(answers["sum"]):
        states["none"] = "accepted" if not thinks(off) else "unclear"
    detail: dict[str, str | int | float | bool | None] = {**states}
    taken = [level for level in LEVELS if states[level] == "accepted"]
    refused = [level for level in LEVELS if states[level] == "refused"]
    said = f"Taken: {', '.join(taken) or 'nothing'}. Refused: {', '.join(refused) or 'nothing'}."
    if states["none"] == "accepted" and thinks(answers["sum"]):
        said += " With none it does not think."
    unclear = [level for level in LEVELS if states[level] == "unclear"]
    if unclear:
        return Judged(None, "unclear", f"{said} {readings[unclear[0]].words}", detail=detail)
    bogus = read(answers, BOGUS)
    if not refused and bogus.state == "accepted":
        return Judged(
            None if thinking else True,
            "any_word",
            f"{said} A word that is no level is taken as well, so this says nothing about levels.",
            detail=detail,
        )
    if "medium" in refused:
        return Judged(
            not thinking,
            "refused",
            f"{said} Pi takes medium unless told otherwise"
            f" ({readings['medium'].words or 'refused'}).",
            Compat() if taken else Compat(supports_reasoning_effort=False),
            cured=True,
            fix="Use export pi, which leaves refused levels out of the choice; or let the gateway"
            " drop reasoning_effort.",
            detail=detail,
        )
    return Judged(True, "some" if refused else "all", said, detail=detail)


# ---------------------------------------------------------------------------- budgets


async def _ask_budget(tape: Tape) -> None:
    await ask_sum(tape)
    changes: dict[str, Body] = {}
    for field in BUDGETS:
        for name, value in ((field, _SMALL), (f"{field} bogus", BOGUS)):
            changes[name] = {"messages": sum_of(tape), field: value}
            if not (await tape.ask(name, changes[name])).ok:
                break
    await tape.confirm_all(changes)
    # a model may think less of itself: both once more where the budget seems to have done it
    plain = thought(tape.answers["sum"])
    for field in BUDGETS:
        if _shorter(thought(tape.answers[field]), plain):
            await tape.ask(f"{field} again", changes[field])
            await tape.ask("sum again", {"messages": sum_of(tape)})


def _shorter(amount: int, plain: int) -> bool:
    """Whether thinking was cut, and not just less this time."""
    return plain > _SMALL * 6 and 0 < amount < plain / 3


def _budget(answers: Answers, _: Subject) -> Judged:
    plain = thought(answers["sum"])
    readings = {field: read(answers, field) for field in BUDGETS}
    words: list[str] = []
    for field in BUDGETS:
        if readings[field].state != "accepted":
            words.append(f"{field}: {readings[field].state}")
            continue
        bogus, amount = read(answers, f"{field} bogus"), thought(answers[field])
        named = bogus.state == "refused" and (field in bogus.words or BOGUS in bogus.words)
        again = (answers.get(f"{field} again"), answers.get("sum again"))
        twice = all(again) and _shorter(thought(again[0]), thought(again[1]))
        if named or (_shorter(amount, plain) and twice):
            why = f"a text for it is refused ({bogus.words})" if named else "thinking got shorter"
            return Judged(
                True,
                "honoured",
                f"{field} is read: {why}.",
                Compat(thinking_token_budget_field=field),
                detail={"field": field},
            )
        words.append(f"{field}: taken, and nothing differs")
    said = "; ".join(words) + "."
    fix = "Leave thinkingTokenBudgetField unset."
    if all(reading.state == "refused" for reading in readings.values()):
        return Judged(False, "refused", said, fix=fix)
    return Judged(None, "ignored", said, fix=fix)


PROBES: Final = (
    Probe(
        "thinking",
        "Where does thinking show?",
        (),
        1,
        400,
        _ask_thinking,
        _thinking,
    ),
    Probe(
        "reasoning-effort",
        "Is reasoning_effort taken, and is it read?",
        ("supportsReasoningEffort",),
        10,
        2500,
        _ask_effort,
        _judge_effort,
    ),
    Probe(
        "levels",
        "Which levels of effort are taken?",
        (),
        10,
        2750,
        _ask_levels,
        _levels,
    ),
    Probe(
        "thinking-budget",
        "Can thinking be given a budget of tokens?",
        ("thinkingTokenBudgetField",),
        7,
        2000,
        _ask_budget,
        _budget,
        optional=True,
    ),
)
