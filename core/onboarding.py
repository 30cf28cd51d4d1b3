"""The way from nothing to a verified, saved file, as steps: which are done, and which comes next.

Nothing is remembered but what was skipped: each step is judged by the workspace as it stands, so
going back loses nothing, and whoever comes back another day goes on where the file is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.errors import TurnkeyError

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.verify.receipt import Standing
    from core.workspace import Workspace

Name = Literal["provider", "key", "models", "lanes", "test", "verify", "save"]
NAMES: Final[tuple[Name, ...]] = ("provider", "key", "models", "lanes", "test", "verify", "save")
SKIPPED: Final[frozenset[Name]] = frozenset({"test", "verify"})
"""Steps that one may leave out: saving is free."""

WORDS: Final[dict[Name, str]] = {
    "provider": "add your server",
    "key": "give its key",
    "models": "pick its models",
    "lanes": "a model for each lane",
    "test": "watch it answer",
    "verify": "have it verified",
    "save": "save warden.toml",
}

HOW: Final[dict[Name, str]] = {
    "provider": "ctrl+o connects",
    "key": "n sets it",
    "models": "space picks one, c takes what is picked",
    "lanes": "enter takes the model at the cursor",
    "test": "enter sends the prompt",
    "verify": "v starts",
    "save": "enter writes it",
}
"""The key of its own screen that does a step."""


class Step(msgspec.Struct, frozen=True):
    """One step of the way."""

    name: Name
    state: Literal["done", "next", "skipped", "open"]
    subject: str = ""
    """What it is about: a provider's name, a lane's selector; empty where there is none yet."""


def steps(
    workspace: Workspace, standing: Standing, skipped: Collection[Name] = ()
) -> tuple[Step, ...]:
    """All steps in order. One of them is next, unless nothing is left to do."""
    judged = [(name, *_judge(name, workspace, standing)) for name in NAMES]
    found: list[Step] = []
    for name, done, subject in judged:
        if done:
            state: Literal["done", "next", "skipped", "open"] = "done"
        elif name in skipped and name in SKIPPED:
            state = "skipped"
        else:
            state = "open" if any(step.state == "next" for step in found) else "next"
        found.append(Step(name, state, subject))
    return tuple(found)


def next_step(found: Collection[Step]) -> Step | None:
    """The step that comes next; None when all is done or skipped."""
    return next((step for step in found if step.state == "next"), None)


def _judge(name: Name, workspace: Workspace, standing: Standing) -> tuple[bool, str]:
    """Whether a step is done, and what it is about."""
    providers = workspace.config.providers
    if name == "provider":
        return bool(providers), ""
    if name == "key":
        without = next((one.name for one in providers if not _keyed(workspace, one.name)), "")
        return bool(providers) and not without, without
    if name == "models":
        bare = next((one.name for one in providers if not one.models), "")
        return bool(providers) and not bare, bare
    if name == "save":
        # A file without a provider is where the way begins, saved or not.
        return bool(providers) and workspace.document.exists and not workspace.unsaved, ""
    report = workspace.lanes()
    selectors = [report.lanes[lane].selector for lane in ("agent", "auxiliary", "synthesis")]
    if name == "lanes":
        known = {one.name for one in workspace.providers}
        own = all(selector and selector.partition("/")[0] in known for selector in selectors)
        return own and not report.escapes, ""
    chosen = [selector for selector in dict.fromkeys(selectors) if selector]
    if name == "test":
        tried = workspace.tried
        open_ones = [one for one in chosen if one not in tried or tried[one].works is not True]
        return bool(chosen) and not open_ones, open_ones[0] if open_ones else ""
    return standing.verified, ""


def _keyed(workspace: Workspace, name: str) -> bool:
    """Whether a key, or the placeholder of a keyless server, is at hand. Opens no keyring."""
    try:
        return workspace.key_source(workspace.provider(name)).source != "none"
    except TurnkeyError:
        return False
