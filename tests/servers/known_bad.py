"""Servers with one defect each, as people meet them, and what lane trials must call each.

Where they come from: issue trackers of vLLM, llama.cpp, Ollama, LM Studio, SGLang and LiteLLM.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from tests.servers.lane_server import MODEL, Call, Hook, Said, Turn, counted, encode, lane_server
from tests.servers.scripted import (
    Behaviour,
    Gate,
    ScriptedProvider,
    Wait,
    error_reply,
    json_reply,
    piece,
    sse_reply,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Bad:
    """One defect."""

    expects: dict[str, str]
    """Every trial that must fail, with its finding. No other may."""
    hook: Callable[[], Hook] | None = None
    """Makes the hook of one server; it may count."""
    fix: str = ""
    """What the cure must say."""
    dialect: str = "generic"
    listed: tuple[str, ...] = (MODEL,)
    serves_any: bool = False
    reasoning: bool = False
    context_window: int = 32_000
    unsure: dict[str, str] = field(default_factory=dict)
    """Trials that this defect leaves undecided."""

    def server(self) -> ScriptedProvider:
        """The endpoint, not yet running."""
        hook = self.hook() if self.hook is not None else None
        return lane_server(
            hook, listed=self.listed, serves_any=self.serves_any, thinks=self.reasoning
        )


def _always(hook: Hook) -> Callable[[], Hook]:
    return lambda: hook


def _written(form: Callable[[Call], str]) -> Hook:
    """Calls come as text."""

    def hook(turn: Turn) -> Said | None:
        if not turn.said.calls:
            return None
        return Said("\n".join(form(call) for call in turn.said.calls))

    return hook


def _hermes(call: Call) -> str:
    return f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n</tool_call>'


def _mistral(call: Call) -> str:
    return f'[TOOL_CALLS][{{"name": "{call.name}", "arguments": {call.arguments}}}]'


def _bare(call: Call) -> str:
    return f'{{"name": "{call.name}", "parameters": {call.arguments}}}'


def _tagged(call: Call) -> str:
    given = json.loads(call.arguments)
    inner = "".join(f"<parameter={name}>{value}</parameter>" for name, value in given.items())
    return f"<function={call.name}>{inner}</function>"


def _in_thinking(turn: Turn) -> Said | None:
    if not turn.said.calls:
        return None
    return Said("", "I look. " + "\n".join(_hermes(call) for call in turn.said.calls))


def _never_calls(turn: Turn) -> Said | None:
    return Said("The seal is most likely a constant of the queue.") if turn.loops else None


def _choice_none(turn: Turn) -> Said | None:
    if turn.loops and turn.ask.tool_choice is None:
        return Said("I cannot look into files here.")
    return None


def _one_index(turn: Turn) -> Behaviour | None:
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


def _object_arguments(turn: Turn) -> Behaviour | None:
    if not turn.said.calls:
        return None
    call = turn.said.calls[0]
    given = {"name": call.name, "arguments": json.loads(call.arguments)}
    made = {"index": 0, "id": "c1", "function": given}
    return sse_reply([piece(MODEL, {"tool_calls": [made]}), piece(MODEL, {}, "tool_calls")])


def _empty_with_tools(turn: Turn) -> Said | None:
    return Said() if turn.loops else None


def _swallowed(turn: Turn) -> Said | None:
    """A parser that takes the whole answer for thinking."""
    if turn.said.calls:
        return None
    return Said("", turn.said.thinking + turn.said.text)


def _same_call(turn: Turn) -> Said | None:
    return Said("", "", (Call("ls", '{"path":"."}'),)) if turn.loops else None


def _no_results(turn: Turn) -> Behaviour | None:
    if not turn.goes_on:
        return None
    return error_reply(400, "messages[3]: 'name' is a required property of role tool")


def _json_in_thinking(turn: Turn) -> Said | None:
    return Said("", f"The answer: {turn.said.text}") if turn.structured else None


def _prose(turn: Turn) -> Said | None:
    if not turn.structured:
        return None
    return Said("There are several findings; the most important one is about a lock.")


def _drafts(turn: Turn) -> Said | None:
    if not turn.structured:
        return None
    return Said(f'<think>\nFirst {{"draft": true}}.\n</think>\n{turn.said.text}')


def _loses(turn: Turn) -> Said | None:
    if not turn.structured:
        return None
    value = json.loads(turn.said.text)
    rows = next(iter(value.values()))
    rows.pop()
    return Said(json.dumps(value))


def _cut_json(turn: Turn) -> Said | None:
    return Said(turn.said.text[:-20]) if turn.structured else None


def _other_name(turn: Turn) -> None:
    turn.model = "tiny-fallback-1b"


def _falls_back(turn: Turn) -> None:
    turn.fields["x-litellm-attempted-fallbacks"] = 1


def _cuts_head(turn: Turn) -> Said | None:
    """A small window that nobody told of: the first messages go."""
    if not turn.long:
        return None
    kept = [turn.ask.messages[0], *turn.ask.messages[-3:]]
    turn.ask = msgspec.structs.replace(turn.ask, messages=kept)
    return Said(turn.said.text.split()[-1])


def _small_window(turn: Turn) -> Behaviour | None:
    if not turn.long:
        return None
    words = (
        "This model's maximum context length is 8192 tokens. However, you requested 12011 tokens."
    )
    return error_reply(400, words, "BadRequestError")


def _thinks_too_long(turn: Turn) -> Said | None:
    if turn.loops or turn.structured or turn.long or "boxes" not in turn.ask.question:
        return None
    turn.finish = "length"
    return Said("", "Let me think about the boxes once more. " * 50)


def _two_at_once() -> Hook:
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


def _no_finish(turn: Turn) -> None:
    if turn.loops:
        turn.finish = None


def _odd_finish(turn: Turn) -> None:
    if turn.loops and not turn.said.calls:
        turn.finish = "eos"


def _no_developer(turn: Turn) -> Behaviour | None:
    if any(message.role == "developer" for message in turn.ask.messages):
        return error_reply(400, "Unexpected message role.")
    return None


def _not_streamed(turn: Turn) -> Behaviour | None:
    message = {"role": "assistant", "content": turn.said.text or "I look."}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return json_reply(200, {"model": MODEL, "choices": [choice]}) if turn.loops else None


def _tools_off(turn: Turn) -> Behaviour | None:
    if not turn.loops:
        return None
    return error_reply(
        400,
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "BadRequestError",
    )


def _every_third() -> Hook:
    """The first question of every third loop gets its call as text."""
    seen = {"loops": 0}

    def hook(turn: Turn) -> Said | None:
        if not turn.loops or turn.goes_on:
            return None
        seen["loops"] += 1
        return _written(_hermes)(turn) if seen["loops"] % 3 == 0 else None  # type: ignore[return-value]

    return hook


def _ignores_results(turn: Turn) -> Said | None:
    if turn.loops and not turn.said.calls:
        return Said("The seal is osmium-1111-aa.")
    return None


_TEXT: Final = {"agent_loop": "written_as_text"}
_REQUESTS: Final = (
    "agent_loop", "bare_json", "merge", "output_room", "served_model", "truncation",
)  # fmt: skip

KNOWN_BAD: Final[dict[str, Bad]] = {
    "calls as <tool_call> text, vLLM without a parser": Bad(
        _TEXT, _always(_written(_hermes)), "--tool-call-parser hermes", "vllm"
    ),
    "calls as [TOOL_CALLS] text": Bad(
        _TEXT, _always(_written(_mistral)), "--tool-call-parser mistral", "sglang"
    ),
    "calls as JSON text, Ollama": Bad(_TEXT, _always(_written(_bare)), "tools tag", "ollama"),
    "calls as <function=> text, llama.cpp without jinja": Bad(
        _TEXT, _always(_written(_tagged)), "--jinja", "llamacpp"
    ),
    "a proxy that writes Ollama's calls as text": Bad(
        _TEXT, _always(_written(_bare)), "ollama_chat/", "litellm"
    ),
    "calls inside the thinking": Bad(
        {"agent_loop": "written_in_thinking"}, _always(_in_thinking), "thinking must leave"
    ),
    "never calls a tool": Bad({"agent_loop": "no_calls"}, _always(_never_calls), "tools"),
    "a gateway that takes no tool_choice for none": Bad(
        {"agent_loop": "tool_choice_forced"}, _always(_choice_none), "leave tool_choice alone"
    ),
    "two calls under one index": Bad(
        {"agent_loop": "broken_arguments"}, _always(_one_index), "tool parser"
    ),
    "arguments as an object": Bad(
        {"agent_loop": "object_arguments"}, _always(_object_arguments), "tool parser"
    ),
    "empty with status 200 when tools are offered": Bad(
        {"agent_loop": "empty"}, _always(_empty_with_tools), "log"
    ),
    "the whole answer taken for thinking": Bad(
        {
            "agent_loop": "thinking_only",
            "bare_json": "json_in_thinking",
            "merge": "json_in_thinking",
            "output_room": "thinking_only",
        },
        _always(_swallowed),
        "--reasoning-parser",
        "vllm",
        unsure={"truncation": "thinking_only", "concurrency": "wrong_alone"},
    ),
    "the same call for ever": Bad({"agent_loop": "loop"}, _always(_same_call), "results"),
    "tool results refused without a name": Bad(
        {"agent_loop": "history_refused"}, _always(_no_results)
    ),
    "JSON in the thinking": Bad(
        {"bare_json": "json_in_thinking", "merge": "json_in_thinking"},
        _always(_json_in_thinking),
        "thinking off",
    ),
    "prose for JSON": Bad({"bare_json": "no_json", "merge": "no_json"}, _always(_prose)),
    "a draft leaks out of the thinking": Bad(
        {"bare_json": "thinking_leaks", "merge": "thinking_leaks"},
        _always(_drafts),
        "--reasoning-parser",
        "vllm",
    ),
    "findings get lost": Bad(
        {"bare_json": "wrong_content", "merge": "wrong_content"}, _always(_loses)
    ),
    "JSON without its end": Bad(
        {"bare_json": "wrong_schema", "merge": "wrong_schema"}, _always(_cut_json)
    ),
    "another model answers": Bad({"served_model": "other_model"}, _always(_other_name), "lists"),
    "the proxy fell back": Bad({"served_model": "fallback"}, _always(_falls_back), "fallback"),
    "any id is served, of several": Bad(
        {"canary": "accepted"}, None, "catch-all", listed=(MODEL, "another"), serves_any=True
    ),
    "the prompt's head is cut in silence": Bad(
        {"truncation": "cut_silently"}, _always(_cuts_head), "OLLAMA_CONTEXT_LENGTH", "ollama"
    ),
    "a smaller window than declared": Bad(
        {"truncation": "window_smaller"}, _always(_small_window), "contextWindow = 8192"
    ),
    "thinking eats the whole output limit": Bad(
        {"output_room": "cut_in_thought"}, _always(_thinks_too_long), "maxTokens"
    ),
    "two requests at once and no more": Bad(
        {"concurrency": "too_many"}, _two_at_once, "runner.concurrency = 2"
    ),
    "no finish reason": Bad({"agent_loop": "no_finish"}, _always(_no_finish), "stream's end"),
    "a finish reason that Pi does not know": Bad(
        {"agent_loop": "odd_finish"}, _always(_odd_finish)
    ),
    "a whole reply for a stream": Bad(
        {"agent_loop": "not_streamed"}, _always(_not_streamed), "stream"
    ),
    "tools are not switched on": Bad(
        {"agent_loop": "refused"}, _always(_tools_off), "--tool-call-parser", "vllm"
    ),
    "every third call is text": Bad({"agent_loop": "flaky"}, _every_third),
    "results of tools are not used": Bad(
        {"agent_loop": "result_unused"}, _always(_ignores_results), "another model"
    ),
    "the developer role is refused": Bad(
        dict.fromkeys(_REQUESTS, "refused"),
        _always(_no_developer),
        "stock Warden",
        reasoning=True,
        unsure={"concurrency": "parameter_refused"},
    ),
}
