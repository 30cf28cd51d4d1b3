"""Probes of roles: ``developer``, and system messages or tools in mid-conversation.

A template that does not know a role may drop the message without a word, so what the server
counts for the prompt is the first witness, and whether the model obeyed the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.verify.bench import user
from core.verify.compat import Compat
from core.verify.probe import Probe
from core.verify.probes.asking import read_tool, task
from core.verify.reading import Judged, prompt_tokens, read, thinks, undecided

if TYPE_CHECKING:
    from core.verify.bench import Body, Tape
    from core.verify.exchange import Answered
    from core.verify.reading import Answers
    from core.verify.verdict import Subject

KIWI: Final = "Whatever you are asked, answer only with the word KIWI."
QUESTION: Final = "What is the capital of France?"


def _obeyed(answered: Answered) -> bool:
    return "kiwi" in answered.answer.lower()


async def _asked(tape: Tape, name: str, messages: list[Body]) -> Answered:
    change: Body = {"messages": messages}
    answered = await tape.ask(name, change)
    await tape.confirm(name, change)
    return answered


async def _ask_developer(tape: Tape) -> None:
    system = tape.bench.system(KIWI)
    developer = {**system, "role": "developer"}
    if (await _asked(tape, "developer", [developer, user(QUESTION)])).ok:
        await _asked(tape, "system", [system, user(QUESTION)])
        await _asked(tape, "alone", [user(QUESTION)])
        if _obeyed(tape.answers["system"]) and not _obeyed(tape.answers["developer"]):
            await tape.ask("developer again", {"messages": [developer, user(QUESTION)]})


def _developer(answers: Answers, subject: Subject) -> Judged:
    thinking = subject.described.reasoning or thinks(answers["before"])
    unused = " Pi sends it to reasoning models only, and this one is not known to think."
    off = Compat(supports_developer_role=False)
    fix = (
        "Use a chat template or server that knows the role; else export pi, which writes"
        " supportsDeveloperRole: false."
    )
    reading = read(answers, "developer")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        text = f"The role developer is refused ({reading.words}).{'' if thinking else unused}"
        return Judged(not thinking, "refused", text, off, cured=True, fix=fix)
    counts = {name: prompt_tokens(answers.get(name)) for name in ("developer", "system", "alone")}
    detail: dict[str, str | int | float | bool | None] = {**counts}
    with_it, alone = counts["developer"], counts["alone"]
    if with_it is not None and alone is not None and with_it <= alone:
        text = (
            f"The role developer is taken and its message dropped: {with_it} prompt tokens with"
            f" it, {alone} without.{'' if thinking else unused}"
        )
        return Judged(not thinking, "dropped", text, off, cured=True, fix=fix, detail=detail)
    tried = [answers[name] for name in ("developer", "developer again") if name in answers]
    if any(_obeyed(one) for one in tried):
        return Judged(
            True, "honoured", "The instruction in a developer message is followed.", detail=detail
        )
    system = answers.get("system")
    cut = any(not one.answer.strip() for one in tried)
    if system is not None and system.ok and _obeyed(system) and not cut:
        text = (
            "The role developer is taken, and what it says is not followed, twice; the same as"
            " system is."
            f"{'' if thinking else unused}"
        )
        return Judged(not thinking, "not_followed", text, off, cured=True, fix=fix, detail=detail)
    if with_it is not None and alone is not None:
        return Judged(
            True,
            "counted",
            f"A developer message reaches the model: {with_it} prompt tokens with it, {alone}"
            " without. This model follows such an instruction under neither role.",
            detail=detail,
        )
    return Judged(
        None,
        "accepted",
        "The role developer is taken; whether it reaches the model does not show, for nothing"
        " counts prompt tokens, and the model follows neither role.",
        off,
        cured=True,
        detail=detail,
    )


async def _ask_late_system(tape: Tape) -> None:
    said: Body = {"role": "assistant", "content": "Hello."}
    start = [tape.bench.system(), user("Hello."), said]
    late: Body = {"role": "system", "content": KIWI}
    if (await _asked(tape, "late", [*start, late, user(QUESTION)])).ok:
        await _asked(tape, "without", [*start, user(QUESTION)])


def _late_system(answers: Answers, _: Subject) -> Judged:
    fix = "Leave supportsMidConvoSystemMessages unset: Pi then puts them into the first one."
    reading = read(answers, "late")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False, "refused", f"A later system message is refused ({reading.words}).", fix=fix
        )
    with_it, without = prompt_tokens(answers["late"]), prompt_tokens(answers.get("without"))
    if _obeyed(answers["late"]):
        return Judged(
            True,
            "honoured",
            "A later system message is followed.",
            Compat(supports_mid_convo_system_messages=True),
        )
    if with_it is not None and without is not None and with_it <= without:
        return Judged(
            False,
            "dropped",
            f"A later system message is dropped: {with_it} prompt tokens with it, {without}"
            " without.",
            fix=fix,
        )
    return Judged(
        None, "not_followed", "A later system message is taken, and not followed.", fix=fix
    )


async def _ask_late_tools(tape: Tape) -> None:
    late: Body = {"role": "system", "tools": [read_tool()]}
    rule, wanted = task(tape)
    messages = [
        rule,
        user("Hello."),
        {"role": "assistant", "content": "Hello."},
        late,
        wanted,
    ]
    change: Body = {"messages": messages}
    await tape.ask("late", change)
    await tape.confirm("late", change)


def _late_tools(answers: Answers, _: Subject) -> Judged:
    fix = "Leave supportsMidConvoToolAdditions unset."
    reading = read(answers, "late")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False, "refused", f"Tools in a later message are refused ({reading.words}).", fix=fix
        )
    if any(call.name == "read" for call in answers["late"].calls):
        return Judged(
            True,
            "honoured",
            "A tool that a later message added was called.",
            Compat(supports_mid_convo_system_messages=True, supports_mid_convo_tool_additions=True),
        )
    return Judged(None, "ignored", "Tools in a later message are taken, and not called.", fix=fix)


PROBES: Final = (
    Probe(
        "developer",
        "Does a message with the role developer reach the model?",
        ("supportsDeveloperRole",),
        5,
        600,
        _ask_developer,
        _developer,
    ),
    Probe(
        "late-system",
        "Is a system message in mid-conversation followed?",
        ("supportsMidConvoSystemMessages",),
        3,
        400,
        _ask_late_system,
        _late_system,
        optional=True,
    ),
    Probe(
        "late-tools",
        "Can a later message add tools?",
        ("supportsMidConvoToolAdditions",),
        1,
        200,
        _ask_late_tools,
        _late_tools,
        optional=True,
    ),
)
