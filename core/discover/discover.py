"""One look at an endpoint: what answers there, which models it lists, and what is known of them.

Requests that do not wait for one another go out together: the keyless ones that recognise the
server, and the list with the key; then what that kind of server can be asked, for Ollama of each
model too. The whole of it has one deadline, and what only adds facts is not waited for longer than
it is worth. The key goes to the endpoint's own origin and nowhere else.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import msgspec

from core.discover.asking import Asker, Listed, beside, read_list
from core.discover.dialect import Answers, Ask, Dialect, Match, Read
from core.discover.facts import Discovery, EndpointInfo
from core.discover.gateways import Anthropic, Generic, OpenRouter
from core.discover.litellm import LiteLLM
from core.discover.llamacpp import LlamaCpp
from core.discover.lmstudio import LMStudio
from core.discover.masking import masked
from core.discover.ollama import Ollama
from core.discover.patterns import prepare
from core.discover.sglang import SGLang
from core.discover.vllm import VLLM
from core.errors import Fault, TurnkeyError, UsageProblem
from core.keys.bounded import beside as in_thread
from core.keys.secret import Secret
from core.providers.base_url import BaseUrl, candidates, read_base_url
from core.providers.presets import preset, presets
from core.wire.bounds import Bounds, brief
from core.wire.client import open_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from core.wire.bodies import Json
    from core.wire.client import Reply
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
_TOLD_APART: Final = frozenset({"timeout", "too_large"})
_FACTS_S: Final = 10.0
# Seconds for what is asked of the models beyond their list: they can be chosen without it.
_MARKS_S: Final = 3.0


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
            found = await _look(Asker(client, limits, key), bases)
    except TurnkeyError as error:
        found = _nothing(typed_url, error.fault)
    for secret in (key, *(headers or {}).values()):
        if isinstance(secret, Secret) and secret:
            found = await beside(len(found.models) << 10, masked, found, secret)
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


async def _look(asker: Asker, bases: Sequence[BaseUrl]) -> Discovery:
    roots = list(dict.fromkeys((_root(bases[0]), bases[0].origin)))
    listed, looks = await _first_answers(asker, bases[0], roots)
    dialect, match, root = _first_recognised(roots, looks)
    answered = listed.reply is not None or any(looks)
    if listed.fault is not None and listed.reply is not None and dialect.name != "litellm":
        # The list was judged before it was known whose it is; a bare 500 means less now.
        listed = read_list(listed.reply, listed.base, asker.key, dialect.name)
    if listed.fault is not None and listed.fault.code in _ELSEWHERE and answered:
        listed = await _elsewhere(asker, bases, listed)
    dialect = settle(dialect, match, listed.rows)
    if listed.fault is not None:
        return _failed(listed, dialect, match, answered=answered, root=root)
    if _root(listed.base) in roots:  # where the list is, its server's own routes are
        root = _root(listed.base)
    about = dialect.asks_about(listed.rows)
    asks = (*dialect.asks, *about)
    # What only other servers have is not waited for longer than what tells them apart.
    patience = _MARKS_S if dialect is _GENERIC else _FACTS_S
    named, lost = await asker.ask(root, asks, patience) if asks else ({}, {})
    read = await beside(_size(listed), dialect.read, Answers(listed.rows, named))
    return _well(listed, dialect, match, read, untold(dialect.asks, about, named, lost))


async def _first_answers(
    asker: Asker, base: BaseUrl, roots: Sequence[str]
) -> tuple[Listed, list[dict[str, Reply]]]:
    """The list at the first candidate, and what the marks answered below each root.

    Marks only recognise: once the list is there they have little time left.
    """
    marks = list(dict.fromkeys(mark for one in DIALECTS for mark in one.marks))
    looks: list[dict[str, Reply]] = [{} for _ in roots]
    asked = [
        (root + mark, mark, seen) for root, seen in zip(roots, looks, strict=True) for mark in marks
    ]
    looking = asyncio.create_task(asker.look_keyless(asked))
    reading = asyncio.create_task(in_thread(prepare))  # while nothing has answered yet
    try:
        listed = await asker.list_models(base)
        await asyncio.wait({looking}, timeout=min(_MARKS_S, asker.left_s()))
    finally:
        looking.cancel()
        reading.cancel()
        await asyncio.wait({looking, reading})
    if not looking.cancelled():
        looking.result()
    return listed, looks


def _size(listed: Listed) -> int:
    return len(listed.reply.body) if listed.reply is not None else 0


def _first_recognised(
    roots: Sequence[str], looks: Sequence[Mapping[str, Reply]]
) -> tuple[Dialect, Match | None, str]:
    """The dialect that answers below one of the roots: the surest, else the first.

    What an Ollama answers below its own ``/api`` looks like a vLLM; its front page is clearer.
    """
    found = [
        (not match.sure, DIALECTS.index(dialect) if not match.sure else 0, place, dialect, match)
        for place, seen in enumerate(looks)
        if (recognised := recognise(seen)) is not None
        for dialect, match in (recognised,)
    ]
    if not found:
        return _GENERIC, None, roots[0]
    _, _, place, dialect, match = min(found, key=lambda one: one[:3])
    return dialect, match, roots[place]


async def _elsewhere(asker: Asker, bases: Sequence[BaseUrl], first: Listed) -> Listed:
    """The first other candidate that lists models; else what the first one said."""
    others = await asker.list_at(bases[1:])
    for one in others:
        if one.fault is None:
            return one
    # A path that asks for a key is there; one that is not found is not.
    for one in others:
        if one.fault is not None and one.fault.code in _KEY_CODES:
            return one
    return first


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


def untold(
    asks: Sequence[Ask], about: Sequence[Ask], named: Mapping[str, Json], lost: Mapping[str, str]
) -> tuple[Fault, ...]:
    """What to say of questions that got no answer, for which facts are missing. Pure.

    Of ``asks`` some are only for another version of the server, so that a refusal means nothing;
    but a reply that was ``lost`` on its way does.
    """
    found: list[Fault] = []
    again = "Ask again when the server is less busy."
    why = "Facts that it tells there are missing."
    slow = [ask.path for ask in asks if lost.get(ask.name) == "timeout"]
    if slow:
        what = f"The server did not answer {', '.join(slow)} in time."
        found.append(Fault("timeout", what, why, again))
    large = [ask.path for ask in asks if lost.get(ask.name) == "too_large"]
    if large:
        what = f"The answer to {', '.join(large)} is too large, and reading was stopped."
        found.append(Fault("too_large", what, why, "What the list says is shown."))
    broken = [ask.path for ask in asks if lost.get(ask.name, "timeout") not in _TOLD_APART]
    if broken:
        what = f"The answer to {', '.join(broken)} broke off or cannot be read."
        found.append(Fault("connection_failed", what, why, again))
    silent = sum(1 for ask in about if ask.name not in named)
    if silent:
        what = f"{silent} of {len(about)} questions about single models got no answer."
        why = "Their facts are fewer than the server knows."
        found.append(Fault("empty_answer", what, why, again))
    return tuple(found)


def _well(
    listed: Listed,
    dialect: Dialect,
    match: Match | None,
    read: Read,
    missing: Sequence[Fault],
) -> Discovery:
    base = listed.base
    warnings = [*listed.warnings, *read.warnings, *missing]
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
    listed: Listed, dialect: Dialect, match: Match | None, *, answered: bool, root: str
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
        asker = Asker(client, bounds, None)
        listed, (seen,) = await _first_answers(asker, base, [_root(base)])
    recognised = recognise(seen)
    code = listed.fault.code if listed.fault is not None else None
    if recognised is None and code is not None and code not in _KEY_CODES:
        return None
    dialect, match = recognised if recognised is not None else (_GENERIC, None)
    dialect = settle(dialect, match, listed.rows)
    version = match.version if match is not None else None
    return Found(base.url, dialect.name, _label(dialect), version, code in _KEY_CODES)
