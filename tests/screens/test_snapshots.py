"""Pictures of every screen in each of its states: 60x20, 80x24 and 120x40, light, dark, colourless.

``--snapshot-update`` puts what is seen on record: look at what changed before it is committed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.screens.album import COLOURED, FOLDER, PLAIN, WIDE, View, place, shoot
from tests.screens.scenes import Scene, file, first, rest, streams, trials
from tests.screens.stage import KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.screens.scenes import Staged

    Row = tuple[str, dict[str, Callable[[], Staged]]]

TABLE: Final[tuple[Row, ...]] = (
    (
        "home",
        {
            "empty": first.home_empty,
            "loading": first.home_looking,
            "found": first.home_found,
            "filled": first.home_filled,
            "problems": first.home_problems,
            "failed": first.home_failed,
        },
    ),
    (
        "add",
        {
            "empty": first.add_empty,
            "found": first.add_found,
            "filled": first.add_filled,
            "loading": first.add_loading,
            "failed": first.add_failed,
        },
    ),
    # Nothing is asked of anybody here: it never loads.
    (
        "provider",
        {
            "empty": first.provider_empty,
            "filled": first.provider_filled,
            "failed": first.provider_failed,
        },
    ),
    (
        "models",
        {
            "empty": first.models_empty,
            "loading": first.models_loading,
            "filled": first.models_filled,
            "filtered": first.models_filtered,
            "failed": first.models_failed,
        },
    ),
    # What the lanes resolve to is computed from the file at once: nothing to wait for.
    (
        "lanes",
        {
            "empty": file.lanes_empty,
            "filled": file.lanes_filled,
            "escaping": file.lanes_escaping,
            "failed": file.lanes_failed,
            "older-line": file.lanes_older_line,
            "effort": file.lanes_effort,
        },
    ),
    # The problems of a file are computed at once, too.
    (
        "check",
        {"empty": file.check_empty, "filled": file.check_filled, "failed": file.check_failed},
    ),
    # Writing takes no longer than a frame; a keyring that is waited for has its own window.
    (
        "save",
        {
            "empty": file.save_empty,
            "filled": file.save_filled,
            "conflict": file.save_conflict,
            "failed": file.save_failed,
        },
    ),
    # It is a failure itself, and has no other state.
    ("unreadable", {"failed": file.unreadable_failed}),
    (
        "live",
        {
            "empty": streams.live_empty,
            "loading": streams.live_waiting,
            "thinking": streams.live_thinking,
            "answering": streams.live_answering,
            "filled": streams.live_done,
            "failed": streams.live_failed,
            "inspected": streams.live_inspected,
            "explained": streams.live_explained,
            "runs": streams.live_runs,
        },
    ),
    (
        "race",
        {
            "empty": streams.race_empty,
            "loading": streams.race_running,
            "filled": streams.race_done,
            "failed": streams.race_failed,
        },
    ),
    (
        "doctor",
        {
            "loading": trials.doctor_running,
            "stopped": trials.doctor_stopped,
            "filled": trials.doctor_done,
            "undecided": trials.doctor_undecided,
            "failed": trials.doctor_failed,
        },
    ),
    (
        "verify",
        {
            "empty": trials.verify_empty,
            "loading": trials.verify_running,
            "stopped": trials.verify_stopped,
            "filled": trials.verify_done,
            "failed": trials.verify_failed,
            "down": trials.verify_down,
            "evidence": trials.verify_evidence,
        },
    ),
    # What is exported is made from what is in memory; a gateway alone is asked, in the notes' line.
    (
        "export",
        {
            "empty": trials.export_empty,
            "unverified": trials.export_unverified,
            "filled": trials.export_verified,
            "failed": trials.export_failed,
            "conflict": trials.export_conflict,
        },
    ),
    (
        "keys",
        {
            "empty": rest.keys_empty,
            "loading": rest.keys_loading,
            "locked": rest.keys_locked,
            "filled": rest.keys_filled,
            "no-keyring": rest.keys_bare,
            "asked": rest.keys_asked,
        },
    ),
    # Texts that are there, and a question: neither is ever empty, loading or failed.
    ("help", {"filled": rest.help_filled, "topic": rest.help_topic}),
    (
        "palette",
        {
            "filled": rest.palette_filled,
            "filtered": rest.palette_filtered,
            "empty": rest.palette_empty,
        },
    ),
    ("quit", {"asked": rest.quit_asked}),
)
"""Screen -> state -> what stages it. Why a usual state is missing stands above the screen."""

SCENES: Final = [
    Scene(screen, state, make) for screen, states in TABLE for state, make in states.items()
]
WIDER: Final = frozenset({"live-filled", "live-failed", "race-filled"})
"""Scenes in which something stands beside the rest where there is much room."""


def views_of(scene: Scene) -> tuple[View, ...]:
    """How a scene is looked at, in one window."""
    return (*COLOURED, WIDE) if scene.name in WIDER else COLOURED


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)  # nothing of a folder's own is in a picture


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: str(scene.name))
async def test_it_looks_as_on_record(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    update = bool(request.config.getoption("--snapshot-update"))
    differing = [*await shoot(scene, views_of(scene), tmp_path, update=update)]
    monkeypatch.setenv("NO_COLOR", "1")
    differing += await shoot(scene, (PLAIN,), tmp_path, update=update)
    assert not differing, f"Seen otherwise, see {tmp_path}: {[str(one) for one in differing]}"


def test_every_picture_on_record_is_of_a_scene() -> None:
    meant = {place(one, view) for one in SCENES for view in (*views_of(one), PLAIN)}
    assert set(FOLDER.rglob("*.svg")) == meant


@pytest.mark.parametrize("secret", [KEY, "sk-theirs-alone", "a1B2a1B2"])
def test_no_picture_holds_a_key(secret: str) -> None:
    """Keys are typed, stored, leaked and written over in the scenes; none of them is ever seen."""
    pictures = list(FOLDER.rglob("*.svg"))
    assert pictures
    assert [str(one) for one in pictures if secret in one.read_text("utf-8")] == []
