"""A key that a server streams back is masked before anybody shows it, also over several pieces.

Figures are made of the events as they came; this is for those who show texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.errors import Fault
from core.live.events import (
    Answer,
    AnswerWasThinking,
    Ended,
    Failed,
    Finished,
    Headers,
    Reasoning,
    Served,
    Started,
    ToolPiece,
)

if TYPE_CHECKING:
    from core.keys.secret import Secret, Veil
    from core.live.events import Event


class EventVeil:
    """Gives each event on without the key; text that may be a key's beginning comes a bit later."""

    def __init__(self, *secrets: Secret | None) -> None:
        self._layers = [_Layer(one) for one in secrets if one]

    def take(self, event: Event) -> list[Event]:
        """What may be shown now, in order; maybe nothing. An event as it was is itself."""
        events = [event]
        for layer in self._layers:
            events = [shown for one in events for shown in layer.take(one)]
        return events


class _Layer:
    """Masks one secret."""

    def __init__(self, key: Secret) -> None:
        self._key = key
        self._veils: dict[object, Veil] = {}
        self._last: dict[object, Reasoning | Answer | ToolPiece] = {}

    def take(self, event: Event) -> list[Event]:
        mask = self._key.redact
        match event:
            case Reasoning() | Answer():
                return self._text(event)
            case ToolPiece():
                return self._tool(event)
            case Served(model=model):
                return [msgspec.structs.replace(event, model=mask(model))]
            case Finished(reason=reason):
                return [msgspec.structs.replace(event, reason=mask(reason))]
            case Headers(headers=headers):
                shown = {mask(name): mask(value) for name, value in headers.items()}
                return [msgspec.structs.replace(event, headers=shown)]
            case Failed(fault=fault):
                told = Fault(fault.code, mask(fault.what), mask(fault.why), mask(fault.fix))
                return [*self._rest(), msgspec.structs.replace(event, fault=told)]
            case AnswerWasThinking() | Started() | Ended():
                return [*self._rest(), event]
            case _:
                return [event]

    def _text(self, event: Reasoning | Answer) -> list[Event]:
        kind = type(event)
        shown = self._veil(kind).push(event.text)
        self._last[kind] = event
        return [msgspec.structs.replace(event, text=shown)] if shown else []

    def _tool(self, event: ToolPiece) -> list[Event]:
        shown = self._veil(event.index).push(event.arguments)
        # without its text: a flood of calls has very many of them
        self._last[event.index] = ToolPiece(event.at, event.index, "", "", "")
        if not (shown or event.name or event.id):
            return []
        name, call = self._key.redact(event.name), self._key.redact(event.id)
        return [msgspec.structs.replace(event, name=name, id=call, arguments=shown)]

    def _veil(self, channel: object) -> Veil:
        if channel not in self._veils:
            self._veils[channel] = self._key.veil()
        return self._veils[channel]

    def _rest(self) -> list[Event]:
        """What was held back, each at the time of its own piece."""
        held: list[Event] = []
        for channel, veil in self._veils.items():
            text, last = veil.rest(), self._last[channel]
            if not text:
                continue
            if isinstance(last, ToolPiece):
                held.append(msgspec.structs.replace(last, arguments=text))
            else:
                held.append(msgspec.structs.replace(last, text=text))
        return held
