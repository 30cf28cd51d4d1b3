"""Calls that may hang, run beside the program: waited for so long and no longer.

A keyring can block for ever (a dead bus, a question on a screen that nobody sees). Each call gets
a daemon thread of its own, which neither holds up the exit nor the interface.
"""

from __future__ import annotations

import contextlib
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from core.keys.backends import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

BOUND_S: Final = 3.0
"""Seconds that any keyring call may take."""
PROMPT_S: Final = 60.0
"""Seconds that it may take while the platform asks a person to unlock it."""
_LOOK_S: Final = 0.3
_UNSURE_S: Final = 1.0
"""Seconds after which a keyring that cannot tell whether it is locked is taken to be asking."""
_TICK_S: Final = 0.05


class Patience:
    """How long to wait for a keyring, who is told about it, and how the wait is ended.

    With ``on_wait`` a person is watching: when a call does not come back at once and the keyring
    may be asking to be unlocked, ``on_wait`` is called once with words to show (from the calling
    thread), and the wait goes on up to ``prompt_s``; ``on_end`` is called when it is over, however
    it ended. Without ``on_wait``, ``bound_s`` is the end.
    """

    def __init__(
        self,
        bound_s: float = BOUND_S,
        prompt_s: float = PROMPT_S,
        on_wait: Callable[[str], None] | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self.bound_s: Final = bound_s
        self.prompt_s: Final = prompt_s
        self.on_wait: Final = on_wait
        self.on_end: Final = on_end
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the wait (Escape). From any thread; the call itself cannot be taken back."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """True after :meth:`stop`."""
        return self._stopped.is_set()


class _Job(Generic[T]):
    """One call in its thread. ``late`` runs there if it succeeds after nobody waits any more."""

    def __init__(self, work: Callable[[], T], late: Callable[[], None] | None) -> None:
        self._work = work
        self._late = late
        self._given_up = False
        self._lock = threading.Lock()
        self.done = threading.Event()
        self.result: list[T] = []
        self.trouble: BackendError | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="turnkey-keyring", daemon=True).start()

    def give_up(self) -> bool:
        """Stop waiting; False when it is done after all."""
        with self._lock:
            self._given_up = not self.done.is_set()
            return self._given_up

    def _run(self) -> None:
        try:
            self.result.append(self._work())
        except BackendError as trouble:
            # A fresh one: the frames of this thread hold the value.
            self.trouble = BackendError(trouble.kind, trouble.words)
        except BaseException as error:  # noqa: BLE001  # it would be lost with the thread
            self.trouble = BackendError("failing", f"The keyring failed: {type(error).__name__}.")
        with self._lock:
            self.done.set()
            late = self._late if self._given_up and self.result else None
        if late is not None:
            with contextlib.suppress(Exception):
                late()


class BoundedCalls:
    """Runs one call at a time; while one hangs, further ones are refused at once."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._hanging: threading.Event | None = None
        self._prompting = False
        self._stopped = False

    def call(
        self,
        work: Callable[[], T],
        patience: Patience,
        *,
        name: Callable[[], str],
        asking: Callable[[], bool | None],
        late: Callable[[], None] | None = None,
    ) -> T:
        """``work()``, run in a daemon thread and waited for as ``patience`` says.

        ``name``: what the keyring is called. ``asking``: whether it is asking a person to
        unlock it (None: cannot be told); called in a thread as well, since it may hang, too.

        Raises:
            BackendError: what ``work`` raised; ``slow``, ``locked`` or ``stopped`` when the
                wait ended before it did.
        """
        self._take_turn(patience, name)
        try:
            if self._hanging is not None and not self._hanging.is_set():
                if self._stopped:
                    raise BackendError("stopped", f"The wait for {name()} was ended.")
                raise BackendError("slow", f"{name()} has not answered the call before.")
            self._stopped = False
            job = _Job(work, late)
            self._hanging = job.done
            job.start()
            self._wait(job, patience, name, asking)
        finally:
            self._turn.release()
        if job.trouble is not None:
            raise job.trouble
        return job.result[0]

    def _take_turn(self, patience: Patience, name: Callable[[], str]) -> None:
        end = monotonic() + patience.bound_s
        while not self._turn.acquire(timeout=_TICK_S):
            if patience.stopped:
                raise BackendError("stopped", f"The wait for {name()} was ended.")
            # While a person is asked, whoever comes next waits for the same answer.
            if monotonic() >= end and not self._prompting:
                raise BackendError("slow", f"{name()} is still busy with the call before.")

    def _wait(
        self,
        job: _Job[T],
        patience: Patience,
        name: Callable[[], str],
        asking: Callable[[], bool | None],
    ) -> None:
        look = min(_LOOK_S, patience.bound_s)
        start = monotonic()
        if job.done.wait(look):
            return
        locked = self._ask(asking, look)
        prompting = False
        while patience.on_wait is not None and not (job.done.is_set() or patience.stopped):
            waited = monotonic() - start
            if locked or (locked is None and waited >= min(_UNSURE_S, patience.bound_s)):
                prompting = True
                break
            if waited >= patience.bound_s:
                break
            # Perhaps it is still being found, or about to open its question.
            if not job.done.wait(min(look, patience.bound_s - waited)):
                locked = self._ask(asking, look)
        if job.done.is_set():
            return
        if prompting and patience.on_wait is not None:
            certain = "is waiting to be unlocked" if locked else "may be asking to be unlocked"
            patience.on_wait(f"{name()} {certain}; look for its question on the screen.")
        already = monotonic() - start
        self._prompting = prompting
        try:
            limit = patience.prompt_s if prompting else patience.bound_s
            self._sit_out(job, patience, limit, already)
        finally:
            self._prompting = False
            if prompting and patience.on_end is not None:
                patience.on_end()
        if not job.give_up():
            return
        if patience.stopped:
            self._stopped = True
            raise BackendError("stopped", f"The wait for {name()} was ended.")
        if locked:
            raise BackendError("locked", f"{name()} is locked, and nobody unlocked it.")
        seconds = patience.prompt_s if prompting else patience.bound_s
        raise BackendError("slow", f"{name()} did not answer within {seconds:g} s.")

    @staticmethod
    def _sit_out(job: _Job[T], patience: Patience, seconds: float, already: float) -> None:
        left = seconds - already
        # A stop has to end the wait as well, so it is looked at in between.
        while left > 0 and not patience.stopped:
            step = min(_TICK_S, left)
            if job.done.wait(step):
                return
            left -= step

    @staticmethod
    def _ask(asking: Callable[[], bool | None], seconds: float) -> bool | None:
        job = _Job(asking, None)
        job.start()
        return job.result[0] if job.done.wait(seconds) and job.result else None


async def beside(function: Callable[[], T]) -> T:
    """Await a blocking call, run in a daemon thread: ``await beside(lambda: vault.prepare())``.

    Unlike ``asyncio.to_thread`` a call that hangs holds up neither the loop's end nor the exit.
    Cancelling stops the waiting, not the call.
    """
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # set where error is not

    def run() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001  # handed to whoever awaits
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="turnkey-beside", daemon=True).start()
    return await future
