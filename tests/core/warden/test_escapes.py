"""Every escape, and beside each the nearest setup that does not escape."""

from __future__ import annotations

import shlex
import tomllib

import pytest

from core.warden.config import Config, Variant, read_config
from core.warden.lanes import WORKS, Escape, resolve

LITELLM = """
[defaults.providers.litellm]
baseUrl = "http://gw.acme.lan:4000/v1"
[[defaults.providers.litellm.models]]
id = "qwen3"
"""
AGENT = '[defaults.agent]\nmodel = "litellm/qwen3"\n'
AUXILIARY = '[defaults.auxiliary]\nmodel = "litellm/qwen3"\n'
SYNTHESIS = '[defaults.synthesis]\nmodel = "litellm/qwen3"\n'
HOSTED_AGENT = '[defaults.agent]\nmodel = "anthropic/claude-x"\n'
HOSTED_AUXILIARY = '[defaults.auxiliary]\nmodel = "anthropic/claude-x"\n'
HOSTED_SYNTHESIS = '[defaults.synthesis]\nmodel = "anthropic/claude-x"\n'
UNVERIFIED = "[defaults.verification]\nenabled = false\n"
SKILL = '[[skills]]\nname = "a"\n'
SKILL_ON = '[[skills]]\nname = "a"\nmodel = "{}"\n'
HOSTED_KEY = {"ANTHROPIC_API_KEY": "x"}
MODEL = {"WARDEN_MODEL": "litellm/qwen3"}
MOVED = {"WARDEN_OPENROUTER_BASE_URL": "http://gw.acme.lan/v1"}
ROUTED = '[defaults.agent]\nmodel = "openrouter/m"\n[defaults.auxiliary]\nmodel = "{}/m"\n'


def config(text: str) -> Config:
    return read_config(tomllib.loads("version = 1\n" + text))


def escapes(
    text: str,
    variant: Variant,
    env: dict[str, str] | None = None,
    base: str | None = None,
    flag: str | None = None,
) -> tuple[Escape, ...]:
    return resolve(
        config(text),
        variant,
        env=env or {},
        model_flag=flag,
        base=None if base is None else config(base),
    ).escapes


def lanes_of(found: tuple[Escape, ...], code: str) -> set[str]:
    return {one.lane for one in found if one.code == code}


EVERY = {"agent", "auxiliary", "synthesis"}
# code, what, file, variant, environment, base layer -> lanes that this code names
ROWS: list[tuple[str, str, str, Variant, dict[str, str], str | None, set[str]]] = [
    ("E1", "agent only", AGENT, "stock", {}, None, {"auxiliary", "synthesis", "workflow"}),
    ("E1", "agent only, hosted key", AGENT, "stock", HOSTED_KEY, None,
     {"auxiliary", "synthesis", "workflow"}),
    ("E1", "the old spelling", '[defaults]\nmodel = "litellm/qwen3"\n', "stock", {}, None,
     {"auxiliary", "synthesis", "workflow"}),
    ("E1", "synthesis follows auxiliary", AGENT + AUXILIARY, "stock", HOSTED_KEY, None, set()),
    ("E1", "auxiliary unset alone", AGENT + SYNTHESIS, "stock", {}, None,
     {"auxiliary", "workflow"}),
    ("E1", "fixed in providers", LITELLM + AGENT, "providers", HOSTED_KEY, None, set()),
    ("E1", "a provider and no lane at all", LITELLM, "providers", {}, None,
     {*EVERY, "workflow", "build", "build_repair"}),
    ("E1", "nothing chosen", "", "stock", HOSTED_KEY, None, set()),
    ("E1", "Pi takes the very provider that was chosen",
     '[defaults.agent]\nmodel = "anthropic/claude-x"\n', "stock", HOSTED_KEY, None, set()),
    ("E1", "Pi takes another hosted provider", '[defaults.agent]\nmodel = "groq/m"\n', "stock",
     HOSTED_KEY, None, {"auxiliary", "synthesis", "workflow"}),
    ("E2", "only WARDEN_MODEL", LITELLM, "stock", MODEL, None,
     {"auxiliary", "synthesis", "workflow", "build_repair"}),
    ("E2", "WARDEN_MODEL and auxiliary", AUXILIARY, "stock", MODEL, None, set()),
    ("E2", "the other variant sees it", LITELLM, "providers", MODEL, None, set()),
    ("E2", "it names a hosted provider", LITELLM, "stock",
     {"WARDEN_MODEL": "anthropic/claude-x"}, None,
     {*EVERY, "workflow", "build", "build_repair"}),
    ("E2", "no code of the other variant, whose lanes see it", LITELLM, "providers",
     {"WARDEN_MODEL": "anthropic/claude-x"}, None, set()),
    ("E1", "it names a hosted provider, and the file's lanes are unset", LITELLM, "providers",
     {"WARDEN_MODEL": "anthropic/claude-x"}, None, {*EVERY, "build", "build_repair"}),
    ("E2", "base models, repository skills, and a hosted WARDEN_MODEL", SKILL, "providers",
     {"WARDEN_MODEL": "anthropic/claude-x"}, LITELLM + AGENT, set()),
    ("E3", "the verifier reads code", AGENT, "stock", HOSTED_KEY, None, {"verification"}),
    ("E3", "verification off", AGENT + UNVERIFIED, "stock", HOSTED_KEY, None, set()),
    ("E3", "off, but on for a skill", AGENT + UNVERIFIED + SKILL
     + "[skills.verification]\nenabled = true\n", "stock", {}, None, {"verification"}),
    ("E3", "on for a skill, which this variant does not read", LITELLM + UNVERIFIED + SKILL
     + "[skills.verification]\nenabled = true\n", "providers", {}, None, set()),
    ("E3", "auxiliary set", AGENT + AUXILIARY, "stock", HOSTED_KEY, None, set()),
    ("E3", "off for the only skill", AGENT + SKILL + "[skills.verification]\nenabled = false\n",
     "stock", {}, None, set()),
    ("E3", "off for the skill, on for its trigger", AGENT + SKILL
     + "verification.enabled = false\n[[skills.triggers]]\ntype = 'local'\n"
     + "verification.enabled = true\n", "stock", {}, None, {"verification"}),
    ("E3", "on for the skill, off for its only trigger", AGENT + SKILL
     + "[[skills.triggers]]\ntype = 'local'\nverification.enabled = false\n", "stock", {}, None,
     set()),
    ("E3", "off for one of two skills", AGENT + SKILL + "verification.enabled = false\n"
     + SKILL.replace('"a"', '"b"'), "stock", {}, None, {"verification"}),
    ("E3", "off for a skill, which this variant does not read", LITELLM + SKILL
     + "[skills.verification]\nenabled = false\n", "providers", {}, None, {"verification"}),
    ("E3", "fixed in providers", LITELLM + AGENT, "providers", HOSTED_KEY, None, set()),
    ("E4", "base models, repository skills", SKILL, "providers", {}, LITELLM + AGENT, EVERY),
    ("E4", "stock", SKILL, "stock", {}, AGENT + AUXILIARY, EVERY),
    ("E4", "no skills here", "", "providers", {}, LITELLM + AGENT + SKILL, set()),
    ("E4", "no skills in either", "", "providers", {}, LITELLM + AGENT, set()),
    ("E4", "its skill is a copy of the base layer's", SKILL, "providers", {},
     LITELLM + AGENT + SKILL, set()),
    ("E4", "WARDEN_MODEL is hosted, and the base's model does not reach this skill", SKILL,
     "providers", {"WARDEN_MODEL": "anthropic/claude-x"}, LITELLM + AGENT, EVERY),
    ("E4", "WARDEN_MODEL is the user's own", SKILL, "providers", MODEL, LITELLM + AGENT, set()),
    ("E4", "models here too", AGENT + SKILL, "providers", {}, LITELLM + AGENT, set()),
    ("E4", "the base sets none", LITELLM + SKILL, "providers", {}, "", set()),
    ("E5", "models here, base skills", LITELLM + AGENT, "providers", {}, SKILL, EVERY),
    ("E5", "stock", AGENT + AUXILIARY, "stock", {}, SKILL, EVERY),
    ("E5", "the base has its own", LITELLM + AGENT, "providers", {}, LITELLM + AGENT + SKILL,
     set()),
    ("E5", "WARDEN_MODEL is hosted, and this file's model does not reach the base's skill",
     LITELLM + AGENT, "providers", {"WARDEN_MODEL": "anthropic/claude-x"}, SKILL, EVERY),
    ("E5", "no base skills", LITELLM + AGENT, "providers", {}, LITELLM, set()),
    ("E5", "the base's own agent is hosted, and this file's model does not reach its skill",
     LITELLM + AGENT, "providers", {}, HOSTED_AGENT + SKILL, EVERY),
    ("E5", "stock, lane by lane", AGENT + AUXILIARY, "stock", {},
     HOSTED_AGENT + HOSTED_AUXILIARY + SKILL, EVERY),
    ("E5", "hosted in the base, and no skill there", LITELLM + AGENT + SKILL, "providers", {},
     HOSTED_AGENT, set()),
    ("E5", "hosted in the base, and hosted here as well", LITELLM + HOSTED_AGENT, "providers", {},
     HOSTED_AGENT + SKILL, set()),
    ("E5", "what this file calls openai is a service to the base's skill",
     LITELLM.replace("litellm", "openai") + '[defaults.agent]\nmodel = "openai/qwen3"\n',
     "providers", {}, '[defaults.agent]\nmodel = "openai/gpt-x"\n' + SKILL, EVERY),
    ("E5", "what the base calls openai is the user's own to its skill",
     LITELLM + AGENT, "providers", {}, LITELLM.replace("litellm", "openai")
     + '[defaults.agent]\nmodel = "openai/qwen3"\n' + SKILL, set()),
    ("E4", "what the base calls openai is a service to a file with providers of its own",
     LITELLM + '[defaults.agent]\nmodel = "openai/qwen3"\n' + SKILL, "providers", {},
     LITELLM.replace("litellm", "openai") + '[defaults.agent]\nmodel = "openai/qwen3"\n', EVERY),
    ("E6", "only WARDEN_MODEL", LITELLM, "providers", MODEL, None, {"workflow"}),
    ("E6", "a model in the file", LITELLM + AGENT, "providers", MODEL, None, set()),
    ("E6", "stock calls it E2", LITELLM, "stock", MODEL, None, set()),
    ("E8", "a skill names a hosted provider", LITELLM + AGENT + SKILL_ON.format("openai/gpt-x"),
     "providers", {}, None, {"agent"}),
    ("E8", "a skill names another model of yours",
     LITELLM + AGENT + SKILL_ON.format("litellm/other"), "providers", {}, None, set()),
    ("E8", "a trigger names a hosted provider", LITELLM + AGENT + SKILL
     + '[[skills.triggers]]\ntype = "local"\nmodel = "openai/gpt-x"\n', "stock", {}, None,
     {"agent"}),
    ("E8", "named only at the skill", LITELLM + SKILL_ON.format("litellm/qwen3"), "providers", {},
     None, {*EVERY, "workflow", "build", "build_repair"}),
    ("E8", "every trigger has a model of its own, so the skill's is never used",
     LITELLM + AGENT + SKILL_ON.format("openai/gpt-x")
     + '[[skills.triggers]]\ntype = "local"\nmodel = "litellm/qwen3"\n', "providers", {}, None,
     set()),
    ("E8", "one trigger takes the skill's model",
     LITELLM + AGENT + SKILL_ON.format("openai/gpt-x")
     + '[[skills.triggers]]\ntype = "local"\nmodel = "litellm/qwen3"\n'
     + '[[skills.triggers]]\ntype = "schedule"\n', "providers", {}, None, {"agent"}),
    ("E8", "hosted models alone are no one's escape", '[defaults.agent]\nmodel = "openai/x"\n'
     + SKILL_ON.format("anthropic/y"), "providers", {}, None, set()),
    ("E9", "auxiliary left behind", LITELLM + AGENT + HOSTED_AUXILIARY, "providers", {}, None,
     {"auxiliary", "synthesis"}),
    ("E9", "synthesis left behind", AGENT + AUXILIARY + HOSTED_SYNTHESIS, "stock", {}, None,
     {"synthesis"}),
    ("E9", "all moved", LITELLM + AGENT + AUXILIARY + SYNTHESIS, "providers", HOSTED_KEY, None,
     set()),
    ("E9", "agent is hosted as well", '[defaults.agent]\nmodel = "anthropic/claude-x"\n'
     + HOSTED_AUXILIARY, "providers", {}, None, set()),
    ("E9", "the base's auxiliary comes first for the action", LITELLM + AGENT + AUXILIARY + SKILL,
     "providers", {}, HOSTED_AUXILIARY, {"workflow"}),
    ("E9", "the base's own agent comes first for the action, where all skills are the base's",
     LITELLM + AGENT, "providers", {}, HOSTED_AGENT + SKILL, {"workflow"}),
    ("E9", "stock looks at the auxiliary models alone", AGENT + AUXILIARY, "stock", {},
     HOSTED_AUXILIARY + SKILL, {"workflow"}),
    ("E9", "the action's own work was not moved here", LITELLM + HOSTED_AGENT, "providers", {},
     HOSTED_AGENT + SKILL, set()),
    ("E10", "agent only", AGENT, "stock", {}, None, {"build", "build_repair"}),
    ("E10", "WARDEN_MODEL is hosted, and build looks at it", AGENT, "stock",
     {"WARDEN_MODEL": "anthropic/claude-x"}, None, {"build", "build_repair"}),
    ("E10", "WARDEN_MODEL is the user's own", AGENT, "stock", MODEL, None, {"build_repair"}),
    ("E10", "build inherits no runtime of the base layer", AGENT + SKILL, "stock", {},
     '[defaults]\nruntime = "claude"\n', {"build", "build_repair"}),
    ("E10", "synthesis set", AGENT + SYNTHESIS, "stock", {}, None, {"build_repair"}),
    ("E10", "auxiliary set", AGENT + AUXILIARY, "stock", {}, None, set()),
    ("E10", "fixed in providers", LITELLM + AGENT, "providers", {}, None, set()),
    ("E11", "inherited", LITELLM + AGENT + SKILL, "providers", {},
     '[defaults]\nruntime = "claude"\n', {*EVERY, "workflow"}),
    ("E11", "set here, but the action asks the base first",
     '[defaults]\nruntime = "pi"\n' + LITELLM + AGENT + SKILL, "providers", {},
     '[defaults]\nruntime = "claude"\n', {"workflow"}),
    ("E11", "the base runs on Pi", LITELLM + AGENT + SKILL, "stock", {},
     '[defaults]\nruntime = "pi"\n', set()),
    ("E11", "chosen in this very file", '[defaults]\nruntime = "claude"\n' + LITELLM + AGENT,
     "providers", {}, None, set()),
    ("E12", "a second provider", ROUTED.format("groq"), "stock", MOVED, None,
     {"auxiliary", "synthesis"}),
    ("E12", "the same provider", ROUTED.format("openrouter"), "stock", MOVED, None, set()),
    ("E12", "both moved", ROUTED.format("groq"), "stock",
     {**MOVED, "WARDEN_GROQ_BASE_URL": "http://gw.acme.lan/v1"}, None, set()),
    ("E12", "no lane names the moved one", "", "stock", MOVED, None,
     {*EVERY, "workflow", "build", "build_repair"}),
    ("E12", "the other variant does not read it", ROUTED.format("groq"), "providers", MOVED, None,
     set()),
    ("E13", "the secret is empty", LITELLM, "providers", {"WARDEN_MODEL": ""}, None,
     {*EVERY, "build", "build_repair"}),
    ("E13", "nothing else is set", "", "stock", {"WARDEN_MODEL": "", **HOSTED_KEY}, None,
     {"agent", "build"}),
    ("E13", "an empty text in the file", LITELLM + '[defaults.agent]\nmodel = ""\n', "providers",
     {}, None, {*EVERY, "workflow", "build", "build_repair"}),
    ("E13", "the file decides before it", LITELLM + AGENT, "providers", {"WARDEN_MODEL": ""}, None,
     set()),
    ("E13", "not there at all", "", "stock", HOSTED_KEY, None, set()),
    ("E14", "unset lanes escape", LITELLM + AGENT, "stock", {}, None, {"auxiliary", "synthesis"}),
    ("E14", "no lane set", LITELLM, "stock", {}, None,
     {*EVERY, "workflow", "build", "build_repair"}),
    ("E14", "every lane set", LITELLM + AGENT + AUXILIARY + SYNTHESIS, "stock", HOSTED_KEY, None,
     set()),
    ("E14", "the Warden it was written for", LITELLM + AGENT, "providers", {}, None, set()),
    ("E14", "no block to drop", AGENT, "stock", {}, None, set()),
    ("E14", "a name that stock gives to a hosted service",
     LITELLM.replace("litellm", "openai") + '[defaults.agent]\nmodel = "openai/qwen3"\n'
     + '[defaults.auxiliary]\nmodel = "openai/qwen3"\n', "stock", {}, None, EVERY),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "text", "variant", "env", "base", "lanes"),
    [pytest.param(row[0], *row[2:], id=f"{row[0]}: {row[1]}") for row in ROWS],
)
def test_an_escape_is_found_in_its_lanes_and_nowhere_near(
    code: str,
    text: str,
    variant: Variant,
    env: dict[str, str],
    base: str | None,
    lanes: set[str],
) -> None:
    assert lanes_of(escapes(text, variant, env, base), code) == lanes


@pytest.mark.parametrize("variant", ["stock", "providers"])
@pytest.mark.parametrize("env", [{}, HOSTED_KEY, {"WARDEN_MODEL": ""}, MODEL])
def test_three_explicit_lanes_close_everything(variant: Variant, env: dict[str, str]) -> None:
    whole = LITELLM + AGENT + AUXILIARY + SYNTHESIS
    assert escapes(whole, variant, env) == ()
    assert escapes(whole + SKILL, variant, env, base=whole + SKILL.replace('"a"', '"b"')) == ()


def test_the_model_flag_does_not_reach_the_other_lanes_of_stock() -> None:
    found = escapes(LITELLM, "stock", flag="litellm/qwen3")
    assert lanes_of(found, "E2") == {"auxiliary", "synthesis", "workflow", "build_repair"}
    assert all("--model" in one.message for one in found if one.code == "E2")


def test_the_actions_own_work_is_never_said_to_look_at_the_model_flag() -> None:
    both = escapes(LITELLM, "providers", MODEL, flag="litellm/qwen3")
    (one,) = (one for one in both if one.code == "E6")
    assert "WARDEN_MODEL" in one.message
    assert "--model" not in one.message
    flag = escapes(LITELLM, "providers", flag="litellm/qwen3")
    assert [(one.code, one.lane) for one in flag] == [("E1", "workflow")]


@pytest.mark.parametrize("variant", ["stock", "providers"])
def test_a_key_that_stands_as_a_selector_is_in_no_escape(variant: Variant) -> None:
    key = "sk-" + "a1B2" * 8
    text = LITELLM + AGENT + HOSTED_AUXILIARY.replace("anthropic/claude-x", f"openai/{key}")
    found = escapes(text + SKILL_ON.format(f"openai/{key}"), variant)
    assert {one.code for one in found} >= {"E8", "E9"}
    assert all(key not in one.message + one.fix for one in found)


def test_what_is_to_be_typed_into_a_shell_is_quoted() -> None:
    text = LITELLM.replace("litellm", "'c\"d'").replace("qwen3", "a b$c")
    found = escapes(text, "providers")
    assert {shlex.split(one.fix)[-1] for one in found} == {'c"d/a b$c'}


def test_every_escape_says_what_leaves_and_carries_the_edit_that_closes_it() -> None:
    for row in ROWS:
        for one in escapes(*row[2:6]):
            assert one.message.endswith(".")
            assert one.fix
            assert one.edit is not None
            assert one.lane in WORKS


def test_the_verifier_is_said_to_read_repository_code() -> None:
    (one,) = (one for one in escapes(AGENT, "stock", HOSTED_KEY) if one.code == "E3")
    assert "repository code" in one.message
    assert "ANTHROPIC_API_KEY is set" in one.message
    assert one.fix == "turnkey lane set auxiliary litellm/qwen3"
    assert one.edit is not None
    assert (one.edit.path, one.edit.value) == ("defaults.auxiliary.model", "litellm/qwen3")


def _closed(text: str, found: tuple[Escape, ...]) -> str:
    """The file with the edits that the escapes of lanes carry."""
    for lane in ("agent", "auxiliary", "synthesis"):
        value = next(
            (one.edit.value for one in found if one.edit is not None and one.edit.lane == lane),
            None,
        )
        if value is not None and f"[defaults.{lane}]" not in text:
            text += f'[defaults.{lane}]\nmodel = "{value}"\n'
    return text


@pytest.mark.parametrize(
    ("text", "variant", "env"),
    [
        (AGENT, "stock", HOSTED_KEY),
        (LITELLM, "providers", {}),
        (LITELLM, "stock", MODEL),
        (LITELLM, "providers", MODEL),
        (LITELLM, "providers", {"WARDEN_MODEL": ""}),
        (LITELLM + AGENT, "stock", {}),
        ("", "stock", MOVED | {"WARDEN_MODEL": "openrouter/m"}),
    ],
)
def test_the_edits_close_what_they_were_offered_for(
    text: str, variant: Variant, env: dict[str, str]
) -> None:
    found = escapes(text, variant, env)
    assert found
    closed = _closed(text, found)
    assert escapes(closed, variant, env) == ()


def test_text_of_the_file_cannot_draw_on_the_screen() -> None:
    text = LITELLM + AGENT + SKILL_ON.format("openai/x\\u001b[2J")
    (one,) = escapes(text, "providers")
    assert "\x1b" not in one.message + one.fix


ORG = """
[defaults.providers.org]
baseUrl = "http://org.acme.lan/v1"
models = [{ id = "m" }]
[defaults.agent]
model = "org/m"
"""


@pytest.mark.parametrize(
    ("repo", "base", "code", "value", "words"),
    [
        pytest.param(LITELLM + SKILL, ORG, "E4", "litellm/qwen3", "lane set", id="its own map"),
        pytest.param(SKILL, ORG, "E4", "org/m", "lane set", id="the base's map is inherited"),
        pytest.param(LITELLM + AGENT, SKILL, "E5", None, "Add a provider in the base layer",
                     id="the base sees none"),
        pytest.param(
            LITELLM + AGENT,
            ORG.replace('[defaults.agent]\nmodel = "org/m"\n', "") + SKILL,
            "E5", "org/m", "in the base layer", id="the base sees its own",
        ),
        pytest.param(
            AGENT.replace("litellm", "local"), SKILL, "E5", "local/qwen3", "in the base layer",
            id="models.json is seen by both",
        ),
    ],
)  # fmt: skip
def test_the_edit_names_a_provider_that_the_layer_sees(
    repo: str, base: str, code: str, value: str | None, words: str
) -> None:
    found = [one for one in escapes(repo, "providers", {}, base) if one.code == code]
    assert found
    for one in found:
        assert one.edit is not None
        assert one.edit.value == value
        assert words in one.fix


def test_a_provider_of_the_base_layer_is_renamed_there() -> None:
    base = ORG.replace("org", "groq")
    found = [one for one in escapes('[defaults.agent]\nmodel = "groq/m"\n' + SKILL, "stock",
             {}, base) if one.code == "E14" and "rename" in one.fix]  # fmt: skip
    assert {one.layer for one in found} == {"repo"}
    assert all(one.edit is None and "--layer base" in one.fix for one in found)
