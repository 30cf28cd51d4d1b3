"""What the schema lets pass and Warden or Pi then chokes on; and how a problem is told."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from core.providers.key_forms import looks_secret
from core.warden.findings import dotted, nearest
from core.warden.layer_problems import problems_of_layers
from core.warden.problems import Problem, problems
from core.warden.secrets import is_secret_name, loose_keys
from tests.core.warden.shapes import document

if TYPE_CHECKING:
    from core.warden.config import Variant

KEY = {"WARDEN_LITELLM_API_KEY": "x"}
HEAD = "version = 1\n"
SECRET = "sk-" + "a1B2" * 8


def provider(
    url: str = "https://gw.acme.dev/v1", name: str = "litellm", extra: str = "", model: str = ""
) -> str:
    return (
        f'[defaults.providers.{name}]\nbaseUrl = "{url}"\n{extra}\n'
        f'[[defaults.providers.{name}.models]]\nid = "qwen3"\n{model}\n'
    )


AGENT = '[defaults.agent]\nmodel = "litellm/qwen3"\n'


def found(
    text: str,
    variant: Variant = "providers",
    env: dict[str, str] | None = None,
    keyed: tuple[str, ...] = (),
) -> tuple[Problem, ...]:
    data = tomllib.loads(HEAD + text)
    return problems(data, lambda _path: None, variant, KEY if env is None else env, keyed)


def codes(text: str, variant: Variant = "providers", env: dict[str, str] | None = None) -> set[str]:
    return {one.code for one in found(text, variant, env)}


# -- 2.1 addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://gw.acme.dev/v1", set()),
        ("https://gw.acme.dev/v1/", set()),
        ("https://gw.acme.dev:8443/proxy/v1", set()),
        ("http://localhost:4000/v1", set()),
        ("http://[::1]:4000/v1", set()),
        ("localhost:4000/v1", {"base_url_scheme"}),
        ("gw.acme.dev:4000/v1", {"base_url_scheme"}),
        ("ftp://gw.acme.dev/v1", {"base_url_scheme"}),
        ("file:///v1", {"base_url_scheme"}),
        ("127.0.0.1:4000/v1", {"base_url"}),
        ("//gw.acme.dev/v1", {"base_url"}),
        ("", {"base_url"}),
        ("http://", {"base_url"}),
        ("https://user:pass@gw.acme.dev/v1", {"base_url_credentials", "secret_in_file"}),
        ("https://token@gw.acme.dev/v1", {"base_url_credentials"}),
        ("https://gw.acme.dev/v1?key=1", {"base_url_query"}),
        ("https://gw.acme.dev/v1#x", {"base_url_query"}),
        ("https://gw.acme.dev", {"base_url_path"}),
        ("https://gw.acme.dev/v1/chat/completions", {"base_url_path"}),
        ("https://gw.acme.dev/v1/responses", {"base_url_path"}),
        ("https://gw.acme.dev/v1/messages/", {"base_url_path"}),
        ("https://gw.acme.dev/responses/v1", set()),
        ("http://gw.acme.dev/v1", {"base_url_host"}),
        ("http://169.254.169.254/v1", {"base_url_host"}),
        ("http://0.0.0.0:4000/v1", {"base_url_host"}),
    ],
)
def test_addresses_that_the_url_parser_takes_and_requests_do_not(
    url: str, expected: set[str]
) -> None:
    assert codes(provider(url) + AGENT) == expected


def test_a_password_in_an_address_is_never_shown() -> None:
    for one in found(provider("https://user:hunter22@gw.acme.dev/v1") + AGENT, env={}):
        assert "hunter22" not in f"{one.message} {one.effect} {one.suggestion}"


# -- 2.2 names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("litellm", None),
        ("gateway2", None),
        ('"a/b"', "error"),
        ('"a b"', "error"),
        ('""', "error"),
        ("openai", "error"),
        ("openrouter", "error"),
        ("groq", "error"),
        ("LiteLLM", "warning"),
        ("lm-studio", "warning"),
        ("together", "warning"),
        ("cloudflare-mine", "warning"),
        ("1st", "warning"),
    ],
)
def test_names_that_pi_or_a_shell_cannot_take(name: str, severity: str | None) -> None:
    rows = found(provider(name=name), keyed=("a/b", "a b", "", "openai"))
    named = {one.severity for one in rows if one.code == "provider_name"}
    assert named == ({severity} if severity else set())


def test_two_names_with_one_variable_are_told() -> None:
    text = provider(name="lm_a") + provider(name="LM_A")
    assert "same key variable" in " ".join(
        one.message for one in found(text) if one.code == "provider_name"
    )


# -- 2.3, 2.4 keys ---------------------------------------------------------------------------------

MISSING = {"key_missing"}
LOCAL = {"keyless_loopback"}


@pytest.mark.parametrize(
    ("extra", "env", "expected"),
    [
        ("", {}, MISSING),
        ("", {"WARDEN_LITELLM_API_KEY": "x"}, set()),
        ("", {"LITELLM_API_KEY": "x"}, set()),
        ("", {"WARDEN_LITELLM_API_KEY": "", "LITELLM_API_KEY": "x"}, set()),
        ("", {"WARDEN_LITELLM_API_KEY": ""}, MISSING),
        ('apiKeyEnv = "GW_KEY"', {"GW_KEY": "x"}, {"api_key_env_other"}),
        ('apiKeyEnv = "GW_KEY"', {"WARDEN_LITELLM_API_KEY": "x"}, {"api_key_env_other", *MISSING}),
        ('apiKeyEnv = "LITELLM_API_KEY"', {"LITELLM_API_KEY": "x"}, set()),
        ('apiKeyEnv = "LITELLM_API_KEY"', {"WARDEN_LITELLM_API_KEY": "x"}, MISSING),
        ('apiKeyEnv = "not a name"', {"not a name": "x"}, {"api_key_env"}),
        (f'apiKeyEnv = "{SECRET}"', {}, {"secret_in_file"}),
    ],
)
def test_the_key_is_looked_for_where_warden_looks(
    extra: str, env: dict[str, str], expected: set[str]
) -> None:
    assert codes(provider(extra=extra) + AGENT, env=env) == expected


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "127.0.0.1", "127.1", "2130706433", "[::1]", "[0:0:0:0:0:0:0:1]"],
)
def test_a_keyless_provider_on_this_machine_needs_the_placeholder(host: str) -> None:
    rows = found(provider(f"http://{host}:4000/v1") + AGENT, env={})
    assert {one.code for one in rows} == LOCAL
    assert {one.severity for one in rows} == {"note"}
    assert codes(provider(f"http://{host}:4000/v1") + AGENT) == set()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.2",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "localhost.",
        "x.localhost",
        "host.docker.internal",
        "192.168.1.5",
    ],
)
def test_everything_else_is_not_this_machine_to_the_preflight(host: str) -> None:
    rows = codes(provider(f"http://{host}:4000/v1") + AGENT, env={})
    assert rows >= MISSING
    assert not rows & LOCAL


def test_a_provider_that_no_lane_uses_blocks_the_run_all_the_same() -> None:
    text = provider() + AGENT + provider("https://other.acme.dev/v1", name="spare")
    (one,) = found(text)
    assert (one.code, one.path) == ("key_missing_unused", "defaults.providers.spare")
    assert "used by no lane" in one.message
    assert found(text, keyed=("spare",)) == ()
    assert found(text, env={**KEY, "SPARE_API_KEY": "x"}) == ()


def test_the_preflight_belongs_to_the_runtime_pi_and_the_variant_that_has_it() -> None:
    assert codes(provider() + AGENT, "stock", {}) == {"providers_dropped"}
    claude = '[defaults]\nruntime = "claude"\n' + provider() + AGENT
    assert codes(claude, env={}) == {"runtime_claude"}


# -- 2.5 headers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code", "severity"),
    [
        ("core", None, None),
        ("!cat /etc/passwd", "header_command", "error"),
        ("!", "header_command", "error"),
        ("$GW_TOKEN", "header_variable", "note"),
        ("Bearer ${GW_TOKEN}", "header_variable", "note"),
        ("costs $$5", None, None),
        ("HOME", "header_variable", "note"),
        ("UNSET_NAME", None, None),
    ],
)
@pytest.mark.parametrize("variant", ["providers", "stock"])
def test_header_values_are_a_small_language(
    value: str, code: str | None, severity: str | None, variant: Variant
) -> None:
    text = provider(extra=f'headers = {{ X-Team = "{value}" }}') + AGENT
    rows = [one for one in found(text, variant, {**KEY, "HOME": "/x"}) if "headers" in one.path]
    assert [(one.code, one.severity) for one in rows] == ([(code, severity)] if code else [])


def test_the_command_of_a_header_is_not_repeated() -> None:
    text = provider(extra='headers = { X = "!curl evil" }') + AGENT
    assert all("curl" not in f"{one.message}{one.effect}" for one in found(text))


# -- 2.6 costs, limits -----------------------------------------------------------------------------


def cost(value: str) -> str:
    return f"cost = {{ input = {value}, output = 1, cacheRead = 0, cacheWrite = 0 }}"


@pytest.mark.parametrize(
    ("value", "asked"), [("0", False), ("3", False), ("0.001", False), ("0.000003", True)]
)
def test_a_cost_per_token_is_questioned(value: str, asked: bool) -> None:
    rows = found(provider(model=cost(value)) + AGENT)
    assert [one.code for one in rows] == (["cost_per_token"] if asked else [])
    if asked:
        assert rows[0].suggestion == "input = 3"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("reasoning = true", {"max_tokens_low"}),
        ("reasoning = true\nmaxTokens = 16384", set()),
        ("maxTokens = 4096", set()),
        ("contextWindow = 4096\nmaxTokens = 8192", {"max_tokens_high"}),
    ],
)
def test_limits_that_cut_a_reply(model: str, expected: set[str]) -> None:
    assert codes(provider(model=model) + AGENT) == expected


def test_a_model_that_is_listed_twice() -> None:
    again = '[[defaults.providers.litellm.models]]\nid = "qwen3"\n'
    assert codes(provider() + again + AGENT) == {"duplicate_model"}


# -- 4.3 selectors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "code", "suggestion"),
    [
        ("litellm/qwen3", None, ""),
        ("anthropic/claude-x", None, ""),
        ("", "empty_model", ""),
        ("qwen3", "selector_format", "litellm/qwen3"),
        ("litellm", "selector_format", "litellm/qwen3"),
        ("litellm/", "selector_format", "litellm/qwen3"),
        ("/qwen3", "selector_format", "litellm/qwen3"),
        ("litellm/qwen33", "model_unknown", "litellm/qwen3"),
        ("litellm/Qwen3", "model_unknown", "litellm/qwen3"),
        ("litellm/elephant", "model_unknown", "Add the model elephant to litellm."),
        ("LiteLLM/qwen3", "provider_unknown", "litellm/qwen3"),
        ("litelm/qwen3", "provider_unknown", "litellm/qwen3"),
        ("@cf/meta/llama", "provider_unknown", "cloudflare-workers-ai/@cf/meta/llama"),
        ("gemini/flash", "provider_unknown", "google/flash"),
    ],
)
@pytest.mark.parametrize(
    "where",
    [
        "[defaults.agent]\nmodel = '{}'\n",
        "[defaults.auxiliary]\nmodel = '{}'\n",
        "[defaults.synthesis]\nmodel = '{}'\n",
        "[[skills]]\nname = 'a'\nmodel = '{}'\n",
        "[[skills]]\nname = 'a'\n[[skills.triggers]]\ntype = 'local'\nmodel = '{}'\n",
    ],
)
def test_a_selector_that_will_not_be_found(
    where: str, selector: str, code: str | None, suggestion: str
) -> None:
    rows = [one for one in found(provider() + where.format(selector)) if one.path[-5:] == "model"]
    assert [(one.code, one.suggestion) for one in rows] == ([(code, suggestion)] if code else [])


@pytest.mark.parametrize(("variant", "severity"), [("stock", "note"), ("providers", "warning")])
def test_a_provider_of_models_json_alone_is_only_mentioned(variant: Variant, severity: str) -> None:
    (one,) = found("[defaults.agent]\nmodel = 'thirdparty/deepseek-v4'\n", variant)
    assert (one.code, one.severity) == ("provider_unknown", severity)


def test_the_claude_runtime_takes_any_text_for_a_model() -> None:
    text = '[defaults]\nruntime = "claude"\nmodel = "claude-sonnet"\n'
    assert codes(text) == {"legacy_key"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[defaults]\nmodel = "litellm/qwen3"\n', "legacy_key"),
        ('[defaults]\nmodel = "litellm/qwen3"\n' + AGENT, "shadowed_key"),
        ("[defaults]\nmaxTurns = 5\n", "legacy_key"),
        ("[defaults]\nmaxTurns = 5\n[defaults.agent]\nmaxTurns = 6\n", "shadowed_key"),
        ("[defaults]\nauxiliaryMaxRetries = 5\n", "legacy_key"),
        ("[defaults]\nauxiliaryMaxRetries = 5\n[defaults.auxiliary]\nmaxRetries = 6\n",
         "shadowed_key"),
    ],
)  # fmt: skip
def test_old_keys_beside_their_successors(text: str, code: str) -> None:
    assert codes(provider() + text) - {"key_missing_unused"} == {code}


def test_effort_on_a_model_that_is_declared_not_to_think() -> None:
    text = '[defaults.agent]\nmodel = "litellm/qwen3"\neffort = "high"\n'
    spelt = {"effort_spelling"}
    assert codes(provider() + text) == {"effort_without_reasoning", *spelt}
    thinks = "reasoning = true\nmaxTokens = 32768"
    assert codes(provider(model=thinks) + text) == spelt
    assert codes(provider() + text.replace("high", "off")) == spelt


def test_an_effort_asks_which_warden_reads_the_file() -> None:
    text = '[defaults.agent]\nmodel = "litellm/qwen3"\neffort = "off"\n'
    (one,) = found(provider() + text)
    assert (one.code, one.severity, one.path) == (
        "effort_spelling",
        "note",
        "defaults.agent.effort",
    )
    assert "which Warden" in one.suggestion
    assert codes(provider() + AGENT) == set()


# -- secrets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f'headers = {{ Authorization = "Bearer {SECRET}" }}',
        f'headers = {{ X-Api-Key = "{SECRET}" }}',
        'headers = { X-Api-Key = "correct-horse-battery" }',
        f'apiKey = "{SECRET}"',
        'apiKey = "correct-horse-battery"',
        f'apiKeyEnv = "{SECRET}"',
    ],
)
def test_a_key_in_the_file_is_found_and_not_shown(text: str) -> None:
    rows = found(provider(extra=text) + AGENT)
    assert "secret_in_file" in {one.code for one in rows}
    for one in rows:
        told = f"{one.message} {one.effect} {one.suggestion}"
        assert SECRET not in told
        assert "correct-horse-battery" not in told


HEX = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "found_at"),
    [
        ("headers = { Authorization = 'Bearer pa$$w0rd-12345' }", "Authorization"),
        ("headers = { X-Api-Key = 'hunter22$ecret' }", "X-Api-Key"),
        (f"headers = {{ X-Api-Key = '{HEX}$TAIL' }}", "X-Api-Key"),
        (f"headers = {{ X-Api-Key = '{HEX}' }}", "X-Api-Key"),
        (f"headers = {{ Ocp-Apim-Subscription-Key = '{HEX}' }}", "Subscription-Key"),
        (f"headers = {{ X-Gateway = '{HEX}' }}", "X-Gateway"),
        (f"headers = {{ X-Auth = '{HEX}' }}", "X-Auth"),
        ("headers = { X-Gateway-Key = 'sesame w0rd open' }", "X-Gateway-Key"),
        ("headers = { Cookie = 'session-w0rd-of-mine' }", "Cookie"),
        (f"apiKeyEnv = '{HEX}'", "apiKeyEnv"),
        (f"{SECRET} = 1", "litellm."),
    ],
)
def test_keys_in_less_usual_places_are_found_and_not_shown(text: str, found_at: str) -> None:
    rows = [one for one in found(provider(extra=text) + AGENT) if one.code == "secret_in_file"]
    assert len(rows) == 1
    assert found_at in rows[0].path
    for one in found(provider(extra=text) + AGENT):
        told = f"{one.path} {one.message} {one.effect} {one.suggestion}"
        assert not any(part in told for part in (SECRET, HEX, "w0rd", "ecret "))


@pytest.mark.parametrize(
    "where", ["[defaults]\nmodel = '{}'\n", "[defaults.agent]\nmodel = '{}'\n"]
)
@pytest.mark.parametrize("key", [SECRET, HEX])
def test_a_key_that_stands_as_a_selector_is_not_shown(where: str, key: str) -> None:
    rows = found(where.format(key))
    assert {"secret_in_file", "selector_format"} <= {one.code for one in rows}
    assert all(key not in f"{one.message} {one.effect} {one.suggestion}" for one in rows)
    (one,) = (one for one in rows if one.code == "secret_in_file")
    assert "by hand" in one.suggestion


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (f"# {SECRET}\nversion = 1\n", ((1, 3),)),
        (f"version = 1 # was {SECRET}, see wiki\n", ((1, 19),)),
        (f"a = [\n  1, # {SECRET}\n]\n", ((2, 8),)),
        ("# apiKey = 'correct-h0rse-battery'\n", ((1, 13),)),
        ("# apiKey = 'your-key-here-1'\n", ()),
        ("# token: $GW_TOKEN_1234\n", ()),
        (f"a = '# {SECRET}'\n", ()),
        (f"'# {SECRET}' = 1\n", ()),
        ("# no key at all\n", ()),
    ],
)
def test_a_key_in_a_comment_is_found(text: str, places: tuple[tuple[int, int], ...]) -> None:
    one = document(text)
    assert loose_keys(one) == places
    told = [row for row in problems_of_layers(one, None, (), "providers", {}) if not row.path]
    assert [(row.line, row.column) for row in told if row.code == "secret_in_file"] == list(places)


@pytest.mark.parametrize(
    "text",
    [
        "headers = { Authorization = 'Bearer $GW_TOKEN' }",
        "headers = { X-Api-Key = '${GW_TOKEN}' }",
        "apiKeyEnv = 'LITELLM_API_KEY'",
        "headers = { X-Team = 'correct-horse-battery' }",
        "headers = { X-Api-Key = '${gw_token}' }",
        "headers = { Authorization = 'Token token=$GW_TOKEN' }",
        "headers = { X-Routing-Key = 'the-team-of-payments' }",
        "headers = { X-Api-Key = 'GATEWAY_API_KEY' }",
        "headers = { X-Auth = 'Disabled' }",
        "headers = { X-Tenant = '0b9f9a3e-6f0a-4d0e-9b0e-0a8c1d2e3f40' }",
    ],
)
def test_a_reference_is_not_a_secret(text: str) -> None:
    assert "secret_in_file" not in codes(provider(extra=text) + AGENT)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (SECRET, True),
        ("ghp_" + "a" * 36, True),
        ("AKIA" + "ABCDEFGH12345678", True),
        ("Bearer abcdefghijklmnop", True),
        ("litellm/qwen3-coder-30b-a3b-instruct-2507", False),
        ("https://gw.acme.dev/v1", False),
        ("sk-8-mini", False),
    ],
)
def test_the_look_of_a_key(text: str, secret: bool) -> None:
    assert looks_secret(text) is secret


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("apiKey", True),
        ("Authorization", True),
        ("x-api-key", True),
        ("github_token", True),
        ("password", True),
        ("apiKeyEnv", False),
        ("maxTokens", False),
        ("model", False),
    ],
)
def test_the_name_of_a_key(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


# -- how it is told --------------------------------------------------------------------------------

EVERYTHING = """
runnr = 1
[defaults]
runtime = "codex"
[defaults.agent]
model = "qwen3"
reasoningEffort = "low"
[defaults.providers.litellm]
baseUrl = "localhost:4000/v1"
headers = { X = "!id" }
[[defaults.providers.litellm.models]]
id = "qwen3"
cost = { input = 0.000001 }
"""


def test_all_problems_are_told_at_once_errors_first_and_in_the_order_of_the_file() -> None:
    data = tomllib.loads(EVERYTHING)
    lines = {"runnr": 2, "runtime": 4, "model": 6, "reasoningEffort": 7, "baseUrl": 9, "X": 10}
    rows = problems(
        data,
        lambda path: (lines[str(path[-1])], 1) if str(path[-1]) in lines else None,
        "providers",
        KEY,
    )
    assert {one.code for one in rows} >= {
        "version",
        "unknown_key",
        "wrong_value",
        "selector_format",
        "renamed_key",
        "base_url_scheme",
        "header_command",
        "missing_key",
        "cost_per_token",
    }
    ranks = [("error", "warning", "note").index(one.severity) for one in rows]
    assert ranks == sorted(ranks)
    errors = [one.line or 0 for one in rows if one.severity == "error"]
    assert errors == sorted(errors)
    for one in rows:
        assert one.message
        assert one.effect
        assert one.line is not None


def test_a_key_that_is_not_there_is_placed_at_its_table() -> None:
    data = tomllib.loads(HEAD + provider(model="cost = { input = 1 }"))
    places: dict[tuple[str | int, ...], tuple[int, int]] = {
        ("defaults", "providers", "litellm", "models", 0, "cost"): (7, 8)
    }

    def locate(path: tuple[str | int, ...]) -> tuple[int, int] | None:
        return places.get(path)

    rows = problems(data, locate, "providers", KEY)
    missing = [one for one in rows if one.code == "missing_key"]
    assert {(one.line, one.column) for one in missing} == {(7, 8)}


def test_a_good_file_has_no_problems_in_its_variant() -> None:
    text = provider() + AGENT
    assert found(text) == ()
    assert codes(text, "stock") == {"providers_dropped"}


def test_an_empty_file_lacks_its_version_only() -> None:
    assert [one.code for one in problems({}, lambda _path: None, "stock", {})] == ["version"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("defaults", "agent", "model"), "defaults.agent.model"),
        (("skills", 0, "triggers", 1, "model"), "skills[0].triggers[1].model"),
        (("defaults", "providers", "a/b", "baseUrl"), 'defaults.providers."a/b".baseUrl'),
        (("defaults", "providers", "x\x1b[2J"), 'defaults.providers."x\\x1b[2J"'),
    ],
)
def test_paths_are_written_as_people_write_them(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text


@pytest.mark.parametrize(
    ("word", "near"),
    [("fail_on", "failOn"), ("failon", "failOn"), ("faliOn", "failOn"), ("zebra", None)],
)
def test_near_misses(word: str, near: str | None) -> None:
    assert nearest(word, ["failOn", "reportOn", "model"]) == near


def test_text_of_the_file_cannot_draw_on_the_screen() -> None:
    text = '"a\\u001b[2J" = 1\n[defaults.agent]\nmodel = "x\\u001b[2J"\n'
    for one in found(text):
        assert "\x1b" not in f"{one.path}{one.message}{one.effect}{one.suggestion}"


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        ("$ANTHROPIC_API_KEY", "error"),
        ("Bearer ${WARDEN_B_API_KEY}", "error"),
        ("B_API_KEY", "error"),  # the deprecated form, where it is set
        ("WARDEN_B_API_KEY", "error"),  # or would be set by turnkey run
        ("$WARDEN_A_API_KEY", "note"),
        ("$GATE_TOKEN", "note"),
    ],
)
def test_a_header_that_carries_somebody_elses_key_is_an_error(value: str, severity: str) -> None:
    text = provider(name="a", extra=f'headers = {{ x = "{value}" }}')
    text += provider("https://b.example/v1", name="b")
    told = [one for one in found(text, env={"B_API_KEY": "x"}) if ".headers." in one.path]
    assert [one.severity for one in told] == [severity]


MIXED = "aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("[mcp.x]\nargs = ['--api-key', 'open sesame now']\n", True),
        ("[mcp.x]\nargs = ['--port', '8', '--auth-token=open-sesame-now']\n", True),
        ("[mcp.x]\nenv = ['API_KEY=open-sesame-now']\n", True),
        ("[mcp.x]\nargs = ['--api-key', '$GATEWAY_KEY']\n", False),
        ("[mcp.x]\nargs = ['--api-key', '--verbose-output']\n", False),
        ("[mcp.x]\nargs = ['--max-tokens', '1234567890']\n", False),
        ("[mcp.x]\nargs = ['--keyboard', 'open-sesame-now']\n", False),
        (f"[defaults.agent]\nmodel = 'litellm/{MIXED}'\n", True),
        (f"[defaults.agent]\nmodel = 'litellm/{MIXED.lower()}'\n", False),
        (f"[[defaults.providers.a.models]]\nid = '{MIXED}'\n", True),
        (f"[[defaults.providers.a.models]]\nid = '{HEX}'\n", False),
    ],
)
def test_keys_in_argument_lists_and_in_places_of_ids_are_found_and_hashes_are_none(
    text: str, *, secret: bool
) -> None:
    rows = found(text)
    assert ("secret_in_file" in {one.code for one in rows}) == secret
    if secret:
        told = " ".join(f"{one.path} {one.message} {one.effect} {one.suggestion}" for one in rows)
        assert not any(part in told for part in (MIXED, "sesame"))
