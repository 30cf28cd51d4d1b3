"""Reading answers: accepted, honoured, ignored and refused told apart. Pure.

A reading is three-valued throughout: what the answers do not decide stays undecided, with the
reason in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.text import one_line
from core.verify.bench import UNKNOWN_FIELD
from core.verify.compat import Compat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.verify.exchange import Answered

    Answers = Mapping[str, Answered]

GOOD_FINISH: Final = frozenset({"stop", "end", "length", "tool_calls", "function_call"})
"""The finish reasons that Pi knows; any other ends the run with an error."""


_OF_THE_MOMENT: Final = frozenset({"context_overflow", "rate_limited", "loading"})


class Judged(msgspec.Struct, frozen=True):
    """What a probe's answers mean."""

    works: bool | None
    """Whether what this variant's Pi sends of itself works; None: not decided."""
    finding: str
    """One machine word."""
    text: str
    """Why, in words."""
    flags: Compat = Compat()
    """What was learned for ``compat``: values that were needed, or whose effect was seen."""
    cured: bool = False
    """With ``flags`` it works."""
    fix: str = ""
    detail: dict[str, str | int | float | bool | None] = {}


class Reading(msgspec.Struct, frozen=True):
    """How one field or message fared."""

    state: Literal["accepted", "refused", "unclear"]
    words: str
    """For a refusal the server's own words; for an unclear answer, why it is unclear."""


def read(answers: Answers, name: str) -> Reading:
    """How the request ``name`` fared, given R0 before it and, where refused, after it."""
    one = answers.get(name)
    if one is None:
        return Reading("unclear", "It was not asked.")
    if one.ok:
        return Reading("accepted", "")
    words = told(one)
    status = one.status or 0
    if one.fault is not None and one.fault.code in _OF_THE_MOMENT:
        return Reading("unclear", f"It was answered with something else: {words}")
    if not (one.refused or status >= 500):
        return Reading("unclear", f"No answer that decides it came: {words}")
    after = answers.get("after")
    if after is None or not after.ok:
        return Reading(
            "unclear",
            f"It was refused ({words}), and then the plain request was not taken either:"
            f" {told(after)}",
        )
    again = answers.get(f"{name} again")
    more = (again, answers.get(f"{name} again 2"))
    if any(one is not None and one.ok for one in more):
        return Reading("unclear", f"It was refused, and then taken: {words}")
    if one.refused:
        return Reading("refused", words)
    after = answers.get("after again")
    if again is None or after is None or not after.ok:
        return Reading("unclear", f"It failed, and then the plain request was not taken: {words}")
    if (again.status or 0) < 500 and not again.refused:
        return Reading("unclear", f"It failed in two ways: {words}; {told(again)}")
    return Reading("refused", words)


def told(answered: Answered | None) -> str:
    """The status and the server's words, on one line."""
    if answered is None:
        return "it was not asked"
    fault = answered.fault
    words = "" if fault is None else one_line(fault.why or fault.what, 200)
    status = "no reply" if answered.status is None else str(answered.status)
    return f"{status}: {words}" if words else status


def knows_fields(answers: Answers) -> bool | None:
    """Whether the server refuses fields it does not know: then acceptance is evidence."""
    control = answers.get("control")
    if control is None:
        return None
    if control.ok:
        return False
    return True if control.refused else None


def prompt_tokens(answered: Answered | None) -> int | None:
    """What the server counted for the prompt: the witness for a dropped role or image."""
    if answered is None or answered.usage is None:
        return None
    return answered.usage.prompt_tokens


def thinks(answered: Answered | None) -> bool:
    """Some thinking came, shown or at least counted."""
    return thought(answered) > 0


def thought(answered: Answered | None) -> int:
    """How much thinking came: tokens where the server counts them, else characters."""
    if answered is None:
        return 0
    counted = None if answered.usage is None else answered.usage.reasoning_tokens
    return counted or len(answered.thinking.strip())


def silence(words: str) -> str:
    """The sentence on a control that was taken: unknown fields mean nothing here."""
    return (
        f"{words} The control field {UNKNOWN_FIELD} is taken as well, so taking a field proves"
        " nothing here."
    )


def undecided(reading: Reading) -> Judged:
    """For a reading that decides nothing."""
    return Judged(None, "unclear", reading.words, fix="Ask again when the endpoint is calm.")
