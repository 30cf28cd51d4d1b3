"""A provider that does what a test says: raw bytes on a loopback socket, so it can be hostile too.

::

    async with ScriptedProvider({("GET", "/v1/models"): models_reply(["m"])}) as server:
        ...  # server.base_url, server.origin, server.requests

    with running(good_server(["m"], key="sk-good")) as server:   # in a thread, for the command line
        ...

A behaviour is data: steps that run in order on one connection after a request was read.
Everything that is not routed gets ``default`` (404, as FastAPI says it).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

Json: TypeAlias = object
"""Anything ``json.dumps`` takes."""


# ---------------------------------------------------------------------------- steps


class Gate:
    """Holds a :class:`Wait` step until ``open()``, which any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @property
    def opened(self) -> bool:
        return self._opened

    def open(self) -> None:
        with self._lock:
            self._opened = True
            waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            # a loop that has ended has nobody left to wake
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    async def wait(self) -> None:
        event = asyncio.Event()
        with self._lock:
            if self._opened:
                return
            self._waiting.append((asyncio.get_running_loop(), event))
        await event.wait()


@dataclass(frozen=True, slots=True)
class Send:
    """These bytes, as they are, in one write."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """These bytes as one chunk of ``Transfer-Encoding: chunked``."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Drip:
    """These bytes one by one, ``every`` seconds apart (0: one write a byte, no pause)."""

    data: bytes
    every: float = 0.0


@dataclass(frozen=True, slots=True)
class Flood:
    """These bytes again and again, until the client hangs up (or ``times``)."""

    data: bytes
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing, until the gate or event opens. An ``asyncio.Event`` must be of the server's loop."""

    gate: Gate | asyncio.Event


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing, for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing, until the client hangs up."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is torn down at once (RST)."""


@dataclass(frozen=True, slots=True)
class Close:
    """The connection is closed in good order (FIN), whatever was promised."""


Step: TypeAlias = Send | Chunk | Drip | Flood | Wait | Pause | Hang | Reset | Close


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What one request gets. The connection stays open afterwards unless a step ended it."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it came. Header names are lower-cased; the last of equal names wins."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: str = ""
    connection: int = 0
    """Which connection it came on, counted from 1."""

    def json(self) -> Json:
        """The body decoded; raises ``ValueError`` if it is not JSON."""
        decoded: object = json.loads(self.body)
        return decoded

    def field(self, name: str) -> Json:
        """One member of a body that is a JSON object; None when it is not there."""
        decoded = self.json()
        return decoded.get(name) if isinstance(decoded, dict) else None

    @property
    def bearer(self) -> str | None:
        """What stands after ``Bearer``; None without such a header."""
        word, _, rest = self.headers.get("authorization", "").partition(" ")
        return rest if word.lower() == "bearer" and rest else None


Route: TypeAlias = Behaviour | Callable[[Recorded], Behaviour]
"""A behaviour, or a function that chooses one by the request."""

Routes: TypeAlias = Mapping[tuple[str, str], Route]


def in_turn(*behaviours: Route) -> Route:
    """The first request gets the first behaviour, and so on; the last one stays."""
    left = list(behaviours)

    def choose(request: Recorded) -> Behaviour:
        route = left.pop(0) if len(left) > 1 else left[0]
        return route if isinstance(route, Behaviour) else route(request)

    return choose


# ---------------------------------------------------------------------------- ready behaviours

_REASONS: Final = {
    200: "OK",
    301: "Moved Permanently",
    307: "Temporary Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


def compact(obj: Json) -> bytes:
    """JSON without spaces, UTF-8."""
    return json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode()


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """A response head, blank line included."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def raw(*steps: Step) -> Behaviour:
    """Steps as they stand: the test writes the head itself."""
    return Behaviour(steps)


def reply(
    status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> Behaviour:
    """One whole answer with a Content-Length."""
    fields = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
    return Behaviour((Send(head(status, fields) + body),))


def json_reply(status: int, obj: Json, headers: Mapping[str, str] | None = None) -> Behaviour:
    """``obj`` as JSON."""
    return reply(status, compact(obj), "application/json", headers)


def text_reply(status: int, text: str, content_type: str = "text/plain") -> Behaviour:
    """Plain text (or HTML, by ``content_type``)."""
    return reply(status, text.encode(), content_type)


def error_reply(
    status: int, message: str, kind: str = "invalid_request_error", code: str | None = None
) -> Behaviour:
    """An error shaped as LiteLLM 1.106 shapes it."""
    return json_reply(
        status,
        {"error": {"message": message, "type": kind, "param": None, "code": code or str(status)}},
    )


def models_reply(models: Sequence[str | Mapping[str, Json]]) -> Behaviour:
    """A model list; a string stands for a row as LiteLLM gives it, a mapping is taken as it is."""
    return json_reply(200, {"data": [_row(model) for model in models], "object": "list"})


def _row(model: str | Mapping[str, Json]) -> Mapping[str, Json]:
    if not isinstance(model, str):
        return model
    return {"id": model, "object": "model", "created": 1677610602, "owned_by": "openai"}


NOT_FOUND: Final = json_reply(404, {"detail": "Not Found"})
KEY_MISSING: Final = error_reply(
    401, "Authentication Error, No api key passed in.", "auth_error", "401"
)
KEY_REFUSED: Final = error_reply(400, "No connected db.", "no_db_connection", "400")


def unknown_model(model: object) -> Behaviour:
    """LiteLLM's refusal of a model id that it does not serve."""
    return error_reply(
        400,
        f"/chat/completions: Invalid model name passed in model={model}. "
        "Call `/v1/models` to view available models for your key.",
    )


# ---------------------------------------------------------------------------- streams

SSE_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "transfer-encoding": "chunked",
}
DONE: Final = b"data: [DONE]\n\n"
LAST_CHUNK: Final = Send(b"0\r\n\r\n")


def event(obj: Json) -> bytes:
    """One ``data:`` event."""
    return b"data: " + compact(obj) + b"\n\n"


def piece(model: str, delta: Mapping[str, Json], finish: str | None = None) -> dict[str, Json]:
    """A ``chat.completion.chunk`` with one choice."""
    choice: dict[str, Json] = {"index": 0, "delta": dict(delta)}
    if finish is not None:
        choice = {"finish_reason": finish, **choice}
    return {
        "id": "chatcmpl-scripted",
        "created": 1795230251,
        "model": model,
        "object": "chat.completion.chunk",
        "choices": [choice],
    }


def usage_piece(model: str, usage: Mapping[str, Json]) -> dict[str, Json]:
    """The usage chunk as LiteLLM sends it: one empty choice beside it."""
    return {**piece(model, {}), "usage": dict(usage)}


def usage(prompt: int, completion: int, reasoning: int | None = None) -> dict[str, Json]:
    """A ``usage`` object."""
    counted: dict[str, Json] = {
        "completion_tokens": completion,
        "prompt_tokens": prompt,
        "total_tokens": prompt + completion,
    }
    if reasoning is not None:
        counted["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return counted


def sse_reply(
    events: Sequence[Step | bytes | Mapping[str, Json]],
    *,
    usage: Mapping[str, Json] | None = None,
    model: str = "m",
    done: bool = True,
    end: bool = True,
    headers: Mapping[str, str] | None = None,
) -> Behaviour:
    """A stream: mappings become ``data:`` events, bytes go as they are, steps are done in place.

    ``usage`` adds LiteLLM's usage chunk; ``done`` the ``[DONE]`` line; ``end`` the last chunk of
    the chunked coding (without it put a :class:`Close`, :class:`Reset` or :class:`Hang` last).
    """
    steps: list[Step] = [Send(head(200, {**SSE_HEADERS, **(headers or {})}))]
    for item in events:
        if isinstance(item, bytes):
            steps.append(Chunk(item))
        elif isinstance(item, Mapping):
            steps.append(Chunk(event(item)))
        else:
            steps.append(item)
    if usage is not None:
        steps.append(Chunk(event(usage_piece(model, usage))))
    if done:
        steps.append(Chunk(DONE))
    if end:
        steps.append(LAST_CHUNK)
    return Behaviour(tuple(steps))


def chat_reply(
    model: str,
    answer: Sequence[str] = ("PO", "NG"),
    *,
    thinking: Sequence[str] = (),
    finish: str | None = "stop",
    usage: Mapping[str, Json] | None = None,
    before: Sequence[Step] = (),
    between: Sequence[Step] = (),
    field_name: str = "reasoning_content",
) -> Behaviour:
    """A chat stream: role, thinking pieces, answer pieces, finish reason, usage, ``[DONE]``.

    ``before`` runs before the first piece, ``between`` between two pieces.
    """
    deltas: list[dict[str, Json]] = [{field_name: text} for text in thinking]
    deltas += [{"content": text} for text in answer]
    events: list[Step | bytes | Mapping[str, Json]] = [piece(model, {"role": "assistant"}), *before]
    for number, delta in enumerate(deltas):
        if number:
            events += between
        events.append(piece(model, delta))
    if finish is not None:
        events.append(piece(model, {}, finish))
    return sse_reply(events, usage=usage, model=model)


def tool_reply(
    model: str, name: str, arguments: Sequence[str], *, call_id: str = "call_1"
) -> Behaviour:
    """A stream of one tool call whose arguments come in pieces."""
    first = {"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
    events: list[Step | bytes | Mapping[str, Json]] = [
        piece(model, {"role": "assistant"}),
        piece(model, {"tool_calls": [{"index": 0, **first}]}),
    ]
    events += [
        piece(model, {"tool_calls": [{"index": 0, "function": {"arguments": text}}]})
        for text in arguments
    ]
    events.append(piece(model, {}, "tool_calls"))
    return sse_reply(events, usage=usage(20, 10), model=model)


def wants_key(key: str, route: Route) -> Route:
    """``route`` behind LiteLLM's key check: none is 401, a wrong one 400 "No connected db."."""

    def checked(request: Recorded) -> Behaviour:
        if not request.headers.get("authorization"):
            return KEY_MISSING
        if request.bearer != key:
            return KEY_REFUSED
        return route if isinstance(route, Behaviour) else route(request)

    return checked


# ---------------------------------------------------------------------------- the server


@dataclass(slots=True)
class ScriptedProvider:
    """A loopback HTTP/1.1 server with scripted answers; use as an async context manager.

    ``on_connect`` runs before anything is read from a new connection (``raw(Hang())``: accepts
    and stays silent; ``raw(Reset())``: refuses rudely). ``tls`` makes it an https server.
    """

    routes: Routes
    default: Route = NOT_FOUND
    on_connect: Behaviour | None = None
    tls: ssl.SSLContext | None = None
    requests: list[Recorded] = field(default_factory=list)
    hang_ups: int = 0
    """How often a client left while an answer was still under way."""
    connections: int = 0
    failures: list[Exception] = field(default_factory=list)
    """What the script itself raised; the first one is raised again when the server stops."""
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Event | None = None

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return self.origin + "/v1"

    def seen(self, method: str, path: str) -> list[Recorded]:
        """The requests of one method and path, oldest first."""
        return [one for one in self.requests if (one.method, one.path) == (method, path)]

    async def until(self, happened: Callable[[Self], bool]) -> None:
        """Returns once ``happened(server)`` holds; looked at whenever something changes."""
        assert self._changed is not None, "the server is not running"
        while not happened(self):
            self._changed.clear()
            await self._changed.wait()

    async def __aenter__(self) -> Self:
        self._changed = asyncio.Event()
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self.tls, limit=64 * 1024 * 1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        while self._tasks:  # one more may have been accepted at the last moment
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)  # a transport lets go of its socket one turn after it was closed
        if self.failures and error is None:
            raise self.failures[0]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(
            self._converse(reader, writer, self.connections)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before its first step closes nothing by itself.
        task.add_done_callback(lambda _: writer.close())
        self._note()

    def _note(self) -> None:
        if self._changed is not None:
            self._changed.set()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        source = _Source(reader)
        try:
            if self.on_connect is not None and not await self._perform(
                self.on_connect, source, writer
            ):
                return
            while (request := await _read_request(source, number)) is not None:
                self.requests.append(request)
                self._note()
                route = self.routes.get((request.method, request.path), self.default)
                behaviour = route if isinstance(route, Behaviour) else route(request)
                if not await self._perform(behaviour, source, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left; _perform has counted it if an answer was under way
        except Exception as error:  # noqa: BLE001  # a script with a mistake: raised on leaving
            self.failures.append(error)
        finally:
            writer.close()  # first: a cancellation may come at any of the waits below
            await source.stop()
            with contextlib.suppress(OSError, TimeoutError):
                # a client that does not read must not hold the test up; nor one that breaks TLS
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    async def _perform(
        self, behaviour: Behaviour, source: _Source, writer: asyncio.StreamWriter
    ) -> bool:
        """Does the steps; False when the connection is over."""
        work = asyncio.ensure_future(_do(behaviour.steps, writer))
        left = source.left()
        try:
            await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
            if left.done() and source.gone and not work.done():
                self.hang_ups += 1
                self._note()
                return False
            return await work
        except ConnectionError:
            self.hang_ups += 1
            self._note()
            return False
        finally:
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)


class _Source:
    """A reader that can also be asked when the client leaves, without losing what it sends."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._peek: asyncio.Task[bytes] | None = None
        self._held = b""

    @property
    def gone(self) -> bool:
        peek = self._peek
        if peek is None or not peek.done() or peek.cancelled():
            return False
        return peek.exception() is not None or peek.result() == b""

    def left(self) -> asyncio.Task[bytes]:
        """A task that ends when the client leaves (or sends early, which is no leaving)."""
        if self._peek is None:
            self._peek = asyncio.ensure_future(self._reader.read(1))
        return self._peek

    async def _settle(self) -> None:
        if self._peek is not None:
            peek, self._peek = self._peek, None
            self._held += await peek

    async def stop(self) -> None:
        if self._peek is not None:
            self._peek.cancel()
            await asyncio.gather(self._peek, return_exceptions=True)

    async def line(self) -> bytes:
        await self._settle()
        held, self._held = self._held, b""
        return held + await self._reader.readline() if held != b"\n" else held

    async def exactly(self, count: int) -> bytes:
        await self._settle()
        held, self._held = self._held[:count], self._held[count:]
        return held + await self._reader.readexactly(count - len(held))


async def _read_request(source: _Source, number: int) -> Recorded | None:
    first = (await source.line()).decode("latin-1").strip()
    if first.count(" ") < 2:
        return None  # gone, or it speaks TLS to a plain port
    method, target, _ = first.split(" ", 2)
    headers: dict[str, str] = {}
    while (line := (await source.line()).decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if "chunked" in headers.get("transfer-encoding", ""):
        body = b""
        while size := int((await source.line()).split(b";")[0], 16):
            body += await source.exactly(size)
            await source.line()
        await source.line()
    else:
        body = await source.exactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Recorded(method, parts.path, headers, body, parts.query, number)


async def _do(steps: Sequence[Step], writer: asyncio.StreamWriter) -> bool:
    """Runs the steps; False when one of them ended the connection."""
    for step in steps:
        match step:
            case Send(data):
                writer.write(data)
                await writer.drain()
            case Chunk(data):
                writer.write(b"%x\r\n%b\r\n" % (len(data), data))
                await writer.drain()
            case Drip(data, every):
                for value in data:
                    writer.write(bytes([value]))
                    await writer.drain()
                    await asyncio.sleep(every)
            case Flood(data, times):
                left = times
                while left is None or left > 0:
                    writer.write(data)
                    await writer.drain()
                    # drain alone need not yield, and the client's leaving must be seen
                    await asyncio.sleep(0)
                    left = None if left is None else left - 1
            case Wait(gate):
                await gate.wait()
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Hang():
                await asyncio.get_running_loop().create_future()
            case Reset():
                _reset(writer)
                return False
            case Close():
                return False
    return True


def _reset(writer: asyncio.StreamWriter) -> None:
    handle: socket.socket | None = writer.get_extra_info("socket")
    if handle is not None:
        # linger of zero turns close into RST
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# ---------------------------------------------------------------------------- presets


def good_server(
    models: Sequence[str | Mapping[str, Json]] = ("good-model",),
    key: str | None = "sk-good",
    *,
    info: Sequence[Mapping[str, Json]] | None = None,
    thinking: Sequence[str] = ("The user", " wants", " one word."),
    answer: Sequence[str] = ("PO", "NG"),
    extra: Routes | None = None,
) -> ScriptedProvider:
    """A small LiteLLM: key check, list, ``/model/info``, and chat streams that think, then PONG.

    ``key`` None wants no key. ``info`` gives the rows of ``/model/info`` (else one bare row a
    model). ``extra`` routes come first.
    """
    ids = [str(_row(model)["id"]) for model in models]
    rows = info if info is not None else [_info(model_id) for model_id in ids]

    def chat(request: Recorded) -> Behaviour:
        model = request.field("model")
        if not isinstance(model, str) or model not in ids:
            return unknown_model(model)
        counted = usage(12, len(thinking) + len(answer), len(thinking))
        if request.field("stream") is not True:
            return _plain(model, "".join(thinking), "".join(answer), counted)
        options = request.field("stream_options")
        asked = isinstance(options, dict) and options.get("include_usage") is True
        return chat_reply(model, answer, thinking=thinking, usage=counted if asked else None)

    def guarded(route: Route) -> Route:
        return route if key is None else wants_key(key, route)

    routes: dict[tuple[str, str], Route] = {
        ("GET", "/health/liveliness"): json_reply(200, "I'm alive!"),
        ("GET", "/"): text_reply(200, "<title>LiteLLM API - Swagger UI</title>", "text/html"),
    }
    for prefix in ("", "/v1"):
        routes["GET", prefix + "/models"] = guarded(models_reply(models))
        routes["GET", prefix + "/model/info"] = guarded(json_reply(200, {"data": list(rows)}))
        routes["POST", prefix + "/chat/completions"] = guarded(chat)
    return ScriptedProvider({**routes, **(extra or {})})


def _info(model_id: str) -> dict[str, Json]:
    return {
        "model_name": model_id,
        "litellm_params": {"model": f"openai/{model_id}"},
        "model_info": {"id": f"id-of-{model_id}", "mode": "chat", "max_input_tokens": None},
    }


def _plain(model: str, thinking: str, answer: str, counted: Mapping[str, Json]) -> Behaviour:
    message: dict[str, Json] = {"content": answer, "role": "assistant"}
    if thinking:
        message["reasoning_content"] = thinking
    return json_reply(
        200,
        {
            "id": "chatcmpl-scripted",
            "created": 1795230251,
            "model": model,
            "object": "chat.completion",
            "choices": [{"finish_reason": "stop", "index": 0, "message": message}],
            "usage": dict(counted),
        },
    )


# ---------------------------------------------------------------------------- in a thread


@contextlib.contextmanager
def running(server: ScriptedProvider) -> Iterator[ScriptedProvider]:
    """``server`` in a thread with a loop of its own, for tests that are not async."""
    ready = threading.Event()
    failure: list[BaseException] = []
    finish = Gate()

    async def serve() -> None:
        async with server:
            ready.set()
            await finish.wait()

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001  # told to the test, which raises it
            failure.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="scripted-provider", daemon=True)
    thread.start()
    ready.wait()
    try:
        if failure:
            raise failure[0]
        yield server
    finally:
        finish.open()
        thread.join(10)
    if failure:
        raise failure[0]
