"""What each of the demo's models says: a request in, words out. Nothing here waits or sends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.demo.jsonish import json_answer, wants_json
from core.demo.pointed import pointed
from core.demo.prose import (
    LONG,
    SHORT,
    THINKING,
    THINKING_BRIEF,
    THINKING_DRAFT,
    THINKING_TOOL,
    ready,
)
from core.demo.script import Said
from core.demo.tokens import count
from core.demo.tooluse import evidence, history, next_calls

if TYPE_CHECKING:
    from core.demo.ask import Ask
    from core.demo.models import DemoModel

_ONE_WORD: Final = re.compile(
    r"\b(?i:answer|reply|respond|say)\b[^.\n]{0,60}?[\s\"'`“«]([A-Z][A-Z0-9]{1,15})\b"
)
_FORMATS: Final = "JSON YAML XML HTML CSV SQL API URL HTTP ID ONLY THE AND"
_NOT_WORDS: Final = frozenset(_FORMATS.split())
_SECRET: Final = re.compile(
    r"\b(?:marker|code ?word|secret word|pass ?word|magic word|needle)\b"
    r"\s*(?:is|:|=)\s*[\"'`“]?([A-Za-z0-9][\w-]{2,})",
    re.IGNORECASE,
)
_ASKS_SECRET: Final = re.compile(
    r"\b(?:what|which|name|repeat|tell)\b[^?\n]{0,60}"
    r"\b(?P<what>marker|code ?word|secret word|pass ?word|magic word|needle)(?P<many>s?)\b",
    re.IGNORECASE,
)
_CLOSING: Final = re.compile(r"\bend your answer with this word[^:\n]{0,40}:\s*([\w-]{3,40})")
_COUNT: Final = re.compile(r"\bcount\b[^.\n]{0,30}?\b(?:from\s+(\d+)\s+)?to\s+(\d+)", re.IGNORECASE)
_SUM: Final = re.compile(r"(\d{1,9})\s*([+*×x-])\s*(\d{1,9})")
_WANTS_MORE: Final = re.compile(
    r"\b(?:long|explain|describe|essay|story|write|words|paragraphs?|sentences|why|how)\b",
    re.IGNORECASE,
)
_SHORT_QUESTION: Final = 12
"""Tokens up to which a question gets the short greeting."""
_SUM_QUESTION: Final = 40
"""Tokens up to which two numbers and a sign are a sum and not a date or a diff."""
_COUNT_AT_MOST: Final = 5000


def say(ask: Ask, model: DemoModel) -> Said:
    """What ``model`` says to ``ask``, before broken models garble it and before any cap."""
    calls = next_calls(ask)
    thinks = model.thinking != "never" and not ask.thinking_off
    if calls:
        named = ", ".join(call.name for call in calls)
        return Said("", THINKING_TOOL.format(calls=named) if thinks else "", calls)
    text = _text(ask)
    closing = _CLOSING.search(ask.question)
    if closing is not None:
        text = f"{text} {closing[1]}"
    thinking = _thinking(ask, text) if thinks else ""
    if model.thinking == "tags" and thinking and wants_json(ask):
        thinking = f"{thinking} {THINKING_DRAFT}"
    return Said(text, thinking)


def _text(ask: Ask) -> str:
    if wants_json(ask):
        return json_answer(ask)
    if history(ask):
        return _report(ask)
    word = _one_word(ask)
    if word is not None:
        return word
    question = ask.question
    prepared = ready(question)
    if prepared is not None:
        return prepared.text
    asked = _ASKS_SECRET.search(question)
    if asked is not None:
        everything = "\n".join(message.text for message in ask.messages)
        secrets = _SECRET.findall(everything)
        told = secrets if asked["many"] else secrets[:1]
        return " ".join(told) or "I do not see one in what was sent."
    counted = _COUNT.search(question)
    if counted is not None:
        first, last = int(counted[1] or 1), int(counted[2])
        return ", ".join(str(n) for n in range(first, min(last, first + _COUNT_AT_MOST) + 1))
    added = _SUM.search(question) if count(question) <= _SUM_QUESTION else None
    if added is not None:
        return f"{added[1]} {added[2]} {added[3]} = {_reckoned(added)}"
    if count(question) <= _SHORT_QUESTION and not _WANTS_MORE.search(question):
        return SHORT
    return LONG


def _one_word(ask: Ask) -> str | None:
    """The word that was asked for: by the latest instruction, else by the question."""
    rules = [m.text for m in reversed(ask.messages) if m.role in {"system", "developer"}]
    for text in (*rules, ask.question):
        for word in _ONE_WORD.findall(text):
            if word not in _NOT_WORDS:
                return str(word)
    return "PONG" if re.search(r"\bPONG\b", ask.question) else None


def _reckoned(match: re.Match[str]) -> int:
    left, sign, right = int(match[1]), match[2], int(match[3])
    if sign == "+":
        return left + right
    return left - right if sign == "-" else left * right


def _report(ask: Ask) -> str:
    """An answer out of what the tools have shown: the value that was asked for and pointed to,
    else the most telling lines, each with its place."""
    found = pointed(ask)
    if found is not None and found.key in ask.question.lower():
        return f"The {found.key} is {found.value}, and it stands in {found.path}."
    lines = evidence(ask)
    if not lines:
        return "I looked, and found nothing that answers this. (turnkey's demo provider)"
    shown = "\n".join(f"- {line.path or 'result'}:{line.number}: {line.text}" for line in lines)
    return (
        f"This is what I found, most telling first:\n{shown}\n\n"
        "(From turnkey's demo provider: it quotes what the tools showed, no model judged it.)"
    )


def _thinking(ask: Ask, text: str) -> str:
    if ask.reasoning_effort in {"minimal", "low"} or (count(text) < 4 and not ask.question):
        return THINKING_BRIEF
    prepared = ready(ask.question)
    if prepared is not None and prepared.thinking:
        return prepared.thinking
    question = " ".join(ask.question.split())
    if len(question) > 60:
        question = question[:60].rsplit(" ", 1)[0] + " …"
    return THINKING.format(question=question)
