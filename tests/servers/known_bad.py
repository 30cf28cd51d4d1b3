"""Servers with one defect each, as people meet them, and what lane trials must call each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.servers.defects import (
    always,
    bare,
    calls_now_and_then,
    choice_none,
    cut_in_call,
    cut_json,
    cuts_head,
    drafts,
    dumps,
    empty_with_tools,
    every_third,
    fails_over_results,
    falls_back,
    filtered,
    greps_and_tells,
    hermes,
    ignores_results,
    in_parts,
    in_thinking,
    json_in_thinking,
    length_on_calls,
    loses,
    message_chunks,
    mistral,
    never_calls,
    no_developer,
    no_finish,
    no_results,
    not_streamed,
    object_arguments,
    odd_finish,
    old_calls,
    one_index,
    other_name,
    other_shape,
    prose,
    rambles,
    refuses_inside,
    renamed,
    same_call,
    small_window,
    swallowed,
    tagged,
    thinks_too_long,
    tools_off,
    two_at_once,
    without_ids,
    written,
)
from tests.servers.lane_server import MODEL, Hook, lane_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.scripted import ScriptedProvider


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


_TEXT: Final = {"agent_loop": "written_as_text"}
_REQUESTS: Final = (
    "agent_loop", "bare_json", "merge", "output_room", "served_model", "truncation",
)  # fmt: skip

KNOWN_BAD: Final[dict[str, Bad]] = {
    "calls as <tool_call> text, vLLM without a parser": Bad(
        _TEXT, always(written(hermes)), "--tool-call-parser hermes", "vllm"
    ),
    "calls as [TOOL_CALLS] text": Bad(
        _TEXT, always(written(mistral)), "--tool-call-parser mistral", "sglang"
    ),
    "calls as JSON text, Ollama": Bad(_TEXT, always(written(bare)), "tools tag", "ollama"),
    "calls as <function=> text, llama.cpp without jinja": Bad(
        _TEXT, always(written(tagged)), "--jinja", "llamacpp"
    ),
    "a proxy that writes Ollama's calls as text": Bad(
        _TEXT, always(written(bare)), "ollama_chat/", "litellm"
    ),
    "calls inside the thinking": Bad(
        {"agent_loop": "written_in_thinking"}, always(in_thinking), "thinking must leave"
    ),
    "never calls a tool": Bad({"agent_loop": "no_calls"}, always(never_calls), "tools"),
    "a gateway that takes no tool_choice for none": Bad(
        {"agent_loop": "tool_choice_forced"}, always(choice_none), "leave tool_choice alone"
    ),
    "two calls under one index": Bad(
        {"agent_loop": "broken_arguments"}, always(one_index), "tool parser"
    ),
    "arguments as an object": Bad(
        {"agent_loop": "object_arguments"}, always(object_arguments), "tool parser"
    ),
    "empty with status 200 when tools are offered": Bad(
        {"agent_loop": "empty"}, always(empty_with_tools), "log"
    ),
    "the whole answer taken for thinking": Bad(
        {
            "agent_loop": "thinking_only",
            "bare_json": "json_in_thinking",
            "merge": "json_in_thinking",
            "output_room": "thinking_only",
        },
        always(swallowed),
        "--reasoning-parser",
        "vllm",
        unsure={"truncation": "thinking_only", "concurrency": "wrong_alone"},
    ),
    "the same call for ever": Bad({"agent_loop": "loop"}, always(same_call), "results"),
    "tool results refused without a name": Bad(
        {"agent_loop": "history_refused"}, always(no_results)
    ),
    "JSON in the thinking": Bad(
        {"bare_json": "json_in_thinking", "merge": "json_in_thinking"},
        always(json_in_thinking),
        "thinking off",
    ),
    "prose for JSON": Bad({"bare_json": "no_json", "merge": "no_json"}, always(prose)),
    "a draft leaks out of the thinking": Bad(
        {"bare_json": "thinking_leaks", "merge": "thinking_leaks"},
        always(drafts),
        "--reasoning-parser",
        "vllm",
    ),
    "findings get lost": Bad(
        {"bare_json": "wrong_content", "merge": "wrong_content"}, always(loses)
    ),
    "JSON without its end": Bad(
        {"bare_json": "wrong_schema", "merge": "wrong_schema"}, always(cut_json)
    ),
    "another model answers": Bad({"served_model": "other_model"}, always(other_name), "lists"),
    "the proxy fell back": Bad({"served_model": "fallback"}, always(falls_back), "fallback"),
    "any id is served, of several": Bad(
        {"canary": "accepted"}, None, "catch-all", listed=(MODEL, "another"), serves_any=True
    ),
    "the prompt's head is cut in silence": Bad(
        {"truncation": "cut_silently"}, always(cuts_head), "OLLAMA_CONTEXT_LENGTH", "ollama"
    ),
    "a smaller window than declared": Bad(
        {"truncation": "window_smaller"}, always(small_window), "contextWindow = 8192"
    ),
    "thinking eats the whole output limit": Bad(
        {"output_room": "cut_in_thought"}, always(thinks_too_long), "maxTokens"
    ),
    "two requests at once and no more": Bad(
        {"concurrency": "too_many"}, two_at_once, "runner.concurrency = 2"
    ),
    "no finish reason": Bad({"agent_loop": "no_finish"}, always(no_finish), "stream's end"),
    "a finish reason that Pi does not know": Bad({"agent_loop": "odd_finish"}, always(odd_finish)),
    "a whole reply for a stream": Bad(
        {"agent_loop": "not_streamed"}, always(not_streamed), "stream"
    ),
    "tools are not switched on": Bad(
        {"agent_loop": "refused"}, always(tools_off), "--tool-call-parser", "vllm"
    ),
    "every third call is text": Bad({"agent_loop": "flaky"}, every_third),
    "everything that the tools showed for an answer": Bad(
        {"agent_loop": "dumped"}, always(dumps), "another model"
    ),
    "greps and tells every match": Bad(
        {"agent_loop": "dumped"}, always(greps_and_tells), "another model"
    ),
    "calls tools of its own": Bad({"agent_loop": "unknown_tool"}, renamed("bash"), "not its own"),
    "calls tools under another name": Bad(
        {"agent_loop": "unknown_tool"}, renamed("Read"), "renames tools"
    ),
    "arguments of another tool": Bad(
        {"agent_loop": "bad_arguments"}, always(other_shape), "trained to call tools"
    ),
    "length for a finished call": Bad(
        {"agent_loop": "length_on_calls"}, always(length_on_calls), "ends with tool_calls"
    ),
    "the output limit cuts calls": Bad(
        {"agent_loop": "cut_in_call"}, always(cut_in_call), "maxTokens"
    ),
    "message for delta": Bad(
        {
            "agent_loop": "message_not_delta",
            "bare_json": "message_not_delta",
            "merge": "message_not_delta",
            "output_room": "message_not_delta",
            "truncation": "message_not_delta",
        },
        always(message_chunks),
        "has a delta",
        unsure={"concurrency": "wrong_alone"},
    ),
    "calls a tool every other time": Bad(
        {"agent_loop": "calls_sometimes"}, calls_now_and_then, "another model"
    ),
    "calls in function_call": Bad(
        {"agent_loop": "old_calls"}, always(old_calls), "into tool_calls"
    ),
    "calls without ids": Bad(
        {"agent_loop": "calls_without_ids"}, always(without_ids), "an id of its own"
    ),
    "text in parts": Bad(
        dict.fromkeys(("agent_loop", "bare_json", "merge", "output_room"), "list_content"),
        always(in_parts),
        "content as text",
    ),
    "tools refused with status 200": Bad(
        {"agent_loop": "refused"}, always(refuses_inside), "tools"
    ),
    "a content filter": Bad({"agent_loop": "odd_finish"}, always(filtered), "content filter"),
    "a server that fails over results of tools": Bad(
        {"agent_loop": "history_refused"}, always(fails_over_results), "template"
    ),
    "an answer that is none": Bad({}, always(rambles), unsure={"output_room": "not_told"}),
    "results of tools are not used": Bad(
        {"agent_loop": "result_unused"}, always(ignores_results), "another model"
    ),
    "the developer role is refused": Bad(
        dict.fromkeys(_REQUESTS, "refused"),
        always(no_developer),
        "stock Warden",
        reasoning=True,
        unsure={"concurrency": "parameter_refused"},
    ),
}
