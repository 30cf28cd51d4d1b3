"""What this machine puts between turnkey and a server: proxies and certificates. Pure.

Read from the environment by :func:`network_from`; the command line's options go over it.
Importing this module imports neither httpx nor ssl.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.providers.base_url import BaseUrl

CA_FILE: Final = "TURNKEY_CA_FILE"
CLIENT_CERT: Final = "TURNKEY_CLIENT_CERT"
CLIENT_KEY: Final = "TURNKEY_CLIENT_KEY"
_OWN_MACHINE: Final = frozenset({"loopback", "this_machine", "any_address"})


class Network(msgspec.Struct, frozen=True):
    """How connections leave this machine, and whom they trust."""

    proxies: dict[str, str] = {}
    """Proxy URL by the scheme of what is asked for: ``http``, ``https``, ``all``."""
    no_proxy: tuple[str, ...] = ()
    """Hosts that are reached without one: names, ``.suffix``, ``host:port``, addresses, ``*``."""
    ca_file: str | None = None
    """A file of certificates (PEM) that are trusted beside the system's."""
    client_cert: str | None = None
    """A file (PEM) with the certificate to show to a server that asks for one."""
    client_key: str | None = None
    """The file with its private key; None: in the same file."""
    store_file: str | None = None
    """``SSL_CERT_FILE``, which takes the place of the system's own list."""
    store_folder: str | None = None
    """``SSL_CERT_DIR``, likewise."""

    def proxy_for(self, base: BaseUrl) -> str | None:
        """The proxy that requests to ``base`` go through; None for this machine, always.

        ``NO_PROXY`` as curl and Go read it: a name stands for the hosts below it too, a network
        (``10.0.0.0/8``) for its addresses, ``*`` for every host.
        """
        if base.place in _OWN_MACHINE:
            return None
        proxy = self.proxies.get(base.scheme) or self.proxies.get("all")
        if not proxy or any(_names(entry, base) for entry in self.no_proxy):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    def with_files(self, ca_file: str | None, client_cert: str | None) -> Network:
        """The same with files given on the command line, which win over the environment's."""
        changes: dict[str, str | None] = {}
        if ca_file is not None:
            changes["ca_file"] = ca_file
        if client_cert is not None:
            changes |= {"client_cert": client_cert, "client_key": None}
        return msgspec.structs.replace(self, **changes)


def network_from(env: Mapping[str, str]) -> Network:
    """The network as an environment describes it; an empty value counts as unset.

    ``http_proxy`` in lower case wins over upper case. ``HTTP_PROXY`` is not read where
    ``REQUEST_METHOD`` is set, since a web request could have set it (httpoxy, CVE-2016-5385).
    """
    proxies: dict[str, str] = {}
    for scheme in ("http", "https", "all"):
        upper = f"{scheme}_proxy".upper()
        forged = scheme == "http" and "REQUEST_METHOD" in env
        value = env.get(f"{scheme}_proxy") or ("" if forged else env.get(upper, ""))
        if value.strip():
            proxies[scheme] = value.strip()
    listed = env.get("no_proxy") or env.get("NO_PROXY") or ""
    return Network(
        proxies=proxies,
        no_proxy=tuple(listed.replace(",", " ").lower().split()),
        ca_file=env.get(CA_FILE) or None,
        client_cert=env.get(CLIENT_CERT) or None,
        client_key=env.get(CLIENT_KEY) or None,
        store_file=env.get("SSL_CERT_FILE") or None,
        store_folder=env.get("SSL_CERT_DIR") or None,
    )


def _names(entry: str, base: BaseUrl) -> bool:
    """Whether one entry of ``NO_PROXY`` names the host of ``base``."""
    if entry == "*":
        return True
    try:
        return ip_address(base.host) in ip_network(entry.strip("[]"), strict=False)
    except (ValueError, TypeError):
        pass
    host, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and not host.endswith(":"):
        if int(port) != base.port:
            return False
        entry = host
    entry = entry.strip("[]").removeprefix("*").removeprefix(".")
    return bool(entry) and (base.host == entry or base.host.endswith(f".{entry}"))
