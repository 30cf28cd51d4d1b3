"""``turnkey verify`` against the demo: what is verified, what fails and why, and the receipt."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from core.demo.serve import Demo, start_demo
from core.verify.trials.registry import trial_names
from tests.servers.scripted import ScriptedProvider, error_reply, models_reply, running
from tests.tui.desk import START, Desk, provider_table

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with start_demo() as running:
        yield running


def on_demo(desk: Desk, demo: Demo, model: str, **lanes: str) -> None:
    """All lanes on a model of the demo, but for ``lanes``."""
    selectors = dict.fromkeys(("agent", "auxiliary", "synthesis"), f"demo/{model}") | lanes
    desk.write(
        provider_table(demo.base_url, model, name="demo", lanes=selectors)
        + '\n[[skills]]\nname = "code-review"\n'
    )
    desk.export(WARDEN_DEMO_API_KEY=demo.key.reveal())


def test_the_demos_good_model_is_verified_and_the_word_holds_until_the_file_changes(
    desk: Desk, demo: Demo
) -> None:
    on_demo(desk, demo, "demo-plain")
    told = desk.turnkey("verify", "--yes", "--json")
    assert told.code == 0, told.err
    receipt = told.json()
    assert receipt["verified"] is True
    assert receipt["variant"] == "providers"
    verdicts = receipt["verdicts"]
    assert isinstance(verdicts, list)
    assert {one["verdict"] for one in verdicts} == {"pass"}
    assert {"probe", "provider", "model", "lane", "verdict", "evidence", "fix"} <= set(verdicts[0])
    endpoint = receipt["endpoints"]
    assert isinstance(endpoint, list)
    assert endpoint[0]["base_url"] == demo.base_url
    files = list((desk.state / "receipts").iterdir())
    assert len(files) == 1
    assert demo.key.reveal() not in files[0].read_text()
    assert "requests" in told.err  # the estimate stands before the start

    part = desk.turnkey("verify", "--yes", "--json", "--lane", "agent", "--only", "canary")
    assert part.json()["verified"] is True  # it adds to what is known
    told = desk.turnkey("verify", "--yes", "--lane", "agent", "--only", "canary")
    names = {line.split()[1] for line in told.out.splitlines() if line.startswith("  ✓")}
    assert not names & set(trial_names())  # what was asked before has its title, too
    on_demo(desk, demo, "demo-plain", synthesis="demo/demo-slow")
    part = desk.turnkey("verify", "--yes", "--json", "--lane", "agent", "--only", "canary")
    assert part.code == 0
    assert part.json()["verified"] is False  # a part alone never gives the word


@pytest.mark.parametrize(
    ("model", "only", "failing"),
    [
        ("demo-broken-tools", "agent_loop", "agent_loop"),
        ("demo-leaky-think", "bare_json", "bare_json"),
    ],
)
def test_a_broken_model_fails_for_its_own_reason(
    model: str, only: str, failing: str, desk: Desk, demo: Demo
) -> None:
    on_demo(desk, demo, model)
    told = desk.turnkey("verify", "--yes", "--only", only, "--runs", "2", "--junit", "v.xml")
    assert told.code == 1
    assert "✗" in told.out
    assert "fix: " in told.out
    assert f"Not verified: {failing} failed." in told.out
    suites = ET.parse(desk.folder / "v.xml").getroot()
    named = {case.get("name") for case in suites.iter("testcase") if len(case.findall("failure"))}
    assert named == {failing}


def test_a_lane_that_leaves_fails_without_a_request_to_where_it_goes(
    desk: Desk, demo: Demo
) -> None:
    on_demo(desk, demo, "demo-plain", synthesis="openai/gpt-9")
    told = desk.turnkey("verify", "--yes", "--json", "--only", "stays_home")
    assert told.code == 1
    verdicts = told.json()["verdicts"]
    assert isinstance(verdicts, list)
    assert {one["lane"]: one["verdict"] for one in verdicts}["agent"] == "pass"
    assert told.json()["verified"] is False


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--only", "bare_jsn"], 2),
        (["--lane", "synthesis", "--only", "bare_json"], 2),
        (["--junit", "no/such/folder/v.xml", "--only", "stays_home"], 3),
    ],
)
def test_what_cannot_be_done_is_told_with_its_code(
    arguments: list[str], code: int, desk: Desk, demo: Demo
) -> None:
    on_demo(desk, demo, "demo-plain")
    told = desk.turnkey("verify", "--yes", *arguments)
    assert told.code == code
    assert told.told()


def test_a_server_that_is_not_there_exits_4_and_a_refused_key_5(desk: Desk, demo: Demo) -> None:
    on_demo(desk, demo, "demo-plain")
    desk.export(WARDEN_DEMO_API_KEY="sk-wrong-key-0123456789")
    assert desk.turnkey("verify", "--yes", "--junit", "v.xml").code == 5
    assert ended_by(desk) == ["key_refused"]
    desk.write(
        provider_table(
            "http://127.0.0.1:9/v1",
            "m",
            name="demo",
            lanes=dict.fromkeys(("agent", "auxiliary", "synthesis"), "demo/m"),
        )
    )
    desk.export(WARDEN_DEMO_API_KEY=None)
    told = desk.turnkey("verify", "--yes", "--json", "--junit", "v.xml")
    assert told.code == 4
    assert json.loads(told.out)["error"]["code"] == "connection_refused"
    assert ended_by(desk) == ["connection_refused"]


@pytest.mark.parametrize("key", ["sk-not-allowed-0123", None])
def test_a_chat_that_takes_no_key_behind_an_open_list_exits_5(key: str | None, desk: Desk) -> None:
    """Nothing failed of the model, and nothing was tried: that is no success for a script."""
    refusal = error_reply(401 if key is None else 403, "forbidden")
    lists = models_reply(["m"])
    chat = ("POST", "/v1/chat/completions")
    with running(ScriptedProvider({("GET", "/v1/models"): lists, chat: refusal})) as server:
        desk.write(
            provider_table(
                server.base_url,
                "m",
                name="demo",
                lanes=dict.fromkeys(("agent", "auxiliary", "synthesis"), "demo/m"),
            )
        )
        desk.export(WARDEN_DEMO_API_KEY=key)
        told = desk.turnkey("verify", "--yes")
    assert told.code == 5
    assert "Nothing could be tried: the server refuses the key, or wants one." in told.out


def ended_by(desk: Desk) -> list[str | None]:
    """The errors in the file for CI."""
    return [one.get("type") for one in ET.parse(desk.folder / "v.xml").getroot().iter("error")]


@pytest.mark.parametrize(
    ("signals", "code", "shown"),
    [
        ((signal.SIGINT,), 130, False),
        ((signal.SIGTERM,), 128 + signal.SIGTERM, True),
        ((signal.SIGHUP,), 128 + signal.SIGHUP, False),
    ],
)
def test_a_stopped_run_keeps_what_it_decided_and_the_next_goes_on(
    signals: tuple[signal.Signals, ...], code: int, shown: bool, desk: Desk, demo: Demo
) -> None:
    on_demo(desk, demo, "demo-slow")
    process = subprocess.Popen(
        [sys.executable, "-c", START, "verify", "--yes", "--junit", "v.xml"],
        cwd=desk.folder,
        env=desk.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("[3/"):
            assert process.poll() is None
        for one in signals:
            process.send_signal(one)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == code
    assert "the next run goes on with the rest" in err
    assert "Traceback" not in err
    kept = [json.loads(one.read_text()) for one in (desk.state / "receipts").iterdir()]
    assert kept[0]["interrupted"] is True
    assert kept[0]["verified"] is False
    known = {(one["probe"], one["lane"]) for one in kept[0]["verdicts"]}
    assert ("stays_home", "agent") in known
    root = ET.parse(desk.folder / "v.xml").getroot()
    assert [error.get("type") for error in root.iter("error")] == ["interrupted"]
    assert len(list(root.iter("testcase"))) == 1 + len(known)
    if not shown:
        return
    told = desk.turnkey("verify", "--yes", "--json", "--only", "stays_home")
    assert "already" not in told.err  # what is asked for by name is asked
    assert told.json()["interrupted"] is True  # and the rest is still to come


def test_a_stopped_run_prints_the_receipt_so_far(desk: Desk, demo: Demo) -> None:
    on_demo(desk, demo, "demo-slow")
    process = subprocess.Popen(
        [sys.executable, "-c", START, "verify", "--yes", "--json"],
        cwd=desk.folder,
        env=desk.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        state = desk.state / "receipts"
        while not (state.is_dir() and any(one.suffix == ".json" for one in state.iterdir())):
            assert process.poll() is None  # what is decided is kept while it runs
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    told = json.loads(out)
    assert told["error"]["code"] == "interrupted"
    assert told["verified"] is False
    assert told["verdicts"]
