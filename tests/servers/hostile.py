"""Servers that misbehave, as data: what each does, and which fault that must end in.

``BEHAVIOURS`` holds them by name. A behaviour answers every request alike; ``lists`` and
``streams`` are the codes that discovery and a ping must end with (several where the moment
decides; ``None`` among them: no fault). Nothing here waits for long: what never ends is ended by
the bounds of the test.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.servers.scripted import (
    Behaviour,
    Chunk,
    Close,
    Drip,
    Flood,
    Hang,
    Json,
    Reset,
    Send,
    compact,
    error_reply,
    event,
    head,
    json_reply,
    piece,
    raw,
    reply,
    sse_reply,
    text_reply,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from tests.servers.certificates import Pki

Codes = frozenset[str | None]


@dataclass(frozen=True, slots=True)
class Hostile:
    """One way to misbehave."""

    answer: Behaviour
    lists: Codes
    """What discovery may end with; empty: it is not for discovery."""
    streams: Codes
    """What a ping may end with; empty: it is not for a ping."""
    endless: bool = False
    """Only a bound ends it: the test gives short ones."""
    connect: Behaviour | None = None
    """Done as soon as a connection is there, before anything is read."""
    tls: Callable[[Pki], ssl.SSLContext] | None = None
    scheme: str = ""
    """What is asked for, where that is not what the server speaks."""


def codes(*names: str | None) -> Codes:
    return frozenset(names)


NOTHING: Final[Codes] = frozenset()
TIMEOUT: Final = codes("timeout")
BROKEN: Final = codes("connection_failed", "stream_broken")
ODD: Final = codes("bad_shape")
LARGE: Final = codes("too_large")
AWAY: Final = codes("redirected")
TLS: Final = codes("tls")

_CHUNKED: Final = head(200, {"content-type": "application/json", "transfer-encoding": "chunked"})
_SSE: Final = head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
_PLAIN: Final = head(200, {"content-type": "application/json"})
_BOMB: Final = b"[" + b" " * 60_000_000 + b"]"
OK_LIST: Final = json_reply(200, {"object": "list", "data": [{"id": "m", "object": "model"}]})
_ESCAPES: Final = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\u202e\u2066\r\n[bold red]x[/] [link=file:///etc]y"
)


def body(content: bytes, kind: str = "application/json", **headers: str) -> Behaviour:
    """A whole 200."""
    return reply(200, content, kind, {k.replace("_", "-"): v for k, v in headers.items()})


def away(location: str | None, status: int = 302) -> Behaviour:
    """A redirect."""
    return json_reply(status, {}, {} if location is None else {"location": location})


def rows(*ids: Json) -> Behaviour:
    """A list of models with these ids."""
    return json_reply(200, {"object": "list", "data": [{"id": one} for one in ids]})


def stream(*events: bytes | dict[str, Json], end: bool = True) -> Behaviour:
    """A chat stream of these events."""
    return sse_reply(events, done=end)


def answer(text: str) -> dict[str, Json]:
    return piece("m", {"content": text})


def chunk(**fields: Json) -> dict[str, Json]:
    """A chunk of a chat stream with fields that are not as they should be."""
    return {**piece("m", {"content": "PONG"}), **fields}


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_EMPTY: Final = chunked(event(answer("")))
_LONG: Final = chunked(event(answer("x" * 5000)))
_NO_STREAM: Final = ODD
_MUTE: Final = codes("bad_shape", "empty_answer")

BEHAVIOURS: Final[dict[str, Hostile]] = {
    # ---------------------------------------------------------------- slow and silent
    "accepts and reads nothing": Hostile(raw(), TIMEOUT, TIMEOUT, True, connect=raw(Hang())),
    "reads and says nothing": Hostile(raw(Hang()), TIMEOUT, TIMEOUT, True),
    "half a status line": Hostile(raw(Send(b"HTTP/1.1 20"), Hang()), TIMEOUT, TIMEOUT, True),
    "a head without its end": Hostile(
        raw(Send(b"HTTP/1.1 200 OK\r\na: b\r\n"), Hang()), TIMEOUT, TIMEOUT, True
    ),
    "a head and no body": Hostile(raw(Send(_CHUNKED), Hang()), TIMEOUT, TIMEOUT, True),
    "half a body": Hostile(
        raw(Send(_CHUNKED), Chunk(b'{"data":['), Hang()), TIMEOUT, TIMEOUT, True
    ),
    "a head, byte by byte": Hostile(
        raw(Drip(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 999, 0.02)), TIMEOUT, TIMEOUT, True
    ),
    "a body, byte by byte": Hostile(
        raw(Send(_PLAIN), Drip(b" " * 5000, 0.02)), TIMEOUT, TIMEOUT, True
    ),
    "a stream, byte by byte": Hostile(
        raw(Send(_SSE), *(Chunk(b"d"), Hang())), codes("timeout", "bad_shape"), TIMEOUT, True
    ),
    "promises a petabyte": Hostile(
        raw(Send(head(200, {"content-length": str(10**15)})), Hang()), TIMEOUT, TIMEOUT, True
    ),
    "keep-alives for ever": Hostile(
        raw(Send(_SSE), Flood(b"d\r\n: still here\n\r\n")), LARGE | TIMEOUT, TIMEOUT | LARGE, True
    ),
    "empty deltas for ever": Hostile(
        raw(Send(_SSE), Flood(_EMPTY)), LARGE | TIMEOUT, LARGE | TIMEOUT, True
    ),
    "100 Continue for ever": Hostile(
        raw(Flood(b"HTTP/1.1 100 Continue\r\n\r\n")), TIMEOUT, TIMEOUT, True
    ),
    # ---------------------------------------------------------------- too much
    "a body without end": Hostile(raw(Send(_PLAIN), Flood(b"x" * 65_536)), LARGE, LARGE),
    "chunks without end": Hostile(
        raw(Send(_CHUNKED), Flood(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")), LARGE, LARGE
    ),
    "a line without end": Hostile(
        raw(Send(_SSE), Chunk(b"data: "), Flood(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")),
        LARGE, LARGE,
    ),
    "a header without end": Hostile(
        raw(Send(b"HTTP/1.1 200 OK\r\na: "), Flood(b"x" * 60_000)), ODD, ODD
    ),
    "headers without end": Hostile(
        raw(Send(b"HTTP/1.1 200 OK\r\n"), Flood(b"a: b\r\n" * 5000)), ODD, ODD
    ),
    "a chunk size without end": Hostile(
        raw(Send(_CHUNKED), Flood(b"0" * 60_000)), ODD, ODD | codes("stream_broken")
    ),
    "an answer without end": Hostile(
        raw(Send(_SSE), Flood(_LONG)), LARGE | TIMEOUT, LARGE | TIMEOUT, True
    ),
    "a gzip bomb": Hostile(body(gzip.compress(_BOMB, 1), content_encoding="gzip"), LARGE, LARGE),
    "a deflate bomb": Hostile(
        body(zlib.compress(_BOMB, 1), content_encoding="deflate"), LARGE, LARGE
    ),
    "a gzip bomb as a stream": Hostile(
        body(gzip.compress(b"data: " + b"x" * 60_000_000, 1), "text/event-stream",
             content_encoding="gzip"), LARGE, LARGE,
    ),
    "a huge string": Hostile(
        body(b'{"data":["' + b"x" * 3_000_000 + b'"]}'), LARGE, LARGE
    ),
    "a huge number": Hostile(
        body(b'{"data":[{"id":"m","max_model_len":1' + b"0" * 5000 + b"}]}"),
        codes(None, "bad_shape"), _NO_STREAM,
    ),
    "numbers beyond floats": Hostile(
        body(b'{"data":[{"id":"m","max_model_len":1e999,"pricing":{"prompt":"1e999"}}]}'),
        codes(None, "bad_shape"), _NO_STREAM,
    ),
    # ---------------------------------------------------------------- wrong bytes
    "compression that is none": Hostile(body(b"plain", content_encoding="gzip"), ODD, ODD),
    "a compression nobody asked for": Hostile(body(b"x", content_encoding="br"), ODD, ODD),
    "invalid UTF-8": Hostile(body(b'{"data":[{"id":"\xff\xfe\xc3"}]}'), ODD, ODD),
    "UTF-16": Hostile(body('{"data":[]}'.encode("utf-16")), ODD, ODD),
    "a lone surrogate": Hostile(
        body(b'{"data":[{"id":"\\ud800"},{"id":"m"}]}'), codes(None, "bad_shape"), _NO_STREAM
    ),
    "a NUL in an id": Hostile(rows("a\0b"), codes(None), _NO_STREAM),
    "deep JSON": Hostile(body(b"[" * 100_000 + b"]" * 100_000), ODD, ODD),
    "a deep row": Hostile(
        body(b'{"data":[{"id":"m","x":' + b"[" * 900 + b"]" * 900 + b"}]}"),
        codes(None, "bad_shape"), _NO_STREAM,
    ),
    "JSON cut short": Hostile(body(b'{"data":[{"id":"m"'), ODD, ODD),
    "JSON with more behind it": Hostile(body(b'{"data":[]}{"data":[]}'), ODD, ODD),
    "an empty body": Hostile(body(b""), ODD, _MUTE),
    "no content": Hostile(raw(Send(b"HTTP/1.1 204 No Content\r\n\r\n")), ODD, _MUTE),
    "JSON that is a number": Hostile(body(b"7"), ODD, ODD),
    "JSON that is null": Hostile(body(b"null"), ODD, ODD),
    "a list that is text": Hostile(json_reply(200, {"data": "m"}), ODD, ODD),
    "rows of every wrong type": Hostile(
        rows(5, None, [], {}, True, "m", "m", ""), codes(None), _NO_STREAM
    ),
    "JSON as a web page": Hostile(
        body(compact({"data": [{"id": "m"}]}), "text/html"), codes(None), _NO_STREAM
    ),
    "JSON as a picture": Hostile(
        body(compact({"data": [{"id": "m"}]}), "image/png"), codes(None), _NO_STREAM
    ),
    "a content type that is none": Hostile(
        body(compact({"data": [{"id": "m"}]}), "\x1b[31m;;;==,"), codes(None), _NO_STREAM
    ),
    "a login page with 200": Hostile(
        text_reply(200, "<!doctype html><title>Sign in</title>", "text/html"), ODD, ODD
    ),
    "a web page as JSON": Hostile(
        text_reply(200, "<html><h1>502</h1></html>", "application/json"), ODD, ODD
    ),
    "a web page as a stream": Hostile(
        text_reply(200, "<html><h1>502</h1></html>", "text/event-stream"),
        ODD, codes("bad_shape", "empty_answer"),
    ),
    # ---------------------------------------------------------------- broken HTTP
    "chunks cut off": Hostile(
        raw(Send(_CHUNKED + b'ff\r\n{"data":['), Close()), codes("stream_broken"),
        codes("stream_broken"),
    ),
    "a length that is a lie": Hostile(
        raw(Send(head(200, {"content-length": "500"}) + b"short"), Close()),
        codes("stream_broken"), codes("stream_broken"),
    ),
    "a chunk size that is none": Hostile(
        raw(Send(_CHUNKED + b"zz\r\n")), ODD, ODD | codes("stream_broken")
    ),
    "a negative length": Hostile(raw(Send(head(200, {"content-length": "-5"}))), ODD, ODD),
    "two lengths": Hostile(
        raw(Send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\nhello")),
        ODD, ODD,
    ),
    "a status that is a word": Hostile(raw(Send(b"HTTP/1.1 yes OK\r\n\r\n")), ODD, ODD),
    "HTTP of the future": Hostile(
        raw(Send(b"HTTP/9.9 200 OK\r\ncontent-length: 0\r\n\r\n")), ODD, _MUTE
    ),
    "status 999": Hostile(
        raw(Send(head(999, {"content-length": "0"}))), codes("server_error", "bad_shape"),
        codes("server_error", "bad_shape"),
    ),
    "switches protocols": Hostile(
        raw(Send(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
            Close()),
        codes("server_error", "bad_shape", "connection_failed"),
        codes("server_error", "bad_shape", "connection_failed"),
    ),
    "another protocol's greeting": Hostile(
        raw(), ODD | BROKEN, ODD | BROKEN, connect=raw(Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Close())
    ),
    "a mail server": Hostile(
        raw(), ODD | BROKEN, ODD | BROKEN, connect=raw(Send(b"220 mail ESMTP\r\n"), Close())
    ),
    # ---------------------------------------------------------------- gone at each stage
    "resets the connection": Hostile(raw(), BROKEN, BROKEN, connect=raw(Reset())),
    "closes the connection": Hostile(raw(), BROKEN, BROKEN, connect=raw(Close())),
    "resets after the request": Hostile(raw(Reset()), BROKEN, BROKEN),
    "closes after the request": Hostile(raw(Close()), BROKEN, BROKEN),
    "resets within the head": Hostile(
        raw(Send(b"HTTP/1.1 200 OK\r\n"), Reset()), BROKEN, BROKEN
    ),
    "resets within the body": Hostile(
        raw(Send(_CHUNKED), Chunk(b'{"data":['), Reset()), BROKEN, BROKEN
    ),
    "closes within the body": Hostile(
        raw(Send(_CHUNKED), Chunk(b'{"data":['), Close()), BROKEN, BROKEN
    ),
    "resets within an answer": Hostile(
        raw(Send(_SSE), Chunk(event(answer("PO"))), Reset()), BROKEN | ODD, BROKEN
    ),
    "ends an answer without a reason": Hostile(
        stream(answer("PONG"), end=False), ODD, codes("stream_broken")
    ),
    # ---------------------------------------------------------------- elsewhere
    "a redirect to itself": Hostile(away("/v1/models"), AWAY, AWAY),
    "a redirect to another origin": Hostile(away("{other}/v1/models"), AWAY, AWAY),
    "a redirect of the method": Hostile(away("{other}/v1/models", 303), AWAY, AWAY),
    "a redirect that keeps the body": Hostile(away("{other}/v1/models", 307), AWAY, AWAY),
    "a redirect to a file": Hostile(away("file:///etc/passwd"), AWAY, AWAY),
    "a redirect to cloud metadata": Hostile(away("http://169.254.169.254/"), AWAY, AWAY),
    "a redirect with escapes": Hostile(
        raw(Send(b"HTTP/1.1 301 x\r\nlocation: /\x1b[31m\xe9\r\ncontent-length: 0\r\n\r\n")),
        AWAY | ODD, AWAY | ODD,
    ),
    "a redirect to nowhere": Hostile(away(None), AWAY, AWAY),
    "a redirect to a nonsense port": Hostile(away("http://[::1:99999999"), AWAY, AWAY),
    # ---------------------------------------------------------------- errors in disguise
    "200 with an error": Hostile(
        error_reply(200, "It is all wrong.", "server_error", "500"),
        codes("server_error"), codes("server_error"),
    ),
    "200 with a refused key": Hostile(
        error_reply(200, "Incorrect API key provided", "auth", "401"),
        codes("key_refused"), codes("key_refused"),
    ),
    "200 with an error that is text": Hostile(
        json_reply(200, {"error": "out of memory"}), codes("server_error"), codes("server_error")
    ),
    "500 with a page": Hostile(
        text_reply(502, "<html><title>Bad Gateway</title></html>", "text/html"),
        codes("upstream"), codes("upstream"),
    ),
    "an error with escapes and markup": Hostile(
        error_reply(500, _ESCAPES), codes("server_error"), codes("server_error")
    ),
    "an error that quotes the key": Hostile(
        error_reply(401, "Wrong key: {key}, Basic {key64}, ?key={key}"),
        codes("key_refused"), codes("key_refused"),
    ),
    "an error of ten thousand fields": Hostile(
        json_reply(422, {"detail": [{"loc": ["a"] * 50, "msg": "x" * 50}] * 1000}),
        codes("parameter_refused"), codes("parameter_refused"),
    ),
    "a deep error": Hostile(
        reply(500, b'{"error":' * 400 + b"1" + b"}" * 400, "application/json"),
        codes("server_error"), codes("server_error"),
    ),
    # ---------------------------------------------------------------- lists
    "escapes and markup in ids": Hostile(rows(_ESCAPES, "[red]m[/red]"), codes(None), _NO_STREAM),
    "the key as an id": Hostile(rows("sk-{key}", "{key}"), codes(None), _NO_STREAM),
    "an id of a megabyte": Hostile(rows("x" * 900_000), codes(None), _NO_STREAM),
    # ---------------------------------------------------------------- streams
    "the key as an answer": Hostile(stream(answer("PONG {key}"), piece("m", {}, "stop")),
                                    ODD, codes(None)),
    "an answer of escapes": Hostile(
        stream(answer(f"PONG {_ESCAPES}"), piece("m", {}, "stop")), ODD, codes(None)
    ),
    "events that are no JSON": Hostile(
        stream(b"data: {nope\n\n", b"data: 5\n\n", b"data: []\n\n", b"data: \xff\xfe\n\n"),
        ODD, codes("empty_answer", "bad_shape", "stream_broken"),
    ),
    "an event that is deep": Hostile(
        stream(b"data: " + b'{"choices":' * 5000 + b"1" + b"}" * 5000 + b"\n\n"),
        ODD, codes("empty_answer", "bad_shape", "stream_broken"),
    ),
    "chunks of every wrong type": Hostile(
        stream(
            chunk(choices=5), chunk(choices=[None]), chunk(choices=[{"delta": 5}]),
            chunk(choices=[{"delta": {"content": {"a": 1}, "tool_calls": "x"}}]),
            chunk(choices=[{"index": "0", "delta": {"content": ["x", 5, None]}}]),
            chunk(usage="many"), chunk(usage={"completion_tokens": -5, "prompt_tokens": 1e300}),
            chunk(model=7), chunk(timings=[1]), piece("m", {}, "stop"),
        ),
        ODD, codes(None, "wrong_answer", "bad_shape", "wrong_model"),
    ),
    "tool calls at a far index": Hostile(
        stream(
            piece("m", {"tool_calls": [
                {"index": 10**9, "id": "a", "function": {"name": "f", "arguments": "{"}},
                {"index": -7, "function": {"name": None, "arguments": 5}}]}),
            piece("m", {}, "tool_calls"),
        ),
        ODD, codes("wrong_answer", "empty_answer", None),
    ),
    "an error within the answer": Hostile(
        stream(answer("PO"), {"error": {"message": "CUDA out of memory {key}", "code": 500}},
               end=False),
        ODD, codes("server_error", "upstream", "stream_broken"),
    ),
    "an answer in one plain reply": Hostile(
        json_reply(200, {"choices": [{"message": {"content": "PONG"}}]}), ODD, ODD
    ),
    "a stream with nothing in it": Hostile(
        stream(end=False), ODD, codes("empty_answer", "stream_broken")
    ),
    "NULs for an answer": Hostile(
        sse_reply([b"\0" * 5000 + b"\n\n"]), ODD, _MUTE | codes("stream_broken")
    ),
    # ---------------------------------------------------------------- TLS of every wrong kind
    "a certificate out of date": Hostile(OK_LIST, TLS, TLS, tls=lambda pki: pki.expired()),
    "a certificate not valid yet": Hostile(OK_LIST, TLS, TLS, tls=lambda pki: pki.not_yet()),
    "a self-signed certificate": Hostile(OK_LIST, TLS, TLS, tls=lambda pki: pki.self_signed()),
    "a certificate for another host": Hostile(OK_LIST, TLS, TLS, tls=lambda pki: pki.wrong_host()),
    "an unknown signer": Hostile(OK_LIST, TLS, TLS, tls=lambda pki: pki.unknown_signer()),
    "no cipher in common": Hostile(
        OK_LIST, TLS | BROKEN, TLS | BROKEN, tls=lambda pki: pki.no_common_cipher()
    ),
    "an old protocol": Hostile(
        OK_LIST, TLS | BROKEN, TLS | BROKEN, tls=lambda pki: pki.old_protocol()
    ),
    "wants a client certificate": Hostile(
        OK_LIST, TLS | BROKEN, TLS | BROKEN, tls=lambda pki: pki.wants_client()
    ),
    "plain http on a TLS port": Hostile(
        raw(), TLS, TLS, connect=raw(Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close()),
        scheme="https",
    ),
    "TLS on a plain port": Hostile(
        OK_LIST, BROKEN | ODD, BROKEN | ODD, tls=lambda pki: pki.good(), scheme="http"
    ),
    "a handshake without an answer": Hostile(
        raw(), TIMEOUT, TIMEOUT, True, connect=raw(Hang()), scheme="https"
    ),
    "a handshake cut off": Hostile(
        raw(), BROKEN | TLS, BROKEN | TLS, connect=raw(Reset()), scheme="https"
    ),
    "garbage for a handshake": Hostile(
        raw(), TLS | BROKEN, TLS | BROKEN, connect=raw(Send(b"\xde\xad\xbe\xef" * 50), Close()),
        scheme="https",
    ),
    "HTTP/2 that is none": Hostile(
        raw(), ODD | BROKEN | codes("timeout"), ODD | BROKEN | codes("timeout"), True,
        connect=raw(Send(b"HTTP/1.1 200 OK\r\n\r\n"), Close()), tls=lambda pki: pki.good(h2=True),
    ),
    "HTTP/2 that is silent": Hostile(
        raw(), TIMEOUT, TIMEOUT, True, connect=raw(Hang()), tls=lambda pki: pki.good(h2=True)
    ),
}  # fmt: skip
