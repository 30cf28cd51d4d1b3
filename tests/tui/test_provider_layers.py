"""A provider of the base layer is used by the repository's file where that has none of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.tui.desk import Desk

BASE = """version = 1
[defaults.providers.org]
baseUrl = "http://127.0.0.1:4000/v1"
models = [{ id = "m" }]
"""
USES = """version = 1
[defaults.agent]
model = "org/m"
[[skills]]
name = "s"
model = "org/m"
"""
LAYER = ("--base", "base.toml", "--layer", "base")


@pytest.fixture
def layers(desk: Desk) -> Desk:
    desk.file.write_text(USES)
    (desk.folder / "base.toml").write_text(BASE)
    return desk


def test_removing_it_lists_what_would_dangle_in_the_repository(layers: Desk) -> None:
    done = layers.turnkey("provider", "remove", "org", *LAYER)
    assert done.code == 1
    assert "defaults.agent.model" in done.err
    assert "skills[0].model" in done.err
    assert (layers.folder / "base.toml").read_text() == BASE


def test_renaming_it_carries_the_selectors_of_both_files(layers: Desk) -> None:
    done = layers.turnkey("provider", "rename", "org", "acme", *LAYER)
    assert done.code == 0
    assert "saved: base.toml" in done.err
    assert f"saved: {layers.file}" in done.err
    assert layers.file.read_text() == USES.replace("org/m", "acme/m")
    assert "providers.acme" in (layers.folder / "base.toml").read_text()


def test_a_file_that_names_it_nowhere_is_not_called_saved(layers: Desk) -> None:
    layers.file.write_text("version = 1\n")
    done = layers.turnkey("provider", "rename", "org", "acme", "--json", *LAYER)
    assert done.code == 0
    assert done.json()["also_changed"] == []
    assert str(layers.file) not in done.err


def test_a_provider_of_the_same_name_in_the_repository_is_its_own(layers: Desk) -> None:
    own = USES + BASE.removeprefix("version = 1\n")
    layers.file.write_text(own)
    assert layers.turnkey("provider", "remove", "org", *LAYER).code == 0
    assert layers.file.read_text() == own


def test_a_file_that_may_not_be_read_is_no_wrong_option(
    layers: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert layers.turnkey("lanes", "--config", str(layers.file)).code == 0
