"""Error replies that are not the model server's own: of a proxy, a gateway, another program.

Each judge knows one cause and gives None where it does not see it, as in :mod:`core.wire.judges`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.errors import Fault
    from core.wire.seen import Seen


def judge_gate(seen: Seen) -> Fault | None:
    """Something before the model server, which wants to be known first."""
    if seen.status == 407:
        return seen.fault(
            "connection_failed",
            f"A proxy on the way to {seen.at} wants a login of its own (407).",
            f"Write the login into HTTP_PROXY and HTTPS_PROXY, or set NO_PROXY={seen.host}.",
            seen.words or "It asked for one before it would send the request on.",
        )
    if seen.has("x-portkey-config", "x-portkey-provider"):
        return seen.fault(
            "parameter_refused",
            "The gateway (Portkey) does not know where to send the request.",
            "Give the provider the header that it names: turnkey provider add --header, or "
            'headers = { x-portkey-provider = "…" } in warden.toml.',
        )
    if seen.status == 401:
        return _other_login(seen)
    return None


def _other_login(seen: Seen) -> Fault | None:
    """A 401 of somebody who wants something else than a bearer key."""
    if seen.headers.get("www-authenticate", "").lower().startswith("basic"):
        return seen.fault(
            "key_refused" if seen.keyed else "key_missing",
            f"{seen.at} wants a user's name and password (Basic), and no key.",
            'Give the provider the header: headers = { Authorization = "Basic …" }, or have the '
            "web server before it let the API through.",
            seen.words or "That is a web server's login, before the model server.",
        )
    if seen.has("x-api-key"):
        return seen.fault(
            "key_refused" if seen.keyed else "key_missing",
            f"{seen.at} wants the key in a header named x-api-key.",
            'Give the provider that header: headers = { x-api-key = "…" } in warden.toml, or use '
            "the gateway's OpenAI-compatible address.",
        )
    return None


def judge_pages(seen: Seen) -> Fault | None:
    """A web page, or a web server's words about TLS."""
    if seen.has("plain http request was sent to https"):
        return seen.fault("tls", f"{seen.at} wants https on that port.", f"Use https://{seen.at}.")
    if seen.has("no required ssl certificate was sent", "the ssl certificate error"):
        fix = "Show it one that it knows: --client-cert or TURNKEY_CLIENT_CERT."
        return seen.fault("tls", f"{seen.at} wants a certificate from whoever connects.", fix)
    wordless_gateway = seen.status in {502, 520, 521, 522, 523, 530} and not seen.words
    if not seen.error.html and not wordless_gateway:
        return None
    if seen.status in {502, 503, 520, 521, 522, 523, 530}:
        return seen.fault(
            "upstream",
            f"A web proxy answers for {seen.at}, and does not reach the server.",
            "See that the server behind it runs."
            if seen.own
            else "See that the server behind it runs. If you know of no such proxy, one on the way "
            f"took the request: set NO_PROXY=localhost,127.0.0.1,::1,{seen.host}.",
            seen.words or f"Status {seen.status} came back, and no word of a model server.",
        )
    if seen.status == 413:
        fix = "Raise its limit on the size of requests (nginx: client_max_body_size)."
        return seen.fault("too_large", "A web proxy refuses requests of this size.", fix)
    return seen.fault(
        "bad_shape",
        f"{seen.at} answers with a web page, not with JSON (status {seen.status}).",
        "Check the base URL; a login page or another program may stand there.",
    )


def wordless(seen: Seen) -> Fault:
    """403 and nothing else."""
    what = f"{seen.at} refuses the request without a word (403)."
    if "airtunes" in seen.headers.get("server", "").lower():
        fix = "Let the model server listen on another port, or switch AirPlay Receiver off."
        return seen.fault("server_error", what, fix, "macOS's AirPlay receiver has that port.")
    if seen.own or seen.host.replace(".", "").isdigit() or ":" in seen.host:
        fix = "Check the port, and the access rules of what listens there."
        return seen.fault("server_error", what, fix, "That is no model server's way to refuse.")
    return seen.fault(
        "server_error",
        what,
        f"Let the reverse proxy send «Host: localhost» on to it, or use its address instead of "
        f"{seen.host}.",
        "Ollama does so when it does not know the host name it is called by.",
    )
