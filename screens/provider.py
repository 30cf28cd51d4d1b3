"""Provider: its name, address and key variable; and taking it out of the file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from core.errors import TurnkeyError, UsageProblem, error_for
from core.keys.bounded import beside
from core.keys.source import variable_fault
from core.providers.base_url import read_base_url
from core.providers.key_forms import may_be_key, shown_selector
from core.providers.names import name_fault, name_warnings
from core.providers.url_keys import address_keys, shown_address, without_query_keys
from core.text import one_line
from core.warden.edits import (
    remove_provider,
    rename_provider,
    rename_selectors,
    replace_provider,
    uses,
)
from core.warden.secrets import bare_address, login_in
from tui.widgets.ask import AskChoice
from tui.widgets.fault import FaultBox
from tui.widgets.field import Field
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.errors import Fault
    from core.warden.document import Document
    from core.warden.lanes import Layer
    from core.workspace import Workspace


class ProviderScreen(TurnkeyScreen[None]):
    """One provider of the file; every change is a pending edit."""

    TITLE = "provider"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "take", "Take", id="take", tooltip="Take what is written: an edit"),
        # Before the input's own: it would delete a letter.
        Binding("ctrl+d", "remove", "Remove", id="remove", priority=True),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(workspace)
        self._provider = workspace.provider(name)
        own = workspace.config.provider(name) is not None
        self._layer: Layer = "repo" if own or workspace.base is None else "base"
        self._address = self._provider.base_url
        if login_in(self._address) is not None:
            self._address = bare_address(self._address)  # a password is never shown
        if address_keys(self._address):
            # Nor is a key: it stays in the file unless the field is written anew.
            self._address = shown_address(without_query_keys(self._address))

    def body(self) -> ComposeResult:
        """Three fields, and where the provider is used."""
        with VerticalScroll(id="form"):
            yield Field("Name", id="name")
            yield Field("Base URL", id="url")
            yield Field("Key from", id="variable", placeholder="the usual variable")
            yield FaultBox(id="fault")
            yield Static(id="used", markup=False)

    def on_mount(self) -> None:
        """Fill in what the file says."""
        super().on_mount()
        one = self._provider
        self.query_one("#name", Field).value = one.name
        self.query_one("#url", Field).value = self._address
        self.query_one("#variable", Field).value = _name(one.api_key_env)
        listed = self._uses()
        text = "\n".join(f"  {line}" for line in listed) or "  nothing"
        models = ", ".join(entry.id for entry in one.models) or "none"
        self.query_one("#used", Static).update(
            f"Used by\n{text}\nModels: {one_line(models, 400)} (m on home chooses them)"
        )
        self.query_one("#name Input").focus()

    def _uses(self) -> list[str]:
        name, here = self._provider.name, self.workspace.document
        sheets = [self._sheet]
        if self.workspace.follows(self._layer, name):
            sheets.append(here)
        return [
            f"{use.dotted} = {one_line(shown_selector(use.selector), 60)} "
            f"({f'{one_line(sheet.path.name, 40)}, ' if self._layer == 'base' else ''}"
            f"line {use.line})"
            for sheet in sheets
            for use in uses(sheet, name)
        ]

    @property
    def _sheet(self) -> Document:
        """The file that the provider stands in."""
        return self.workspace.sheet(self._layer)

    async def _agreed(self) -> bool:
        """Whether the file of an organisation's base layer is meant to be edited."""
        if self._layer == "repo":
            return True
        where = one_line(str(self._sheet.path), 200)
        answer = await self.app.push_screen_wait(
            AskChoice(
                f"«{one_line(self._provider.name, 40)}» stands in the base layer, {where}. "
                "Other repositories may read it too.",
                (("no", "Leave it"), ("base", "Change it there")),
            )
        )
        return answer == "base"

    def _written(self) -> tuple[str, str, str | None]:
        return (
            self.query_one("#name", Field).value.strip(),
            self.query_one("#url", Field).value.strip(),
            self.query_one("#variable", Field).value.strip() or None,
        )

    def _fault(self) -> Fault | None:
        """Why what is written cannot stand; each field says so as one types."""
        name, url, variable = self._written()
        taken = [one.name for one in self._sheet.config().providers]
        fault = None
        if name != self._provider.name:
            fault = name_fault(name, taken)
            note = self.query_one("#name", Field)
            if fault is not None:
                note.say(("bad", fault.what))
            else:
                note.say(*[("warn", one.what) for one in name_warnings(name, taken)])
        try:
            base = read_base_url(url)
        except UsageProblem as problem:
            self.query_one("#url", Field).say(("bad", problem.fault.what))
            fault = fault or problem.fault
        else:
            notes = (*base.changes, *base.warnings)
            if self._address != self._provider.base_url and url == self._address:
                notes = (*notes, "A password stands in it: c on home moves it to the keyring.")
            self.query_one("#url", Field).say(*[("warn", text) for text in notes])
        wrong = variable_fault(variable, name) if variable else None
        if wrong is None:
            self.query_one("#variable", Field).say()
        else:
            self.query_one("#variable", Field).say(("bad", wrong.what))
        return fault or wrong

    @on(Input.Changed)
    def look(self) -> None:
        """Each keystroke is judged."""
        self.query_one(FaultBox).clear()
        self._fault()

    @on(Input.Submitted)
    def submit(self) -> None:
        """Enter takes it."""
        self.action_take()

    @work(exclusive=True, group="take", exit_on_error=False)
    async def action_take(self) -> None:
        """Make the edits; a new name asks whether the selectors follow it."""
        fault, box = self._fault(), self.query_one(FaultBox)
        if fault is not None:
            box.show(error_for(fault).fault)
            return
        name, url, variable = self._written()
        old = self._provider
        url = old.base_url if url == self._address else read_base_url(url).url
        keep = False
        listed = self._uses()
        if name != old.name and listed:
            answer = await self.app.push_screen_wait(
                AskChoice(
                    f"These name «{one_line(old.name, 40)}»:\n" + "\n".join(listed[:12]),
                    (("follow", "Let them follow the new name"), ("keep", "Leave them")),
                )
            )
            if answer is None:
                return
            keep = answer == "keep"
        changed = msgspec.structs.replace(old, base_url=url, api_key_env=variable)
        if not await self._agreed():
            return
        here = self.workspace.document
        both = self.workspace.follows(self._layer, old.name) and not keep
        try:
            document = replace_provider(self._sheet, changed)
            document = rename_provider(document, old.name, name, keep_selectors=keep)
            following = rename_selectors(here, old.name, name) if both else here
        except TurnkeyError as error:
            box.show(error.fault)
            return
        self.workspace.edit_together(
            {self._layer: document} | ({"repo": following} if both else {})
        )
        if url != old.base_url:
            words = "The key belongs to the address it was given for: k shows it, and re-binds it."
            self.notify(words, markup=False)
        elif (name, variable) != (old.name, old.api_key_env):
            carried = await beside(partial(self.workspace.carry_key, old, name, variable))
            words = "Its key goes along with the save." if carried else ""
            if words:
                self.notify(words, markup=False)
        self.dismiss()

    @work(exclusive=True, group="remove", exit_on_error=False)
    async def action_remove(self) -> None:
        """Take the provider out; what would dangle is listed first."""
        listed = self._uses()
        name = one_line(self._provider.name, 40)
        dangling = "\n".join(listed[:12])
        question = (
            f"These would name a provider that is not there:\n{dangling}\n\nRemove «{name}»?"
            if listed
            else f"Nothing uses «{name}». Remove it with its models?"
        )
        answer = await self.app.push_screen_wait(
            AskChoice(question, (("keep", "Keep it"), ("remove", "Remove it")))
        )
        if answer != "remove" or not await self._agreed():
            return
        try:
            document = remove_provider(self._sheet, self._provider.name)
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        self.workspace.edit(document, self._layer)
        self.dismiss()


def _name(variable: str | None) -> str:
    """The variable as it may be shown: a key that stands in its place is not."""
    return "" if variable is None or may_be_key(variable) else variable
