"""Certificates of every kind, right and wrong, made while the tests run."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pki:
    """One signer that the tests trust, another one that nobody does, and a folder for files."""

    folder: Path
    ca: trustme.CA
    other: trustme.CA

    @property
    def ca_file(self) -> str:
        """The certificate of the trusted signer, as a file."""
        path = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(path))
        return str(path)

    def client_file(self) -> str:
        """A client's certificate with its key, by the trusted signer."""
        path = self.folder / "client.pem"
        self.ca.issue_cert("turnkey@example.org").private_key_and_cert_chain_pem.write_to_path(
            str(path)
        )
        return str(path)

    def good(self, *, h2: bool = False) -> ssl.SSLContext:
        """For 127.0.0.1 and localhost, by the trusted signer."""
        return _server(self.ca.issue_cert("127.0.0.1", "localhost"), h2=h2)

    def named(self, host: str) -> ssl.SSLContext:
        """For another name, by the trusted signer."""
        return _server(self.ca.issue_cert(host))

    def expired(self) -> ssl.SSLContext:
        """Out of date since yesterday."""
        yesterday = datetime.now(UTC) - timedelta(days=1)
        return _server(self.ca.issue_cert("127.0.0.1", not_after=yesterday))

    def not_yet(self) -> ssl.SSLContext:
        """Valid from next month."""
        later = datetime.now(UTC) + timedelta(days=30)
        return _server(self.ca.issue_cert("127.0.0.1", not_before=later))

    def wrong_host(self) -> ssl.SSLContext:
        """Made out for another name."""
        return self.named("models.example")

    def unknown_signer(self) -> ssl.SSLContext:
        """By a signer that is not trusted."""
        return _server(self.other.issue_cert("127.0.0.1"))

    def self_signed(self) -> ssl.SSLContext:
        """Signed by itself, as ``openssl req -x509`` makes them."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
            )
            .sign(key, hashes.SHA256())
        )
        path = self.folder / "self-signed.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(path))
        return context

    def wants_client(self) -> ssl.SSLContext:
        """The good one; whoever connects must show a certificate by the same signer."""
        context = self.good()
        self.ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def no_common_cipher(self) -> ssl.SSLContext:
        """TLS 1.2 with one cipher that no client offers unasked."""
        context = self.good()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("PSK-AES128-CBC-SHA256:@SECLEVEL=0")
        return context

    def old_protocol(self) -> ssl.SSLContext:
        """TLS 1.1 and nothing newer."""
        context = self.good()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    def locked_key_file(self) -> str:
        """A client's certificate whose key needs a passphrase."""
        key = ec.generate_private_key(ec.SECP256R1())
        path = self.folder / "locked.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"passphrase"),
            )
            + self.ca.issue_cert("turnkey@example.org").cert_chain_pems[0].bytes()
        )
        return str(path)


def make_pki(folder: Path) -> Pki:
    """Two signers, and a folder for their files."""
    return Pki(folder, trustme.CA(), trustme.CA())


def _server(certificate: trustme.LeafCert, *, h2: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if h2:
        context.set_alpn_protocols(["h2"])
    return context
