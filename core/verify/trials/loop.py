"""An agent's loop with tools, as Warden runs it through Pi: request, calls, results, again.

:func:`judged` decides over one reply and is pure; :func:`run_loop` acts. Nothing that a model asks
for is executed: the tools look into a planted repository.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.text import one_line
from core.verify.pi_shape import Assistant, Message, Result
from core.verify.trials.planted import Named, Planted, mentions, named
from core.verify.trials.tools import TOOLS, ToolResult, arguments_of, run_tool
from core.verify.trials.written_calls import Shape, written_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.live.verdict import ToolCall
    from core.verify.exchange import Answered
    from core.verify.trials.setting import Setting
    from core.verify.trials.telling import Ledger

MOST_TURNS: Final = 12
"""Requests of one loop. Warden allows 50; a question of three files needs four or five."""
_SAME_CALLS: Final = 3
"""The same call so often, with the same result each time, is a loop."""
_MOST_CALLS: Final = 16
"""Calls of one reply that are run; more are a model gone astray."""
_OFFERED: Final = frozenset(tool.name for tool in TOOLS)
_GOOD_FINISH: Final = frozenset({"stop", "end", "length", "tool_calls", "function_call"})
"""What Pi takes for an end; every other word is an error to it (pi-ai ``openai-completions``)."""

Ending = Literal[
    "calls",
    "answer",
    "fault",
    "no_finish",
    "odd_finish",
    "list_content",
    "message_not_delta",
    "old_calls",
    "object_arguments",
    "broken_arguments",
    "cut_in_call",
    "length_on_calls",
    "written_as_text",
    "written_in_thinking",
    "thinking_only",
    "empty",
    "cut_in_thought",
    "cut",
]


class Judged(msgspec.Struct, frozen=True):
    """What one reply is to Pi."""

    ending: Ending
    words: str = ""
    shape: Shape | None = None


def pi_text(answered: Answered) -> str:
    """The answer's text as Pi holds it: thinking that came between tags is a part of it."""
    if answered.list_content:
        return "[object Object]"
    if answered.thinking_field == "tags":
        return f"<think>{answered.thinking}</think>{answered.answer}"
    return answered.answer


def judged(answered: Answered) -> Judged:
    """What Pi makes of a reply to a request that offered tools."""
    finish = answered.finish_reason
    if answered.message_chunks:
        return Judged(
            "message_not_delta",
            "The stream's chunks hold «message» where «delta» belongs, and Pi reads nothing else.",
        )
    if answered.old_calls and not answered.calls:
        return Judged(
            "old_calls",
            "The call came in «function_call», which was before «tool_calls»; Pi reads the new one "
            "alone.",
        )
    if answered.object_arguments:
        return Judged(
            "object_arguments",
            "A call's arguments came as a JSON object; Pi joins text, and gets [object Object].",
        )
    broken = next((one for one in answered.calls if _is_broken(one)), None)
    if broken is not None and finish != "length":
        shown = one_line(broken.arguments, 120)
        return Judged(
            "broken_arguments",
            f"The arguments of {one_line(broken.name, 40) or 'a call without a name'}, put "
            f"together from the stream, are no JSON: {shown}",
        )
    if answered.list_content:
        return Judged("list_content", "The answer came as a list of parts, which Pi cannot read.")
    if answered.fault is not None:
        return Judged("fault", answered.fault.what)
    if finish is None:
        return Judged(
            "no_finish",
            "The stream ended without a finish reason; Pi takes that for an error and tries again.",
        )
    if finish not in _GOOD_FINISH:
        return Judged(
            "odd_finish", f"The finish reason is «{one_line(finish, 40)}», an error to Pi."
        )
    if answered.calls and finish == "length":
        return _stopped(answered, broken)
    if answered.calls:
        return Judged("calls")
    return _without_calls(answered)


def _stopped(answered: Answered, broken: ToolCall | None) -> Judged:
    """Calls with the finish reason ``length``, which Pi does not run."""
    if broken is not None:
        name = one_line(broken.name, 40) or "a call without a name"
        return Judged("cut_in_call", f"The output limit was reached in the midst of {name}.")
    names = ", ".join(dict.fromkeys(one_line(call.name, 40) for call in answered.calls[:4]))
    return Judged(
        "length_on_calls",
        f"The call came whole ({names}), but the finish reason is «length», and after that Pi "
        "runs no call.",
    )


def _without_calls(answered: Answered) -> Judged:
    cut = answered.finish_reason == "length"
    told = answered.answer.strip()
    shape = written_call(answered.answer, _OFFERED)
    if shape is not None:
        return Judged(
            "written_as_text",
            f"A tool call came as text ({shape.name}), so that no tool ever runs: "
            f"{one_line(told, 140)}",
            shape,
        )
    if not told:
        shape = written_call(answered.thinking, _OFFERED)
        if shape is not None:
            return Judged(
                "written_in_thinking",
                f"A tool call stands in the thinking ({shape.name}), so that no tool ever runs.",
                shape,
            )
        if cut:
            return Judged("cut_in_thought", "The output limit was reached before any answer.")
        if answered.thinking:
            return Judged("thinking_only", "All that came was thinking: no answer and no call.")
        return Judged("empty", "The reply was empty: no answer and no call.")
    if cut:
        return Judged("cut", "The answer was cut off at the output limit, an error to Warden.")
    return Judged("answer")


def _is_broken(call: ToolCall) -> bool:
    return not call.name or arguments_of(call.arguments) is None


class LoopEnd(msgspec.Struct, frozen=True):
    """How a loop ended, with all that a verdict needs."""

    how: Ending | Literal["loop", "turn_limit"]
    words: str
    turns: int
    calls: int = 0
    """Calls that were made."""
    valid: int = 0
    """Those that Pi would have run."""
    shown: bool = False
    """A result held the fact."""
    named: Named = "none"
    """What the answer gives: the fact, another value of its kind, or several."""
    strange: str = ""
    """The first name that was called and is no offered tool's."""
    unlinked: bool = False
    """Calls came without an id, or with one that another had: no result is known for its call."""
    problem: str = ""
    """What was wrong with the first call that Pi would not have run."""
    shape: Shape | None = None
    last: Answered | None = None
    body: dict[str, object] = {}
    """The last request."""


async def run_loop(
    ledger: Ledger,
    setting: Setting,
    planted: Planted,
    opening: tuple[Message, ...],
    tell: Callable[[int, str], None],
) -> LoopEnd:
    """One loop to its end: an answer, a failure, or :data:`MOST_TURNS`."""
    messages: list[Message] = list(opening)
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    calls = valid = 0
    shown = repeated = False
    problem = strange = ""
    ids: list[str] = []
    answered: Answered | None = None
    body: dict[str, object] = {}
    for turn in range(1, MOST_TURNS + 1):
        tell(turn, "asks" if turn == 1 else "sends the results back")
        body = setting.body(messages, TOOLS, setting.loop_level)
        answered = await ledger.send(body)
        reply = judged(answered)
        if reply.ending != "calls":
            gives = named(answered.answer, planted) if reply.ending == "answer" else "none"
            return LoopEnd(
                reply.ending, reply.words, turn, calls, valid, shown, gives, strange,
                _unlinked(ids), problem, reply.shape, answered, body,
            )  # fmt: skip
        made = answered.calls[:_MOST_CALLS]
        results = [run_tool(planted.files, one.name, one.arguments) for one in made]
        tell(turn, _told(made[0], results[0], len(made)))
        calls += len(made)
        ids += [one.id for one in made]
        valid += sum(one.valid for one in results)
        shown = shown or any(mentions(one.text, planted.fact) for one in results)
        problem = problem or next((one.problem for one in results if not one.valid), "")
        strange = strange or next((one.name for one in made if one.name not in _OFFERED), "")
        for call, result in zip(made, results, strict=True):
            key = (call.name, _canonical(call.arguments))
            before, times = seen.get(key, (result.text, 0))
            seen[key] = (result.text, times + 1 if before == result.text else 1)
        repeated = any(times >= _SAME_CALLS for _, times in seen.values())
        if repeated:
            break
        thinking = answered.thinking if answered.thinking_field != "tags" else ""
        messages.append(
            Assistant(pi_text(answered), thinking, answered.thinking_field, tuple(made))
        )
        messages += [
            Result(call.id, call.name, result.text)
            for call, result in zip(made, results, strict=True)
        ]
    again = max(seen, key=lambda key: seen[key][1], default=("", ""))
    words = (
        f"It makes the same call again and again: {again[0]}({one_line(again[1], 80)})."
        if repeated
        else f"It was still calling tools after {MOST_TURNS} turns."
    )
    return LoopEnd(
        "loop" if repeated else "turn_limit", words, len(ledger.answered), calls, valid, shown,
        "none", strange, _unlinked(ids), problem, None, answered, body,
    )  # fmt: skip


def _unlinked(ids: list[str]) -> bool:
    return "" in ids or len(set(ids)) < len(ids)


def _told(call: ToolCall, result: ToolResult, count: int) -> str:
    given = arguments_of(call.arguments) or {}
    what = next((str(given[key]) for key in ("path", "pattern") if key in given), "")
    more = f" and {count - 1} more" if count > 1 else ""
    wrong = "" if result.valid else " (refused)"
    return one_line(f"{call.name} {what}".strip(), 80) + more + wrong


def _canonical(arguments: str) -> str:
    return json.dumps(arguments_of(arguments), sort_keys=True)
