"""One look at an endpoint: what answers there, which models it lists, and what is known of them.

Requests that do not wait for one another go out together: the keyless ones that recognise the
server, and the list with the key; then what that kind of server can be asked; then, for Ollama,
each model. The key goes to the endpoint's own origin and nowhere else.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import msgspec

from core.discover.dialect import Answers, Ask, Dialect, Match, Read, json_of
from core.discover.facts import Discovery, EndpointInfo
from core.discover.gateways import Anthropic, Generic, OpenRouter
from core.discover.litellm import LiteLLM
from core.discover.llamacpp import LlamaCpp
from core.discover.lmstudio import LMStudio
from core.discover.masking import masked
from core.discover.ollama import Ollama
from core.discover.rows import rows_of
from core.discover.sglang import SGLang
from core.discover.vllm import VLLM
from core.errors import Fault, TurnkeyError, UsageProblem
from core.keys.secret import Secret
from core.providers.base_url import BaseUrl, candidates, read_base_url
from core.providers.presets import preset, presets
from core.wire.bodies import Json, read_json
from core.wire.bounds import Bounds, brief
from core.wire.client import Reply, get, open_client, post
from core.wire.failures import fault_from_reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    import httpx

    from core.wire.network import Network

DIALECTS: Final[tuple[Dialect, ...]] = (
    # The surest marks first: what embeds another server answers by its own before the inner one.
    LiteLLM(),
    SGLang(),
    LMStudio(),
    Ollama(),
    LlamaCpp(),
    VLLM(),
    OpenRouter(),
    Anthropic(),
)
_GENERIC: Final = Generic()
_UNREACHED: Final = frozenset(
    {"connection_refused", "connection_failed", "name_unresolved", "tls", "timeout"}
)
_KEY_CODES: Final = frozenset({"key_refused", "key_missing"})
_ELSEWHERE: Final = frozenset({"path_wrong", "bad_shape", "redirected"})
_AT_ONCE: Final = 64


class Found(msgspec.Struct, frozen=True):
    """A server found on this machine."""

    base_url: str
    dialect: str
    label: str
    version: str | None
    wants_key: bool


async def discover(
    typed_url: str | BaseUrl,
    key: Secret | None,
    *,
    bounds: Bounds | None = None,
    headers: Mapping[str, Secret | str] | None = None,
    network: Network | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Discovery:
    """Look at an endpoint. Never raises a :class:`TurnkeyError`: a failure is in the result.

    ``typed_url`` as text is read generously and the path that answers is taken, what was typed
    first; as a :class:`BaseUrl` it is tried as it stands before any other. All candidates have
    one origin. ``network`` is as for :func:`core.wire.client.open_client`. The key is masked
    wherever a server puts it into what it says, a model's id too.
    """
    started = clock()
    try:
        bases = _candidates(typed_url)
        limits = brief(bounds or Bounds())
        async with open_client(
            bases[0], limits, key=key, headers=headers, network=network
        ) as client:
            found = await _look(_Asker(client, limits, key), bases)
    except TurnkeyError as error:
        found = _nothing(typed_url, error.fault)
    for secret in (key, *(headers or {}).values()):
        if isinstance(secret, Secret) and secret:
            found = masked(found, secret)
    return msgspec.structs.replace(found, seconds=clock() - started)


async def find_servers(
    *,
    bounds: Bounds | None = None,
    ports: Iterable[int] | None = None,
) -> tuple[Found, ...]:
    """Servers on this machine, at the ports that the presets name (or ``ports``), all at once.

    No key is sent, and nothing but loopback is asked. A port where something answers that is no
    model server is left out.
    """
    limits = bounds or Bounds(connect_s=1.0, first_byte_s=3.0, silence_s=2.0, total_s=4.0)
    usual = dict.fromkeys(one.port for one in presets() if one.port)
    looks = [_find_at(port, limits) for port in (ports if ports is not None else usual)]
    return tuple(found for found in await asyncio.gather(*looks) if found is not None)


class _Listed(msgspec.Struct, frozen=True):
    """What one candidate's list gave."""

    base: BaseUrl
    rows: tuple[Mapping[str, Json], ...]
    fault: Fault | None
    reply: Reply | None
    """None when nothing answered."""


class _Asker:
    """Makes the requests: one client, a few at a time."""

    def __init__(self, client: httpx.AsyncClient, bounds: Bounds, key: Secret | None) -> None:
        self._client = client
        self._bounds = bounds
        self.key = key
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def _bounded(self, request: Callable[[], Awaitable[Reply]]) -> Reply:
        async with self._room:
            return await request()

    async def list_models(self, base: BaseUrl) -> _Listed:
        """The list at one candidate, or why there is none."""
        url = f"{base.url}/models"
        try:
            reply = await self._bounded(lambda: get(self._client, url, self._bounds))
        except TurnkeyError as error:
            return _Listed(base, (), error.fault, None)
        return read_list(reply, base, self.key)

    async def look_keyless(self, root: str, marks: Iterable[str]) -> dict[str, Reply]:
        """Replies to ``marks`` below ``root``, asked without key or headers; failures left out."""

        async def one(path: str) -> Reply | None:
            url = f"{root}{path}"
            try:
                return await self._bounded(
                    lambda: get(self._client, url, self._bounds, with_key=False)
                )
            except TurnkeyError:
                return None

        paths = list(marks)
        replies = await asyncio.gather(*(one(path) for path in paths))
        return {path: reply for path, reply in zip(paths, replies, strict=True) if reply}

    async def ask(self, root: str, asks: Sequence[Ask]) -> dict[str, Json]:
        """JSON by the name of each ask that got some, asked with the key."""

        async def one(ask: Ask) -> Json:
            url = f"{root}{ask.path}"
            try:
                reply = await self._bounded(
                    lambda: (
                        get(self._client, url, self._bounds)
                        if ask.method == "GET"
                        else post(self._client, url, ask.body, self._bounds)
                    )
                )
            except TurnkeyError:
                return None
            return json_of(reply)

        answers = await asyncio.gather(*(one(ask) for ask in asks))
        return {ask.name: value for ask, value in zip(asks, answers, strict=True)}


async def _look(asker: _Asker, bases: Sequence[BaseUrl]) -> Discovery:
    roots = list(dict.fromkeys((_root(bases[0]), bases[0].origin)))
    marks = list(dict.fromkeys(mark for one in DIALECTS for mark in one.marks))
    listed, looks = await asyncio.gather(
        asker.list_models(bases[0]),
        asyncio.gather(*(asker.look_keyless(root, marks) for root in roots)),
    )
    dialect, match, root = _first_recognised(roots, looks)
    answered = listed.reply is not None or any(looks)
    if listed.reply is not None and dialect.name != "litellm":
        # The list was judged before it was known whose it is; a bare 500 means less now.
        listed = read_list(listed.reply, listed.base, asker.key, dialect.name)
    if listed.fault is not None and listed.fault.code in _ELSEWHERE and answered:
        listed = await _elsewhere(asker, bases, listed)
    dialect = settle(dialect, match, listed.rows)
    if listed.fault is not None:
        return _failed(listed, dialect, match, answered=answered, root=root)
    named = await asker.ask(root, dialect.asks) if dialect.asks else {}
    answers = Answers(listed.rows, named)
    more = dialect.follow_up(answers)
    if more:
        answers = Answers(listed.rows, {**named, **await asker.ask(root, more)})
    read = dialect.read(answers)
    return _well(listed.base, dialect, match, read)


def _first_recognised(
    roots: Sequence[str], looks: Sequence[Mapping[str, Reply]]
) -> tuple[Dialect, Match | None, str]:
    """The dialect that answers below the first of the roots where one does."""
    for root, seen in zip(roots, looks, strict=True):
        recognised = recognise(seen)
        if recognised is not None:
            return *recognised, root
    return _GENERIC, None, roots[0]


async def _elsewhere(asker: _Asker, bases: Sequence[BaseUrl], first: _Listed) -> _Listed:
    """The first other candidate that lists models; else what the first one said."""
    others = await asyncio.gather(*(asker.list_models(base) for base in bases[1:]))
    for one in others:
        if one.fault is None:
            return one
    # A path that asks for a key is there; one that is not found is not.
    for one in others:
        if one.fault is not None and one.fault.code in _KEY_CODES:
            return one
    return first


def read_list(
    reply: Reply, base: BaseUrl, key: Secret | None, dialect: str | None = None
) -> _Listed:
    """Read a reply to ``GET /models``: rows, or the fault that it means. Pure."""
    fault = fault_from_reply(
        reply.status, reply.headers, reply.body, base, key=key, dialect=dialect
    )
    if fault is not None:
        return _Listed(base, (), fault, reply)
    try:
        rows = rows_of(read_json(reply.body))
    except ValueError:
        rows = None
    if rows is None:
        fault = Fault(
            "bad_shape",
            f"{base.host_port} answers, but what it sends is no list of models.",
            "The reply has no «data».",
            "Check the base URL: it should end in /v1, once.",
        )
    return _Listed(base, rows or (), fault, reply)


def recognise(seen: Mapping[str, Reply]) -> tuple[Dialect, Match] | None:
    """The first dialect that keyless replies prove, by path. Pure."""
    for dialect in DIALECTS:
        match = dialect.recognise(seen)
        if match is not None:
            return dialect, match
    return None


def settle(dialect: Dialect, match: Match | None, rows: Sequence[Mapping[str, Json]]) -> Dialect:
    """The dialect once the list is known: rows decide where the marks left a doubt. Pure."""
    if match is not None and match.sure:
        return dialect
    owners = [one for one in DIALECTS if rows and all(one.owns(row) for row in rows)]
    if owners:
        return owners[0]
    # vLLM's mark is imitated; its rows are not. Ollama's rows have no owner of their own.
    imitated = dialect.name == "vllm" and bool(rows)
    return _GENERIC if imitated else dialect


def _candidates(typed: str | BaseUrl) -> tuple[BaseUrl, ...]:
    if isinstance(typed, str):
        return candidates(typed)
    others = (one for one in candidates(typed.url) if one.url != typed.url)
    return (typed, *others)


def _root(base: BaseUrl) -> str:
    """The base URL without its ``/v1``: where a server's own routes are."""
    return base.url.removesuffix("/v1")


def _well(base: BaseUrl, dialect: Dialect, match: Match | None, read: Read) -> Discovery:
    warnings = list(read.warnings)
    if not read.models:
        warnings.append(
            Fault(
                "empty_answer",
                f"{base.host_port} lists no models.",
                "It may serve some all the same.",
                "Type a model's id, and ping it.",
            )
        )
    version = read.version or (match.version if match is not None else None)
    return Discovery(
        endpoint=EndpointInfo(base.url, base.origin, dialect.name, version),
        models=read.models,
        warnings=(*_url_warnings(base), *warnings),
        error=None,
        reachable=True,
        authorised=True,
        changes=base.changes,
        seconds=0.0,
    )


def _failed(
    listed: _Listed, dialect: Dialect, match: Match | None, *, answered: bool, root: str
) -> Discovery:
    fault = listed.fault
    base = listed.base
    if fault is not None and fault.code == "path_wrong" and match is not None:
        likely = f"{root}/v1"
        if likely != base.url:
            fix = f"{_label(dialect)} answers at {root}: use {likely}."
            fault = msgspec.structs.replace(fault, fix=fix)
    code = fault.code if fault is not None else None
    return Discovery(
        endpoint=EndpointInfo(
            base.url, base.origin, dialect.name, match.version if match is not None else None
        ),
        models=(),
        warnings=_url_warnings(base),
        error=fault,
        reachable=answered or code not in _UNREACHED,
        authorised=False if code in _KEY_CODES else None,
        changes=base.changes,
        seconds=0.0,
    )


def _nothing(typed: str | BaseUrl, fault: Fault) -> Discovery:
    """A discovery that sent nothing: the URL or the key cannot be used."""
    if isinstance(typed, str):
        try:
            typed = read_base_url(typed)
        except UsageProblem:
            info = EndpointInfo("", "", _GENERIC.name, None)
            return Discovery(info, (), (), fault, None, None, (), 0.0)
    info = EndpointInfo(typed.url, typed.origin, _GENERIC.name, None)
    return Discovery(info, (), (), fault, None, None, typed.changes, 0.0)


def _url_warnings(base: BaseUrl) -> tuple[Fault, ...]:
    return tuple(Fault("usage", warning) for warning in base.warnings)


def _label(dialect: Dialect) -> str:
    return preset(dialect.name).label


async def _find_at(port: int, bounds: Bounds) -> Found | None:
    base = read_base_url(f"http://127.0.0.1:{port}/v1")
    async with open_client(base, bounds, key=None) as client:
        asker = _Asker(client, bounds, None)
        marks = list(dict.fromkeys(mark for one in DIALECTS for mark in one.marks))
        listed, seen = await asyncio.gather(
            asker.list_models(base), asker.look_keyless(_root(base), marks)
        )
    recognised = recognise(seen)
    code = listed.fault.code if listed.fault is not None else None
    if recognised is None and code is not None and code not in _KEY_CODES:
        return None
    dialect, match = recognised if recognised is not None else (_GENERIC, None)
    dialect = settle(dialect, match, listed.rows)
    version = match.version if match is not None else None
    return Found(base.url, dialect.name, _label(dialect), version, code in _KEY_CODES)
