"""The list of models: what fits the filter, and lines that are never out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.app import App

from core.discover.facts import Fact, Model
from tui.widgets.model_list import ModelList

if TYPE_CHECKING:
    from textual.app import ComposeResult

IDS = [f"{family}-{number}" for number in range(40) for family in ("org/Claude", "qwen", "glm")]


def model(name: str, kind: str = "chat") -> Model:
    facts = {"context_window": Fact(131_072, "server"), "tools": Fact(True, "pattern")}
    return Model(name, "embedding" if kind == "embedding" else "chat", facts)


class ListApp(App[None]):
    def compose(self) -> ComposeResult:
        yield ModelList([*map(model, IDS), model("text-embedding", "embedding")])


def lines(models: ModelList) -> list[str]:
    return [models.render_line(y).text for y in range(models.size.height)]


@pytest.mark.parametrize(
    "typed",
    [
        ["c", "cl", "cla", "clau", "cla", "cl", "c", ""],
        ["claude", "claude 1", "claude 1 3", "1 3", "3", "qwen"],
        ["  ", " q", "Q 2", "Q2", "Q"],
        ["a b", "a", "ab", "a b"],
        ["nothing fits", "nothing", "n"],
    ],
)
async def test_what_fits_is_the_same_however_it_was_typed(typed: list[str]) -> None:
    async with ListApp().run_test() as pilot:
        models = pilot.app.query_one(ModelList)
        for needle in typed:
            models.needle = needle
            wanted = [
                name
                for name in [*IDS, "text-embedding"]
                if all(word in name.lower() for word in needle.lower().split())
            ]
            assert models.shown == len(wanted), needle
            assert models.current == (model(wanted[0]) if wanted else None)


async def test_lines_follow_cursor_picks_width_theme_and_models() -> None:
    async with ListApp().run_test(size=(100, 20)) as pilot:
        models = pilot.app.query_one(ModelList)
        models.focus()
        before = lines(models)
        assert before[1].split()[:2] == ["org/Claude-0", "131,072"]
        assert "tools" in before[0]
        styles = [models.render_line(1), models.render_line(2)]
        await pilot.press("down", "space")
        assert lines(models)[2].startswith(" ✓ qwen-0")
        assert [models.render_line(1), models.render_line(2)] != styles
        await pilot.press("space")
        assert lines(models) == before
        await pilot.resize_terminal(50, 20)
        assert all(len(line) == models.size.width for line in lines(models))
        assert "tools" not in lines(models)[0]
        dark = models.render_line(5)
        pilot.app.theme = "textual-light"
        await pilot.pause()
        assert models.render_line(5) != dark
        models.show([model("other")])
        assert lines(models)[1].split()[0] == "other"
        assert models.shown == 1
