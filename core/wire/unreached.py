"""Why there was no reply: what the system said, told as a :class:`Fault`."""

from __future__ import annotations

import errno
import re
import socket
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from core.errors import Fault
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.providers.base_url import BaseUrl

_UNREACHABLE: Final = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.EHOSTDOWN}
)
_BROKEN: Final = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})


_H2_ENDED: Final = re.compile(
    r"<(connectionterminated|streamreset).{0,80}?error_code:(?:errorcodes\.)?(\w+)"
)
"""h2's words for the frame that ended a connection or a stream, in lower case."""

_H2_CODES: Final = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
]
"""By number (RFC 9113, section 7)."""

Stage: TypeAlias = Literal["name", "tcp", "way", "tls", "reply"]
"""How far a request came; ``way``: a proxy was asked to open one to the server."""


def page_by_proxy(base: BaseUrl, proxy: str, status: int, said: str) -> Fault:
    """A web page where JSON belongs came through ``proxy``: it may be the proxy's own.

    ``said``: the page's title, safe to show.
    """
    at = proxy_shown(proxy)
    return Fault(
        "upstream",
        f"A web page came by way of the proxy {at}, not a model server's answer ({status}).",
        f"The environment sends requests to {base.host} through it"
        + (f"; the page says «{said}»." if said else ", and the page may be its own."),
        f"Set NO_PROXY=localhost,127.0.0.1,::1,{base.host}, for Warden as well; if the page is "
        "the server's, check the base URL.",
    )


def proxy_shown(url: str) -> str:
    """A proxy's address without the login that may stand in it."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return one_line(re.sub(r"(?s)^(.*//)?.*@", r"\1", url), 120)
    shown = f"[{host}]" if ":" in host else host
    return one_line(f"{parts.scheme}://{shown}{f':{port}' if port else ''}", 120)


def fault_from_exception(error: BaseException, base: BaseUrl, proxy: str | None = None) -> Fault:
    """The fault behind an exception of a request to ``base``.

    Looks through causes, contexts and groups for what the system said: a name that does not
    resolve, a refused connection, TLS. The exception's own text is never shown where it could
    quote a header. ``proxy`` is the one that requests to ``base`` go through, if any.
    """
    chain = list(_chain(error))
    at = base.host_port
    for one in chain:
        if isinstance(one, socket.gaierror) or type(one).__name__ == "LookupTimeout":
            return dead_proxy(_unresolved(base), base, proxy)
    for one in chain:
        if _is_tls(one):
            return _tls(one, base)
    numbers = {one.errno for one in chain if isinstance(one, OSError) and one.errno is not None}
    if errno.ECONNREFUSED in numbers:
        return dead_proxy(_refused(base), base, proxy)
    names = {type(one).__name__ for one in chain}
    if "ProxyError" in names:
        return _proxy_refuses(str(error), base, proxy)
    if errno.ETIMEDOUT in numbers or "ConnectTimeout" in names or "PoolTimeout" in names:
        return dead_proxy(_no_way_in_time(base), base, proxy)
    if "ReadTimeout" in names or "WriteTimeout" in names or TimeoutError in map(type, chain):
        return Fault(
            "timeout",
            f"{at} took the request and then was silent for too long.",
            "The server may be loading a model, or be busy with other requests.",
            "Wait and ask again, or allow more time with --timeout.",
        )
    if numbers & _UNREACHABLE:
        fault = Fault(
            "connection_failed",
            f"There is no way to {at} from this machine.",
            "The network or the host cannot be reached.",
            "Check the address and the VPN.",
        )
        return dead_proxy(fault, base, proxy)
    text = " ".join(str(one) for one in chain if not isinstance(one, BaseExceptionGroup)).lower()
    return _broken(base, numbers, names, text)


def dead_proxy(fault: Fault, base: BaseUrl, proxy: str | None) -> Fault:
    """``fault``, which says that nothing took the connection, said of ``proxy`` if there is one.

    Its name was looked up and its port knocked at, not the server's.
    """
    if proxy is None:
        return fault
    at = proxy_shown(proxy)
    what = {
        "name_unresolved": f"The name of the proxy {at} does not resolve.",
        "timeout": f"The proxy {at} did not connect in time.",
    }.get(fault.code, f"The proxy {at} lets no connection through.")
    return Fault(
        fault.code,
        what,
        f"The environment sends requests to {base.host} through it.",
        f"Set NO_PROXY={base.host} to reach it directly; else correct "
        f"{base.scheme.upper()}_PROXY, or bring up the VPN that the proxy is behind.",
    )


def _no_way_in_time(base: BaseUrl, more: str = "") -> Fault:
    return Fault(
        "timeout",
        f"No connection to {base.host_port} came about in time.",
        "Something on the way drops the packets: a firewall, a VPN that is not up, or a "
        "machine that is off.",
        f"Check the address, the VPN and the firewall.{more}",
    )


def waited(
    base: BaseUrl, stage: Stage, seconds: float, proxy: str | None = None, *, asked: bool = False
) -> Fault:
    """A bound was reached after ``seconds``, at ``stage``, before anything of a reply had come.

    ``asked``: it was the bound of the request as a whole, which a person can set.
    """
    at, spent = base.host_port, f"{seconds:.1f}".removesuffix(".0")
    by = f"the proxy {proxy_shown(proxy)}" if proxy else at
    more = " Or allow more time with --timeout." if asked else ""
    if stage == "name":
        return dead_proxy(_unresolved(base), base, proxy)
    if stage == "tcp":
        return dead_proxy(_no_way_in_time(base, more), base, proxy)
    if stage == "way":
        return Fault(
            "timeout",
            f"{by[0].upper()}{by[1:]} opened no way to {at} within {spent} s.",
            "It took the connection, and then it was silent: it cannot reach that host, or hangs.",
            f"Set NO_PROXY={base.host} to reach it directly, or ask who runs the proxy.{more}",
        )
    if stage == "tls":
        return Fault(
            "timeout",
            f"{at} took the connection and was silent in the TLS handshake for {spent} s.",
            "The port is open, but nothing there answers in TLS: another kind of server, or one "
            "that hangs.",
            f"Check the port, and whether http:// is meant; else look at that server's log.{more}",
        )
    return Fault(
        "timeout",
        f"{at} took the request and sent nothing for {spent} s.",
        "The server may be loading a model, be busy, or not be a web server at all.",
        f"Wait and ask again; look at the server's log.{more}",
    )


def too_slow(base: BaseUrl, seconds: float) -> Fault:
    """A reply began, and the bound of the request as a whole was reached before its end."""
    return Fault(
        "timeout",
        f"{base.host_port} did not finish within {seconds:g} s altogether.",
        "It answers, but too slowly, or something on the way drips the reply through.",
        "Allow more time with --timeout, or look at what the server is busy with.",
    )


def unusable_proxy(url: str, base: BaseUrl) -> Fault:
    """The environment names a proxy that no connection can go through."""
    named = f"{base.scheme.upper()}_PROXY or ALL_PROXY"
    return Fault(
        "connection_failed",
        f"{named} names a proxy that cannot be used: {proxy_shown(url)}.",
        "turnkey goes through http, https, socks5 and socks5h proxies, at a host and port.",
        f"Correct that variable, or set NO_PROXY={base.host} to reach it directly.",
    )


def _proxy_refuses(said: str, base: BaseUrl, proxy: str | None) -> Fault:
    """A proxy answered the wish for a connection (CONNECT, SOCKS) with no."""
    at = base.host_port
    name = f"The proxy {proxy_shown(proxy)}" if proxy else "The proxy of this environment"
    directly = f"Set NO_PROXY={base.host} to reach it directly"
    words, why = said.lower(), f"It says: {one_line(said, 160) or 'nothing'}."
    if "407" in said[:4] or "invalid username" in words or "requested" in words:
        what = f"{name} wants a login of its own."
        fix = f"Write the login into {base.scheme.upper()}_PROXY. {directly}."
    elif (
        said[:3] in {"502", "503", "504"} or "unreachable" in words or "connection refused" in words
    ):
        what = f"{name} cannot reach {at}."
        fix = f"{directly}; else see that the server runs, and that the proxy knows its name."
    else:
        what = f"{name} refuses to connect to {at}."
        fix = f"{directly}, or ask who runs the proxy to allow that host and port."
    return Fault("connection_failed", what, why, fix)


def _broken(base: BaseUrl, numbers: set[int], names: set[str], text: str) -> Fault:
    at = base.host_port
    if "UnicodeError" in names or "UnicodeEncodeError" in names or "idna" in text:
        return _unresolved(base)
    if "location header" in text:
        return Fault(
            "redirected",
            f"{at} sends requests on to another address.",
            "The address that it names is none. A key is not sent after it.",
            "Check the base URL.",
        )
    if "LocalProtocolError" in names:
        return Fault(
            "key_refused",
            "The key, or a header, has a character that no request can carry.",
            fix="Store it again, without what surrounds it.",
        )
    if "complete message body" in text or "incomplete chunked read" in text:
        return Fault(
            "stream_broken",
            f"{at} broke off in the middle of its reply.",
            "The server, or a proxy before it, closed the connection.",
            "Look at the server's log; a round number of seconds points to a proxy's time limit.",
        )
    told = _H2_ENDED.search(text)
    if told:
        frame = "GOAWAY" if told[1] == "connectionterminated" else "RST_STREAM"
        return Fault(
            "connection_failed",
            f"{at} ended the HTTP/2 connection without an answer.",
            f"It sent {frame} with {_h2_code(told[2])}.",
            "Ask again; if it comes again, look at the log of the server or the proxy before it.",
        )
    # «closed without a reply» first: a TLS port does that to plain http, and so does a crash
    if "without sending a response" in text or numbers & _BROKEN or "ReadError" in names:
        tls = f" Or the port speaks TLS: try https://{at}." if base.scheme == "http" else ""
        return Fault(
            "connection_failed",
            f"{at} closed the connection without an answer.",
            "What listens there did not like the request, or ended.",
            f"Look at the server's log.{tls}",
        )
    if "RemoteProtocolError" in names or "DecodingError" in names:
        return Fault(
            "bad_shape",
            f"What answers at {at} does not speak HTTP as a model server does.",
            "Its reply cannot be read as HTTP.",
            "Check the port: another program listens there, or it wants https.",
        )
    return Fault(
        "connection_failed",
        f"No connection to {at}.",
        one_line(text, 160) if "oserror" in {n.lower() for n in names} else "",
        "Check the address, and that the server runs.",
    )


def _h2_code(said: str) -> str:
    """h2 writes a code's name or its number, by the version of Python."""
    number = int(said) if said.isdigit() and len(said) < 4 else len(_H2_CODES)
    return _H2_CODES[number] if number < len(_H2_CODES) else one_line(said.upper(), 40)


def _refused(base: BaseUrl) -> Fault:
    own = base.place in {"loopback", "this_machine", "any_address"}
    fix = (
        "Start the server, or correct the port. A server that loads its weights first answers "
        "later. Inside a container this machine is the container: use host.docker.internal."
        if own
        else "Start the server, or correct the port. If it answers on its own machine, it listens "
        "there only: let it bind 0.0.0.0 and open the firewall."
    )
    why = "The connection was refused: nothing listens on that port."
    return Fault("connection_refused", f"Nothing answers at {base.host_port}.", why, fix)


def _unresolved(base: BaseUrl) -> Fault:
    host = one_line(base.host, 100)
    if base.host == "host.docker.internal":
        fix = "That name exists inside Docker Desktop; on Linux add it with host-gateway."
    elif "." not in base.host:
        fix = "Check the spelling. A compose service's name exists only inside its own network."
    else:
        fix = "Check the spelling, the VPN and the DNS."
    what = f"The name {host} does not resolve."
    return Fault("name_unresolved", what, "No address is known for it from here.", fix)


def _is_tls(error: BaseException) -> bool:
    # By name, so that ssl is not imported for a plain connection. Wanting more bytes is no fault.
    if type(error).__name__ in {"SSLWantReadError", "SSLWantWriteError"}:
        return False
    return any(kind.__name__ == "SSLError" for kind in type(error).__mro__)


def _tls(error: BaseException, base: BaseUrl) -> Fault:
    at = base.host_port
    reason = f"{getattr(error, 'reason', '') or ''} {error}".lower()
    said = one_line(str(getattr(error, "verify_message", "") or ""), 160)
    plain_http = ("wrong version number", "wrong_version", "http_request", "record layer")
    if any(word in reason for word in plain_http):
        return Fault(
            "tls",
            f"{at} does not speak TLS on that port.",
            "https was asked of a plain http port.",
            f"Use http://{at}.",
        )
    trust = (
        "Name the signer's certificate with --ca-file or TURNKEY_CA_FILE for turnkey, and in "
        "NODE_EXTRA_CA_CERTS for Warden; one of them alone is not enough."
    )
    if "hostname mismatch" in reason or "ip address mismatch" in reason:
        why = said or "It is made out for another name."
        fix = "Use the name that the certificate is made out for, or have it issued anew."
        return Fault("tls", f"The certificate of {at} is not for that name.", why, fix)
    if "expired" in reason and "alert" not in reason:
        return Fault("tls", f"The certificate of {at} has expired.", said, "Have it renewed.")
    unverified = any(kind.__name__ == "SSLCertVerificationError" for kind in type(error).__mro__)
    if unverified or "verify failed" in reason:
        why = said or "This machine does not know who signed it."
        return Fault("tls", f"The certificate of {at} is not trusted here.", why, trust)
    return _handshake(reason, one_line(str(getattr(error, "reason", "") or ""), 160), base)


def wants_certificate(base: BaseUrl, why: str = "", *, shown: bool = False) -> Fault:
    """Mutual TLS; ``shown``: a certificate was shown, and it is not accepted."""
    at = base.host_port
    if shown:
        what = f"{at} does not accept the certificate that turnkey shows."
        fix = "Show one that is signed by whom it trusts and not out of date (--client-cert)."
    else:
        what = f"{at} wants a certificate from whoever connects."
        fix = (
            "Show it one with --client-cert or TURNKEY_CLIENT_CERT. Warden's engine has no setting "
            "for one: it needs a proxy on the way that shows it."
        )
    return Fault("tls", what, why or "It asks for one in the TLS handshake.", fix)


def _handshake(reason: str, why: str, base: BaseUrl) -> Fault:
    """A handshake that ended for another reason than the server's certificate."""
    at, words = base.host_port, reason.replace("_", " ")
    if "certificate required" in words:
        return wants_certificate(base, why)
    if "protocol version" in words or "unsupported protocol" in words:
        fix = "Have TLS 1.2 or newer switched on there; older ones are not safe for a key."
        return Fault("tls", f"{at} and turnkey have no version of TLS in common.", why, fix)
    if "alert" in words and any(
        one in words for one in ("unknown ca", "bad certificate", "certificate", "access denied")
    ):
        return wants_certificate(base, why, shown=True)
    if "unrecognized name" in words:
        fix = "Use the name that the server, or the proxy before it, is set up for."
        return Fault("tls", f"{at} knows nothing of the name {base.host}.", why, fix)
    if "handshake failure" in words or "no shared cipher" in words:
        fix = "Have TLS 1.2 or newer with usual ciphers switched on there, or show a certificate."
        return Fault("tls", f"{at} and turnkey do not agree on how to encrypt.", why, fix)
    if "eof" in words:
        return Fault(
            "tls",
            f"{at} hung up during the TLS handshake.",
            "It speaks no TLS there, only an old version, or wants a certificate.",
            f"Look at its log; if it is a plain http port, use http://{at}.",
        )
    why = why or "The handshake failed."
    return Fault("tls", f"No TLS connection to {at} came about.", why, "Check the TLS settings.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and everything behind it, each once, nearest first."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting.extend(inner for inner in (one.__cause__, one.__context__) if inner is not None)
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
