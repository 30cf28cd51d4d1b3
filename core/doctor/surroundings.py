"""Where turnkey itself runs: in a container, under WSL, behind a corporate proxy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.wire.network import Network, network_from

if TYPE_CHECKING:
    from collections.abc import Mapping


class Surroundings(msgspec.Struct, frozen=True):
    """What stands around this process, as far as it changes what an address means."""

    container: bool = False
    """``localhost`` is the container, not the machine that carries it."""
    wsl: bool = False
    """Linux under Windows: its ``localhost`` need not be Windows' own."""
    network: Network = Network()
    """Proxies and certificates."""
    own_ca: bool = False
    """Trust comes from a file that only turnkey reads (``SSL_CERT_FILE``, ``TURNKEY_CA_FILE``)."""
    node_ca: bool = False
    """``NODE_EXTRA_CA_CERTS`` is set: Warden's engine has a file of its own."""

    def reached_by(self, network: Network) -> Surroundings:
        """The same with another network: files named on the command line."""
        own = bool(network.ca_file or network.store_file or network.store_folder)
        return msgspec.structs.replace(self, network=network, own_ca=own)


def surroundings(env: Mapping[str, str], root: Path = Path("/")) -> Surroundings:
    """What ``env`` and the marks below ``root`` say. Reads two small files at most.

    Marks: Docker's ``/.dockerenv``, Podman's ``/run/.containerenv``, ``container`` as systemd sets
    it, and the kernel's own words under WSL.
    """
    marked = any((root / mark).exists() for mark in (".dockerenv", "run/.containerenv"))
    around = Surroundings(
        container=marked or bool(env.get("container") or env.get("KUBERNETES_SERVICE_HOST")),
        wsl="microsoft" in _kernel(root),
        node_ca=bool(env.get("NODE_EXTRA_CA_CERTS")),
    )
    return around.reached_by(network_from(env))


def _kernel(root: Path) -> str:
    try:
        with (root / "proc/sys/kernel/osrelease").open("rb") as file:
            return file.read(512).decode("utf-8", "replace").lower()
    except OSError:
        return ""
