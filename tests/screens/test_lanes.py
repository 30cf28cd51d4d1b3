"""Lanes: the resolution is redrawn as one chooses, and a choice is a pending edit."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button, OptionList, Static

from core.keys.vault import open_vault
from core.warden.workflows import NamedBase
from core.workspace import open_workspace
from tests.screens.stage import FILLED, Stage, arrive, stand, until, workspace
from tui.widgets.places import ToLanes

if TYPE_CHECKING:
    from pathlib import Path

    from core.warden.lanes import Lane
    from core.workspace import Workspace

PROVIDER = FILLED[FILLED.index("[defaults.providers.litellm]") : FILLED.index("[[skills]]")]
UNSET = "version = 1\n\n" + PROVIDER


def chains(app: Stage) -> str:
    return str(app.screen.query_one("#chains", Static).content)


async def test_all_three_are_written_explicitly() -> None:
    on = workspace(UNSET)
    app = Stage(on, ToLanes())
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("enter")
        await until(pilot, lambda: on.unsaved)
    defaults = tomllib.loads(on.document.text)["defaults"]
    assert [defaults[lane]["model"] for lane in ("agent", "auxiliary", "synthesis")] == [
        "litellm/qwen3-coder"
    ] * 3


async def test_resolution_is_redrawn_while_one_chooses() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToLanes("synthesis"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("home")
        await until(
            pilot, lambda: "litellm/qwen3-coder   by defaults.synthesis.model" in chains(app)
        )
        await pilot.press("end")
        await until(
            pilot, lambda: "litellm/qwen3-mini   by defaults.auxiliary.model" in chains(app)
        )
        assert not on.unsaved


async def test_inherit_takes_the_lane_out_of_the_file() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToLanes("auxiliary"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("end", "enter")
        await until(pilot, lambda: on.unsaved)
        await pilot.press("u")
        await until(pilot, lambda: not on.unsaved)


async def test_stock_warden_shows_what_would_escape() -> None:
    on = workspace(UNSET, env={"ANTHROPIC_API_KEY": "x"})
    app = Stage(on, ToLanes())
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("V", "end")
        await until(pilot, lambda: "▲ E" in chains(app))
        assert on.variant == "stock"


STOCK = FILLED.replace('[defaults.auxiliary]\nmodel = "litellm/qwen3-mini"\n\n', "")


async def test_c_closes_one_escape_after_the_other_and_u_and_redo_go_back_and_forth() -> None:
    on = workspace(STOCK, env={"ANTHROPIC_API_KEY": "x"})
    on.variant = "stock"
    app = Stage(on, ToLanes("auxiliary"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("end")
        await until(pilot, lambda: "c closes it" in chains(app))
        for _ in range(4):
            if not on.lanes().escapes:
                break
            await pilot.press("c")
            await pilot.pause()
        assert on.lanes().escapes == ()
        assert on.config.defaults.auxiliary_model == "litellm/qwen3-coder"
        closed = on.document.raw
        await pilot.press("u")
        await until(pilot, lambda: on.document.raw != closed)
        await pilot.press("U")
        await until(pilot, lambda: on.document.raw == closed)


async def test_work_that_follows_a_lane_is_shown_on_demand_with_its_effort() -> None:
    on = workspace(FILLED.replace("[defaults.agent]", '[defaults.agent]\neffort = "high"'))
    app = Stage(on, ToLanes("synthesis"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        assert app.screen.query_one("#rows", OptionList).option_count == 4
        await pilot.press("w", "left", "down")
        await until(pilot, lambda: "reads repository code with tools" in chains(app))
        assert "effort: set by defaults.agent.effort" in chains(app)
        assert "follows the auxiliary lane" in str(
            app.screen.query_one("#choices", OptionList).get_option_at_index(0).prompt
        )
        for word in ("the action's own work", "build and improve", "repairs what build"):
            await pilot.press("down")
            await pilot.pause()
            assert word in chains(app)


async def test_a_skills_own_model_is_a_row_and_can_be_taken_away() -> None:
    on = workspace(FILLED + 'model = "openai/gpt-x"\n')
    app = Stage(on, ToLanes("synthesis"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("left", "down")
        await until(pilot, lambda: "a model of its own" in chains(app))
        await pilot.press("right", "end", "enter")
        await until(pilot, lambda: on.unsaved)
    assert on.document.text == FILLED


async def test_edits_go_to_the_base_layer_when_the_switch_says_so(tmp_path: Path) -> None:
    on = files(tmp_path, FILLED, UNSET.replace("litellm", "org"))
    on.open_base(tmp_path / "org.toml")
    app = Stage(on, ToLanes("agent"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        assert "defaults.agent.model (repo)" in chains(app)
        await pilot.press("b")
        await until(pilot, lambda: "defaults.agent.model (base)" in chains(app))
        await pilot.press("home", "enter")
        await until(pilot, lambda: on.unsaved)
        assert on.document.text == FILLED
        assert on.base is not None
        assert on.base.defaults.agent_model == "org/qwen3-coder"
        await pilot.press("b", "L")
        await until(pilot, lambda: "What the action takes for itself" in chains(app))
        assert "base" in chains(app)
    on.save()
    assert 'model = "org/qwen3-coder"' in put(tmp_path / "org.toml")


async def test_a_base_layer_that_a_workflow_names_is_offered(tmp_path: Path) -> None:
    on = files(tmp_path, FILLED, UNSET)
    on.named_bases = (NamedBase("warden.yml", "org.toml", tmp_path / "org.toml"),)
    app = Stage(on, ToLanes("agent"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        assert "warden.yml gives Warden a base layer, org.toml: b reads it" in chains(app)
        await pilot.press("b")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await arrive(pilot, "LanesScreen")
        await until(pilot, lambda: on.base is not None)


def files(folder: Path, repo: str, base: str) -> Workspace:
    """A workspace on two files of a folder."""
    (folder / "warden.toml").write_text(repo)
    (folder / "org.toml").write_text(base)
    return open_workspace(
        folder / "warden.toml", env={}, vault=open_vault(folder, env={}, find=None)
    )


def put(path: Path) -> str:
    """What stands in a file."""
    return path.read_text()


async def test_old_default_model_is_moved_only_when_asked() -> None:
    text = UNSET.replace("version = 1\n", 'version = 1\n\n[defaults]\nmodel = "litellm/old"\n')
    on = workspace(text)
    app = Stage(on, ToLanes("agent"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("home", "enter")
        await arrive(pilot, "AskChoice")
        assert not on.unsaved
        await pilot.press("escape")
        await arrive(pilot, "LanesScreen")
        assert not on.unsaved
        await pilot.press("enter")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await until(pilot, lambda: on.unsaved)
    defaults = tomllib.loads(on.document.text)["defaults"]
    assert "model" not in defaults
    assert defaults["agent"]["model"] == "litellm/qwen3-coder"


async def test_e_sets_the_effort_of_the_lane_and_takes_it_away() -> None:
    on = workspace(FILLED)
    app = Stage(on, ToLanes("agent"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("e")
        await arrive(pilot, "AskChoice")
        labels = [str(button.label) for button in app.screen.query(Button)]
        assert labels == ["leave it unset", "off", "low", "medium", "high", "xhigh"]
        await pilot.press("tab", "tab", "enter")
        await until(pilot, lambda: on.config.defaults.agent_effort == "low")
        await until(pilot, lambda: "set by defaults.agent.effort" in chains(app))
        await pilot.press("e")
        await arrive(pilot, "AskChoice")
        await pilot.press("enter")
        await until(pilot, lambda: on.config.defaults.agent_effort is None)
        assert not on.unsaved


async def test_a_lane_without_an_effort_of_its_own_offers_none() -> None:
    app = Stage(workspace(FILLED), ToLanes("auxiliary"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        assert app.screen.check_action("effort", ()) is None
        await pilot.press("V")
        await until(pilot, lambda: app.screen.check_action("effort", ()) is True)


async def test_no_key_is_shown_where_a_selector_belongs(tmp_path: Path) -> None:
    key = "sk-" + "a1B2" * 6
    path, base = tmp_path / "warden.toml", tmp_path / "org.toml"
    path.write_text(f'version = 1\n[defaults.agent]\nmodel = "{key}"\n{PROVIDER}')
    base.write_text(
        f'version = 1\n[defaults.synthesis]\nmodel = "x/{key}"\n[defaults.providers.gw]\n'
        f'baseUrl = "http://ann:hunter22@gw/v1"\nheaders = {{ X-Api-Key = "{key}" }}\n'
    )
    vault = open_vault(tmp_path, env={}, find=None)
    on = open_workspace(path, env={}, vault=vault, base=base)
    app = Stage(on, ToLanes("agent"))
    async with app.run_test(size=(160, 50)) as pilot:
        await stand(pilot, "LanesScreen")
        for press in ("end", "L", "b", "L"):
            await pilot.press(press)
            await pilot.pause()
            lists = [option for one in app.screen.query(OptionList) for option in one.options]
            said = chains(app) + "".join(str(option.prompt) for option in lists)
            assert key not in said
            assert "hunter22" not in said


async def test_a_base_layer_without_a_file_beside_it_is_what_the_lanes_come_from(
    tmp_path: Path,
) -> None:
    base = tmp_path / "org.toml"
    base.write_text(f'version = 1\n[defaults.agent]\nmodel = "litellm/qwen3-coder"\n{PROVIDER}')
    vault = open_vault(tmp_path, env={}, find=None)
    on = open_workspace(tmp_path / "warden.toml", env={}, vault=vault, base=base)
    app = Stage(on, ToLanes("agent"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        await pilot.press("b")
        await until(pilot, lambda: "by defaults.agent.model" in chains(app))
        assert not on.lanes().escapes
    assert not on.unsaved


async def test_lanes_that_escape_are_marked_and_the_escape_stands_first() -> None:
    on = workspace(UNSET + '[defaults.agent]\nmodel = "litellm/qwen3-coder"\n')
    on.variant = "stock"
    app = Stage(on, ToLanes("agent"))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, "LanesScreen")
        rows = app.screen.query_one("#rows", OptionList)
        marked = [str(option.prompt).startswith("▲") for option in rows.options]
        assert marked == [False, False, True, True]
        assert chains(app).startswith("▲ E")


TWO_ESCAPES = (
    UNSET
    + """[defaults.agent]
model = "litellm/qwen3-coder"
[defaults.auxiliary]
model = "litellm/qwen3-mini"
[defaults.synthesis]
model = "anthropic/claude-opus"
[[skills]]
name = "own"
model = "openai/gpt-5"
"""
)


@pytest.mark.parametrize("lane", ["agent", "auxiliary"])
async def test_c_on_a_lane_without_an_escape_closes_no_other_ones(lane: Lane) -> None:
    on = workspace(TWO_ESCAPES)
    app = Stage(on, ToLanes(lane))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        await until(pilot, lambda: "▲ E" in chains(app))
        assert "c closes it" not in chains(app)
        await pilot.press("c")
        await until(pilot, lambda: bool(list(app._notifications)))
        said = " ".join(one.message for one in app._notifications)
        assert lane in said
        assert "synthesis" in said
        assert "own" in said
        assert on.document.text == TWO_ESCAPES


async def test_c_closes_the_escape_of_the_skill_at_the_cursor() -> None:
    on = workspace(TWO_ESCAPES)
    app = Stage(on, ToLanes("agent"))
    async with app.run_test(size=(120, 40)) as pilot:
        await stand(pilot, "LanesScreen")
        app.screen.query_one("#rows", OptionList).focus()
        await pilot.press("end")
        await until(pilot, lambda: "c closes it" in chains(app))
        await pilot.press("c")
        await until(pilot, lambda: on.unsaved)
        assert on.config.defaults.synthesis_model == "anthropic/claude-opus"
        model = on.config.skills[-1].model
        assert model is not None
        assert model.startswith("litellm/")
