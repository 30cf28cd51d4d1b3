"""Long prompts with a codeword at the head and one in the middle, never the same twice."""

from __future__ import annotations

import random
from typing import Final

import msgspec

from core.verify.pi_shape import Assistant, Message, System, User
from core.verify.trials.planted import mentions

CHARACTERS_PER_TOKEN: Final = 3.5
"""Of such a log, as common tokenizers cut it: names, times and numbers."""
FEWEST_CHARACTERS_PER_TOKEN: Final = 7.0
"""No tokenizer makes fewer tokens of it than this says: a lower count means that text was lost."""

_SERVICES: Final = (
    "billing",
    "catalog",
    "export",
    "ingest",
    "mailer",
    "parcel",
    "report",
    "search",
)
_DEEDS: Final = (
    "drained the queue and went back to sleep",
    "could not reach the store and tried again",
    "wrote its checkpoint without a warning",
    "gave two jobs back after the last attempt",
    "read a new rule and dropped the old one",
    "closed a connection that had been idle",
)
_LETTERS: Final = "bcdfghjkmnpqrstvwxz"


class LongPrompt(msgspec.Struct, frozen=True):
    """A conversation of about so many tokens."""

    messages: tuple[Message, ...]
    head: str
    """The codeword in its first words."""
    middle: str
    """The codeword in its middle."""
    characters: int

    @property
    def least_tokens(self) -> int:
        """Fewer than this cannot be the whole of it."""
        return int(self.characters / FEWEST_CHARACTERS_PER_TOKEN)

    def told(self, answer: str) -> tuple[bool, bool]:
        """Whether the answer gives the codeword of the head, and that of the middle."""
        return mentions(answer, self.head), mentions(answer, self.middle)


def long_prompt(characters: int, seed: int) -> LongPrompt:
    """A conversation of about ``characters`` characters.

    Servers cut in different ways: some drop the oldest messages, some the first tokens, some the
    middle. So it has three turns, and a codeword in each of the places that go first.
    """
    dice = random.Random(seed)  # noqa: S311  # text to fill a prompt
    head, middle = _codeword(dice), _codeword(dice)
    half = max(200, (characters - 600) // 2)
    first = f"The first codeword is {head}. Keep it in mind.\n\n{_log(dice, half)}"
    second_half = _log(dice, half)
    second = f"The second codeword is {middle}. Here is the rest.\n\n{second_half}"
    messages = (
        System("You read logs and answer questions about them, briefly and exactly."),
        User(first),
        Assistant("I have read this part."),
        User(second),
        Assistant("I have read this part, too."),
        User(
            "Which two codewords were given, one before each part of the log? Answer with the two "
            "codewords exactly as they were written, and nothing else."
        ),
    )
    return LongPrompt(messages, head, middle, len(first) + len(second) + 300)


def _codeword(dice: random.Random) -> str:
    return f"{''.join(dice.choices(_LETTERS, k=5))}-{dice.randint(100, 999)}"


def _log(dice: random.Random, characters: int) -> str:
    lines: list[str] = []
    size = 0
    minute = dice.randint(0, 600)
    while size < characters:
        minute += dice.randint(1, 3)
        clock = f"{minute // 60 % 24:02}:{minute % 60:02}"
        line = (
            f"{clock} {dice.choice(_SERVICES)}: worker {dice.randint(1, 40)} {dice.choice(_DEEDS)}."
        )
        lines.append(line)
        size += len(line) + 1
    return "\n".join(lines)
