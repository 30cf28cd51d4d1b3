"""A certificate is read whether or not it is trusted, and nonsense is no certificate."""

from __future__ import annotations

import datetime as dt
import ssl

import trustme
from hypothesis import given
from hypothesis import strategies as st

from core.doctor.certificate import Certificate, read_certificate

ENDS = dt.datetime(2031, 3, 1, 12, 30, tzinfo=dt.UTC)


def issued(*names: str) -> bytes:
    made = trustme.CA(organization_name="Acme Internal CA").issue_cert(*names, not_after=ENDS)
    return ssl.PEM_cert_to_DER_cert(made.cert_chain_pems[0].bytes().decode())


def test_names_signer_and_days_are_read() -> None:
    found = read_certificate(issued("gw.acme.lan", "127.0.0.1", "::1"))
    assert found is not None
    assert found.issuer == "Acme Internal CA"
    assert found.names == ("gw.acme.lan", "127.0.0.1", "::1")
    assert found.ends == ENDS
    assert found.begins < found.ends
    assert not found.self_signed


def test_an_authority_signs_itself() -> None:
    pem = trustme.CA(organization_name="Acme Internal CA").cert_pem.bytes().decode()
    found = read_certificate(ssl.PEM_cert_to_DER_cert(pem))
    assert found is not None
    assert found.self_signed
    assert found.subject == found.issuer


@given(st.binary(max_size=400))
def test_nonsense_is_no_certificate(data: bytes) -> None:
    assert read_certificate(data) is None


@given(st.data())
def test_a_damaged_one_is_read_or_refused(data: st.DataObject) -> None:
    der = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(der)))
    found = read_certificate(bytes(der[:cut] if data.draw(st.booleans()) else der))
    assert found is None or isinstance(found, Certificate)


SAMPLE = issued("gw.acme.lan")
