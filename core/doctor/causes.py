"""Why a rung broke: what the wire said, weighed with where turnkey runs and what else was seen.

Each function takes a fault and gives it back, sharper where the surroundings explain it. Pure.
The causes are those that people report when they wire a container, a VPN or a corporate proxy
(ollama/ollama issues 560, 3300, 9141, 14947; NousResearch/hermes-agent issue 28260).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import Fault
from core.text import one_line
from core.wire.bodies import is_html, read_error, shown
from core.wire.unreached import dead_proxy, page_by_proxy, proxy_shown, wants_certificate

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.doctor.certificate import Certificate
    from core.doctor.sights import Tls
    from core.doctor.surroundings import Surroundings
    from core.providers.base_url import BaseUrl
    from core.wire.client import Reply

_UNREACHED: Final = frozenset(
    {"connection_refused", "connection_failed", "name_unresolved", "timeout"}
)
_GATEWAY: Final = frozenset({502, 503, 504})
_OFFICE: Final = (
    ".lan",
    ".internal",
    ".corp",
    ".intra",
    ".intranet",
    ".local",
    ".home",
    ".private",
)
_TLS_ASKED_PLAINLY: Final = ("plain http request was sent to https", "http request to an https")


def unreached(
    fault: Fault, base: BaseUrl, around: Surroundings, open_at: Collection[str] = ()
) -> Fault:
    """Nothing took the connection: name or TCP. ``open_at``: loopback addresses that do."""
    proxy = around.network.proxy_for(base)
    if proxy is not None and fault.code in _UNREACHED:
        return dead_proxy(fault, base, proxy)
    if fault.code == "name_unresolved":
        return _no_name(fault, base, around)
    own = base.place in {"loopback", "this_machine", "any_address"}
    if not own:
        if fault.code == "timeout" and base.place == "private":
            why = "Something drops the packets; for a private address that is often a VPN not up."
            return Fault(fault.code, fault.what, why, fault.fix)
        return fault
    if fault.code not in {"connection_refused", "connection_failed", "timeout"}:
        return fault
    others = [one for one in open_at if one != base.host]
    if others:
        return _other_family(fault, base, others[0])
    if around.container:
        return Fault(
            fault.code,
            f"Nothing answers at {base.host_port} inside this container.",
            "turnkey runs in a container, and there this address is the container itself.",
            f"Use http://host.docker.internal:{base.port} (on Linux start the container with "
            "--add-host=host.docker.internal:host-gateway) and let the server listen on 0.0.0.0.",
        )
    if around.wsl:
        return Fault(
            fault.code,
            fault.what,
            "This is WSL: a server under Windows is not on this address.",
            "Switch WSL to mirrored networking, or use Windows' address and let the server "
            "listen on 0.0.0.0.",
        )
    return fault


def _no_name(fault: Fault, base: BaseUrl, around: Surroundings) -> Fault:
    host = one_line(base.host, 100)
    if base.host == "host.docker.internal" and around.container:
        fix = "Start this container with --add-host=host.docker.internal:host-gateway."
        return Fault(fault.code, fault.what, "Docker on Linux does not give that name.", fix)
    if base.host.endswith(_OFFICE):
        why = "It is a name of a private network, which only that network's DNS knows."
        fix = "Bring up the VPN, or check the spelling and the DNS server."
        return Fault(fault.code, f"The name {host} does not resolve from here.", why, fix)
    return fault


def _other_family(fault: Fault, base: BaseUrl, other: str) -> Fault:
    shown_host = f"[{other}]" if ":" in other else other
    there = f"{base.scheme}://{shown_host}:{base.port}{base.path}"
    return Fault(
        fault.code,
        f"Nothing answers at {base.host_port}, but something does at {shown_host}:{base.port}.",
        "The server listens on the other family of addresses of this machine."
        if (":" in base.host) is not (":" in other)
        else "The server listens on that address of this machine alone.",
        f"Use {there}.",
    )


def tls_broken(
    fault: Fault,
    base: BaseUrl,
    around: Surroundings,
    tls: Tls | None,
    now: datetime,
    words: bytes = b"",
) -> Fault:
    """The handshake failed; ``tls`` is what is shown there to whoever does not check.

    ``words``: what is said there first to anybody, where no TLS is spoken.
    """
    known = spoken(words)
    if known is not None and words[:1] != b"\x15":
        return no_http(fault, base, None, words)
    if words.startswith(b"HTTP/") and fault.code != "timeout":
        what = f"{base.host_port} does not speak TLS on that port."
        fix = f"Use http://{base.host_port}{base.path}."
        return Fault("tls", what, "https was asked of a plain http port.", fix)
    shown_ours = around.network.client_cert is not None
    ours = tls is not None and tls.wants_ours and fault.code != "timeout"
    if ours and "The certificate of" not in fault.what:
        return wants_certificate(base, shown=shown_ours)
    if around.network.proxy_for(base) is not None and "not trusted" in fault.what:
        why = (
            f"{fault.why.rstrip('.')}. A proxy that looks into TLS shows a certificate of its own."
        )
        return Fault("tls", fault.what, why, fault.fix)
    certificate = None if tls is None else tls.certificate
    if certificate is None:
        return fault
    told = certificate_words(certificate)
    if certificate.ends < now:
        day = certificate.ends.date().isoformat()
        return Fault(
            "tls",
            f"The certificate of {base.host_port} expired on {day}.",
            told,
            "Have it renewed.",
        )
    if certificate.begins > now:
        day = certificate.begins.date().isoformat()
        what = f"The certificate of {base.host_port} is not valid before {day}."
        return Fault("tls", what, told, "Check this machine's clock.")
    if "not for that name" in fault.what:
        named = ", ".join(one_line(name, 60) for name in certificate.names[:5])
        fix = f"Use one of its names as the host: {named}." if named else fault.fix
        return Fault("tls", fault.what, told, fix)
    if "not trusted" not in fault.what:
        return fault
    signer = one_line(certificate.issuer, 80)
    by = "itself (self-signed)" if certificate.self_signed else f"«{signer}»"
    return Fault(
        "tls",
        f"The certificate of {base.host_port} is signed by {by}, which is not trusted here.",
        told,
        fault.fix,
    )


def certificate_words(certificate: Certificate) -> str:
    """Whom it is made out for, and until when."""
    names = certificate.names or (certificate.subject,)
    named = ", ".join(one_line(name, 60) for name in names[:3] if name) or "nobody"
    return f"It is made out for {named}, valid to {certificate.ends.date().isoformat()}."


def trust_note(around: Surroundings) -> str:
    """What to know where TLS held by a file that only turnkey reads; empty otherwise."""
    if around.own_ca and not around.node_ca:
        return "trusted by a CA file; Warden needs it too: NODE_EXTRA_CA_CERTS"
    return ""


def at_the_proxy(fault: Fault, base: BaseUrl, proxy: str) -> Fault:
    """A proxy was reached, and opened no way to the server: it is the one that is at fault."""
    at = proxy_shown(proxy)
    if at in fault.what:
        return fault
    variable = f"{base.scheme.upper()}_PROXY"
    directly = f"Set NO_PROXY={base.host} to reach it directly, or correct {variable}"
    if fault.code == "tls":
        what = f"There is no TLS with the proxy {at} that turnkey trusts."
        fix = f"{directly}; many proxies are named by http://, also for https servers."
        return Fault("tls", what, f"{fault.what} {fault.why}".replace(base.host_port, at), fix)
    return Fault(
        fault.code,
        f"The proxy {at} opened no way to {base.host_port}.",
        "It took the connection and did not answer as a proxy does: another program may be there.",
        f"{directly}.",
    )


def by_way_of(fault: Fault, proxy: str) -> Fault:
    """No reply came through ``proxy``: it may be the one that is silent or hung up."""
    if fault.code not in {"timeout", "connection_failed"}:
        return fault
    why = f"The request went by way of the proxy {proxy_shown(proxy)}, which may be the cause."
    return Fault(fault.code, fault.what, f"{why} {fault.why}", fault.fix)


def no_http(fault: Fault, base: BaseUrl, tls: Tls | None, words: bytes = b"") -> Fault:
    """Connected, and no reply came that could be read.

    ``tls``: what a TLS client sees there; ``words``: what is said there first to anybody.
    """
    if base.scheme == "http" and (tls is not None or words[:2] == b"\x15\x03"):
        return _wants_tls(base)
    known = spoken(words)
    if known is None or (fault.code == "timeout" and words.startswith(b"HTTP/")):
        return fault
    return Fault(
        "bad_shape",
        f"What listens at {base.host_port} is {known}, not a model server.",
        f"It says: {one_line(words.decode('latin-1'), 80)}",
        "Correct the port: the model server listens on another one.",
    )


_GREETINGS: Final = (
    (b"SSH-", "an SSH server"),
    (b"RFB ", "a VNC server"),
    (b"* OK", "an IMAP server"),
    (b"+OK", "a POP3 server"),
    (b"220 ", "a mail or FTP server"),
    (b"220-", "a mail or FTP server"),
    (b"554 ", "a mail server"),
    (b"-ERR", "a Redis server"),
    (b"-DENIED", "a Redis server"),
    (b"ERROR\r\n", "a Memcached server"),
    (b"RTSP/", "a streaming (RTSP) server"),
    (b"AMQP", "a message broker (AMQP)"),
)
_H2_SETTINGS: Final = b"\x04\x00\x00\x00\x00\x00"
"""A SETTINGS frame of stream 0, behind its length (RFC 9113, section 6.5)."""


def spoken(words: bytes) -> str | None:
    """Which program says ``words`` first, as far as it is none that speaks HTTP/1.1. Pure."""
    if not words or words.startswith(b"HTTP/"):
        return None
    for mark, name in _GREETINGS:
        if words.startswith(mark):
            return name
    if words[3:9] == _H2_SETTINGS:
        return "a server of HTTP/2 alone (gRPC)"
    if words[3:5] == b"\x00\x0a" or words[3:5] == b"\x00\xff":
        return "a MySQL server"
    return "another program"


def _wants_tls(base: BaseUrl) -> Fault:
    return Fault(
        "tls",
        f"{base.host_port} wants https, and http was asked.",
        "The port speaks TLS.",
        f"Use https://{base.host_port}{base.path}.",
    )


def strange_reply(
    reply: Reply, fault: Fault | None, base: BaseUrl, around: Surroundings
) -> Fault | None:
    """A first reply that no model server gives: the fault, or None when it may be one. Pure.

    ``fault`` is what the reply means by itself.
    """
    words = reply.body[:2000].decode("utf-8", "replace").lower()
    if (
        base.scheme == "http"
        and reply.status == 400
        and any(one in words for one in _TLS_ASKED_PLAINLY)
    ):
        return _wants_tls(base)
    html = is_html(reply.headers, reply.body)
    proxy = around.network.proxy_for(base)
    bare = not reply.body and reply.status in {403, *_GATEWAY}
    if proxy is not None and (reply.status == 407 or (html and reply.status >= 400) or bare):
        return _proxy_answers(reply, base, proxy)
    if proxy is not None and html and reply.status < 300:
        said = shown(read_error(reply.body).message)[:120]
        return page_by_proxy(base, proxy, reply.status, said)
    if fault is None:
        return None
    gateway = html and (reply.status in _GATEWAY or reply.status < 300)
    return fault if gateway or 300 <= reply.status < 400 or fault.code == "tls" else None


def _proxy_answers(reply: Reply, base: BaseUrl, proxy: str) -> Fault:
    at = proxy_shown(proxy)
    if reply.status == 407:
        return Fault(
            "connection_failed",
            f"The proxy {at} wants a login of its own (407).",
            "The environment sends requests through it.",
            f"Set NO_PROXY={base.host}, or write the login into {base.scheme.upper()}_PROXY.",
        )
    said = shown(read_error(reply.body).message)[:120]
    page = f": «{said}»" if said else ""
    how = "with a page of its own" if reply.body else "without a word, it seems"
    return Fault(
        "upstream",
        f"The proxy {at} took the request and answered {how} ({reply.status}).",
        f"The environment sends requests to {base.host} through it{page}.",
        f"Set NO_PROXY=localhost,127.0.0.1,::1,{base.host}; Warden needs it set as well.",
    )
