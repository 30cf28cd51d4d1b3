"""The setup of a workspace: lanes, receipts of both variants, and who needs no key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from core.export.gather import gather
from core.verify.known import required_trials
from core.verify.verdict import Evidence, Verdict
from core.warden.edits import set_key
from tests.core.desk import workspace_at
from tests.core.export.setups import verify

if TYPE_CHECKING:
    from pathlib import Path

    from core.export.setup import Target
    from core.warden.config import Variant

NOW: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LANES: Final = "".join(
    f'\n[defaults.{lane}]\nmodel = "litellm/qwen3"\n'
    for lane in ("agent", "auxiliary", "synthesis")
)
SERVER: Final = """
[defaults.providers.litellm]
baseUrl = "https://gw.example/v1"

[[defaults.providers.litellm.models]]
id = "qwen3"
"""
FILE: Final = f"version = 1\n{LANES}{SERVER}"


ONE_SKILL: Final = """
[defaults.verification]
enabled = false
[[skills]]
name = "a"
[skills.verification]
enabled = true
"""
STORE: Final = Verdict(
    "store", "litellm", "qwen3", None, "pass", Evidence("x"), finding="refused",
    learned={"supportsStore": False},
)  # fmt: skip


@pytest.mark.parametrize(
    ("of", "target", "verified"),
    [
        ("providers", "github", True),
        ("providers", "warden", True),
        ("providers", "pi", False),
        ("stock", "pi", True),
        ("stock", "stock-env", True),
        ("stock", "github", False),
    ],
)
def test_what_stock_alone_reads_is_verified_by_stocks_receipt(
    tmp_path: Path, of: Variant, target: Target, verified: bool
) -> None:
    workspace = workspace_at(tmp_path, FILE, state=tmp_path / "state")
    verify(workspace, of, NOW)
    setup = gather(workspace, target, now=NOW)
    assert setup.standing.verified is verified
    assert setup.lanes == dict.fromkeys(("agent", "auxiliary", "synthesis"), "litellm/qwen3")


def test_what_a_probe_found_holds_for_both_variants(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, FILE, state=tmp_path / "state")
    verify(workspace, "providers", NOW, STORE, borne=2)
    setup = gather(workspace, "pi", now=NOW)
    assert setup.learned["litellm/qwen3"].compat.supports_store is False
    assert setup.concurrency is None  # nobody tried it as stock asks
    assert gather(workspace, "github", now=NOW).concurrency == 2


def test_an_edit_makes_the_receipt_stale_and_its_findings_with_it(tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, FILE, state=tmp_path / "state")
    verify(workspace, "providers", NOW, STORE)
    path = ("defaults", "providers", "litellm", "baseUrl")
    workspace.edit(set_key(workspace.document, path, "https://gw2.example/v1"))
    setup = gather(workspace, "warden", now=NOW)
    assert setup.standing.worth == "stale"
    assert setup.learned == {}
    workspace.undo()
    workspace.edit(set_key(workspace.document, ("runner", "concurrency"), 2))
    assert gather(workspace, "warden", now=NOW).standing.verified


def test_without_a_state_folder_nothing_is_verified(tmp_path: Path) -> None:
    setup = gather(workspace_at(tmp_path, FILE), "pi", now=NOW)
    assert setup.standing.worth == "none"


def test_in_stock_an_unset_lane_is_left_to_pi(tmp_path: Path) -> None:
    text = f'version = 1\n[defaults.agent]\nmodel = "litellm/qwen3"\n{SERVER}'
    workspace = workspace_at(tmp_path, text)
    assert gather(workspace, "pi", now=NOW).lanes["auxiliary"] is None
    assert gather(workspace, "warden", now=NOW).lanes["auxiliary"] == "litellm/qwen3"


def test_a_server_here_without_a_key_is_keyless_and_one_elsewhere_is_not(tmp_path: Path) -> None:
    more = SERVER.replace("litellm", "ollama").replace("https://gw.example", "http://127.0.0.1:1")
    workspace = workspace_at(tmp_path, FILE + more)
    assert gather(workspace, now=NOW).keyless == {"ollama"}
    keyed = workspace_at(tmp_path, FILE + more, env={"OLLAMA_API_KEY": "sk-here"})
    assert gather(keyed, now=NOW).keyless == frozenset()


@pytest.mark.parametrize(
    ("written", "tools"),
    [
        ("", True),
        ("[defaults.verification]\nenabled = false\n", False),
        ("[defaults.verification]\nenabled = true\n", True),
        (ONE_SKILL, True),
    ],
)
def test_the_auxiliary_lane_needs_tools_where_findings_are_verified(
    tmp_path: Path, written: str, tools: bool
) -> None:
    required = required_trials(workspace_at(tmp_path, FILE + written))
    assert ("agent_loop" in required["auxiliary"]) is tools
    assert "agent_loop" in required["agent"]
    assert "bare_json" in required["auxiliary"]
    assert "merge" in required["synthesis"]
