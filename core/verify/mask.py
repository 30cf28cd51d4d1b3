"""Takes keys out of all that is kept of a reply, wherever a server or a model puts them. Pure.

A key need not stand in one place: a model writes it token by token, or begins it in its thinking
and ends it in the answer. So what belongs together is looked at together, too: each member of the
stream's events over all of them, and all that was said in the order in which it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from core.errors import Fault
from core.keys.secret import MASK
from core.live.chunk import loose_object
from core.live.verdict import ToolCall
from core.text import visible
from core.verify.answered import Answered, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.keys.secret import Secret

_SAID: Final = frozenset({"delta", "message"})
"""Below these members of a choice stands what is said."""
_FRAME: Final = frozenset({"role", "type", "id"})
"""Members below them that say nothing."""
_DEEPEST: Final = 16


class Mask:
    """Takes keys out of all that is kept of a reply."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = tuple(one for one in secrets if one)

    def __call__(self, text: str) -> str:
        """``text`` masked."""
        for secret in self._secrets:
            text = secret.redact(text)
        return text

    def answered(self, one: Answered) -> Answered:
        """``one`` without a key, its raw text shortened.

        Where the key stands in no single event but in what they say together, the raw text is
        replaced by what it says.
        """
        if not self._secrets:
            return msgspec.structs.replace(one, came=shortened(visible(one.came)))
        answer, thinking = self._text(one.answer), self._text(one.thinking)
        calls = tuple(
            ToolCall(self(call.id), self(call.name), self._text(call.arguments))
            for call in one.calls
        )
        spread = self._spread(one)
        if spread:
            answer, thinking = (MASK if text else "" for text in (answer, thinking))
            calls = tuple(ToolCall(call.id, MASK, MASK) for call in calls)
        came = self(one.came)
        if spread or (answer, thinking, calls) != (one.answer, one.thinking, one.calls):
            told = [thinking, answer, *(call.arguments for call in calls)]
            came = "\n".join([_HELD, *filter(None, told)])
        elif any(self._text(text) != text for text in together(came)):
            came = "\n".join([_HELD, *filter(None, map(self._text, together(came)))])
        return msgspec.structs.replace(
            one,
            headers={self(name): self(value) for name, value in one.headers.items()},
            answer=answer,
            thinking=thinking,
            calls=calls,
            finish_reason=None if one.finish_reason is None else self(one.finish_reason),
            served_model=None if one.served_model is None else self(one.served_model),
            fault=None if one.fault is None else self._fault(one.fault),
            came=shortened(visible(came)),
        )

    def _spread(self, one: Answered) -> bool:
        """Whether a key stands in several texts together, and whole in none of them."""
        thinking, answer = self(one.thinking), self(one.answer)
        calls = "".join(self(call.arguments) for call in one.calls)
        named = "".join(self(text) for call in one.calls for text in (call.name, call.arguments))
        rows = [thinking + answer, answer + thinking, answer + calls, thinking + calls, named]
        if (thinking, answer) == (one.thinking, one.answer):
            rows.append("".join(together(self(one.came))[-1:]))
        return any(self(row) != row for row in rows)

    def _text(self, text: str) -> str:
        """Masked, the beginning of a key at the end of a text as well."""
        for secret in self._secrets:
            veil = secret.veil()
            text = veil.push(text) + veil.rest()
        return text

    def _fault(self, fault: Fault) -> Fault:
        return Fault(fault.code, self(fault.what), self(fault.why), self(fault.fix))


_HELD: Final = "… the reply held the key; in words it said …"


def together(came: str) -> list[str]:
    """What a reply says: each member's texts over all its events, and all in their order.

    Nothing for a text that holds no JSON object.
    """
    members: dict[str, list[str]] = {}
    said: list[str] = []
    lines = came.splitlines() if "data:" in came else [came]
    for line in lines:
        value = loose_object(line.removeprefix("data:").strip().encode("utf-8", "replace"))
        for path, text in _leaves(value, (), 0):
            members.setdefault("/".join(path), []).append(text)
            if _SAID.intersection(path) and path[-1] not in _FRAME:
                said.append(text)
    joined = ["".join(texts) for texts in members.values()]
    return [*joined, "".join(said)] if joined else []


def _leaves(
    value: object, path: tuple[str, ...], deep: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in a JSON value with the members above it; places in lists do not count."""
    if deep > _DEEPEST:
        return
    if isinstance(value, str):
        yield path or ("",), value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, str(name)), deep + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path, deep + 1)
