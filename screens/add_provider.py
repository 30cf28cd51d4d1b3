"""Add provider: a kind, a name, an address, a key; everything else is found out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Tab, Tabs

from core.discover.offers import offers
from core.doctor.patient import Patient, key_origin
from core.draft import Draft, silent
from core.errors import TurnkeyError
from core.keys.bounded import beside
from core.keys.clean import clean_key
from core.providers.base_url import read_base_url
from core.providers.known import known_addresses
from core.providers.names import default_name, free_name, name_fault, name_warnings
from core.providers.presets import preset, presets, tab_of
from core.warden.config import Provider
from tui.widgets.ask_key import may_go
from tui.widgets.elapsed import Elapsed
from tui.widgets.fault import FaultBox
from tui.widgets.field import Field, Tone
from tui.widgets.found import LOOK, FoundServers
from tui.widgets.key_input import KeyInput
from tui.widgets.places import ToDoctor, ToModels
from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.discover.facts import Discovery
    from core.discover.offers import Offer
    from core.keys.place import Place
    from core.keys.secret import Secret
    from core.keys.source import KeySource
    from core.providers.base_url import BaseUrl
    from core.providers.presets import Preset
    from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """What stood on the form when the endpoint was asked; editing on does not change it."""

    name: str
    url: str
    """As typed."""
    base: BaseUrl
    typed: Secret | None

    @property
    def provider(self) -> Provider:
        """The provider that it would be, without models."""
        return Provider(name=self.name, base_url=self.base.url)


class AddProviderScreen(TurnkeyScreen[None]):
    """The form, validated as it is typed, and the first question to the endpoint."""

    TITLE = "add a provider"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "connect", "Connect", id="connect", tooltip="Ask the endpoint"),
        Binding("ctrl+f", "found", "Found", id="found", tooltip="Servers found on this machine"),
        Binding("ctrl+r", "look_again", "Look again", show=False, id="look-again", tooltip=LOOK),
        Binding("x", "doctor", "Doctor", id="doctor", tooltip="Find what breaks on the way"),
        Binding("escape", "back", "Back", id="back", tooltip="Back; nothing was written"),
    ]

    def __init__(self, workspace: Workspace, offer: Offer | None = None) -> None:
        """``offer``: a server that was found already; the form is filled with it."""
        super().__init__(workspace)
        self._offer = offer
        self._presets: tuple[Preset, ...] = tuple(preset for preset in presets() if preset.tab)
        self._preset = self._presets[0]
        self._place: Place | None = None
        self._source: KeySource | None = None
        self._asked: Asked | None = None
        self._key: Secret | None = None
        """The key that went with the last question, for its origin alone."""

    def body(self) -> ComposeResult:
        """The kinds, three fields, and what came back."""
        with VerticalScroll(id="form"):
            yield Tabs(
                *(Tab(preset.short, id=preset.dialect) for preset in self._presets),
                id="preset",
            )
            yield Field("Name", id="name", placeholder="litellm")
            yield Field("Base URL", id="url", placeholder="http://localhost:4000/v1")
            yield Field("Key", id="key", placeholder="none", password=True)
            with Horizontal(id="buttons"):
                yield Button("Connect", id="connect", variant="primary", compact=True)
                yield Button("Continue anyway", id="anyway", compact=True)
                yield Button("What breaks?", id="doctor", compact=True)
            yield Elapsed(id="answer")
            yield FaultBox(id="fault")
            yield FoundServers("ctrl+r")

    def on_mount(self) -> None:
        """Fill in the first preset, or the demo's own address and key."""
        super().on_mount()
        self.query_one("#anyway").display = False
        self.query_one("#doctor").display = False
        suggestion = self.workspace.demo
        if suggestion is not None:
            self.query_one("#name", Field).value = suggestion.name
            self.query_one("#url", Field).value = suggestion.base_url
            self.query_one("#key", Field).value = suggestion.key.reveal()
        else:
            self._fill(self._preset)
            self.look_around()
        self.query_one("#preset").focus()
        if self._offer is not None:
            self._take(self._offer)
        self.look_up_key()

    @property
    def settled(self) -> bool:
        """True when it is known where a key would go, and what is found on this machine."""
        return self._place is not None and not any(
            worker.group in {"key", "find"} and worker.is_running
            for worker in self.workers
            if worker.node is self
        )

    def _fill(self, preset: Preset) -> None:
        name, url = self.query_one("#name", Field), self.query_one("#url", Field)
        if name.value in {"", self._preset.name}:
            name.value = preset.name
        if url.value in {"", self._preset.base_url}:
            url.value = preset.base_url
        self._preset = preset

    @on(Tabs.TabActivated)
    def choose_preset(self, event: Tabs.TabActivated) -> None:
        """A preset fills in name and base URL; what was typed stays."""
        chosen = next(preset for preset in self._presets if preset.dialect == event.tab.id)
        self._fill(chosen)

    @on(Input.Changed)
    def judge(self, event: Input.Changed) -> None:
        """Every field is judged as it is typed."""
        if event.input.id == "name-input":
            self._judge_name()
        elif event.input.id == "url-input":
            self._judge_url()
        # What was being asked is no longer what stands here.
        self._stop_asking()
        if event.input.id == "url-input":
            self._forget_key()
        if event.input.id != "key-input":
            self._source = None
            self.look_up_key()
        self._judge_key()
        self.query_one("#anyway").display = False
        self.query_one("#doctor").display = False
        self.refresh_bindings()

    @on(KeyInput.ManyLines)
    def tell_lines(self, event: KeyInput.ManyLines) -> None:
        """A key is one line: say what was left out."""
        words = f"{event.count} lines were pasted; only the first was taken."
        self.query_one("#key", Field).say(("quiet", self._where()), ("warn", words))

    def _stop_asking(self) -> bool:
        """End the question that is under way; False when there is none."""
        asking = [
            worker
            for worker in self.workers
            if worker.node is self and worker.group == "ask" and worker.is_running
        ]
        for worker in asking:
            worker.cancel()
        if asking:
            self.query_one("#answer", Elapsed).update("stopped")
        return bool(asking)

    def action_back(self) -> None:
        """Escape first ends a question that is under way: what was typed stays."""
        if not self._stop_asking():
            super().action_back()

    def _forget_key(self) -> None:
        """A key that was typed for one address does not stay on the form for another one."""
        if self._asked is None or self._asked.typed is None:
            return
        try:
            origin = read_base_url(self.query_one("#url", Field).value).origin
        except TurnkeyError:
            return
        if origin != self._asked.base.origin:
            self._asked, self._key = None, None
            self.query_one("#key", Field).value = ""
            self.app.notify("The key was for the other address: type this one's.", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The doctor has a place once the endpoint failed, and what is found once there is any."""
        if not self.is_mounted:
            return True
        if action == "found":
            return bool(self.query_one(FoundServers).offers)
        if action == "doctor":
            return bool(self.query_one("#doctor").display)
        return True

    @work(exclusive=True, group="find", exit_on_error=False)
    async def look_around(self) -> None:
        """What answers on this machine's usual ports, and addresses in the environment.

        Never blocks the form; nothing but loopback is asked, and without a key.
        """
        found = self.query_one(FoundServers)
        found.looking()
        known = known_addresses(self.workspace.env)
        found.show(offers(await self.workspace.asker.find(), known))
        self.refresh_bindings()

    def action_look_again(self) -> None:
        """Look for servers again: one may have been started meanwhile."""
        if self.workspace.demo is None:
            self.look_around()

    def action_found(self) -> None:
        """Go to what was found."""
        self.query_one(FoundServers).enter()

    @on(FoundServers.Chosen)
    def choose_found(self, event: FoundServers.Chosen) -> None:
        """What was found fills the form."""
        self._take(event.offer)

    def _take(self, offer: Offer) -> None:
        chosen = preset(offer.dialect)
        self._preset = chosen
        name = default_name(chosen.name, read_base_url(offer.base_url).host)
        taken = {provider.name for provider in self.workspace.config.providers}
        self.query_one("#name", Field).value = free_name(name, taken)
        self.query_one("#url", Field).value = offer.base_url
        self.query_one("#preset", Tabs).active = tab_of(offer.dialect).dialect
        self.query_one("#key", Field).input.focus()

    @on(Button.Pressed, "#doctor")
    def press_doctor(self) -> None:
        """The button does what the key does."""
        self.action_doctor()

    def action_doctor(self) -> None:
        """Examine what stands on the form: nothing needs to be saved for that."""
        asked = self._form()
        if asked is not None:
            self.examine(asked)

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def examine(self, asked: Asked) -> None:
        """Open the doctor on what stands on the form, with the key for its origin."""
        key, words = asked.typed, "typed"
        if key is None:
            source, key = await beside(
                partial(self.workspace.key_for, asked.provider, asked.base, send=False)
            )
            words = key_origin(source)
        patient = Patient(url=asked.url, key=key, key_from=words, provider=asked.name)
        self.open(ToDoctor(patient=patient))

    def _judge_name(self) -> bool:
        field = self.query_one("#name", Field)
        taken = [provider.name for provider in self.workspace.config.providers]
        fault = name_fault(field.value, taken)
        if fault is not None:
            field.say(("bad", f"{fault.what} {fault.fix}".strip()))
            return False
        notes: list[tuple[Tone, str]] = [
            ("warn", f"{warning.what} {warning.fix}".strip())
            for warning in name_warnings(field.value, taken)
        ]
        field.say(("quiet", f"selectors will read {field.value}/<model>"), *notes)
        return True

    def _judge_url(self) -> bool:
        field = self.query_one("#url", Field)
        try:
            base = read_base_url(field.value)
        except TurnkeyError as error:
            field.say(("bad", f"{error.fault.what} {error.fault.why}".strip()))
            return False
        notes: list[tuple[Tone, str]] = [("warn", words) for words in base.warnings]
        if base.changes:
            notes.insert(0, ("quiet", f"→ {base.url}  ({' '.join(base.changes)})"))
        elif not notes:
            notes.append(("quiet", "this machine" if base.loopback else f"origin {base.origin}"))
        field.say(*notes)
        return True

    def _judge_key(self) -> bool:
        field = self.query_one("#key", Field)
        if not field.value:
            field.say(*self._unset_key_words())
            return True
        try:
            notes = clean_key(field.value).notes
        except TurnkeyError as error:
            field.say(("bad", error.fault.what))
            return False
        lines: list[tuple[Tone, str]] = [("warn", note) for note in notes]
        field.say(("quiet", self._where()), *lines)
        return True

    def _where(self) -> str:
        if self._place is None:
            return "looking for the keyring …"
        try:
            origin = read_base_url(self.query_one("#url", Field).value).origin
        except TurnkeyError:
            return self._place.words
        return self._place.for_origin(origin)

    def _unset_key_words(self) -> list[tuple[Tone, str]]:
        from core.keys.words import source_words

        if self._source is None:
            return [("quiet", "no key")]
        if self._source.fault is not None and self._source.fault.code != "key_missing":
            return [("warn", self._source.fault.what)]
        return [("quiet", source_words(self._source))]

    @work(exclusive=True, group="key", exit_on_error=False)
    async def look_up_key(self) -> None:
        """Where a key would go, and whether one is known already; never blocks the form."""
        if self._place is None:
            self._place = await beside(self.workspace.vault.prepare)
        try:
            base = read_base_url(self.query_one("#url", Field).value)
        except TurnkeyError:
            return
        provider = Provider(name=self.query_one("#name", Field).value, base_url=base.url)
        look = partial(self.workspace.key_for, provider, base, send=False)
        self._source, _ = await beside(look)
        self._judge_key()

    @on(Input.Submitted)
    def next_field(self, event: Input.Submitted) -> None:
        """Enter goes to the next field; in the last one it connects."""
        if event.input.id == "key-input":
            self.action_connect()
        else:
            self.screen.focus_next()

    @on(Button.Pressed, "#connect")
    def press_connect(self) -> None:
        """As the key does."""
        self.action_connect()

    def go_on(self) -> bool:
        """The step of this screen is to connect."""
        if not any(one.group == "ask" and one.is_running for one in self.workers):
            self.action_connect()
        return True

    def action_connect(self) -> None:
        """Ask the endpoint what it is and what it serves."""
        asked = self._form()
        if asked is not None:
            self.ask(asked)

    def _form(self) -> Asked | None:
        """The form as it stands, or None where a field is wrong (and says so)."""
        right = (self._judge_name(), self._judge_url(), self._judge_key())
        if not all(right):
            return None
        fields = ("#name", "#url", "#key")
        name, url, typed = (self.query_one(field, Field).value for field in fields)
        key = clean_key(typed).secret if typed else None
        return Asked(name, url, read_base_url(url), key)

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def ask(self, asked: Asked) -> None:
        """Discover; on an answer the models come next, on a failure its cause stands here.

        A key that was not typed is looked up anew, for the origin that is asked.
        """
        answer = self.query_one("#answer", Elapsed)
        fault = self.query_one(FaultBox)
        fault.clear()
        answer.wait(f"asking {asked.base.url}")
        try:
            key = asked.typed
            if key is None:
                source, key = await beside(
                    partial(self.workspace.key_for, asked.provider, asked.base)
                )
                if source.fault is not None and await may_go(
                    self, self.workspace, asked.provider, source.fault
                ):
                    _, key = await beside(
                        partial(self.workspace.key_for, asked.provider, asked.base)
                    )
            found = await self.workspace.asker.discover(asked.url, key, {})
        except TurnkeyError as error:
            answer.update("")
            fault.show(error.fault)
            return
        answer.update(state_words(found))
        self._asked, self._key = asked, key
        if found.error is not None:
            fault.show(found.error)
            self.query_one("#anyway").display = True
            self.query_one("#doctor").display = True
            self.refresh_bindings()
            return
        self._go_on(asked, key, found)

    @on(Button.Pressed, "#anyway")
    def continue_anyway(self) -> None:
        """The endpoint may be down today: its models can be typed."""
        if self._asked is not None:
            self._go_on(self._asked, self._key, silent(self._asked.base))

    def _go_on(self, asked: Asked, key: Secret | None, found: Discovery) -> None:
        base = read_base_url(found.endpoint.base_url, exact=True)
        self.workspace.approvals.note(base.origin)
        typed = asked.typed is not None
        self.open(ToModels(draft=Draft(asked.name, base, key, typed, found)))


def state_words(found: Discovery) -> str:
    """The three results in a line: reachable, authorised, and that works needs a model."""
    signs = {True: "✓", False: "✗", None: "·"}
    version = f" {found.endpoint.version}" if found.endpoint.version else ""
    return (
        f"reachable {signs[found.reachable]} {found.seconds * 1000:.0f} ms   "
        f"authorised {signs[found.authorised]}   "
        + (
            f"works · try a model next   ({found.endpoint.dialect}{version})"
            if found.error is None
            else "works ·"
        )
    )
