from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import ConfigProblem, UsageProblem
from core.keys.backends import BackendError
from core.keys.secret import Secret
from core.keys.vault import open_vault
from core.warden.edits import rename_provider, set_lane
from core.workspace import open_workspace
from tests.core.desk import GATEWAY, workspace_at
from tests.core.keys.fakes import Raises, Works

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-workspace-canary-1"
VARIABLE = "WARDEN_LITELLM_API_KEY"
ORIGIN = "https://gw.example"


def test_nothing_is_written_before_the_save(tmp_path: Path) -> None:
    backend = Works()
    workspace = workspace_at(tmp_path, backend=backend, state=tmp_path / "state")
    workspace.edit(set_lane(workspace.document, "auxiliary", "litellm/qwen3"))
    workspace.pending_keys[VARIABLE, ORIGIN] = Secret(KEY)
    assert (workspace.unsaved, workspace.document.path.read_text()) == (True, GATEWAY)
    assert backend.kept == {}
    assert '+model = "litellm/qwen3"' in workspace.pending_diff()

    assert workspace.save() == ()
    assert (workspace.unsaved, workspace.pending_diff()) == (False, "")
    assert "auxiliary" in workspace.document.path.read_text()
    assert list(backend.kept.values()) == [KEY]
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert [path.read_text() for path in kept] == [GATEWAY]


def test_edits_are_undone_and_repeated(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path)
    first = workspace.document
    workspace.edit(first)
    assert not workspace.can_undo  # what changes nothing is no step
    workspace.edit(set_lane(first, "auxiliary", "litellm/a"))
    workspace.edit(set_lane(workspace.document, "synthesis", "litellm/b"))
    assert workspace.undo()
    assert "synthesis" not in workspace.document.text
    assert workspace.redo()
    assert not workspace.redo()
    assert "synthesis" in workspace.document.text
    assert workspace.undo()
    assert workspace.undo()
    assert not workspace.undo()
    assert workspace.document.raw == first.raw
    workspace.edit(set_lane(first, "agent", "litellm/c"))
    assert not workspace.redo()  # another way was taken


def test_a_failed_save_keeps_the_file_and_the_keys(tmp_path: Path) -> None:
    backend = Works()
    workspace = workspace_at(tmp_path, backend=backend)
    workspace.edit(set_lane(workspace.document, "auxiliary", "litellm/a"))
    workspace.pending_keys[VARIABLE, ORIGIN] = Secret(KEY)
    workspace.document.path.write_text("version = 1 # theirs\n")
    with pytest.raises(ConfigProblem) as caught:
        workspace.save()
    assert caught.value.fault.code == "config_changed"
    assert workspace.document.path.read_text() == "version = 1 # theirs\n"
    assert backend.kept == {}
    assert workspace.unsaved


def test_a_keyring_that_fails_keeps_the_key_for_this_run(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, backend=Raises(BackendError("locked", "It is locked.")))
    workspace.edit(set_lane(workspace.document, "auxiliary", "litellm/a"))
    workspace.pending_keys[VARIABLE, ORIGIN] = Secret(KEY)
    (fault,) = workspace.save()
    assert fault.code == "keyring"
    assert "auxiliary" in workspace.document.path.read_text()
    source, key = workspace.key_for(workspace.provider("litellm"))
    assert source.source == "memory"
    assert key == Secret(KEY)


def test_a_typed_key_is_used_before_it_is_saved_for_its_origin_alone(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path)
    provider = workspace.provider("litellm")
    assert workspace.key_for(provider)[1] is None
    workspace.pending_keys[VARIABLE, ORIGIN] = Secret(KEY)
    source, key = workspace.key_for(provider)
    assert (source.source, source.fault, key) == ("memory", None, Secret(KEY))
    assert workspace.key_source(provider).source == "memory"
    workspace.pending_keys.clear()
    workspace.pending_keys[VARIABLE, "https://other.example"] = Secret(KEY)
    assert workspace.key_for(provider)[1] is None


def test_the_environment_wins_and_is_bound_only_when_it_is_sent(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, env={VARIABLE: KEY})
    workspace.pending_keys[VARIABLE, ORIGIN] = Secret("sk-typed")
    provider = workspace.provider("litellm")
    source, key = workspace.key_for(provider, send=False)
    assert (source.source, key) == ("environment", Secret(KEY))
    assert workspace.vault.sent_to(VARIABLE) == ()
    workspace.key_for(provider)
    assert workspace.vault.sent_to(VARIABLE) == (ORIGIN,)


def test_where_a_key_is_can_be_told_without_the_keyring(tmp_path: Path) -> None:
    backend = Works()
    workspace = workspace_at(tmp_path, backend=backend)
    workspace.vault.store(VARIABLE, ORIGIN, Secret(KEY))
    backend.calls.clear()
    assert workspace.key_source(workspace.provider("litellm")).source == "keyring"
    assert backend.calls == []


def test_an_unknown_provider_is_told_with_the_known(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as caught:
        workspace_at(tmp_path).provider("no\x1bbody")
    assert "\\x1b" in caught.value.fault.what
    assert "litellm" in caught.value.fault.why
    with pytest.raises(UsageProblem) as caught:
        workspace_at(tmp_path, "version = 1\n").provider("x")
    assert "turnkey provider add" in caught.value.fault.fix


def test_the_base_layer_gives_providers_where_the_file_has_none(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, "version = 1\n", base=GATEWAY)
    assert [provider.name for provider in workspace.providers] == ["litellm"]
    assert workspace.provider("litellm").base_url == "https://gw.example/v1"
    own = workspace_at(tmp_path, GATEWAY.replace("litellm", "own"), base=GATEWAY)
    assert [provider.name for provider in own.providers] == ["own"]


def test_a_key_that_is_kept_elsewhere_is_no_problem_of_the_file(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path)
    before = {problem.code for problem in workspace.problems()}
    workspace.vault.store(VARIABLE, ORIGIN, Secret(KEY))
    after = {problem.code for problem in workspace.problems()}
    assert before != after
    assert after < before


def test_a_file_that_cannot_be_parsed_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem) as caught:
        workspace_at(tmp_path, "version = \n")
    assert caught.value.fault.code == "config_unreadable"
    with pytest.raises(ConfigProblem):
        workspace_at(tmp_path, base="version = \n")


def test_a_file_that_is_not_there_is_made_by_the_save(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, None)
    assert not workspace.unsaved
    workspace.edit(set_lane(workspace.document, "agent", "litellm/m"))
    workspace.save()
    assert 'model = "litellm/m"' in (tmp_path / "warden.toml").read_text()


def test_key_of_a_renamed_provider_waits_under_its_new_variable(tmp_path: Path) -> None:
    text = (
        'version = 1\n\n[defaults.providers.old]\nbaseUrl = "http://127.0.0.1:9/v1"\n'
        'models = [{ id = "m" }]\n'
    )
    (tmp_path / "warden.toml").write_text(text)
    on = open_workspace(
        tmp_path / "warden.toml", env={}, vault=open_vault(tmp_path, env={}, find=None)
    )
    on.vault.remember("WARDEN_OLD_API_KEY", "http://127.0.0.1:9", Secret("sk-x"))
    assert on.carry_key(on.provider("old"), "new", None)
    assert not on.waiting_keys, "the file does not name the new provider yet"
    on.edit(rename_provider(on.document, "old", "new"))
    assert list(on.waiting_keys) == [("WARDEN_NEW_API_KEY", "http://127.0.0.1:9")]


@pytest.mark.parametrize("query", ["", "?api_key=QueryS3cretKey"])
def test_the_base_layers_version_before_is_kept_too_unless_a_key_stands_in_it(
    tmp_path: Path, query: str
) -> None:
    base = GATEWAY.replace("gw.example/v1", f"gw.example/v1{query}")
    workspace = workspace_at(tmp_path, base=base, state=tmp_path / "state")
    assert workspace.base_document is not None
    edited = set_lane(workspace.base_document, "synthesis", "litellm/qwen3")
    workspace.edit(edited, "base")
    assert workspace.save() == ()
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert [path.read_text() for path in kept] == ([] if query else [base])
