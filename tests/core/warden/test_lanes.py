"""Every line of the precedence lists, in both variants: who wins, and why the others did not."""

from __future__ import annotations

import tomllib

import msgspec
import pytest

from core.warden.config import Config, Variant, read_config
from core.warden.lanes import WORKS, resolve, resolve_skill


def config(text: str) -> Config:
    return read_config(tomllib.loads("version = 1\n" + text))


FILE = {
    "agent": '[defaults.agent]\nmodel = "a/agent"\n',
    "model": '[defaults]\nmodel = "a/model"\n',
    "auxiliary": '[defaults.auxiliary]\nmodel = "a/auxiliary"\n',
    "synthesis": '[defaults.synthesis]\nmodel = "a/synthesis"\n',
}
ENV = {"WARDEN_MODEL": "a/env"}
ALL = ("model", "agent", "auxiliary", "synthesis", "--model", "WARDEN_MODEL")

A, M, X, S = (
    "defaults.agent.model",
    "defaults.model",
    "defaults.auxiliary.model",
    "defaults.synthesis.model",
)
F, E, PI = "--model", "WARDEN_MODEL", "pi"

# Each row: what is set, and who wins for each kind of work in that order
# (agent, auxiliary, synthesis, verification, workflow, build, build_repair).
STOCK = [
    (ALL, (A, X, S, X, X, S, X)),
    (("model", "agent", "auxiliary", "--model", "WARDEN_MODEL"), (A, X, X, X, X, X, X)),
    (("model", "agent", "--model", "WARDEN_MODEL"), (A, PI, PI, PI, PI, F, PI)),
    (("model", "--model", "WARDEN_MODEL"), (M, PI, PI, PI, PI, F, PI)),
    (("--model", "WARDEN_MODEL"), (F, PI, PI, PI, PI, F, PI)),
    (("WARDEN_MODEL",), (E, PI, PI, PI, PI, E, PI)),
    (("agent",), (A, PI, PI, PI, PI, PI, PI)),
    (("synthesis",), (PI, PI, S, PI, PI, S, PI)),
    (("auxiliary",), (PI, X, X, X, X, X, X)),
    ((), (PI,) * 7),
]
PROVIDERS = [
    (ALL, (A, X, S, X, X, S, X)),
    (("model", "agent", "auxiliary", "--model", "WARDEN_MODEL"), (A, X, X, X, X, X, X)),
    (("model", "agent", "--model", "WARDEN_MODEL"), (A, A, A, A, A, A, A)),
    (("model", "--model", "WARDEN_MODEL"), (M, M, M, M, M, M, M)),
    (("--model", "WARDEN_MODEL"), (F, F, F, F, PI, F, F)),
    (("WARDEN_MODEL",), (E, E, E, E, PI, E, E)),
    (("synthesis",), (PI, PI, S, PI, PI, S, PI)),
    (("synthesis", "agent"), (A, A, S, A, A, S, A)),
    (("auxiliary",), (PI, X, X, X, X, X, X)),
    ((), (PI,) * 7),
]


@pytest.mark.parametrize(
    ("variant", "given", "winners"),
    [("stock", *row) for row in STOCK] + [("providers", *row) for row in PROVIDERS],
)
def test_the_highest_rule_that_is_set_wins(
    variant: Variant, given: tuple[str, ...], winners: tuple[str, ...]
) -> None:
    text = "".join(FILE[name] for name in FILE if name in given and name == "model")
    text += "".join(FILE[name] for name in FILE if name in given and name != "model")
    report = resolve(
        config(text),
        variant,
        env=ENV if "WARDEN_MODEL" in given else {},
        model_flag="a/flag" if "--model" in given else None,
    )
    assert {work: one.won_by for work, one in report.lanes.items()} == dict(
        zip(WORKS, winners, strict=True)
    )
    for one in report.lanes.values():
        assert (one.selector is None) == (one.won_by == PI)
        assert one.provider == (None if one.selector is None else "a")
        assert one.chain[-1].rule == PI


@pytest.mark.parametrize("variant", ["stock", "providers"])
@pytest.mark.parametrize("text", ['[defaults.agent]\nmodel = ""\n', "[defaults]\nmodel = ''\n"])
def test_an_empty_text_counts_as_unset(variant: Variant, text: str) -> None:
    agent = resolve(config(text), variant, env={"WARDEN_MODEL": "a/env"}).lanes["agent"]
    assert agent.won_by == "WARDEN_MODEL"
    assert [step.why for step in agent.chain if step.value == ""] == [
        "empty, which counts as unset"
    ]
    emptied = resolve(config(text), variant, env={"WARDEN_MODEL": ""}).lanes["agent"]
    assert emptied.won_by == PI


def test_a_chain_tells_every_step_its_value_its_layer_and_its_reason() -> None:
    report = resolve(
        config(FILE["model"] + FILE["auxiliary"] + FILE["agent"]),
        "providers",
        env=ENV,
    )
    chain = report.lanes["synthesis"].chain
    assert [(step.rule, step.value, step.layer) for step in chain] == [
        (S, None, "repo"),
        (X, "a/auxiliary", "repo"),
        (A, "a/agent", "repo"),
        (M, "a/model", "repo"),
        (F, None, "command line"),
        (E, "a/env", "environment"),
        (PI, None, None),
    ]
    assert [step.why for step in chain] == [
        "not set",
        "wins: the first that is set",
        "passed over: defaults.auxiliary.model comes first",
        "passed over: defaults.auxiliary.model comes first",
        "not given",
        "passed over: defaults.auxiliary.model comes first",
        "not reached: defaults.auxiliary.model decides",
    ]


SKILLS = """
[defaults.agent]
model = "a/agent"
[[skills]]
name = "plain"
[[skills]]
name = "own"
model = "a/skill"
[[skills.triggers]]
type = "local"
[[skills.triggers]]
type = "schedule"
model = "b/trigger"
"""


@pytest.mark.parametrize("variant", ["stock", "providers"])
@pytest.mark.parametrize(
    ("skill", "trigger", "rule", "selector"),
    [
        (0, None, A, "a/agent"),
        (1, None, "skills[].model", "a/skill"),
        (1, 0, "skills[].model", "a/skill"),
        (1, 1, "skills[].triggers[].model", "b/trigger"),
    ],
)
def test_a_trigger_comes_before_its_skill_and_a_skill_before_the_agent_lane(
    variant: Variant, skill: int, trigger: int | None, rule: str, selector: str
) -> None:
    one = resolve_skill(config(SKILLS), variant, skill, trigger, env=ENV, model_flag="a/flag")
    assert (one.won_by, one.selector) == (rule, selector)


@pytest.mark.parametrize("variant", ["stock", "providers"])
def test_overrides_are_listed_and_reach_no_other_lane(variant: Variant) -> None:
    report = resolve(config(SKILLS), variant, env={})
    assert [(one.skill, one.trigger, one.selector) for one in report.overrides] == [
        ("own", None, "a/skill"),
        ("own", "schedule", "b/trigger"),
    ]
    assert report.lanes["agent"].selector == "a/agent"
    assert "own" in report.lanes["agent"].chain[1].why
    assert all(one.selector != "a/skill" for one in report.lanes.values())


# Layers: (base, repo) -> who wins for the repository's skills, the base's, and the workflow.
LAYERS = [
    ("agent", "", "stock", PI, A, (PI, None)),
    ("agent", "", "providers", PI, A, (A, "base")),
    ("", "agent", "providers", A, PI, (A, "repo")),
    ("auxiliary", "auxiliary", "stock", PI, PI, (X, "base")),
    ("auxiliary", "auxiliary", "providers", PI, PI, (X, "base")),
    ("", "auxiliary", "stock", PI, PI, (X, "repo")),
    ("agent", "auxiliary", "providers", PI, A, (X, "repo")),
    ("model", "agent", "providers", A, M, (M, "base")),
    ("agent", "agent", "providers", A, A, (A, "base")),
    ("", "model", "providers", M, PI, (M, "repo")),
    ("model", "auxiliary", "providers", PI, M, (X, "repo")),
    ("agent", "model", "stock", M, A, (PI, None)),
]


@pytest.mark.parametrize(("base", "repo", "variant", "own", "theirs", "workflow"), LAYERS)
def test_each_layer_gives_models_to_its_own_skills_and_the_workflow_asks_the_base_first(
    base: str, repo: str, variant: Variant, own: str, theirs: str, workflow: tuple[str, str | None]
) -> None:
    report = resolve(config(FILE.get(repo, "")), variant, env={}, base=config(FILE.get(base, "")))
    assert report.lanes["agent"].won_by == own
    assert report.base_lanes is not None
    assert report.base_lanes["agent"].won_by == theirs
    one = report.lanes["workflow"]
    assert (one.won_by, one.layer) == workflow


def test_the_base_layer_alone_gives_every_lane_but_builds() -> None:
    base = config(FILE["agent"] + FILE["auxiliary"] + FILE["synthesis"])
    report = resolve(config(""), "stock", env={}, base=base, base_only=True)
    won = {work: one.won_by for work, one in report.lanes.items()}
    assert won == {
        "agent": A,
        "auxiliary": X,
        "synthesis": S,
        "verification": X,
        "workflow": X,
        # Warden's command line reads the repository's file alone.
        "build": PI,
        "build_repair": PI,
    }
    assert report.escapes == ()


def test_a_skill_of_the_base_hides_the_copy_in_the_repository() -> None:
    skill = '[[skills]]\nname = "same"\nmodel = "{}"\n'
    report = resolve(
        config(skill.format("a/repo")), "stock", env={}, base=config(skill.format("a/base"))
    )
    assert [(one.selector, one.layer) for one in report.overrides] == [("a/base", "base")]


@pytest.mark.parametrize(
    ("base", "repo", "agent", "workflow"),
    [
        ("claude", None, "claude", "claude"),
        ("claude", "pi", "pi", "claude"),
        ("pi", "claude", "claude", "pi"),
        (None, "claude", "claude", "claude"),
        (None, None, "pi", "pi"),
    ],
)
def test_the_runtime_is_inherited_and_the_workflow_takes_the_base_first(
    base: str | None, repo: str | None, agent: str, workflow: str
) -> None:
    def runtime(value: str | None) -> Config:
        return config(f'[defaults]\nruntime = "{value}"\n' if value else "")

    report = resolve(runtime(repo), "stock", env={}, base=runtime(base))
    assert report.lanes["agent"].won_by == agent
    assert report.lanes["workflow"].won_by == workflow


@pytest.mark.parametrize(
    ("env", "provider", "words"),
    [
        ({}, None, "auth.json"),
        ({"GEMINI_API_KEY": "x"}, "google", "GEMINI_API_KEY is set"),
        ({"GEMINI_API_KEY": "x", "ANTHROPIC_API_KEY": "x"}, "anthropic", "Anthropic"),
        ({"OPENROUTER_API_KEY": "x", "OPENAI_API_KEY": "x"}, "openai", "OPENAI_API_KEY"),
        ({"AWS_PROFILE": "x", "ANTHROPIC_API_KEY": "x"}, "amazon-bedrock", "AWS_PROFILE"),
        ({"AWS_ACCESS_KEY_ID": "x"}, None, "auth.json"),
        ({"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}, "amazon-bedrock", "are set"),
        ({"ANTHROPIC_API_KEY": ""}, None, "auth.json"),
        ({"WARDEN_OPENAI_API_KEY": "x"}, "openai", "WARDEN_OPENAI_API_KEY"),
        ({"WARDEN_GOOGLE_API_KEY": "x"}, None, "auth.json"),
        ({"GOOGLE_CLOUD_API_KEY": "x"}, "google-vertex", "GOOGLE_CLOUD_API_KEY"),
        ({"HF_TOKEN": "x"}, "huggingface", "HF_TOKEN"),
        ({"CLOUDFLARE_API_KEY": "x"}, None, "auth.json"),
    ],
)
def test_pis_own_choice_is_computed_from_the_environment(
    env: dict[str, str], provider: str | None, words: str
) -> None:
    report = resolve(config(""), "stock", env=env)
    assert report.pi.provider == provider
    step = report.lanes["auxiliary"].chain[-1]
    assert step.rule == PI
    assert words in step.why


def test_a_registered_provider_is_taken_only_when_no_hosted_one_has_a_key() -> None:
    text = (
        "[defaults.providers.lm-studio]\nbaseUrl = 'http://localhost:1234/v1'\n"
        "[[defaults.providers.lm-studio.models]]\nid = 'm'\n"
    )
    own = {"WARDEN_LM_STUDIO_API_KEY": "x"}
    assert resolve(config(text), "providers", env=own).pi.provider == "lm-studio"
    assert resolve(config(text), "providers", env={}).pi.provider is None
    assert resolve(config(text), "stock", env=own).pi.provider is None
    both = own | {"OPENAI_API_KEY": "x"}
    assert resolve(config(text), "providers", env=both).pi.provider == "openai"


EFFORTS = """
[defaults.agent]
effort = "high"
[defaults.auxiliary]
effort = "low"
"""


@pytest.mark.parametrize(
    ("variant", "runtime", "expected"),
    [
        ("stock", "pi", {"agent": "high", "auxiliary": "low", "verification": "low"}),
        ("stock", "claude", {"agent": "high", "auxiliary": None, "verification": None}),
        ("providers", "pi", {"agent": "high", "auxiliary": None, "verification": "high"}),
    ],
)
def test_effort_is_resolved_beside_the_model(
    variant: Variant, runtime: str, expected: dict[str, str | None]
) -> None:
    text = f'[defaults]\nruntime = "{runtime}"\n' + EFFORTS
    found = resolve(config(text), variant, env={}).efforts
    assert {work: found[work].effort for work in expected} == expected


def test_a_selector_is_split_at_its_first_slash_and_a_bare_one_has_no_provider() -> None:
    lanes = resolve(
        config(
            '[defaults.agent]\nmodel = "tp/openai/gpt-oss:120b"\n[defaults.synthesis]\nmodel="x"'
        ),
        "stock",
        env={},
    ).lanes
    assert lanes["agent"].provider == "tp"
    assert (lanes["synthesis"].selector, lanes["synthesis"].provider) == ("x", None)


def test_the_report_is_json_with_the_names_scripts_rely_on() -> None:
    document = msgspec.json.decode(msgspec.json.encode(resolve(config(SKILLS), "stock", env={})))
    assert set(document) >= {"variant", "lanes", "overrides", "escapes"}
    assert set(document["lanes"]) == set(WORKS)
    assert set(document["lanes"]["agent"]) >= {"selector", "provider", "won_by", "chain"}
    assert set(document["lanes"]["agent"]["chain"][0]) == {"rule", "value", "layer", "why"}
    assert set(document["overrides"][0]) >= {"skill", "trigger", "selector"}
    assert set(document["escapes"][0]) >= {"code", "lane", "message", "fix"}


def test_build_reads_one_file_and_inherits_nothing() -> None:
    base = config('[defaults]\nruntime = "claude"\n')
    report = resolve(config(""), "stock", env={}, base=base)
    ends = {work: report.lanes[work].won_by for work in WORKS}
    assert ends["build"] == ends["build_repair"] == "pi"
    assert ends["agent"] == ends["workflow"] == "claude"
    assert report.lanes["agent"].says == "left to Claude Code"
    assert report.efforts["build"].won_by == "pi"


def test_a_skill_of_the_repository_runs_with_the_base_layers_runtime() -> None:
    base = config('[defaults]\nruntime = "claude"\n')
    text = '[[skills]]\nname = "s"\n'
    assert resolve_skill(config(text), "stock", 0, env={}, base=base).won_by == "claude"
    assert resolve_skill(config(text), "stock", 0, env={}).won_by == "pi"
