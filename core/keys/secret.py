"""The type of a key. Whatever is done with it but ``reveal()`` shows a mask."""

from __future__ import annotations

import base64
import hmac
import json
import re
from typing import Final, NoReturn
from urllib.parse import quote, quote_plus

MASK: Final = "••••••••"
"""What stands wherever a key would have been shown."""


class Secret:
    """An API key, or another secret value such as a header's.

    Printing, formatting and comparing in a test's output show :data:`MASK`; pickling and copying
    into JSON are refused. The value leaves by :meth:`reveal`, which is called in three places
    alone: the request's header, the keyring, and the environment that goes out.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself. Never pass it to anything that prints, logs or stores in a file."""
        return self._value

    def redact(self, text: str) -> str:
        """``text`` with every spelling of this key masked: plain, URL-encoded, base64, in JSON.

        For a server that echoes the key in an error body.
        """
        if not self._value:
            return text
        raw = self._value.encode(errors="surrogatepass")
        quoted = quote(raw, safe="")
        coded = base64.b64encode(raw).decode()
        spellings = {
            self._value,
            quoted,
            re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted),
            quote_plus(raw),
            coded,
            coded.rstrip("="),
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            json.dumps(self._value)[1:-1],
        }
        for spelling in sorted(spellings, key=len, reverse=True):
            text = text.replace(spelling, MASK)
        return text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode(errors="surrogatepass"), other._value.encode(errors="surrogatepass")
        )

    __hash__ = None  # type: ignore[assignment]  # a key is never a dictionary's key

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled or copied")
