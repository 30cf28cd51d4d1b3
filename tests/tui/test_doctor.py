"""``turnkey doctor``: the contract's JSON, its exit codes, and words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.doctor.rungs import LADDER
from tests.servers.scripted import good_server, running
from tests.tui.desk import KEY, VARIABLE, WRONG, Desk, all_lanes, at, provider_table, unkeyed

if TYPE_CHECKING:
    from tests.tui.desk import Ended


def states(ended: Ended) -> dict[object, object]:
    rungs = at(ended.json(), "rungs")
    assert isinstance(rungs, list)
    for rung in rungs:
        assert set(rung) == {"name", "state", "seconds", "evidence"}
    return {at(rung, "name"): at(rung, "state") for rung in rungs}


WELL = {**dict.fromkeys(LADDER, "pass"), "name": "skip", "tls": "skip"}


def test_a_url_and_a_variable_need_no_config_and_no_model(desk: Desk) -> None:
    desk.export(GATEWAY_KEY=KEY)
    with running(good_server(["good-model"], KEY)) as server:
        ended = desk.turnkey("doctor", "--url", server.origin, "--key-env", "GATEWAY_KEY", "--json")
    assert ended.code == 0, ended.err
    assert states(ended) == WELL
    assert at(ended.json(), "error") is None
    assert at(ended.json(), "target", "base_url") == server.base_url
    assert at(ended.json(), "target", "model") == "good-model"
    assert desk.bound() == []
    assert not desk.file.exists()


@pytest.mark.parametrize("target", [("--provider", "litellm"), ("--lane", "auxiliary"), ()])
def test_a_provider_of_the_file_a_lane_or_the_only_one(target: tuple[str, ...], desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["first", "second"], KEY)) as server:
        desk.write(
            provider_table(server.base_url, "second", "first", lanes=all_lanes("litellm/second"))
        )
        ended = desk.turnkey("doctor", *target, "--json")
    assert ended.code == 0, ended.err
    assert states(ended) == WELL
    assert at(ended.json(), "target", "provider") == "litellm"
    if target[:1] == ("--lane",):
        assert at(ended.json(), "target", "model") == "second"


def test_a_wrong_key_ends_with_5_and_is_told_in_words(desk: Desk) -> None:
    desk.export(**{VARIABLE: WRONG})
    with running(good_server(["good-model"], KEY)) as server:
        desk.write(provider_table(server.base_url, "good-model"))
        ended = desk.turnkey("doctor", "--json")
        people = desk.turnkey("doctor")
    assert (ended.code, people.code) == (5, 5)
    assert at(ended.json(), "error", "code") == "key_refused"
    assert states(ended)["key"] == "fail"
    assert states(ended)["models"] == "skip"
    assert "✗ key" in people.out
    assert "· models · chat · stream  not tried" in people.out
    assert "does not know this key" in people.told()
    assert WRONG not in ended.out + ended.err + people.out + people.err


def test_a_missing_key_breaks_at_its_own_rung_and_none_is_sent(desk: Desk) -> None:
    desk.export(GATEWAY_KEY=None)
    with running(good_server(["good-model"], KEY)) as server:
        ended = desk.turnkey("doctor", "--url", server.origin, "--key-env", "GATEWAY_KEY", "--json")
        assert unkeyed(server)
    assert ended.code == 5
    assert at(ended.json(), "error", "code") == "key_missing"
    assert "GATEWAY_KEY" in str(at(ended.json(), "error", "what"))
    found = states(ended)
    assert (found["server"], found["key"]) == ("pass", "fail")


def test_a_key_of_the_environment_that_belongs_elsewhere_is_not_sent(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["m"], KEY)) as first, running(good_server(["m"], KEY)) as second:
        desk.write(provider_table(first.base_url, "m"))
        assert desk.turnkey("doctor").code == 0
        desk.write(provider_table(second.base_url, "m"))
        ended = desk.turnkey("doctor", "--json")
        assert unkeyed(second)
    assert ended.code == 5
    assert at(ended.json(), "error", "code") == "key_bound_elsewhere"


def test_a_closed_port_ends_with_4(desk: Desk, closed_port: int) -> None:
    ended = desk.turnkey("doctor", "--url", f"http://127.0.0.1:{closed_port}/v1", "--json")
    assert ended.code == 4
    assert at(ended.json(), "error", "code") == "connection_refused"
    assert states(ended)["tcp"] == "fail"
    assert f"127.0.0.1:{closed_port}" in ended.told()


def test_a_url_that_cannot_be_meant_breaks_the_first_rung(desk: Desk) -> None:
    ended = desk.turnkey("doctor", "--url", "ftp://gw/v1", "--json")
    assert ended.code == 2
    assert at(ended.json(), "error", "code") == "usage"
    assert states(ended) == {**dict.fromkeys(LADDER, "skip"), "url": "fail"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--url", "http://127.0.0.1:1/v1", "--provider", "litellm"),
        ("--lane", "agent", "--model", "m"),
        ("--provider", "nobody"),
        (),
    ],
)
def test_options_that_cannot_be_meant_end_with_2(arguments: tuple[str, ...], desk: Desk) -> None:
    desk.write("version = 1\n")
    ended = desk.turnkey("doctor", *arguments, "--json")
    assert ended.code == 2
    assert at(ended.json(), "error", "code") == "usage"
    assert at(ended.json(), "rungs") == []


def test_people_see_each_rung_with_its_time(desk: Desk) -> None:
    with running(good_server(["good-model"], None)) as server:
        ended = desk.turnkey("doctor", "--url", server.origin)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert len(lines) == len(LADDER)
    assert lines[0] == f"✓ url     {server.base_url} (/v1 was added.)"
    assert lines[5].startswith("✓ server  LiteLLM proxy  (")
    assert "«PONG»" in lines[-1]
