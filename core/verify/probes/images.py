"""The probe of image input: a square of one colour, and the model's word for it.

A 200 proves nothing: some servers drop the image, and then the prompt costs as much as without.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING, Final

from core.verify.bench import user
from core.verify.probe import Probe
from core.verify.reading import Judged, prompt_tokens, read, undecided

if TYPE_CHECKING:
    from core.verify.bench import Body, Tape
    from core.verify.reading import Answers
    from core.verify.verdict import Subject

COLOURS: Final = (("red", (230, 20, 20)), ("blue", (20, 40, 230)))
SIDE: Final = 96
ASKED: Final = "Which colour is this square: red, green, blue, yellow, black or white? One word."


def png(side: int, colour: tuple[int, int, int]) -> bytes:
    """A square of one colour as PNG (W3C PNG, third edition: 8 bits a channel, RGB)."""
    row = b"\0" + bytes(colour) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(row * side)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def with_image(tape: Tape, colour: tuple[int, int, int]) -> list[Body]:
    """The question with a square of ``colour``, as Pi sends an image."""
    url = "data:image/png;base64," + base64.b64encode(png(SIDE, colour)).decode()
    parts: list[Body] = [
        {"type": "text", "text": ASKED},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    return [tape.bench.system(), {"role": "user", "content": parts}]


async def _ask(tape: Tape) -> None:
    for name, colour in COLOURS:
        change: Body = {"messages": with_image(tape, colour)}
        answered = await tape.ask(name, change)
        if not answered.ok:
            await tape.confirm(name, change)
            return
    await tape.ask("none", {"messages": [tape.bench.system(), user(ASKED)]})


def _judge(answers: Answers, subject: Subject) -> Judged:
    claimed = subject.described.image
    note = "" if claimed else " Pi sends none to this model, which is described as text alone."
    reading = read(answers, COLOURS[0][0])
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            not claimed,
            "refused",
            f"Images are refused ({reading.words}).{note}",
            fix='Take "image" out of the model\'s input.',
        )
    with_it, without = prompt_tokens(answers["red"]), prompt_tokens(answers.get("none"))
    named = [name for name, _ in COLOURS if name in answers[name].answer.lower()]
    detail: dict[str, str | int | float | bool | None] = {
        "prompt_tokens_with": with_it,
        "prompt_tokens_without": without,
        "colours_named": len(named),
    }
    if with_it is not None and without is not None and with_it <= without:
        return Judged(
            not claimed,
            "dropped",
            f"Images are taken and dropped: {with_it} prompt tokens with one, {without} without."
            f"{note}",
            fix='Take "image" out of the model\'s input.',
            detail=detail,
        )
    if len(named) == len(COLOURS):
        return Judged(
            True, "honoured", "The model named the colours of two squares.", detail=detail
        )
    return Judged(
        None if claimed else True,
        "not_seen",
        f"Images are taken; the model named {len(named)} of {len(COLOURS)} colours rightly.{note}",
        fix="Try another image by hand before you rely on it.",
        detail=detail,
    )


PROBES: Final = (
    Probe(
        "image",
        "Does the model see images?",
        (),
        4,
        2500,
        _ask,
        _judge,
    ),
)
