"""Check: everything that is wrong with the file, and one key that mends what can be mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.errors import TurnkeyError
from core.keys.bounded import beside
from core.leaked import Leak, leaks, move
from core.text import one_line
from core.warden.closing import closed
from core.warden.scene import Escape
from core.warden.upgrades import Upgrade, all_upgraded, upgraded, upgrades
from tui.widgets.ask import AskChoice
from tui.widgets.fault import FaultBox
from tui.widgets.places import ToSave
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.warden.problems import Problem
    from core.workspace import Workspace

SIGNS = {"error": ("▲", "$error"), "warning": ("▲", "$warning"), "note": ("·", "$foreground 75%")}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list: what is wrong, and the ways to mend it that turnkey has."""

    title: str
    words: str
    severity: str
    ways: tuple[Upgrade | Leak | Escape, ...] = ()


ALL_WELL = "Warden reads it as it stands. Whether the models work, v on home tries: esc goes back."


class CheckScreen(TurnkeyScreen[None]):
    """Problems of both layers and escapes, worst first."""

    TITLE = "check"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fix", "Fix", id="fix", tooltip="Mend this one: an edit, not saved yet"),
        Binding("F", "fix_all", "Fix old spellings", id="fix-all"),
        Binding("u", "undo", "Undo", id="undo"),
        Binding("U,ctrl+r", "redo", "Redo", id="redo", show=False),
        Binding("s", "save", "Save", id="save"),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(self, workspace: Workspace, about: str = "") -> None:
        """``about``: the problem that the cursor goes to, in its own words."""
        super().__init__(workspace)
        self._about = about
        self._items: tuple[Item, ...] = ()

    def body(self) -> ComposeResult:
        """The list above, the words on the highlighted one below."""
        items = OptionList(id="items", markup=False)
        items.border_title = "What is wrong, worst first"
        yield items
        yield FaultBox(id="fault")
        with VerticalScroll(id="words"):
            yield Static(markup=False)

    def draw(self) -> None:
        """Show what is wrong with the file as it stands."""
        super().draw()
        self._items = tuple(items_of(self.workspace))
        found = self.query_one("#items", OptionList)
        at = found.highlighted or 0
        if self._about:
            named = [at for at, item in enumerate(self._items) if item.title == self._about]
            at, self._about = (named or [at])[0], ""
        with self.prevent(OptionList.OptionHighlighted):  # a fault that is shown stays
            found.clear_options()
            found.add_options(
                [
                    Option(
                        Content.assemble(
                            (f"{SIGNS[item.severity][0]} ", SIGNS[item.severity][1]),
                            ("f " if item.ways else "  ", "bold $primary"),
                            one_line(item.title, 300),
                        )
                    )
                    for item in self._items
                ]
                or [Option("nothing is wrong with the file")]
            )
            found.highlighted = min(at, max(0, len(self._items) - 1))
        self._tell()
        self.refresh_bindings()

    def _item(self) -> Item | None:
        at = self.query_one("#items", OptionList).highlighted
        return self._items[at] if at is not None and at < len(self._items) else None

    def _tell(self) -> None:
        item = self._item()
        self.query_one("#words Static", Static).update(ALL_WELL if item is None else item.words)

    @on(OptionList.OptionHighlighted, "#items")
    def tell(self) -> None:
        """Another one is highlighted."""
        self.query_one(FaultBox).clear()
        self._tell()
        self.refresh_bindings()

    @on(OptionList.OptionSelected, "#items")
    def select(self) -> None:
        """Enter does what f does."""
        self.action_fix()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that can do nothing now are greyed."""
        if action == "fix":
            item = self._item()
            return True if item is not None and item.ways else None
        if action == "fix_all":
            return True if any(one.plain for one in upgrades(self.workspace.document)) else None
        if action == "undo":
            return True if self.workspace.can_undo else None
        if action == "redo":
            return True if self.workspace.can_redo else None
        if action == "save":
            return True if self.workspace.unsaved else None
        return True

    @work(exclusive=True, group="fix", exit_on_error=False)
    async def action_fix(self) -> None:
        """Mend the highlighted one; where there are several ways, or a key moves, asked first."""
        item = self._item()
        if item is None or not item.ways:
            return
        way = item.ways[0]
        if len(item.ways) > 1 or isinstance(way, Leak):
            answers = [(f"way-{at}", one_line(says(one), 70)) for at, one in enumerate(item.ways)]
            question = "Which way?" if len(item.ways) > 1 else "Move this key to the keyring now?"
            answer = await self.app.push_screen_wait(
                AskChoice(question, (*answers, ("leave", "Leave it")))
            )
            if answer is None or answer == "leave":
                return
            way = item.ways[int(answer.removeprefix("way-"))]
        try:
            await self._mend(way)
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        self.draw()

    async def _mend(self, way: Upgrade | Leak | Escape) -> None:
        workspace = self.workspace
        if isinstance(way, Upgrade):
            workspace.edit(upgraded(workspace.document, way))
        elif isinstance(way, Escape):
            layer = way.edit.layer if way.edit is not None else "repo"
            workspace.edit(closed(workspace.sheet(layer), way), layer)
        else:
            edited, place = await beside(lambda: move(workspace.document, way, workspace.vault))
            workspace.edit(edited)
            text = (
                f"{way.variable} {place.for_origin(way.origin)}. Save, so that it leaves the file."
            )
            self.notify(text, title="The key is kept", markup=False)

    def action_fix_all(self) -> None:
        """Bring every old spelling up to date; leftovers stay."""
        document, done = all_upgraded(self.workspace.document)
        self.workspace.edit(document)
        self.notify("\n".join(one.says for one in done), title="Old spellings", markup=False)
        self.draw()

    def action_undo(self) -> None:
        """Take the last edit back."""
        self.workspace.undo()
        self.draw()

    def action_redo(self) -> None:
        """Make the edit again that was taken back."""
        self.workspace.redo()
        self.draw()

    def action_save(self) -> None:
        """Show the difference."""
        self.open(ToSave())


def says(way: Upgrade | Leak | Escape) -> str:
    """What a way to mend would do."""
    return way.fix if isinstance(way, Escape) else way.says


def items_of(workspace: Workspace) -> list[Item]:
    """Escapes first, then the problems of both layers, each with the ways to mend it."""
    document = workspace.document
    offered, found = upgrades(document), leaks(document)
    items = [
        Item(
            f"{one.code} {one.lane}: {one.message}",
            f"{one.message}\n\nfix  {one.fix}",
            "error",
            (one,) if one.edit is not None and one.edit.value is not None else (),
        )
        for one in workspace.lanes().escapes
    ]
    for problem in workspace.problems():
        ways: tuple[Upgrade | Leak | Escape, ...] = ()
        if problem.layer == "repo":
            kept = [leak for leak in found if leak.path == problem.keys and leak.way != "none"]
            if problem.code == "secret_in_file":
                ways = tuple(kept)
            else:
                ways = tuple(one for one in offered if one.path == problem.keys)
        items.append(Item(problem.message, _words(problem, ways), problem.severity, ways))
    return items


def _words(problem: Problem, ways: tuple[Upgrade | Leak | Escape, ...]) -> str:
    where = "the base layer, " if problem.layer == "base" else ""
    lines = [problem.message, f"at  {where}line {problem.line}, column {problem.column}"]
    if problem.path:
        lines[1] += f": {problem.path}"
    if problem.effect:
        lines.append(f"Warden  {problem.effect}")
    if problem.suggestion:
        lines.append(f"fix  {problem.suggestion}")
    lines += [f"f  {says(way)}" for way in ways]
    return "\n".join(one_line(line, 400) for line in lines)
