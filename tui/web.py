"""turnkey in a browser: the same app over textual-serve, on this machine alone, behind a token.

Page, assets and websocket all stand below a path that holds the token, so that none of them
answers without it. The host is looked at, too (a name of somebody's that resolves to 127.0.0.1
is not ours), and a websocket's origin, since browsers let any page open one. The page is
turnkey's own: textual-serve's asks a font of an outside host.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import shlex
import sys
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Final

from aiohttp import web
from textual_serve.server import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HOST: Final = "127.0.0.1"
MOST_SESSIONS: Final = 4
"""Browser tabs at once; each has a turnkey of its own."""
_CHILD: Final = "import sys; from tui.door import main; sys.exit(main())"


class Browser(Server):
    """The web server. :attr:`address` is the one place where the token stands."""

    def __init__(self, arguments: Sequence[str], port: int, token: str) -> None:
        """``arguments``: what the ``turnkey`` of each tab is started with."""
        command = shlex.join([sys.executable, "-c", _CHILD, *arguments])
        super().__init__(command, host=HOST, port=port, title="turnkey")
        self._token = token
        self.sessions = 0

    @property
    def address(self) -> str:
        """What a browser opens."""
        return f"http://{HOST}:{self.port}{self._base}/"

    @property
    def _base(self) -> str:
        return f"/{self._token}"

    async def _make_app(self) -> web.Application:
        """Everything below the token's path, nothing outside it."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get(f"{self._base}/", self.page),
                web.get(f"{self._base}/ws", self.socket),
                web.static(f"{self._base}/static", self.statics_path, show_index=False),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nothing is told to who does not have the token, or comes by another name."""
        given = request.path.split("/")[1]
        known = hmac.compare_digest(given.encode(errors="replace"), self._token.encode())
        here = request.headers.get("Host", "") in self._names
        origin = request.headers.get("Origin")
        ours = origin is None or origin in {f"http://{name}" for name in self._names}
        if not (known and here and ours):
            raise web.HTTPNotFound
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    @property
    def _names(self) -> frozenset[str]:
        return frozenset({f"{HOST}:{self.port}", f"localhost:{self.port}"})

    async def page(self, request: web.Request) -> web.Response:
        """The page around the terminal. It asks nothing of another host."""
        host = request.headers["Host"]
        nonce = secrets.token_urlsafe(16)
        text = files("assets").joinpath("web", "index.html").read_text(encoding="utf-8")
        body = Template(text).substitute(
            base=self._base, nonce=nonce, socket=f"ws://{host}{self._base}/ws", font="16"
        )
        policy = (
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
            f" script-src 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; font-src 'self' data:;"
            f" img-src 'self' data:; connect-src ws://{host}; worker-src blob:"
        )
        return web.Response(
            text=body, content_type="text/html", headers={"Content-Security-Policy": policy}
        )

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """One tab's terminal; a tab too many is refused."""
        if self.sessions >= MOST_SESSIONS:
            raise web.HTTPServiceUnavailable(text="Too many tabs are open.")
        self.sessions += 1
        try:
            return await self.handle_websocket(request)
        finally:
            self.sessions -= 1

    async def run(self, ready: Callable[[str], None], ended: asyncio.Event) -> None:
        """Serve until ``ended``; ``ready`` is given the address once it listens.

        Nothing is logged: paths hold the token, and messages what is typed. Raises OSError when
        the port is taken.
        """
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=2)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, self.port)
            await site.start()
            self.port = int(runner.addresses[0][1])
            ready(self.address)
            await ended.wait()
        finally:
            await runner.cleanup()


_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def serve(arguments: Sequence[str], port: int, ready: Callable[[str], None]) -> None:
    """Serve the app to browsers of this machine until SIGINT or SIGTERM comes."""
    asyncio.run(_serve(Browser(arguments, port, secrets.token_urlsafe(32)), ready))


async def _serve(browser: Browser, ready: Callable[[str], None]) -> None:
    import signal

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(one, ended.set)
        except NotImplementedError:  # Windows: Ctrl-C comes as KeyboardInterrupt
            break
    await browser.run(ready, ended)
