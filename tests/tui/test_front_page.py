"""The page of --help that is laid out already is the one that click lays out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui import door
from tui.cli import cli
from tui.front_page import PAGE, fits

if TYPE_CHECKING:
    from tests.tui.desk import Desk


def laid_out(width: int) -> str:
    """What click makes of the command line in a terminal of ``width`` columns."""
    context = cli.make_context(
        "turnkey", [], resilient_parsing=True, terminal_width=min(width, 100) - 2
    )
    return cli.get_help(context) + "\n"


def test_the_page_is_what_click_lays_out_for_80_columns() -> None:
    assert laid_out(80) == PAGE, "print(tests.tui.test_front_page.laid_out(80)) is the new page"


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize(("columns", "width"), [("80", 80), ("200", 80), ("60", 60)])
def test_a_narrow_terminal_gets_lines_that_fit_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, option: str, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert fits() is (width == 80)
    assert door.main([option]) == 0
    assert desk.capsys.readouterr().out == laid_out(width)


def test_a_pipe_has_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ("", "0", "many"):
        monkeypatch.setenv("COLUMNS", columns)
        assert fits()
