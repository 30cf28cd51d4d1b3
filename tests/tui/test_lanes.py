"""``turnkey lanes``: both layers with their values, doubts on stderr, and no key anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui.desk import at

if TYPE_CHECKING:
    from tests.tui.desk import Desk

PASSWORD = "hunter22-of-ann"
BASE = f"""\
version = 1

[defaults]
ignorePaths = ["dist/**"]

[defaults.agent]
model = "gw/m"
effort = "high"

[defaults.providers.gw]
baseUrl = "http://ann:{PASSWORD}@127.0.0.1:4000/v1"
headers = {{ X-Api-Key = "correct-horse-9" }}

[[defaults.providers.gw.models]]
id = "m"

[[skills]]
name = "org"
"""
REPO = """\
version = 1

[defaults]
ignorePaths = ["docs/**"]
runtime = "pi"

[defaults.auxiliary]
model = "gw/m"

[[skills]]
name = "own"
"""


@pytest.fixture
def layers(desk: Desk) -> Desk:
    """A desk with both layers."""
    desk.file.write_text(REPO)
    (desk.folder / "org.toml").write_text(BASE)
    return desk


def values(found: object, view: str) -> dict[object, object]:
    listed = at(found, "layers", view)
    assert isinstance(listed, list)
    return {at(one, "path"): at(one, "layer") for one in listed}


def test_the_three_views_are_in_the_json_with_the_layer_of_each_value(layers: Desk) -> None:
    found = layers.turnkey("lanes", "--json", "--base", "org.toml").json()
    assert values(found, "merged") == {
        "version": "repo",
        "defaults.ignorePaths": "both",
        "defaults.agent.model": "base",
        "defaults.agent.effort": "base",
        "defaults.providers": "base",
        "defaults.runtime": "repo",
        "defaults.auxiliary.model": "repo",
        "skills.org": "base",
        "skills.own": "repo",
    }
    assert values(found, "repo_skills") == {
        "defaults.runtime": "repo",
        "defaults.providers": "base",
        "defaults.ignorePaths": "repo",
        "defaults.auxiliary.model": "repo",
    }
    assert values(found, "workflow") == {
        "defaults.runtime": "repo",
        "defaults.providers": "base",
        "defaults.auxiliary.model": "repo",
    }
    assert at(found, "base_lanes", "agent", "layer") == "base"
    assert "layers" not in layers.turnkey("lanes", "--json").json()


def test_in_words_the_skills_of_both_layers_are_told_apart(layers: Desk) -> None:
    said = layers.turnkey("lanes", "--base", "org.toml")
    own, _, theirs = said.out.partition("skills of the base layer")
    assert ["agent", "left", "to", "Pi", "pi", "–"] in [line.split() for line in own.splitlines()]
    assert ["agent", "gw/m", "defaults.agent.model", "base"] in [
        line.split() for line in theirs.splitlines()
    ]
    for title in ("the whole config", "what skills of this file get", "what the action takes"):
        assert title in said.out
    assert "base-skill-root" in said.out


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_no_key_of_either_file_is_shown(layers: Desk, options: tuple[str, ...]) -> None:
    said = layers.turnkey("lanes", "--base", "org.toml", *options)
    for key in (PASSWORD, "correct-horse-9"):
        assert key not in said.out + said.err
    assert "X-Api-Key" in said.out


def test_a_base_layer_alone_is_what_warden_takes(layers: Desk) -> None:
    layers.file.unlink()
    assert layers.turnkey("lanes").code == 3
    said = layers.turnkey("lanes", "--base", "org.toml", "--json")
    assert said.code == 0
    for lane in ("agent", "auxiliary", "synthesis", "verification", "workflow"):
        assert at(said.json(), "lanes", lane, "layer") == "base"
    assert at(said.json(), "escapes") == []
    assert not layers.file.exists()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("garbage", "no selector"),
        ("gw/", "no selector"),
        ("other/m", "neither the file nor Pi has"),
        ("openai/gpt-x", ""),
        ("gw/m", ""),
    ],
)
def test_a_model_flag_that_is_no_selector_is_told_of(layers: Desk, model: str, words: str) -> None:
    said = layers.turnkey("lanes", "--base", "org.toml", "--model", model, "--json")
    assert said.code == 0
    assert words in said.err
    assert bool(said.json()["warnings"]) is bool(words)


def test_any_text_is_a_model_to_claude_code(desk: Desk) -> None:
    desk.file.write_text('version = 1\n[defaults]\nruntime = "claude"\n')
    assert desk.turnkey("lanes", "--model", "sonnet", "--json").json()["warnings"] == []
