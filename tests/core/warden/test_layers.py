"""Two files, three views: which layer gives which value."""

from __future__ import annotations

import tomllib

import pytest

from core.warden.layers import Layered, Value, layered

BASE = """
version = 1
[defaults]
runtime = "claude"
failOn = "high"
offline = true
ignorePaths = ["a"]
[defaults.agent]
model = "b/agent"
maxTurns = 9
[defaults.auxiliary]
model = "b/auxiliary"
[defaults.verification]
enabled = false
[defaults.providers.b]
baseUrl = "http://b/v1"
[runner]
concurrency = 2
[[skills]]
name = "shared"
[[skills]]
name = "code-review"
"""
REPO = """
version = 1
[defaults]
failOn = "low"
ignorePaths = ["b"]
[defaults.agent]
model = "r/agent"
[runner]
concurrency = 8
[[skills]]
name = "shared"
model = "r/skill"
[[skills]]
name = "own"
"""


def views(base: str = BASE, repo: str = REPO) -> Layered:
    return layered(tomllib.loads(base), tomllib.loads(repo))


def table(values: tuple[Value, ...]) -> dict[str, tuple[object, str]]:
    return {".".join(one.path): (one.value, one.layer) for one in values}


@pytest.mark.parametrize(
    ("view", "key", "value", "layer"),
    [
        ("merged", "defaults.failOn", "low", "repo"),
        ("merged", "defaults.runtime", "claude", "base"),
        ("merged", "defaults.agent.model", "r/agent", "repo"),
        ("merged", "defaults.agent.maxTurns", 9, "base"),
        ("merged", "defaults.ignorePaths", ["a", "b"], "both"),
        ("merged", "runner.concurrency", 8, "repo"),
        ("merged", "skills.shared", {"name": "shared"}, "base"),
        ("merged", "skills.own", {"name": "own"}, "repo"),
        ("repo_skills", "defaults.agent.model", "r/agent", "repo"),
        ("repo_skills", "defaults.runtime", "claude", "base"),
        ("repo_skills", "defaults.verification.enabled", False, "base"),
        ("repo_skills", "defaults.providers", {"b": {"baseUrl": "http://b/v1"}}, "base"),
        ("repo_skills", "defaults.ignorePaths", ["b"], "repo"),
        ("workflow", "defaults.runtime", "claude", "base"),
        ("workflow", "defaults.auxiliary.model", "b/auxiliary", "base"),
        ("workflow", "runner.concurrency", 2, "base"),
        ("workflow", "defaults.offline", True, "base"),
    ],
)
def test_each_view_takes_each_value_from_its_layer(
    view: str, key: str, value: object, layer: str
) -> None:
    assert table(getattr(views(), view))[key] == (value, layer)


@pytest.mark.parametrize("key", ["defaults.auxiliary.model", "defaults.agent.maxTurns"])
def test_skills_of_the_repository_get_no_model_and_no_scalar_of_the_base(key: str) -> None:
    assert key not in table(views().repo_skills)


def test_providers_are_replaced_as_a_whole() -> None:
    repo = "[defaults.providers.r]\nbaseUrl = 'http://r/v1'\n"
    own = {"r": {"baseUrl": "http://r/v1"}}
    found = views(repo=repo)
    assert table(found.merged)["defaults.providers"] == (own, "repo")
    assert table(found.repo_skills)["defaults.providers"] == (own, "repo")
    assert table(found.workflow)["defaults.providers"][1] == "base"
    assert [note for note in found.notes if "lose b" in note]
    assert [note for note in found.notes if "Pi model not found" in note]


def test_an_empty_model_in_the_base_leaves_the_workflow_to_the_repository() -> None:
    lane = "[defaults.auxiliary]\nmodel = '{}'\n"
    found = views(lane.format(""), lane.format("r/x"))
    assert table(found.workflow)["defaults.auxiliary.model"] == ("r/x", "repo")


def test_notes_name_hidden_skills_and_the_skill_root() -> None:
    notes = views().notes
    assert notes[0].startswith("Skill shared stands in both files")
    assert "base-skill-root" in notes[1]
    assert "code-review" not in notes[1]
    assert views("", REPO).notes == ()


def test_skills_get_the_repositorys_runner_and_logs_and_no_offline() -> None:
    base = {"runner": {"concurrency": 2}, "logs": {"retentionDays": 9}}
    repo = {"defaults": {"offline": True}, "runner": {"concurrency": 5}}
    found = {value.path: value.value for value in layered(base, repo).repo_skills}
    assert found == {("runner", "concurrency"): 5}


def test_an_empty_map_of_providers_gives_nothing_to_anybody() -> None:
    for base, repo in (
        ({"defaults": {"providers": {}}}, {}),
        ({}, {"defaults": {"providers": {}}}),
    ):
        found = layered(base, repo)
        assert [value.path for value in (*found.repo_skills, *found.workflow)] == []
