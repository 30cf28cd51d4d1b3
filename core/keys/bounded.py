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
_TICK_S: Final = 0.05


class Patience:
    """How long one action of the user waits for a keyring, who is told, and how it is ended.

    All calls of the action share it: ``bound_s`` seconds together, however many they are. With
    ``on_wait`` a person is watching: while the platform itself asks to unlock the keyring, which
    is when it says that it is locked, ``on_wait`` is called once with words to show (from the
    calling thread), and the wait goes on up to ``prompt_s``; ``on_end`` is called when it is over,
    however it ended. Without ``on_wait``, or where nothing says that it is locked, ``bound_s`` is
    the end.
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
        self._spent_s = 0.0
        self._prompted_s = 0.0

    def again(self) -> Patience:
        """A new one for the user's next action, told and ended in the same way."""
        return Patience(self.bound_s, self.prompt_s, self.on_wait, self.on_end)

    @property
    def left_s(self) -> float:
        """Seconds that are left of the bound."""
        return max(0.0, self.bound_s - self._spent_s)

    @property
    def prompt_left_s(self) -> float:
        """Seconds that are left for a person to unlock it."""
        return max(0.0, self.prompt_s - self._prompted_s)

    def spend(self, seconds: float, *, prompted: bool = False) -> None:
        """Count a wait. What a person took to unlock it is not the keyring's own slowness."""
        if prompted:
            self._prompted_s += seconds
            self._spent_s = 0.0  # and it answers from a fresh start then
        else:
            self._spent_s += seconds

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
        start = monotonic()
        while not self._turn.acquire(timeout=_TICK_S):
            if patience.stopped:
                raise BackendError("stopped", f"The wait for {name()} was ended.")
            # While a person is asked, whoever comes next waits for the same answer.
            if monotonic() - start >= patience.left_s and not self._prompting:
                patience.spend(monotonic() - start)
                raise BackendError("slow", f"{name()} is still busy with the call before.")

    def _wait(
        self,
        job: _Job[T],
        patience: Patience,
        name: Callable[[], str],
        asking: Callable[[], bool | None],
    ) -> None:
        start = monotonic()
        locked = self._until_locked(job, patience, asking, start)
        patience.spend(monotonic() - start)
        if job.done.is_set():
            return
        prompting = locked and patience.on_wait is not None and not patience.stopped
        if prompting and patience.on_wait is not None:
            patience.on_wait(
                f"{name()} is waiting to be unlocked; look for its question on the screen."
            )
            self._prompting = True
            start = monotonic()
            try:
                self._sit_out(job, patience, patience.prompt_left_s)
            finally:
                self._prompting = False
                patience.spend(monotonic() - start, prompted=True)
                if patience.on_end is not None:
                    patience.on_end()
        if not job.give_up():
            return
        if patience.stopped:
            self._stopped = True
            raise BackendError("stopped", f"The wait for {name()} was ended.")
        if locked:
            raise BackendError("locked", f"{name()} is locked, and nobody unlocked it.")
        raise BackendError("slow", f"{name()} did not answer within {patience.bound_s:g} s.")

    def _until_locked(
        self, job: _Job[T], patience: Patience, asking: Callable[[], bool | None], start: float
    ) -> bool:
        """Wait out the bound; True at once when a person could be asked to unlock it meanwhile."""
        bound = patience.left_s
        look = min(_LOOK_S, bound)
        locked = False
        while not (job.done.wait(look) or patience.stopped):
            # Perhaps it is still being found, or about to open its question.
            left = bound - (monotonic() - start)
            locked = self._ask(asking, max(min(_LOOK_S, left), _TICK_S)) is True
            if locked and patience.on_wait is not None:
                return True
            left = bound - (monotonic() - start)
            if left <= 0:
                break
            look = min(_TICK_S if patience.bound_s < _LOOK_S else _LOOK_S, left)
        return locked

    @staticmethod
    def _sit_out(job: _Job[T], patience: Patience, seconds: float) -> None:
        end = monotonic() + seconds
        # A stop has to end the wait as well, so it is looked at in between.
        while (left := end - monotonic()) > 0 and not patience.stopped:
            if job.done.wait(min(_TICK_S, left)):
                return

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
