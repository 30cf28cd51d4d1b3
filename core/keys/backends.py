"""The OS keyring behind one small interface, and which keyrings are not taken.

The ``keyring`` library chooses a backend by platform and configuration. Some of its backends keep
nothing (``null``) or keep keys readable (``PlaintextKeyring``); those are refused by name, and a
chain of backends is looked through. Nothing here is bounded in time: :mod:`core.keys.vault` runs
every call beside the program and stops waiting for it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

from core.keys.secret import Secret
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyring.backend import KeyringBackend

SERVICE: Final = "turnkey"
"""The service name of every entry. The user name is ``<VARIABLE>@<origin>``."""

Trouble = Literal["locked", "missing", "slow", "failing", "unready", "refused", "stopped"]
"""Why a keyring did not do it.

``locked``: it is there and nobody unlocked it. ``missing``: none is there. ``slow``: no answer in
time. ``failing``: it answered with an error. ``unready``: there, but no keyring was ever made and
nobody can be asked for its password. ``refused``: it would keep keys readable, or forget them.
``stopped``: the user ended the wait.
"""


class BackendError(Exception):
    """A keyring call did not succeed. ``words``: one sentence, without any key in it."""

    def __init__(self, kind: Trouble, words: str) -> None:
        super().__init__(words)
        self.kind: Final = kind
        self.words: Final = words


class Backend(Protocol):
    """Where keys are kept. Raises :class:`BackendError` only; may block."""

    @property
    def name(self) -> str:
        """What a person calls it: «Secret Service», «macOS Keychain»."""

    def get(self, service: str, user: str) -> str | None:
        """The stored value, or None where there is none."""

    def set(self, service: str, user: str, password: str) -> None:
        """Store a value, in place of an older one."""

    def delete(self, service: str, user: str) -> None:
        """Delete a value; one that is not there is no error."""

    def locked(self) -> bool | None:
        """True while a person would be asked to unlock it, False when not, None: cannot be told.

        Asks nobody.
        """


class LibraryBackend:
    """A backend of the ``keyring`` library as a :class:`Backend`, its errors told apart."""

    def __init__(self, keyring: KeyringBackend) -> None:
        self._keyring = keyring
        self._name: Final = name_of(keyring)

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._name

    def get(self, service: str, user: str) -> str | None:
        """The stored value, or None."""
        trouble: BackendError
        try:
            return self._keyring.get_password(service, user)
        except Exception as error:  # noqa: BLE001  # backends raise whatever their platform does
            trouble = self._trouble(error)
        # Raised outside the handler: the library's own exception, whose frames hold the value,
        # is not carried along.
        raise trouble

    def set(self, service: str, user: str, password: str) -> None:
        """Store a value."""
        trouble: BackendError
        try:
            self._keyring.set_password(service, user, password)
        except Exception as error:  # noqa: BLE001  # backends raise what their platform does
            trouble = self._trouble(error, Secret(password))
        else:
            return
        password = ""  # a traceback that shows local names shows nothing
        raise trouble

    def delete(self, service: str, user: str) -> None:
        """Delete a value; a missing one is no error."""
        from keyring.errors import PasswordDeleteError

        trouble: BackendError
        try:
            self._keyring.delete_password(service, user)
        except PasswordDeleteError:
            if self.get(service, user) is None:
                return
            trouble = BackendError("failing", f"{self._name} did not delete the entry.")
        except Exception as error:  # noqa: BLE001  # backends raise what their platform does
            trouble = self._trouble(error)
        else:
            return
        raise trouble

    def locked(self) -> bool | None:
        """Whether a person would be asked to unlock it; known for the Secret Service alone."""
        module = type(self._keyring).__module__
        if module.startswith("keyring.backends.Windows"):
            return False  # unlocked with the session
        if module != "keyring.backends.SecretService":
            return None
        return _secret_service_locked()

    def _trouble(self, error: Exception, secret: Secret | None = None) -> BackendError:
        from keyring import errors

        if isinstance(error, errors.KeyringLocked):
            return BackendError("locked", f"{self._name} is locked.")
        if isinstance(error, errors.NoKeyringError):
            return BackendError("missing", "There is no keyring here.")
        gone = _GONE.search(f"{error} {type(error.__context__).__name__}")
        if isinstance(error, errors.InitError) and gone is None:
            return BackendError("unready", f"{self._name} has no keyring to store in yet.")
        said = str(error) if secret is None else secret.redact(str(error))
        words = one_line(said, 160) or type(error).__name__
        return BackendError("failing", f"{self._name} answered with an error: {words}")


# What D-Bus and SecretStorage say of a service that ended in the middle of a call.
_GONE: Final = re.compile(
    r"NoReply|ServiceUnknown|NameHasNoOwner|[Dd]isconnected|ConnectionReset|BrokenPipe|NotAvailable"
    r"|not provided by any|did not (?:receive|send) a reply|[Cc]onnection (?:reset|closed|refused)"
)


def _secret_service_locked() -> bool | None:
    """Asks the default collection over D-Bus, without making one or opening a prompt."""
    import secretstorage

    try:
        connection = secretstorage.dbus_init()
    except Exception:  # noqa: BLE001  # whatever stands in the way, it cannot be told
        return None
    try:
        default = "/org/freedesktop/secrets/aliases/default"
        return bool(secretstorage.Collection(connection, default).is_locked())
    except Exception:  # noqa: BLE001  # then it cannot be told
        return None
    finally:
        connection.close()


_NAMES: Final = (
    ("keyring.backends.SecretService", "Secret Service"),
    ("keyring.backends.libsecret", "Secret Service"),
    ("keyring.backends.kwallet", "KWallet"),
    ("keyring.backends.macOS", "macOS Keychain"),
    ("keyring.backends.Windows", "Windows Credential Manager"),
)


def full_name(keyring: object) -> str:
    """Module and class of a backend: ``keyring.backends.null.Keyring``."""
    return f"{type(keyring).__module__}.{type(keyring).__qualname__}"


def name_of(keyring: object) -> str:
    """What a person calls a backend; one that is not known goes by its module and class."""
    full = full_name(keyring)
    return next((name for prefix, name in _NAMES if full.startswith(prefix)), full)


def refusal(keyring: object) -> BackendError | None:
    """Why a backend is not taken, or None. Looks at the names of its class and all its bases."""
    full = full_name(keyring)
    for kind in type(keyring).__mro__:
        name = f"{kind.__module__}.{kind.__qualname__}"
        lower = name.lower()
        if name.startswith("keyring.backends.fail."):
            return BackendError("missing", "There is no keyring here.")
        if name.startswith("keyring.backends.null."):
            words = f"The keyring that is set up forgets everything it is given ({full})."
            return BackendError("refused", words)
        if "plaintext" in lower or "uncrypted" in lower or name == "keyrings.alt.pyfs.BasicKeyring":
            words = f"The keyring that is set up keeps keys readable in a file ({full})."
            return BackendError("refused", words)
        if name.startswith("keyrings.alt.Google."):
            words = f"The keyring that is set up sends keys to an online document ({full})."
            return BackendError("refused", words)
        if name == "keyrings.alt.file.EncryptedKeyring" or name.startswith("keyrings.cryptfile."):
            words = f"The keyring that is set up asks for its password on the terminal ({full})."
            return BackendError("refused", words)
    return None


def choose(keyring: KeyringBackend) -> KeyringBackend:
    """The backend to use, given the one that the library chose.

    A chain is looked through for its first safe member, since it would store in the first that
    takes the value; so is a wrapper that splits long values.

    Raises:
        BackendError: nothing in it is safe (``refused``), or nothing is there (``missing``).
    """
    members = getattr(keyring, "backends", None)
    if isinstance(members, list | tuple) and full_name(keyring).startswith(
        "keyring.backends.chainer."
    ):
        worst = BackendError("missing", "There is no keyring here.")
        for member in members:
            found = refusal(member)
            if found is None:
                return choose(member)
            if found.kind == "refused":
                worst = found
        raise worst
    wrapped = getattr(keyring, "_keyring", None)
    found = refusal(keyring) or (refusal(wrapped) if wrapped is not None else None)
    if found is not None:
        raise found
    return keyring


def find_backend() -> Backend:
    """The keyring of this platform, as the ``keyring`` library finds it. Imports it; may block.

    Raises:
        BackendError: none is there, it is refused by name, or it cannot be loaded.
    """
    trouble: BackendError
    try:
        import keyring

        return LibraryBackend(choose(keyring.get_keyring()))
    except BackendError:
        raise
    except Exception as error:  # noqa: BLE001  # a configured backend may fail in any way
        words = f"The keyring that is set up cannot be loaded: {one_line(str(error), 160)}"
        trouble = BackendError("failing", words)
    raise trouble


class Surroundings(msgspec.Struct, frozen=True):
    """Where turnkey runs, as far as it matters to keyrings."""

    platform: str = "linux"
    """As ``sys.platform``."""
    ssh: bool = False
    wsl: bool = False
    container: bool = False
    ci: bool = False
    desktop: bool = False
    """There is a graphical session that could show a prompt."""
    bus: bool = False
    """There is a session bus, as the Secret Service needs."""


def read_surroundings(
    env: Mapping[str, str], platform: str = sys.platform, root: Path = Path("/")
) -> Surroundings:
    """Read :class:`Surroundings` from the environment and a few well-known files under ``root``."""
    user_bus = Path(env["XDG_RUNTIME_DIR"], "bus") if env.get("XDG_RUNTIME_DIR") else None
    return Surroundings(
        platform=platform,
        ssh=bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY")),
        wsl=bool(env.get("WSL_DISTRO_NAME") or env.get("WSL_INTEROP")),
        container=bool(env.get("container"))  # systemd writes it in lower case
        or (root / ".dockerenv").exists()
        or (root / "run/.containerenv").exists(),
        ci=env.get("CI", "").lower() in {"1", "true", "yes"},
        desktop=bool(env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")),
        bus=bool(env.get("DBUS_SESSION_BUS_ADDRESS"))
        or (user_bus is not None and user_bus.exists()),
    )


def advice(kind: Trouble, here: Surroundings, variable: str = "the key's variable") -> str:
    """What to do about a keyring's trouble, on this platform, as one or two short instructions.

    ``variable``: the environment variable that would hold the key instead.
    """
    instead = f"Or set {variable} in the environment."
    if kind == "stopped":
        return f"Try again. {instead}"
    if kind == "refused":
        return f"Choose another in keyringrc.cfg or PYTHON_KEYRING_BACKEND. {instead}"
    if here.platform == "darwin":
        return f"{_MACOS[kind]} {instead}"
    if here.platform == "win32":
        return f"Sign in to Windows as yourself and try again. {instead}"
    if kind == "failing":
        return f"Look at the keyring's own program, then try again. {instead}"
    if kind == "missing":
        return _missing_on_linux(here, variable, instead)
    if here.container:
        instead = f"Or start the container with {_given(variable)}."
    return f"{_locked_on_linux(here)} {instead}"


def _given(variable: str) -> str:
    return f"-e and {variable}" if " " in variable else f"-e {variable}"


_MACOS: Final[dict[Trouble, str]] = {
    "locked": "Run «security unlock-keychain», then try again.",
    "unready": "Run «security unlock-keychain», then try again.",
    "slow": "Look for a Keychain question on the screen, or run «security unlock-keychain».",
    "missing": "Open Keychain Access and see that the login keychain is there.",
    "failing": "Open Keychain Access and see that the login keychain is there.",
}


def _missing_on_linux(here: Surroundings, variable: str, instead: str) -> str:
    if here.ci:
        return f"In a workflow, give {variable} from a secret."
    if here.container:
        return f"A container has no keyring of its own: start it with {_given(variable)}."
    if here.wsl:
        return (
            "WSL has no keyring of its own: install gnome-keyring and start turnkey with "
            f"«dbus-run-session», after «gnome-keyring-daemon --unlock». {instead}"
        )
    if not here.bus:
        where = "Over SSH there" if here.ssh else "There"
        return (
            f"{where} is no session bus: start turnkey with «dbus-run-session», "
            f"after «gnome-keyring-daemon --unlock». {instead}"
        )
    services = "gnome-keyring, KWallet or KeePassXC with its Secret Service"
    return f"Install and start {services}. {instead}"


def _locked_on_linux(here: Surroundings) -> str:
    if here.desktop and not here.ssh:
        return "Unlock it in the desktop's keyring program, then try again."
    where = "The question would open on the other machine's desktop: " if here.ssh else ""
    return f"{where}{'r' if where else 'R'}un «gnome-keyring-daemon --unlock» first."
