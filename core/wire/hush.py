"""The HTTP libraries' own logs, kept silent: they write headers, and with them keys.

httpcore 1.0 logs every response header at DEBUG and httpx the server's reason phrase at INFO, where
a server may echo a key; hpack 4 logs each header it encodes, ``authorization`` among them. What
turnkey has to say of a request it says itself.
"""

from __future__ import annotations

import logging
from typing import Final

LOGGERS: Final = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "h2",
    "hpack",
    "hpack.hpack",
    "hpack.table",
)
"""Every logger of theirs by name: a filter of a parent is not asked for a child's record."""


class _Nothing(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return False


_NOTHING: Final = _Nothing()


def hush() -> None:
    """Silence them, whatever level somebody sets. Doing it again changes nothing."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_NOTHING)
