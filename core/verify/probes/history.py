"""Probes of the conversation sent back: tool results, empty content, past thinking."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from core.verify.bench import PONG, user
from core.verify.compat import Compat, effective
from core.verify.pi_reader import FIELDS
from core.verify.pi_shape import thinking_fields
from core.verify.probe import Probe
from core.verify.probes.asking import ask_sum, read_tool, task
from core.verify.reading import Judged, prompt_tokens, read, thinks, undecided

if TYPE_CHECKING:
    from core.verify.bench import Body, Tape
    from core.verify.reading import Answers
    from core.verify.verdict import Subject

RESULT: Final = "# The lighthouse. The keeper is called Marla."
BRIDGE: Final = "I have processed the tool results."


def history(tape: Tape, *, content: str | None = None, name: bool = False) -> list[Body]:
    """H: a call of ``read`` and its result, after R0's own beginning."""
    # nine letters and digits: Mistral's templates take nothing else
    call = {
        "id": "turnkey01",
        "type": "function",
        "function": {"name": "read", "arguments": '{"path": "README.md"}'},
    }
    result: Body = {"role": "tool", "tool_call_id": "turnkey01", "content": RESULT}
    if name:
        result["name"] = "read"
    return [
        *task(tape),
        {"role": "assistant", "content": content, "tool_calls": [call]},
        result,
    ]


async def _pair(tape: Tape, first: Body, second: Body, key: str | None = None) -> None:
    """``plain`` as Pi sends it unasked; refused, R0 again and then ``mended``."""
    if key is None:
        answered = await tape.ask("plain", first)
    else:
        answered = await tape.ask_shared("plain", first, key)
    if answered.ok:
        return
    await tape.confirm("plain", first)
    await tape.ask("mended", second)


async def _ask_name(tape: Tape) -> None:
    tools = {"tools": [read_tool()]}
    await _pair(
        tape,
        {"messages": history(tape), **tools},
        {"messages": history(tape, name=True), **tools},
        "history",
    )


async def _ask_null(tape: Tape) -> None:
    tools = {"tools": [read_tool()]}
    await _pair(
        tape,
        {"messages": history(tape), **tools},
        {"messages": history(tape, content=""), **tools},
        "history",
    )


async def _ask_bridge(tape: Tape) -> None:
    tools, more = {"tools": [read_tool()]}, user("Thank you. " + PONG)
    bridge = {"role": "assistant", "content": BRIDGE}
    await _pair(
        tape,
        {"messages": [*history(tape), more], **tools},
        {"messages": [*history(tape, content=""), bridge, more], **tools},
    )


def _needed(flag: str, set_it: Compat, what: str, answers: Answers, _: Subject) -> Judged:
    """The judge of a flag that mends a refusal: not needed, needed, or both refused."""
    reading = read(answers, "plain")
    if reading.state == "accepted":
        return Judged(True, "not_needed", f"{what} is taken as Pi sends it unasked.")
    if reading.state == "unclear":
        return undecided(reading)
    mended = answers.get("mended")
    if mended is not None and mended.ok:
        return Judged(
            False,
            "needed",
            f"{what} is refused ({reading.words}), and taken as Pi sends it with {flag}.",
            set_it,
            cured=True,
            fix=f"Use export pi, which writes {flag}: true; else another chat template.",
        )
    return Judged(
        None,
        "both_refused",
        f"{what} is refused with and without {flag} ({reading.words}): the fault lies elsewhere.",
        fix="See what the probe «tools» and the agent trial find.",
    )


async def _ask_without_tools(tape: Tape) -> None:
    """H without tools, and H with an empty list of them: 1.5.2 sends the one, 0.78.0 the other."""
    extras: tuple[tuple[str, Body], ...] = (("left out", {}), ("empty", {"tools": []}))
    for name, extra in extras:
        change: Body = {"messages": history(tape), **extra}
        await tape.ask(name, change)
        await tape.confirm(name, change)
    if not (tape.answers["left out"].ok or tape.answers["empty"].ok):
        offered: Body = {"messages": history(tape), "tools": [read_tool()]}
        await tape.ask_shared("offered", offered, "history")


def _without_tools(answers: Answers, subject: Subject) -> Judged:
    out, empty = read(answers, "left out"), read(answers, "empty")
    old = subject.variant == "providers"
    mine, other = (empty, out) if old else (out, empty)
    said = (
        f"A history with tool calls, and tools left out: {out.state}"
        f"{f' ({out.words})' if out.words else ''}; with an empty list: {empty.state}"
        f"{f' ({empty.words})' if empty.words else ''}."
    )
    if mine.state == "accepted":
        return Judged(True, "not_needed", said)
    if "unclear" in {mine.state, other.state}:
        return Judged(None, "unclear", said, fix="Ask again when the endpoint is calm.")
    if other.state == "accepted" and old:
        return Judged(
            None,
            "empty_refused",
            f"{said} Pi 0.78.0 sends the empty list where a conversation with calls goes on"
            " without tools; Warden's lanes offer theirs throughout.",
            fix="If a lane fails on it, use export pi: Pi 1.5.2 leaves the list out.",
        )
    if other.state == "accepted":
        return Judged(
            False,
            "needed",
            said,
            Compat(requires_tools_with_tool_history=True),
            cured=True,
            fix="Use export pi, which writes requiresToolsWithToolHistory: true.",
        )
    if answers["offered"].ok:
        return Judged(
            False,
            "refused",
            f"{said} With tools offered the same history is taken.",
            fix="Use a server or template that takes a past call when no tools are offered.",
        )
    return Judged(
        None,
        "both_refused",
        f"{said} With tools offered it is refused as well: the fault lies elsewhere.",
        fix="See what the probe «tools» and the agent trial find.",
    )


async def _ask_replay(tape: Tape) -> None:
    """Past thinking under the field that it came in, then as text; and without, for the count."""
    shown = tape.answers["before"]
    if shown.thinking_field not in FIELDS:
        shown = await ask_sum(tape)  # which wants more thinking than one word does
    field, text = shown.thinking_field, shown.thinking.strip()
    if field not in FIELDS or not text:
        return
    start = [tape.bench.system(), user(PONG)]
    # long enough to be seen in the count of tokens
    thinking = f"{text} The lamp must be lit before the boats come home from the north."
    said: Body = {"role": "assistant", "content": "PONG"}
    more = user("Once more: " + PONG)

    def with_message(message: Body) -> Body:
        return {"messages": [*start, message, more]}

    change = with_message({**said, field: thinking})
    if (await tape.ask("plain", change)).ok:
        await tape.ask("without", with_message(said))
        return
    await tape.confirm("plain", change)
    parts = [{"type": "text", "text": thinking}, {"type": "text", "text": "PONG"}]
    await tape.ask("mended", with_message({**said, "content": parts}))


def _replay(answers: Answers, subject: Subject) -> Judged:
    if "plain" not in answers:
        claimed = subject.described.reasoning and not thinks(answers.get("sum"))
        return Judged(
            None if claimed else True,
            "no_thinking",
            "No thinking comes in a field that Pi reads, so none is ever sent back.",
        )
    field = answers["before"].thinking_field
    if field not in FIELDS:
        field = answers["sum"].thinking_field or ""
    what = f"Past thinking under {field}"
    if read(answers, "plain").state != "accepted":
        flags = Compat(requires_thinking_as_text=True)
        return _needed("requiresThinkingAsText", flags, what, answers, subject)
    with_it, without = prompt_tokens(answers["plain"]), prompt_tokens(answers.get("without"))
    detail: dict[str, str | int | float | bool | None] = {"field": field}
    if with_it is None or without is None:
        return Judged(True, "accepted", f"{what} is taken.", detail=detail)
    detail["read"] = with_it > without
    read_on = (
        f"and read: {with_it} prompt tokens with it, {without} without"
        if with_it > without
        else "and left out of the prompt, as many templates do"
    )
    finding = "honoured" if with_it > without else "ignored"
    return Judged(True, finding, f"{what} is taken, {read_on}.", detail=detail)


async def _ask_empty_reasoning(tape: Tape) -> None:
    """With thinking on, as Pi has it for a model that thinks: some servers ask for it only then."""
    switched = thinking_on(tape)
    if switched:
        on: Body = {"messages": [tape.bench.system(), user(PONG)], **switched}
        if not (await tape.ask_shared("on", on, "thinking on")).ok:
            switched = {}
    start = [tape.bench.system(), user(PONG)]
    said: Body = {"role": "assistant", "content": "PONG"}
    more = user("Once more: " + PONG)
    await _pair(
        tape,
        {"messages": [*start, said, more], **switched},
        {"messages": [*start, {**said, "reasoning_content": ""}, more], **switched},
    )


def thinking_on(tape: Tape) -> Body:
    """What this Pi adds to R0 for its usual effort; nothing for a model that does not think."""
    one = tape.subject
    flags = effective(one.written, one.provider, one.base_url, one.model, one.variant)
    return thinking_fields(one.described, flags, "medium", one.variant)


PROBES: Final = (
    Probe(
        "tool-result-name",
        "Are tool results taken without the tool's name?",
        ("requiresToolResultName",),
        1,
        300,
        _ask_name,
        partial(
            _needed,
            "requiresToolResultName",
            Compat(requires_tool_result_name=True),
            "A tool result without the tool's name",
        ),
    ),
    Probe(
        "null-content",
        "Is a message that only calls tools taken with null content?",
        ("requiresNonNullAssistantContent",),
        1,
        300,
        _ask_null,
        partial(
            _needed,
            "requiresNonNullAssistantContent",
            Compat(requires_non_null_assistant_content=True),
            "Null content beside tool calls",
        ),
    ),
    Probe(
        "user-after-tool",
        "Is a user message taken right after a tool result?",
        ("requiresAssistantAfterToolResult",),
        1,
        300,
        _ask_bridge,
        partial(
            _needed,
            "requiresAssistantAfterToolResult",
            Compat(requires_assistant_after_tool_result=True),
            "A user message right after a tool result",
        ),
    ),
    Probe(
        "tool-history",
        "Is a history with tool calls taken when no tools are offered?",
        ("requiresToolsWithToolHistory",),
        2,
        500,
        _ask_without_tools,
        _without_tools,
    ),
    Probe(
        "thinking-replay",
        "Is past thinking taken back in the field that it came in?",
        ("requiresThinkingAsText",),
        4,
        800,
        _ask_replay,
        _replay,
    ),
    Probe(
        "reasoning-content",
        "Are past answers taken without reasoning_content?",
        ("requiresReasoningContentOnAssistantMessages",),
        2,
        400,
        _ask_empty_reasoning,
        partial(
            _needed,
            "requiresReasoningContentOnAssistantMessages",
            Compat(requires_reasoning_content_on_assistant_messages=True),
            "A past answer without reasoning_content",
        ),
    ),
)
