"""Defects of servers, one each: what they make of a turn of a well-behaved model.

Where they come from: issue trackers of vLLM, llama.cpp, Ollama, LM Studio, SGLang and LiteLLM.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import msgspec

from tests.servers.lane_server import MODEL, Call, Hook, Said, Turn, counted, encode
from tests.servers.scripted import (
    Behaviour,
    Gate,
    Wait,
    error_reply,
    json_reply,
    piece,
    sse_reply,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def always(hook: Hook) -> Callable[[], Hook]:
    return lambda: hook


def written(form: Callable[[Call], str]) -> Hook:
    """Calls come as text."""

    def hook(turn: Turn) -> Said | None:
        if not turn.said.calls:
            return None
        return Said("\n".join(form(call) for call in turn.said.calls))

    return hook


def hermes(call: Call) -> str:
    return f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n</tool_call>'


def mistral(call: Call) -> str:
    return f'[TOOL_CALLS][{{"name": "{call.name}", "arguments": {call.arguments}}}]'


def bare(call: Call) -> str:
    return f'{{"name": "{call.name}", "parameters": {call.arguments}}}'


def tagged(call: Call) -> str:
    given = json.loads(call.arguments)
    inner = "".join(f"<parameter={name}>{value}</parameter>" for name, value in given.items())
    return f"<function={call.name}>{inner}</function>"


def in_thinking(turn: Turn) -> Said | None:
    if not turn.said.calls:
        return None
    return Said("", "I look. " + "\n".join(hermes(call) for call in turn.said.calls))


def never_calls(turn: Turn) -> Said | None:
    return Said("The seal is most likely a constant of the queue.") if turn.loops else None


def choice_none(turn: Turn) -> Said | None:
    if turn.loops and turn.ask.tool_choice is None:
        return Said("I cannot look into files here.")
    return None


def one_index(turn: Turn) -> Behaviour | None:
    """Two calls under one index: whoever joins by index joins both."""
    if not turn.said.calls:
        return None
    call = turn.said.calls[0]
    both = [
        {"index": 0, "id": f"c{number}", "function": {"name": call.name, "arguments": text}}
        for number, text in enumerate((call.arguments, call.arguments))
    ]
    return sse_reply(
        [piece(MODEL, {"tool_calls": [one]}) for one in both] + [piece(MODEL, {}, "tool_calls")],
        usage=counted(turn),
        model=MODEL,
    )


def object_arguments(turn: Turn) -> Behaviour | None:
    if not turn.said.calls:
        return None
    call = turn.said.calls[0]
    given = {"name": call.name, "arguments": json.loads(call.arguments)}
    made = {"index": 0, "id": "c1", "function": given}
    return sse_reply([piece(MODEL, {"tool_calls": [made]}), piece(MODEL, {}, "tool_calls")])


def empty_with_tools(turn: Turn) -> Said | None:
    return Said() if turn.loops else None


def swallowed(turn: Turn) -> Said | None:
    """A parser that takes the whole answer for thinking."""
    if turn.said.calls:
        return None
    return Said("", turn.said.thinking + turn.said.text)


def same_call(turn: Turn) -> Said | None:
    return Said("", "", (Call("ls", '{"path":"."}'),)) if turn.loops else None


def no_results(turn: Turn) -> Behaviour | None:
    if not turn.goes_on:
        return None
    return error_reply(400, "messages[3]: 'name' is a required property of role tool")


def json_in_thinking(turn: Turn) -> Said | None:
    return Said("", f"The answer: {turn.said.text}") if turn.structured else None


def prose(turn: Turn) -> Said | None:
    if not turn.structured:
        return None
    return Said("There are several findings; the most important one is about a lock.")


def drafts(turn: Turn) -> Said | None:
    if not turn.structured:
        return None
    return Said(f'<think>\nFirst {{"draft": true}}.\n</think>\n{turn.said.text}')


def loses(turn: Turn) -> Said | None:
    if not turn.structured:
        return None
    value = json.loads(turn.said.text)
    rows = next(iter(value.values()))
    rows.pop()
    return Said(json.dumps(value))


def cut_json(turn: Turn) -> Said | None:
    return Said(turn.said.text[:-20]) if turn.structured else None


def other_name(turn: Turn) -> None:
    turn.model = "tiny-fallback-1b"


def falls_back(turn: Turn) -> None:
    turn.fields["x-litellm-attempted-fallbacks"] = 1


def cuts_head(turn: Turn) -> Said | None:
    """A small window that nobody told of: the first messages go."""
    if not turn.long:
        return None
    kept = [turn.ask.messages[0], *turn.ask.messages[-3:]]
    turn.ask = msgspec.structs.replace(turn.ask, messages=kept)
    return Said(turn.said.text.split()[-1])


def small_window(turn: Turn) -> Behaviour | None:
    if not turn.long:
        return None
    words = (
        "This model's maximum context length is 8192 tokens. However, you requested 12011 tokens."
    )
    return error_reply(400, words, "BadRequestError")


def thinks_too_long(turn: Turn) -> Said | None:
    if turn.loops or turn.structured or turn.long or "boxes" not in turn.ask.question:
        return None
    turn.finish = "length"
    return Said("", "Let me think about the boxes once more. " * 50)


def two_at_once() -> Hook:
    """A third request at once gets 429; two wait for it, so that nothing hangs on luck."""
    gates: list[Gate] = []

    def hook(turn: Turn) -> Behaviour | None:
        if "one number after another" not in turn.ask.question:
            return None
        refusal = error_reply(429, "Too many concurrent requests", "rate_limit")
        place = hook_state["seen"]
        hook_state["seen"] += 1
        # four, one alone, three, one alone, two
        level = _LEVELS[place]
        if level <= 2:
            return None
        if level > 2 and place in _REFUSED:
            for gate in gates:
                gate.open()
            return refusal
        gate = Gate()
        gates.append(gate)
        done = encode(turn)
        return Behaviour((Wait(gate), *done.steps))

    hook_state = {"seen": 0}
    return hook


_LEVELS: Final = (4, 4, 4, 4, 1, 3, 3, 3, 1, 2, 2)
_REFUSED: Final = frozenset({2, 3, 7})


def no_finish(turn: Turn) -> None:
    if turn.loops:
        turn.finish = None


def odd_finish(turn: Turn) -> None:
    if turn.loops and not turn.said.calls:
        turn.finish = "eos"


def no_developer(turn: Turn) -> Behaviour | None:
    if any(message.role == "developer" for message in turn.ask.messages):
        return error_reply(400, "Unexpected message role.")
    return None


def not_streamed(turn: Turn) -> Behaviour | None:
    message = {"role": "assistant", "content": turn.said.text or "I look."}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return json_reply(200, {"model": MODEL, "choices": [choice]}) if turn.loops else None


def tools_off(turn: Turn) -> Behaviour | None:
    if not turn.loops:
        return None
    return error_reply(
        400,
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "BadRequestError",
    )


def every_third() -> Hook:
    """The first question of every third loop gets its call as text."""
    seen, as_text = {"loops": 0}, written(hermes)

    def hook(turn: Turn) -> Said | Behaviour | Turn | None:
        if not turn.loops or turn.goes_on:
            return None
        seen["loops"] += 1
        return as_text(turn) if seen["loops"] % 3 == 0 else None

    return hook


def ignores_results(turn: Turn) -> Said | None:
    if turn.loops and not turn.said.calls:
        return Said("The seal is osmium-1111-aa.")
    return None


def dumps(turn: Turn) -> Said | None:
    """It passes on all that the tools showed."""
    if turn.loops and not turn.said.calls:
        return Said("\n".join(one.text for one in turn.ask.messages if one.role == "tool"))
    return None


def greps_and_tells(turn: Turn) -> Said | None:
    """It never reads a file: it searches for what was asked, and tells every match."""
    if not turn.loops:
        return None
    shown = [one.text for one in turn.ask.messages if one.role == "tool"]
    if shown:
        return Said("\n".join(shown))
    return Said("", "", (Call("grep", '{"pattern":"seal"}'),))


def renamed(name: str) -> Callable[[], Hook]:
    """Calls of a tool that nobody offered."""

    def hook(turn: Turn) -> Said | None:
        if not turn.said.calls:
            return None
        return Said("", "", tuple(Call(name, one.arguments) for one in turn.said.calls))

    return always(hook)


def other_shape(turn: Turn) -> Said | None:
    """The right tool, and arguments of another one."""
    if not turn.said.calls:
        return None
    return Said("", "", (Call("read", '{"file_path":"README.md"}'),))


def length_on_calls(turn: Turn) -> None:
    if turn.said.calls:
        turn.finish = "length"


def cut_in_call(turn: Turn) -> Said | None:
    if not turn.said.calls:
        return None
    turn.finish = "length"
    call = turn.said.calls[0]
    return Said("", "", (Call(call.name, call.arguments[:-3]),))


def message_chunks(turn: Turn) -> Behaviour:
    """Whole replies as events."""
    message: dict[str, object] = {"role": "assistant", "content": turn.said.text}
    if turn.said.calls:
        message["tool_calls"] = [
            {"index": 0, "id": "c1", "function": {"name": one.name, "arguments": one.arguments}}
            for one in turn.said.calls
        ]
    finish = "tool_calls" if turn.said.calls else "stop"
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return sse_reply([{"model": MODEL, "choices": [choice]}], usage=counted(turn), model=MODEL)


def calls_now_and_then() -> Hook:
    """Of the first questions of a loop every second gets no call, whatever the choice says."""
    seen = {"asked": 0}

    def hook(turn: Turn) -> Said | None:
        if not turn.loops or turn.goes_on:
            return None
        seen["asked"] += 1
        return Said("I should look into that.") if seen["asked"] % 2 else None

    return hook


def old_calls(turn: Turn) -> Behaviour | None:
    """Calls as they were before tools."""
    if not turn.said.calls:
        return None
    call = turn.said.calls[0]
    delta = {"function_call": {"name": call.name, "arguments": call.arguments}}
    events = [piece(MODEL, delta), piece(MODEL, {}, "function_call")]
    return sse_reply(events, usage=counted(turn), model=MODEL)


def without_ids(turn: Turn) -> Behaviour | None:
    """Calls under no id: the model cannot tell which result is whose."""
    if not turn.said.calls:
        return None
    calls = [
        {"index": place, "function": {"name": one.name, "arguments": one.arguments}}
        for place, one in enumerate(turn.said.calls)
    ]
    events = [piece(MODEL, {"tool_calls": calls}), piece(MODEL, {}, "tool_calls")]
    return sse_reply(events, usage=counted(turn), model=MODEL)


def filtered(turn: Turn) -> None:
    """A gateway's filter takes a review for something bad."""
    if turn.loops and not turn.said.calls:
        turn.finish = "content_filter"


def in_parts(turn: Turn) -> Behaviour | None:
    """Text as a list of parts."""
    if not turn.said.text or turn.long:
        return None
    parts = [{"type": "text", "text": turn.said.text}]
    events = [piece(MODEL, {"content": parts}), piece(MODEL, {}, "stop")]
    return sse_reply(events, usage=counted(turn), model=MODEL)


def refuses_inside(turn: Turn) -> Behaviour | None:
    """An error with status 200."""
    words = "tool calling is not supported by this model"
    return json_reply(200, {"error": {"message": words, "code": 400}}) if turn.loops else None


def fails_over_results(turn: Turn) -> Behaviour | None:
    """A template that knows no results, and a server that makes a 500 of that."""
    return error_reply(500, "Only user and assistant roles are supported") if turn.goes_on else None


def rambles(turn: Turn) -> Said | None:
    """Words that have nothing to do with the question."""
    asks = turn.loops or turn.structured or turn.long
    return None if asks or "boxes" not in turn.ask.question else Said("lorem ipsum dolor sit")
