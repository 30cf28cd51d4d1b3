"""Probes of tools: offered without ``tool_choice``, strict schemas, grammars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.verify.bench import Body, user
from core.verify.compat import Compat, detected
from core.verify.probe import Probe
from core.verify.reading import Judged, read, told, undecided

if TYPE_CHECKING:
    from core.verify.bench import Tape
    from core.verify.exchange import Answered
    from core.verify.reading import Answers
    from core.verify.verdict import Subject

TASK: Final = "Call the tool read for the file README.md, and say nothing else."
SCHEMA: Final[Body] = {
    "type": "object",
    "properties": {"path": {"type": "string", "description": "The file's path"}},
    "required": ["path"],
    "additionalProperties": False,
}


def read_tool(**more: object) -> Body:
    """The tool ``read``, with more members in its function."""
    function = {"name": "read", "description": "Read a file", "parameters": SCHEMA, **more}
    return {"type": "function", "function": function}


def task(tape: Tape) -> list[Body]:
    """Messages that want one call of ``read``."""
    return [tape.bench.system("You use tools when asked to."), user(TASK)]


async def ask_tool(tape: Tape) -> Answered:
    """The task with the tool offered and no ``tool_choice``, once for the bench; ``tool``."""
    return await tape.ask_shared("tool", {"messages": task(tape), "tools": [read_tool()]})


def call_fault(answered: Answered) -> str:
    """What is wrong with the calls of an answer, as a machine word; empty: one good call."""
    if not answered.calls:
        said = f"{answered.answer}{answered.thinking}"
        looks = any(mark in said for mark in ("<tool_call", "[TOOL_CALLS]", "<function="))
        named = '"name"' in said and '"arguments"' in said
        return "as_text" if looks or named else "no_call"
    call = answered.calls[0]
    if call.name != "read":
        return "broken"
    try:
        arguments: object = msgspec.json.decode(call.arguments or "{}")
    except msgspec.DecodeError:
        return "broken"
    good = isinstance(arguments, dict) and isinstance(arguments.get("path"), str)
    return "" if good else "broken"


async def _ask_tools(tape: Tape) -> None:
    answered = await ask_tool(tape)
    change = {"messages": task(tape), "tools": [read_tool()]}
    if not answered.ok:
        await tape.confirm("tool", change)
    elif call_fault(answered) == "no_call":
        await tape.ask("auto", {**change, "tool_choice": "auto"})
    elif call_fault(answered):
        await tape.ask("tool again", change)


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
    answered = answers["tool"]
    fault = call_fault(answered)
    if not fault:
        return Judged(
            True,
            "honoured",
            "Offered a tool and no tool_choice, the model called it with valid arguments.",
        )
    again = answers.get("tool again")
    if again is not None and again.ok and not call_fault(again):
        return Judged(
            None,
            "flaky",
            "One call came as it should and one did not.",
            fix="See how often the agent trial passes.",
        )
    if fault == "as_text":
        return Judged(
            False,
            fault,
            "The call came as text, so no tool would ever run.",
            fix="Give the server the tool parser that fits this model.",
        )
    if fault == "broken":
        shown = f"{answered.calls[0].name}({answered.calls[0].arguments})"[:120]
        return Judged(
            False,
            fault,
            f"A call came that cannot be run as Pi puts it together: {shown}",
            fix="Give the server the tool parser that fits this model.",
        )
    auto = answers.get("auto")
    if auto is not None and auto.ok and not call_fault(auto):
        return Judged(
            False,
            "forced_none",
            "Without tool_choice no call comes, with tool_choice auto one does. Pi never sends"
            " that field.",
            fix="Let the gateway take an absent tool_choice for auto.",
        )
    return Judged(
        None,
        "no_call",
        "The model answered without the call that it was asked for: it may be unable to, or the"
        " server may withhold the tools from it.",
        fix="See what the agent trial finds; take a model made for tools.",
    )


async def _ask_strict(tape: Tape) -> None:
    answered = await ask_tool(tape)
    if not answered.ok:
        return
    for name, value in (("strict false", False), ("strict true", True)):
        change = {"messages": task(tape), "tools": [read_tool(strict=value)]}
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
    messages = [tape.bench.system("You use tools when asked to."), user("Call the tool say.")]
    change = {"messages": messages, "tools": [{"type": "custom", "custom": custom}]}
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
        3,
        600,
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
