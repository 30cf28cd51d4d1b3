"""The file that is meant, and the workspace on it. No click here: the screens start by it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.errors import Fault
    from core.warden.lanes import Variant
    from core.workspace import Workspace


def config_path(config: str | None) -> Path:
    """``--config``, else the nearest ``warden.toml``, else the one that would be made here."""
    from core.warden.document import find_config

    if config is not None:
        return Path(config)
    try:
        here = Path.cwd()
    except OSError:
        from core.errors import ConfigProblem, Fault

        what = "The folder that this shell is in is not there any more."
        fix = "Change into another folder, or name a file with --config."
        raise ConfigProblem(Fault("config_unreadable", what, "It was deleted.", fix)) from None
    return find_config(here) or here / "warden.toml"


def open_here(
    config: str | None, variant: str, base: str | None = None, *, may_be_new: bool = False
) -> Workspace:
    """The workspace of a headless command: this environment, this machine's keyring.

    Raises ConfigProblem when the file cannot be read, or is not there and ``may_be_new`` is
    false. With a base layer it need not be there: Warden's action takes that alone then.
    """
    from core.errors import ConfigProblem, Fault
    from core.keys.bounded import Patience
    from core.keys.vault import open_vault
    from core.paths import state_folder
    from core.text import one_line
    from core.workspace import open_workspace

    chosen: Variant = "stock" if variant == "stock" else "providers"
    state = state_folder()
    path = config_path(config)
    workspace = open_workspace(
        path,
        env=os.environ,
        vault=open_vault(state, env=os.environ),
        variant=chosen,
        state_folder=state,
        base=None if base is None else Path(base),
    )
    # One command is one action: its keyring calls share a bound. A keyring that asks to be
    # unlocked, where somebody can see the question, is waited for; Ctrl-C ends that.
    here = workspace.vault.here
    seen = here.desktop or here.platform != "linux"
    patience = Patience(on_wait=_say_wait if seen else None)
    workspace.vault.patience = lambda: patience
    workspace.vault.index.on_unkept = _say_unkept
    if workspace.document.exists or may_be_new or workspace.base_only:
        return workspace
    if config is None:
        what = "There is no warden.toml here."
        why = f"Looked in {one_line(str(path.parent))} and up to the repository's root."
    else:
        what, why = f"There is no file {one_line(config)}.", "It is what --config names."
    fix = "turnkey provider add NAME --url URL makes one; --config FILE names another."
    raise ConfigProblem(Fault("config_unreadable", what, why, fix))


def _say_unkept(fault: Fault) -> None:
    from tui.commands.output import warn

    warn(f"Where the environment's keys go is not recorded. {fault.what} {fault.why} {fault.fix}")


def _say_wait(words: str) -> None:
    from core.keys.bounded import PROMPT_S
    from tui.commands.output import say

    say(f"{words} Waiting for at most {PROMPT_S:g} s; Ctrl-C ends it.")
