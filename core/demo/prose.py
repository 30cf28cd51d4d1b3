"""What the demo says when nothing in particular was asked of it. It never hides that it is one."""

from __future__ import annotations

from typing import Final

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

THINKING_TOOL: Final = "I have not seen that yet, so I look first: {calls}."
