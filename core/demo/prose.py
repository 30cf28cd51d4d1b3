"""What the demo says when nothing in particular was asked of it. It never hides that it is one."""

from __future__ import annotations

from typing import Final

import msgspec

SHORT: Final = (
    "Hello from turnkey's demo provider. No model stands behind me: my words are ready-made, "
    "but the stream, the pace and the token counts are real."
)

LONG: Final = (
    "This is turnkey's demo provider speaking, so no model thought about your question. "
    "What you see is real all the same: these words cross the loopback interface as a stream of "
    "server-sent events, one token at a time, and the figures below are measured on them.\n\n"
    "Time to first token runs from the request to the first piece of text. The rate counts what "
    "came after that first piece, and the gaps say how evenly it came. When the stream ends, the "
    "server says how many tokens it counted, and the rate is taken from that count.\n\n"
    "Try the others too: demo-thinker thinks before it answers, demo-slow lets you wait, "
    "and demo-broken-tools writes its tool calls as text. Escape stops any of them."
)
"""About 160 tokens, so that a rate can be told and a cap of 256 leaves room for thinking."""

THINKING: Final = (
    "The user asks: “{question}”. I am the demo, so I have nothing to work out, "
    "but thinking should be seen before an answer comes. "
    "The shape of the reply is settled; a short check of it, and then I can begin."
)

THINKING_BRIEF: Final = "This one is easy, so a short look is enough."

THINKING_DRAFT: Final = "The shape first, empty: {}. Now the values."
"""What the leaking model thinks before it writes JSON: whoever takes the first JSON takes this."""

THINKING_TOOL: Final = "I have not seen that yet, so I look first: {calls}."


class Ready(msgspec.Struct, frozen=True):
    """A ready-made answer to a question that turnkey itself proposes."""

    words: tuple[str, ...]
    """All of them stand in the question, in lower case."""
    text: str
    thinking: str = ""
    """What the thinking models think first; the usual words when empty."""


READY: Final = (
    Ready(
        ("lighthouse", "explain"),
        "A lighthouse puts a strong lamp high above the sea, so that its light clears the curve "
        "of the earth and reaches ships many miles away. Around the lamp stands a Fresnel lens: "
        "rings of glass prisms that bend the light, which would scatter everywhere, into a few "
        "flat, bright beams.\n\n"
        "The light turns because a beam that sweeps past is seen as a flash, and flashes can be "
        "counted. Each lighthouse has its own rhythm, written on the charts, so a sailor who times "
        "the flashes knows which light it is, and so where the ship stands. A beam that turns also "
        "spends all of its strength on one direction at a time.\n\n"
        "(A ready-made answer of turnkey's demo provider; the stream and its figures are real.)",
    ),
    Ready(
        ("snail", "wall", "night"),
        "8",
        "Each full day gains one metre: three up, two back. After seven days and nights the snail "
        "is at seven metres. On the eighth day it climbs three more and stands at ten, the top, "
        "before any night can pull it back. So it is not day ten, but day eight.",
    ),
    Ready(
        ("review", "range(1, pages + 1)", "range(1, pages)"),
        "The loop ends one early: `range(1, pages)` leaves out the last page. Keep `pages + 1`, "
        "and add a test with a last page that is not full, which would have caught it. "
        "(A ready-made answer of turnkey's demo provider.)",
        "The old range ran from one up to and with the number of pages. The new one stops before "
        "it, because the end of a range is not part of it. So page number `pages` is never "
        "fetched, and its rows are missing from the result.",
    ),
)
"""The prompts that the live screen offers, answered as a good model would."""


def ready(question: str) -> Ready | None:
    """The ready-made answer to ``question``, if it is one of turnkey's own prompts."""
    asked = question.lower()
    return next((one for one in READY if all(word in asked for word in one.words)), None)
