"""What a failure means: exceptions and error replies, told as one :class:`Fault` each.

Replies are judged by type and text before status, since servers disagree about status: LiteLLM
without a database answers a wrong key with 400 «No connected db.»
(BerriAI/litellm ``proxy/auth/user_api_key_auth.py``), and without its prisma package a missing
one with a bare 500.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from core.errors import Fault
from core.keys.environment import PLACEHOLDER
from core.text import one_line
from core.wire.bodies import as_dict, error_words, is_html, read_error, read_json, shown
from core.wire.judges import judge
from core.wire.seen import Seen
from core.wire.unreached import fault_from_exception

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl

__all__ = ["error_words", "fault_from_exception", "fault_from_reply"]

_ABOUT_THE_KEY: Final = re.compile(
    r"unauthori[sz]ed|not authori[sz]ed|authentication|invalid (api )?(key|token)"
    r"|(api key|token) (is )?(invalid|missing|required)"
)
_A_LOGIN: Final = re.compile(r"\b(log-?in|sign-?in|sso|oauth2?|saml|authorize|keycloak|realms)\b")


def fault_from_reply(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    base: BaseUrl,
    *,
    model: str | None = None,
    key: Secret | None = None,
    dialect: str | None = None,
) -> Fault | None:
    """What an error reply means, or None for a reply without an error.

    A 200 may be one all the same: with an ``error`` in its JSON, or a web page. ``model`` is the
    id that was asked for, ``key`` the key that was sent (it is masked where the server echoes
    it); ``dialect``, when known, sharpens what a bare 500 is taken for. An event stream's 200 is
    no error here.
    """
    heads = {name.lower(): value for name, value in headers.items()}
    inside = 200 <= status < 300
    if inside:
        status_inside = _error_inside(heads, body)
        if status_inside is None:
            return None
        if status_inside == 0:
            return _not_json(base, heads, body, key)
        status = status_inside
    if 300 <= status < 400:
        return _redirect(heads, base, key)
    error = read_error(body)
    words = error.inner or error.message
    if key is not None:
        words = key.redact(words)
    seen = Seen(
        status=status,
        headers=heads,
        error=error,
        text=f"{error.message} {error.type} {error.code}".lower(),
        words=shown(words),
        at=base.host_port,
        host=base.host,
        model=model,
        keyed=key is not None and bool(key) and key.reveal() != PLACEHOLDER,
        asks_litellm=dialect in {None, "litellm"},
        path=base.path,
        own=base.place in {"loopback", "this_machine", "any_address"},
        inside=inside,
    )
    return judge(seen)


def _error_inside(headers: Mapping[str, str], body: bytes) -> int | None:
    """For a 200: None when it is well, 0 when it is not JSON, else the status its error means."""
    if not body or "event-stream" in headers.get("content-type", ""):
        return None
    if is_html(headers, body):
        return 0
    try:
        value = read_json(body)
    except ValueError:
        return None if body.lstrip()[:5] in {b"data:", b"event"} or body[:1] == b":" else 0
    top = as_dict(value)
    error = top.get("error")
    if not error and top.get("status") != "failure" and top.get("object") != "error":
        return None
    for code in (as_dict(error).get("code"), top.get("code"), as_dict(error).get("status")):
        if re.fullmatch(r"[45][0-9]{2}", str(code)):
            return int(str(code))
    words = read_error(body).message.lower()
    return 401 if _ABOUT_THE_KEY.search(words) else 500


def _not_json(base: BaseUrl, headers: Mapping[str, str], body: bytes, key: Secret | None) -> Fault:
    words = read_error(body).message
    title = shown(words if key is None else key.redact(words))[:120]
    if is_html(headers, body):
        why = "It sent a web page" + (f": «{title}»." if title else ".")
        fix = "Check the base URL; a login page or a dashboard stands where the API should be."
    else:
        why = f"It sent «{title}»."
        fix = "Check the base URL: it should end in /v1, once."
    return Fault("bad_shape", f"{base.host_port} does not answer in JSON.", why, fix)


def _redirect(headers: Mapping[str, str], base: BaseUrl, key: Secret | None) -> Fault:
    target = headers.get("location", "").split("?")[0].split("#")[0]
    target = re.sub(r"//[^/@]*@", "//", target)
    if key is not None:
        target = key.redact(target)
    try:
        there = urljoin(f"{base.url}/models", target) if target else ""
        parts = urlsplit(there)
        host = parts.hostname
    except ValueError:
        there, parts, host = target, urlsplit(""), None
    shown_target = one_line(there, 160) or "nowhere"
    why = f"It points to {shown_target}. A key is not sent after it."
    if _A_LOGIN.search(parts.path.lower()) or _A_LOGIN.search((host or "").partition(".")[0]):
        return Fault(
            "redirected",
            f"{base.host_port} sends requests on to a login page.",
            why,
            "Ask its operator for the API's own address; a browser's login does not help here.",
        )
    if base.scheme == "http" and parts.scheme == "https" and host == base.host:
        fix = f"Use {one_line(f'https://{parts.netloc}{base.path}', 160)}."
        return Fault("redirected", f"{base.host_port} sends requests on to https.", why, fix)
    if f"{parts.scheme}://{parts.netloc}" == base.origin:
        path = parts.path.rstrip("/").removesuffix("/models").removesuffix("/chat/completions")
        fix = f"Use {one_line(base.origin + path, 160)} as the base URL."
        if path == base.path:
            fix = "Have the server, or the proxy before it, answer there itself."
        return Fault(
            "redirected",
            f"{base.host_port} sends requests on to another path of its own.",
            f"It points to {shown_target}. Warden's requests would lose their way there.",
            fix,
        )
    return Fault(
        "redirected",
        f"{base.host_port} sends requests on to another address.",
        why,
        "If that is where the server is, use it as the base URL.",
    )
