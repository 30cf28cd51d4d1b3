"""A watched request as a command for a shell: with the variable's name where the key stood."""

from __future__ import annotations

import json
import re
from shlex import quote
from typing import TYPE_CHECKING, Final

from core.keys.headers import Variable, read_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.live.watching import Exchange

SPARE_VARIABLE: Final = "API_KEY"
"""Stands where a key was sent and nobody knows a variable for it."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BY_CURL: Final = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "user-agent", "transfer-encoding"}
)
"""Headers that curl makes itself."""
_KEYED: Final = frozenset({"authorization", "proxy-authorization", "x-api-key", "api-key"})


def curl_command(
    exchange: Exchange,
    key_variable: str | None,
    *,
    headers: Mapping[str, str] | None = None,
    placeholder: str | None = None,
    direct: bool = False,
) -> str:
    """The request of ``exchange`` for a POSIX shell, several lines; empty when nothing was sent.

    ``key_variable``: the variable that holds the key; no key is ever in the text. ``headers``: the
    provider's own headers as the file has them, for those with variables in them (Pi's language,
    :func:`core.keys.headers.read_value`). ``placeholder``: what a keyless server was sent instead
    of a key. ``direct``: past every proxy, as turnkey asks this machine; curl would give the key
    to the proxy of the environment.
    """
    if not exchange.url:
        return ""
    own = {name.lower(): value for name, value in (headers or {}).items()}
    words = ["curl -sS -N" + (" -g" if re.search(r"[\[\]{}]", exchange.url) else "")]
    if direct:
        words[0] += " --noproxy '*'"
    if exchange.method != "POST":
        words[0] += f" -X {quote(exchange.method)}"
    words[0] += f" {quote(exchange.url)}"
    for name, value in exchange.request_headers:
        lower = name.lower()
        if lower in _BY_CURL:
            continue
        written = read_value(own[lower], {}) if lower in own else None
        if written is not None and any(isinstance(piece, Variable) for piece in written):
            words.append(f"-H {_word((f'{name}: ', *written))}")
        elif lower in _KEYED:
            words.append(f"-H {_word(_key_header(name, lower, key_variable, placeholder))}")
        elif "••" in value:
            variable = Variable(re.sub(r"[^A-Za-z0-9]", "_", name).upper())
            words.append(f"-H {_word((f'{name}: ', variable))}")
        else:
            words.append(f"-H {quote(f'{name}: {value}')}")
    words.append(f"--data-raw {quote(_compact(exchange.body))}")
    return " \\\n  ".join(words)


def _key_header(
    name: str, lower: str, variable: str | None, placeholder: str | None
) -> Sequence[str | Variable]:
    scheme = "Bearer " if lower.endswith("authorization") else ""
    if placeholder is not None:
        return (f"{name}: {scheme}{placeholder}",)
    known = variable if variable is not None and _NAME.fullmatch(variable) else SPARE_VARIABLE
    return (f"{name}: {scheme}", Variable(known))


def _word(pieces: Sequence[str | Variable]) -> str:
    """One shell word: texts in single quotes, where nothing is read, variables in double ones."""
    return "".join(
        f'"${piece.name}"' if isinstance(piece, Variable) else quote(piece)
        for piece in pieces
        if isinstance(piece, Variable) or piece
    )


def _compact(body: str) -> str:
    try:
        value: object = json.loads(body)
    except ValueError:
        return body
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
