"""Builds what screens stand on: a workspace without disk, network or keyring, and known answers."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.discover.facts import Discovery, EndpointInfo, Fact, Model
from core.doctor.rungs import NOT_TRIED, Asked, Report, Rung
from core.draft import Draft
from core.health import Health
from core.keys.secret import Secret
from core.keys.vault import open_vault
from core.live.counts import Usage
from core.live.events import Answer, Ended, Finished, Headers, Reasoning, Served, Started, UsageSeen
from core.live.ping import expected, judge
from core.providers.base_url import read_base_url
from core.warden.document import Document
from core.workspace import Workspace
from tests.screens.scripted_watch import ScriptedWatch
from tui.app import TurnkeyApp
from tui.widgets.places import Open

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.pilot import Pilot

    from core.discover.discover import Found
    from core.doctor.patient import Patient
    from core.doctor.rungs import Name, State
    from core.errors import Fault
    from core.live.events import Event
    from core.live.ping import Run
    from core.live.prompts import ReadyPrompt
    from core.live.watching import Watching
    from core.providers.base_url import BaseUrl
    from core.target import Target
    from tui.widgets.places import Place

KEY = "sk-canary-0123456789"
URL = "http://127.0.0.1:4000/v1"

FILLED = """\
version = 1

[defaults]
failOn = "high"

[defaults.agent]
model = "litellm/qwen3-coder"

[defaults.auxiliary]
model = "litellm/qwen3-mini"

[defaults.providers.litellm]
baseUrl = "http://127.0.0.1:4000/v1"

[[defaults.providers.litellm.models]]
id = "qwen3-coder"
reasoning = true
contextWindow = 131072
maxTokens = 16384

[[defaults.providers.litellm.models]]
id = "qwen3-mini"

[[skills]]
name = "code-review"
"""


def nowhere() -> Path:
    """A state folder of its own for a workspace that has no disk: its list of keys, if any."""
    return Path(tempfile.mkdtemp(prefix="turnkey-stage-"))


def model(name: str, kind: str = "chat", **facts: bool | float) -> Model:
    """A model whose facts all come from the server."""
    told = {fact: Fact(value, "server") for fact, value in facts.items()}
    return Model(name, "embedding" if kind == "embedding" else "chat", told)


MODELS = (
    model(
        "qwen3-coder",
        context_window=131072,
        max_output_tokens=16384,
        reasoning=True,
        tools=True,
        image_input=False,
        input_cost=0.0,
        output_cost=0.0,
    ),
    model("qwen3-mini", context_window=32768, tools=True),
    model("[bold]odd\x1b[31m/id[/]"),
    model("text-embedding-qwen", kind="embedding"),
)


def discovery(
    models: tuple[Model, ...] = MODELS, error: Fault | None = None, *, authorised: bool = True
) -> Discovery:
    """What an endpoint at :data:`URL` answered."""
    base = read_base_url(URL)
    return Discovery(
        endpoint=EndpointInfo(base.url, base.origin, "litellm", "1.106.2"),
        models=models,
        warnings=(),
        error=error,
        reachable=error is None or error.code != "connection_refused",
        authorised=authorised,
        changes=(),
        seconds=0.012,
    )


def draft(found: Discovery | None = None) -> Draft:
    """A provider that was asked and is not in the file yet."""
    return Draft(
        "litellm", read_base_url(URL), Secret(KEY), typed=True, discovery=found or discovery()
    )


def events(
    thinking: int | tuple[str, ...] = 40,
    answer: tuple[str, ...] = ("PONG",),
    served: str = "qwen3-coder",
) -> list[Event]:
    """One healthy stream with exact times: 20 ms a token."""
    at = 1000.0
    found: list[Event] = [
        Started(at, connect_s=0.004),
        Headers(at + 0.1, 200, {}),
        Served(at + 0.1, served),
    ]
    at += 0.3
    if isinstance(thinking, int):
        thinking = tuple(f"thought {index} " for index in range(thinking))
    for thought in thinking:
        found.append(Reasoning(at, thought))
        at += 0.02
    for piece in answer:
        found.append(Answer(at, piece))
        at += 0.02
    usage = Usage(
        prompt_tokens=12,
        completion_tokens=len(thinking) + len(answer) + 2,
        reasoning_tokens=len(thinking) or None,
    )
    return [*found, Finished(at, "stop"), UsageSeen(at, usage), Ended(at, complete=True)]


@dataclass
class ScriptedAsker:
    """Answers what the test says, and keeps what it was asked."""

    found: Discovery = field(default_factory=discovery)
    events: list[Event] = field(default_factory=events)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    pinged: list[tuple[str | None, str]] = field(default_factory=list)
    pause: asyncio.Event | None = None
    """Awaited before the last event: a stream that goes on until somebody stops it."""
    stopped: bool = False
    """True when an examination was cancelled."""
    streams: dict[str, list[Event]] = field(default_factory=dict)
    """Streams of single models, instead of ``events``."""
    pauses: dict[str, asyncio.Event] = field(default_factory=dict)
    """Pauses of single models, instead of ``pause``."""
    watched: list[ScriptedWatch] = field(default_factory=list)
    """What was given to watch, in order."""
    limits: list[int | None] = field(default_factory=list)
    """The output limits that were asked for."""
    servers: tuple[Found, ...] = ()
    """What is found on this machine."""
    looked: int = 0
    """How often this machine was looked over."""
    health: Health = field(default_factory=lambda: Health("up", "up 12 ms"))
    """What a look at an approved server finds."""
    looks: list[tuple[str, str | None]] = field(default_factory=list)
    """Who was looked at unasked, and with which key."""
    report: Report = field(default_factory=lambda: report(None))
    examined: list[Patient] = field(default_factory=list)

    async def discover(
        self, url: str | BaseUrl, key: Secret | None, headers: Mapping[str, Secret | str]
    ) -> Discovery:
        """The discovery of the script."""
        del headers
        self.asked.append(
            (url if isinstance(url, str) else url.url, None if key is None else key.reveal())
        )
        return self.found

    async def ping(self, target: Target, prompt: str, on_event: Callable[[Event], None]) -> Run:
        """The stream of the script."""
        self.pinged.append((target.model, prompt))
        for event in self.events[:-1]:
            on_event(event)
        if self.pause is not None:
            try:
                await self.pause.wait()
            except asyncio.CancelledError:
                self.stopped = True
                raise
        on_event(self.events[-1])
        return judge(self.events, target.model, expected(prompt))

    def watch(
        self, target: Target, prompt: ReadyPrompt, *, max_tokens: int | None = None
    ) -> Watching:
        """The stream of the script, to be polled; of a model of its own in ``streams``."""
        self.pinged.append((target.model, prompt.text))
        self.limits.append(max_tokens)
        watching = ScriptedWatch(
            target.model,
            target.base.url,
            self.streams.get(target.model or "", self.events),
            prompt.expects,
            self.pauses.get(target.model or "", self.pause),
        )
        self.watched.append(watching)
        return watching

    async def find(self) -> tuple[Found, ...]:
        """The servers of the script."""
        self.looked += 1
        return self.servers

    async def look(self, base: BaseUrl, key: Secret | None) -> Health:
        """The health of the script."""
        self.looks.append((base.url, None if key is None else key.reveal()))
        return self.health

    async def examine(
        self, patient: Patient, env: Mapping[str, str], on_rung: Callable[[Rung], None]
    ) -> Report:
        """The report of the script; with a pause, its first rungs and then nothing."""
        del env
        self.examined.append(patient)
        tried = [rung for rung in self.report.rungs if rung.evidence != NOT_TRIED]
        for rung in tried[: len(tried) if self.pause is None else 3]:
            on_rung(rung)
        if self.pause is not None:
            try:
                await self.pause.wait()
            except asyncio.CancelledError:
                self.stopped = True
                raise
        return self.report


EVIDENCE: dict[Name, tuple[State, float | None, str]] = {
    "url": ("pass", None, URL),
    "name": ("skip", None, "127.0.0.1 is an address"),
    "tcp": ("pass", 0.002, "port 4000 is open"),
    "tls": ("skip", None, "plain http: nothing is encrypted"),
    "http": ("pass", 0.012, "status 401, by uvicorn"),
    "server": ("pass", 0.041, "LiteLLM proxy 1.106.2"),
    "key": ("pass", None, "the key ($LITELLM_API_KEY) is taken; without it came 401"),
    "models": ("pass", None, "41 models, 33 for chat"),
    "chat": ("pass", 0.312, "qwen3-coder answers"),
    "stream": ("pass", 1.24, "«PONG», first token after 0.31 s, 62.0 tok/s"),
}
"""A ladder that holds: state, seconds, evidence."""


def report(broken: Name | None = None, fault: Fault | None = None) -> Report:
    """A report of :data:`EVIDENCE`, up to the rung that is ``broken``, if any."""
    rungs: list[Rung] = []
    for name, (state, seconds, evidence) in EVIDENCE.items():
        if any(rung.state == "fail" for rung in rungs):
            rungs.append(Rung(name, "skip", None, NOT_TRIED))
        elif name == broken and fault is not None:
            rungs.append(Rung(name, "fail", seconds, fault.what))
        else:
            rungs.append(Rung(name, state, seconds, evidence))
    return Report(Asked(URL, "qwen3-coder", "litellm"), tuple(rungs), fault)


def workspace(
    text: str | None = None,
    *,
    asker: ScriptedAsker | None = None,
    env: Mapping[str, str] | None = None,
) -> Workspace:
    """A workspace on ``text``, or on a file that is not there yet; no keyring."""
    raw = b"" if text is None else text.encode()
    document = Document(Path("acme/api/warden.toml"), raw, None if text is None else raw)
    env = {} if env is None else env
    return Workspace(
        document,
        document,
        env,
        open_vault(nowhere(), env=env, find=None),
        asker=asker or ScriptedAsker(),
    )


class Stage(TurnkeyApp):
    """The app on a workspace of the test, opened on a place at once."""

    def __init__(self, on: Workspace, place: Place | None = None) -> None:
        super().__init__(lambda: on)
        self._place = place
        self.on = on

    async def open_first(self) -> None:
        """Go to the place of the test."""
        if self._place is not None:
            self.screen.post_message(Open(self._place))


async def until(pilot: Pilot[int], holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for ``holds``, for a bounded time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"did not come to hold: {holds}")
        await pilot.pause()


async def arrive(pilot: Pilot[int], name: str) -> None:
    """Wait until the screen called ``name`` is up and idle."""
    await until(pilot, lambda: type(pilot.app.screen).__name__ == name)
    await pilot.pause()


async def stand(pilot: Pilot[int], name: str = "HomeScreen") -> None:
    """Go to the stage's own place and wait until it is there; nothing blinks."""
    app = pilot.app
    assert isinstance(app, Stage)
    await arrive(pilot, "HomeScreen")
    await app.open_first()
    await arrive(pilot, name)
    still(pilot)
    await pilot.pause()


def still(pilot: Pilot[int]) -> None:
    """Stop the cursors, which would blink into a picture."""
    from textual.widgets import Input

    for box in pilot.app.screen.query(Input):
        box.cursor_blink = False
