"""Which keyrings are taken, which are refused by name, and what their errors mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring import errors

from core.keys import backends
from core.keys.backends import BackendError, LibraryBackend, Surroundings, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from keyring.backend import KeyringBackend

CANARY = "sk-canary-backends"
FAIL: object = keyring.backends.fail.Keyring()  # type: ignore[no-untyped-call]
NULL: object = keyring.backends.null.Keyring()  # type: ignore[no-untyped-call]


def named(module: str, name: str, base: type[object] = object, **members: object) -> object:
    """An instance of a class that is called like a backend of the library or of another package."""
    return type(name, (base,), {"__module__": module, **members})()


def chain(*members: object) -> object:
    return named("keyring.backends.chainer", "ChainerBackend", backends=list(members))


SECRET_SERVICE = named("keyring.backends.SecretService", "Keyring")
PLAINTEXT = named("keyrings.alt.file", "PlaintextKeyring")


@pytest.mark.parametrize(
    ("backend", "kind"),
    [
        (FAIL, "missing"),
        (NULL, "refused"),
        (PLAINTEXT, "refused"),
        (named("own.package", "MyPlainTextStore"), "refused"),
        (named("own.package", "Renamed", type(PLAINTEXT)), "refused"),
        (named("own.package", "Sub", keyring.backends.null.Keyring), "refused"),
        (named("keyrings.alt.file", "EncryptedKeyring"), "refused"),
        (named("keyrings.cryptfile.cryptfile", "CryptFileKeyring"), "refused"),
        (named("keyrings.alt.Google", "DocsKeyring"), "refused"),
        (SECRET_SERVICE, None),
        (named("keyring.backends.macOS", "Keyring"), None),
        (named("third.party", "Vault"), None),
    ],
)
def test_backends_are_judged_by_name(backend: object, kind: Trouble | None) -> None:
    found = backends.refusal(backend)
    assert (found and found.kind) == kind
    if found is not None and kind == "refused":
        assert backends.full_name(backend) in found.words


def choose(backend: object) -> object:
    return backends.choose(backend)  # type: ignore[arg-type]


def test_a_chain_is_looked_through() -> None:
    assert choose(chain(SECRET_SERVICE, PLAINTEXT)) is SECRET_SERVICE
    assert choose(chain(PLAINTEXT, SECRET_SERVICE)) is SECRET_SERVICE
    with pytest.raises(BackendError) as caught:
        choose(chain(PLAINTEXT, NULL))
    assert caught.value.kind == "refused"
    with pytest.raises(BackendError) as caught:
        choose(chain())
    assert caught.value.kind == "missing"


def test_a_wrapper_is_looked_through() -> None:
    with pytest.raises(BackendError):
        choose(named("keyrings.alt.multi", "MultipartKeyringWrapper", _keyring=PLAINTEXT))
    safe = named("keyrings.alt.multi", "MultipartKeyringWrapper", _keyring=SECRET_SERVICE)
    assert choose(safe) is safe


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keyring.backends.SecretService", "Secret Service"),
        ("keyring.backends.macOS", "macOS Keychain"),
        ("keyring.backends.Windows", "Windows Credential Manager"),
        ("keyring.backends.kwallet", "KWallet"),
        ("third.party", "third.party.Keyring"),
    ],
)
def test_a_keyring_goes_by_the_name_people_know(module: str, name: str) -> None:
    assert backends.name_of(named(module, "Keyring")) == name


class Library:
    """Like a backend of the library, failing as it is told.

    Not derived from the library's class, which would register it for everybody.
    """

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if self.error is not None:
            raise self.error
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.error is not None:
            raise self.error
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.error is not None:
            raise self.error
        if (service, username) not in self.kept:
            raise errors.PasswordDeleteError("No such password!")
        del self.kept[service, username]


def library(fake: Library) -> LibraryBackend:
    return LibraryBackend(cast("KeyringBackend", fake))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.KeyringLocked("Failed to unlock the collection!"), "locked"),
        (errors.NoKeyringError("No recommended backend was available."), "missing"),
        (errors.InitError("Failed to create the collection: Prompt dismissed.."), "unready"),
        (errors.InitError("Failed to create the collection: [ServiceUnknown] gone."), "failing"),
        (errors.InitError("Failed to create the collection: org.x.NoReply: ended."), "failing"),
        (errors.PasswordSetError("Can't store"), "failing"),
        (OSError(5, "Input/output error"), "failing"),
    ],
)
def test_the_librarys_errors_are_told_apart(error: Exception, kind: Trouble) -> None:
    backend = library(Library(error))
    calls: list[Callable[[], object]] = [
        lambda: backend.get("turnkey", "u"),
        lambda: backend.set("turnkey", "u", CANARY),
        lambda: backend.delete("turnkey", "u"),
    ]
    for call in calls:
        with pytest.raises(BackendError) as caught:
            call()
        assert caught.value.kind == kind
        assert caught.value.__context__ is None  # the frames of the library stay behind


def test_a_backends_own_words_show_no_key() -> None:
    backend = library(Library(RuntimeError(f"argv: security -w {CANARY} \x1b[2J")))
    with pytest.raises(BackendError) as caught:
        backend.set("turnkey", "u", CANARY)
    assert CANARY not in caught.value.words
    assert "\x1b" not in caught.value.words


def test_deleting_what_is_not_there_is_no_error() -> None:
    backend = library(Library())
    backend.delete("turnkey", "u")
    backend.set("turnkey", "u", CANARY)
    backend.delete("turnkey", "u")
    assert backend.get("turnkey", "u") is None


@pytest.mark.parametrize(
    ("env", "files", "expected"),
    [
        ({}, (), Surroundings("linux")),
        ({"SSH_CONNECTION": "1 2 3 4"}, (), Surroundings("linux", ssh=True)),
        ({"WSL_DISTRO_NAME": "Ubuntu"}, (), Surroundings("linux", wsl=True)),
        ({}, (".dockerenv",), Surroundings("linux", container=True)),
        ({}, ("run/.containerenv",), Surroundings("linux", container=True)),
        ({"CI": "true"}, (), Surroundings("linux", ci=True)),
        (
            {"DISPLAY": ":0", "DBUS_SESSION_BUS_ADDRESS": "unix:x"},
            (),
            Surroundings("linux", desktop=True, bus=True),
        ),
    ],
)
def test_surroundings(
    tmp_path: Path, env: dict[str, str], files: tuple[str, ...], expected: Surroundings
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert backends.read_surroundings(env, "linux", tmp_path) == expected


@pytest.mark.parametrize(
    ("kind", "here", "expected"),
    [
        ("missing", Surroundings("linux", ssh=True), "Over SSH there is no session bus"),
        ("missing", Surroundings("linux"), "dbus-run-session"),
        ("missing", Surroundings("linux", wsl=True), "WSL has no keyring"),
        ("missing", Surroundings("linux", container=True), "-e X_API_KEY"),
        ("missing", Surroundings("linux", ci=True), "from a secret"),
        ("missing", Surroundings("linux", bus=True, desktop=True), "gnome-keyring"),
        ("locked", Surroundings("linux", bus=True, desktop=True), "desktop's keyring program"),
        ("locked", Surroundings("linux", bus=True, ssh=True), "the other machine's desktop"),
        ("locked", Surroundings("darwin"), "security unlock-keychain"),
        ("slow", Surroundings("darwin"), "Keychain question"),
        ("locked", Surroundings("win32"), "Sign in to Windows"),
        ("refused", Surroundings("linux"), "PYTHON_KEYRING_BACKEND"),
    ],
)
def test_advice_fits_the_place(kind: Trouble, here: Surroundings, expected: str) -> None:
    assert expected in backends.advice(kind, here, "X_API_KEY")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize(
    "kind", ["locked", "missing", "slow", "failing", "unready", "refused", "stopped"]
)
def test_every_trouble_has_advice_that_names_the_variable(platform: str, kind: Trouble) -> None:
    assert "X_API_KEY" in backends.advice(kind, Surroundings(platform), "X_API_KEY")
