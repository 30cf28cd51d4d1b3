"""What a certificate says of itself, read from its DER form. Pure, and bounded by its input.

Python reads the fields of a certificate only when it trusts it; the one that people need to know
about is the one that is not trusted. Layout: RFC 5280 section 4.1, encoding: X.690.
"""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

import msgspec

_COMMON_NAME: Final = bytes.fromhex("550403")
_ORGANISATION: Final = bytes.fromhex("55040a")
_OTHER_NAMES: Final = bytes.fromhex("551d11")
_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA3
_OID: Final = 0x06
_OCTETS: Final = 0x04
_UTC_TIME: Final = 0x17
_DNS_NAME: Final = 0x82
_ADDRESS: Final = 0x87
_WIDE: Final = 0x1E
_MOST_NAMES: Final = 20


class Certificate(msgspec.Struct, frozen=True):
    """The parts of a certificate that explain why it is not trusted. All of it foreign text."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """The hosts that it is made out for."""
    begins: datetime
    ends: datetime
    self_signed: bool


def read_certificate(der: bytes) -> Certificate | None:
    """The certificate in ``der``, or None when it cannot be read."""
    try:
        return _read(der)
    except (ValueError, IndexError, OverflowError):
        return None


def _read(der: bytes) -> Certificate:
    body = _children(_children(der)[0][1])[0]
    parts = _children(body[1])
    if parts[0][0] == _VERSION:
        parts = parts[1:]
    issuer, validity, subject = parts[2][1], _children(parts[3][1]), parts[4][1]
    return Certificate(
        subject=_name(subject),
        issuer=_name(issuer),
        names=_other_names(parts),
        begins=_time(*validity[0]),
        ends=_time(*validity[1]),
        self_signed=issuer == subject,
    )


def _children(data: bytes) -> list[tuple[int, bytes]]:
    """The elements in ``data``, one after the other: tag and content."""
    found, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            if not 0 < size <= 4:
                raise ValueError("length")
            length, at = int.from_bytes(data[at : at + size]), at + size
        if at + length > len(data):
            raise ValueError("cut off")
        found.append((tag, data[at : at + length]))
        at += length
    return found


def _name(data: bytes) -> str:
    """The common name of a distinguished name; without one, the organisation."""
    texts: dict[bytes, str] = {}
    for _, group in _children(data):
        for _, pair in _children(group):
            (kind, oid), (tag, text) = _children(pair)[:2]
            if kind == _OID:
                coding = "utf-16-be" if tag == _WIDE else "utf-8"
                texts.setdefault(oid, text.decode(coding, "replace"))
    return texts.get(_COMMON_NAME) or texts.get(_ORGANISATION) or ""


def _time(tag: int, text: bytes) -> datetime:
    digits = text.decode("ascii").rstrip("Z")
    if tag == _UTC_TIME:
        # RFC 5280: two digits below 50 are of this century
        digits = ("20" if int(digits[:2]) < 50 else "19") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _other_names(parts: list[tuple[int, bytes]]) -> tuple[str, ...]:
    names: list[str] = []
    for tag, data in parts:
        if tag != _EXTENSIONS:
            continue
        for _, extension in _children(_children(data)[0][1]):
            fields = _children(extension)
            if fields[0][1] != _OTHER_NAMES or fields[-1][0] != _OCTETS:
                continue
            for kind, value in _children(_children(fields[-1][1])[0][1]):
                if kind == _DNS_NAME:
                    names.append(value.decode("ascii", "replace"))
                elif kind == _ADDRESS:
                    names.append(str(ip_address(value)))
    return tuple(names[:_MOST_NAMES])
