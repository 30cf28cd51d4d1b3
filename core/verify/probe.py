"""A probe is data: a question, what it costs, how it is asked, and a pure judge of the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from core.verify.bench import Bench, Tape
from core.verify.reading import Judged, told
from core.verify.verdict import Flag, Subject, Verdict, Word, evidence

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.verify.exchange import Line
    from core.verify.reading import Answers

    Run = Callable[[Tape], Awaitable[None]]
    Judge = Callable[[Answers, Subject], Judged]


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to one model."""

    name: str
    """As ``--only`` takes it."""
    question: str
    """In words for a person."""
    flags: tuple[str, ...]
    """Pi's names of the compat flags that it decides; may be empty."""
    requests: int
    """How many requests it takes at most where nothing fails."""
    tokens: int
    """About how many tokens they cost together, in and out."""
    run: Run
    """Asks; the answers are on the tape."""
    judge: Judge
    """Reads the answers. Pure."""
    optional: bool = False
    """Pi sends it only where a flag is set for it: run when named, and of no weight for
    «verified»."""
    bare: bool = False
    """It judges the plain request itself, so it runs even where that one fails."""


def word_for(judged: Judged, variant: str) -> Word:
    """The verdict's word: in ``stock`` what the exported compat cures is no failure."""
    if judged.works is None:
        return "unsure"
    if judged.works:
        return "pass"
    return "pass" if judged.cured and variant == "stock" else "fail"


async def run_probe(
    probe: Probe, subject: Subject, line: Line, *, bench: Bench | None = None
) -> Verdict:
    """Ask ``probe``'s question of ``subject``. ``bench``: shared by the probes of one model.

    Never raises for what the endpoint does; cancelling closes the connection.
    """
    tape = Tape(bench if bench is not None else Bench(line, subject))
    base = await tape.base()
    if base.ok or probe.bare:
        await probe.run(tape)
        judged = probe.judge(tape.answers, subject)
    else:
        judged = Judged(
            None,
            "not_asked",
            f"Not asked: the plain request fails already ({told(base)}).",
            fix=base.fault.fix if base.fault is not None else "",
        )
    word = word_for(judged, subject.variant)
    text = judged.text
    if judged.works is False and judged.flags.written():
        text = f"{text} {_cure(judged, subject)}"
    return Verdict(
        probe=probe.name,
        provider=subject.provider,
        model=subject.model,
        lane=subject.lane,
        verdict=word,
        evidence=evidence(text, *tape.answers.values()),
        fix=judged.fix if word != "pass" else "",
        finding=judged.finding,
        requests=tape.requests,
        tokens=tape.tokens,
        detail=judged.detail,
        learned=msgspec.convert(judged.flags.written(), dict[str, Flag]),
    )


def _cure(judged: Judged, subject: Subject) -> str:
    written = ", ".join(
        f"{name}: {msgspec.json.encode(value).decode()}"
        for name, value in judged.flags.written().items()
    )
    if subject.variant == "stock":
        return f"The exported compat says {written}."
    return f"In an exported models.json (export pi) {written} cures it."
