"""One model on the bench: the plain request that every probe starts from, asked once for all.

The rules of asking (a 400 alone proves nothing: LiteLLM without a database answers 400 to a wrong
key as well): the plain request before and after each refusal, one field at a time, and beside a
field that is taken a control with a field that nobody can know.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from core.verify.answered import failed_server
from core.verify.courtesy import MOST_URGENT, URGENCY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from core.verify.exchange import Answered, Line
    from core.verify.verdict import Subject

Body = dict[str, object]

UNKNOWN_FIELD: Final = "turnkey_unknown"
BOGUS: Final = "turnkey-bogus"
CAP: Final = 1024
"""Output limit of an ordinary question, in tokens: enough for a model that thinks first."""
USAGE: Final = {"stream_options": {"include_usage": True}}
PONG: Final = "Reply with exactly one word: PONG"
SUM: Final = "What is 17 + 26? Answer with the number alone."


class Bench:
    """What the probes of one model share. ``line`` is the way to its endpoint."""

    def __init__(
        self, line: Line, subject: Subject, *, nonce: Callable[[], str] | None = None
    ) -> None:
        self.line = line
        self.subject = subject
        # Six digits each: texts differ, so that no cache answers, and cost the same tokens.
        self._nonce = nonce or (lambda: str(secrets.randbelow(900_000) + 100_000))
        self._mine = self._nonce()
        self._cap: Body = {}
        self._usage: Body = {}
        self._shared: dict[str, Answered] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def plain(self, *, fresh: bool = False) -> Body:
        """The plain request R0: a system message, a user message as parts, streamed."""
        return {
            "model": self.subject.model,
            "messages": [self.system(fresh=fresh), user(PONG)],
            "stream": True,
            **self._usage,
            **self._cap,
        }

    def system(self, text: str = "You answer briefly.", *, fresh: bool = False) -> Body:
        """A system message that carries this bench's number, or a fresh one."""
        number = self._nonce() if fresh else self._mine
        return {"role": "system", "content": f"{text} This is check {number}."}

    async def shared(
        self, name: str, ask: Callable[[], Awaitable[Answered]]
    ) -> tuple[Answered, bool]:
        """The answer under ``name``, asked by whoever comes first; and whether that was now."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            if name in self._shared:
                return self._shared[name], False
            token = URGENCY.set(MOST_URGENT + URGENCY.get())
            try:
                self._shared[name] = await ask()
            finally:
                URGENCY.reset(token)
            return self._shared[name], True

    async def first(self) -> Answered:
        """R0 for the first time, which also settles under which name an output limit goes.

        Probes are kept short by one. A server that refuses both names is asked without. Every
        probe rests on it, so after a failure of the server's it is asked again, as by Pi.
        """
        window = self.subject.described.context_window
        cap = min(CAP, window // 4) if window > 0 else CAP
        answered: Answered | None = None
        tries = 0
        for limit in ({"max_tokens": cap}, {"max_completion_tokens": cap}, {}):
            self._cap = dict(limit)
            answered = await self.line.send(self.plain(), again=failed_server)
            tries += answered.tries
            if not answered.refused:
                break
        assert answered is not None  # noqa: S101  # the loop ran
        return msgspec.structs.replace(answered, tries=tries)

    async def counted(self) -> Answered:
        """R0 with usage asked for. Where that is taken, every request from now on asks for it:
        what the server counts is a witness, and tells the cost.
        """
        answered = await self.line.send({**self.plain(), **USAGE})
        if answered.ok:
            self._usage = dict(USAGE)
        return answered


class Tape:
    """What one probe asked and got, by name, in order; and what that cost."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.answers: dict[str, Answered] = {}
        self.requests = 0
        self.tokens: int | None = None

    @property
    def subject(self) -> Subject:
        """Who is asked."""
        return self.bench.subject

    async def base(self) -> Answered:
        """R0, once for the whole bench; under ``before``. And R0 with usage asked for."""
        before = await self.share("before", "plain", self.bench.first)
        if before.ok:
            _, mine = await self.bench.shared("usage", self.bench.counted)
            if mine:
                self._count(await self.usage())
        return before

    async def usage(self) -> Answered:
        """R0 with usage asked for; not among the answers. Only after :meth:`base`."""
        answered, _ = await self.bench.shared("usage", self.bench.counted)
        return answered

    async def control(self) -> Answered:
        """R0 with a field that no server can know, once for the whole bench; under ``control``."""
        body = {**self.bench.plain(), UNKNOWN_FIELD: 1}
        return await self.share("control", "control", lambda: self.bench.line.send(body))

    async def share(self, name: str, key: str, ask: Callable[[], Awaitable[Answered]]) -> Answered:
        """An answer that other probes want as well, under ``name``."""
        answered, mine = await self.bench.shared(key, ask)
        return self._keep(name, answered, counted=mine)

    async def ask(
        self, name: str, change: Mapping[str, object], *, drop: tuple[str, ...] = ()
    ) -> Answered:
        """R0 with ``change`` over it, less the fields of ``drop``; under ``name``."""
        body = self.body(change, drop=drop)
        return self._keep(name, await self.bench.line.send(body), counted=True)

    async def ask_all(
        self, changes: Mapping[str, Mapping[str, object]], *, drop: tuple[str, ...] = ()
    ) -> None:
        """Each of ``changes`` over R0, at once; kept in their order."""
        bodies = [self.body(change, drop=drop) for change in changes.values()]
        replies = await asyncio.gather(*map(self.bench.line.send, bodies))
        for name, answered in zip(changes, replies, strict=True):
            self._keep(name, answered, counted=True)

    async def ask_shared(
        self, name: str, change: Mapping[str, object], key: str | None = None
    ) -> Answered:
        """As :meth:`ask`, once for the whole bench under ``key`` (else ``name``)."""
        body = self.body(change)
        return await self.share(name, key or name, lambda: self.bench.line.send(body))

    def body(self, change: Mapping[str, object], *, drop: tuple[str, ...] = ()) -> Body:
        """R0 with ``change`` over it, less the fields of ``drop``."""
        whole = {**self.bench.plain(), **change}
        return {name: value for name, value in whole.items() if name not in drop}

    async def confirm(
        self, name: str, change: Mapping[str, object], *, drop: tuple[str, ...] = ()
    ) -> None:
        """Where ``name`` was refused: the same again, then R0 again; for a 5xx R0 twice."""
        await self.confirm_all({name: change}, drop=drop)

    async def confirm_all(
        self, changes: Mapping[str, Mapping[str, object]], *, drop: tuple[str, ...] = ()
    ) -> None:
        """For each of ``changes`` that was refused the same twice more, and R0 after them all.

        A refusal counts where it stands between two plain requests that are taken, and comes
        every time: a server that refuses now and then refuses no field.
        """
        asked = ((name, self.answers.get(name)) for name in changes)
        refused = [name for name, one in asked if one is not None and (one.refused or broken(one))]
        again = [(f"{name} again{more}", name) for name in refused for more in ("", " 2")]
        await self.ask_all({new: changes[name] for new, name in again}, drop=drop)
        if refused:
            await self.again("after")
        if any(broken(self.answers[name]) for name in refused):
            await self.again("after again")

    async def again(self, name: str) -> Answered:
        """R0 once more, with another number in it; under ``name``."""
        body = self.bench.plain(fresh=True)
        return self._keep(name, await self.bench.line.send(body), counted=True)

    def _keep(self, name: str, answered: Answered, *, counted: bool) -> Answered:
        self.answers[name] = answered
        if counted:
            self._count(answered)
        return answered

    def _count(self, answered: Answered) -> None:
        self.requests += answered.tries
        if answered.tokens is not None:
            self.tokens = (self.tokens or 0) + answered.tokens


def user(text: str) -> Body:
    """A user message as Pi writes it: a list of parts."""
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def broken(answered: Answered) -> bool:
    """The server says that the fault is its own; maybe it is, maybe a field made it."""
    return answered.status is not None and answered.status >= 500
