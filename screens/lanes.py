"""Lanes: a model for each of agent, auxiliary and synthesis, and why each gets what it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.errors import Refusal, TurnkeyError
from core.mend import grouped
from core.text import one_line
from core.warden.lane_edits import set_lane, unset_lane
from tui.widgets.ask import AskChoice
from tui.widgets.fault import FaultBox
from tui.widgets.shell import ToLive, ToSave, TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.warden.document import Document
    from core.warden.lane_edits import DefaultModel
    from core.warden.lanes import Lane, LaneReport, Resolution
    from core.workspace import Workspace

Row = Literal["all", "agent", "auxiliary", "synthesis"]
ROWS: tuple[tuple[Row, str], ...] = (
    ("all", "all three"),
    ("agent", "agent"),
    ("auxiliary", "auxiliary"),
    ("synthesis", "synthesis"),
)
LANES: tuple[Lane, ...] = ("agent", "auxiliary", "synthesis")
WORK: dict[Row, str] = {
    "all": "the three lanes, written explicitly, so that none can escape",
    "agent": "reads the repository and analyses each chunk: needs tool calls",
    "auxiliary": "extracts and verifies findings: bare JSON, and tool calls too",
    "synthesis": "merges findings: JSON, longer input",
}


NO_MODELS = "No model is declared yet: go back with esc, and a adds a provider."


class LanesScreen(TurnkeyScreen[None]):
    """Choose on the left which lane, on the right which model; below stands what would be."""

    TITLE = "lanes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "app.focus_previous", "Lane", show=False),
        Binding("right", "app.focus_next", "Model", show=False),
        Binding("t", "test", "Test", id="test", tooltip="Watch this model answer"),
        Binding("V", "variant", "Variant", id="variant", tooltip="Which Warden reads the file"),
        Binding("u", "undo", "Undo", id="undo"),
        Binding("s", "save", "Save", id="save"),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(self, workspace: Workspace, lane: Lane = "agent") -> None:
        super().__init__(workspace)
        unset = all(workspace.lanes().lanes[name].won_by == "pi" for name in LANES)
        self._row: Row = "all" if unset else lane
        self._choices: tuple[str | None, ...] = ()

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
        rows = self.query_one("#rows", OptionList)
        rows.add_options([Option(label, id=row) for row, label in ROWS])
        rows.highlighted = next(index for index, (row, _) in enumerate(ROWS) if row == self._row)
        super().on_mount()
        self.query_one("#choices").focus()

    def draw(self) -> None:
        """Show the choices for the lane, and what each lane resolves to."""
        super().draw()
        rows = self.query_one("#rows", OptionList)
        report = self.workspace.lanes()
        for index, (row, label) in enumerate(ROWS):
            if row == "all":
                continue
            selector = report.lanes[row].selector or "left to Pi"
            rows.replace_option_prompt_at_index(
                index, Content.assemble((f"{label:<10}", "bold"), (one_line(selector), "$accent"))
            )
        self._list_choices()
        self._preview()
        self.refresh_bindings()

    def _list_choices(self) -> None:
        config = self.workspace.config
        declared = [
            f"{provider.name}/{entry.id}"
            for provider in config.providers
            for entry in provider.models
        ]
        now = self._current()
        if now is not None and now not in declared:
            declared.append(now)
        self._choices = (*declared, None)
        models = self.query_one("#choices", OptionList)
        models.clear_options()
        models.add_options(
            [
                Option(
                    ("● " if choice == now else "  ")
                    + (one_line(choice) if choice is not None else self._inherit_words())
                )
                for choice in self._choices
            ]
        )
        models.highlighted = 0 if now is None and declared else self._choices.index(now)

    def _inherit_words(self) -> str:
        return "unset all three" if self._row == "all" else "inherit (leave it unset)"

    def _current(self) -> str | None:
        defaults = self.workspace.config.defaults
        written = {
            "agent": defaults.agent_model,
            "auxiliary": defaults.auxiliary_model,
            "synthesis": defaults.synthesis_model,
        }
        if self._row == "all":
            values = set(written.values())
            return values.pop() if len(values) == 1 else None
        return written[self._row]

    def _choice(self) -> str | None:
        at = self.query_one("#choices", OptionList).highlighted
        return self._choices[at] if at is not None and at < len(self._choices) else None

    def _with(self, choice: str | None, default_model: DefaultModel) -> Document:
        document = self.workspace.document
        for lane in LANES if self._row == "all" else (self._row,):
            if choice is None:
                document = unset_lane(document, lane)
            else:
                document = set_lane(document, lane, choice, default_model=default_model)
        return document

    def _preview(self) -> None:
        """Redraw the resolution as it would be with the highlighted choice."""
        from core.warden.lanes import resolve

        fault = self.query_one(FaultBox)
        fault.clear()
        try:
            document = self._with(self._choice(), "keep")
        except TurnkeyError as error:
            fault.show(error.fault)
            return
        report = resolve(
            document.config(),
            self.workspace.variant,
            env=self.workspace.env,
            base=self.workspace.base,
        )
        changed = document.raw != self.workspace.document.raw
        self.query_one("#resolution").border_title = (
            "With this choice (enter takes it)" if changed else "As it stands"
        )
        words = report_words(self._row, report)
        if self._choices == (None,):
            words = Content.assemble((NO_MODELS, "$warning"), "\n", words)
        self.query_one("#chains", Static).update(words)

    @on(OptionList.OptionHighlighted, "#rows")
    def choose_row(self, event: OptionList.OptionHighlighted) -> None:
        """Another lane, other choices."""
        self._row = ROWS[event.option_index][0]
        self._list_choices()
        self._preview()

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
        self.workspace.edit(document)
        self.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that can do nothing now are greyed."""
        if action == "undo":
            return True if self.workspace.can_undo else None
        if action == "save":
            return True if self.workspace.unsaved else None
        if action == "test":
            return True if self._choice() is not None else None
        return True

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

    def action_save(self) -> None:
        """Show the difference."""
        self.open(ToSave())


def report_words(row: Row, report: LaneReport) -> Content:
    """The lanes with their selectors, then the chain of the one in question, then escapes."""
    parts: list[Content] = [Content.styled(WORK[row], "$foreground 75%")]
    for lane in LANES:
        if row not in {"all", lane}:
            continue
        resolution = report.lanes[lane]
        parts.append(
            Content.assemble(
                (f"{lane:<10}", "bold $primary"),
                " → ",
                (one_line(resolution.selector or "left to Pi"), "bold"),
                (f"   by {resolution.won_by}", "$foreground 75%"),
            )
        )
        if row == lane:
            parts += chain_lines(resolution)
    parts += [
        Content.assemble(
            (f"▲ {group.first.code} {', '.join(group.lanes)}: ", "bold $error"),
            one_line(group.first.message, 400),
            (f"  fix: {one_line(group.first.fix)}", "$foreground 75%"),
        )
        for group in grouped(report.escapes)
    ]
    return Content("\n").join(parts)


def chain_lines(resolution: Resolution) -> list[Content]:
    """The rules of a lane's chain: the value of each, and why it won or was passed over."""
    rules = max(len(step.rule) for step in resolution.chain)
    values = min(26, max(len(step.value or "–") for step in resolution.chain))
    lines = []
    for step in resolution.chain:
        won = step.rule == resolution.won_by
        text = (
            f" {'▸' if won else ' '} {step.rule:<{rules}}  "
            f"{one_line(step.value or '–', values):<{values}}  {one_line(step.why, 300)}"
        )
        chosen = "$error" if step.rule == "pi" else "$success"
        lines.append(Content.styled(text, chosen if won else "$foreground 75%"))
    return lines
