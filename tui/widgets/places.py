"""The places a screen can ask for, and how it asks: it posts :class:`Open`.

The app, which alone knows the screens, opens them. So no screen imports another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from textual.message import Message

if TYPE_CHECKING:
    from core.discover.offers import Offer
    from core.doctor.patient import Patient
    from core.draft import Draft
    from core.mend import Mend
    from core.onboarding import Step
    from core.target import Target
    from core.warden.config import Config
    from core.warden.lanes import Lane


@dataclass(frozen=True, slots=True)
class ToHome:
    """Home, closing what lies above it."""


@dataclass(frozen=True, slots=True)
class ToAddProvider:
    """The form for a new provider, filled with a server that was found."""

    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class ToModels:
    """The models of a draft, or of a provider of the file (``name``)."""

    draft: Draft | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ToLanes:
    """The lanes, with the cursor on one of them."""

    lane: Lane = "agent"


@dataclass(frozen=True, slots=True)
class ToLive:
    """The live test: on a selector of the file, or on a target that is not in it yet."""

    selector: str | None = None
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class ToKeys:
    """Where each provider's key is, and where it may go."""


@dataclass(frozen=True, slots=True)
class ToDoctor:
    """The doctor: on a selector of the file, on a provider of it, or on what was typed."""

    selector: str | None = None
    provider: str | None = None
    patient: Patient | None = None


@dataclass(frozen=True, slots=True)
class ToCheck:
    """Everything that is wrong with the file, with what mends it."""

    about: str = ""
    """The problem, in its own words, that the cursor goes to."""


@dataclass(frozen=True, slots=True)
class ToProvider:
    """One provider of the file: its name, address and key variable."""

    name: str


@dataclass(frozen=True, slots=True)
class ToSave:
    """The diff, and the question whether to write it."""


@dataclass(frozen=True, slots=True)
class ToVerify:
    """The lanes tried as Warden will use them."""


@dataclass(frozen=True, slots=True)
class ToExport:
    """The setup for its other readers, with the texts that they would get."""


@dataclass(frozen=True, slots=True)
class ToDemo:
    """Leave the file as it is and open the demo provider."""


@dataclass(frozen=True, slots=True)
class ToHelp:
    """What the keys of the screen in front do, and the concepts behind it."""


Place: TypeAlias = (
    ToHome
    | ToHelp
    | ToAddProvider
    | ToModels
    | ToLanes
    | ToLive
    | ToKeys
    | ToDoctor
    | ToSave
    | ToDemo
    | ToCheck
    | ToProvider
    | ToExport
    | ToVerify
)


SCREENS = {
    "provider": "AddProviderScreen",
    "key": "KeysScreen",
    "models": "ModelsScreen",
    "lanes": "LanesScreen",
    "test": "LiveScreen",
    "verify": "VerifyScreen",
    "save": "SaveScreen",
}
"""Step of the way -> the screen on which it is done."""


def place_of(step: Step) -> Place:
    """Where a step is done."""
    match step.name:
        case "provider":
            return ToAddProvider()
        case "key":
            return ToKeys()
        case "models":
            return ToModels(name=step.subject or None)
        case "lanes":
            return ToLanes()
        case "test":
            return ToLive(step.subject or None)
        case "verify":
            return ToVerify()
        case "save":
            return ToSave()


def place_of_mend(mend: Mend, config: Config) -> Place:
    """Where a thing is mended."""
    if mend.spot == "lane":
        lanes: tuple[Lane, ...] = ("agent", "auxiliary", "synthesis")
        return ToLanes(next((lane for lane in lanes if lane == mend.name), "agent"))
    if mend.spot == "key":
        return ToKeys()
    if mend.spot == "provider" and config.provider(mend.name):
        return ToProvider(mend.name)
    if mend.spot == "models" and config.provider(mend.name):
        return ToModels(name=mend.name)
    return ToCheck(mend.text)


class Open(Message):
    """Asks the app to open a place; with ``replace`` nothing but home is left under it."""

    bubble = True

    def __init__(self, place: Place, *, replace: bool = False) -> None:
        super().__init__()
        self.place = place
        self.replace = replace
