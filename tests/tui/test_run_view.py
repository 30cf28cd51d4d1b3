"""What a run's panes show beside its text."""

from __future__ import annotations

from core.live.calls import ToolCall
from tui.widgets.run_view import SHOWN, call_lines


def test_only_so_many_calls_are_laid_out_and_the_rest_is_a_number() -> None:
    calls = [ToolCall("c", "read", "{}")] * (SHOWN + 180)
    lines = call_lines(calls, more=2_800).plain.split("\n")
    assert lines == ["→ calls read {}"] * SHOWN + ["… and 2,980 more calls"]
    assert call_lines(calls[:SHOWN]).plain.split("\n") == ["→ calls read {}"] * SHOWN
