"""One request of any shape to one endpoint, and all that came back, within bounds.

A probe says which body goes out; nothing is mended on the way, for the refusal is the finding.
Failures of the endpoint are in the answer, never raised. Cancelling whoever waits closes the
connection.

Importing this module imports httpx.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from core.errors import Fault, TurnkeyError
from core.keys.secret import MASK, Secret
from core.live.counts import Usage, read_usage
from core.live.events import (
    Answer,
    AnswerWasThinking,
    Ended,
    Event,
    Failed,
    Finished,
    Headers,
    Reasoning,
    Served,
    Started,
    ToolPiece,
    UsageSeen,
)
from core.live.run import stream
from core.live.verdict import ToolCall
from core.text import visible
from core.verify.courtesy import ASKS_TO_WAIT, BACKOFF_S, Courtesy, retry_after
from core.verify.pi_reader import PiReader
from core.verify.plain import read_plain
from core.wire.chat import ChatRequest
from core.wire.client import post
from core.wire.failures import fault_from_reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from core.providers.base_url import BaseUrl
    from core.wire.bounds import Bounds

CHAT: Final = "/chat/completions"
HEAD_CHARACTERS: Final = 6_000
"""How much of a request's or a reply's beginning is kept as evidence."""
TAIL_CHARACTERS: Final = 2_000
_RAW_BYTES: Final = 1 << 20


class Answered(msgspec.Struct, frozen=True):
    """All that one request told. No text in it holds the key."""

    status: int | None
    """The HTTP status; None: no reply came."""
    headers: dict[str, str] = {}
    """Names in lower case."""
    answer: str = ""
    """The answer, thinking told apart."""
    thinking: str = ""
    thinking_field: str | None = None
    """Where thinking stood: ``reasoning_content reasoning reasoning_text tags parts``."""
    calls: tuple[ToolCall, ...] = ()
    """As Pi puts them together (:mod:`core.verify.pi_reader`), whatever was meant."""
    finish_reason: str | None = None
    usage: Usage | None = None
    served_model: str | None = None
    fault: Fault | None = None
    """What failed, in words; None when the reply came as it should."""
    complete: bool = False
    """A finish reason came and nothing failed."""
    seconds: float = 0.0
    """Of the last try alone, without waits."""
    first_token_s: float | None = None
    retry_after_s: float | None = None
    """How long the server asks to wait."""
    sent: str = ""
    """The request's body, shortened."""
    came: str = ""
    """The reply as it came, shortened; it says what was left out."""
    tries: int = 1
    """How often it was sent: more than once where the server asked to wait."""
    pieces: int = 0
    """Events of a stream that held text or a piece of a call."""
    list_content: bool = False
    """``content`` came as a list of parts, which Pi cannot show."""
    object_arguments: bool = False
    """A call's arguments came as an object, which Pi cannot read."""

    @property
    def ok(self) -> bool:
        """A success's status, and no fault but an answer cut at its limit."""
        return self.status is not None and 200 <= self.status < 300 and self.fault is None

    @property
    def refused(self) -> bool:
        """A 4xx that is about the request itself, not about the key, the path or the moment."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in _OTHER

    @property
    def tokens(self) -> int | None:
        """Tokens in and out together, as far as the server counted."""
        if self.usage is None:
            return None
        return (self.usage.prompt_tokens or 0) + (self.usage.completion_tokens or 0)


_OTHER: Final = frozenset({401, 403, 404, 408, 409, 429})


class Line(Protocol):
    """A way to one endpoint."""

    async def send(
        self, body: Mapping[str, object], *, path: str = CHAT, once: bool = False
    ) -> Answered:
        """One request; never raises for what the endpoint does.

        ``once``: neither held back by the limit of requests at once nor repeated after a 429 or
        503, for whoever wants to see those.
        """
        ...


class HttpLine:
    """The real one. ``client`` is of :func:`core.wire.client.open_client`, which sends the key.

    ``body["stream"]`` true streams. ``key`` and ``secrets`` (header values) are masked in all that
    is kept.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        base: BaseUrl,
        bounds: Bounds,
        key: Secret | None = None,
        *,
        courtesy: Courtesy | None = None,
        secrets: Sequence[Secret] = (),
    ) -> None:
        self._client = client
        self._base = base
        self._bounds = bounds
        self._key = key
        self._mask = _Mask((*([key] if key else []), *secrets))
        self.courtesy = courtesy if courtesy is not None else Courtesy()

    async def send(
        self, body: Mapping[str, object], *, path: str = CHAT, once: bool = False
    ) -> Answered:
        """One request, by the rules of :class:`Line`."""
        if once:
            return await self._try(body, path)
        origin = self._base.origin
        tries = 0
        while True:
            async with self.courtesy.turn(origin):
                answered = await self._try(body, path)
            tries += 1
            if tries > 1:
                answered = msgspec.structs.replace(answered, tries=tries)
            if answered.status not in ASKS_TO_WAIT or tries > len(BACKOFF_S):
                return answered
            wait = answered.retry_after_s
            why = f"{self._base.host_port} answered {answered.status}."
            if not self.courtesy.hold(origin, BACKOFF_S[tries - 1] if wait is None else wait, why):
                return answered

    async def _try(self, body: Mapping[str, object], path: str) -> Answered:
        sent = shortened(self._mask(msgspec.json.encode(body).decode()))
        began = time.perf_counter()
        if body.get("stream") is True and path == CHAT:
            answered = await self._stream(body)
        else:
            answered = await self._whole(body, path)
        return msgspec.structs.replace(answered, sent=sent, seconds=time.perf_counter() - began)

    async def _stream(self, body: Mapping[str, object]) -> Answered:
        model = body.get("model")
        request = ChatRequest(
            model=model if isinstance(model, str) else "", include_usage=False, extra=dict(body)
        )
        fold = _Fold(self._bounds.line_bytes)
        events = stream(
            self._client, self._base, request, self._bounds, key=self._key, tap=fold.tap
        )
        try:
            async for event in events:
                fold.apply(event)
        finally:
            await events.aclose()
        return self._mask.answered(fold.answered())

    async def _whole(self, body: Mapping[str, object], path: str) -> Answered:
        model = body.get("model")
        try:
            reply = await post(
                self._client, self._base.url + path, msgspec.json.encode(body), self._bounds
            )
        except TurnkeyError as error:
            return self._mask.answered(Answered(status=None, fault=error.fault))
        fault = fault_from_reply(
            reply.status,
            reply.headers,
            reply.body,
            self._base,
            model=model if isinstance(model, str) else None,
            key=self._key,
        )
        plain = read_plain(reply.body)
        return self._mask.answered(
            Answered(
                status=reply.status,
                headers=reply.headers,
                answer=plain.answer,
                thinking=plain.thinking,
                thinking_field=plain.thinking_field,
                calls=plain.calls,
                finish_reason=plain.finish_reason,
                usage=read_usage(plain.usage),
                served_model=plain.model,
                fault=fault,
                complete=fault is None and plain.finish_reason is not None,
                retry_after_s=retry_after(reply.headers),
                came=reply.body[:_RAW_BYTES].decode("utf-8", "replace"),
            )
        )


def shortened(text: str) -> str:
    """``text`` with its middle left out when it is long, saying how much."""
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    left_out = len(text) - HEAD_CHARACTERS - TAIL_CHARACTERS
    return (
        f"{text[:HEAD_CHARACTERS]}\n… {left_out:,} characters left out …\n{text[-TAIL_CHARACTERS:]}"
    )


class _Fold:
    """Events and raw bytes of one stream, folded into an answer."""

    def __init__(self, line_bytes: int) -> None:
        self._pi = PiReader(line_bytes)
        self._raw = bytearray()
        self._more = 0
        self._answer: list[str] = []
        self._thinking: list[str] = []
        self._inline = False
        self._pieces = 0
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._served: str | None = None
        self._fault: Fault | None = None
        self._complete = False
        self._started: float | None = None
        self._first: float | None = None

    def tap(self, data: bytes, _at: float) -> None:
        self._pi.feed(data)
        room = _RAW_BYTES - len(self._raw)
        self._raw += data[:room]
        self._more += max(0, len(data) - room)

    def apply(self, event: Event) -> None:
        match event:
            case Started(at=at):
                self._started = at
            case Headers(status=status, headers=headers):
                self._status, self._headers = status, headers
            case Answer(text=text):
                self._token(event.at)
                self._answer.append(text)
            case Reasoning(text=text, inline=inline):
                self._token(event.at)
                self._thinking.append(text)
                self._inline = self._inline or inline
            case AnswerWasThinking():
                self._thinking += self._answer
                self._answer = []
                self._inline = True
            case ToolPiece():
                self._token(event.at)
            case Finished(reason=reason):
                self._finish = reason
            case UsageSeen(usage=usage):
                self._usage = usage
            case Served(model=model):
                self._served = model
            case Failed(fault=fault):
                self._fault = fault
            case Ended(complete=complete):
                self._complete = complete

    def _token(self, at: float) -> None:
        self._pieces += 1
        if self._first is None:
            self._first = at

    def answered(self) -> Answered:
        self._pi.end()
        thinking = "".join(self._thinking)
        field: str | None = self._pi.thinking_field
        if thinking and field is None:
            field = "tags" if self._inline else "parts"
        first = None
        if self._first is not None and self._started is not None:
            first = self._first - self._started
        came = self._raw.decode("utf-8", "replace")
        if self._more:
            came += f"\n… {self._more:,} bytes more came …\n"
        return Answered(
            status=self._status,
            headers=self._headers,
            answer="".join(self._answer),
            thinking=thinking,
            thinking_field=field,
            calls=self._pi.calls,
            finish_reason=self._finish,
            usage=self._usage,
            served_model=self._served,
            fault=self._fault,
            complete=self._complete,
            first_token_s=first,
            retry_after_s=retry_after(self._headers),
            came=came,
            pieces=self._pieces,
            list_content=self._pi.list_content,
            object_arguments=self._pi.object_arguments,
        )


class _Mask:
    """Takes keys out of all that is kept of a reply."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = tuple(one for one in secrets if one)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = secret.redact(text)
        return text

    def answered(self, one: Answered) -> Answered:
        """``one`` without a key, its raw text shortened.

        A key that a model writes token by token stands in no single event of the raw stream, so
        then the raw text is replaced by what it says.
        """
        if not self._secrets:
            return msgspec.structs.replace(one, came=shortened(visible(one.came)))
        answer, thinking = self._text(one.answer), self._text(one.thinking)
        calls = tuple(
            ToolCall(self(call.id), self(call.name), self._text(call.arguments))
            for call in one.calls
        )
        came = self(one.came)
        if (answer, thinking, calls) != (one.answer, one.thinking, one.calls):
            told = [thinking, answer, *(call.arguments for call in calls)]
            came = "\n".join(["… the reply held the key; in words it said …", *filter(None, told)])
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

    def _text(self, text: str) -> str:
        """Masked, the beginning of a key at the end of a text as well."""
        for secret in self._secrets:
            veil = secret.veil()
            text = veil.push(text) + veil.rest()
        return text

    def _fault(self, fault: Fault) -> Fault:
        return Fault(fault.code, self(fault.what), self(fault.why), self(fault.fix))


__all__ = ["CHAT", "MASK", "Answered", "HttpLine", "Line", "shortened"]
