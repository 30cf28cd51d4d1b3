"""How a server may spell a key that it echoes, so that each spelling is masked.

Fixed forms (URL-encoded, base64 at any offset, hex, backwards, in capitals) are looked for. The
key's own letters are found in any mixture of escapes (``%6B``, ``\\u006b``, ``&#107;``, ``\\/``)
and with what a terminal or a page does not show between them: line ends, zero-width letters,
controls, colours.
"""

from __future__ import annotations

import base64
import html
import json
import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

_SHORT: Final = 6
"""Letters that a key has at least, for its letters to be looked for one by one."""
_LONG: Final = 12
"""Characters that a key has at least, to be no word when it is written in other capitals or
without its first letter; a shorter one may be «ollama»."""
_CODED: Final = 8
"""Characters that a piece of base64 has at least, to be a key's and no chance."""
_ANSI: Final = r"\x1b\[[0-9;:?]*[ -/]*[@-~]"
_HIDDEN: Final = (
    "\\s\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u034f\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e"
    "\\u2060-\\u206f\\ufe00-\\ufe0f\\ufeff"
)
_ESCAPED: Final = r"\\[nrt0]|\\u(?:00[01][0-9a-fA-F]|200[b-fB-F]|[fF][eE][fF][fF])"
_BETWEEN: Final = rf"(?:{_ANSI}|[{_HIDDEN}]|{_ESCAPED}){{0,24}}"
_TOKEN: Final = re.compile(
    rf"(?P<gone>{_ANSI}|[{_HIDDEN}]|\\[nrt0])"
    r"|%(?P<hex>[0-9a-fA-F]{2})|\\u(?P<unit>[0-9a-fA-F]{4})"
    r"|&#x(?P<entity>[0-9a-fA-F]{1,6});|&#(?P<number>[0-9]{1,7});|&(?P<word>[a-z]{2,6});"
    r"|\\(?P<plain>[/\"\\])"
)
_UNFINISHED: Final = re.compile(
    r"(?:%[0-9a-fA-F]?|\\(?:u[0-9a-fA-F]{0,3})?|&(?:#?x?[0-9a-fA-F]{0,7}|[a-z]{0,6})"
    r"|\x1b(?:\[[0-9;:?]*)?)\Z"
)

_OPENERS: Final = re.compile(r"[\x1b\\%&]")
_STEP: Final = 16
"""Characters, more than any token has but a colour's."""
_IN_COLOUR: Final = frozenset("[0123456789;:?" + "".join(map(chr, range(0x20, 0x30))))


def spellings(value: str) -> tuple[str, ...]:
    """The fixed forms, longest first; none of an empty key."""
    if not value:
        return ()
    raw = value.encode(errors="surrogatepass")
    quoted = quote(raw, safe="")
    coded = base64.b64encode(raw).decode()
    found = {
        value,
        quoted,
        re.sub("%[0-9A-F]{2}", lambda hit: hit[0].lower(), quoted),
        quote_plus(raw),
        coded,
        coded.rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        json.dumps(value)[1:-1],
        html.escape(value),
    }
    if len(value) >= _SHORT:
        found |= {raw.hex(), raw.hex().upper(), value[::-1], *_cores(raw)}
    if len(value) >= _LONG:
        found |= {value.upper(), value.lower(), value[1:]}
    return tuple(sorted(found, key=len, reverse=True))


def _cores(raw: bytes) -> set[str]:
    """What of the key's base64 does not depend on what stands before and behind it."""
    found: set[str] = set()
    for before, cut in ((0, 0), (1, 2), (2, 3)):
        padded = b"\0" * before + raw
        for coded in (base64.b64encode(padded), base64.urlsafe_b64encode(padded)):
            text = coded.decode()
            core = text[cut:] if len(padded) % 3 == 0 else text.rstrip("=")[cut:-1]
            if len(core) >= _CODED:
                found.add(core)
    return found


@lru_cache(maxsize=16)
def _letter(letter: str) -> str:
    """A pattern for every way to write one letter."""
    forms = [re.escape(letter)]
    units = letter.encode("utf-16-be", errors="surrogatepass").hex()
    escaped = "".join(rf"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    coded = quote(letter.encode(errors="surrogatepass"), safe="")
    bytes_ = "".join(f"%{one:02x}" for one in letter.encode(errors="surrogatepass"))
    forms += [f"(?i:{form})" for form in (escaped, re.escape(bytes_), f"&#x0*{ord(letter):x};")]
    forms.append(f"&#0*{ord(letter)};")
    named = html.escape(letter)
    if named != letter:
        forms.append(re.escape(named))
    if letter == "'":
        forms.append("&apos;")
    if letter in '/"\\':
        forms.append(re.escape("\\" + letter))
    if coded not in {letter, bytes_.upper()}:
        forms.append(re.escape(coded))
    return f"(?:{'|'.join(forms)})"


def letters(value: str) -> re.Pattern[str] | None:
    """A pattern for the key's letters, escaped and split in any way; None for a short key."""
    kept = "".join(value.split())
    if len(kept) < _SHORT:
        return None
    return re.compile(_BETWEEN.join(map(_letter, kept)))


def begins(text: str, value: str) -> int:
    """Where the end of ``text`` begins that may become the key, escaped or split; its length: none.

    What may become an escape counts as well.
    """
    kept = "".join(value.split())
    if len(kept) < _SHORT:
        return len(text)
    back = 4 * len(kept)
    while (cut := _boundary(text, back)) > 0:
        letters, found = _begins(text[cut:], kept)
        if letters >= len(kept) - 1:  # no more of them can matter
            return cut + found
        back *= 4
    return _begins(text, kept)[1]


def _boundary(text: str, back: int) -> int:
    """A place at least so far from the end where surely no token goes on; 0 if there is none.

    Nothing near before it opens one, and something there would have ended a colour.
    """
    at = len(text) - back
    while at > _STEP:
        near = text[at - _STEP : at]
        if _OPENERS.search(near) is None and not _IN_COLOUR.issuperset(near):
            return at
        at -= _STEP
    return 0


def _begins(text: str, kept: str) -> tuple[int, int]:
    """How many letters ``text`` shows, and :func:`begins` of it."""
    open_ = _UNFINISHED.search(text)
    end = len(text) if open_ is None else open_.start()
    shown: list[str] = []
    starts: list[int] = []
    at = 0
    while at < end:
        token = _TOKEN.match(text, at, end)
        letter = text[at] if token is None else _decoded(token)
        if letter:
            shown.append(letter)
            starts.append(at)
        at = at + 1 if token is None else token.end()
    plain = "".join(shown)
    for first in range(max(0, len(plain) - len(kept) + 1), len(plain)):
        if kept.startswith(plain[first:]):
            return len(plain), starts[first]
    return len(plain), end


def _decoded(token: re.Match[str]) -> str:
    if token["gone"] is not None:
        return ""
    if token["plain"] is not None:
        return token["plain"]
    if token["word"] is not None:
        text = html.unescape(token[0])
        return text if len(text) == 1 else "&"
    if token["number"] is not None:
        number = int(token["number"])
    else:
        number = int(token["hex"] or token["unit"] or token["entity"], 16)
    return chr(number) if 0 < number < 0x110000 else ""
