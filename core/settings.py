"""A person's own settings: a small TOML file in the platform's configuration folder.

None of them weakens a rule: nothing here can send a key, a request or a line of code anywhere.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from core.errors import ConfigProblem, Fault
from core.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

Look = Literal["dark", "light", "contrast", "ansi-dark", "ansi-light"]
LOOKS: Final[tuple[Look, ...]] = get_args(Look)

_MOST_BYTES: Final = 64 * 1024


class Settings(msgspec.Struct, frozen=True):
    """What may be set, with what holds where nothing is."""

    theme: Look = "dark"
    """The colours of the screens; the ``ansi`` ones are the terminal's own sixteen."""
    mouse: bool = True
    """False leaves the mouse to the terminal, for selecting text; as ``--no-mouse``."""


MEANING: Final = {
    "theme": f"the colours of the screens: {', '.join(LOOKS)}",
    "mouse": "false leaves the mouse to the terminal, as --no-mouse does",
}
"""Setting -> what it does, for help and README."""


def read_settings(path: Path) -> tuple[Settings, tuple[Fault, ...]]:
    """The settings of a file, and what is wrong with it. A missing file is no fault.

    A setting that is unknown or of a wrong kind is told and left at its default; nothing of it
    stops turnkey.
    """
    try:
        if not path.is_file():
            return Settings(), ()
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError as error:
        return Settings(), (_unreadable(path, str(error.strerror)),)
    import tomllib

    try:
        found = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        return Settings(), (_unreadable(path, str(error)),)
    faults = []
    kept: dict[str, object] = {}
    for name, value in found.items():
        if name not in MEANING:
            known = ", ".join(MEANING)
            faults.append(_fault(path, f"There is no setting «{one_line(name, 40)}».", known))
            continue
        try:
            msgspec.convert({name: value}, Settings)
        except msgspec.ValidationError:
            faults.append(_fault(path, f"The setting {name} cannot be that.", MEANING[name]))
            continue
        kept[name] = value
    return msgspec.convert(kept, Settings), tuple(faults)


def write_setting(path: Path, name: str, value: str | bool) -> None:
    """Set one value in the file, which is made where it is missing; comments stay.

    Raises ConfigProblem when the file cannot be read or written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        document[name] = value
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            new.write_text(tomlkit.dumps(document), encoding="utf-8")
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no TOML"
        raise ConfigProblem(
            Fault(
                "config_unwritable",
                "The setting could not be kept.",
                f"{one_line(str(path), 160)}: {said}.",
                "It holds for this run. Mend the file, or remove it.",
            )
        ) from error


def _unreadable(path: Path, why: str) -> Fault:
    return Fault(
        "config_unreadable",
        "The settings cannot be read.",
        f"{one_line(str(path), 160)}: {one_line(why, 120)}.",
        "Mend the file, or remove it; the defaults hold.",
    )


def _fault(path: Path, what: str, fix: str) -> Fault:
    return Fault("config_unreadable", what, one_line(str(path), 160), fix[0].upper() + fix[1:])
