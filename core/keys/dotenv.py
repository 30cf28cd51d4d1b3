"""Reading ``.env`` files, on request and never otherwise. turnkey writes none.

The dialect is what Docker Compose, node's dotenv and python-dotenv agree on: ``NAME=value``,
``export`` in front, single quotes literal, double quotes with ``\\n`` and escapes, comments after
a space and ``#``. Nothing is interpolated: ``$`` stays ``$``.
"""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = re.compile(
    r"""
    ^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*
    (?:
        '(?P<single>[^']*)'
      | "(?P<double>(?:[^"\\]|\\.)*)"
      | `(?P<tick>[^`]*)`
      | (?P<plain>[^\r\n]*)
    )
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}


def read_dotenv(text: str) -> dict[str, str]:
    """The variables in the text of a ``.env`` file; the last one of a name wins.

    Lines that are none are passed over.
    """
    found: dict[str, str] = {}
    position = 0
    text = text.removeprefix("\ufeff")
    while (match := _LINE.search(text, position)) is not None:
        found[match["name"]] = _value(match)
        end = text.find("\n", match.end())
        if end < 0:
            break
        position = end
    return found


def _value(match: re.Match[str]) -> str:
    if match["single"] is not None:
        return match["single"]
    if match["tick"] is not None:
        return match["tick"]
    if match["double"] is not None:
        return re.sub(
            r"\\(.)", lambda hit: _ESCAPED.get(hit[1], hit[1]), match["double"], flags=re.DOTALL
        )
    return re.split(r"(?:^|[ \t])#", match["plain"], maxsplit=1)[0].strip()
