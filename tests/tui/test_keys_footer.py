"""The footer shows the keys that fit, and the ways out at any width."""

from __future__ import annotations

import pytest

from tui.widgets.keys_footer import REST_WIDTH, Shown, fitting

KEYS = (
    Shown("add", "a", "Add", enabled=True),
    Shown("models", "m", "Models", enabled=False),
    Shown("test", "t", "Test", enabled=True),
    Shown("back", "esc", "Back", enabled=True),
    Shown("copy", "y", "Copy", enabled=True),
)
WHOLE = sum(key.width for key in KEYS) - 1


@pytest.mark.parametrize(
    ("width", "seen"),
    [
        (WHOLE, ["a", "m", "t", "esc", "y"]),
        (WHOLE - 1, ["a", "t", "esc"]),
        (WHOLE - 1 + 7, ["a", "m", "t", "esc", "y"]),
        (KEYS[0].width + KEYS[3].width + REST_WIDTH, ["a", "esc"]),
        (20, ["esc"]),
        (1, ["esc"]),
    ],
)
def test_what_can_do_nothing_goes_first_and_the_ways_out_stay(width: int, seen: list[str]) -> None:
    assert [key.key for key in fitting(KEYS, width)] == seen


def test_what_fits_leaves_room_for_the_key_that_shows_the_rest() -> None:
    for width in range(25, WHOLE + 20):
        shown = fitting(KEYS, width)
        rest = 0 if len(shown) == len(KEYS) else REST_WIDTH
        assert sum(key.width for key in shown) - 1 + rest <= width
