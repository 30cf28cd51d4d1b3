"""Models: what the endpoint lists, filtered as one types; several may be picked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from core.discover.facts import Model
from core.discover.words import FACT_NAMES, fact_words
from core.draft import Draft, accept, declared, silent
from core.errors import TurnkeyError
from core.onboarding import Step
from core.providers.base_url import read_base_url
from core.text import one_line
from tui.widgets.ask import AskText
from tui.widgets.ask_key import agreed_target
from tui.widgets.elapsed import Elapsed
from tui.widgets.fault import FaultBox
from tui.widgets.model_list import ModelList
from tui.widgets.places import ToHome, ToLanes, ToLive
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.providers.base_url import BaseUrl
    from core.warden.config import Provider
    from core.workspace import Workspace


_MOST_WARNINGS = 3
"""Told in lines of their own, so that the list keeps its room."""


class ModelsScreen(TurnkeyScreen[None]):
    """The models of one provider, with their facts and where each came from."""

    TITLE = "models"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "use", "Use picked", id="use", tooltip="Declare the picked models"),
        Binding("t", "test", "Test", id="test", tooltip="Watch this model answer"),
        Binding("slash", "filter", "Filter", key_display="/", id="filter"),
        Binding("A", "all", "All", id="all", tooltip="Pick every chat model shown"),
        Binding("i", "type", "Type id", id="type", tooltip="An id the endpoint does not list"),
        Binding("r", "reload", "Again", id="reload", tooltip="Ask the endpoint again"),
        Binding("escape", "back", "Back", id="back"),
    ]

    def __init__(
        self, workspace: Workspace, draft: Draft | None = None, provider: Provider | None = None
    ) -> None:
        super().__init__(workspace)
        self._draft = draft
        self._provider = provider
        self._typed: list[Model] = []
        self._stopped = False
        """Whether the last question was ended before its answer came."""
        self._chat = 0
        """How many of the listed ones are chat models."""
        self._shape: tuple[int, ...] = ()
        self._can: tuple[bool, bool] | None = None

    def body(self) -> ComposeResult:
        """What answered, the filter, the list, and the facts of the one at the cursor."""
        yield Elapsed(id="endpoint")
        yield FaultBox(id="fault")
        yield Input(placeholder="/ filters: a part of the id", compact=True, id="filter")
        yield ModelList(id="models")
        yield Static(id="facts", markup=False)

    def on_mount(self) -> None:
        """Show the draft's models, or ask the provider's endpoint."""
        super().on_mount()
        self.query_one("#models").focus()
        if self._draft is not None:
            self._show(self._draft)
        else:
            self.ask()

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def ask(self) -> None:
        """Ask the endpoint; the declared models can be chosen while it is silent."""

        provider = self._provider
        if provider is None:
            return
        line = self.query_one("#endpoint", Elapsed)
        fault = self.query_one(FaultBox)
        fault.clear()
        self._stopped = False
        line.wait(f"asking {one_line(provider.base_url)}")
        try:
            base = read_base_url(provider.base_url, exact=True)
        except TurnkeyError as error:
            line.update("")
            fault.show(error.fault)
            return
        draft = _quiet(provider, base)
        try:
            target = await agreed_target(self, self.workspace, provider, None)
            asker = self.workspace.asker
            found = await asker.discover(target.base, target.key, target.headers)
            draft = replace(draft, key=target.key, headers=target.headers, discovery=found)
        except TurnkeyError as error:
            fault.show(error.fault)
        if draft.discovery.error is not None:
            fault.show(draft.discovery.error)
        self._draft = draft
        self._show(draft)

    def _show(self, draft: Draft, chosen: tuple[str, ...] = ()) -> None:
        known = [entry.id for entry in declared(self.workspace, draft)]
        listed = {model.id for model in draft.discovery.models}
        extra = [Model(id=name, kind="unknown", facts={}) for name in known if name not in listed]
        models = [*draft.discovery.models, *extra, *self._typed]
        picked = list(chosen) or list(self.query_one(ModelList).picked) or known
        chat = [model.id for model in models if _may_chat(model)]
        if not picked and len(chat) == 1:
            picked = chat
        models.sort(key=lambda model: not _may_chat(model))
        self._chat = sum(1 for model in draft.discovery.models if _may_chat(model))
        self.query_one(ModelList).show(models, picked)
        self._tell()

    def _tell(self) -> None:
        draft = self._draft
        if draft is None:
            return
        models = self.query_one(ModelList)
        found = draft.discovery
        all_models = found.models
        picked = len(models.picked)
        kind = found.endpoint.dialect + (
            f" {found.endpoint.version}" if found.endpoint.version else ""
        )
        parts = [
            f"{draft.name} · {kind} at {draft.base.url}",
            f"{len(all_models)} listed, {self._chat} chat · {models.shown} shown · {picked} picked",
        ]
        if draft.existing and found.endpoint.base_url != draft.base.url:
            parts.append(f"▲ The list is at {found.endpoint.base_url}: use that as the base URL.")
        parts += [f"▲ {warning.what}" for warning in found.warnings[:_MOST_WARNINGS]]
        more = len(found.warnings) - _MOST_WARNINGS
        if more > 0:
            parts.append(f"▲ {more} more: turnkey models --provider {draft.name} tells all")
        if self._stopped:
            parts.append("Stopped before an answer came: r asks again.")
        if not all_models and not self._typed:
            says = "It gave no list" if found.error is not None else "It lists nothing"
            parts.append(f"{says}: i types an id by hand.")
        line = self.query_one("#endpoint", Elapsed)
        told = [one_line(part) for part in parts]
        # At each key press: laid out again only where the lines may wrap otherwise than before.
        shape = (line.size.width, *(len(part) // max(1, line.size.width - 2) for part in told))
        line.update("\n".join(told), layout=shape != self._shape)
        self._shape = shape
        self._draw_keys()

    def _draw_keys(self) -> None:
        """Draw the footer anew when what can be done has changed."""
        models = self.query_one(ModelList)
        can = (bool(models.picked), models.current is not None)
        if can != self._can:
            self._can = can
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Use needs a picked model, test one under the cursor."""
        if not self.is_mounted:
            return True
        models = self.query(ModelList)
        if action == "use":
            return True if models and models.first().picked else None
        if action == "test":
            return True if models and models.first().current is not None else None
        if action == "reload":
            return self._provider is not None
        return True

    @on(ModelList.Picked)
    def count(self) -> None:
        """Say how many are picked."""
        self._tell()

    @on(ModelList.Moved)
    def describe(self, event: ModelList.Moved) -> None:
        """The facts of the model at the cursor, each with its source."""
        told = "" if event.model is None else facts(event.model)
        self.query_one("#facts", Static).update(told, layout=False)  # its height is fixed
        self._draw_keys()

    @on(Input.Changed, "#filter")
    def narrow(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self.query_one(ModelList).needle = event.value
        self._tell()

    @on(Input.Submitted, "#filter")
    def to_list(self) -> None:
        """Enter goes to the list."""
        self.query_one(ModelList).focus()

    def on_key(self, event: object) -> None:
        """Down leaves the filter for the list."""
        if getattr(event, "key", "") == "down" and self.query_one("#filter", Input).has_focus:
            self.query_one(ModelList).focus()

    def action_filter(self) -> None:
        """Go to the filter."""
        self.query_one("#filter", Input).focus()

    def action_all(self) -> None:
        """Pick every chat model that is shown."""
        self.query_one(ModelList).pick_all_shown()

    def _stop_asking(self) -> bool:
        """End the question that is under way; False when there is none.

        The declared models stay, and what was known before.
        """
        asking = [
            worker
            for worker in self.workers
            if worker.node is self and worker.group == "ask" and worker.is_running
        ]
        provider = self._provider
        if not asking or provider is None:
            return False
        for worker in asking:
            worker.cancel()
        self._stopped = True
        if self._draft is None:
            base = read_base_url(provider.base_url, exact=True)
            self._draft = _quiet(provider, base)
        self._show(self._draft)
        return True

    def action_reload(self) -> None:
        """Ask the endpoint again."""
        self.ask()

    def action_back(self) -> None:
        """Escape first ends a question that is under way, then the filter, then leaves."""
        if self._stop_asking():
            return
        box = self.query_one("#filter", Input)
        if box.has_focus or box.value:
            box.value = ""
            self.query_one(ModelList).focus()
        else:
            self.dismiss()

    @work(group="type", exit_on_error=False)
    async def action_type(self) -> None:
        """Take an id that the endpoint does not list."""
        name = await self.app.push_screen_wait(
            AskText("Model id, as the endpoint wants it:", placeholder="qwen3-coder")
        )
        models = self.query_one(ModelList)
        if name and self._draft is not None:
            listed = {model.id for model in self._draft.discovery.models}
            if name not in {*listed, *(model.id for model in self._typed)}:
                self._typed.append(Model(id=name, kind="unknown", facts={}))
            self._show(self._draft, (*models.picked, name))

    def action_test(self) -> None:
        """Watch the model at the cursor answer; nothing is persisted."""
        model = self.query_one(ModelList).current
        if model is None or self._draft is None:
            return
        self.open(
            ToLive(selector=f"{self._draft.name}/{model.id}", target=self._draft.target(model.id))
        )

    def steps(self) -> tuple[Step, ...]:
        """A server that was asked and is not in the file yet has the first steps behind it."""
        found = super().steps()
        draft = self._draft
        if draft is None or draft.existing:
            return found
        behind = {"provider"} | ({"key"} if draft.discovery.authorised else set())
        return tuple(
            Step(
                one.name,
                "done" if one.name in behind else "next" if one.name == "models" else "open",
                one.subject,
            )
            for one in found
        )

    def go_on(self) -> bool:
        """What is picked is used; what was asked is not left behind for nothing."""
        draft = self._draft
        picked = self.query_one(ModelList).picked
        if draft is None:
            return False
        if draft.existing and set(picked) == {one.id for one in declared(self.workspace, draft)}:
            return False
        if not picked and draft.existing:
            return False
        if picked:
            self.action_use()
        else:
            self.notify("First pick a model: space picks, ctrl+n goes on.", markup=False)
        return True

    def action_use(self) -> None:
        """Declare the picked models: a pending edit; then the lanes, or home."""
        picked = self.query_one(ModelList).picked
        if not picked or self._draft is None:
            return
        try:
            accept(self.workspace, self._draft, picked)
        except TurnkeyError as error:
            self.query_one(FaultBox).show(error.fault)
            return
        if any(
            self.workspace.lanes().lanes[lane].selector is None
            for lane in ("agent", "auxiliary", "synthesis")
        ):
            self.open(ToLanes(), replace=True)
        else:
            self.open(ToHome())


def _quiet(provider: Provider, base: BaseUrl) -> Draft:
    """The provider of the file before its endpoint has answered."""
    return Draft(
        provider.name,
        base,
        None,
        typed=False,
        discovery=silent(base),
        existing=True,
        api_key_env=provider.api_key_env,
        headers={},
    )


def _may_chat(model: Model) -> bool:
    return model.kind in {"chat", "unknown"}


def facts(model: Model) -> str:
    """The facts of one model in words, with the source of each."""
    if not model.facts:
        return f"{one_line(model.id)}\nthe endpoint says nothing about it"
    said = []
    for name, heading in FACT_NAMES.items():
        fact = model.facts.get(name)
        if fact is not None:
            note = f", {fact.note}" if fact.note else ""
            said.append(f"{heading} {fact_words(fact)} ({fact.source}{note})")
    return f"{one_line(model.id)}\n" + one_line(" · ".join(said), 600)
