"""Climbs the ladder against a live endpoint: one real connection, one look, one short stream.

What each rung's outcome means is decided in :mod:`core.doctor.causes` and
:mod:`core.doctor.outcomes`; here requests are made and their results handed over.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from core.doctor import causes, outcomes
from core.doctor.rungs import NOT_TRIED, Asked, Ladder
from core.doctor.sights import answers_at, first_words, look_for_tls
from core.errors import TurnkeyError
from core.providers.base_url import read_base_url
from core.wire.bounds import Bounds, brief
from core.wire.client import ConnectTimer, get, open_client
from core.wire.failures import fault_from_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from core.discover.facts import Discovery
    from core.doctor.patient import Patient
    from core.doctor.rungs import Report, Rung
    from core.doctor.surroundings import Surroundings
    from core.errors import Fault
    from core.live.events import Event
    from core.providers.base_url import BaseUrl
    from core.wire.client import Reply

_HOLD_S: Final = 0.5
# Seconds after the handshake in which a refusal still counts as TLS's.
_NEAR: Final = frozenset({"loopback", "this_machine", "any_address"})


async def examine(
    patient: Patient,
    around: Surroundings,
    *,
    bounds: Bounds | None = None,
    on_rung: Callable[[Rung], None] | None = None,
) -> Report:
    """The ladder, climbed to the first rung that breaks. Never raises a TurnkeyError.

    ``on_rung`` sees each rung as it finishes. Cancelling closes the connection. At most one
    streamed request goes to a model, and nothing is kept or changed anywhere.
    """
    ladder = Ladder(on_rung, patient.mask)
    if patient.url_fault is not None:
        ladder.failed("url", patient.url_fault)
        return ladder.report(Asked(None, patient.model, patient.provider))
    try:
        base = read_base_url(patient.url) if isinstance(patient.url, str) else patient.url
    except TurnkeyError as error:
        ladder.failed("url", error.fault)
        return ladder.report(Asked(None, patient.model, patient.provider))
    ladder.passed("url", outcomes.url_words(base))
    model = await _Climb(ladder, patient, base, around, bounds or Bounds()).climb()
    return ladder.report(Asked(base.url, model, patient.provider))


class _Watch(ConnectTimer):
    """Tells the rungs of the connection as its stages end."""

    __slots__ = ("_told",)

    def __init__(self, told: Callable[[ConnectTimer], None]) -> None:
        super().__init__()
        self._told = told

    async def __call__(self, event: str, info: Mapping[str, object]) -> None:
        await super().__call__(event, info)
        if event.endswith(("connect_tcp.complete", "start_tls.started", "start_tls.complete")):
            self._told(self)


class _Climb:
    """One climb: what is known so far, and the next step."""

    def __init__(
        self,
        ladder: Ladder,
        patient: Patient,
        base: BaseUrl,
        around: Surroundings,
        bounds: Bounds,
    ) -> None:
        self._ladder = ladder
        self._patient = patient
        self._base = base
        self._around = around
        self._bounds = bounds
        self._proxy = around.network.proxy_for(base)
        self._hold: asyncio.TimerHandle | None = None
        self._page: Fault | None = None

    async def climb(self) -> str | None:
        """Climb as far as it goes; the model that was chosen to be asked, if any."""
        reply = await self._first_reply()
        if reply is None:
            return self._patient.model
        found = await self._look(reply)
        if found is None:
            return self._patient.model
        model, why = outcomes.choose_model(found, self._patient.model, self._patient.declared)
        if model is None:
            missing = outcomes.no_model(found, self._base)
            if missing is not None:
                self._ladder.failed("chat", missing)
                return None
            self._ladder.skipped("chat", why)
            self._ladder.skipped("stream", why)
            return None
        await self._ask(read_base_url(found.endpoint.base_url, exact=True), model, why)
        return model

    # ------------------------------------------------------------- url to http

    async def _first_reply(self) -> Reply | None:
        """The reply to one request without a key, by way of which name, TCP and TLS show."""
        watch = _Watch(self._connected)
        limits = brief(self._bounds)
        begun = time.perf_counter()
        try:
            async with self._client(limits, keyed=False) as client:
                url = f"{self._base.url}/models"
                reply = await get(client, url, limits, with_key=False, timer=watch)
        except TurnkeyError as error:
            await self._no_reply(error.fault, watch, time.perf_counter() - begun)
            return None
        finally:
            if self._hold is not None:
                self._hold.cancel()
        self._connected(watch)
        self._secured(watch)
        fault = fault_from_reply(reply.status, reply.headers, reply.body, self._base)
        strange = causes.strange_reply(reply, fault, self._base, self._around)
        if strange is not None and not outcomes.is_login_page(reply):
            self._ladder.failed("http", strange, watch.first_byte_s)
            return None
        self._ladder.passed("http", outcomes.http_words(reply), watch.first_byte_s)
        if strange is not None and self._proxy is not None:
            self._ladder.failed("server", strange)
            return None
        self._page = strange  # a front page, and the list may be at a path beside it
        return reply

    def _client(self, limits: Bounds, *, keyed: bool) -> httpx.AsyncClient:
        return open_client(
            self._base,
            limits,
            key=self._patient.key if keyed else None,
            headers=self._patient.headers if keyed else None,
            network=self._around.network,
        )

    def _connected(self, watch: ConnectTimer) -> None:
        """Tell the rungs that the connection has shown so far."""
        ladder, base = self._ladder, self._base
        stage = watch.stage(base)
        if watch.tcp_s is None:
            return
        name, tcp = outcomes.way_words(base, self._proxy, watch.address)
        if watch.name_s is not None:
            ladder.passed("name", name, watch.name_s)
        else:
            ladder.skipped("name", name)
        if stage == "way":  # the proxy was reached, and the server not yet
            return
        ladder.passed("tcp", tcp, watch.tcp_s + (watch.way_s or 0.0))
        if base.scheme == "http":
            ladder.skipped("tls", "plain http: nothing is encrypted")
        elif watch.tls_s is not None and self._hold is None:
            # TLS 1.3: a server that misses our certificate says so after the handshake
            loop = asyncio.get_running_loop()
            self._hold = loop.call_later(_HOLD_S, self._secured, watch)

    def _secured(self, watch: ConnectTimer) -> None:
        if watch.tls_s is None:
            return
        note = causes.trust_note(self._around)
        words = f"{watch.tls or 'TLS'}, trusted here" + (f"; {note}" if note else "")
        self._ladder.passed("tls", words, watch.tls_s)

    async def _no_reply(self, fault: Fault, watch: ConnectTimer, seconds: float) -> None:
        """Find the rung that broke, look once more where that tells the cause, and say it."""
        base, around, ladder = self._base, self._around, self._ladder
        self._connected(watch)
        if fault.code == "name_unresolved":
            ladder.failed("name", causes.unreached(fault, base, around), watch.name_s or seconds)
            return
        if watch.tcp_s is None:
            await self._no_way(fault, watch, seconds)
            return
        direct, stage = self._proxy is None, watch.stage(base)
        if stage == "way":
            ladder.failed("tcp", causes.at_the_proxy(fault, base, self._proxy or ""), seconds)
            return
        tls = await look_for_tls(base.host, base.port) if direct else None
        words = b""
        if direct and tls is None:
            words = await first_words(base.host, base.port)
        if base.scheme == "https" and (
            stage == "tls" or fault.code == "tls" or (tls is not None and tls.wants_ours)
        ):
            now = datetime.now(UTC)
            ladder.failed("tls", causes.tls_broken(fault, base, around, tls, now, words), seconds)
            return
        self._secured(watch)
        fault = causes.by_way_of(fault, self._proxy) if self._proxy else fault
        ladder.failed("http", causes.no_http(fault, base, tls, words), seconds)

    async def _no_way(self, fault: Fault, watch: ConnectTimer, seconds: float) -> None:
        """No connection, or none was tried: a proxy's address or a file cannot be used."""
        base, around, ladder = self._base, self._around, self._ladder
        words, _ = outcomes.way_words(base, self._proxy, None)
        if watch.name_s is not None and not watch.nameless:
            ladder.passed("name", words, watch.name_s)
        else:
            ladder.skipped("name", words)
        if fault.code == "tls":
            ladder.skipped("tcp", NOT_TRIED)
            ladder.failed("tls", fault)
            return
        if not watch.begun:
            ladder.failed("tcp", fault)
            return
        near = base.place in _NEAR and self._proxy is None
        open_at = await answers_at(base.port) if near else ()
        ladder.failed("tcp", causes.unreached(fault, base, around, open_at), seconds)

    # ------------------------------------------------------------- server to models

    async def _look(self, first: Reply) -> Discovery | None:
        """Server, key and models by one look with the key; None when a rung broke."""
        from core.discover.discover import discover

        ladder, patient = self._ladder, self._patient
        found = await discover(
            patient.url,
            patient.key,
            bounds=self._bounds,
            headers=patient.headers,
            network=self._around.network,
        )
        if self._page is not None and found.error is not None:
            ladder.failed("server", self._page)
            return None
        ladder.passed("server", outcomes.server_words(found), found.seconds)
        refused = outcomes.key_fault(found, patient.key_fault, patient.source)
        if refused is not None:
            ladder.failed("key", refused)
            return None
        if outcomes.key_decided(found, first):
            ladder.passed("key", outcomes.key_words(first, patient.key, patient.key_from))
        else:
            ladder.skipped("key", "the model list does not show it")
        fault = outcomes.models_fault(found, self._base, typed=isinstance(patient.url, str))
        if fault is None:
            ladder.passed("models", outcomes.models_words(found, self._base, patient.model))
            return found
        if fault.code == "server_error" and patient.model is not None:
            ladder.skipped("models", f"{fault.what} The model is asked all the same.")
            return found
        ladder.failed("models", fault)
        return None

    # ------------------------------------------------------------- chat and stream

    async def _ask(self, base: BaseUrl, model: str, why: str) -> None:
        """One short streamed request, as Warden's engine makes it."""
        from core.live.ping import ping

        begun = time.perf_counter()
        seen = outcomes.Begun()

        def watch(event: Event) -> None:
            if seen.take(event):
                words = f"{model}{why} answers"
                self._ladder.passed("chat", words, time.perf_counter() - begun)

        try:
            async with self._client(self._bounds, keyed=True) as client:
                run = await ping(
                    client,
                    base,
                    model,
                    bounds=self._bounds,
                    key=self._patient.key,
                    on_event=watch,
                )
        except TurnkeyError as error:
            self._ladder.failed("chat", error.fault)
            return
        seconds = time.perf_counter() - begun
        if run.error is not None and not self._ladder.told("chat") and seen.refused(run):
            self._ladder.failed("chat", run.error, seconds)
            return
        self._ladder.passed("chat", f"{model}{why} takes the request", seconds)
        fault = run.error or outcomes.nothing_shown(run)
        if fault is not None:
            self._ladder.failed("stream", fault, run.figures.total_s)
        elif run.works:
            self._ladder.passed("stream", outcomes.stream_words(run), run.figures.total_s)
        else:
            self._ladder.skipped("stream", f"not decided: {outcomes.stream_words(run)}")
