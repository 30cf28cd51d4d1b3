"""Limits as they are, not as they are written: is a long prompt read whole, does the window hold,
is there room for an answer after the thinking?
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from core.text import one_line
from core.verify.answered import failed_server
from core.verify.pi_shape import System, User
from core.verify.trials import fixes
from core.verify.trials.long_text import CHARACTERS_PER_TOKEN, LongPrompt, long_prompt
from core.verify.trials.loop import judged
from core.verify.trials.planted import mentions
from core.verify.trials.setting import Cost, Outcome
from core.verify.trials.telling import of_the_moment, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.verify.exchange import Answered, Line
    from core.verify.trials.setting import Setting, Tell
    from core.verify.trials.telling import Ledger
    from core.verify.verdict import Verdict

TRUNCATION: Final = "truncation"
WINDOW: Final = "context_window"
OUTPUT_LIMIT: Final = "output_limit"
OUTPUT_ROOM: Final = "output_room"

_AGENT_TOKENS: Final = 12_000
"""A prompt as an agent's becomes after a few files: more than the usual small windows hold."""
_PART_OF_WINDOW: Final = 0.6
_NEAR: Final = 0.9
"""How much of the declared window a prompt near it fills; the rest is for the answer."""
_SAMPLE_CHARACTERS: Final = 6_000
_ANSWER_TOKENS: Final = 500
_HELD: Final = 0.95
"""An answer cut at this much of the cap was cut by the cap."""

_MOST_DIGITS: Final = 12
"""A number of more is no window, and of thousands Python makes none."""
_WINDOW_SAID: Final = (
    re.compile(r"maximum context length (?:is|of) (\d+)", re.IGNORECASE),
    re.compile(r"context (?:length|size|window)[^\d]{0,24}?(\d{3,8})(?!\d)", re.IGNORECASE),
    re.compile(r"\"n_ctx\"\s*:\s*(\d+)"),
    re.compile(r"max_model_len[^\d]{0,12}(\d+)", re.IGNORECASE),
)


def truncation_cost(setting: Setting) -> Cost:
    """One long prompt."""
    return Cost(1, 1, _long_tokens(setting) + _ANSWER_TOKENS, 1)


def window_cost(setting: Setting) -> Cost:
    """A small prompt to learn how long the model's tokens are, and one that fills the window."""
    size = int(setting.pi.context_window * _NEAR)
    return Cost(2, 2, size + int(_SAMPLE_CHARACTERS / CHARACTERS_PER_TOKEN) + _ANSWER_TOKENS, 2)


def output_limit_cost(setting: Setting) -> Cost:
    """One answer as long as the config says that answers may be."""
    return Cost(1, 1, setting.pi.max_tokens + 100, 1)


def output_room_cost(setting: Setting) -> Cost:
    """One answer to something that wants thinking."""
    most = min(setting.pi.max_tokens, 8_192) if setting.pi.reasoning else 1_000
    return Cost(1, 1, most + 300, 1)


def _long_tokens(setting: Setting) -> int:
    return min(_AGENT_TOKENS, int(setting.pi.context_window * _PART_OF_WINDOW))


def _answer_cap(setting: Setting) -> int | None:
    """A limit for the answer to a long prompt.

    Pi 1.5.2 sends what its own careful estimate leaves of the window, near the window a single
    token; that would tell of Pi's estimate and not of the server. 0.78.0 sends none.
    """
    if setting.variant == "providers":
        return None
    return min(setting.pi.max_tokens, max(1_024, setting.pi.context_window // 12))


async def run_truncation(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """Whether a long prompt is read from its head on."""

    async def one(_number: int, ledger: Ledger, told: Callable[[int, str], None]) -> Outcome:
        size = _long_tokens(setting)
        told(1, f"sends about {size} tokens")
        prompt = long_prompt(int(size * CHARACTERS_PER_TOKEN), secrets.randbits(64))
        answered = await ledger.send(
            setting.body(prompt.messages, (), setting.loop_level, _answer_cap(setting))
        )
        return read_whole(setting, prompt, answered)

    return await repeated(TRUNCATION, False, setting, line, tell, one, 1)


async def run_window(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """Whether the declared window holds for a prompt near it."""

    async def one(_number: int, ledger: Ledger, told: Callable[[int, str], None]) -> Outcome:
        told(1, "measures how long the model's tokens are")
        sample = long_prompt(_SAMPLE_CHARACTERS, secrets.randbits(64))
        first = await ledger.send(
            setting.body(sample.messages, (), setting.loop_level, _answer_cap(setting))
        )
        passing = of_the_moment(first)
        if passing is not None:
            return passing
        counted = first.usage.prompt_tokens if first.usage else None
        per_token = sample.characters / counted if counted else CHARACTERS_PER_TOKEN
        size = int(setting.pi.context_window * _NEAR)
        told(2, f"sends about {size} tokens")
        prompt = long_prompt(int(size * min(per_token, 6.0)), secrets.randbits(64))
        answered = await ledger.send(
            setting.body(prompt.messages, (), setting.loop_level, _answer_cap(setting))
        )
        return read_whole(setting, prompt, answered, size if counted else None)

    return await repeated(WINDOW, False, setting, line, tell, one, 1)


def read_whole(
    setting: Setting, prompt: LongPrompt, answered: Answered, expected: int | None = None
) -> Outcome:
    """Whether the long prompt was read whole. Pure. ``expected``: its tokens, where known."""
    passing = of_the_moment(answered)
    if passing is not None:
        return passing
    declared = setting.pi.context_window
    counted = answered.usage.prompt_tokens if answered.usage else None
    detail: dict[str, str | int | float | bool | None] = {
        "prompt_tokens": counted,
        "characters": prompt.characters,
        "declared": declared if setting.window_declared else None,
    }
    fault = answered.fault
    if fault is not None and fault.code == "context_overflow":
        return _overflow(setting, answered, prompt, detail)
    reply = judged(answered)
    if reply.ending == "message_not_delta":
        return Outcome(False, reply.ending, reply.words, fixes.MESSAGE_CHUNKS, detail)
    if fault is not None and failed_server(answered) and fault.code != "parameter_refused":
        return Outcome(False, *fixes.server_failed(fault), detail)
    if fault is not None:
        words = f"A long prompt is not taken: {fixes.said(fault)}"
        return Outcome(False, "refused", words, fixes.refused(setting, fault), detail)
    head, middle = prompt.told(answered.answer)
    size = f"{counted} tokens by the server's count" if counted else "no count of its tokens"
    if head and middle:
        words = f"A prompt of {prompt.characters} characters was read whole ({size})."
        return Outcome(True, "ok", words, "", detail)
    if reply.ending == "empty":
        words = "The reply to a long prompt was empty: it did not fit, and nobody said so."
        return Outcome(False, "empty_on_long", words, fixes.larger_window(setting), detail)
    least = int(expected * _NEAR) if expected else prompt.least_tokens
    lost = "head" if not head else "middle"
    if counted is not None and counted < least:
        words = (
            f"The prompt was cut without a word: the server read {counted} tokens of "
            f"{prompt.characters} characters, and the codeword of its {lost} is gone."
        )
        return Outcome(False, "cut_silently", words, fixes.larger_window(setting), detail)
    if middle and not head:
        words = (
            "The head of the prompt was cut without a word: of two codewords only the later one "
            f"was read ({size})."
        )
        return Outcome(False, "cut_silently", words, fixes.larger_window(setting), detail)
    if reply.ending != "answer":
        words = f"It cannot be told whether the prompt was read whole. {reply.words}"
        cure = fixes.more_room(setting)
        if reply.ending == "thinking_only":
            cure = fixes.split_reasoning(setting, what="swallows")
        return Outcome(None, reply.ending, words, cure, detail)
    words = (
        f"The model did not give the codewords, though nothing says that the prompt was cut "
        f"({size})."
    )
    return Outcome(None, "not_told", words, fixes.OTHER_MODEL, detail)


def window_said(text: str) -> int | None:
    """The window that an error names, in tokens; None where it names none."""
    for pattern in _WINDOW_SAID:
        match = pattern.search(text)
        if match is not None and len(match.group(1)) < _MOST_DIGITS:
            return int(match.group(1))
    return None


def _overflow(
    setting: Setting,
    answered: Answered,
    prompt: LongPrompt,
    detail: dict[str, str | int | float | bool | None],
) -> Outcome:
    said = window_said(answered.came)
    declared = setting.pi.context_window
    how = "declares" if setting.window_declared else "leaves at Warden's default of"
    window = f"{said} tokens" if said else "smaller than that"
    words = (
        f"The server's window is {window}, the config {how} {declared}: a prompt of "
        f"{prompt.characters} characters does not fit."
    )
    least = said or int(prompt.characters / CHARACTERS_PER_TOKEN)
    fix = f"Set contextWindow = {least} for the model, or serve it with a larger window."
    return Outcome(False, "window_smaller", words, fix, {**detail, "window": said})


# ---------------------------------------------------------------------------- the answer's limit


async def run_output_limit(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """Whether an answer can be as long as the config says."""

    async def one(_number: int, ledger: Ledger, told: Callable[[int, str], None]) -> Outcome:
        cap = setting.pi.max_tokens
        told(1, f"asks for {cap} tokens")
        start = 1000 + secrets.randbelow(1000)
        ask = f"Count from {start} to {start + 4 * cap}. Write every number, one after another."
        messages = (System("You do what is asked, without comment."), User(ask))
        answered = await ledger.send(setting.body(messages, (), "off", cap))
        return held(setting, answered)

    return await repeated(OUTPUT_LIMIT, False, setting, line, tell, one, 1)


def held(setting: Setting, answered: Answered) -> Outcome:
    """Whether the cap was granted and reached. Pure."""
    passing = of_the_moment(answered)
    if passing is not None:
        return passing
    cap = setting.pi.max_tokens
    written = answered.usage.completion_tokens if answered.usage else None
    detail: dict[str, str | int | float | bool | None] = {"cap": cap, "completion_tokens": written}
    if answered.fault is not None and not answered.finish_reason:
        words = f"An answer of up to {cap} tokens is not granted: {fixes.said(answered.fault)}"
        fix = f"Set maxTokens below {cap}, as the server's words say."
        return Outcome(False, "limit_refused", words, fix, detail)
    if answered.finish_reason == "length":
        if written is None:
            words = "The answer was cut at a limit, but the server does not count its tokens."
            return Outcome(None, "not_counted", words, "", detail)
        if written >= cap * _HELD:
            words = f"The answer ran to the declared limit: {written} of {cap} tokens."
            return Outcome(True, "ok", words, "", detail)
        words = f"The server cuts answers at {written} tokens, and the config declares {cap}."
        fix = f"Set maxTokens = {written}, or raise the server's own limit."
        return Outcome(False, "limit_smaller", words, fix, detail)
    if written is not None and written >= cap * _HELD:
        words = f"An answer of {written} tokens came whole; the server does not heed the cap."
        return Outcome(True, "ok", words, "", detail)
    counted = f" after {written} tokens" if written is not None else ""
    words = f"A limit of {cap} tokens is granted, but the model ended by itself{counted}."
    return Outcome(None, "ended_early", words, "", detail)


async def run_output_room(setting: Setting, line: Line, tell: Tell) -> Verdict:
    """Whether an answer is left after the thinking, with the lane's effort."""

    async def one(_number: int, ledger: Ledger, told: Callable[[int, str], None]) -> Outcome:
        told(1, "asks for something that wants thinking")
        level = setting.loop_level if setting.lane == "agent" else setting.level
        last = f"{secrets.choice(_LAST_WORDS)}-{1000 + secrets.randbelow(9000)}"
        messages = (System(_ROOM_SYSTEM), User(_room_question(last)))
        answered = await ledger.send(setting.body(messages, (), level))
        return room_left(setting, answered, last)

    return await repeated(OUTPUT_ROOM, True, setting, line, tell, one, 1)


def room_left(setting: Setting, answered: Answered, last: str = "") -> Outcome:
    """Whether there was an answer, and not a cut one: it comes to its ``last`` word. Pure."""
    passing = of_the_moment(answered)
    if passing is not None:
        return passing
    reply = judged(answered)
    written = answered.usage.completion_tokens if answered.usage else None
    cap = setting.pi.max_tokens
    detail: dict[str, str | int | float | bool | None] = {"cap": cap, "completion_tokens": written}
    if reply.ending in {"cut", "cut_in_thought"}:
        spent = f" after {written} tokens" if written is not None else ""
        what = "no answer had begun" if reply.ending == "cut_in_thought" else "in mid-answer"
        words = f"The output limit was reached{spent}, {what}: a failed call to Warden."
        return Outcome(False, reply.ending, words, fixes.more_room(setting), detail)
    if reply.ending == "thinking_only":
        fix = fixes.split_reasoning(setting, what="swallows")
        return Outcome(False, reply.ending, reply.words, fix, detail)
    if reply.ending == "message_not_delta":
        return Outcome(False, reply.ending, reply.words, fixes.MESSAGE_CHUNKS, detail)
    fault = answered.fault
    if fault is not None and failed_server(answered) and fault.code != "parameter_refused":
        return Outcome(False, *fixes.server_failed(fault), detail)
    if fault is not None:
        words = f"The request is not taken: {fixes.said(fault)}"
        return Outcome(False, "refused", words, fixes.refused(setting, fault), detail)
    if reply.ending != "answer":
        words = reply.words or "A tool was called where none was offered."
        fix = fixes.OTHER_MODEL if answered.calls else fixes.finish(answered)
        return Outcome(False, reply.ending, words, fix, detail)
    if not mentions(answered.answer, last):
        words = (
            "The answer does not come to the word that it was to end with, so nothing says that "
            f"it is whole: {one_line(answered.answer, 80)}"
        )
        return Outcome(None, "not_told", words, fixes.OTHER_MODEL, detail)
    thought = "after thinking" if answered.thinking else "without thinking"
    spent = f", {written} of {cap} tokens" if written is not None else ""
    return Outcome(True, "ok", f"It answered {thought}{spent}.", "", detail)


_ROOM_SYSTEM: Final = "You answer briefly. Work the matter out before you answer."


_LAST_WORDS: Final = ("harbour", "lantern", "meadow", "orchard", "thicket")


def _room_question(last: str) -> str:
    """A small puzzle with one answer, never the same twice."""
    boxes = 4 + secrets.randbelow(3)
    more = 3 + secrets.randbelow(5)
    return (
        f"Anna has {boxes} boxes. Each box holds {more} red balls and twice as many blue ones, "
        "except the last, which holds as many blue as red. She takes one ball of each colour out "
        "of every box but the first. How many balls are left, and how many of them are blue? "
        "Give the two numbers in one sentence, and end your answer with this word, as it is "
        f"written: {last}"
    )
