"""Why there was no reply: what the system said, told as a :class:`Fault`."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Final

from core.errors import Fault
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.providers.base_url import BaseUrl

_UNREACHABLE: Final = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.EHOSTDOWN}
)
_BROKEN: Final = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})


def fault_from_exception(error: BaseException, base: BaseUrl) -> Fault:
    """The fault behind an exception of a request to ``base``.

    Looks through causes, contexts and groups for what the system said: a name that does not
    resolve, a refused connection, TLS. The exception's own text is never shown where it could
    quote a header.
    """
    chain = list(_chain(error))
    at = base.host_port
    for one in chain:
        if isinstance(one, socket.gaierror) or type(one).__name__ == "LookupTimeout":
            return _unresolved(base)
    for one in chain:
        if _is_tls(one):
            return _tls(one, base)
    numbers = {one.errno for one in chain if isinstance(one, OSError) and one.errno is not None}
    if errno.ECONNREFUSED in numbers:
        return _refused(base)
    names = {type(one).__name__ for one in chain}
    if "ProxyError" in names:
        return Fault(
            "connection_failed",
            f"The proxy of this environment did not let a request through to {at}.",
            one_line(str(error), 160),
            f"Name the host in NO_PROXY ({base.host}), or correct HTTP_PROXY and HTTPS_PROXY.",
        )
    if errno.ETIMEDOUT in numbers or "ConnectTimeout" in names or "PoolTimeout" in names:
        return Fault(
            "timeout",
            f"No connection to {at} came about in time.",
            "Something on the way drops the packets: a firewall, a VPN that is not up, or a "
            "machine that is off.",
            "Check the address, the VPN and the firewall.",
        )
    if "ReadTimeout" in names or "WriteTimeout" in names or TimeoutError in map(type, chain):
        return Fault(
            "timeout",
            f"{at} took the request and then was silent for too long.",
            "The server may be loading a model, or be busy with other requests.",
            "Wait and ask again, or allow more time with --timeout.",
        )
    if numbers & _UNREACHABLE:
        return Fault(
            "connection_failed",
            f"There is no way to {at} from this machine.",
            "The network or the host cannot be reached.",
            "Check the address and the VPN.",
        )
    text = " ".join(str(one) for one in chain if not isinstance(one, BaseExceptionGroup)).lower()
    return _broken(base, numbers, names, text)


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
    if "expired" in reason:
        return Fault("tls", f"The certificate of {at} has expired.", said, "Have it renewed.")
    unverified = any(kind.__name__ == "SSLCertVerificationError" for kind in type(error).__mro__)
    if unverified or "verify failed" in reason:
        why = said or "This machine does not know who signed it."
        return Fault("tls", f"The certificate of {at} is not trusted here.", why, trust)
    why = one_line(str(getattr(error, "reason", "") or "The handshake failed."), 160)
    if "certificate required" in reason or "certificate_required" in reason:
        fix = "Show it one with --client-cert or TURNKEY_CLIENT_CERT."
        return Fault("tls", f"{at} wants a certificate from whoever connects.", why, fix)
    if "protocol version" in reason or "unsupported protocol" in reason:
        fix = "Have TLS 1.2 or newer switched on there; older ones are not safe for a key."
        return Fault("tls", f"{at} and turnkey have no version of TLS in common.", why, fix)
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
