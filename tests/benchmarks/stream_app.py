"""turnkey's Live screen for the stream benchmarks: real app, real request, and its times told.

``python -m tests.benchmarks.stream_app HOW URL OUT MODEL...`` opens the screen on the first MODEL.
Every request made there goes to the next MODEL of URL, and when it is over a line of JSON with its
times goes to the file OUT. HOW is ``ours``, the way the app has; ``race``, the Race screen with
all MODELs, each in a lane of its own; ``dropped``, as ours, with text and figures thrown away
before they are shown; or ``obvious``: httpx lines, decoded as JSON, on the event loop that paints.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core.asker import NetworkAsker
from core.keys.vault import open_vault
from core.live.figures import Figures
from core.live.prompts import READY_PROMPTS
from core.live.verdict import not_tried
from core.live.watching import Exchange, Progress
from core.providers.base_url import read_base_url
from core.target import Target
from core.warden.document import Document
from core.workspace import Workspace
from tui.app import TurnkeyApp
from tui.widgets.places import Open, ToLive

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.live.events import Event
    from core.live.ping import Run
    from core.live.prompts import ReadyPrompt
    from core.live.watching import Watching

MAX_TOKENS = 1_000_000


def config(url: str, models: list[str]) -> bytes:
    """A ``warden.toml`` with one provider."""
    rows = "".join(f'[[defaults.providers.bench.models]]\nid = "{one}"\n\n' for one in models)
    return (
        f'version = 1\n\n[defaults.agent]\nmodel = "bench/{models[0]}"\n\n'
        f'[defaults.providers.bench]\nbaseUrl = "{url}"\n\n{rows}'
        '[[skills]]\nname = "code-review"\n'
    ).encode()


class ObviousWatching:
    """httpx lines with ``json.loads`` on the loop that paints, stamped after each read."""

    def __init__(self, target: Target, prompt: ReadyPrompt) -> None:
        self._target = target
        self._prompt = prompt
        self._begun = time.perf_counter()
        self._text: list[str] = []
        self._thinking: list[str] = []
        self.first_token_s: float | None = None
        self.times: list[float] = []
        self._run: Run | None = None
        self._task = asyncio.ensure_future(self._read())

    async def _read(self) -> Run:
        import httpx

        body = {
            "model": self._target.model,
            "stream": True,
            "messages": [{"role": "user", "content": self._prompt.text}],
        }
        verify = str(Path(sys.argv[3]).parent / "ca.pem")
        async with httpx.AsyncClient(
            verify=verify if self._target.base.scheme == "https" else True, trust_env=False
        ) as client:
            url = f"{self._target.base.url}/chat/completions"
            begun = time.perf_counter()
            async with client.stream("POST", url, json=body, timeout=60) as response:
                async for line in response.aiter_lines():
                    at = time.perf_counter()
                    if not line.startswith("data: {"):
                        continue
                    choices = json.loads(line[6:])["choices"]
                    delta = choices[0]["delta"] if choices else {}
                    self._thinking.append(delta.get("reasoning_content", ""))
                    self._text.append(delta.get("content", ""))
                    if delta.get("content") or delta.get("reasoning_content"):
                        self.times.append(at - begun)
        self.first_token_s = self.times[0]
        from core.errors import Fault

        self._run = not_tried(Fault("empty_answer", "The obvious way judges nothing."))
        return self._run

    def take(self) -> Progress:
        """What came since the last take."""
        thinking, answer = "".join(self._thinking), "".join(self._text)
        self._thinking.clear()
        self._text.clear()
        state = "done" if self._run else "answering" if self.times else "waiting"
        figures = Figures(first_token_s=self.first_token_s)
        return Progress(state, 0.0, thinking, answer, figures=figures, run=self._run)  # type: ignore[arg-type]

    def exchange(self) -> Exchange:
        """Nothing is kept."""
        return Exchange()

    def stop(self) -> None:
        """Close the connection."""
        self._task.cancel()

    async def over(self) -> Run:
        """The run, once it is over."""
        return await self._task


class DroppedWatching:
    """The app's own way, of which the screen is told nothing but that it is over."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching

    def take(self) -> Progress:
        """No text, no figures."""
        progress = self._watching.take()
        state = "waiting" if progress.run is None else progress.state
        return Progress(state, run=progress.run)

    def exchange(self) -> Exchange:
        """The request and the raw reply so far."""
        return self._watching.exchange()

    def stop(self) -> None:
        """Close the connection."""
        self._watching.stop()

    async def over(self) -> Run:
        """The run, once it is over."""
        return await self._watching.over()


class BenchAsker(NetworkAsker):
    """Asks the next model of the list, and writes down when its tokens came."""

    def __init__(self, how: str, url: str, out: Path, models: list[str]) -> None:
        self._how = how
        self._base = read_base_url(url)
        self._out = out
        self._models = itertools.cycle(models)
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(
        self, target: Target, prompt: ReadyPrompt, *, max_tokens: int | None = None
    ) -> Watching:
        """The request that the screen shows."""
        del max_tokens
        model = next(self._models)
        if self._how == "race" and target.model is not None:
            model = target.model
        to = Target(self._base, model, None, None)
        watching: Watching
        if self._how == "obvious":
            watching = ObviousWatching(to, prompt)
        else:
            watching = super().watch(to, prompt, max_tokens=MAX_TOKENS)
        if self._how == "dropped":
            watching = DroppedWatching(watching)
        task = asyncio.ensure_future(self._tell(model, watching))
        self._tasks.add(task)
        return watching

    async def _tell(self, model: str, watching: Watching) -> None:
        run = await watching.over()
        told: dict[str, object] = {"model": model}
        if isinstance(watching, ObviousWatching):
            told |= {"first_token_s": watching.first_token_s, "times": watching.times}
        else:
            shown = watching.exchange()
            told |= {
                "first_token_s": run.figures.first_token_s,
                "stamps": run.figures.stamps,
                "works": run.works,
                "error": None if run.error is None else run.error.what,
                "completion_tokens": run.figures.completion_tokens,
                "counted": (run.figures.thinking_tokens or 0) + (run.figures.answer_tokens or 0),
                "gap_p50_s": run.figures.gap_p50_s,
                "warnings": [one.code for one in run.warnings],
                "dropped": shown.dropped,
                "times": [
                    one.at_s
                    for one in shown.records
                    if '"content": "' in one.text or '"reasoning_content": "' in one.text
                ],
            }
        with self._out.open("a") as file:
            file.write(json.dumps(told) + "\n")

    async def ping(self, target: Target, prompt: str, on_event: Callable[[Event], None]) -> Run:
        """The same for a screen that does not watch."""
        from core.live.events import Answer, Reasoning
        from core.live.prompts import own_prompt

        watching = self.watch(target, own_prompt(prompt))
        while True:
            await asyncio.sleep(1 / 30)
            progress = watching.take()
            now = time.perf_counter()
            if progress.thinking:
                on_event(Reasoning(now, progress.thinking))
            if progress.answer:
                on_event(Answer(now, progress.answer))
            if progress.run is not None:
                return progress.run


class BenchApp(TurnkeyApp):
    """The app, opened on the Live screen of the first selector, or on a race of all of them."""

    def __init__(self, workspace: Workspace, selectors: tuple[str, ...], *, race: bool) -> None:
        super().__init__(lambda: workspace)
        self._selectors = selectors
        self._race = race

    def on_mount(self) -> None:
        """Go there as soon as home is up."""
        super().on_mount()
        self._until_home = self.set_interval(0.05, self._open_live)

    def _open_live(self) -> None:
        if self.workspace is not None and len(self.screen_stack) > 1:
            self._until_home.stop()
            if self._race:
                from screens.race import RaceScreen

                self.push_screen(RaceScreen(self.workspace, self._selectors, READY_PROMPTS[0]))
            else:
                self.screen.post_message(Open(ToLive(self._selectors[0])))


def main() -> None:
    """Run the app."""
    how, url, out, *models = sys.argv[1:]
    raw = config(url, models)
    document = Document(Path(out).parent / "warden.toml", raw, raw)
    env: dict[str, str] = {}
    workspace = Workspace(
        document,
        document,
        env,
        open_vault(Path(out).parent, env=env, find=None),
        asker=BenchAsker(how, url, Path(out), models),
    )
    selectors = tuple(f"bench/{model}" for model in models)
    BenchApp(workspace, selectors, race=how == "race").run()


if __name__ == "__main__":
    main()
