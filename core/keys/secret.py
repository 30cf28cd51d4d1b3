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

_TELLING: Final = 8
"""Characters of a key's beginning that tell more than the kind of key it is."""


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
        for spelling in self._spellings():
            text = text.replace(spelling, MASK)
        return text

    def veil(self) -> Veil:
        """Masks this key in a text that comes in pieces, over their ends."""
        return Veil(self._spellings())

    def _spellings(self) -> tuple[str, ...]:
        """Longest first; none of an empty key."""
        if not self._value:
            return ()
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
        return tuple(sorted(spellings, key=len, reverse=True))

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


class Veil:
    """Masks a key in a text that comes in pieces: what may be its beginning is held back.

    ``push`` gives what can be shown now, ``rest`` what was held when no more comes.
    """

    __slots__ = ("_held", "_spellings")

    def __init__(self, spellings: tuple[str, ...]) -> None:
        self._spellings = spellings
        self._held = ""

    def push(self, piece: str) -> str:
        """The text up to where a key may begin; maybe empty."""
        text = self._held + piece
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        cut = self._open(text)
        self._held = text[cut:]
        return text[:cut]

    def rest(self) -> str:
        """What was held: it became no whole key. A long beginning of one is masked as well."""
        held, self._held = self._held, ""
        return held if len(held) < _TELLING else MASK

    def _open(self, text: str) -> int:
        """Where the longest end of ``text`` starts that a spelling begins with."""
        best = len(text)
        for spelling in self._spellings:
            at = text.find(spelling[0], max(0, len(text) - len(spelling) + 1))
            while -1 < at < best:
                if spelling.startswith(text[at:]):
                    best = at
                    break
                at = text.find(spelling[0], at + 1)
        return best

    def __repr__(self) -> str:
        return f"Veil({MASK})"
