"""With every logger at DEBUG nothing of a key is logged, whatever a server echoes."""

from __future__ import annotations

import contextlib
import io
import logging
from typing import TYPE_CHECKING

import pytest

from core.errors import TurnkeyError
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds
from core.wire.client import get, open_client
from core.wire.hush import LOGGERS
from tests.servers.scripted import Behaviour, ScriptedProvider, Send, json_reply, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-canary-HUSH-77aa"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The text of every record of every logger."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    levels = {
        name: logging.getLogger(name).level for name in (*logging.root.manager.loggerDict, "root")
    }
    for name in levels:
        logging.getLogger(name if name != "root" else None).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield said
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name if name != "root" else None).setLevel(level)


@pytest.mark.parametrize(
    "answer",
    [
        json_reply(200, {"echo": KEY}, {"x-request-id": KEY, "set-cookie": KEY}),
        raw(Send(f"HTTP/1.1 401 no {KEY}\r\ncontent-length: 0\r\n\r\n".encode())),
        raw(Send(f"HTTP/1.1 200 OK\r\nx: {KEY}\r\nbroken {KEY}\r\n\r\n".encode())),
    ],
    ids=["header", "reason", "broken"],
)
async def test_a_server_that_echoes_the_key_gets_it_into_no_log(
    log: io.StringIO, answer: Behaviour
) -> None:
    async with ScriptedProvider({("GET", "/v1/models"): answer}) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, Bounds(), key=Secret(KEY)) as client:
            with contextlib.suppress(TurnkeyError):  # the broken one
                await get(client, f"{base.url}/models", Bounds())
        assert server.requests[0].bearer == KEY
    assert KEY not in log.getvalue()


def test_http2_headers_are_not_logged_as_they_are_packed(log: io.StringIO) -> None:
    hpack = pytest.importorskip("hpack")
    packed = hpack.Encoder().encode([("authorization", f"Bearer {KEY}")])
    hpack.Decoder().decode(packed)
    assert KEY not in log.getvalue()


def test_every_logger_of_the_http_libraries_is_on_the_list() -> None:
    pytest.importorskip("h2.connection")
    roots = ("httpx", "httpcore", "h2", "hpack", "h11", "socksio")
    found = {
        name
        for name, logger in logging.root.manager.loggerDict.items()
        if name.split(".")[0] in roots and isinstance(logger, logging.Logger)
    }
    assert found <= set(LOGGERS)
