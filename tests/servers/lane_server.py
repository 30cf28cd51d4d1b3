"""A scripted endpoint with a well-behaved model behind it, and at most one defect in front.

The model is the demo's (:mod:`core.demo.answers`), which knows nothing of the trials; the defect
garbles what it says, or answers in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from core.demo.answers import say
from core.demo.ask import Ask, Refused, read_ask
from core.demo.models import DemoModel, Pace
from core.demo.script import Call, Said, prompt_tokens
from core.demo.tokens import count, tokens
from tests.servers.scripted import (
    Behaviour,
    Json,
    Recorded,
    ScriptedProvider,
    Step,
    error_reply,
    models_reply,
    piece,
    sse_reply,
    unknown_model,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODEL: Final = "good-model"
_PLAIN: Final = DemoModel(id=MODEL, summary="", pace=Pace(0, 1, 1))
_THINKER: Final = DemoModel(id=MODEL, summary="", pace=Pace(0, 1, 1), thinking="field")


@dataclass(slots=True)
class Turn:
    """One chat request at this server, with what the model would say to it."""

    ask: Ask
    said: Said
    number: int
    """Which chat request of the server it is, from 1."""
    model: str = MODEL
    """The name that the reply gives."""
    finish: str | None = ""
    """The finish reason; empty: the right one; None: none."""
    fields: dict[str, Json] = field(default_factory=dict)

    @property
    def loops(self) -> bool:
        """Tools are offered."""
        return bool(self.ask.tools)

    @property
    def goes_on(self) -> bool:
        """Results of tools came back."""
        return any(message.role == "tool" for message in self.ask.messages)

    @property
    def structured(self) -> bool:
        """JSON is wanted."""
        return "JSON schema" in self.ask.instructions

    @property
    def long(self) -> bool:
        """It is a long prompt."""
        return "codeword" in self.ask.question


Hook: TypeAlias = Callable[[Turn], "Said | Behaviour | Turn | None"]
"""What a defect makes of a turn; None: nothing."""


def encode(turn: Turn) -> Behaviour:
    """A turn as a stream."""
    said = turn.said
    cap = turn.ask.cap
    if cap is not None and count(said.text) > cap and not said.calls:
        turn.finish = "length"
        said = turn.said = Said("".join(tokens(said.text)[:cap]), said.thinking)
    events: list[Step | bytes | Mapping[str, Json]] = [piece(turn.model, {"role": "assistant"})]
    events += [piece(turn.model, {"reasoning_content": text}) for text in _parts(said.thinking)]
    events += [piece(turn.model, {"content": text}) for text in _parts(said.text)]
    for index, call in enumerate(said.calls):
        head = {"name": call.name, "arguments": ""}
        opening = {"index": index, "id": f"call_{turn.number}_{index}", "type": "function"}
        events.append(piece(turn.model, {"tool_calls": [{**opening, "function": head}]}))
        events += [
            piece(turn.model, {"tool_calls": [{"index": index, "function": {"arguments": text}}]})
            for text in _parts(call.arguments)
        ]
    finish = turn.finish
    if finish == "":
        finish = "tool_calls" if said.calls else "stop"
    if finish is not None:
        events.append(piece(turn.model, {}, finish))
    return sse_reply(events, usage=counted(turn), model=turn.model, headers=_headers(turn))


def _headers(turn: Turn) -> dict[str, str]:
    return {name: str(value) for name, value in turn.fields.items()}


def counted(turn: Turn) -> dict[str, Json]:
    """What the server counts."""
    said = turn.said
    written = said.text + said.thinking + "".join(call.arguments for call in said.calls)
    return usage(prompt_tokens(turn.ask), count(written), count(said.thinking))


def _parts(text: str) -> list[str]:
    return [text[place : place + 40] for place in range(0, len(text), 40)]


def lane_server(
    hook: Hook | None = None,
    *,
    listed: Sequence[str] = (MODEL,),
    serves_any: bool = False,
    thinks: bool = False,
) -> ScriptedProvider:
    """The endpoint. ``serves_any`` takes every model id and answers under it."""
    state = {"number": 0}

    def chat(request: Recorded) -> Behaviour:
        ask = read_ask(request.body)
        if isinstance(ask, Refused):
            return error_reply(400, ask.message)
        if ask.model != MODEL and not serves_any:
            return unknown_model(ask.model)
        state["number"] += 1
        turn = Turn(ask, say(ask, _THINKER if thinks else _PLAIN), state["number"])
        turn.model = str(ask.model)
        made = hook(turn) if hook is not None else None
        if isinstance(made, Behaviour):
            return made
        if isinstance(made, Said):
            turn.said = made
        return encode(turn)

    return ScriptedProvider(
        {
            ("GET", "/v1/models"): models_reply(list(listed)),
            ("POST", "/v1/chat/completions"): chat,
        }
    )


__all__ = ["MODEL", "Call", "Hook", "Said", "Turn", "counted", "encode", "lane_server"]
