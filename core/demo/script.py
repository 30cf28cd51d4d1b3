"""From what is said to what goes over the wire: tokens with the seconds before each, and usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.demo.tokens import count, tokens

if TYPE_CHECKING:
    from core.demo.ask import Ask
    from core.demo.models import DemoModel

Finish = Literal["stop", "length", "tool_calls"]

_MESSAGE_TOKENS: Final = 4
"""What a message costs beside its text: role and delimiters of a chat template."""
_REPLY_TOKENS: Final = 3
"""What the template adds to open the reply."""
_GOLDEN: Final = 0.6180339887498949


class Call(msgspec.Struct, frozen=True):
    """A tool call: the function's name, and its arguments as JSON text."""

    name: str
    arguments: str


class Said(msgspec.Struct, frozen=True):
    """What a model says to a request, before any cap."""

    text: str = ""
    thinking: str = ""
    calls: tuple[Call, ...] = ()


class Piece(msgspec.Struct, frozen=True):
    """One token on its way."""

    kind: Literal["thinking", "answer", "call"]
    text: str
    wait_s: float
    """Seconds to let pass before it is sent."""
    call: int = 0
    """Which tool call it belongs to, from 0."""
    opens: str | None = None
    """The function's name, on the piece that opens a call (its text is then empty)."""


class Counts(msgspec.Struct, frozen=True):
    """Tokens of one exchange, as the demo's own tokenizer counts them."""

    prompt: int
    thinking: int
    answer: int
    """Answer text and tool calls together."""
    reports_thinking: bool
    """False where the server cannot tell thinking from answer, because it leaks."""

    @property
    def completion(self) -> int:
        """All that was generated."""
        return self.thinking + self.answer


class Script(msgspec.Struct, frozen=True):
    """A reply, ready to be played or to be sent at once."""

    pieces: tuple[Piece, ...]
    finish: Finish
    counts: Counts

    @property
    def seconds(self) -> float:
        """How long playing it takes."""
        return sum(piece.wait_s for piece in self.pieces)


def prompt_tokens(ask: Ask) -> int:
    """What the request costs: messages, tool calls in them, and the offered tools."""
    total = _REPLY_TOKENS
    for message in ask.messages:
        total += _MESSAGE_TOKENS + count(message.text)
        for called in message.tool_calls or ():
            total += _MESSAGE_TOKENS + count(called.function.name + called.function.arguments)
    if ask.tools:
        total += count(msgspec.json.encode(ask.tools).decode())
    return total


def script(said: Said, ask: Ask, model: DemoModel) -> Script:
    """``said`` as tokens in time, cut at the request's cap or the model's own limit."""
    said = _misspoken(said, model)
    flat: list[tuple[Literal["thinking", "answer", "call"], str, int, str | None]] = []
    flat += [("thinking", text, 0, None) for text in tokens(said.thinking)]
    flat += [("answer", text, 0, None) for text in tokens(said.text)]
    for index, call in enumerate(said.calls):
        flat.append(("call", "", index, call.name))
        flat += [("call", text, index, None) for text in tokens(call.arguments)]
    limits = [limit for limit in (ask.cap, model.max_output_tokens) if limit is not None]
    kept = flat[: min(limits)] if limits else flat
    pieces = tuple(
        Piece(kind, text, _wait(number, kind, model), index, opens)
        for number, (kind, text, index, opens) in enumerate(kept)
    )
    thinking = sum(piece.kind == "thinking" for piece in pieces)
    finish: Finish = "tool_calls" if said.calls else "stop"
    return Script(
        pieces,
        "length" if len(kept) < len(flat) else finish,
        Counts(prompt_tokens(ask), thinking, len(pieces) - thinking, model.thinking != "tags"),
    )


def _misspoken(said: Said, model: DemoModel) -> Said:
    """What the broken models make of it: leaked thinking, calls written out as text."""
    if model.thinking == "tags" and said.thinking:
        text = f"<think>\n{said.thinking}\n</think>\n\n{said.text}"
        said = msgspec.structs.replace(said, text=text, thinking="")
    if model.tools == "text" and said.calls:
        # the shape that Hermes- and Qwen-style templates teach, when no parser reads it
        written = "\n".join(
            f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n</tool_call>'
            for call in said.calls
        )
        said = msgspec.structs.replace(said, text=said.text + written, calls=())
    return said


def _wait(number: int, kind: str, model: DemoModel) -> float:
    if number == 0:
        return model.pace.first_token_s
    rate = model.pace.thinking_per_s if kind == "thinking" else model.pace.answer_per_s
    # spread between 0.7 and 1.3 of the mean, without chance: the same request takes the same time
    return (0.7 + 0.6 * (number * _GOLDEN % 1)) / rate
