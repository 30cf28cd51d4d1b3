"""Names and order of the variables, as Warden and Pi resolve them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.keys import environment
from core.keys.dotenv import read_dotenv
from core.keys.hosted_keys import others_found
from core.keys.steering import steers_programs
from core.providers.hosted import PI_CREDENTIALS

if TYPE_CHECKING:
    from core.keys.environment import Variant


@pytest.mark.parametrize(
    ("name", "api_key_env", "variant", "expected"),
    [
        ("litellm", None, "providers", ("WARDEN_LITELLM_API_KEY", "LITELLM_API_KEY")),
        ("lm-studio", None, "providers", ("WARDEN_LM_STUDIO_API_KEY", "LM_STUDIO_API_KEY")),
        ("1st", None, "providers", ("WARDEN_1ST_API_KEY", "1ST_API_KEY")),
        ("litellm", "CORP_KEY", "providers", ("CORP_KEY",)),
        ("litellm", "CORP_KEY", "stock", ("CORP_KEY",)),
        ("litellm", "", "providers", ("WARDEN_LITELLM_API_KEY", "LITELLM_API_KEY")),
        # what models.json reads comes first; Warden fills it only where it is unset
        ("litellm", None, "stock", ("LITELLM_API_KEY", "WARDEN_LITELLM_API_KEY")),
    ],
)
def test_candidates(
    name: str, api_key_env: str | None, variant: Variant, expected: tuple[str, ...]
) -> None:
    assert environment.key_variables(name, api_key_env, variant) == expected


@pytest.mark.parametrize(
    ("api_key_env", "variant", "expected"),
    [
        (None, "providers", ("WARDEN_LITELLM_API_KEY",)),
        (None, "stock", ("WARDEN_LITELLM_API_KEY", "LITELLM_API_KEY")),
        ("CORP_KEY", "providers", ("CORP_KEY",)),
        ("CORP_KEY", "stock", ("CORP_KEY", "LITELLM_API_KEY")),
        ("LITELLM_API_KEY", "stock", ("LITELLM_API_KEY",)),
    ],
)
def test_names_that_a_child_gets(
    api_key_env: str | None, variant: Variant, expected: tuple[str, ...]
) -> None:
    assert environment.child_variables("litellm", api_key_env, variant) == expected


def test_an_empty_variable_counts_as_unset() -> None:
    env = {"WARDEN_X_API_KEY": "", "X_API_KEY": "k"}
    assert environment.find_in(env, ("WARDEN_X_API_KEY", "X_API_KEY")) == "X_API_KEY"
    assert environment.find_in({"X_API_KEY": ""}, ("X_API_KEY",)) is None


def test_warden_mirrors_only_where_the_plain_name_is_unset_or_empty() -> None:
    env = {"WARDEN_A_API_KEY": "a", "WARDEN_B_API_KEY": "b", "B_API_KEY": "kept", "A_API_KEY": ""}
    seen = environment.mirrored(env)
    assert (seen["A_API_KEY"], seen["B_API_KEY"]) == ("a", "kept")
    assert env["A_API_KEY"] == ""


def test_other_providers_keys_are_found_under_both_names() -> None:
    env = {
        "ANTHROPIC_API_KEY": "x",
        "WARDEN_GEMINI_API_KEY": "x",
        "OPENAI_API_KEY": "",
        "GROQ_API_KEY": "listed",
        "GITHUB_TOKEN": "needed by Warden itself",
    }
    found = others_found(env, listed={"GROQ_API_KEY"})
    assert {(key.variable, key.provider) for key in found} == {
        ("ANTHROPIC_API_KEY", "Anthropic"),
        ("WARDEN_GEMINI_API_KEY", "Google"),
    }


@pytest.mark.parametrize(
    ("env", "opened"),
    [
        ({"AWS_ACCESS_KEY_ID": "x"}, ()),
        ({"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}, ("Amazon Bedrock",)),
        ({"AWS_PROFILE": "x"}, ("Amazon Bedrock",)),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "x"}, ("Amazon Bedrock",)),
        ({"GOOGLE_APPLICATION_CREDENTIALS": "x"}, ()),
        (
            {
                "GOOGLE_APPLICATION_CREDENTIALS": "x",
                "GOOGLE_CLOUD_PROJECT": "x",
                "GOOGLE_CLOUD_LOCATION": "x",
            },
            ("Google Vertex AI",),
        ),
        ({"CLOUDFLARE_ACCOUNT_ID": "x"}, ()),
    ],
)
def test_a_clouds_general_credentials_open_its_models(
    env: dict[str, str], opened: tuple[str, ...]
) -> None:
    found = others_found(env)
    assert tuple(key.provider for key in found) == opened
    left = dict(env)
    for key in found:
        assert key.withheld
        for name in key.withheld:
            del left[name]
    assert others_found(left) == ()


def test_every_set_of_credentials_that_pi_knows_is_pointed_out() -> None:
    for provider, sets in PI_CREDENTIALS.items():
        for names in sets:
            assert others_found(dict.fromkeys(names, "x")), (provider, names)


@pytest.mark.parametrize(
    ("variable", "steers"),
    [
        ("PATH", True),
        ("Path", True),
        ("BASH_ENV", True),
        ("NODE_OPTIONS", True),
        ("LD_PRELOAD", True),
        ("GIT_SSH_COMMAND", True),
        ("PYTHONSTARTUP", True),
        ("PYTHONPATH", True),
        ("DYLD_INSERT_LIBRARIES", True),
        ("LD_AUDIT_KEY", True),
        ("RUSTC_WRAPPER", True),
        ("PERL5OPT", True),
        ("JAVA_TOOL_OPTIONS", True),
        ("_JAVA_OPTIONS", True),
        ("LESSOPEN", True),
        ("MAKEFLAGS", True),
        ("GLIBC_TUNABLES", True),
        ("npm_config_script_shell", True),
        ("KUBECONFIG", True),
        ("OPENSSL_CONF", True),
        ("CORECLR_PROFILER_PATH", True),
        ("WARDEN_ANTHROPIC_BASE_URL", True),
        ("WARDEN_MODEL", True),
        ("PI_CODING_AGENT_DIR", True),
        ("https_proxy", True),
        ("NODE_AUTH_TOKEN", False),
        ("OUR_GATEWAY_KEY", False),
        ("WARDEN_LITELLM_API_KEY", False),
        ("NODE_API_KEY", False),
        ("CORP_GATEWAY", False),
    ],
)
def test_variables_that_steer_programs(variable: str, steers: bool) -> None:
    assert steers_programs(variable) is steers


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (b'{"litellm": {"type": "api_key", "key": "sk-x"}, "openai": {}}', {"litellm", "openai"}),
        (b"{", set()),
        (b"[]", set()),
        (b"\xff", set()),
        (None, set()),
    ],
)
def test_pi_auth_file_gives_ids_alone(tmp_path: Path, content: bytes | None, ids: set[str]) -> None:
    path = tmp_path / "auth.json"
    if content is not None:
        path.write_bytes(content)
    assert environment.stored_in_pi(path) == ids


def test_pi_folder_can_be_moved() -> None:
    home = Path("/home/ann")
    assert environment.pi_folder({}, home) == home / ".pi/agent"
    assert environment.pi_folder({"PI_CODING_AGENT_DIR": "/x"}, home) == Path("/x")
    assert environment.pi_folder({"PI_CODING_AGENT_DIR": "~/y"}, home) == home / "y"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=two\n", {"A": "1", "B": "two"}),
        ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("export A = 'x y' # note\n", {"A": "x y"}),
        ('A="a\\nb\\"c\\\\" # note\nB=1', {"A": 'a\nb"c\\', "B": "1"}),
        ("A='$HOME ${X}'\nB=$HOME", {"A": "$HOME ${X}", "B": "$HOME"}),
        ('A="line one\nline two"\nB=`it\'s`', {"A": "line one\nline two", "B": "it's"}),
        ("A=sk-a#b # note", {"A": "sk-a#b"}),
        ("# A=1\n\nnonsense\n=3\nA=\n", {"A": ""}),
        ("A=1\nA=2", {"A": "2"}),
        ("A='open\nB=2", {"A": "'open", "B": "2"}),
    ],
)
def test_dotenv_files_are_read_as_others_read_them(text: str, expected: dict[str, str]) -> None:
    assert read_dotenv(text) == expected
