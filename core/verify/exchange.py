"""One request of any shape to one endpoint, and all that came back, within bounds.

A probe says which body goes out; nothing is mended on the way, for the refusal is the finding.
Failures of the endpoint are in the answer, never raised. Cancelling whoever waits closes the
connection.

Importing this module imports httpx.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from core.errors import Fault, TurnkeyError
from core.live.counts import read_usage
from core.live.events import Failed
from core.live.reader import EventReader, StreamReader
from core.live.run import stream
from core.verify.answered import (
    HEAD_CHARACTERS,
    RAW_BYTES,
    TAIL_CHARACTERS,
    Answered,
    Fold,
    shortened,
    stumble,
)
from core.verify.courtesy import ASKS_TO_WAIT, BACKOFF_S, LEAST_S, Courtesy, retry_after
from core.verify.mask import Mask
from core.verify.plain import read_plain
from core.wire.chat import ChatRequest
from core.wire.client import post
from core.wire.failures import fault_from_reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl
    from core.wire.bounds import Bounds
    from core.wire.client import Reply

__all__ = [
    "CHAT",
    "HEAD_CHARACTERS",
    "TAIL_CHARACTERS",
    "Again",
    "Answered",
    "HttpLine",
    "Line",
    "shortened",
]

CHAT: Final = "/chat/completions"

Again = Callable[[Answered], bool]
"""Whether the same is asked again after this answer."""


class Line(Protocol):
    """A way to one endpoint."""

    async def send(
        self,
        body: Mapping[str, object],
        *,
        path: str = CHAT,
        once: bool = False,
        again: Again | None = None,
    ) -> Answered:
        """One request; never raises for what the endpoint does.

        ``once``: neither held back by the limit of requests at once nor repeated after a 429 or
        503, for whoever wants to see those. ``again``: whether an answer is one after which the
        same is asked again, as Pi does after a server's error; a probe, whose question may be
        what the server fails over, has none.
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
        self._mask = Mask((*([key] if key else []), *secrets))
        self.courtesy = courtesy if courtesy is not None else Courtesy()

    async def send(
        self,
        body: Mapping[str, object],
        *,
        path: str = CHAT,
        once: bool = False,
        again: Again | None = None,
    ) -> Answered:
        """One request, by the rules of :class:`Line`."""
        if once:
            return await self._try(body, path)
        origin = self._base.origin
        tries = rounds = 0
        stumbles: tuple[str, ...] = ()
        while True:
            async with self.courtesy.turn(origin):
                answered = await self._try(body, path)
            rounds, tries = rounds + 1, tries + answered.tries
            answered = msgspec.structs.replace(answered, tries=tries, stumbles=stumbles)
            if rounds > len(BACKOFF_S):
                return answered
            backoff, wait = BACKOFF_S[rounds - 1], answered.retry_after_s
            why = f"{self._base.host_port} answered {answered.status}."
            if answered.status in ASKS_TO_WAIT:
                seconds = backoff if wait is None else wait or LEAST_S
                if not self.courtesy.hold(origin, seconds, why):
                    return answered
                stumbles += (stumble(answered),)
            elif again is not None and again(answered):
                stumbles += (stumble(answered),)
                why = f"{self._base.host_port} failed ({stumbles[-1]})."
                if not await self.courtesy.rest(origin, backoff, why):
                    return answered
            else:
                return answered

    async def _try(self, body: Mapping[str, object], path: str) -> Answered:
        sent = shortened(self._mask(msgspec.json.encode(body).decode()))
        streamed = body.get("stream") is True and path == CHAT
        tries = 0
        while True:
            began = time.perf_counter()
            answered = await (self._stream(body) if streamed else self._whole(body, path))
            tries += 1
            if tries > 1 or not _went_stale(answered):
                seconds = time.perf_counter() - began
                return msgspec.structs.replace(answered, sent=sent, seconds=seconds, tries=tries)

    async def _stream(self, body: Mapping[str, object]) -> Answered:
        model = body.get("model")
        request = ChatRequest(
            model=model if isinstance(model, str) else "", include_usage=False, extra=dict(body)
        )
        fold = Fold(self._bounds.line_bytes)
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
        if reply.body.lstrip().startswith((b"data:", b"event:", b":")):
            return self._mask.answered(self._unasked(reply))
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
                came=reply.body[:RAW_BYTES].decode("utf-8", "replace"),
            )
        )

    def _unasked(self, reply: Reply) -> Answered:
        """A stream where none was asked for: read all the same, and called what it is."""
        fold = Fold(self._bounds.line_bytes)
        fold.tap(reply.body, 0.0)
        reader = StreamReader(EventReader(self._base, key=self._key), self._bounds.line_bytes)
        try:
            for event in (*reader.feed(reply.body, 0.0), *reader.end(0.0)):
                fold.apply(event)
        except TurnkeyError as error:
            fold.apply(Failed(0.0, error.fault))
        fault = Fault(
            "bad_shape",
            f"{self._base.host_port} answered a plain request with a stream.",
            fix="Let the server or the gateway stream only where the request says so.",
        )
        return msgspec.structs.replace(
            fold.answered(),
            status=reply.status,
            headers=reply.headers,
            fault=fault,
            complete=False,
            retry_after_s=retry_after(reply.headers),
        )


def _went_stale(answered: Answered) -> bool:
    """No byte of a reply came over a connection that was there: one kept open was closed.

    llama.cpp's server closes connections after some requests, just when the next one goes out.
    """
    fault = answered.fault
    return answered.status is None and fault is not None and fault.code == "connection_failed"
