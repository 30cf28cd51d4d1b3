"""The type of a key. Whatever is done with it but ``reveal()`` shows a mask."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    import re

MASK: Final = "••••••••"
"""What stands wherever a key would have been shown."""

_TELLING: Final = 8
"""Characters of a key's beginning that tell more than the kind of key it is."""


class Secret:
    """An API key, or another secret value such as a header's.

    Printing, formatting and comparing in a test's output show :data:`MASK`; pickling and copying
    into JSON are refused. The value leaves by :meth:`reveal`, which is called in three places
    alone: the request's header, the keyring, and the environment that goes out. ``hidden``: the
    part of it that is masked where a server echoes it, of «Bearer KEY» the key; else all of it.
    """

    __slots__ = ("_forms", "_hidden", "_value")

    def __init__(self, value: str, hidden: str = "") -> None:
        self._value = value
        self._hidden = hidden or value
        self._forms: tuple[tuple[str, ...], re.Pattern[str] | None] | None = None

    def reveal(self) -> str:
        """The value itself. Never pass it to anything that prints, logs or stores in a file."""
        return self._value

    def redact(self, text: str) -> str:
        """``text`` with every spelling of this key masked, as :mod:`core.keys.spellings` has them.

        For a server that echoes the key in an error body.
        """
        return self.veil().mask(text)

    def veil(self) -> Veil:
        """Masks this key in a text that comes in pieces, over their ends."""
        from core.keys.spellings import letters, spellings

        if self._forms is None:
            self._forms = spellings(self._hidden), letters(self._hidden)
        return Veil(self._hidden, *self._forms)

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

    __slots__ = ("_held", "_letters", "_spellings", "_value")

    def __init__(self, value: str, fixed: tuple[str, ...], split: re.Pattern[str] | None) -> None:
        self._value = value
        self._spellings = fixed
        self._letters = split
        self._held = ""

    def mask(self, text: str) -> str:
        """``text``, which is whole, with the key masked."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text if self._letters is None else self._letters.sub(MASK, text)

    def push(self, piece: str) -> str:
        """The text up to where a key may begin; maybe empty."""
        text = self.mask(self._held + piece)
        cut = self._open(text)
        self._held = text[cut:]
        return text[:cut]

    def rest(self) -> str:
        """What was held: it became no whole key. A long beginning of one is masked as well."""
        held, self._held = self._held, ""
        return held if len("".join(held.split())) < _TELLING else MASK

    def _open(self, text: str) -> int:
        """Where the longest end of ``text`` starts that a spelling begins with."""
        from core.keys.spellings import begins

        best = begins(text, self._value)
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
