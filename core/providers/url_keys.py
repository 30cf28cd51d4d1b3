"""Keys in addresses: as a query's value or as a part of the path, where proxies and logs keep them.

A key that stands there is sent in clear to whoever logs requests, and Warden's own messages show
the address whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.providers.key_forms import is_opaque, looks_secret, without_keys
from core.text import without_login

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK: Final = "••••••••"
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\\\]{2}[^\s\"'<>«»]+")
_PARAMETER: Final = re.compile(r"(?<=[?&;#])([^=&;#?\s]+)=([^&;#\s]+)")
_NAMED: Final = re.compile(
    r"(?:^|[_.-])(?:(?:api|access|auth|private|secret|functions|subscription|account)?[_-]?key"
    r"|(?:access|auth|id|api)?[_-]?token|secret|password|passwd|pwd|sig|signature|auth|code"
    r"|authorization|credentials?)$",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEGMENT: Final = re.compile(r"(?<=/)[^/?#\s]+")
_MIXED: Final = re.compile(r"[A-Za-z0-9]{16,}")
_LEAST: Final = 6
"""Characters that a value has at least to be a key: ``key=1`` is none."""
_COUNTED: Final = frozenset(
    {"accounts", "projects", "organizations", "orgs", "tenants", "subscriptions", "endpoints"}
    | {"deployments", "workspaces", "models", "namespaces", "gateways", "commits", "blob", "tree"}
)
"""What is followed by an id that is no secret, such as Cloudflare's ``/accounts/<id>/ai/v1``."""
_COUNTED_HOSTS: Final = ("gateway.ai.cloudflare.com",)


def address_keys(text: str) -> tuple[tuple[int, int], ...]:
    """Start and end of every key in the query, the fragment or the path of each URL in ``text``.

    A variable's place (``$NAME``) is none.
    """
    spans: list[tuple[int, int]] = []
    for found in _ADDRESS.finditer(text):
        for start, end in _in_one(found[0]):
            spans.append((found.start() + start, found.start() + end))
    return tuple(spans)


def query_keys(url: str) -> tuple[str, ...]:
    """The keys in a URL's query or fragment, as they are written."""
    return tuple(found[2] for found in _PARAMETER.finditer(url) if _is_key(found[1], found[2]))


def without_query_keys(url: str) -> str:
    """The URL without the parameters whose values are keys; the others stay."""
    kept = _PARAMETER.sub(lambda one: "" if _is_key(one[1], one[2]) else one[0], url)
    kept = re.sub(r"([?#&;])[&;]+", r"\1", kept)
    return re.sub(r"[?#&;]+$", "", kept)


def path_keys(url: str) -> tuple[str, ...]:
    """The keys in a URL's path, as they are written."""
    return tuple(url[start:end] for start, end in _path_spans(url))


def without_path_keys(url: str) -> str:
    """The URL without the parts of its path that are keys."""
    for start, end in reversed(_path_spans(url)):
        url = url[: start - 1] + url[end:]
    return url


def _path_spans(url: str) -> tuple[tuple[int, int], ...]:
    tail = re.search(r"[?#]", url)
    end = len(url) if tail is None else tail.start()
    return tuple(span for span in address_keys(url) if span[1] <= end)


def without_address_keys(text: str) -> str:
    """``text`` with the keys in its addresses masked, as :func:`address_keys` finds them."""
    for start, end in reversed(address_keys(text)):
        text = text[:start] + MASK + text[end:]
    return text


def shown_address(url: str) -> str:
    """An address as it may be shown: without user, password, and what is a key in it."""
    return without_keys(without_address_keys(without_login(url)))


def _in_one(url: str) -> Iterator[tuple[int, int]]:
    tail = re.search(r"[?#]", url)
    end = len(url) if tail is None else tail.start()
    scheme, colon, rest = url.partition(":")
    slashes = len(rest) - len(rest.lstrip("/\\"))
    start = url.find("/", len(scheme) + len(colon) + slashes) if colon else url.find("/")
    before = ""
    for part in _SEGMENT.finditer(url, start, end) if -1 < start < end else ():
        counted = before.lower() in _COUNTED or any(host in url for host in _COUNTED_HOSTS)
        told = _NAMED.search(before) is not None and len(part[0]) >= 12
        if (
            (_random(part[0]) and not counted)
            or looks_secret(part[0])
            or (told and _digits(part[0]))
        ):
            yield part.span()
        before = part[0]
    for one in _PARAMETER.finditer(url, end):
        if _is_key(one[1], one[2]):
            yield one.span(2)


def _is_key(name: str, value: str) -> bool:
    if value.startswith(("$", "{", "%24")) or value.strip("•*xX") == "":
        return False
    if _NAMED.search(_CAMEL.sub("_", name)):
        return len(value) >= _LEAST
    return looks_secret(value) or _random(value)


def _random(text: str) -> bool:
    """A long run of letters and digits: 32 of one case, or 16 with both cases and digits."""
    return is_opaque(text) or any(
        run.lower() != run != run.upper() and _digits(run) for run in _MIXED.findall(text)
    )


def _digits(text: str) -> bool:
    return sum(one.isdigit() for one in text) >= 3
