"""``turnkey lane``, ``lanes`` and ``check``: what lanes are given, get, and leave by."""

from __future__ import annotations

import pytest

from tests.tui.desk import Desk, all_lanes, at, provider_table

URL = "http://localhost:4000/v1"
LANES = ("agent", "auxiliary", "synthesis")


def test_all_writes_the_three_lanes_explicitly(desk: Desk) -> None:
    desk.write(provider_table(URL, "m"))
    done = desk.turnkey("lane", "set", "all", "litellm/m")
    assert done.code == 0, done.err
    for lane in LANES:
        assert at(desk.data(), "defaults", lane) == {"model": "litellm/m"}
        assert f"{lane} resolves to litellm/m" in done.err


@pytest.mark.parametrize("lane", LANES)
def test_one_lane_is_set_and_unset(lane: str, desk: Desk) -> None:
    before = desk.write(provider_table(URL, "team/m"))
    done = desk.turnkey("lane", "set", lane, "litellm/team/m", "--json")
    assert done.code == 0, done.err
    assert at(done.json(), "saved") is True
    assert at(desk.data(), "defaults", lane, "model") == "litellm/team/m"
    gone = desk.turnkey("lane", "unset", lane)
    assert gone.code == 0, gone.err
    assert f"{lane} is left to Pi" in gone.err
    assert desk.file.read_bytes() == before


def test_unset_all_names_the_escapes_that_open(desk: Desk) -> None:
    desk.write(provider_table(URL, "m", lanes=all_lanes("litellm/m")))
    desk.export(ANTHROPIC_API_KEY="set")
    done = desk.turnkey("lane", "unset", "all")
    assert done.code == 0
    assert "escape E" in done.err


@pytest.mark.parametrize("lane", [*LANES, "all"])
def test_a_hosted_service_is_taken_only_when_it_is_allowed(lane: str, desk: Desk) -> None:
    before = desk.write(provider_table(URL, "m"))
    refused = desk.turnkey("lane", "set", lane, "openai/gpt-x", "--json")
    assert refused.code == 1
    assert at(refused.json(), "error", "code") == "hosted_provider"
    assert "--allow-hosted" in refused.told()
    assert desk.file.read_bytes() == before
    done = desk.turnkey("lane", "set", lane, "openai/gpt-x", "--allow-hosted")
    assert done.code == 0
    assert "hosted service" in done.err
    assert 'model = "openai/gpt-x"' in desk.file.read_text()
    # What is not even a hosted service stays a mistake.
    assert desk.turnkey("lane", "set", lane, "opnai/gpt-x", "--allow-hosted").code == 2


@pytest.mark.parametrize(
    ("arguments", "variant", "efforts"),
    [
        (("set", "agent", "litellm/m", "--effort", "high"), "providers", {"agent": "high"}),
        (("set", "all", "litellm/m", "--effort", "low"), "providers", {"agent": "low"}),
        (("set", "all", "litellm/m", "--effort", "max"), "stock",
         {"agent": "max", "auxiliary": "max"}),
        (("effort", "agent", "xhigh"), "providers", {"agent": "xhigh"}),
        (("effort", "auxiliary", "off"), "stock", {"auxiliary": "off"}),
    ],
)  # fmt: skip
def test_effort_is_written_where_this_warden_has_one(
    arguments: tuple[str, ...], variant: str, efforts: dict[str, str], desk: Desk
) -> None:
    desk.write(provider_table(URL, "m"))
    done = desk.turnkey("lane", *arguments, "--variant", variant)
    assert done.code == 0, done.err
    defaults = at(desk.data(), "defaults")
    assert isinstance(defaults, dict)
    found = {name: one["effort"] for name, one in defaults.items() if "effort" in one}
    assert found == efforts
    for lane in efforts:
        desk.turnkey("lane", "effort", lane, "unset", "--variant", variant)
    assert "effort" not in desk.file.read_text()


@pytest.mark.parametrize(
    ("arguments", "variant"),
    [
        (("effort", "agent", "max"), "providers"),
        (("effort", "auxiliary", "low"), "providers"),
        (("effort", "synthesis", "low"), "stock"),
        (("effort", "agent", "minimal"), "stock"),
        (("set", "auxiliary", "litellm/m", "--effort", "low"), "providers"),
        (("set", "agent", "litellm/m", "--effort", "max"), "providers"),
    ],
)
def test_an_effort_that_would_make_warden_refuse_the_file_exits_2(
    arguments: tuple[str, ...], variant: str, desk: Desk
) -> None:
    before = desk.write(provider_table(URL, "m"))
    assert desk.turnkey("lane", *arguments, "--variant", variant).code == 2
    assert desk.file.read_bytes() == before


def test_the_base_layer_is_edited_only_where_it_is_named(desk: Desk) -> None:
    before = desk.write("version = 1\n")
    org = desk.folder / "org.toml"
    org.write_text(provider_table(URL, "m"))
    base = ("--base", "org.toml", "--layer", "base")
    done = desk.turnkey("lane", "set", "all", "litellm/m", *base, "--json")
    assert done.code == 0, done.err
    assert str(at(done.json(), "path")).endswith("org.toml")
    written = org.read_text()
    assert written.count('model = "litellm/m"') == 3
    assert desk.turnkey("lane", "effort", "agent", "low", *base).code == 0
    assert 'effort = "low"' in org.read_text()
    assert desk.turnkey("lane", "unset", "agent", *base, "--dry-run").out.startswith("--- org.toml")
    assert desk.file.read_bytes() == before
    assert desk.turnkey("lane", "set", "agent", "litellm/m", "--layer", "base").code == 2
    desk.write(provider_table(URL, "m", name="own"))
    missing = desk.turnkey("lane", "set", "agent", "own/m", *base)
    assert missing.code == 2
    assert "base layer has no provider" in missing.err


def test_a_dry_run_prints_the_diff_and_writes_nothing(desk: Desk) -> None:
    before = desk.write(provider_table(URL, "m"))
    done = desk.turnkey("lane", "set", "agent", "litellm/m", "--dry-run")
    assert done.code == 0
    assert '+model = "litellm/m"' in done.out
    assert desk.file.read_bytes() == before
    as_json = desk.turnkey("lane", "set", "agent", "litellm/m", "--dry-run", "--json").json()
    assert at(as_json, "saved") is False
    assert '+model = "litellm/m"' in str(as_json["diff"])


@pytest.mark.parametrize("lane", ["agent", "all"])
def test_a_standing_default_model_exits_1_and_both_ways_are_shown(lane: str, desk: Desk) -> None:
    text = 'version = 1\n\n[defaults]\nmodel = "litellm/old"\n\n'
    before = desk.write(text + provider_table(URL, "m").removeprefix("version = 1\n\n"))
    refused = desk.turnkey("lane", "set", lane, "litellm/m", "--json")
    assert refused.code == 1
    assert "--move-default" in refused.told()
    assert "--keep-default" in refused.err
    assert at(refused.json(), "error", "code") == "default_model_stands"
    assert desk.file.read_bytes() == before

    both = desk.turnkey("lane", "set", lane, "litellm/m", "--move-default", "--keep-default")
    assert both.code == 2
    assert desk.file.read_bytes() == before

    kept = desk.turnkey("lane", "set", lane, "litellm/m", "--keep-default")
    assert kept.code == 0, kept.err
    assert at(desk.data(), "defaults", "model") == "litellm/old"
    assert at(desk.data(), "defaults", "agent", "model") == "litellm/m"

    desk.file.write_bytes(before)
    moved = desk.turnkey("lane", "set", lane, "litellm/m", "--move-default")
    assert moved.code == 0, moved.err
    defaults = at(desk.data(), "defaults")
    assert isinstance(defaults, dict)
    assert "model" not in defaults
    assert at(defaults, "agent", "model") == "litellm/m"


def test_the_other_lanes_do_not_mind_a_default_model(desk: Desk) -> None:
    text = 'version = 1\n\n[defaults]\nmodel = "litellm/old"\n\n'
    desk.write(text + provider_table(URL, "m").removeprefix("version = 1\n\n"))
    assert desk.turnkey("lane", "set", "auxiliary", "litellm/m").code == 0


@pytest.mark.parametrize(
    ("lane", "selector"),
    [("agent", "nobody/m"), ("agent", "litellm"), ("agent", "/m"), ("agent", "litellm/"),
     ("chat", "litellm/m")],
)  # fmt: skip
def test_what_cannot_be_meant_exits_2_and_writes_nothing(
    lane: str, selector: str, desk: Desk
) -> None:
    before = desk.write(provider_table(URL, "m"))
    ended = desk.turnkey("lane", "set", lane, selector)
    assert ended.code == 2
    assert ended.err
    assert desk.file.read_bytes() == before


def test_a_model_that_is_not_declared_is_written_with_a_warning(desk: Desk) -> None:
    desk.write(provider_table(URL, "m"))
    done = desk.turnkey("lane", "set", "agent", "litellm/other")
    assert done.code == 0
    assert "warning: litellm does not declare the model «other»" in done.err


# ---------------------------------------------------------------------------- lanes


def test_the_json_of_lanes(desk: Desk) -> None:
    desk.write(provider_table(URL, "m", lanes=all_lanes("litellm/m")))
    told = desk.turnkey("lanes", "--json")
    assert told.code == 0
    report = told.json()
    assert {"variant", "lanes", "overrides", "escapes"} <= set(report)
    assert report["variant"] == "providers"
    lanes = at(report, "lanes")
    assert isinstance(lanes, dict)
    assert set(lanes) == {*LANES, "verification", "workflow", "build", "build_repair"}
    agent = lanes["agent"]
    assert agent["selector"] == "litellm/m"
    assert agent["provider"] == "litellm"
    assert agent["won_by"] == "defaults.agent.model"
    assert {"rule", "value", "layer", "why"} <= set(agent["chain"][0])
    assert report["escapes"] == []


def test_a_lane_left_to_pi_has_no_selector(desk: Desk) -> None:
    desk.write(provider_table(URL, "m"))
    agent = at(desk.turnkey("lanes", "--json").json(), "lanes", "agent")
    assert at(agent, "selector") is None
    assert at(agent, "won_by") == "pi"
    assert "left to Pi" in desk.turnkey("lanes").out


def test_wardens_own_model_option_is_stood_for(desk: Desk) -> None:
    desk.write(provider_table(URL, "m", "n", lanes={"auxiliary": "litellm/m"}))
    told = desk.turnkey("lanes", "--model", "litellm/n", "--json").json()
    assert at(told, "lanes", "agent", "selector") == "litellm/n"


def test_overrides_and_escapes_are_told_and_exit_0(desk: Desk) -> None:
    desk.export(ANTHROPIC_API_KEY="set")
    desk.write(
        provider_table(URL, "m", lanes={"agent": "litellm/m"})
        + '\n[[skills]]\nname = "review"\nmodel = "anthropic/claude"\n'
    )
    told = desk.turnkey("lanes", "--variant", "stock")
    assert told.code == 0
    assert "review uses anthropic/claude" in told.out
    assert "escape E" in told.out
    report = desk.turnkey("lanes", "--variant", "stock", "--json").json()
    assert {"skill", "trigger", "selector"} <= set(msg(at(report, "overrides", 0)))
    assert {"code", "lane", "message", "fix"} <= set(msg(at(report, "escapes", 0)))


def msg(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value


def test_the_base_layer_takes_part(desk: Desk) -> None:
    desk.write("version = 1\n")
    base = desk.folder / "org.toml"
    base.write_text(provider_table(URL, "m", lanes=all_lanes("litellm/m")), encoding="utf-8")
    report = desk.turnkey("lanes", "--base", str(base), "--json").json()
    assert "base_lanes" in report
    assert at(report, "base_lanes", "agent", "selector") == "litellm/m"


# ---------------------------------------------------------------------------- check


def test_a_good_file_has_nothing_wrong(desk: Desk) -> None:
    desk.export(WARDEN_LITELLM_API_KEY="set")
    desk.write(provider_table(URL, "m", lanes=all_lanes("litellm/m")))
    checked = desk.turnkey("check")
    # that nobody has tried it is a note, and nothing wrong
    assert (checked.code, checked.out.count("\n")) == (0, 2), checked.out + checked.err
    assert ": note: This config has not been verified. [not_verified]" in checked.out
    assert "Nothing is wrong." in checked.err
    told = desk.turnkey("check", "--json").json()
    problems = told["problems"]
    assert isinstance(problems, list)
    assert [(one["code"], one["severity"]) for one in problems] == [("not_verified", "note")]
    assert (told["escapes"], told["allowed"]) == ([], [])


def test_a_note_alone_exits_0(desk: Desk) -> None:
    desk.write(provider_table(URL, "m", lanes=all_lanes("litellm/m")))
    checked = desk.turnkey("check")
    assert checked.code == 0
    assert "note: litellm is on this machine and has no key" in checked.out


def test_an_error_exits_1_with_its_place(desk: Desk) -> None:
    desk.write('version = 1\n[defaults.agent]\nmodel = "no-selector"\n')
    checked = desk.turnkey("check", "--json")
    assert checked.code == 1
    problem = msg(at(checked.json(), "problems", 0))
    assert {
        *("code", "severity", "path", "line", "column", "message", "effect", "suggestion")
    } <= set(problem)
    assert problem["severity"] == "error"
    assert (problem["path"], problem["line"]) == ("defaults.agent.model", 3)
    assert "warden.toml:3:1: error: " in desk.turnkey("check").out


def test_an_escape_exits_1_unless_it_is_allowed(desk: Desk) -> None:
    desk.export(ANTHROPIC_API_KEY="set")
    lanes = {"agent": "litellm/m", "auxiliary": "litellm/m", "synthesis": "anthropic/claude"}
    desk.write(provider_table(URL, "m", lanes=lanes))
    checked = desk.turnkey("check", "--json")
    assert checked.code == 1
    escapes = checked.json()["escapes"]
    assert isinstance(escapes, list)
    assert escapes
    allow = [part for one in escapes for part in ("--allow", f"{one['code']}:{one['lane']}")]
    assert f"escape {allow[1]}: " in desk.turnkey("check").out
    allowed = desk.turnkey("check", *allow, "--json")
    assert allowed.code == 0
    assert allowed.json()["escapes"] == []
    assert allowed.json()["allowed"] == escapes


def test_what_is_allowed_for_nothing_is_told_and_a_bad_form_exits_2(desk: Desk) -> None:
    desk.write(provider_table(URL, "m", lanes=all_lanes("litellm/m")))
    needless = desk.turnkey("check", "--allow", "E9:synthesis")
    assert needless.code == 0
    assert "--allow E9:synthesis can go" in needless.err
    bad = desk.turnkey("check", "--allow", "synthesis")
    assert bad.code == 2
    assert "CODE:LANE" in bad.told()


def test_a_key_in_the_file_is_an_error_that_does_not_show_it(desk: Desk) -> None:
    secret = "sk-in-the-file-0123456789abcdef"
    desk.write(provider_table(URL, "m", more=f'headers = {{ Authorization = "Bearer {secret}" }}'))
    checked = desk.turnkey("check")
    assert checked.code == 1
    assert "secret_in_file" in checked.out
    assert secret not in checked.out + checked.err
