"""The requests of one look at an endpoint: made at once, each bounded, and all of them together."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar
from urllib.parse import urlencode

import msgspec

from core.discover.dialect import json_of
from core.discover.rows import row_id, rows_of
from core.errors import Fault, TurnkeyError
from core.keys.bounded import beside as in_thread
from core.wire.bodies import (
    Json,
    as_dict,
    as_list,
    as_text,
    is_html,
    mended_json,
    read_error,
    shown,
)
from core.wire.bounds import whole_s
from core.wire.client import ConnectTimer, Reply, get, post, proxy_of
from core.wire.crowd import Crowd
from core.wire.failures import fault_from_reply
from core.wire.unreached import page_by_proxy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    import httpx

    from core.discover.dialect import Ask
    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl
    from core.wire.bounds import Bounds

AT_ONCE: Final = 240
"""Requests at one time to one endpoint: what Ollama is asked of each model goes out together."""
_LARGE: Final = 1 << 18
# Bytes from which a body is read beside the event loop, so that a screen stays alive meanwhile.
_PROXYS: Final = frozenset({403, 502, 503, 504})
# Statuses with which a proxy's own page comes: it refuses, or does not reach the server.
_MOST_PAGES: Final = 40
_PAGE: Final = 1000
# Rows of a page: the most that Anthropic's list gives at once.
_LONGEST_ID: Final = 300
_ABOUT_ONE: Final = 1 << 20
# Bytes of an answer about one model, of which hundreds come at once; Ollama's have some 100 KiB.
_MANY: Final = 8
# Questions to one URL from which the cheap way is worth its connections.

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Listed(msgspec.Struct, frozen=True):
    """What one candidate's list gave."""

    base: BaseUrl
    rows: tuple[Mapping[str, Json], ...]
    fault: Fault | None
    reply: Reply | None
    """None when nothing answered."""
    warnings: tuple[Fault, ...] = ()
    next_page: str = ""
    """The query that gets the next page of a list that comes in pages."""


class Asker:
    """Makes the requests: one client, one deadline, a number of them at a time."""

    def __init__(self, client: httpx.AsyncClient, bounds: Bounds, key: Secret | None) -> None:
        self._client = client
        self._bounds = bounds
        few = min(bounds.body_bytes, _ABOUT_ONE)
        self._about_one = msgspec.structs.replace(bounds, body_bytes=few)
        self.key = key
        self._room = asyncio.Semaphore(AT_ONCE)
        self._address: str | None = None
        self._ends = asyncio.get_running_loop().time() + whole_s(bounds)

    def left_s(self) -> float:
        """Seconds that the whole look has left; never less than what lets a reply come in."""
        return max(0.5, self._ends - asyncio.get_running_loop().time())

    async def _bounded(self, request: Callable[[], Awaitable[Reply]]) -> Reply:
        async with self._room:
            return await request()

    async def list_models(self, base: BaseUrl) -> Listed:
        """The list at one candidate, or why there is none."""
        url = f"{base.url}/models"
        timer = ConnectTimer()
        try:
            reply = await self._bounded(lambda: get(self._client, url, self._bounds, timer=timer))
        except TurnkeyError as error:
            return Listed(base, (), error.fault, None)
        self._address = timer.address or self._address
        proxy = proxy_of(self._client)
        proxys = reply.status < 300 or reply.status in _PROXYS
        if proxy is not None and proxys and is_html(reply.headers, reply.body):
            words = read_error(reply.body).message
            said = shown(words if self.key is None else self.key.redact(words))[:120]
            return Listed(base, (), page_by_proxy(base, proxy, reply.status, said), None)
        listed = await beside(len(reply.body), read_list, reply, base, self.key)
        return await self._whole_list(listed) if listed.next_page else listed

    async def _whole_list(self, first: Listed) -> Listed:
        """The list with its further pages, as many as there is time and room for."""
        rows = {row_id(row): row for row in first.rows}
        warnings = [*first.warnings]
        after, pages = first.next_page, 1
        room = self._bounds.body_bytes - _size(first)
        while after and pages < _MOST_PAGES and room > 0:
            page = await self._page(first.base, after)
            before = len(rows)
            for row in page.rows if page is not None else ():
                rows.setdefault(row_id(row), row)
            if page is None or page.fault is not None or len(rows) == before:
                break  # it refuses, or repeats itself
            after, pages, room = page.next_page, pages + 1, room - _size(page)
            warnings += page.warnings
        if after:
            warnings.append(_goes_on(first.base, len(rows)))
        told = tuple(dict.fromkeys(warnings))
        return msgspec.structs.replace(
            first, rows=tuple(rows.values()), warnings=told, next_page=""
        )

    async def _page(self, base: BaseUrl, query: str) -> Listed | None:
        url = f"{base.url}/models?{query}"
        try:
            async with asyncio.timeout(self.left_s()):
                reply = await self._bounded(lambda: get(self._client, url, self._bounds))
        except (TurnkeyError, TimeoutError):
            return None
        return await beside(len(reply.body), read_list, reply, base, self.key)

    async def list_at(self, bases: Sequence[BaseUrl]) -> list[Listed]:
        """The lists at several candidates, in their order; those that came in time."""
        found: dict[int, Listed] = {}

        async def one(place: int, base: BaseUrl) -> None:
            found[place] = await self.list_models(base)

        await _all_within(self.left_s(), (one(place, base) for place, base in enumerate(bases)))
        return [found[place] for place in sorted(found)]

    async def look_keyless(self, asked: Iterable[tuple[str, str, dict[str, Reply]]]) -> None:
        """Ask without key or headers: each an address, a name, and where the reply goes by it.

        Cancelling ends all of them, and no task or future of theirs is left behind.
        """

        async def one(url: str, name: str, seen: dict[str, Reply]) -> None:
            try:
                seen[name] = await self._bounded(
                    lambda: get(self._client, url, self._bounds, with_key=False)
                )
            except TurnkeyError:
                return

        async with asyncio.TaskGroup() as together:
            for url, name, seen in asked:
                together.create_task(one(url, name, seen))

    async def ask(
        self, root: str, asks: Sequence[Ask], seconds: float
    ) -> tuple[dict[str, Json], dict[str, str]]:
        """JSON by the name of each ask that got some; of those without a whole reply, why.

        The reason is the code of a fault, ``timeout`` for those that took too long. They go out at
        once, with the key, and have ``seconds`` altogether.
        """
        found: dict[str, Json] = {}
        lost = {ask.name: "timeout" for ask in asks}

        crowds = self._crowds(root, asks)

        async def one(ask: Ask) -> None:
            try:
                reply = await self._bounded(lambda: self._send(f"{root}{ask.path}", ask, crowds))
            except TurnkeyError as error:
                lost[ask.name] = error.fault.code
                return
            value = await beside(len(reply.body), json_of, reply)
            lost.pop(ask.name, None)
            if value is not None:
                found[ask.name] = value

        await _all_within(min(seconds, self.left_s()), (one(ask) for ask in asks))
        return dict(found), dict(lost)

    def _crowds(self, root: str, asks: Sequence[Ask]) -> dict[str, Crowd]:
        """The URLs to which many questions go, and the cheap way there where nothing forbids it."""
        many = Counter(f"{root}{ask.path}" for ask in asks if ask.method == "POST")
        return {
            url: Crowd(self._client, url, self._address, self._about_one)
            for url, count in many.items()
            if count >= _MANY and self._address is not None and Crowd.fits(self._client, url)
        }

    async def _send(self, url: str, ask: Ask, crowds: Mapping[str, Crowd]) -> Reply:
        if url in crowds:
            return await crowds[url].post(ask.body)
        if ask.method == "POST":
            return await post(self._client, url, ask.body, self._about_one)
        return await get(self._client, url, self._bounds)


async def beside(size: int, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run a pure ``function``: in a thread when ``size`` (bytes) says that it takes its time.

    The thread is one that neither the loop's end nor the program's exit waits for.
    """
    if size < _LARGE:
        return function(*args, **kwargs)
    return await in_thread(partial(function, *args, **kwargs))


async def _all_within(seconds: float, work: Iterable[Awaitable[None]]) -> None:
    """Do all of it at once; what is not done after ``seconds`` is given up."""
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*work)
    except TimeoutError:
        return


def read_list(
    reply: Reply, base: BaseUrl, key: Secret | None, dialect: str | None = None
) -> Listed:
    """Read a reply to ``GET /models``: rows, or the fault that it means. Pure."""
    fault = fault_from_reply(
        reply.status, reply.headers, reply.body, base, key=key, dialect=dialect
    )
    if fault is not None:
        return Listed(base, (), fault, reply)
    try:
        value, mended = mended_json(reply.body)
    except ValueError:
        value, mended = None, False
    rows = rows_of(value)
    whole = rows
    if rows and mended:
        whole = tuple(row for row in rows if "\ufffd" not in row_id(row))
    if whole is None or rows is None or (rows and not whole):
        fault = Fault(
            "bad_shape",
            f"{base.host_port} answers, but what it sends is no list of models.",
            "No id in it can be read." if rows else "The reply has no «data».",
            "Check the base URL: it should end in /v1, once.",
        )
        return Listed(base, (), fault, reply)
    if is_lm_studios_own(value):
        fault = Fault(
            "path_wrong",
            f"{base.url} is LM Studio's own API, of another kind than OpenAI's.",
            "Models are listed there, but no chat request is answered in the shape that is needed.",
            f"Use {base.origin}/v1.",
        )
        return Listed(base, (), fault, reply)
    after = next_page(value)
    lost = as_dict(value).get("has_more") is True and not after
    warnings = (_goes_on(base, len(whole)),) if lost else ()
    if mended:
        warnings = (*warnings, _mended(base, len(rows) - len(whole)))
    return Listed(base, whole, None, reply, warnings, after)


def next_page(value: Json) -> str:
    """The query for what comes after a page; empty where the list ends, or does not say how.

    Anthropic pages by ``after_id`` (docs.anthropic.com, «List models»), OpenAI by ``after``.
    """
    top = as_dict(value)
    if top.get("has_more") is not True:
        return ""
    rows = [as_dict(row) for row in as_list(top.get("data"))]
    last = as_text(top.get("last_id")) or (row_id(rows[-1]) if rows else "")
    if not 0 < len(last) <= _LONGEST_ID:
        return ""
    name = "after_id" if "last_id" in top else "after"
    return urlencode({name: last, "limit": _PAGE}, errors="replace")


def _size(listed: Listed) -> int:
    return len(listed.reply.body) if listed.reply is not None else 0


def is_lm_studios_own(value: Json) -> bool:
    """Whether a list is that of LM Studio's own API (lmstudio-ai/docs ``2_rest/list.md``)."""
    top = as_dict(value)
    rows = [as_dict(row) for row in as_list(top.get("models"))]
    return "data" not in top and any("key" in row and "loaded_instances" in row for row in rows)


def _goes_on(base: BaseUrl, count: int) -> Fault:
    """What to say of a list that comes in pages, as Anthropic's does (``has_more``)."""
    return Fault(
        "empty_answer",
        f"The list of models from {base.host_port} goes on after the first {count}.",
        "It comes in pages, and not all of them came.",
        "A model that is not listed may be typed; ping it.",
    )


def _mended(base: BaseUrl, lost: int) -> Fault:
    """What to say of a list that had to be mended to be read."""
    models = "One model was" if lost == 1 else f"{lost} models were"
    return Fault(
        "bad_shape",
        f"The list of models from {base.host_port} is not sound JSON.",
        f"{models} left out: their ids cannot be read." if lost else "What can be read is shown.",
        "Whoever runs the server should look at what it sends.",
    )
