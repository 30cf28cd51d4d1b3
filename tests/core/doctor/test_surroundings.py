"""Where turnkey runs is read from few marks, and only those."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.doctor.surroundings import surroundings

if TYPE_CHECKING:
    from pathlib import Path


def mark(root: Path, path: str, text: str = "") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("path", [".dockerenv", "run/.containerenv"])
def test_a_container_is_known_by_its_mark(path: str, tmp_path: Path) -> None:
    assert not surroundings({}, tmp_path).container
    mark(tmp_path, path)
    assert surroundings({}, tmp_path).container


@pytest.mark.parametrize("name", ["container", "KUBERNETES_SERVICE_HOST"])
def test_a_container_is_known_by_its_variable(name: str, tmp_path: Path) -> None:
    assert surroundings({name: "x"}, tmp_path).container


@pytest.mark.parametrize(
    ("kernel", "wsl"),
    [("5.15.167.4-microsoft-standard-WSL2\n", True), ("6.1.0-13-amd64\n", False), (None, False)],
)
def test_wsl_is_known_by_its_kernel(kernel: str | None, wsl: bool, tmp_path: Path) -> None:
    if kernel is not None:
        mark(tmp_path, "proc/sys/kernel/osrelease", kernel)
    assert surroundings({}, tmp_path).wsl is wsl


def test_a_ca_file_for_one_runtime_is_not_one_for_the_other(tmp_path: Path) -> None:
    mine = surroundings({"SSL_CERT_FILE": "/ca.pem"}, tmp_path)
    assert (mine.own_ca, mine.node_ca) == (True, False)
    both = surroundings({"TURNKEY_CA_FILE": "/a", "NODE_EXTRA_CA_CERTS": "/b"}, tmp_path)
    assert (both.own_ca, both.node_ca) == (True, True)
    assert both.network.ca_file == "/a"
