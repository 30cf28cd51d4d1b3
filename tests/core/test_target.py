from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Fault, KeyProblem, UsageProblem
from core.keys.secret import Secret
from core.keys.source import KeySource
from core.target import Target, find_target, keyed, name_target, split_selector, told_of_key
from tests.core.desk import GATEWAY, workspace_at

if TYPE_CHECKING:
    from pathlib import Path

    from core.errors import Code

KEY = "sk-target-canary-1"
ENV = {"WARDEN_LITELLM_API_KEY": KEY}
ANOTHER = """
[defaults.providers.other]
baseUrl = "http://127.0.0.1:8000/v1"

[[defaults.providers.other.models]]
id = "a"

[[defaults.providers.other.models]]
id = "b"
"""


@pytest.mark.parametrize(
    ("selector", "parts"),
    [
        ("litellm/qwen3", ("litellm", "qwen3")),
        ("gw/org/model:8b", ("gw", "org/model:8b")),
        ("gw//m", ("gw", "/m")),
    ],
)
def test_a_selector_is_cut_at_its_first_slash(selector: str, parts: tuple[str, str]) -> None:
    assert split_selector(selector) == parts


@pytest.mark.parametrize("selector", ["", "gw", "gw/", "/m", "/", "\x1b[2J"])
def test_what_is_no_selector_is_refused_and_shown_safely(selector: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        split_selector(selector)
    assert "\x1b" not in caught.value.fault.what


def found(target: Target) -> tuple[str | None, str, str | None]:
    return target.provider, target.base.url, target.model


def test_without_options_the_agent_lane_is_meant(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, GATEWAY + ANOTHER, env=ENV)
    target = find_target(workspace)
    assert found(target) == ("litellm", "https://gw.example/v1", "qwen3")
    assert target.key == Secret(KEY)
    assert find_target(workspace, lane="agent").model == "qwen3"


def test_a_provider_with_one_model_needs_no_model(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, GATEWAY + ANOTHER, env=ENV)
    assert found(find_target(workspace, provider="litellm"))[2] == "qwen3"
    assert found(find_target(workspace, provider="other", model="x"))[2] == "x"
    with pytest.raises(UsageProblem, match="Which model of other"):
        find_target(workspace, provider="other")
    assert find_target(workspace, provider="other", needs_model=False).model is None


def test_listing_needs_one_provider_alone(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, env=ENV)
    assert find_target(workspace, needs_model=False).provider == "litellm"
    with pytest.raises(UsageProblem, match="Which provider"):
        find_target(workspace_at(tmp_path, GATEWAY + ANOTHER), needs_model=False)
    with pytest.raises(UsageProblem, match="has no provider"):
        find_target(workspace_at(tmp_path, "version = 1\n"), needs_model=False)


def test_a_url_needs_no_config(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, None, env={"GW": f" {KEY}\n"})
    target = find_target(workspace, url="localhost:4000", model="m", key_env="GW")
    assert found(target) == (None, "http://localhost:4000/v1", "m")
    assert target.key == Secret(KEY)
    assert target.source is None
    assert workspace.vault.index.entries == ()  # consent for this command alone
    assert find_target(workspace, url="localhost:4000", model="m").key is None
    with pytest.raises(UsageProblem, match="Which model"):
        find_target(workspace, url="localhost:4000")


@pytest.mark.parametrize("value", ["", "  ", "sk-\u00e9", "sk-\x07"])
def test_a_variable_without_a_key_that_can_be_sent_is_a_key_problem(
    value: str, tmp_path: Path
) -> None:
    workspace = workspace_at(tmp_path, None, env={"GW": value})
    with pytest.raises(KeyProblem):
        find_target(workspace, url="localhost:1", model="m", key_env="GW")


@pytest.mark.parametrize(
    "options",
    [
        {"provider": "litellm", "lane": "agent"},
        {"provider": "litellm", "url": "localhost:1"},
        {"lane": "agent", "url": "localhost:1"},
        {"lane": "agent", "model": "m"},
        {"key_env": "X"},
        {"provider": "litellm", "key_env": "X"},
        {"provider": "nobody"},
        {"url": "ftp://x", "model": "m"},
        {"lane": "synthesis"},
    ],
)
def test_what_cannot_be_meant_is_a_usage_problem_with_a_way_out(
    options: dict[str, str], tmp_path: Path
) -> None:
    workspace = workspace_at(tmp_path, GATEWAY, env=ENV, variant="stock")
    with pytest.raises(UsageProblem) as caught:
        name_target(
            workspace,
            provider=options.get("provider"),
            model=options.get("model"),
            lane=options.get("lane"),
            url=options.get("url"),
            key_env=options.get("key_env"),
        )
    assert caught.value.fault.fix


def test_a_lane_that_goes_to_a_hosted_provider_is_not_followed(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, env={**ENV, "WARDEN_MODEL": "openai/gpt"})
    text = GATEWAY.replace("litellm/qwen3", "anthropic/claude")
    for one in (workspace_at(tmp_path, text, env=ENV),):
        with pytest.raises(UsageProblem, match=r"anthropic/claude.*defaults\.agent\.model"):
            find_target(one, lane="agent")
    assert find_target(workspace).model == "qwen3"


def test_naming_looks_for_no_key(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path)
    named = name_target(workspace)
    assert (named.base.url, named.model) == ("https://gw.example/v1", "qwen3")
    with pytest.raises(KeyProblem) as caught:
        keyed(workspace, named)
    assert caught.value.fault.code == "key_missing"


def test_a_key_for_another_origin_is_not_given(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, env=ENV)
    find_target(workspace)
    moved = workspace_at(tmp_path, GATEWAY.replace("gw.example", "evil.example"), env=ENV)
    with pytest.raises(KeyProblem) as caught:
        find_target(moved)
    assert caught.value.fault.code == "key_bound_elsewhere"


def test_headers_are_filled_in_for_an_approved_origin_alone(tmp_path: Path) -> None:
    def with_headers(value: str) -> str:
        line = 'baseUrl = "https://gw.example/v1"'
        return GATEWAY.replace(line, f'{line}\nheaders = {{ X-Pass = "{value}" }}')

    workspace = workspace_at(tmp_path, with_headers("$WARDEN_LITELLM_API_KEY"), env=ENV)
    assert find_target(workspace).headers == {"X-Pass": Secret(KEY)}
    (plain,) = find_target(workspace_at(tmp_path, with_headers("acme"), env=ENV)).headers.values()
    assert plain == "acme"
    literal = with_headers("Bearer sk-canary-1234567890123456")
    (held,) = find_target(workspace_at(tmp_path, literal, env=ENV)).headers.values()
    assert isinstance(held, Secret), "a key that stands in the file is a key all the same"
    assert "canary" not in held.redact("sk-canary-1234567890123456")
    env = {**ENV, "GITHUB_TOKEN": "theirs"}
    for value in ("$GITHUB_TOKEN", "!cat /etc/passwd", "$NOT_SET"):
        with pytest.raises(KeyProblem):
            find_target(workspace_at(tmp_path, with_headers(value), env=env))


def source(kind: str) -> KeySource:
    return KeySource(
        "litellm",
        "WARDEN_LITELLM_API_KEY",
        "http://localhost:4000",
        "placeholder" if kind == "placeholder" else "environment",
    )


def test_a_refused_placeholder_is_a_key_that_is_missing() -> None:
    codes: tuple[Code, ...] = ("key_refused", "key_missing")
    for code in codes:
        fault = told_of_key(Fault(code, "refused"), source("placeholder"))
        assert fault.code == "key_missing"
        assert "turnkey keys set litellm" in fault.fix
    refused = Fault("key_refused", "refused")
    assert told_of_key(refused, source("environment")) is refused
    assert told_of_key(refused, None) is refused
    other = Fault("tls", "no")
    assert told_of_key(other, source("placeholder")) is other


@pytest.mark.parametrize(
    ("line", "api"),
    [
        ("", "openai-completions"),
        ('api = "openai-completions"', "openai-completions"),
        ('api = "anthropic-messages"', "anthropic-messages"),
        ('api = "google-generative-ai"', "openai-completions"),
    ],
)
def test_the_config_says_which_dialect_is_spoken(tmp_path: Path, line: str, api: str) -> None:
    text = GATEWAY.replace(
        'baseUrl = "https://gw.example/v1"', f'baseUrl = "https://gw.example/v1"\n{line}'
    )
    assert text != GATEWAY or not line
    assert find_target(workspace_at(tmp_path, text, env=ENV)).api == api
