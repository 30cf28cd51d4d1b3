"""``turnkey provider``: what gets into the file, and what is refused before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers.scripted import good_server, json_reply, models_reply, running
from tests.tui.desk import (
    KEY,
    VARIABLE,
    WRONG,
    Desk,
    all_lanes,
    at,
    provider_table,
    unkeyed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

FACTS: Mapping[str, object] = {
    "model_name": "qwen3",
    "litellm_params": {"model": "openai/qwen3"},
    "model_info": {
        "mode": "chat",
        "max_input_tokens": 40_960,
        "max_output_tokens": 8_192,
        "supports_reasoning": True,
        "supports_vision": True,
        "input_cost_per_token": 1.5e-7,
        "output_cost_per_token": 6e-7,
    },
}
EMBEDDING: Mapping[str, object] = {
    "model_name": "embed",
    "litellm_params": {"model": "openai/embed"},
    "model_info": {"mode": "embedding"},
}


# ---------------------------------------------------------------------------- add


def test_the_only_chat_model_is_taken_with_its_facts(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["qwen3", "embed"], KEY, info=[FACTS, EMBEDDING])) as server:
        added = desk.turnkey("provider", "add", "litellm", "--url", server.origin)
    assert added.code == 0, added.err
    assert added.out == ""
    assert desk.data() == {
        "version": 1,
        "defaults": {
            "providers": {
                "litellm": {
                    "baseUrl": server.base_url,
                    "models": [
                        {
                            "id": "qwen3",
                            "reasoning": True,
                            "input": ["text", "image"],
                            "contextWindow": 40_960,
                            "maxTokens": 8_192,
                            "cost": {
                                "input": 0.15,
                                "output": 0.6,
                                "cacheRead": 0,
                                "cacheWrite": 0,
                            },
                        }
                    ],
                }
            }
        },
    }
    assert f"saved: {desk.file}" in added.err
    assert "next: turnkey lane set all litellm/qwen3" in added.err
    assert desk.bound() == [(VARIABLE, server.origin, "environment")]


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (["one", "two"], ["Which model?", "one, two"]),
        (["embed"], ["no chat model", "embed (embedding)"]),
        ([], ["no chat model"]),
    ],
)
def test_several_models_or_none_write_nothing_and_are_named(
    models: list[str], said: list[str], desk: Desk
) -> None:
    desk.export(**{VARIABLE: KEY})
    info = [EMBEDDING if model == "embed" else {"model_name": model} for model in models]
    with running(good_server(models, KEY, info=info)) as server:
        added = desk.turnkey("provider", "add", "litellm", "--url", server.base_url)
    assert added.code == 2
    for words in said:
        assert words in added.told()
    assert "--model ID" in added.err
    assert not desk.file.exists()


def test_with_json_the_error_is_an_object_too(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["one", "two"], KEY)) as server:
        added = desk.turnkey("provider", "add", "litellm", "--url", server.base_url, "--json")
    assert added.code == 2
    assert list(added.json()) == ["error"]
    error = at(added.json(), "error")
    assert isinstance(error, dict)
    assert list(error) == ["code", "what", "why", "fix"]
    assert error["code"] == "usage"
    assert error["what"] in added.told()


def test_several_models_can_be_named(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["one", "two", "three"], KEY)) as server:
        added = desk.turnkey(
            *("provider", "add", "litellm", "--url", server.base_url, "--json"),
            *("--model", "two", "--model", "gone", "--model", "two"),
        )
    assert added.code == 0, added.err
    assert "does not list «gone»" in added.err
    told = added.json()
    assert at(told, "saved") is True
    assert at(told, "changed") is True
    assert at(told, "path") == str(desk.file)
    assert at(told, "provider", "name") == "litellm"
    models = at(desk.data(), "defaults", "providers", "litellm", "models")
    assert models == [{"id": "two"}, {"id": "gone"}]


def test_an_endpoint_that_is_not_there_exits_4_without_a_model(
    desk: Desk, closed_port: int
) -> None:
    added = desk.turnkey("provider", "add", "litellm", "--url", f"localhost:{closed_port}")
    assert added.code == 4
    assert str(closed_port) in added.told()
    assert not desk.file.exists()


def test_an_endpoint_that_is_not_there_is_written_with_a_model_and_a_warning(
    desk: Desk, closed_port: int
) -> None:
    added = desk.turnkey(
        *("provider", "add", "litellm", "--url", f"localhost:{closed_port}", "--model", "qwen3")
    )
    assert added.code == 0, added.err
    assert "warning: " in added.err
    assert "without facts" in added.err
    assert at(desk.data(), "defaults", "providers", "litellm") == {
        "baseUrl": f"http://localhost:{closed_port}/v1",
        "models": [{"id": "qwen3"}],
    }


def test_a_key_that_lacks_exits_5_and_says_how_to_go_on(desk: Desk) -> None:
    with running(good_server(["qwen3"], KEY)) as server:
        added = desk.turnkey("provider", "add", "litellm", "--url", server.base_url)
    assert added.code == 5
    assert VARIABLE in added.told()
    assert "turnkey keys set litellm" in added.err
    assert not desk.file.exists()


def test_a_wrong_key_exits_5(desk: Desk) -> None:
    desk.export(**{VARIABLE: WRONG})
    with running(good_server(["qwen3"], KEY)) as server:
        added = desk.turnkey("provider", "add", "litellm", "--url", server.base_url)
    assert added.code == 5
    assert WRONG not in added.told()
    assert not desk.file.exists()


def test_an_existing_name_exits_1_and_asks_nobody(desk: Desk) -> None:
    with running(good_server(["qwen3"], key=None)) as server:
        before = desk.write(provider_table(server.base_url, "qwen3"))
        added = desk.turnkey("provider", "add", "litellm", "--url", server.base_url)
    assert added.code == 1
    assert "«litellm»" in added.told()
    assert desk.file.read_bytes() == before
    assert server.requests == []


@pytest.mark.parametrize("name", ["", "a/b", "my box", "openai", "bad\tname"])
def test_a_bad_name_exits_2(name: str, desk: Desk) -> None:
    added = desk.turnkey("provider", "add", name, "--url", "localhost:4000", "--model", "m")
    assert added.code == 2
    added.told()
    assert not desk.file.exists()


@pytest.mark.parametrize(
    "url", ["", "ftp://gw/v1", "http://user:pw@gw/v1", "http://gw/v1?key=1", "http://g w/"]
)
def test_a_bad_url_exits_2(url: str, desk: Desk) -> None:
    added = desk.turnkey("provider", "add", "litellm", "--url", url, "--model", "m")
    assert added.code == 2
    added.told()
    assert not desk.file.exists()


def test_where_it_is_must_be_said_or_follow_from_the_preset(desk: Desk) -> None:
    assert desk.turnkey("provider", "add", "gw", "--model", "m").code == 2
    assert desk.turnkey("provider", "add", "gw", "--preset", "generic", "--model", "m").code == 2
    unknown = desk.turnkey("provider", "add", "gw", "--preset", "litelm", "--url", "localhost:1")
    assert unknown.code == 2
    assert "litellm" in unknown.told()
    assert not desk.file.exists()


def test_a_preset_brings_its_usual_address(desk: Desk) -> None:
    added = desk.turnkey(
        *("provider", "add", "vllm", "--preset", "vllm", "--model", "m", "--dry-run", "--timeout"),
        "5",
    )
    assert added.code == 0, added.err
    assert '+baseUrl = "http://127.0.0.1:8000/v1"' in added.out.replace("localhost", "127.0.0.1")


def test_a_server_of_another_kind_than_the_preset_is_told(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["qwen3"], KEY)) as server:
        added = desk.turnkey(
            "provider", "add", "litellm", "--preset", "ollama", "--url", server.base_url
        )
    assert added.code == 0
    assert "looks like litellm, not ollama" in added.err


def test_a_dry_run_prints_the_diff_and_writes_nothing(desk: Desk) -> None:
    with running(good_server(["qwen3"], key=None)) as server:
        before = desk.write("# ours\nversion = 1\n")
        added = desk.turnkey("provider", "add", "litellm", "--url", server.base_url, "--dry-run")
    assert added.code == 0, added.err
    assert added.out.startswith("--- ")
    assert f'+baseUrl = "{server.base_url}"' in added.out
    assert " # ours" in added.out
    assert desk.file.read_bytes() == before
    assert not any(desk.state.rglob("*warden.toml"))


def test_what_was_made_of_the_url_is_said(desk: Desk) -> None:
    with running(good_server(["qwen3"], key=None)) as server:
        authority = server.origin.removeprefix("http://")
        added = desk.turnkey("provider", "add", "litellm", "--url", f"{authority}/v1/models")
    assert added.code == 0, added.err
    assert at(desk.data(), "defaults", "providers", "litellm", "baseUrl") == server.base_url
    assert "http" in added.err.splitlines()[0]


def test_a_base_without_v1_that_answers_is_kept_as_it_answered(desk: Desk) -> None:
    from tests.servers.scripted import ScriptedProvider

    with running(ScriptedProvider({("GET", "/models"): models_reply(["m"])})) as server:
        added = desk.turnkey("provider", "add", "box", "--url", server.origin)
    assert added.code == 0, added.err
    assert at(desk.data(), "defaults", "providers", "box", "baseUrl") == server.origin


def test_a_plain_http_address_beyond_this_machine_is_warned_of_first(desk: Desk) -> None:
    added = desk.turnkey(
        *("provider", "add", "litellm", "--url", "http://gpu.invalid:4000/v1", "--model", "m"),
    )
    assert added.code == 0, added.err
    first = added.err.index("warning: ")
    assert first < added.err.index("gpu.invalid")


# ---------------------------------------------------------------------------- headers, consent


def test_headers_are_sent_and_written(desk: Desk) -> None:
    desk.export(TEAM_TOKEN=KEY)
    with running(good_server(["qwen3"], key=None)) as server:
        added = desk.turnkey(
            *("provider", "add", "litellm", "--url", server.base_url),
            *("--header", "X-Team=review=all", "--header", "X-Pass=$TEAM_TOKEN"),
        )
    assert added.code == 0, added.err
    assert at(desk.data(), "defaults", "providers", "litellm", "headers") == {
        "X-Team": "review=all",
        "X-Pass": "$TEAM_TOKEN",
    }
    listed = server.seen("GET", "/v1/models")
    assert [one.headers.get("x-team") for one in listed] == ["review=all"]
    assert [one.headers.get("x-pass") for one in listed] == [KEY]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("X-Team", 2),
        ("=x", 2),
        ("X Team=x", 2),
        (f"Authorization=Bearer {KEY}", 2),
        (f"X-Odd={KEY}", 2),
        ("X-Token=abcdefgh12345", 2),
        ("X-Run=!cat /etc/passwd", 5),
        ("X-Path=$PATH", 5),
    ],
)
def test_a_header_that_cannot_be_or_would_put_a_key_into_the_file_is_refused(
    header: str, code: int, desk: Desk
) -> None:
    with running(good_server(["qwen3"], key=None)) as server:
        added = desk.turnkey(
            "provider", "add", "litellm", "--url", server.base_url, "--header", header
        )
    assert added.code == code
    added.told()
    assert not desk.file.exists()
    assert server.requests == []


def test_a_named_variable_is_consent_and_is_recorded(desk: Desk) -> None:
    desk.export(OUR_GATEWAY=KEY)
    with running(good_server(["qwen3"], KEY)) as server:
        added = desk.turnkey(
            "provider", "add", "litellm", "--url", server.base_url, "--key-env", "OUR_GATEWAY"
        )
        assert added.code == 0, added.err
        assert at(desk.data(), "defaults", "providers", "litellm", "apiKeyEnv") == "OUR_GATEWAY"
        assert desk.bound() == [("OUR_GATEWAY", server.origin, "environment")]
        assert desk.turnkey("ping", "--provider", "litellm").code == 0


def test_consent_holds_for_a_variable_that_is_set_later(desk: Desk) -> None:
    with running(good_server(["qwen3"], KEY)) as server:
        added = desk.turnkey(
            *("provider", "add", "litellm", "--url", server.base_url, "--model", "qwen3"),
            *("--key-env", "OUR_GATEWAY"),
        )
        assert added.code == 0, added.err
        assert "turnkey keys set litellm" in added.err
        desk.export(OUR_GATEWAY=KEY)
        assert desk.turnkey("ping", "--provider", "litellm").code == 0


@pytest.mark.parametrize("variable", ["PATH", "NODE_OPTIONS", "A B", ""])
def test_a_variable_that_can_hold_no_key_exits_2(variable: str, desk: Desk) -> None:
    added = desk.turnkey(
        *("provider", "add", "litellm", "--url", "localhost:1", "--model", "m"),
        *("--key-env", variable),
    )
    assert added.code == 2
    assert "apiKeyEnv" not in added.told()
    assert not desk.file.exists()


def test_a_key_that_went_elsewhere_is_not_sent_to_a_new_address(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    with running(good_server(["qwen3"], KEY)) as first:
        assert desk.turnkey("provider", "add", "litellm", "--url", first.base_url).code == 0
        assert desk.turnkey("provider", "remove", "litellm").code == 0
    with running(good_server(["qwen3"], KEY)) as second:
        added = desk.turnkey("provider", "add", "litellm", "--url", second.base_url)
        assert added.code == 5
        assert "bound" in added.told()
        assert f"--key-env {VARIABLE}" in added.err
        assert unkeyed(second)
        agreed = desk.turnkey(
            "provider", "add", "litellm", "--url", second.base_url, "--key-env", VARIABLE
        )
        assert agreed.code == 0, agreed.err


# ---------------------------------------------------------------------------- list, show


def test_providers_are_listed_and_shown(desk: Desk) -> None:
    desk.write(
        provider_table(
            "http://gw:4000/v1",
            "qwen3",
            "team/big",
            more='apiKeyEnv = "GW_KEY"\nheaders = { X-Pass = "hush-hush" }',
        )
    )
    listed = desk.turnkey("provider", "list")
    assert listed.code == 0
    assert "litellm  http://gw:4000/v1  2" in listed.out
    as_json = desk.turnkey("provider", "list", "--json").json()
    assert at(as_json, "providers", 0, "name") == "litellm"
    assert at(as_json, "providers", 0, "models", 1, "id") == "team/big"
    shown = desk.turnkey("provider", "show", "litellm")
    assert "litellm/team/big" in shown.out
    assert "GW_KEY" in shown.out
    assert "X-Pass" in shown.out
    assert "hush-hush" not in shown.out
    facts = desk.turnkey("provider", "show", "litellm", "--json").json()
    assert facts["headers"] == ["X-Pass"]
    assert facts["api_key_env"] == "GW_KEY"


def test_control_characters_of_the_file_are_shown_as_text(desk: Desk) -> None:
    desk.write(
        'version = 1\n[defaults.providers.gw]\nbaseUrl = "http://gw/\\u001b[31m"\n'
        '[[defaults.providers.gw.models]]\nid = "a\\u001b]0;x"\n'
    )
    for command in (["list"], ["show", "gw"]):
        assert "\x1b" not in desk.turnkey("provider", *command).out


def test_an_empty_file_lists_nothing(desk: Desk) -> None:
    desk.write("version = 1\n")
    listed = desk.turnkey("provider", "list")
    assert (listed.code, listed.out) == (0, "")
    assert "turnkey provider add" in listed.err
    assert desk.turnkey("provider", "list", "--json").json() == {"providers": []}


def test_an_unknown_provider_exits_2_and_the_known_are_named(desk: Desk) -> None:
    desk.write(provider_table("http://gw:4000/v1", "m"))
    for command in (["show", "x"], ["remove", "x"], ["rename", "x", "y"]):
        ended = desk.turnkey("provider", *command)
        assert ended.code == 2
        assert "litellm" in ended.told()


def test_the_base_layer_gives_the_providers_where_the_file_has_none(desk: Desk) -> None:
    desk.write("version = 1\n")
    base = desk.folder / "base.toml"
    base.write_text(provider_table("http://gw:4000/v1", "m"), encoding="utf-8")
    listed = desk.turnkey("provider", "list", "--base", str(base))
    assert "litellm" in listed.out
    chosen = desk.turnkey("lane", "set", "agent", "litellm/m", "--base", str(base))
    assert chosen.code == 0, chosen.err
    renamed = desk.turnkey("provider", "rename", "litellm", "gw", "--base", str(base))
    assert renamed.code == 2
    missing = desk.turnkey("provider", "list", "--base", "nowhere.toml")
    assert missing.code == 3


# ---------------------------------------------------------------------------- rename, remove


def test_rename_carries_selectors_along(desk: Desk) -> None:
    desk.write(provider_table("http://gw:4000/v1", "m", lanes=all_lanes("litellm/m")))
    renamed = desk.turnkey("provider", "rename", "litellm", "gateway", "--json")
    assert renamed.code == 0, renamed.err
    assert at(renamed.json(), "saved") is True
    assert at(renamed.json(), "key_moved") is False
    data = desk.data()
    assert at(data, "defaults", "agent", "model") == "gateway/m"
    assert at(data, "defaults", "providers", "gateway", "baseUrl") == "http://gw:4000/v1"


def test_rename_leaves_selectors_where_that_is_asked_and_says_so(desk: Desk) -> None:
    desk.write(provider_table("http://gw:4000/v1", "m", lanes=all_lanes("litellm/m")))
    renamed = desk.turnkey("provider", "rename", "litellm", "gateway", "--keep-selectors")
    assert renamed.code == 0
    assert at(desk.data(), "defaults", "agent", "model") == "litellm/m"
    assert "defaults.agent.model (line 4)" in renamed.err


def test_rename_to_a_taken_name_exits_1_and_to_a_bad_one_2(desk: Desk) -> None:
    text = provider_table("http://gw:4000/v1", "m")
    before = desk.write(text + '[defaults.providers.other]\nbaseUrl = "http://o/v1"\n')
    assert desk.turnkey("provider", "rename", "litellm", "other").code == 1
    assert desk.turnkey("provider", "rename", "litellm", "a/b").code == 2
    assert desk.turnkey("provider", "rename", "litellm", "gw", "--dry-run").code == 0
    assert desk.file.read_bytes() == before


def test_rename_carries_the_stored_key(keyring_desk: Desk) -> None:
    desk = keyring_desk
    with running(good_server(["m"], KEY)) as server:
        desk.write(provider_table(server.base_url, "m"))
        assert desk.turnkey("keys", "set", "litellm", stdin=KEY + "\n").code == 0
        renamed = desk.turnkey("provider", "rename", "litellm", "gateway")
        assert renamed.code == 0, renamed.err
        assert desk.kept() == {f"turnkey/WARDEN_GATEWAY_API_KEY@{server.origin}": KEY}
        assert desk.turnkey("ping", "--provider", "gateway").code == 0


def test_a_key_that_cannot_be_carried_leaves_the_rename_and_exits_5(keyring_desk: Desk) -> None:
    desk = keyring_desk
    desk.write(provider_table("http://localhost:1/v1", "m"))
    assert desk.turnkey("keys", "set", "litellm", stdin=KEY).code == 0
    (desk.home / "keyring.json").write_text("{}", encoding="utf-8")  # behind turnkey's back
    renamed = desk.turnkey("provider", "rename", "litellm", "gateway", "--json")
    assert renamed.code == 5
    assert "turnkey keys set gateway" in renamed.told()
    assert at(renamed.json(), "saved") is True
    assert at(renamed.json(), "error", "code") == "keyring"
    assert "gateway" in desk.file.read_text()


def test_rename_says_which_variable_is_not_read_any_more(desk: Desk) -> None:
    desk.export(**{VARIABLE: KEY})
    desk.write(provider_table("http://gw:4000/v1", "m"))
    renamed = desk.turnkey("provider", "rename", "litellm", "gateway")
    assert renamed.code == 0
    assert "WARDEN_GATEWAY_API_KEY" in renamed.err


def test_remove_exits_1_with_what_would_dangle_unless_forced(desk: Desk) -> None:
    before = desk.write(provider_table("http://gw:4000/v1", "m", lanes=all_lanes("litellm/m")))
    refused = desk.turnkey("provider", "remove", "litellm")
    assert refused.code == 1
    for lane in ("agent", "auxiliary", "synthesis"):
        assert f"defaults.{lane}.model" in refused.told()
    assert "--force" in refused.err
    assert desk.file.read_bytes() == before
    as_json = desk.turnkey("provider", "remove", "litellm", "--json")
    assert at(as_json.json(), "error", "code") == "provider_in_use"
    forced = desk.turnkey("provider", "remove", "litellm", "--force")
    assert forced.code == 0
    assert "defaults.agent.model" in forced.err
    assert "providers" not in str(desk.data())


def test_removing_what_was_added_gives_back_the_file(desk: Desk) -> None:
    before = desk.write("# ours\nversion = 1 # one\n\n[[skills]]\nname = 'x'\n")
    with running(good_server(["m"], key=None)) as server:
        assert desk.turnkey("provider", "add", "litellm", "--url", server.base_url).code == 0
    assert desk.file.read_bytes() != before
    assert desk.turnkey("provider", "remove", "litellm").code == 0
    assert desk.file.read_bytes() == before


def test_a_server_that_lists_nonsense_is_an_endpoint_problem(desk: Desk) -> None:
    extra = {
        ("GET", path): json_reply(200, {"hello": "world"}) for path in ("/models", "/v1/models")
    }
    with running(good_server(["m"], key=None, extra=extra)) as server:
        added = desk.turnkey("provider", "add", "litellm", "--url", server.base_url)
    assert added.code == 4
    assert not desk.file.exists()


def test_providers_of_the_base_layer_are_renamed_and_removed_there(desk: Desk) -> None:
    before = desk.write("version = 1\n")
    org = desk.folder / "org.toml"
    org.write_text(provider_table("http://127.0.0.1:9/v1", "m", lanes={"agent": "litellm/m"}))
    base = ("--base", "org.toml", "--layer", "base")
    assert desk.turnkey("provider", "rename", "litellm", "own", *base).code == 0
    assert 'model = "own/m"' in org.read_text()
    assert desk.turnkey("provider", "rename", "own", "other", "--base", "org.toml").code == 2
    assert desk.turnkey("provider", "remove", "own", *base).code == 1
    assert desk.turnkey("provider", "remove", "own", *base, "--force").code == 0
    assert "providers" not in org.read_text()
    added = desk.turnkey(
        "provider", "add", "again", "--url", "http://127.0.0.1:9/v1", "--model", "m", *base
    )
    assert added.code == 0, added.err
    assert "[defaults.providers.again]" in org.read_text()
    assert desk.file.read_bytes() == before


def test_a_header_that_holds_a_key_without_saying_so_is_refused(desk: Desk) -> None:
    for key in ("0123456789abcdef" * 2, "Kj38dkLmQ92xPzWq7aBc"):
        added = desk.turnkey(
            *("provider", "add", "gw", "--url", "http://127.0.0.1:9/v1"),
            *("--header", f"X-Gateway={key}", "--dry-run", "--model", "m"),
        )
        assert added.code == 2
        assert key not in added.out + added.err
        assert not desk.file.exists()
