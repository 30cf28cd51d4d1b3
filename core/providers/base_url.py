"""Base URLs: any sensible spelling becomes the right one, and what was changed is said.

Hosts are read as a browser reads them (WHATWG URL), because Warden's loopback rule is applied to
what Node's URL parser makes of the text: ``127.1`` and ``2130706433`` are this machine,
``127.0.0.2`` and ``localhost.`` are not. Upstream: getsentry/warden
``sdk/runtimes/custom-provider.ts`` (loopback), url.spec.whatwg.org «host parsing».
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, Literal, NoReturn
from urllib.parse import unquote_to_bytes

import msgspec

from core.errors import Fault, UsageProblem
from core.providers.key_forms import is_opaque, key_spans, without_keys
from core.providers.pasted import base_path, is_pasted, other_paths, tidy, unwrapped
from core.text import one_line

Place = Literal["loopback", "this_machine", "private", "link_local", "any_address", "public"]

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORT: Final = {"http": 80, "https": 443}
_FORBIDDEN_IN_HOST: Final = re.compile(r"[\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]")
_METADATA: Final = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "instance-data.ec2.internal",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle
    }
)
"""Where clouds hand out a machine's credentials, beside the link-local 169.254.169.254."""
_SHARED: Final = ip_network("100.64.0.0/10")
# Carriers and overlay networks such as Tailscale (RFC 6598): not public, not one's own either.
_EMBEDDED: Final = (ip_network("64:ff9b::/96"), ip_network("::/96"))
# An IPv4 address behind a translator (RFC 6052), and in the old form (RFC 4291, section 2.5.5.1).
_HOME_SUFFIXES: Final = (".local", ".lan", ".internal", ".home", ".arpa", ".localhost", ".test")


class BaseUrl(msgspec.Struct, frozen=True):
    """Where a provider is. ``url`` is what requests are built on: ``url + "/models"``."""

    url: str
    """Scheme, host, port unless it is the scheme's own, path without a slash at its end."""
    origin: str
    """Scheme, host, port unless it is the scheme's own. What a key is bound to."""
    scheme: str
    host: str
    """As a URL parser gives it, lower case; an IPv6 address without brackets."""
    port: int
    """Always a number, the scheme's own too."""
    loopback: bool
    """Exactly what Warden takes for this machine (and lets through without a key)."""
    changes: tuple[str, ...] = ()
    """What was changed in what was typed, in words."""
    warnings: tuple[str, ...] = ()
    """What to think about before a key is sent there, in words."""

    @property
    def path(self) -> str:
        """The part after the origin: ``/v1``, or empty."""
        return self.url[len(self.origin) :]

    @property
    def authority(self) -> str:
        """Host and port as people write them: ``127.0.0.1:4000``, ``[::1]:8080``."""
        return self.origin.split("://", 1)[1]

    @property
    def host_port(self) -> str:
        """Host and port, the scheme's own port too: ``example.org:443``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def place(self) -> Place:
        """What kind of address it is; a name that is not an address counts as public or private
        by its form alone, nothing is looked up.
        """
        return place_of(self.host)


def read_base_url(text: str, *, exact: bool = False) -> BaseUrl:
    """Read a base URL as a person types or pastes it.

    A missing scheme is added (https for public names, http for what is near), a missing ``/v1``
    is added to an empty path, a doubled one is undone, pasted endpoints and dashboard addresses
    are cut back. ``exact`` is for a value out of a config, which Warden uses as it stands: its
    path is left alone, and a missing scheme is an error.

    Raises:
        UsageProblem: it cannot be a base URL; code ``usage``, with the reason.
    """
    return _read(text, exact=exact)[0]


def candidates(text: str) -> tuple[BaseUrl, ...]:
    """Base URLs worth trying, all of one origin: as typed first, then with and without ``/v1``.

    A path of somebody's own is kept: nothing above it is tried, so a wrong one comes to light.

    Raises:
        UsageProblem: as :func:`read_base_url`.
    """
    base, typed = _read(text, exact=False)
    path = base.path
    found = [base]
    for other in other_paths(path, typed):
        changed = f"The path «{other or '/'}» was tried instead of «{path or '/'}», and answers."
        found.append(
            msgspec.structs.replace(base, url=base.origin + other, changes=(*base.changes, changed))
        )
    return tuple(found)


def place_of(host: str) -> Place:
    """What kind of place a host is, judged by its text alone; nothing is looked up."""
    if host in _LOOPBACK:
        return "loopback"
    bare = host.removesuffix(".")  # a name with its root dot is the same name
    if bare in _METADATA:
        return "link_local"
    try:
        address = ip_address(host)
    except ValueError:
        if bare == "localhost" or bare.endswith(".localhost"):
            return "this_machine"
        near = "." not in bare or bare.endswith(_HOME_SUFFIXES)
        return "private" if near else "public"
    within = _within(address)
    if within is not None:
        inner = place_of(str(within))
        return "this_machine" if inner == "loopback" else inner
    if address.is_unspecified:
        return "any_address"
    if address.is_loopback:
        return "this_machine"
    if address.is_link_local:
        return "link_local"
    return "private" if address.is_private or address in _SHARED else "public"


def _within(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, or None."""
    if isinstance(address, IPv4Address):
        return None
    if int(address) > 1 and any(address in network for network in _EMBEDDED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _read(text: str, *, exact: bool) -> tuple[BaseUrl, str]:
    """The base URL, and the path as it was typed (slashes tidied)."""
    changes: list[str] = []
    if len(text) > 2000:
        _refuse(text, "It is longer than 2000 characters.")
    typed = text.strip().strip("\"'<>`").strip() if exact else unwrapped(text, changes)
    if not typed:
        _refuse(text, "It is empty.")
    if re.search(r"[\x00-\x20\x7f]", typed):
        _refuse(text, "It has a space or control character in it.")
    if re.search(r"[\ud800-\udfff]", typed):  # as Python reads a byte that is no UTF-8
        _refuse(text, "It has a byte in it that is no letter.")
    scheme, rest = _split_scheme(typed, changes, exact=exact)
    rest = rest.replace("\\", "/")  # as the URL parser does
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    behind = rest[len(authority) :]
    slash, tail = behind[:1].strip("?#"), behind.removeprefix("/")
    if "@" in authority:
        _refuse(text, "It has a user name or password in it; keys are stored apart from URLs.")
    if scheme is None and _is_a_key(authority):
        _refuse("…", "It looks like a key, and what stands there is asked of name servers.")
    host, port_text = _split_port(text, authority)
    host = _read_host(text, host)
    if scheme is None:
        scheme = _likely_scheme(host, port_text)
        changes.insert(0, f"{scheme}:// was added.")
    port = _read_port(text, port_text, scheme)
    path, typed_path = _read_path(text, slash + tail, changes, exact=exact)
    shown_host = f"[{host}]" if ":" in host else host
    origin = f"{scheme}://{shown_host}" + ("" if port == _DEFAULT_PORT[scheme] else f":{port}")
    bare = re.fullmatch(r"([0-9a-fA-F:]*:):?([0-9]{3,5})", authority)
    if bare is not None and ":" in host:
        meant = bare[1].removesuffix(":") if not bare[1].endswith("::") else bare[1]
        changes.append(f"It is read as an address without a port; for a port: [{meant}]:{bare[2]}.")
    if host not in authority.lower():
        changes.append(f"The host is read as {shown_host}.")
    base = BaseUrl(
        url=origin + path,
        origin=origin,
        scheme=scheme,
        host=host,
        port=port,
        loopback=host in _LOOPBACK,
        changes=tuple(dict.fromkeys(changes)),
        warnings=_warnings(scheme, host),
    )
    return base, typed_path


def _split_scheme(typed: str, changes: list[str], *, exact: bool) -> tuple[str | None, str]:
    found = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):(//|\\\\)", typed)
    if found:
        scheme = found[1].lower()
        if scheme not in _DEFAULT_PORT:
            _refuse(typed, f"Its scheme is {scheme}; a provider is reached by http or https.")
        rest = typed[found.end() :]
        if exact:
            return scheme, rest.lstrip("/\\")
        if re.match(r"[/\\]+(?:localhost|\[|[^/\\]*[.:])", rest, re.IGNORECASE):
            changes.append("The scheme's «://» was put right.")
            rest = rest.lstrip("/\\")
        return scheme, rest
    near_miss = re.match(r"(https?)(:/?|//)(?=[^/\d]|\d+\.)", typed, re.IGNORECASE)
    if near_miss:
        changes.append("The scheme's «://» was put right.")
        return near_miss[1].lower(), typed[near_miss.end() :]
    if re.match(r"(file|ftp|ws|wss|data|javascript|unix):", typed, re.IGNORECASE):
        _refuse(typed, "A provider is reached by http or https.")
    if exact:
        _refuse(typed, "It has no scheme, and Warden would not take it for this machine.")
    if re.fullmatch(r"\d{1,5}", typed):
        changes.append("A number alone is read as a port of this machine.")
        return None, f"127.0.0.1:{typed}"
    if typed.startswith(":") and not typed.startswith("::"):
        changes.append("The host was added: this machine.")
        return None, f"127.0.0.1{typed}"
    return None, typed.lstrip("/")


def _is_a_key(authority: str) -> bool:
    """Whether a key was pasted where the address belongs."""
    whole = (0, len(authority)) in key_spans(authority)
    return whole or ("." not in authority and is_opaque(authority))


def _split_port(text: str, authority: str) -> tuple[str, str]:
    if authority.startswith("["):
        host, closed, rest = authority.partition("]")
        if not closed or (rest and not rest.startswith(":")):
            _refuse(text, "Its IPv6 address is not closed with «]».")
        return f"{host}]", rest[1:]
    if authority.count(":") > 1:  # an IPv6 address without its brackets
        return f"[{authority}]", ""
    host, _, port = authority.partition(":")
    return host, port


def _read_port(text: str, port: str, scheme: str) -> int:
    if not port:
        return _DEFAULT_PORT[scheme]
    if not (port.isascii() and port.isdigit()) or not 0 < int(port[:9]) <= 65535:
        _refuse(text, f"«{one_line(port, 20)}» is not a port; ports are 1 to 65535.")
    return int(port)


def _read_host(text: str, raw: str) -> str:
    """The WHATWG host parser: percent-decoding, IDNA, numbers as IPv4, compressed IPv6."""
    if raw.startswith("["):
        return _read_ipv6(text, raw[1:-1])
    try:
        host = unquote_to_bytes(raw).decode()
        if "\u1e9e" in host:
            # Unicode changed its mapping: programs of different years go to different hosts.
            _refuse(text, "Its host name has a capital sharp s, which programs read differently.")
        if not host.isascii():
            import idna

            host = idna.encode(host, uts46=True).decode()
    except (UnicodeError, ValueError):
        _refuse(text, "Its host name is not a valid name.")
    host = host.lower()
    if not host:
        _refuse(text, "It has no host.")
    if _FORBIDDEN_IN_HOST.search(host):
        _refuse(text, "Its host name has a character that host names cannot have.")
    labels = host.split(".")
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    last = labels[-1]
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
        return _read_ipv4(text, labels)
    if any(not label for label in labels) or any(len(label) > 63 for label in labels):
        _refuse(text, "Its host name is not a valid name.")
    return host


def _read_ipv4(text: str, parts: list[str]) -> str:
    numbers: list[int] = []
    for part in parts:
        if re.fullmatch(r"0x[0-9a-f]*", part):
            numbers.append(int(part[2:] or "0", 16))
        elif re.fullmatch(r"0[0-7]+", part):
            numbers.append(int(part, 8))
        elif re.fullmatch(r"0|[1-9][0-9]{0,11}", part):
            numbers.append(int(part))
        else:
            _refuse(text, "Its host ends in a number but is not an IPv4 address.")
    *heads, last = numbers
    if len(numbers) > 4 or any(n > 255 for n in heads) or last >= 256 ** (5 - len(numbers)):
        _refuse(text, "Its host ends in a number but is not an IPv4 address.")
    value = last + sum(n * 256 ** (3 - place) for place, n in enumerate(heads))
    return str(IPv4Address(value))


def _read_ipv6(text: str, inner: str) -> str:
    try:
        if "%" in inner:
            raise AddressValueError("zone")
        address = IPv6Address(inner)
    except AddressValueError:
        _refuse(text, "Its IPv6 address cannot be read (a zone such as %eth0 is not allowed).")
    if address.ipv4_mapped is not None:  # URL parsers write the last 32 bits as two groups
        low = int(address) & 0xFFFFFFFF
        return f"::ffff:{low >> 16:x}:{low & 0xFFFF:x}"
    return str(address)


def _likely_scheme(host: str, port: str) -> str:
    if port in {"443", "8443"}:
        return "https"
    if port == "80":
        return "http"
    is_name = not (":" in host or re.fullmatch(r"[0-9.]+", host))
    return "https" if is_name and place_of(host) == "public" else "http"


def _read_path(text: str, tail: str, changes: list[str], *, exact: bool) -> tuple[str, str]:
    """The path to use, and the path as typed. Adds to ``changes``."""
    mark = next((letter for letter in tail if letter in "?#"), "")
    path, _, behind = tail.partition(mark) if mark else (tail, "", "")
    path = tidy(path)
    pasted = is_pasted(path) or (not path and mark == "#")
    if mark and (exact or not pasted):
        named = "a query (?...)" if mark == "?" else "a fragment (#...)"
        _refuse(text, f"It has {named}; requests are built by adding to a base URL's end.")
    if exact:
        return path, path
    if mark and behind:
        changes.append(f"What follows «{mark}» was cut.")
    return base_path(path, changes), path


def _warnings(scheme: str, host: str) -> tuple[str, ...]:
    place = place_of(host)
    found: list[str] = []
    if place == "link_local":
        found.append(
            f"{host} is a link-local or metadata address. Cloud machines hand out credentials "
            "there; no model is served from it."
        )
    if place == "any_address":
        found.append(f"{host} is an address to listen on. Connect to 127.0.0.1 instead.")
    if place == "this_machine":
        found.append(
            f"{host} is this machine, but Warden takes only localhost, 127.0.0.1 and [::1] for "
            "it, and will ask for a key."
        )
    if scheme == "http" and place not in {"loopback", "this_machine", "any_address"}:
        found.append(f"http to {host}: the key and your code travel unencrypted.")
    return tuple(found)


def _refuse(text: str, why: str) -> NoReturn:
    # A pasted URL may carry a password; only what stands after it is shown.
    shown = re.sub(r"//[^/@]*@", "//…@", text.strip())
    shown = re.sub(r"\?.*", "?…", shown, flags=re.DOTALL)  # a key may stand in a query as well
    shown = re.sub(r"\s.*", " …", without_keys(shown), flags=re.DOTALL)  # or in curl's header
    what = f"«{one_line(shown, 120)}» cannot be a base URL." if shown else "There is no base URL."
    raise UsageProblem(
        Fault("usage", what, why, "Write it like http://localhost:4000/v1, without a key in it.")
    )
