"""``turnkey models``: what an endpoint lists, where each fact is from, and how it fails."""

from __future__ import annotations

import pytest

from tests.servers.scripted import good_server, running
from tests.tui.desk import KEY, VARIABLE, WRONG, Desk, at, provider_table, unkeyed
from tests.tui.test_provider import EMBEDDING, FACTS


def test_the_json_of_models(desk: Desk) -> None:
    desk.export(GATEWAY_KEY=KEY)
    with running(good_server(["qwen3", "embed"], KEY, info=[FACTS, EMBEDDING])) as server:
        listed = desk.turnkey(
            "models", "--url", server.origin, "--key-env", "GATEWAY_KEY", "--json"
        )
    assert listed.code == 0, listed.err
    told = listed.json()
    assert told["error"] is None
    endpoint = told["endpoint"]
    assert isinstance(endpoint, dict)
    assert set(endpoint) == {"base_url", "origin", "dialect", "version"}
    assert endpoint["base_url"] == server.base_url
    assert endpoint["origin"] == server.origin
    assert endpoint["dialect"] == "litellm"
    model = at(told, "models", 0)
    assert at(model, "id") == "qwen3"
    assert at(model, "kind") == "chat"
    assert at(told, "models", 1, "kind") == "embedding"
    expected = {
        "context_window": 40_960,
        "max_output_tokens": 8_192,
        "image_input": True,
        "reasoning": True,
        "input_cost": 0.15,
        "output_cost": 0.6,
    }
    for name, value in expected.items():
        fact = at(model, "facts", name)
        assert at(fact, "value") == pytest.approx(value)
        assert at(fact, "source") in {"server", "catalogue", "pattern", "default"}
    assert desk.bound() == []  # consent for this command alone


def test_a_person_sees_a_table_and_question_marks(desk: Desk) -> None:
    with running(good_server(["plain"], key=None)) as server:
        listed = desk.turnkey("models", "--url", server.base_url)
    assert listed.code == 0
    heading, row = listed.out.splitlines()
    assert heading.split()[:3] == ["id", "kind", "context"]
    assert row.split()[:3] == ["plain", "chat", "?"]
    assert "litellm at " in listed.err


def test_a_server_that_lists_nothing_exits_0_with_a_warning(desk: Desk) -> None:
    with running(good_server([], key=None)) as server:
        listed = desk.turnkey("models", "--url", server.base_url, "--json")
    assert listed.code == 0
    assert listed.json()["models"] == []
    assert listed.json()["error"] is None
    assert listed.json()["warnings"]
    assert "warning: " in listed.err


def test_the_only_provider_is_the_target(desk: Desk) -> None:
    with running(good_server(["m"], key=None)) as server:
        desk.write(provider_table(server.base_url, "m"))
        assert desk.turnkey("models").out.splitlines()[1].startswith("m ")


def test_several_providers_or_none_exit_2(desk: Desk) -> None:
    desk.write(
        provider_table("http://localhost:1/v1", "m")
        + '\n[defaults.providers.other]\nbaseUrl = "http://localhost:2/v1"\n'
    )
    asked = desk.turnkey("models", "--json")
    assert asked.code == 2
    assert "litellm, other" in asked.told()
    assert at(asked.json(), "error", "code") == "usage"
    assert at(asked.json(), "models") == []
    desk.write("version = 1\n")
    assert desk.turnkey("models").code == 2


def test_one_model_can_be_asked_for(desk: Desk) -> None:
    with running(good_server(["a", "b"], key=None)) as server:
        one = desk.turnkey("models", "--url", server.base_url, "--model", "b", "--json")
        assert [at(row, "id") for row in (at(one.json(), "models", 0),)] == ["b"]
        gone = desk.turnkey("models", "--url", server.base_url, "--model", "c")
    assert gone.code == 1
    assert "«c»" in gone.err


@pytest.mark.parametrize(
    "options",
    [
        ("--url", "http://localhost:1", "--provider", "litellm"),
        ("--url", "http://localhost:1", "--lane", "agent"),
        ("--lane", "agent", "--model", "m"),
        ("--key-env", "X"),
        ("--provider", "nobody"),
        ("--url", "not a url"),
        ("--timeout", "0"),
        ("--lane", "chat"),
    ],
)
def test_options_that_cannot_be_meant_exit_2(options: tuple[str, ...], desk: Desk) -> None:
    desk.write(provider_table("http://localhost:1/v1", "m", lanes={"agent": "litellm/m"}))
    assert desk.turnkey("models", *options).code == 2


def test_a_missing_key_exits_5_before_anything_is_asked(desk: Desk) -> None:
    desk.write(provider_table("https://gw.invalid/v1", "m"))
    asked = desk.turnkey("models", "--json")
    assert asked.code == 5
    assert at(asked.json(), "error", "code") == "key_missing"
    assert "turnkey keys set litellm" in asked.told()
    bare = desk.turnkey("models", "--url", "http://localhost:1", "--key-env", "NOT_SET")
    assert bare.code == 5
    assert "NOT_SET" in bare.told()


def test_a_refused_key_exits_5_and_a_closed_port_4(desk: Desk, closed_port: int) -> None:
    desk.export(**{VARIABLE: WRONG})
    with running(good_server(["m"], KEY)) as server:
        desk.write(provider_table(server.base_url, "m"))
        refused = desk.turnkey("models", "--json")
    assert refused.code == 5
    assert at(refused.json(), "error", "code") == "key_refused"
    assert WRONG not in refused.out + refused.told()
    closed = desk.turnkey("models", "--url", f"localhost:{closed_port}", "--json")
    assert closed.code == 4
    assert at(closed.json(), "error", "code") == "connection_refused"


def test_a_loopback_server_that_wants_a_key_after_all_says_which(desk: Desk) -> None:
    with running(good_server(["m"], KEY)) as server:
        desk.write(provider_table(server.base_url, "m"))
        asked = desk.turnkey("models", "--json")
    assert asked.code == 5
    assert at(asked.json(), "error", "code") == "key_missing"
    assert VARIABLE in asked.told()


def test_ids_with_control_characters_are_shown_as_text(desk: Desk) -> None:
    with running(good_server(["evil\x1b[31m\u202e"], key=None)) as server:
        shown = desk.turnkey("models", "--url", server.base_url)
    assert shown.code == 0
    assert "\x1b" not in shown.out
    assert "\\x1b[31m\\u202e" in shown.out


def test_a_key_goes_to_no_changed_origin(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["m"], KEY)) as first:
        desk.write(provider_table(first.base_url, "m"))
        assert desk.turnkey("models").code == 0
    with running(good_server(["m"], KEY)) as second:
        desk.write(provider_table(second.base_url, "m"))
        asked = desk.turnkey("models", "--json")
        assert asked.code == 5
        assert at(asked.json(), "error", "code") == "key_bound_elsewhere"
        assert "turnkey keys rebind litellm" in asked.told()
        assert unkeyed(second)
        assert desk.turnkey("keys", "rebind", "litellm").code == 0
        assert desk.turnkey("models").code == 0
