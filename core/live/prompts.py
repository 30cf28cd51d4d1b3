"""Prompts to pick from, each with what it shows about a model. Data alone."""

from __future__ import annotations

from typing import Final

import msgspec

from core.wire.chat import Tool

PONG: Final = "PONG"
PONG_PROMPT: Final = "Reply with exactly one word: PONG"
"""Warden-sized proof of life: short, and with one right answer."""
RATE_PROMPT: Final = (
    "Explain in about 300 words of plain prose how a lighthouse works, and why its light turns."
)
"""Enough text for a rate that means something."""

READ_FILE: Final = Tool(
    "read_file",
    "Read lines of a file of the repository.",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "The file, from the repository's root."},
            "first": {"type": "integer", "description": "First line, from 1."},
            "last": {"type": "integer", "description": "Last line."},
        },
        "required": ["path"],
    },
)
"""A tool as coding agents have it; turnkey never runs it."""


class ReadyPrompt(msgspec.Struct, frozen=True):
    """A prompt to pick: its name, its words, and what it is good for."""

    name: str
    text: str
    why: str
    system: str | None = None
    tools: tuple[Tool, ...] = ()
    """Offered with the prompt; a call of one of them is shown and never run."""
    expects: str | None = None
    """What the answer must hold, as a word of its own, in any case; None: anything."""


READY_PROMPTS: Final = (
    ReadyPrompt("PONG", PONG_PROMPT, "One word: does the model answer, and rightly?", expects=PONG),
    ReadyPrompt("long answer", RATE_PROMPT, "Long enough for rates and gaps that mean something."),
    ReadyPrompt(
        "puzzle",
        "A snail climbs 3 m a day and slides back 2 m a night. The wall is 10 m. On which day"
        " is it up? Think it through, then answer with the number alone.",
        "Makes a reasoning model think: see both rates.",
        expects="8",
    ),
    ReadyPrompt(
        "review",
        "Review this change in two sentences and name the bug:\n"
        "-    for page in range(1, pages + 1):\n+    for page in range(1, pages):\n"
        "         rows += fetch(page)",
        "What Warden's lanes do all day.",
    ),
    ReadyPrompt(
        "call a tool",
        "Which version does this project declare? Read the file pyproject.toml with the tool;"
        " do not guess.",
        "Does the server hand a tool call on as a call, or as text? Nothing is run.",
        system="You review code. Use the tools that you are given.",
        tools=(READ_FILE,),
    ),
)


def own_prompt(text: str) -> ReadyPrompt:
    """The ready prompt of that text, or one of one's own, which may have any answer."""
    for ready in READY_PROMPTS:
        if text == ready.text:
            return ready
    return ReadyPrompt("own", text, "")


def expected(prompt: str) -> str | None:
    """What the answer to ``prompt`` must hold: the word of a ready prompt, else anything."""
    return own_prompt(prompt).expects
