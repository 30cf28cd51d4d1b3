"""``turnkey --web``: the app in a browser of this machine, for who has its address alone."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import aiohttp
import pytest

from core.demo.scratch import scratch
from tui.web import MOST_SESSIONS, Browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.tui.desk import Desk

TOKEN: Final = "canary-token-0123456789"


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[tuple[Browser, aiohttp.ClientSession]]:
    """A server on a free port, and a browser's client."""
    browser, ended = Browser(arguments, 0, TOKEN), asyncio.Event()
    listening: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(browser.run(listening.put_nowait, ended))
    await asyncio.wait_for(listening.get(), 30)
    try:
        async with aiohttp.ClientSession() as client:
            yield browser, client
    finally:
        ended.set()
        await asyncio.wait_for(task, 30)


async def test_the_page_its_assets_and_the_socket_all_want_the_token() -> None:
    async with serving() as (browser, client):
        root = f"http://127.0.0.1:{browser.port}"
        async with client.get(browser.address) as page:
            assert page.status == 200
            text = await page.text()
        assets = re.findall(r'(?:href|src)="(/[^"]+)"', text)
        assert len(assets) == 2
        for asset in assets:
            async with client.get(root + asset) as found:
                assert found.status == 200
            async with client.get(root + asset.replace(TOKEN, "x")) as refused:
                assert refused.status == 404
        for path in ("/", "//", "/static/js/textual.js", "/ws", f"/{TOKEN}", f"/x{TOKEN}/"):
            async with client.get(root + path) as refused:
                assert refused.status == 404, path
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await client.ws_connect(f"{root}/wrong/ws")
        assert caught.value.status == 404


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_another_name_or_another_page_gets_nothing(header: dict[str, str]) -> None:
    async with serving() as (browser, client):
        async with client.get(browser.address, headers=header) as refused:
            assert refused.status == 404
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(f"{browser.address}ws", headers=header)


async def test_the_page_asks_nothing_of_an_outside_host() -> None:
    async with serving() as (browser, client), client.get(browser.address) as page:
        text, policy = await page.text(), page.headers["Content-Security-Policy"]
        assert page.headers["Referrer-Policy"] == "no-referrer"
    here = {f"ws://127.0.0.1:{browser.port}"}
    assert set(re.findall(r"\w+://[^/\"'\s)]+", text)) == here
    assert "default-src 'none'" in policy
    assert set(re.findall(r"\w+://[^/\"'\s;]+", policy)) == here
    assert "*" not in policy


def test_only_this_machine_can_reach_it() -> None:
    async def other_addresses() -> list[str]:
        async with serving() as (browser, _):
            reached = []
            for address in {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)}:
                name = str(address)
                if not name.startswith("127."):
                    try:
                        _, writer = await asyncio.open_connection(name, browser.port)
                    except OSError:
                        continue
                    writer.close()
                    reached.append(name)
            return reached

    assert asyncio.run(other_addresses()) == []


@pytest.mark.usefixtures("desk")
async def test_a_tab_shows_the_app_and_its_keys_work() -> None:
    with scratch() as file:
        async with serving("--config", str(file)) as (browser, client):
            url = f"{browser.address}ws?width=80&height=24"
            async with client.ws_connect(
                url, headers={"Origin": browser.address[:-1].rsplit("/", 1)[0]}
            ) as tab:
                await _until(tab, "Nothing is written")  # the words of an empty Home
                await tab.send_str(json.dumps(["stdin", "?"]))
                await _until(tab, "Add a provider")
                await tab.send_str(json.dumps(["stdin", "\x11"]))  # ctrl+q
                await _until_closed(tab)


async def test_a_tab_too_many_is_refused() -> None:
    async with serving() as (browser, client):
        browser.sessions = MOST_SESSIONS
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await client.ws_connect(f"{browser.address}ws")
        assert caught.value.status == 503


def test_the_address_is_all_that_is_printed_and_no_request_is_logged(desk: Desk) -> None:
    import signal
    import subprocess
    import sys
    import urllib.request

    from tests.tui.desk import START

    process = subprocess.Popen(
        [sys.executable, "-c", START, "--web", "--demo"],
        cwd=desk.folder,
        env=desk.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}/", address)
        with urllib.request.urlopen(address, timeout=30) as page:
            assert b"turnkey" in page.read()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert out == ""
    assert address.split("/")[3] not in err


async def _until(tab: aiohttp.ClientWebSocketResponse, word: str) -> None:
    seen = ""
    while word not in seen:
        message = await asyncio.wait_for(tab.receive(), 60)
        assert message.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}, message
        if message.type is aiohttp.WSMsgType.BINARY:
            seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", bytes(message.data).decode())


async def _until_closed(tab: aiohttp.ClientWebSocketResponse) -> None:
    while not tab.closed:
        await asyncio.wait_for(tab.receive(), 60)
