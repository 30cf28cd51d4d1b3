"""Probes of tools: offered without ``tool_choice``, strict schemas, grammars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.text import one_line
from core.verify.compat import Compat, detected
from core.verify.probe import Probe
from core.verify.probes.asking import ask_tool, task, with_tool
from core.verify.reading import Judged, read, told, undecided
from core.verify.trials.written_calls import written_call

if TYPE_CHECKING:
    from core.verify.bench import Tape
    from core.verify.exchange import Answered
    from core.verify.reading import Answers
    from core.verify.verdict import Subject

ASKED: Final = 3
"""How often the task is given: one answer of a model that is not sure of itself proves nothing."""


def call_fault(answered: Answered) -> str:
    """What is wrong with the calls of an answer, as a machine word; empty: one good call."""
    if not answered.calls:
        said = f"{answered.answer}{answered.thinking}"
        return "as_text" if written_call(said, {"read"}) is not None else "no_call"
    call = answered.calls[0]
    if call.name and call.name != "read":
        return "unknown_tool"
    try:
        arguments: object = msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return "broken"
    good = call.name and isinstance(arguments, dict) and isinstance(arguments.get("path"), str)
    if good and answered.finish_reason == "length":
        return "length"
    return "" if good else "broken"


def _times(name: str) -> list[str]:
    """The names of the same question, asked again and again."""
    return [name, *(f"{name} {number}" for number in range(2, ASKED + 1))]


async def _ask_tools(tape: Tape) -> None:
    """The task three times; where a call never comes, as often with ``tool_choice`` written."""
    change = with_tool(tape)
    if not (await ask_tool(tape)).ok:
        await tape.confirm("tool", change)
        return
    await tape.ask_all(dict.fromkeys(_times("tool")[1:], change))
    if {call_fault(tape.answers[name]) for name in _times("tool")} == {"no_call"}:
        await tape.ask_all({name: {**change, "tool_choice": "auto"} for name in _times("auto")})


def _tools(answers: Answers, _: Subject) -> Judged:
    reading = read(answers, "tool")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False,
            "refused",
            f"A request that offers tools is refused ({reading.words}).",
            fix="Switch tool calls on in the server (vLLM: --enable-auto-tool-choice and"
            " --tool-call-parser; llama.cpp: --jinja), or take a model that has them.",
        )
    tried = [answers[name] for name in _times("tool") if name in answers and answers[name].ok]
    faults = [call_fault(one) for one in tried]
    good = faults.count("")
    detail: dict[str, str | int | float | bool | None] = {"called": good, "asked": len(tried)}
    if good == len(tried) == ASKED:
        return Judged(
            True,
            "honoured",
            f"Offered a tool and no tool_choice, the model called it with valid arguments, {good} "
            f"of {ASKED} times.",
            detail=detail,
        )
    if good == len(tried):
        return Judged(
            None,
            "unclear",
            f"The call came {good} of {ASKED} times, and the other requests failed.",
            fix="Ask again when the endpoint is calm.",
            detail=detail,
        )
    fault = next(one for one in faults if one)
    if good:
        return Judged(
            None,
            "flaky",
            f"{good} of {len(tried)} calls came as they should; {_WRONG[fault]} otherwise.",
            fix="See how often the agent trial passes.",
            detail=detail,
        )
    if fault == "no_call":
        return _no_call(answers, detail)
    shown = next(one for one in tried if call_fault(one) == fault)
    said = shown.calls[0].name if shown.calls else ""
    if fault == "broken":
        said = f"{said}({shown.calls[0].arguments})"
    return Judged(
        False,
        fault,
        f"Of {len(tried)} calls none can be run: {_WRONG[fault]}"
        + (f" ({one_line(said, 120)})." if said else "."),
        fix=_CURES[fault],
        detail=detail,
    )


_WRONG: Final = {
    "as_text": "the call came as text",
    "broken": "the arguments, as Pi puts them together, are none of this tool's",
    "unknown_tool": "a tool was called that was not offered",
    "length": "the finish reason is «length» though the call is whole, and Pi runs none after that",
    "no_call": "no call came",
}
_PARSER: Final = "Give the server the tool parser that fits this model."
_CURES: Final = {
    "as_text": _PARSER,
    "broken": _PARSER,
    "unknown_tool": "Take a model that calls the tools of the request; look whether the template"
    " or a gateway renames them.",
    "length": "Update the server or the gateway: a finished call ends with tool_calls.",
}


def _no_call(answers: Answers, detail: dict[str, str | int | float | bool | None]) -> Judged:
    """No call ever came: is it the absent ``tool_choice``, or the model?"""
    auto = [answers[name] for name in _times("auto") if name in answers and answers[name].ok]
    called = sum(not call_fault(one) for one in auto)
    detail = {**detail, "called_with_auto": called}
    if called > ASKED // 2:
        return Judged(
            False,
            "forced_none",
            f"Without tool_choice no call comes ({detail['asked']} times), with tool_choice auto"
            f" one does, {called} of {len(auto)} times. Pi never sends that field.",
            fix="Let the gateway take an absent tool_choice for auto.",
            detail=detail,
        )
    return Judged(
        None,
        "flaky" if called else "no_call",
        "The model answered without the call that it was asked for"
        + (
            f", and with tool_choice auto it called {called} of {len(auto)} times:"
            if called
            else ":"
        )
        + " it may be unable to, or the server may withhold the tools from it.",
        fix="See what the agent trial finds; take a model made for tools.",
        detail=detail,
    )


async def _ask_strict(tape: Tape) -> None:
    answered = await ask_tool(tape)
    if not answered.ok:
        return
    for name, value in (("strict false", False), ("strict true", True)):
        change = with_tool(tape, strict=value)
        await tape.ask(name, change)
        await tape.confirm(name, change)


def _strict(answers: Answers, subject: Subject) -> Judged:
    if not answers["tool"].ok:
        return Judged(
            None,
            "not_asked",
            f"Tools are refused without strict already ({told(answers['tool'])}).",
        )
    sends = detected(subject.provider, subject.base_url, subject.model, subject.variant)
    default = subject.written.supports_strict_mode
    if default is None or subject.variant == "providers":
        default = sends.supports_strict_mode
    reading = read(answers, "strict false")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            not default,
            "refused",
            f"strict in a tool is refused ({reading.words}).",
            Compat(supports_strict_mode=False),
            cured=True,
            fix="Let the gateway drop strict from tools; else export pi, which leaves it out.",
        )
    strict = read(answers, "strict true")
    if strict.state == "accepted" and not call_fault(answers["strict true"]):
        return Judged(
            True, "accepted", "Tools with strict are taken, and a valid call came for one."
        )
    seen = "no valid call came" if strict.state == "accepted" else f"refused ({strict.words})"
    return Judged(
        True if strict.state == "accepted" or not default else None,
        "accepted_false",
        f"strict:false is taken; with strict:true {seen}.",
        Compat(supports_strict_mode=False),
        cured=True,
    )


async def _ask_grammar(tape: Tape) -> None:
    grammar = {"syntax": "lark", "definition": 'start: "PONG"'}
    custom = {
        "name": "say",
        "description": "Say one word",
        "format": {"type": "grammar", "grammar": grammar},
    }
    tools = [{"type": "custom", "custom": custom}]
    change = {"messages": task(tape, "Call the tool say."), "tools": tools}
    await tape.ask("with", change)
    await tape.confirm("with", change)


def _grammar(answers: Answers, _: Subject) -> Judged:
    reading = read(answers, "with")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False,
            "refused",
            f"Tools with a grammar are refused ({reading.words}).",
            fix="Leave supportsOpenAIGrammarTools unset; Pi's own tools never need it.",
        )
    if any(call.name == "say" for call in answers["with"].calls):
        return Judged(
            True,
            "honoured",
            "A tool with a grammar was called.",
            Compat(supports_openai_grammar_tools=True),
        )
    return Judged(
        None,
        "ignored",
        "A tool with a grammar is taken, and not called.",
        fix="Leave supportsOpenAIGrammarTools unset; Pi's own tools never need it.",
    )


PROBES: Final = (
    Probe(
        "tools",
        "Does it call an offered tool when nobody sets tool_choice?",
        (),
        2 * ASKED,
        1_200,
        _ask_tools,
        _tools,
    ),
    Probe(
        "strict",
        "Are tools that say strict taken?",
        ("supportsStrictMode",),
        3,
        900,
        _ask_strict,
        _strict,
    ),
    Probe(
        "grammar-tools",
        "Are tools with a grammar taken?",
        ("supportsOpenAIGrammarTools",),
        2,
        300,
        _ask_grammar,
        _grammar,
        optional=True,
    ),
)
