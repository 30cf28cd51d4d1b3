"""Probes of what Pi always sends or expects, whatever its flags: parts, a stream, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.verify.bench import PONG, broken
from core.verify.compat import Compat
from core.verify.probe import Probe
from core.verify.probes.asking import ask_tool
from core.verify.reading import GOOD_FINISH, Judged, prompt_tokens, read, told, undecided

if TYPE_CHECKING:
    from core.verify.bench import Tape
    from core.verify.reading import Answers
    from core.verify.verdict import Subject


async def _ask_parts(tape: Tape) -> None:
    before = tape.answers["before"]
    if not (before.ok or before.refused or broken(before)):
        return
    plain = {"messages": [tape.bench.system(), {"role": "user", "content": PONG}]}
    if before.ok:
        tape.answers["counted"] = await tape.usage()
        await tape.ask("as text", plain)
        return
    await tape.ask("as text", plain)
    if tape.answers["as text"].ok:
        await tape.again("parts again")
        await tape.again("parts again 2")


def _parts(answers: Answers, _: Subject) -> Judged:
    before, text = answers["before"], answers.get("as text")
    if not before.ok:
        again = (answers.get("parts again"), answers.get("parts again 2"))
        mine = text is not None and text.ok
        if not mine or any(one is None or one.ok for one in again):
            return Judged(
                None,
                "unclear",
                f"The plain request fails ({told(before)}), and not for its parts alone.",
                fix=before.fault.fix if before.fault is not None else "",
            )
        return Judged(
            False,
            "refused",
            f"User messages as a list of parts are refused ({told(before)}); as plain text the"
            " same is taken. Pi always sends parts, and no flag changes that.",
            fix="Use a server, a template or a gateway that takes content as a list of parts.",
        )
    listed, flat = prompt_tokens(answers.get("counted")), prompt_tokens(text)
    if listed is not None and flat is not None:
        if listed + 3 < flat:
            return Judged(
                False,
                "dropped",
                f"The text inside parts is dropped: {listed} prompt tokens with it, {flat} as"
                " plain text.",
                fix="Use a chat template that reads content as a list of parts.",
                detail={"as_parts": listed, "as_text": flat},
            )
        return Judged(
            True,
            "honoured",
            f"Parts and plain text cost about the same: {listed} and {flat} prompt tokens.",
            detail={"as_parts": listed, "as_text": flat},
        )
    if "pong" in before.answer.lower():
        return Judged(True, "honoured", "The answer shows that the text inside parts was read.")
    return Judged(
        None,
        "accepted",
        "Parts are taken; that they are read does not show, for nothing counts prompt tokens and"
        " the answer is another.",
    )


async def _ask_nothing(tape: Tape) -> None:
    del tape


def _stream(answers: Answers, _: Subject) -> Judged:
    before = answers["before"]
    code = None if before.fault is None else before.fault.code
    if before.message_chunks:
        return Judged(
            False,
            "message_not_delta",
            "The stream's chunks hold «message» where «delta» belongs, and Pi reads nothing else.",
            fix="Update the server, or the gateway before it: in a stream each chunk's choice has"
            " a delta.",
        )
    if before.ok and before.pieces:
        failed = f" It failed before ({', '.join(before.stumbles)})." if before.stumbles else ""
        return Judged(
            True,
            "honoured",
            f"The answer streams: {before.pieces} pieces came.{failed}",
            detail={"pieces": before.pieces},
        )
    if before.status is not None and before.status < 300 and code == "bad_shape":
        return Judged(
            False,
            "plain",
            f"A request for a stream got something else: {told(before)} Pi reads streams alone.",
            fix="Switch streaming on in the server or the gateway before it.",
        )
    if before.ok:
        return Judged(None, "empty", "The stream ended without any text.")
    return Judged(
        None,
        "unclear",
        f"The plain request fails: {told(before)}",
        fix=before.fault.fix if before.fault is not None else "",
    )


async def _ask_finish(tape: Tape) -> None:
    await ask_tool(tape)
    if tape.answers["before"].finish_reason is None:
        await tape.again("after")


def _finish(answers: Answers, _: Subject) -> Judged:
    before, call, after = answers["before"], answers.get("tool"), answers.get("after")
    seen = [one for one in (before, call, after) if one is not None and one.ok]
    odd = sorted({one.finish_reason for one in seen if one.finish_reason} - GOOD_FINISH)
    if odd:
        words = ", ".join(odd)
        return Judged(
            False,
            "odd_word",
            f"The stream ends with «{words}», which Pi takes for an error whatever its flags say.",
            fix="Let the server or a gateway say stop, length or tool_calls.",
            detail={"finish_reason": words},
        )
    missing = [one for one in seen if one.finish_reason is None]
    if not missing:
        words = ", ".join(sorted({one.finish_reason or "" for one in seen}))
        return Judged(
            True, "honoured", f"Streams end with {words}.", detail={"finish_reason": words}
        )
    if len(missing) < len(seen):
        return Judged(
            None,
            "flaky",
            f"{len(missing)} of {len(seen)} streams ended without a finish reason; they may have"
            " been cut off.",
            fix="Look at the server's log, and at time limits on the way.",
        )
    if after is None or not after.ok:
        return undecided(read({"after": before}, "after again"))
    return Judged(
        False,
        "missing",
        "No stream has a finish reason: Pi 0.78.0 fails on that, 1.5.2 as well unless told.",
        Compat(supports_finish_reason=False),
        cured=True,
        fix="Use a server that gives finish_reason; else export pi, which writes"
        " supportsFinishReason: false.",
    )


PROBES: Final = (
    Probe(
        "stream",
        "Does it stream, as Pi alone reads?",
        (),
        1,
        100,
        _ask_nothing,
        _stream,
        bare=True,
    ),
    Probe(
        "parts",
        "Is a user's message read when it is a list of parts?",
        (),
        4,
        250,
        _ask_parts,
        _parts,
        bare=True,
    ),
    Probe(
        "finish",
        "Do streams end with a reason that Pi knows?",
        ("supportsFinishReason",),
        2,
        400,
        _ask_finish,
        _finish,
    ),
)
