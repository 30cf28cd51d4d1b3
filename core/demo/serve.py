"""Starting and stopping the demo provider on loopback, in this process and without a trace of it.

It takes no signals, prints nothing, and binds 127.0.0.1 only. Three ways in:

* ``async with DemoServer() as demo`` inside a running loop,
* ``with start_demo() as demo`` in a thread with a loop of its own, so that painting a screen does
  not hold its stream up,
* ``serve_forever(port, on_listening)`` for ``turnkey demo-server``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING, Final, Self

import uvicorn

from core.demo.app import DemoApp, Sleep
from core.demo.models import DEMO_KEY, DEMO_KEY_ENV, DEMO_NAME
from core.errors import Fault, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from core.keys.secret import Secret

HOST: Final = "127.0.0.1"
_GRACE_S: Final = 2
"""Seconds that a reply may take to end after it was told to."""


class Demo:
    """How to reach a demo provider: what a person would type for any other one."""

    name: Final[str] = DEMO_NAME
    """The provider name to suggest."""
    key_env: Final[str] = DEMO_KEY_ENV
    """The environment variable that the key belongs in."""

    def __init__(self) -> None:
        self.port = 0
        """The loopback port; 0 until it listens."""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        """What goes into ``baseUrl``."""
        return f"{self.origin}/v1"

    @property
    def key(self) -> Secret:
        """The key that it wants. It opens nothing else."""
        return DEMO_KEY


class DemoServer(Demo):
    """The demo provider inside the running loop.

    ``port`` 0 takes a free one. ``sleep`` is what passes the time between tokens. Starting raises
    UsageProblem when the port is taken.
    """

    def __init__(self, port: int = 0, *, sleep: Sleep = asyncio.sleep) -> None:
        super().__init__()
        self._wanted = port
        self._app = DemoApp(sleep)
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> Self:
        """Listens; returns once requests are answered."""
        listening = _listen(self._wanted)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = _Server(config)
        self._task = asyncio.get_running_loop().create_task(
            self._server.serve([listening]), name="turnkey-demo"
        )
        ready = asyncio.ensure_future(self._server.ready.wait())
        try:
            await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._task.done():
            listening.close()
            await self._task
        return self

    async def stop(self) -> None:
        """Ends what is under way and stops listening. Does nothing when it does not run."""
        server, task = self._server, self._task
        self._server = self._task = None
        if server is None or task is None:
            return
        self._app.stop()
        server.finish()
        await task

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


class DemoThread(Demo):
    """The demo provider in a thread of its own; see :func:`start_demo`."""

    def __init__(self, port: int = 0, *, sleep: Sleep = asyncio.sleep) -> None:
        super().__init__()
        self._inner = DemoServer(port, sleep=sleep)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._work, name="turnkey-demo", daemon=True)

    def start(self) -> Self:
        """Starts the thread; returns once requests are answered."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        self.port = self._inner.port
        return self

    def stop(self) -> None:
        """Stops listening and waits for the thread to end. May be called twice."""
        if self._loop is not None and self._end is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._end.set)
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _work(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that started it
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with self._inner:
            self._ready.set()
            await self._end.wait()


def start_demo(port: int = 0, *, sleep: Sleep = asyncio.sleep) -> DemoThread:
    """A demo provider in a thread, listening when this returns; end it with ``stop()`` or ``with``.

    Raises UsageProblem when ``port`` is taken.
    """
    return DemoThread(port, sleep=sleep).start()


def serve_forever(port: int = 0, on_listening: Callable[[Demo], None] | None = None) -> None:
    """Serves until interrupted: KeyboardInterrupt comes out once everything is closed.

    ``on_listening`` is called once, when requests are answered. Raises UsageProblem when ``port``
    is taken.
    """

    async def serve() -> None:
        async with DemoServer(port) as demo:
            if on_listening is not None:
                on_listening(demo)
            await asyncio.Event().wait()

    asyncio.run(serve())


class _Server(uvicorn.Server):
    """uvicorn as a guest: it leaves the signals alone, tells when it listens, and does not poll."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._finished = asyncio.Event()

    def finish(self) -> None:
        """Lets the server end."""
        self.should_exit = True
        self._finished.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        # what uvicorn polls for ten times a second (dates, signals, limits) is switched off here
        await self._finished.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # a port that the last run left in TIME_WAIT is free; elsewhere this would share ports
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise UsageProblem(
            Fault(
                "usage",
                f"The demo provider cannot listen on port {port}.",
                "Another program has that port, or it is not one that you may use.",
                "Leave --port out: a free port is taken then.",
            )
        ) from error
    listening.setblocking(False)
    return listening
