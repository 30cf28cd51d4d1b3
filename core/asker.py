"""The questions that screens put to endpoints, behind one small seam.

:class:`NetworkAsker` asks for real. A test that wants a known answer gives another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.discover.discover import Found
    from core.discover.facts import Discovery
    from core.doctor.patient import Patient
    from core.doctor.rungs import Report, Rung
    from core.health import Health
    from core.keys.secret import Secret
    from core.live.events import Event
    from core.live.ping import Run
    from core.live.prompts import ReadyPrompt
    from core.live.watching import Watching
    from core.providers.base_url import BaseUrl
    from core.target import Target


class Asker(Protocol):
    """Asks endpoints. Failures of an endpoint are in the answers, never raised."""

    async def discover(
        self, url: str | BaseUrl, key: Secret | None, headers: Mapping[str, Secret | str]
    ) -> Discovery:
        """What answers at ``url`` and which models it lists.

        Text is an address as typed, of which near spellings are tried; a BaseUrl is meant exactly.
        """
        ...

    async def ping(self, target: Target, prompt: str, on_event: Callable[[Event], None]) -> Run:
        """One streamed request; ``on_event`` sees every event as it comes."""
        ...

    def watch(
        self, target: Target, prompt: ReadyPrompt, *, max_tokens: int | None = None
    ) -> Watching:
        """The same, in a thread of its own, begun at once and polled by whoever shows it."""
        ...

    async def find(self) -> tuple[Found, ...]:
        """Servers on this machine, at the ports that the presets name. No key is sent."""
        ...

    async def look(self, base: BaseUrl, key: Secret | None) -> Health:
        """Whether a server that may be asked unasked answers: one short request."""
        ...

    async def examine(
        self, patient: Patient, env: Mapping[str, str], on_rung: Callable[[Rung], None]
    ) -> Report:
        """The doctor's ladder; ``on_rung`` sees each rung as it finishes.

        ``env`` says which proxies and certificates stand in between.
        """
        ...


class NetworkAsker:
    """Asks over the network, within the usual bounds. Cancelling closes the connection."""

    async def discover(
        self, url: str | BaseUrl, key: Secret | None, headers: Mapping[str, Secret | str]
    ) -> Discovery:
        """What answers at ``url`` and which models it lists."""
        from core.discover.discover import discover
        from core.wire.bounds import Bounds

        return await discover(url, key, bounds=Bounds(), headers=headers)

    async def ping(self, target: Target, prompt: str, on_event: Callable[[Event], None]) -> Run:
        """One streamed request to the target's model."""
        from core.live.ping import ping
        from core.wire.bounds import Bounds
        from core.wire.client import open_client

        bounds = Bounds()
        async with open_client(
            target.base, bounds, key=target.key, headers=target.headers
        ) as client:
            return await ping(
                client,
                target.base,
                target.model or "",
                prompt=prompt,
                bounds=bounds,
                key=target.key,
                on_event=on_event,
                api=target.api,
            )

    def watch(
        self, target: Target, prompt: ReadyPrompt, *, max_tokens: int | None = None
    ) -> Watching:
        """One streamed request to the target's model, begun at once."""
        from core.live.watcher import watch

        return watch(
            target.base,
            target.model or "",
            prompt,
            key=target.key,
            headers=target.headers,
            max_tokens=max_tokens,
            api=target.api,
        )

    async def find(self) -> tuple[Found, ...]:
        """Servers on this machine, at the ports that the presets name."""
        from core.discover.discover import find_servers

        return await find_servers()

    async def look(self, base: BaseUrl, key: Secret | None) -> Health:
        """Whether a server that may be asked unasked answers."""
        from core.health import look

        return await look(base, key)

    async def examine(
        self, patient: Patient, env: Mapping[str, str], on_rung: Callable[[Rung], None]
    ) -> Report:
        """The doctor's ladder against the real endpoint."""
        from core.doctor.examine import examine
        from core.doctor.surroundings import surroundings

        return await examine(patient, surroundings(env), on_rung=on_rung)
