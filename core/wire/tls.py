"""Whom a https connection trusts, and what it shows of itself.

The system's own store: on macOS and Windows that of the platform (by truststore), elsewhere the
one that OpenSSL was built for. ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` take its place, as they do
for other Python programs; a CA file given to turnkey is trusted beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import EndpointProblem, Fault
from core.text import one_line

if TYPE_CHECKING:
    import ssl

    from core.wire.network import Network


def ssl_context(network: Network) -> ssl.SSLContext:
    """A context for clients: certificates and host names are checked, TLS 1.2 at least.

    Raises:
        EndpointProblem: ``tls``, naming the file that cannot be used.
    """
    import ssl

    if network.store_file is not None and not Path(network.store_file).is_file():
        raise _unusable("SSL_CERT_FILE", network.store_file, "There is no such file.")
    context = _trusting(network)
    if network.ca_file is not None:
        try:
            context.load_verify_locations(cafile=network.ca_file)
        except (OSError, ValueError) as error:
            raise _unusable("The CA file", network.ca_file, _reason(error)) from None
    if network.client_cert is not None:
        try:
            # Without a password of our own OpenSSL would ask for one on the terminal.
            context.load_cert_chain(network.client_cert, network.client_key, password="")
        except (OSError, ValueError) as error:
            why = _reason(error)
            if isinstance(error, ssl.SSLError):
                why = (
                    "It holds no certificate together with its key, or a passphrase guards the "
                    f"key, which turnkey does not ask for ({why.rstrip('.')})."
                )
            raise _unusable("The client certificate", network.client_cert, why) from None
    return context


def _trusting(network: Network) -> ssl.SSLContext:
    import ssl

    named = network.store_file is not None or network.store_folder is not None
    paths = ssl.get_default_verify_paths()
    on_platform = sys.platform in {"darwin", "win32"}
    if named or (not on_platform and (paths.cafile or paths.capath)):
        try:
            return ssl.create_default_context()
        except OSError as error:
            shown = network.store_file or network.store_folder or paths.cafile or ""
            raise _unusable("The list of trusted certificates", shown, _reason(error)) from None
    import truststore

    context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return f"{one_line(str(text), 120).rstrip('.')}."


def _unusable(what: str, path: str, why: str) -> EndpointProblem:
    return EndpointProblem(
        Fault(
            "tls",
            f"{what} {one_line(path, 120)} cannot be used.",
            why,
            "Name a file of certificates in PEM form (-----BEGIN CERTIFICATE-----).",
        )
    )
