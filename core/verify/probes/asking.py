"""What several probes ask: the task that wants a tool, the small sum, and the bodies for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.verify.bench import SUM, Body, user

if TYPE_CHECKING:
    from core.verify.bench import Tape
    from core.verify.exchange import Answered

TASK: Final = "Call the tool read for the file README.md, and say nothing else."
SCHEMA: Final[Body] = {
    "type": "object",
    "properties": {"path": {"type": "string", "description": "The file's path"}},
    "required": ["path"],
    "additionalProperties": False,
}
_RULE: Final = "You use tools when asked to."


def read_tool(**more: object) -> Body:
    """The tool ``read``, with more members in its function."""
    function = {"name": "read", "description": "Read a file", "parameters": SCHEMA, **more}
    return {"type": "function", "function": function}


def task(tape: Tape, text: str = TASK) -> list[Body]:
    """Messages that want one call of a tool."""
    return [tape.bench.system(_RULE), user(text)]


def with_tool(tape: Tape, **more: object) -> Body:
    """The task with ``read`` offered, and no ``tool_choice``; ``more`` is of the function."""
    return {"messages": task(tape), "tools": [read_tool(**more)]}


async def ask_tool(tape: Tape) -> Answered:
    """The task with the tool offered and no ``tool_choice``, once for the bench; ``tool``."""
    return await tape.ask_shared("tool", with_tool(tape))


def sum_of(tape: Tape) -> list[Body]:
    """Messages with a small sum, which a model that thinks will think about."""
    return [tape.bench.system(), user(SUM)]


async def ask_sum(tape: Tape) -> Answered:
    """The sum, with nothing said about thinking; once for the bench, under ``sum``."""
    return await tape.ask_shared("sum", {"messages": sum_of(tape)})
