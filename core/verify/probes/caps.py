"""The probe of the output limit: under which name is it taken, and does it hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.verify.bench import user
from core.verify.compat import CapField, Compat, effective
from core.verify.probe import Probe
from core.verify.reading import Judged, Reading, read

if TYPE_CHECKING:
    from core.verify.bench import Body, Tape
    from core.verify.exchange import Answered
    from core.verify.reading import Answers
    from core.verify.verdict import Subject

NAMES: Final[tuple[CapField, CapField]] = ("max_completion_tokens", "max_tokens")
LIMIT: Final = 16
_SLACK: Final = 4
COUNT: Final = "Count from 1 to 300 in digits, separated by spaces. Leave nothing out."


async def _ask(tape: Tape) -> None:
    for name in NAMES:
        change: Body = {"messages": [tape.bench.system(), user(COUNT)], name: LIMIT}
        # the plain request's own limit must not stand beside the one that is tried
        drop = tuple(one for one in NAMES if one != name)
        await tape.ask(name, change, drop=drop)
        await tape.confirm(name, change, drop=drop)


def _held(answered: Answered) -> bool | None:
    """Whether the limit held; None where the answer ended by itself below it."""
    written = None if answered.usage is None else answered.usage.completion_tokens
    # three characters a number: far past any sixteen tokens
    long = len(answered.answer) + len(answered.thinking) > LIMIT * 12
    if answered.finish_reason == "length":
        return not long if written is None else written <= LIMIT * 4
    if written is not None:
        return None if written <= LIMIT + _SLACK and not long else False
    return False if long else None


def _judge(answers: Answers, subject: Subject) -> Judged:
    flags = effective(
        subject.written, subject.provider, subject.base_url, subject.model, subject.variant
    )
    mine: CapField = flags.max_tokens_field or "max_completion_tokens"
    other: CapField = "max_tokens" if mine == "max_completion_tokens" else "max_completion_tokens"
    readings = {name: read(answers, name) for name in NAMES}
    states = {name: _state(readings[name], answers[name]) for name in NAMES}
    text = " ".join(f"{name}: {_words(readings[name], states[name])}." for name in (mine, other))
    detail: dict[str, str | int | float | bool | None] = {str(k): v for k, v in states.items()}
    if states[mine] == "held":
        return Judged(True, "honoured", text, detail=detail)
    take_other = Compat(max_tokens_field=other)
    # 0.78.0 sends no limit at all, so neither name can fail there.
    sent = subject.variant == "stock"
    if states[other] == "held" and states[mine] in {"refused", "ran past"}:
        finding = "refused" if states[mine] == "refused" else "ignored"
        note = "" if sent else " This Pi sends no limit of itself."
        return Judged(
            not sent, finding, text + note, take_other, cured=True, detail=detail, fix=_FIX
        )
    if states[mine] == "refused" and states[other] not in {"refused", "unclear"}:
        return Judged(not sent, "refused", text, take_other, cured=True, detail=detail, fix=_FIX)
    if states[mine] == states[other] == "refused":
        return Judged(
            not sent,
            "refused",
            f"{text} Pi 1.5.2 always sends one of the two.",
            detail=detail,
            fix="Let the server or the gateway take max_completion_tokens or max_tokens.",
        )
    return Judged(
        None,
        "unproven",
        f"{text} That a limit holds is not proven under either name.",
        detail=detail,
        fix="Look at what the lane trials say of room for the answer.",
    )


_FIX: Final = "Use export pi, which writes the name that works as maxTokensField."


def _state(reading: Reading, answered: Answered) -> str:
    if reading.state != "accepted":
        return reading.state
    held = _held(answered)
    return "held" if held else "not reached" if held is None else "ran past"


def _words(reading: Reading, state: str) -> str:
    if state in {"refused", "unclear"}:
        return f"{state} ({reading.words})"
    if state == "held":
        return f"a limit of {LIMIT} held"
    if state == "ran past":
        return f"taken, and the answer ran past a limit of {LIMIT}"
    return f"taken, and the answer ended before a limit of {LIMIT}"


PROBES: Final = (
    Probe(
        "token-cap",
        "Under which name does a limit of output tokens hold?",
        ("maxTokensField",),
        3,
        500,
        _ask,
        _judge,
    ),
)
