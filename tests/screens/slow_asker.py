"""An endpoint that answers when a test says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.screens.stage import ScriptedAsker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.discover.facts import Discovery
    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl


class SlowAsker(ScriptedAsker):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def discover(
        self, url: str | BaseUrl, key: Secret | None, headers: Mapping[str, Secret | str]
    ) -> Discovery:
        found = await super().discover(url, key, headers)
        await self.go.wait()
        return found
