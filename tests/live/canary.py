"""A whole journey with a canary for a key; tells every place where the canary was seen.

``python -m tests.live.canary SCRATCH`` runs in a session with a real Secret Service, with home,
temporary, state and project folders under SCRATCH. It goes through the screens and the command
line, on servers that are well and on every hostile one, with all logging at DEBUG into a file and
every screen captured as it changes. It prints one JSON object: ``leaks``, which has to be empty,
and how much was looked at.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from screens.home import HomeScreen
from screens.keys import KeysScreen
from screens.live import LiveScreen
from tests.live.canary_commands import through_every_command
from tests.live.journey import Journey
from tests.servers.certificates import make_pki
from tests.servers.hostile import BEHAVIOURS
from tests.servers.scripted import (
    Recorded,
    ScriptedProvider,
    Send,
    error_reply,
    good_server,
    json_reply,
    models_reply,
    piece,
    raw,
    sse_reply,
    text_reply,
)
from tests.servers.wicked import CANARY as FIXED
from tests.servers.wicked import on_stage
from tui.app import TurnkeyApp
from tui.cli import main as turnkey
from tui.opening import open_here

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.scripted import Behaviour, Route

KEY: Final = "sk-canary+9f3a/Qz%7E=%C3~end"
"""Its plain, URL-encoded and base64 forms all differ."""
VARIABLE: Final = "WARDEN_LITELLM_API_KEY"
START: Final = "import sys; from tui.cli import main; sys.exit(main())"


def spellings(key: str) -> tuple[bytes, ...]:
    """The forms of a key that nothing may hold: plain, escaped, base64 at any offset, hex."""
    raw_key = key.encode()
    coded = []
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw_key).decode()
        # what the neighbours share is cut off at both ends
        coded.append(text[(0, 2, 3)[before] : len(text) // 4 * 4 - 4])
    urlsafe = [one.replace("+", "-").replace("/", "_") for one in coded]
    quoted = (quote(key, safe=""), quote(key), quote_plus(key), quote(key, safe="").lower())
    every = "".join(f"%{one:02x}" for one in raw_key)
    escaped = "".join(f"\\u{ord(one):04x}" for one in key)
    numbers = "".join(f"&#{ord(one)};" for one in key)
    others = (every, escaped, numbers, raw_key.hex(), key[::-1], "\u200b".join(key))
    return tuple({one.encode() for one in (key, *quoted, *coded, *urlsafe, *others)})


FORMS: Final = (*spellings(KEY), *spellings(FIXED))


def held(content: bytes) -> bool:
    """True when a canary stands in ``content``, in any form; also as the pieces of a picture."""
    return any(form in content for form in FORMS)


@dataclass
class Watch:
    """Looks everywhere while the journey goes on."""

    leaks: list[str] = field(default_factory=list)
    screens: int = 0
    commands: int = 0
    processes: int = 0
    requests: int = 0
    crashed: int = 0
    """Commands that fell over with a key at hand, as they were made to."""
    keyed: int = 0
    """Requests that carried the key where it belongs: proof that the canary was used."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def look(self, content: str | bytes, where: str) -> None:
        """Note a leak."""
        data = content.encode(errors="replace") if isinstance(content, str) else content
        if held(data):
            self.leaks.append(where)

    @contextlib.contextmanager
    def processes_watched(self) -> Iterator[None]:
        """Every ``/proc/*/cmdline``, again and again."""
        thread = threading.Thread(target=self._sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(10)

    def _sample(self) -> None:
        while not self._stop.wait(0.05):
            self.processes += 1
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.look(path.read_bytes(), f"an argument list: {path}")

    def server(self, server: ScriptedProvider, name: str, *, entitled: bool) -> None:
        """What a server got: the key as its bearer where it is entitled to it, and nowhere else."""
        for request in server.requests:
            self.requests += 1
            keyed = request.bearer in {KEY, FIXED}
            self.keyed += keyed and entitled
            rest = {
                k: v
                for k, v in request.headers.items()
                if not (entitled and keyed and k == "authorization")
            }
            self.look(json.dumps([request.path, request.query, rest]), f"a request to {name}")
            self.look(request.body, f"a request's body to {name}")

    def screen(self, app: TurnkeyApp, *, picture: bool = False) -> None:
        """What is on screen now."""
        self.screens += 1
        top = app.screen
        strips = top._compositor.render_strips(top.size)
        text = "".join(strip.text.ljust(top.size.width) for strip in strips)
        where = f"a screen: {type(top).__name__}"
        self.look(text, where)
        self.look(re.sub(r"[\s│┃▏▕]+", "", text), where)  # over the ends of lines
        if picture:
            svg = app.export_screenshot()
            self.look(svg, f"a screenshot: {type(top).__name__}")
            self.look(re.sub(r"<[^>]*>|\s", "", svg), f"a screenshot: {type(top).__name__}")
            Path(os.environ["TMPDIR"], f"shot-{self.screens}.svg").write_text(svg)

    async def screens_watched(self, app: TurnkeyApp) -> None:
        """Every screen, as it changes."""
        while True:
            with contextlib.suppress(Exception):  # between two screens
                self.screen(app)
            await asyncio.sleep(0.1)

    def command(self, *arguments: str, stdin: str = "", tells: bool = False) -> int:
        """A command in this process, all that it prints looked at."""
        out, err = io.StringIO(), io.StringIO()
        before = sys.stdin
        sys.stdin = io.StringIO(stdin)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = turnkey(arguments)
        finally:
            sys.stdin = before
        self.commands += 1
        self.look(err.getvalue(), f"stderr of {arguments}")
        if not tells:
            self.look(out.getvalue(), f"stdout of {arguments}")
        return code

    def apart(
        self, *arguments: str, stdin: str = "", tells: bool = False, start: str | None = None
    ) -> int:
        """A command as a process of its own, in development mode, its tracebacks shown."""
        more = {"PYTHONDEVMODE": "1", "TURNKEY_TRACEBACK": "1", "PYTHONWARNINGS": "default"}
        done = subprocess.run(
            [sys.executable, "-c", start or START, *arguments],
            input=stdin, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, **more, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        self.crashed += start is not None and "it fell over" in done.stderr
        self.commands += 1
        self.look(done.stderr, f"stderr of {arguments}")
        if not tells:
            self.look(done.stdout, f"stdout of {arguments}")
        return done.returncode


def respelt(key: str) -> tuple[str, ...]:
    """The key as proxies, pages and logs spell it."""
    header = f"Authorization: Bearer {key}".encode()
    return (
        base64.b64encode(header).decode(),
        base64.b64encode(header[1:]).decode(),
        base64.b64encode(header[2:]).decode(),
        "".join(f"%{one:02x}" for one in key.encode()),
        "".join(f"\\u{ord(one):04x}" for one in key),
        "".join(f"&#{ord(one)};" for one in key),
        key.encode().hex(),
        key[::-1],
        key.replace("/", "\\/"),
        "\u200b".join(key),
        "\x1b[1m".join((key[:7], key[7:])),
        "\r\n".join((key[:7], key[7:])),
    )


def echoes() -> dict[str, ScriptedProvider]:
    """Servers that know the key and say it wherever they can."""

    def said(request: Recorded) -> str:
        return request.bearer or "nothing"

    def everywhere(status: int) -> Route:
        def answer(request: Recorded) -> Behaviour:
            key = said(request)
            coded = base64.b64encode(key.encode()).decode()
            words = f"Wrong key {key} ({quote(key, safe='')}, Basic {coded}) for {request.path}"
            words += f" {' '.join(respelt(key))}"
            return error_reply(status, words, key, key)

        return answer

    def headers(request: Recorded) -> Behaviour:
        key = said(request)
        return json_reply(
            429,
            {"error": key},
            {"x-request-id": key, "retry-after": key, "set-cookie": key, "llm_provider-x": key},
        )

    def reason(request: Recorded) -> Behaviour:
        return raw(Send(f"HTTP/1.1 500 {said(request)}\r\ncontent-length: 0\r\n\r\n".encode()))

    def page(request: Recorded) -> Behaviour:
        return text_reply(502, f"<html><title>{said(request)}</title></html>", "text/html")

    def listed(request: Recorded) -> Behaviour:
        return models_reply(["m", said(request), f"x-{said(request)}"])

    def streamed(request: Recorded) -> Behaviour:
        key = said(request)
        half = len(key) // 2
        return sse_reply(
            [
                piece(key, {"role": "assistant", "reasoning_content": f"the key is {key} "}),
                piece("m", {"reasoning_content": key[:half]}),
                piece("m", {"reasoning_content": key[half:]}),
                piece("m", {"content": f"PONG {key} "}),
                piece("m", {"content": key[:half]}),
                piece("m", {"content": key[half:]}),
                *[piece("m", {"content": letter}) for letter in key],
                *[piece("m", {"content": f" {form} "}) for form in respelt(key)],
                piece(
                    "m",
                    {
                        "tool_calls": [
                            {"index": 0, "id": key, "function": {"name": key, "arguments": key}}
                        ]
                    },
                ),
                piece("m", {}, key),
            ]
        )

    def broken(request: Recorded) -> Behaviour:
        key = said(request)
        return sse_reply(
            [piece("m", {"content": "PO"}), {"error": {"message": f"no {key}", "code": key}}],
            end=False,
        )

    lists: dict[tuple[str, str], Route] = {("GET", "/v1/models"): models_reply(["m"])}
    found = {
        str(status): ScriptedProvider({}, default=everywhere(status))
        for status in (200, 400, 401, 403, 404, 422, 429, 500, 503)
    }
    for name, route in (("headers", headers), ("reason", reason), ("page", page)):
        found[name] = ScriptedProvider({}, default=route)
    found["ids"] = ScriptedProvider({("GET", "/v1/models"): listed}, default=everywhere(400))
    for name, route in (("stream", streamed), ("stream error", broken)):
        found[name] = ScriptedProvider({**lists, ("POST", "/v1/chat/completions"): route})
    return found


def config(url: str, name: str = "litellm") -> str:
    """A file whose three lanes go to one server."""
    lanes = "".join(
        f'\n[defaults.{lane}]\nmodel = "{name}/m"\n' for lane in ("agent", "auxiliary", "synthesis")
    )
    return (
        f'version = 1\n{lanes}\n[defaults.providers.{name}]\nbaseUrl = "{url}"\n'
        f'\n[[defaults.providers.{name}.models]]\nid = "m"\n'
    )


def opened(file: Path) -> TurnkeyApp:
    """The app as the command line opens it."""
    return TurnkeyApp(lambda: open_here(str(file), "providers", may_be_new=True))


async def home(person: Journey) -> None:
    """Escape, for as long as there is something to leave."""
    end = time.monotonic() + 60
    while not isinstance(person.app.screen, HomeScreen):
        assert time.monotonic() < end, person.painted()
        await person.press("escape")
        await person.pilot.pause(0.1)


async def through_the_screens(watch: Watch, project: Path) -> None:
    """A newcomer: add, choose, test, save; then the keys; on a server that is well."""
    file = project / "warden.toml"
    info = [
        {"model_name": name, "model_info": {"mode": "chat", "max_input_tokens": 32768}}
        for name in ("m", "n")
    ]
    async with good_server(["m", "n"], key=KEY, info=info) as server:
        app = opened(file)
        async with app.run_test(size=(120, 40)) as pilot:
            watching = asyncio.create_task(watch.screens_watched(app))
            person = Journey(app, pilot, KEY)
            await person.add_provider(server.base_url, KEY)
            await person.pick(("m", "n"), ("m",))
            watch.screen(app, picture=True)
            await person.choose_all_lanes("litellm/m")
            await person.test_choice("litellm/m")
            watch.screen(app, picture=True)
            await person.save()
            await pilot.press("k")
            screen = await person.on(KeysScreen)
            await person.until(lambda: screen.settled, "looking for the keyring")
            assert "Secret Service" in person.painted(), person.painted()
            watch.screen(app, picture=True)
            await pilot.press("n")
            await person.until(lambda: type(app.screen).__name__ == "AskKey", "the question")
            await person.press(*KEY)
            watch.screen(app, picture=True)
            await person.press("enter")
            await person.on(KeysScreen)
            await person.until(lambda: screen.settled, "storing the key")
            for key in ("i", "w", "c", "r", "x"):
                await person.press(key)
                await pilot.pause(0.1)
                watch.screen(app, picture=True)
            # every other screen that Home opens
            for key in ("escape", "l", "m", "t", "x", "c", "s", "question_mark"):
                await person.press(key)
                await pilot.pause(0.3)
                watch.screen(app, picture=True)
                await home(person)
            watching.cancel()
        watch.server(server, "its own server", entitled=True)
        # the key is in the Secret Service; so the command line has it, too
        on = ("--config", str(file))
        ping = ("ping", *on, "--lane", "agent", "--json")
        assert await asyncio.to_thread(watch.command, *ping) == 0
        assert await asyncio.to_thread(watch.apart, "models", *on, "--json") == 0
        shown = [sys.executable, "-c", "import os; print(os.environ)"]
        run = ("run", *on, "--", *shown)
        assert await asyncio.to_thread(watch.apart, *run, tells=True) == 0
        assert await asyncio.to_thread(watch.apart, "env", *on, tells=True) == 0
        for rest in (
            ("check",),
            ("lanes",),
            ("keys", "list"),
            ("keys", "source"),
            ("env", "--names"),
        ):
            await asyncio.to_thread(watch.apart, *rest, *on)
        watch.server(server, "its own server", entitled=True)


async def on_echoing_servers(watch: Watch, project: Path) -> None:
    """Each server that says the key back: Models, Live and the command line."""
    for name, server in echoes().items():
        async with server, ScriptedProvider({}) as bystander:
            await on_echo(watch, project / "echo.toml", server)
            watch.server(server, f"the echo «{name}»", entitled=True)
            watch.server(bystander, "a bystander", entitled=False)


async def on_echo(watch: Watch, file: Path, server: ScriptedProvider) -> None:
    """One of them."""
    file.write_text(config(server.base_url))  # noqa: ASYNC240  # small, and nothing else waits
    on = ("--config", str(file))
    stored = await asyncio.to_thread(watch.command, "keys", "set", "litellm", *on, stdin=KEY)
    assert stored == 0
    for command in (("models",), ("ping", "--lane", "agent")):
        await asyncio.to_thread(watch.command, *command, *on)
        await asyncio.to_thread(watch.command, *command, "--json", *on)
    app = opened(file)
    async with app.run_test(size=(100, 30)) as pilot:
        watching = asyncio.create_task(watch.screens_watched(app))
        person = Journey(app, pilot, "\0")
        await person.on(HomeScreen)
        await pilot.press("m")
        await person.until(lambda: bool(server.requests), "asking")
        await pilot.pause(0.3)
        watch.screen(app, picture=True)
        await pilot.press("down", "escape")
        await person.on(HomeScreen)
        await pilot.press("t")
        await person.on(LiveScreen)
        await pilot.press("enter")
        await pilot.pause(0.6)
        watch.screen(app, picture=True)
        await pilot.press("escape", "escape")
        watching.cancel()
    await asyncio.to_thread(watch.command, "keys", "delete", "litellm", *on)


async def on_hostile_servers(watch: Watch, pki_folder: Path) -> None:
    """The whole hostile suite by the command line; nothing may reach the bystander."""
    pki = make_pki(pki_folder)
    os.environ["CANARY_KEY"] = FIXED
    for name, hostile in BEHAVIOURS.items():
        limit = "0.4" if hostile.endless else "5"
        async with on_stage(hostile, pki) as stage:
            to = ("--url", stage.base_url, "--key-env", "CANARY_KEY", "--timeout", limit)
            if hostile.lists:
                await asyncio.to_thread(watch.command, "models", *to, "--json")
            if hostile.streams:
                await asyncio.to_thread(watch.command, "ping", *to, "--model", "m")
            watch.server(stage.server, f"the hostile «{name}»", entitled=True)
            watch.server(stage.bystander, f"the bystander of «{name}»", entitled=False)
    del os.environ["CANARY_KEY"]


def everything_logged(file: Path) -> None:
    """All loggers, those to come as well, at DEBUG into one file."""
    logging.basicConfig(filename=file, level=logging.DEBUG, force=True)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)


async def journey(scratch: Path, watch: Watch) -> None:
    """All of it."""
    project = scratch / "project"
    await through_the_screens(watch, project)
    await through_every_command(watch, project, config("URL"), KEY)
    await on_echoing_servers(watch, project)
    await on_hostile_servers(watch, scratch / "pki")


def main() -> None:
    """Go, then look through every file."""
    scratch = Path(sys.argv[1])
    watch = Watch()
    for name in ("project/.git", "tmp", "home", "pki"):
        (scratch / name).mkdir(parents=True, exist_ok=True)
    os.chdir(scratch / "project")
    import httpcore  # noqa: F401  # its loggers are set, too
    import httpx  # noqa: F401

    everything_logged(scratch / "home" / "debug.log")
    start = time.monotonic()
    with watch.processes_watched():
        asyncio.run(journey(scratch, watch))
    files = [path for path in scratch.rglob("*") if path.is_file()]
    for path in files:
        watch.look(path.read_bytes(), f"a file: {path.relative_to(scratch)}")
        watch.look(path.name, f"a file's name: {path.name}")
    json.dump(
        {
            "leaks": list(dict.fromkeys(watch.leaks)),
            "files": len(files),
            "screens": watch.screens,
            "commands": watch.commands,
            "samples": watch.processes,
            "requests": watch.requests,
            "keyed": watch.keyed,
            "crashed": watch.crashed,
            "seconds": round(time.monotonic() - start, 1),
            "log": (scratch / "home" / "debug.log").stat().st_size,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
