"""Structured answers without ``response_format``: bare JSON for a schema in the instructions.

What the auxiliary lane does after every chunk (findings taken out of a reviewer's text) and what
the synthesis lane does at the end (findings with one cause put together), asked as Warden asks
(getsentry/warden ``sdk/runtimes/pi.ts`` ``runStructured``): a schema in the system prompt, no
tools, and an answer that must end with ``stop``.
"""

from __future__ import annotations

import json
import random
import secrets
from typing import TYPE_CHECKING, Final

from core.text import one_line
from core.verify.answered import failed_server
from core.verify.pi_shape import System, User
from core.verify.trials import fixes
from core.verify.trials.found_json import find_json
from core.verify.trials.loop import Judged, judged, pi_text
from core.verify.trials.schema import problem_of
from core.verify.trials.setting import Cost, Outcome
from core.verify.trials.tasks import Task, extraction, merging
from core.verify.trials.telling import of_the_moment, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.verify.exchange import Answered, Line
    from core.verify.trials.setting import Setting, Tell
    from core.verify.trials.telling import Ledger
    from core.verify.verdict import Verdict

BARE_JSON: Final = "bare_json"
MERGE: Final = "merge"

_TOKENS: Final = {BARE_JSON: 1_500, MERGE: 3_800}


def cost_of(name: str) -> Callable[[Setting], Cost]:
    """One request a run."""

    def cost(setting: Setting) -> Cost:
        return Cost(setting.runs, setting.runs, _TOKENS[name] * setting.runs, 1)

    return cost


async def run_bare_json(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """Findings out of a reviewer's words, ``setting.runs`` times."""
    return await _run(BARE_JSON, extraction, setting, line, tell)


async def run_merge(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """Twelve findings put together by their cause, ``setting.runs`` times."""
    return await _run(MERGE, merging, setting, line, tell)


async def _run(
    name: str,
    make: Callable[[random.Random], Task],
    setting: Setting,
    line: Line,
    tell: Tell,
) -> Verdict:
    async def one(_number: int, ledger: Ledger, told: Callable[[int, str], None]) -> Outcome:
        task = make(random.Random(secrets.randbits(64)))  # noqa: S311  # a riddle, not a secret
        told(1, "asks for JSON")
        system = System(instructions(task))
        answered = await ledger.send(setting.body((system, User(task.prompt)), (), setting.level))
        return outcome(setting, task, answered)

    return await repeated(name, True, setting, line, tell, one)


def instructions(task: Task) -> str:
    """The system prompt: the schema, and that nothing but JSON is wanted."""
    return (
        f"You turn text into data for a program.\n\nTask: {task.name}\n\n"
        "Answer with one JSON value and nothing else: only JSON, with no code fence around it and "
        "no sentence before or after it. It must fit this JSON schema:\n\n"
        f"{json.dumps(task.schema, indent=2)}"
    )


def outcome(setting: Setting, task: Task, answered: Answered) -> Outcome:
    """What one answer is to Warden. Pure."""
    passing = of_the_moment(answered)
    if passing is not None:
        return passing
    reply = judged(answered)
    if reply.ending not in {"answer", "written_as_text"}:
        return _no_answer(setting, task, answered, reply)
    text = pi_text(answered)
    leaks = answered.thinking_field == "tags"
    found = find_json(text)
    if found is None:
        shown = one_line(answered.answer, 140)
        words = f"Warden finds no JSON in the answer: {shown}"
        return Outcome(False, "no_json", words, fixes.OTHER_MODEL)
    wrong = problem_of(found.value, task.schema)
    wrong = wrong or task.check(found.value)
    detail: dict[str, str | int | float | bool | None] = {"found": found.how}
    if wrong is None:
        note = "" if found.how == "bare" else f" ({found.how}, which Warden bears)"
        if leaks:
            note += "; its thinking stands in the answer, which Warden bears as long as it has no"
            note += " brackets"
            detail["thinking_leaks"] = True
        return Outcome(True, "ok", f"The JSON fits the schema and is right{note}.", "", detail)
    if leaks and _right(task, answered.answer):
        return Outcome(
            False,
            "thinking_leaks",
            "Thinking stands in the answer, between tags, and Warden takes the JSON that was "
            f"drafted there: {wrong}.",
            fixes.split_reasoning(setting, what="leaks"),
            detail,
        )
    if found.how != "bare" and _right(task, text[found.start + 1 :]):
        return Outcome(
            False,
            "prose_before_json",
            f"Words before the JSON hold a bracket, and Warden takes that for the answer: {wrong}.",
            fixes.OTHER_MODEL,
            detail,
        )
    kind = "wrong_schema" if problem_of(found.value, task.schema) else "wrong_content"
    does = "does not fit the schema" if kind == "wrong_schema" else "fits the schema, but is wrong"
    return Outcome(False, kind, f"The JSON {does}: {wrong}.", fixes.OTHER_MODEL, detail)


def _right(task: Task, text: str) -> bool:
    """Whether some JSON further on would have been right."""
    decoder = json.JSONDecoder()
    place, tries = text.find("{"), 0
    while place != -1 and tries < 50:
        tries += 1
        try:
            value, _ = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            pass
        else:
            if problem_of(value, task.schema) is None and task.check(value) is None:
                return True
        place = text.find("{", place + 1)
    return False


def _no_answer(setting: Setting, task: Task, answered: Answered, reply: Judged) -> Outcome:
    match reply.ending:
        case "thinking_only" | "cut_in_thought" if _right(task, answered.thinking):
            return Outcome(
                False,
                "json_in_thinking",
                "The JSON came in the thinking, and the answer is empty: Warden sees nothing.",
                fixes.split_reasoning(setting, what="swallows"),
            )
        case "thinking_only":
            words = "All that came was thinking: there is no answer to find JSON in."
            fix = fixes.split_reasoning(setting, what="swallows")
            return Outcome(False, "thinking_only", words, fix)
        case "cut_in_thought" | "cut":
            words = f"{reply.words} Warden takes an answer that was cut for a failure."
            return Outcome(False, reply.ending, words, fixes.more_room(setting))
        case (
            "calls"
            | "broken_arguments"
            | "object_arguments"
            | "written_in_thinking"
            | "length_on_calls"
            | "old_calls"
            | "cut_in_call"
        ):
            words = "It called a tool where none was offered."
            return Outcome(False, "calls_unasked", words, fixes.OTHER_MODEL)
        case "message_not_delta":
            return Outcome(False, reply.ending, reply.words, fixes.MESSAGE_CHUNKS)
        case "empty":
            words = "The reply was empty."
            fix = "Look at the server's log: an error may have been swallowed."
            return Outcome(False, "empty", words, fix)
    fault = answered.fault
    if fault is None:
        return Outcome(False, reply.ending, reply.words, fixes.finish(answered))
    if answered.status == 200 and fault.code == "bad_shape":
        return Outcome(
            False, "not_streamed", fixes.said(fault), "Have the endpoint stream: Pi always asks."
        )
    if failed_server(answered) and fault.code != "parameter_refused":
        return Outcome(False, *fixes.server_failed(fault))
    refused = answered.refused or (answered.status or 0) >= 500
    if refused and fault.code != "context_overflow":
        words = f"The request is not taken: {fixes.said(fault)}"
        return Outcome(False, "refused", words, fixes.refused(setting, fault))
    return Outcome(False, fault.code, fixes.said(fault), fixes.refused(setting, fault))


__all__ = [
    "BARE_JSON",
    "MERGE",
    "cost_of",
    "instructions",
    "outcome",
    "run_bare_json",
    "run_merge",
]
