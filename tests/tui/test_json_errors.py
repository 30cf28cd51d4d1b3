"""With ``--json`` there is one object on stdout, also where nothing was done or it was stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import pytest

from core.doctor.rungs import LADDER
from tests.servers.scripted import (
    Hang,
    ScriptedProvider,
    good_server,
    models_reply,
    piece,
    raw,
    running,
    sse_reply,
)
from tests.tui.desk import KEY, START, Desk, at
from tests.tui.test_cli import commands

if TYPE_CHECKING:
    from collections.abc import Callable

CHAT: Final = ("POST", "/v1/chat/completions")


@pytest.mark.parametrize("command", sorted(commands()))
@pytest.mark.parametrize("wrong", [("--json", "--no-such-option"), ("--no-such-option", "--json")])
def test_options_that_no_command_takes_give_an_object(
    command: str, wrong: tuple[str, ...], desk: Desk
) -> None:
    if "--json" not in {name for one in commands()[command].params for name in one.opts}:
        pytest.skip("it prints no JSON")
    ended = desk.turnkey(*command.split(), *wrong)
    assert ended.code == 2
    assert at(ended.json(), "error", "code") == "usage"
    assert "--no-such-option" in str(at(ended.json(), "error", "what"))
    assert command.split(maxsplit=1)[0] in str(at(ended.json(), "error", "fix"))
    assert "no-such-option" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("ping", "--runs", "0", "--json"),
        ("doctor", "--timeout", "soon", "--json"),
        ("nothing-of-this-name", "--json"),
        ("--json",),
        ("keys", "--json"),
    ],
)
def test_values_and_commands_that_are_none_give_an_object(
    arguments: tuple[str, ...], desk: Desk
) -> None:
    ended = desk.turnkey(*arguments)
    assert ended.code == 2
    assert at(ended.json(), "error", "code") == "usage"


def test_without_json_there_is_none(desk: Desk) -> None:
    ended = desk.turnkey("ping", "--runs", "0")
    assert (ended.code, ended.out) == (2, "")
    ended = desk.turnkey("run", "--no-such-option", "--", "true", "--json")
    assert (ended.code, ended.out) == (2, "")


# ---------------------------------------------------------------------------- stopped


def wait(holds: Callable[[], bool]) -> None:
    """Until ``holds``, or some seconds have passed."""
    last = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < last
        threading.Event().wait(0.01)


def stopped_at(desk: Desk, server: ScriptedProvider, chats: int, *arguments: str) -> object:
    """The object that a command prints when Ctrl-C comes while the server works on a request."""
    with subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        cwd=desk.folder,
        env=desk.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait(lambda: len(server.seen(*CHAT)) == chats)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.strip().endswith("interrupted")
    assert "Traceback" not in err
    value: object = json.loads(out)
    return value


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_ping_that_is_stopped_keeps_the_runs_it_has(desk: Desk) -> None:
    whole = sse_reply([piece("m", {"content": "PONG"}), piece("m", {}, "stop")])
    answers = iter([whole, raw(Hang())])
    server = ScriptedProvider({CHAT: lambda _: next(answers)})
    with running(server):
        told = stopped_at(
            *(desk, server, 2, "ping", "--url", server.base_url, "--model", "m"),
            *("--runs", "3", "--json"),
        )
    assert at(told, "error", "code") == "interrupted"
    assert at(told, "target", "model") == "m"
    runs = at(told, "runs")
    assert isinstance(runs, list)
    assert [at(run, "ok") for run in runs] == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_doctor_that_is_stopped_keeps_the_rungs_it_has(desk: Desk) -> None:
    desk.export(GATEWAY_KEY=KEY)
    with running(good_server(["m"], KEY, extra={CHAT: raw(Hang())})) as server:
        told = stopped_at(
            *(desk, server, 1, "doctor", "--url", server.origin),
            *("--key-env", "GATEWAY_KEY", "--json"),
        )
    assert at(told, "error", "code") == "interrupted"
    rungs = at(told, "rungs")
    assert isinstance(rungs, list)
    states = {at(rung, "name"): at(rung, "state") for rung in rungs}
    assert list(states) == list(LADDER)
    assert states["models"] == "pass"
    assert states["chat"] == "skip"
    assert KEY not in json.dumps(told)


@pytest.mark.parametrize("error", [KeyboardInterrupt, EOFError])
def test_any_command_that_is_stopped_prints_one_object(
    error: type[BaseException], desk: Desk
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise error

    desk.monkeypatch.setattr("tui.commands.lanes.open_here", interrupted)
    ended = desk.turnkey("lanes", "--json")
    assert ended.code == 130
    assert at(ended.json(), "error", "code") == "interrupted"


# ---------------------------------------------------------------------------- not decided


def test_a_doctor_that_could_ask_no_model_says_so(desk: Desk) -> None:
    with running(ScriptedProvider({("GET", "/v1/models"): models_reply([])})) as server:
        ended = desk.turnkey("doctor", "--url", server.origin, "--json")
    assert ended.code == 0
    assert "warning: chat was not decided: there is no chat model to ask" in ended.err
