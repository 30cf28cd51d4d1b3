"""The way's steps are judged by the workspace alone: done, next, skipped, open."""

from __future__ import annotations

from typing import Final

import pytest

from core.onboarding import NAMES, Name, next_step, steps
from core.verify.receipt import CoveredConfig, Receipt, Standing
from tests.screens.stage import FILLED, workspace

WITHOUT_TEST: Final[tuple[Name, ...]] = ("test",)
NOTHING: Final = Standing("none")
VERIFIED: Final = Standing(
    "fresh",
    Receipt("1", "2026-11-21T00:00:00Z", "providers", CoveredConfig("sha256:0"), verified=True),
)
NO_MODELS: Final = """\
version = 1

[defaults.providers.litellm]
baseUrl = "http://127.0.0.1:4000/v1"
models = []
"""
FAR: Final = FILLED.replace("http://127.0.0.1:4000", "https://gw.example")


@pytest.mark.parametrize(
    ("text", "standing", "skipped", "wanted"),
    [
        (None, NOTHING, (), "provider"),
        ("version = 1\n", NOTHING, (), "provider"),
        (NO_MODELS, NOTHING, (), "models"),
        (FAR, NOTHING, (), "key"),
        (FILLED, NOTHING, (), "test"),
        (FILLED, NOTHING, ("test",), "verify"),
        (FILLED, NOTHING, ("test", "verify"), None),
        (FILLED, NOTHING, ("verify",), "test"),
        (FILLED, VERIFIED, ("test",), None),
    ],
)
def test_the_first_thing_that_is_not_done_comes_next(
    text: str | None, standing: Standing, skipped: tuple[Name, ...], wanted: str | None
) -> None:
    on = workspace() if text is None else workspace(text)
    found = steps(on, standing, skipped)
    step = next_step(found)
    assert (step.name if step else None) == wanted
    assert [one.name for one in found] == list(NAMES)
    assert sum(one.state == "next" for one in found) == (wanted is not None)


def test_an_unsaved_edit_leaves_saving_to_do() -> None:
    on = workspace(FILLED)
    on.edit(on.document.with_text(FILLED + "# more\n"))
    step = next_step(steps(on, VERIFIED, WITHOUT_TEST))
    assert step is not None
    assert step.name == "save"


def test_a_lane_that_leaves_is_not_done() -> None:
    on = workspace(FILLED.replace('[defaults.auxiliary]\nmodel = "litellm/qwen3-mini"\n', ""))
    on.variant = "stock"
    states = {one.name: one.state for one in steps(on, NOTHING)}
    assert states["lanes"] == "next"
    assert states["provider"] == states["models"] == "done"


def test_a_file_without_a_provider_is_not_called_saved() -> None:
    on = workspace("version = 1\n")
    found = steps(on, Standing("none"))
    assert [step.state for step in found if step.name == "save"] == ["open"]
