"""The demo provider as an ASGI application: routes, the key, and the stream in time."""

from __future__ import annotations

import asyncio
import hmac
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias

import msgspec

from core.demo import bodies
from core.demo.answers import say
from core.demo.ask import Ask, Refused, read_ask
from core.demo.models import DEMO_KEY, DemoModel, demo_model
from core.demo.script import Script, prompt_tokens, script

Scope: TypeAlias = MutableMapping[str, Any]
# ASGI's messages are dictionaries by its own specification
Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

MARK: Final = ("x-turnkey-demo", "1")
"""The header on every reply that says what answers here."""
MOST_BODY_BYTES: Final = 64 * 1024 * 1024

_CHAT: Final = frozenset({"/chat/completions", "/v1/chat/completions"})
_EMBEDDINGS: Final = frozenset({"/embeddings", "/v1/embeddings"})
_MODELS: Final = frozenset({"/models", "/v1/models"})
_ONE_MODEL: Final = "/v1/models/"
_INFO: Final = frozenset({"/model/info", "/v1/model/info"})
_GROUPS: Final = frozenset({"/model_group/info"})
_OPEN: Final[Mapping[str, tuple[str, bytes]]] = {
    "/": ("text/html; charset=utf-8", bodies.ROOT_PAGE),
    "/health/liveliness": ("application/json", bodies.ALIVE),
    "/health/liveness": ("application/json", bodies.ALIVE),
    "/health/readiness": ("application/json", bodies.HEALTHY),
}
"""What answers without a key."""
_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class DemoApp:
    """The application. ``sleep`` lets the seconds between tokens pass; tests let them fly.

    ``stop()`` ends every stream that is under way, so that a server can go down at once.
    """

    def __init__(
        self, sleep: Sleep = asyncio.sleep, clock: Callable[[], float] = time.time
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._numbers = itertools.count(1)
        self._playing: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Ends the replies that are under way. Call it in the loop that serves."""
        for task in self._playing:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI 3)."""
        if scope["type"] != "http":
            return
        plain = _plain_answer(scope)
        if plain is None:
            body = await _body(receive)
            prepared = _prepared(str(scope["path"]), body)
            if isinstance(prepared, _Prepared):
                await self._chat(prepared, receive, send)
                return
            plain = prepared
        await _reply(send, plain)

    async def _chat(self, prepared: _Prepared, receive: Receive, send: Send) -> None:
        ask, model = prepared.ask, prepared.model
        number = next(self._numbers)
        exchange = bodies.Exchange(f"chatcmpl-demo{number}", model.id, int(self._clock()))
        reply = script(say(ask, model), ask, model)
        play = asyncio.ensure_future(
            self._stream(exchange, reply, ask, send)
            if ask.stream
            else self._whole(exchange, reply, send)
        )
        gone = asyncio.ensure_future(_gone(receive))
        self._playing.add(play)
        try:
            await asyncio.wait({play, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._playing.discard(play)
            for task in (play, gone):
                task.cancel()
            ended = await asyncio.gather(play, gone, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]

    async def _stream(self, exchange: bodies.Exchange, reply: Script, ask: Ask, send: Send) -> None:
        headers = (("cache-control", "no-cache"), *_chat_headers(exchange))
        await _start(send, 200, "text/event-stream; charset=utf-8", headers)
        # the role comes half-way: it shows that this connection lives, and is no token yet
        first = reply.pieces[0].wait_s / 2 if reply.pieces else 0.0
        await self._sleep(first)
        await _more(send, exchange.opening())
        for place, piece in enumerate(reply.pieces):
            await self._sleep(piece.wait_s if place else first)
            await _more(send, exchange.piece(piece))
        await _more(send, exchange.closing(reply, with_usage=ask.wants_usage))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _whole(self, exchange: bodies.Exchange, reply: Script, send: Send) -> None:
        await self._sleep(reply.seconds)
        body = bodies.encode(exchange.whole(reply))
        await _reply(send, _Plain(200, body, headers=_chat_headers(exchange)))


# ---------------------------------------------------------------------------- deciding


class _Plain(msgspec.Struct, frozen=True):
    """A reply that is sent at once."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class _Prepared(msgspec.Struct, frozen=True):
    """A chat request that will be answered."""

    ask: Ask
    model: DemoModel


def _plain_answer(scope: Scope) -> _Plain | None:
    """The reply that needs no body to be read; None when one does."""
    method, path = str(scope["method"]), str(scope["path"])
    wanted = "GET" if path in _OPEN else _method_of(path)
    if wanted is None:
        return _Plain(404, bodies.NOT_FOUND)
    if method != wanted:
        return _Plain(405, bodies.NOT_ALLOWED, headers=(("allow", wanted),))
    if path in _OPEN:
        content_type, body = _OPEN[path]
        return _Plain(200, body, content_type)
    refusal = _key_refusal(scope)
    if refusal is not None:
        return _Plain(401, refusal)
    return _read(path) if method == "GET" else None


def _prepared(path: str, body: bytes | None) -> _Prepared | _Plain:
    """What a POST with this body gets: a stream to play, or a reply at once."""
    if body is None:
        return _Plain(413, bodies.encode(bodies.error(413, "Request is too large.")))
    if path in _EMBEDDINGS:
        return _embed(body)
    ask = read_ask(body)
    if isinstance(ask, Refused):
        return _Plain(400, bodies.encode(bodies.error(400, ask.message, param=ask.param)))
    model = demo_model(ask.model)
    if model is None:
        return _Plain(400, bodies.encode(bodies.unknown_model(ask.model)))
    words = _unfit(ask, model)
    if words is not None:
        return _Plain(400, bodies.encode(bodies.group_error(400, words, model)))
    return _Prepared(ask, model)


def _method_of(path: str) -> str | None:
    """The method that a guarded path takes; None for a path that does not exist."""
    if path in _CHAT or path in _EMBEDDINGS:
        return "POST"
    if path in _MODELS or path in _INFO or path in _GROUPS or path.startswith(_ONE_MODEL):
        return "GET"
    return None


def _key_refusal(scope: Scope) -> bytes | None:
    headers: list[tuple[bytes, bytes]] = list(scope["headers"])
    given = next((value for name, value in headers if name == b"authorization"), b"")
    word, _, key = given.decode("latin-1").strip().partition(" ")
    if not given or (word.lower() == "bearer" and not key):
        return bodies.KEY_MISSING
    right = word.lower() == "bearer" and hmac.compare_digest(
        key.encode(), DEMO_KEY.reveal().encode()
    )
    return None if right else bodies.KEY_REFUSED


def _read(path: str) -> _Plain:
    if path in _MODELS:
        return _Plain(200, bodies.encode(bodies.model_list()))
    if path in _INFO:
        return _Plain(200, bodies.encode(bodies.info_list()))
    if path in _GROUPS:
        return _Plain(200, bodies.encode(bodies.group_list()))
    asked = path.removeprefix(_ONE_MODEL)
    model = demo_model(asked)
    if model is None:
        return _Plain(404, bodies.encode({"detail": f"The model `{asked}` does not exist"}))
    return _Plain(200, bodies.encode(bodies.model_row(model)))


def _unfit(ask: Ask, model: DemoModel) -> str | None:
    """Why this model will not take this request, in the words of an upstream through LiteLLM."""
    upstream = "litellm.BadRequestError: OpenAIException - "
    if model.mode != "chat":
        return f"{upstream}{model.id} does not support chat completions"
    if any(message.has_image for message in ask.messages):
        return f"{upstream}{model.id} is not a multimodal model"
    if ask.cap is not None and ask.cap < 1:
        return f"{upstream}max_tokens must be at least 1, got {ask.cap}."
    if ask.reasoning_effort is not None and ask.reasoning_effort not in _EFFORTS:
        return f"{upstream}reasoning_effort must be one of {', '.join(_EFFORTS)}"
    window = model.context_window
    if window is not None and (asked := prompt_tokens(ask)) > window:
        return (
            "litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException - "
            f"This model's maximum context length is {window} tokens. However, your messages "
            f"resulted in {asked} tokens."
        )
    return None


class _EmbedAsk(msgspec.Struct, frozen=True):
    model: object = None
    input: str | list[str] = ""


def _embed(body: bytes) -> _Plain:
    try:
        ask = msgspec.json.decode(body or b"{}", type=_EmbedAsk)
    except msgspec.DecodeError as error:
        words = f"Invalid request format: {error}"
        return _Plain(400, bodies.encode(bodies.error(400, words)))
    model = demo_model(ask.model)
    if model is None or model.mode != "embedding":
        return _Plain(400, bodies.encode(bodies.unknown_model(ask.model)))
    texts = [ask.input] if isinstance(ask.input, str) else ask.input
    return _Plain(200, bodies.encode(bodies.embeddings(model, texts)))


def _chat_headers(exchange: bodies.Exchange) -> tuple[tuple[str, str], ...]:
    return (
        ("x-litellm-call-id", exchange.id),
        ("x-litellm-model-id", bodies.deployment_id(exchange.model)),
        ("x-litellm-model-name", f"openai/{exchange.model}"),
        ("x-litellm-model-group", exchange.model),
        ("x-litellm-attempted-retries", "0"),
        ("x-litellm-attempted-fallbacks", "0"),
    )


# ---------------------------------------------------------------------------- ASGI, spelt out


async def _start(
    send: Send, status: int, content_type: str, headers: tuple[tuple[str, str], ...]
) -> None:
    fields = (("content-type", content_type), MARK, *headers)
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in fields],
        }
    )


async def _more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _reply(send: Send, plain: _Plain) -> None:
    length = ("content-length", str(len(plain.body)))
    await _start(send, plain.status, plain.content_type, (length, *plain.headers))
    await send({"type": "http.response.body", "body": plain.body, "more_body": False})


async def _body(receive: Receive) -> bytes | None:
    """The request's body; None when it is larger than anyone needs."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        part: bytes = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > MOST_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def _gone(receive: Receive) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
