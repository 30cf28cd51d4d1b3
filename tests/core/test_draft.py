from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.discover.facts import Fact, Model
from core.draft import Draft, accept, declared, entries_for, silent
from core.keys.secret import Secret
from core.providers.base_url import read_base_url
from core.warden.config import ModelEntry
from tests.core.desk import GATEWAY, workspace_at

if TYPE_CHECKING:
    from pathlib import Path

    from core.workspace import Workspace

KEY = Secret("sk-draft-canary-1")
BASE = read_base_url("https://gw.example/v1")
LISTED = Model("listed", "chat", {"context_window": Fact(4096, "server")})


def draft(name: str = "fresh", *, url: str = BASE.url, existing: bool = False) -> Draft:
    base = read_base_url(url)
    found = msgspec.structs.replace(silent(base), models=(LISTED,))
    return Draft(name, base, KEY, typed=True, discovery=found, existing=existing)


def provider_names(workspace: Workspace) -> list[str]:
    return [provider.name for provider in workspace.config.providers]


def test_a_draft_is_tested_on_what_was_typed() -> None:
    target = draft("lm-studio").target("m")
    assert (target.base, target.model, target.key) == (BASE, "m", KEY)
    assert draft("lm-studio").variable == "WARDEN_LM_STUDIO_API_KEY"


def test_what_was_not_asked_knows_nothing() -> None:
    found = silent(BASE)
    assert (found.models, found.error, found.reachable, found.authorised) == ((), None, None, None)


def test_an_entry_of_the_file_stays_and_a_new_one_gets_facts() -> None:
    ours = ModelEntry("ours", name="Ours", max_tokens=7)
    assert entries_for(["ours", "listed", "typed"], {"listed": LISTED}, {"ours": ours}) == (
        ours,
        ModelEntry("listed", context_window=4096),
        ModelEntry("typed"),
    )


def test_accepting_is_a_pending_edit_with_the_key_beside_it(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path)
    before = workspace.document.path.read_bytes()
    accept(workspace, draft(), ["listed", "typed"])
    assert provider_names(workspace) == ["litellm", "fresh"]
    assert declared(workspace, draft()) == (
        ModelEntry("listed", context_window=4096),
        ModelEntry("typed"),
    )
    assert workspace.pending_keys == {("WARDEN_FRESH_API_KEY", "https://gw.example"): KEY}
    assert workspace.document.path.read_bytes() == before
    assert workspace.undo()
    assert provider_names(workspace) == ["litellm"]


def test_choosing_again_changes_the_models_alone(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, GATEWAY + "# a note at the end\n")
    accept(workspace, draft("litellm", existing=True), ["qwen3", "listed"])
    provider = workspace.provider("litellm")
    assert [model.id for model in provider.models] == ["qwen3", "listed"]
    assert provider.base_url == "https://gw.example/v1"
    assert "# a note at the end" in workspace.document.text


def test_a_form_that_is_corrected_replaces_its_address(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path)
    accept(workspace, draft(), ["a"])
    accept(workspace, draft(url="https://new.example/v1"), ["a"])
    assert workspace.provider("fresh").base_url == "https://new.example/v1"
    assert provider_names(workspace) == ["litellm", "fresh"]


def test_nothing_is_declared_for_a_name_that_is_not_in_the_file(tmp_path: Path) -> None:
    assert declared(workspace_at(tmp_path), draft("nobody")) == ()
