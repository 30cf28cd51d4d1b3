"""Lanes: a model for each of agent, auxiliary and synthesis, and why each gets what it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.errors import Refusal, TurnkeyError
from core.text import one_line
from core.warden.chains import LANES, WORKS, efforts
from screens.lane_choice import ALL, current, differ, edited, levels, with_effort
from screens.lane_rows import (
    MORE,
    at_row,
    in_order,
    none_here,
    own_models,
    row_option,
    rows_leaving,
    to_close,
)
from screens.lane_words import (
    FOLLOWS,
    escape_lines,
    lanes_of,
    lanes_words,
    layer_words,
    override_words,
    overrides_line,
    shown,
)
from tui.widgets.ask import AskChoice
from tui.widgets.fault import FaultBox
from tui.widgets.places import ToLive, ToSave
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.mend import EscapeGroup
    from core.warden.config import Config
    from core.warden.document import Document
    from core.warden.lane_edits import DefaultModel
    from core.warden.lanes import Lane, LaneReport, Layer, Override
    from core.workspace import Workspace

NO_MODELS: Final = "No model is declared yet: go back with esc, and a adds a provider."


class LanesScreen(TurnkeyScreen[None]):
    """Choose on the left which lane, on the right which model; below stands what would be."""

    TITLE = "lanes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "app.focus_previous", "Lane", show=False),
        Binding("right", "app.focus_next", "Model", show=False),
        Binding("c", "close", "Close", id="close", tooltip="Close the first escape of the lane"),
        Binding("e", "effort", "Effort", id="effort", tooltip="How hard the lane's model thinks"),
        Binding("w", "more", "More work", id="more", tooltip="Verification, the action, build"),
        Binding("t", "test", "Test", id="test", tooltip="Watch this model answer"),
        Binding("V", "variant", "Variant", id="variant", tooltip="Which Warden reads the file"),
        Binding("b", "base", "Base", id="base", tooltip="The organisation's base layer"),
        Binding("L", "layers", "Layers", id="layers", tooltip="Which layer gives which value"),
        Binding("u", "undo", "Undo", id="undo"),
        Binding("U,ctrl+r", "redo", "Redo", id="redo", show=False),
        Binding("s", "save", "Save", id="save"),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(self, workspace: Workspace, lane: Lane = "agent") -> None:
        super().__init__(workspace)
        unset = all(workspace.lanes().lanes[name].won_by == "pi" for name in LANES)
        self._row: str = ALL if unset else lane
        self._rows: tuple[str, ...] = (ALL, *LANES)
        self._overrides: dict[str, Override] = {}
        self._leaving: frozenset[str] = frozenset()
        self._choices: tuple[str | None, ...] = ()
        self._layer: Layer = "repo"
        self._more = False
        self._views = False
        self._offered: EscapeGroup | None = None

    def body(self) -> ComposeResult:
        """Lanes, models, and the resolution of all."""
        with Horizontal(id="choice"):
            lanes = OptionList(id="rows", markup=False)
            lanes.border_title = "Lane"
            yield lanes
            models = OptionList(id="choices", markup=False)
            models.border_title = "Model"
            yield models
        yield FaultBox(id="fault")
        with VerticalScroll(id="resolution"):
            yield Static(id="chains", markup=False)

    def on_mount(self) -> None:
        """Stand on the lane that was asked for."""
        super().on_mount()
        self.query_one("#choices").focus()

    # -- what there is ---------------------------------------------------------------------------

    @property
    def _document(self) -> Document:
        """The file that edits go to: the repository's, unless the layer switch says base."""
        return self.workspace.sheet(self._layer)

    @property
    def _config(self) -> Config:
        return self._document.config()

    def _report(self, document: Document) -> LaneReport:
        """What all resolves to with ``document`` as the file of the chosen layer."""
        from core.warden.lanes import resolve

        workspace, in_base = self.workspace, self._layer == "base"
        return resolve(
            workspace.config if in_base else document.config(),
            workspace.variant,
            env=workspace.env,
            base=document.config() if in_base else workspace.base,
            base_only=workspace.base_only and (in_base or not document.raw),
        )

    def draw(self) -> None:
        """Show the rows, the choices for the lane, and what each lane resolves to."""
        super().draw()
        report = self._report(self._document)
        lanes = lanes_of(report, self._layer)
        self._overrides = own_models(report, self._layer)
        self._rows = (ALL, *LANES, *(MORE if self._more else ()), *self._overrides)
        if self._row not in self._rows:
            self._row = ALL
        self._leaving = rows_leaving(report, self._layer, self._overrides)
        rows = self.query_one("#rows", OptionList)
        rows.border_title = "Lane · base layer" if self._layer == "base" else "Lane"
        with self.prevent(OptionList.OptionHighlighted):
            rows.clear_options()
            for row in self._rows:
                if row == ALL:
                    selector = ""
                elif row in self._overrides:
                    selector = self._overrides[row].selector
                else:
                    selector = lanes[row].says
                rows.add_option(row_option(row, selector, leaves=row in self._leaving))
            rows.highlighted = self._rows.index(self._row)
        self._list_choices()
        self._preview()
        self.refresh_bindings()

    def _list_choices(self) -> None:
        models = self.query_one("#choices", OptionList)
        with self.prevent(OptionList.OptionHighlighted):
            models.clear_options()
            if self._row in FOLLOWS:
                self._choices = ()
                models.add_option(Option(FOLLOWS[self._row], disabled=True))
                return
            found = self._config.providers if self._layer == "base" else self.workspace.providers
            declared = [f"{one.name}/{entry.id}" for one in found for entry in one.models]
            now = current(self._config, self._row, self._overrides)
            split = differ(self._config, self._row)
            if now is not None and now not in declared:
                declared.append(now)
            self._choices = (*declared, None)
            models.add_options(
                [
                    Option(
                        ("● " if choice == now and not split else "  ")
                        + (shown(choice) if choice is not None else self._inherit_words())
                    )
                    for choice in self._choices
                ]
            )
            models.highlighted = 0 if now is None and declared else self._choices.index(now)

    def _inherit_words(self) -> str:
        if self._row in self._overrides:
            return "no model of its own"
        return "unset all three" if self._row == ALL else "inherit (leave it unset)"

    def _choice(self) -> str | None:
        at = self.query_one("#choices", OptionList).highlighted
        return self._choices[at] if at is not None and at < len(self._choices) else None

    def _with(self, choice: str | None, default_model: DefaultModel) -> Document:
        return edited(self._document, self._row, choice, self._overrides, default_model)

    def _preview(self) -> None:
        """Redraw the resolution as it would be with the highlighted choice."""
        fault = self.query_one(FaultBox)
        fault.clear()
        try:
            document = self._with(self._choice(), "keep")
        except TurnkeyError as error:
            fault.show(error.fault)
            return
        report = self._report(document)
        changed = document.raw != self._document.raw
        where = " in the base layer" if self._layer == "base" else ""
        self.query_one("#resolution").border_title = (
            f"With this choice{where} (enter takes it)" if changed else f"As it stands{where}"
        )
        parts = self._words(document, report)
        if self._choices == (None,):
            parts.insert(0, Content.styled(NO_MODELS, "$warning"))
        self.query_one("#chains", Static).update(Content("\n").join(parts))

    def _words(self, document: Document, report: LaneReport) -> list[Content]:
        workspace = self.workspace
        if self._views and workspace.base_document is not None:
            from core.warden.layers import layered

            in_base = self._layer == "base"
            base = document if in_base else workspace.base_document
            repo = workspace.document if in_base else document
            return layer_words(layered(base.data(), repo.data()), base, repo)
        config = document.config()
        override = self._overrides.get(self._row)
        if override is not None:
            from core.warden.lanes import resolve_skill

            skill, trigger = override.path[1], override.path[3] if len(override.path) > 3 else None
            chain = resolve_skill(
                config,
                workspace.variant,
                int(skill),
                None if trigger is None else int(trigger),
                env=workspace.env,
                base=None if self._layer == "base" else workspace.base,
            )
            parts = override_words(self._row, chain)
        else:
            chosen = report.efforts
            if self._layer == "base":
                runtime = config.defaults.runtime or "pi"
                chosen = efforts(config, workspace.variant, dict.fromkeys(WORKS, runtime))
            parts = lanes_words(
                self._row,
                lanes_of(report, self._layer),
                chosen,
                layers=workspace.base is not None,
            )
            if self._row in {ALL, "agent"}:
                parts += overrides_line(report)
        groups = in_order(report, self._row)
        here = at_row(groups, self._row, self._overrides)
        self._offered = to_close(here, in_order(workspace.lanes(), self._row))
        # First, so that they are seen on a small screen: the chains may be scrolled.
        parts = [*escape_lines(groups, self._offered), *parts]
        if workspace.base is None and workspace.named_bases:
            one = workspace.named_bases[0]
            text = f"{one.workflow} gives Warden a base layer, {one.written}: b reads it"
            parts.append(Content.styled(one_line(text, 200), "$warning"))
        return parts

    # -- what is done ----------------------------------------------------------------------------

    @on(OptionList.OptionHighlighted, "#rows")
    def choose_row(self, event: OptionList.OptionHighlighted) -> None:
        """Another lane, other choices."""
        self._row = self._rows[event.option_index]
        self._list_choices()
        self._preview()
        self.refresh_bindings()

    @on(OptionList.OptionSelected, "#rows")
    def to_models(self) -> None:
        """Enter on a lane goes to its models."""
        self.query_one("#choices").focus()

    @on(OptionList.OptionHighlighted, "#choices")
    def preview(self) -> None:
        """The resolution is redrawn as one chooses."""
        self._preview()

    @on(OptionList.OptionSelected, "#choices")
    def choose(self) -> None:
        """Enter takes the choice: a pending edit."""
        if self._choices:
            self.take(self._choice())

    @work(exclusive=True, group="take", exit_on_error=False)
    async def take(self, choice: str | None) -> None:
        """Write the choice into the pending document; ask where an old line stands."""
        fault = self.query_one(FaultBox)
        try:
            document = self._with(choice, "refuse")
        except Refusal as refusal:
            if refusal.fault.code != "default_model_stands":
                fault.show(refusal.fault)
                return
            answer = await self.app.push_screen_wait(
                AskChoice(
                    "defaults.model stands in the file, the older spelling of the agent's model.",
                    (("move", "Replace that line"), ("keep", "Keep it beside the lane")),
                )
            )
            if answer is None:
                return
            document = self._with(choice, "move" if answer == "move" else "keep")
        except TurnkeyError as error:
            fault.show(error.fault)
            return
        self.workspace.edit(document, self._layer)
        self.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that can do nothing now are greyed."""
        if action == "undo":
            return True if self.workspace.can_undo else None
        if action == "redo":
            return True if self.workspace.can_redo else None
        if action == "save":
            return True if self.workspace.unsaved else None
        if action == "close":
            return True if self.workspace.lanes().escapes else None
        if action == "effort":
            return True if levels(self._row, self.workspace.variant) else None
        if action == "layers":
            return self.workspace.base is not None
        if action == "base":
            return True if self.workspace.base or self.workspace.named_bases else None
        if action == "test":
            return True if self._choice() is not None else None
        return True

    @work(exclusive=True, group="effort", exit_on_error=False)
    async def action_effort(self) -> None:
        """Ask how hard the lane's model thinks, and write it: a pending edit."""
        known = levels(self._row, self.workspace.variant)
        if not known:
            return
        answers = [("unset", "leave it unset"), *((level, level) for level in known)]
        question = f"Effort of {self._row if self._row != ALL else 'the lanes that have one'}:"
        answer = await self.app.push_screen_wait(AskChoice(question, answers))
        if answer is None:
            return
        wanted = None if answer == "unset" else answer
        try:
            document = with_effort(self._document, self._row, wanted, self.workspace.variant)
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        self.workspace.edit(document, self._layer)
        self.draw()

    def action_test(self) -> None:
        """Watch the highlighted model answer."""
        choice = self._choice()
        if choice is not None:
            self.open(ToLive(selector=choice))

    def action_variant(self) -> None:
        """Show what the other Warden would do with the file."""
        self.workspace.variant = "stock" if self.workspace.variant == "providers" else "providers"
        self.draw()

    def action_undo(self) -> None:
        """Take the last edit back."""
        self.workspace.undo()
        self.draw()

    def action_redo(self) -> None:
        """Make the edit again that was taken back."""
        self.workspace.redo()
        self.draw()

    def action_more(self) -> None:
        """Show the work that follows the lanes, or hide it again."""
        self._more = not self._more
        self.draw()

    def action_layers(self) -> None:
        """Show both layers in Warden's three views, or the chains again."""
        self._views = not self._views
        self._preview()

    def action_close(self) -> None:
        """Close the first escape of the row at the cursor, by the edit that it carries: pending."""
        from core.warden.closing import closed

        standing = in_order(self.workspace.lanes(), self._row)
        here = at_row(standing, self._row, self._overrides)
        group = self._offered or (here[0] if here else None)
        if group is None:
            self.notify(none_here(self._row, self._leaving), title="Close", markup=False)
            return
        escape = group.first
        layer = escape.edit.layer if escape.edit is not None else "repo"
        try:
            self.workspace.edit(closed(self.workspace.sheet(layer), escape), layer)
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        self.draw()

    @work(exclusive=True, group="base", exit_on_error=False)
    async def action_base(self) -> None:
        """Switch between the layers; a base layer that a workflow names is offered first."""
        if self.workspace.base_document is None and not await self._open_named():
            return
        self._layer = "repo" if self._layer == "base" else "base"
        self.draw()

    async def _open_named(self) -> bool:
        """Ask for the base layer that a workflow names, and read it; whether it is there now."""
        fault = self.query_one(FaultBox)
        named = next((one for one in self.workspace.named_bases if one.path is not None), None)
        if named is None or named.path is None:
            text = "It is not in this checkout: turnkey --base FILE reads a copy of it."
            self.notify(text, title="Base layer", markup=False)
            return False
        answer = await self.app.push_screen_wait(
            AskChoice(
                f"{one_line(named.workflow, 60)} gives Warden a base layer: "
                f"{one_line(named.written, 100)}. Read it beside the file?",
                (("read", "Read it"), ("no", "No")),
            )
        )
        if answer != "read":
            return False
        try:
            self.workspace.open_base(named.path)
        except TurnkeyError as error:
            fault.show(error.fault)
            return False
        return True

    def action_save(self) -> None:
        """Show the difference."""
        self.open(ToSave())
