"""Takes the pictures of a scene: three sizes, light and dark, and without colour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from tests.screens.pictures import without_fonts
from tests.screens.stage import still
from tui.theme import DARK, LIGHT

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tests.screens.scenes import Scene

FOLDER: Final = Path(__file__).parent / "album"
CALM_S: Final = 0.35
"""A new picture is kept once it has stayed the same for so long: seven frames of a stream."""
LOOKS: Final = 6
"""And has been looked at so often: a busy machine paints a frame late."""
PATIENCE_S: Final = 4.0
"""For so long a picture may stay another one than that on record before that is a failure."""
RESTLESS_S: Final = 30.0
"""For so long it may change; one that shows a running clock would never come to rest."""


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a scene."""

    name: str
    size: tuple[int, int]
    theme: str = DARK.name


COLOURED: Final = (
    View("60x20", (60, 20)),
    View("80x24", (80, 24)),
    View("80x24-light", (80, 24), LIGHT.name),
    View("120x40", (120, 40)),
)
"""In this order: the same window grows, and changes its theme there and back."""
WIDE: Final = View("160x45", (160, 45))
PLAIN: Final = View("80x24-no-colour", (80, 24))
"""With ``NO_COLOR`` set, which is asked for when an app is made: a window of its own."""


def place(scene: Scene, view: View) -> Path:
    """Where a picture is on record."""
    return FOLDER / scene.name / f"{view.name}.svg"


def picture(pilot: Pilot[int]) -> str:
    """What the window shows now, without ids that differ each time, and what nobody would see."""
    svg = without_fonts(pilot.app.export_screenshot(title="turnkey", simplify=True))
    for spare in (r"terminal-\d+-", r' clip-path="[^"]*"', r"<clipPath.*?</clipPath>\n?"):
        svg = re.sub(spare, "", svg, flags=re.DOTALL)
    return svg + "\n"


async def developed(pilot: Pilot[int], recorded: str | None) -> str:
    """The picture once it is the one on record; another one once it has stopped to change."""
    shown, since, same = "", monotonic(), 0
    end = since + RESTLESS_S
    rest = CALM_S if recorded is None else PATIENCE_S
    while True:
        await pilot.pause()
        still(pilot)
        now = picture(pilot)
        if now == recorded:
            return now
        if now != shown:
            shown, since, same = now, monotonic(), 0
        same += 1
        if same > LOOKS and monotonic() - since > rest:
            return now
        assert monotonic() < end, "it does not come to rest"


async def shoot(scene: Scene, views: tuple[View, ...], tmp: Path, *, update: bool) -> list[Path]:
    """Play a scene and look at it in all ``views``; those on record that it differs from.

    They are left in ``tmp`` as they were seen. With ``update`` what is seen is put on
    record instead.
    """
    app, before = scene.make()
    differing: list[Path] = []
    async with app.run_test(size=views[0].size, tooltips=False) as pilot:
        app.theme = views[0].theme
        await before(pilot)
        for view in views:
            app.theme = view.theme
            await pilot.resize_terminal(*view.size)
            path = place(scene, view)
            recorded = path.read_text("utf-8") if path.exists() and not update else None
            seen = await developed(pilot, recorded)
            if update:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(seen, "utf-8")
            elif seen != recorded:
                differing.append(path)
                (tmp / path.name).write_text(seen, "utf-8")
    return differing
