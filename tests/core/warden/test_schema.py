"""Every key of the schema, accepting and refusing, in both variants."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from core.warden.problems import Problem, problems
from core.warden.schema import KEYS, TABLES, Key, key, tree, value_fault, variants_of

if TYPE_CHECKING:
    from core.warden.config import Variant

BOTH: tuple[Variant, ...] = ("providers", "stock")
HALF_A_COST = """
[defaults.providers.a]
baseUrl = 'http://localhost/v1'
models = [{ id = 'm', cost = { input = 1, output = 1, cacheRead = 1 } }]
"""
SCHEDULE = """
[[skills]]
name = "a"
paths = ["x"]
[[skills.triggers]]
type = "schedule"
"""
PROVIDER = """
[defaults.providers.litellm]
baseUrl = "http://localhost:4000/v1"
{key}
[[defaults.providers.litellm.models]]
id = "qwen3"
{model}
"""


def found(text: str, variant: Variant, *, version: str = "version = 1\n") -> tuple[Problem, ...]:
    data = tomllib.loads(version + text)
    keys = {"WARDEN_LITELLM_API_KEY": "x"}
    return problems(data, lambda path: (1, len(path)), variant, keys)


def blocking(text: str, variant: Variant) -> list[tuple[str, str]]:
    """Code and path of every problem that makes Warden refuse the file."""
    return [(one.code, one.path) for one in found(text, variant) if "refuses" in one.effect]


Row = tuple[Sequence[object], Sequence[object]]
# One row for each key: values that pass, values that Warden refuses.
SEVERITY: Row = (["off", "high", "medium", "low", "critical", "info"], ["none", "High", 1, True])
POSITIVE: Row = ([1, 7, 10.0], [0, -1, 1.5, "1", True])
ZERO: Row = ([0, 3], [-1, 0.5, "0"])
BOOL: Row = ([True, False], ["true", 1])
TEXT: Row = (["", "x"], [1, True, ["x"]])
NONEMPTY: Row = (["x"], ["", 1])
TEXTS: Row = ([[], ["a", "!b"]], ["a", [1]])
SOME: Row = ([["a"]], [[], "a", [1]])
AMOUNT: Row = ([0, 0.5, 3], [-1, "1", True, float("nan"), float("inf")])

SHARED: dict[str, Row] = {
    "failOn": SEVERITY,
    "reportOn": SEVERITY,
    "maxFindings": POSITIVE,
    "reportOnSuccess": BOOL,
    "requestChanges": BOOL,
    "failCheck": BOOL,
    "minConfidence": (["off", "high", "medium", "low"], ["critical", 1]),
    "model": TEXT,
    "maxTurns": POSITIVE,
}
VALUES: dict[str, Row] = {
    "version": ([1, 1.0], [2, "1", True, 0]),
    **{f"{place}.{name}": row for place in ("defaults", "skills[]", "skills[].triggers[]")
       for name, row in SHARED.items()},
    "defaults.runtime": (["pi", "claude"], ["Pi", "codex"]),
    "defaults.offline": BOOL,
    "defaults.agent.model": TEXT,
    "defaults.agent.maxTurns": POSITIVE,
    "defaults.agent.effort": (["off", "low", "medium", "high", "xhigh"], ["minimal", 1]),
    "defaults.auxiliary.model": TEXT,
    "defaults.auxiliary.maxRetries": POSITIVE,
    "defaults.auxiliary.effort": (["off", "low", "medium", "high", "xhigh", "max"], ["minimal"]),
    "defaults.synthesis.model": TEXT,
    "defaults.verification.enabled": BOOL,
    "defaults.ignorePaths": TEXTS,
    "defaults.ignore.paths": TEXTS,
    "defaults.scan.maxFiles": POSITIVE,
    "defaults.scan.maxChangedLines": POSITIVE,
    "defaults.scan.maxFileBytes": POSITIVE,
    "defaults.scan.maxFileLines": POSITIVE,
    "defaults.chunking.maxContextFiles": ZERO,
    "defaults.chunking.coalesce.enabled": BOOL,
    "defaults.chunking.coalesce.maxGapLines": ZERO,
    "defaults.chunking.coalesce.maxChunkSize": POSITIVE,
    "defaults.chunking.filePatterns[].pattern": TEXT,
    "defaults.chunking.filePatterns[].mode": (["per-hunk", "whole-file", "skip"], ["all", 1]),
    "defaults.defaultBranch": TEXT,
    "defaults.batchDelayMs": ZERO,
    "defaults.auxiliaryMaxRetries": POSITIVE,
    "defaults.providers.<name>.baseUrl": (["http://x/v1"], [1]),
    "defaults.providers.<name>.api": (["openai-completions"], ["anthropic-messages", 1]),
    "defaults.providers.<name>.headers": ([{}, {"A": "b"}], ["x", {"A": 1}]),
    "defaults.providers.<name>.apiKeyEnv": NONEMPTY,
    "defaults.providers.<name>.models[].id": NONEMPTY,
    "defaults.providers.<name>.models[].name": NONEMPTY,
    "defaults.providers.<name>.models[].reasoning": BOOL,
    "defaults.providers.<name>.models[].input": (
        [["text"], ["text", "image"]], [[], ["audio"], "text", [1]]),
    "defaults.providers.<name>.models[].contextWindow": POSITIVE,
    "defaults.providers.<name>.models[].maxTokens": POSITIVE,
    **{f"defaults.providers.<name>.models[].cost.{name}": AMOUNT
       for name in ("input", "output", "cacheRead", "cacheWrite")},
    "skills[].name": NONEMPTY,
    "skills[].remote": TEXT,
    "skills[].paths": TEXTS,
    "skills[].ignorePaths": TEXTS,
    "skills[].verification.enabled": BOOL,
    "skills[].triggers[].type": (["pull_request", "local", "schedule"], ["push", 1]),
    "skills[].triggers[].actions": SOME,
    "skills[].triggers[].draft": BOOL,
    "skills[].triggers[].labels": SOME,
    "skills[].triggers[].verification.enabled": BOOL,
    "skills[].triggers[].schedule.issueTitle": TEXT,
    "runner.concurrency": POSITIVE,
    "logs.cleanup": (["ask", "auto", "never"], ["always", True]),
    "logs.retentionDays": POSITIVE,
    "service.url": (["https://x"], [1]),
    "service.data": (["metrics", "findings", "code"], ["all"]),
    "service.memory": BOOL,
    "service.timeoutMs": ([100, 30000], [99, 30001, "1"]),
}  # fmt: skip


def test_every_key_of_the_schema_has_a_row() -> None:
    assert set(VALUES) == {row.path for row in KEYS}


@pytest.mark.parametrize("row", KEYS, ids=lambda row: f"{row.path} {'+'.join(row.variants)}")
def test_a_key_takes_its_values_and_no_others(row: Key) -> None:
    good, bad = VALUES[row.path]
    assert [value for value in good if value_fault(row, value)] == []
    assert [value for value in bad if value_fault(row, value) is None] == []


@pytest.mark.parametrize("row", [row for row in KEYS if row.default], ids=lambda row: row.path)
def test_a_default_is_a_value_that_the_key_takes(row: Key) -> None:
    try:
        value = tomllib.loads(f"v = {row.default}")["v"]
    except tomllib.TOMLDecodeError:
        value = row.default
    assert value_fault(row, value) is None


def test_max_effort_is_known_to_stock_alone() -> None:
    for variant, fine in (("stock", True), ("providers", False)):
        row = key("defaults.agent.effort", variant)  # type: ignore[arg-type]
        assert row is not None
        assert (value_fault(row, "max") is None) is fine


STRICT = [
    "[defaults.agent]\nx = 1",
    "[defaults.auxiliary]\nx = 1",
    "[defaults.synthesis]\nx = 1",
    "[defaults.ignore]\nx = 1",
    "[defaults.scan]\nx = 1",
    "[defaults.verification]\nx = 1",
]


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize("text", STRICT)
def test_a_strict_table_makes_warden_refuse_the_file(text: str, variant: Variant) -> None:
    (one,) = found(text, variant)
    assert (one.code, one.severity, one.effect) == (
        "unknown_key",
        "error",
        "Warden refuses the whole file.",
    )


@pytest.mark.parametrize("where", ["skills", "skills.triggers"])
def test_verification_of_a_skill_is_strict_in_stock_and_unknown_elsewhere(where: str) -> None:
    text = '[[skills]]\nname = "a"\n'
    if where == "skills.triggers":
        text += '[[skills.triggers]]\ntype = "local"\n'
    text += f"[{where}.verification]\n"
    assert found(text + "enabled = true", "stock") == ()
    assert [one.code for one in found(text + "x = 1", "stock")] == ["unknown_key"]
    (one,) = found(text + "enabled = true", "providers")
    assert (one.code, one.severity) == ("other_variant", "warning")


def test_a_providers_table_and_its_models_are_strict_and_a_cost_is_not() -> None:
    assert blocking(PROVIDER.format(key="x = 1", model=""), "providers") == [
        ("unknown_key", "defaults.providers.litellm.x")
    ]
    assert blocking(PROVIDER.format(key="", model="x = 1"), "providers") == [
        ("unknown_key", "defaults.providers.litellm.models[0].x")
    ]
    cost = "cost = { input = 1, output = 1, cacheRead = 0, cacheWrite = 0, x = 1 }"
    (one,) = found(PROVIDER.format(key="", model=cost), "providers")
    assert (one.severity, one.effect) == ("warning", "Warden drops it without a word.")


@pytest.mark.parametrize("name", ["compat", "thinkingLevelMap", "samplingParams", "authHeader"])
def test_flags_of_models_json_are_explained(name: str) -> None:
    for text in (PROVIDER.format(key=f"{name} = true", model=""),
                 PROVIDER.format(key="", model=f"{name} = true")):  # fmt: skip
        (one,) = found(text, "providers")
        assert (one.code, one.severity) == ("unknown_key", "error")
        assert "models.json" in one.message


DROPPING = [
    "x = 1",
    "[defaults]\nx = 1",
    '[[skills]]\nname = "a"\nx = 1',
    '[[skills]]\nname = "a"\n[[skills.triggers]]\ntype = "local"\nx = 1',
    '[[skills]]\nname = "a"\npaths = ["x"]\n[[skills.triggers]]\ntype = "schedule"\nschedule.x = 1',
    "[runner]\nx = 1",
    "[logs]\nx = 1",
    "[defaults.chunking]\nx = 1",
    "[defaults.chunking.coalesce]\nx = 1",
    '[[defaults.chunking.filePatterns]]\npattern = "a"\nx = 1',
]


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize("text", DROPPING)
def test_other_tables_drop_an_unknown_key_in_silence(text: str, variant: Variant) -> None:
    (one,) = found(text, variant)
    assert (one.code, one.severity, one.effect) == (
        "unknown_key",
        "warning",
        "Warden drops it without a word.",
    )


@pytest.mark.parametrize(
    ("text", "close"),
    [
        ("[defaults]\nruntme = 'pi'", "runtime"),
        ("[defaults]\nfail_on = 'off'", "failOn"),
        ("[runner]\nConcurrency = 3", "concurrency"),
        ("[defaults.agent]\nmodels = 'a/b'", "model"),
        ("[default]\nruntime = 'pi'", "defaults"),
    ],
)
def test_a_near_miss_is_named(text: str, close: str) -> None:
    (one,) = found(text, "providers")
    assert one.suggestion == f"Did you mean {close}?"


@pytest.mark.parametrize(
    ("text", "knows", "severity"),
    [
        ("[defaults]\noffline = true", "stock", "warning"),
        ("[defaults.auxiliary]\neffort = 'low'", "stock", "error"),
        ("[service]\nurl = 'https://x'", "stock", "warning"),
    ],
)
def test_a_key_of_the_other_variant_is_told_apart_from_a_typo(
    text: str, knows: Variant, severity: str
) -> None:
    assert found(text, knows) == ()
    (one,) = found(text, "providers")
    assert (one.code, one.severity) == ("other_variant", severity)


def test_stock_drops_the_provider_block_and_says_what_it_reads_instead() -> None:
    (one,) = found(PROVIDER.format(key="", model=""), "stock")
    assert (one.code, one.severity, one.path) == (
        "providers_dropped",
        "warning",
        "defaults.providers",
    )
    assert "models.json" in one.suggestion
    assert found(PROVIDER.format(key="", model=""), "providers") == ()
    inside = found(PROVIDER.format(key="x = 1", model=""), "stock")
    assert {one.severity for one in inside} == {"warning"}


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ('[[skills]]\npaths = ["a"]', "missing_key", "skills[0].name"),
        ('[[skills]]\nname = "a"\n[[skills]]\nname = "a"', "duplicate_skill", "skills[1].name"),
        ('[[skills]]\nname = "a"\n[[skills.triggers]]\n', "missing_key",
         "skills[0].triggers[0].type"),
        ('[[skills]]\nname = "a"\n[[skills.triggers]]\ntype = "pull_request"', "missing_key",
         "skills[0].triggers[0].actions"),
        ('[[skills]]\nname = "a"\n[[skills.triggers]]\ntype = "local"\nlabels = ["x"]',
         "wrong_value", "skills[0].triggers[0].labels"),
        ('[[skills]]\nname = "a"\n[[skills.triggers]]\ntype = "schedule"', "missing_key",
         "skills[0].paths"),
        ("[skills]\nname = 'a'", "wrong_type", "skills"),
        ("skills = [1]", "wrong_type", "skills[0]"),
        ("defaults = 1", "wrong_type", "defaults"),
        ('[[defaults.chunking.filePatterns]]\nmode = "skip"', "missing_key",
         "defaults.chunking.filePatterns[0].pattern"),
    ],
)  # fmt: skip
def test_shapes_and_rules_over_several_keys(
    text: str, code: str, path: str, variant: Variant
) -> None:
    assert blocking(text, variant) == [(code, path)]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[defaults.providers.a]\nbaseUrl = 'http://localhost/v1'", "models"),
        ("[defaults.providers.a]\nbaseUrl = 'http://localhost/v1'\nmodels = []", "models"),
        ("[defaults.providers.a]\nmodels = [{ id = 'm' }]", "baseUrl"),
        ("[defaults.providers]\na = 'x'", ""),
        ("[defaults.providers.a]\nbaseUrl = 'http://localhost/v1'\nmodels = [{}]", "models[0].id"),
        ("[defaults.providers.a]\nbaseUrl = 'http://localhost/v1'\nmodels = ['m']", "models[0]"),
        (
            HALF_A_COST,
            "models[0].cost.cacheWrite",
        ),
    ],
)
def test_a_provider_needs_its_address_its_models_and_a_whole_cost(text: str, path: str) -> None:
    expected = "defaults.providers.a" + (f".{path}" if path else "")
    assert [where for _, where in blocking(text, "providers")] == [expected]


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize(
    ("text", "code", "severity", "effect"),
    [
        ("[[triggers]]\nname = 'x'", "legacy_triggers", "error", "refuses"),
        ("[defaults.agent]\nreasoningEffort = 'low'", "renamed_key", "error", "refuses"),
        ("[defaults.filters]\npaths = ['x']", "leftover_key", "note", "drops"),
        ("[defaults.provider]\nname = 'x'", "leftover_key", "note", "drops"),
        ("[mcp.servers]\nx = 1", "leftover_key", "note", "drops"),
        ("[[skills]]\nname = 'a'\nscope = 'x'", "leftover_key", "note", "drops"),
        ("[[skills]]\nname = 'a'\ntools = ['x']", "leftover_key", "note", "drops"),
        (
            SCHEDULE + "schedule.createFixPR = true",
            "leftover_key",
            "note",
            "drops",
        ),
        (
            SCHEDULE + "schedule.fixBranchPrefix = 'x'",
            "leftover_key",
            "note",
            "drops",
        ),
        ("[defaults.agent]\nmodel = 'claude-sonnet'", "selector_format", "error", "stops"),
    ],
)
def test_old_spellings_and_leftovers_are_known(
    text: str, code: str, severity: str, effect: str, variant: Variant
) -> None:
    (one,) = found(text, variant)
    assert (one.code, one.severity) == (code, severity)
    assert effect in one.effect
    assert one.suggestion


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize("version", ["", "version = 2\n", "version = '1'\n"])
def test_a_file_without_the_version_is_refused(version: str, variant: Variant) -> None:
    (one,) = found("", variant, version=version)
    assert (one.code, one.severity, one.path) == ("version", "error", "version")


@pytest.mark.parametrize("alias", ["critical", "info"])
def test_the_old_severities_are_read_as_their_neighbours(alias: str) -> None:
    (one,) = found(f"[defaults]\nfailOn = '{alias}'", "stock")
    assert (one.code, one.severity) == ("alias", "note")


def test_service_memory_needs_more_than_metrics() -> None:
    text = "[service]\nurl = 'https://x'\nmemory = true\ndata = '{}'\n"
    assert blocking(text.format("metrics"), "stock") == [("wrong_value", "service.memory")]
    assert blocking(text.format("code"), "stock") == []
    assert blocking("[service]\ndata = 'code'", "stock") == [("missing_key", "service.url")]


def test_the_tree_holds_every_table_and_tells_the_variants_apart() -> None:
    for variant in BOTH:
        node = tree(variant, with_providers=False)
        defaults = node.tables["defaults"]
        assert ("providers" in defaults.tables) is (variant == "providers")
        assert ("offline" in defaults.keys) is (variant == "stock")
        assert ("service" in node.tables) is (variant == "stock")
    assert variants_of("defaults.providers") == ("providers",)
    assert variants_of("defaults.offline") == ("stock",)
    assert variants_of("defaults.agent") == BOTH
    assert variants_of("nothing") == ()
    assert len({table.path for table in TABLES}) == len(TABLES)


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize(
    ("remote", "fits"),
    [
        ("getsentry/skills", True),
        ("getsentry/skills@0a1b2c3d", True),
        ("https://github.com/getsentry/skills", True),
        ("foo", False),
        ("/skills", False),
        ("owner/", False),
        ("a/b/c", False),
        ("-o/x", False),
        ("a/-x", False),
        ("a b/c", False),
    ],
)
def test_a_skills_remote_is_owner_and_repo(remote: str, fits: bool, variant: Variant) -> None:
    rows = found(f"[[skills]]\nname = 'a'\nremote = '{remote}'\n", variant)
    assert [one.code for one in rows] == ([] if fits else ["remote_format"])
    assert all(one.path == "skills[0].remote" for one in rows)


@pytest.mark.parametrize(
    ("variant", "code", "words"),
    [("stock", "renamed_key", "effort"), ("providers", "unknown_key", "stock Warden")],
)
def test_the_old_effort_of_the_auxiliary_lane(variant: Variant, code: str, words: str) -> None:
    (one,) = found("[defaults.auxiliary]\nreasoningEffort = 'low'\n", variant)
    assert (one.code, one.severity) == (code, "error")
    assert words in one.message + one.suggestion


def test_a_service_without_an_address_says_what_it_lacks() -> None:
    (one,) = found("[service]\ntimeoutMs = 500\n", "stock")
    assert (one.code, one.path) == ("missing_key", "service.url")
    assert "remove [service]" in one.suggestion
