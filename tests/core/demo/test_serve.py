"""Starting, stopping, and leaving no trace: warnings are errors in this suite."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from core.demo.serve import Demo, DemoServer, start_demo
from core.errors import UsageProblem
from tests.core.demo.helpers import Instant, client, stream, user


async def test_it_takes_a_free_loopback_port_and_gives_it_back() -> None:
    async with DemoServer() as demo:
        assert demo.base_url == f"http://127.0.0.1:{demo.port}/v1"
        async with client(demo) as http:
            assert (await http.get("/models")).status_code == 200
        url = demo.base_url
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(url + "/models")
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", demo.port))


async def test_it_says_what_a_person_would_type() -> None:
    async with DemoServer() as demo:
        assert (demo.name, demo.key_env) == ("demo", "WARDEN_DEMO_API_KEY")
        assert "sk-" not in repr(demo.key)


async def test_two_demos_stand_side_by_side() -> None:
    async with DemoServer() as one, DemoServer() as two:
        assert one.port != two.port


async def test_a_taken_port_is_a_usage_problem_with_words() -> None:
    async with DemoServer() as demo:
        with pytest.raises(UsageProblem) as raised:
            await DemoServer(demo.port).start()
    assert str(demo.port) in raised.value.fault.what


async def test_stopping_twice_or_unstarted_does_nothing() -> None:
    demo = DemoServer()
    await demo.stop()
    await demo.start()
    await demo.stop()
    await demo.stop()


async def test_a_stream_under_way_ends_when_the_demo_stops() -> None:
    waiting = asyncio.Event()

    async def stuck(_seconds: float) -> None:
        waiting.set()
        await asyncio.get_running_loop().create_future()

    demo = await DemoServer(sleep=stuck).start()
    async with client(demo) as http:
        asked = asyncio.ensure_future(stream(http, [user("hello")]))
        await waiting.wait()
        await demo.stop()
        with pytest.raises(httpx.RemoteProtocolError):
            await asked


async def test_a_client_that_leaves_ends_its_stream() -> None:
    left = asyncio.Event()
    started = asyncio.Event()

    async def watched(_seconds: float) -> None:
        started.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            left.set()
            raise

    async with DemoServer(sleep=watched) as demo:
        async with client(demo) as http:
            asked = asyncio.ensure_future(stream(http, [user("hello")]))
            await started.wait()
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        await asyncio.wait_for(left.wait(), 5)


async def test_many_streams_at_once() -> None:
    async with DemoServer(sleep=Instant()) as demo, client(demo) as http:
        asked = [stream(http, [user("Answer with PONG")], model="demo-thinker") for _ in range(8)]
        reads = await asyncio.gather(*asked)
    assert {read.answer for read in reads} == {"PONG"}


async def test_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with DemoServer():
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


async def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    async with DemoServer(sleep=Instant()) as demo, client(demo) as http:
        await stream(http, [user("hello")])
        await http.get("/nowhere")
    assert capfd.readouterr() == ("", "")


def test_it_runs_in_a_thread_of_its_own() -> None:
    with start_demo(sleep=Instant()) as demo:
        headers = {"authorization": f"Bearer {demo.key.reveal()}"}
        answer = httpx.get(demo.base_url + "/models", headers=headers, trust_env=False)
        assert answer.status_code == 200
        with pytest.raises(UsageProblem):
            start_demo(demo.port)
    assert "turnkey-demo" not in {thread.name for thread in threading.enumerate()}
    demo.stop()


@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent as POSIX signals")
def test_serving_alone_ends_cleanly_with_an_interrupt() -> None:
    code = (
        "import json, core.demo.serve as s\n"
        "def listening(demo: s.Demo) -> None:\n"
        "    print(json.dumps({'base_url': demo.base_url}), flush=True)\n"
        "try:\n"
        "    s.serve_forever(0, listening)\n"
        "except KeyboardInterrupt:\n"
        "    raise SystemExit(130)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = json.loads(process.stdout.readline())
        answer = httpx.get(told["base_url"] + "/models", trust_env=False)
        assert answer.status_code == 401
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == ""


def test_nothing_listens_before_it_is_started() -> None:
    assert Demo().port == 0
