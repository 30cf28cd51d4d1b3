"""``turnkey keys delete``, ``forget``, ``rebind`` and ``repair``: what keys are bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.commands.kept import kept, read_origin
from tui.commands.options import common, json_errors
from tui.completing import complete_provider
from tui.opening import open_here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.errors import Fault
    from core.workspace import Workspace


@click.command(short_help="Delete the stored key of provider NAME.")
@click.argument("name", shell_complete=complete_provider)
@click.option("--origin", metavar="ORIGIN", help="The one stored for this origin alone.")
@common
@json_errors
def delete(
    name: str,
    origin: str | None,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """Delete the stored key of provider NAME from the keyring.

    NAME may be one that no file names any more, or a variable as «turnkey keys list» shows it.
    Without --origin: the key for the provider's base URL; for any other NAME, whatever is stored
    under it. Exits 5 where there was none.
    """
    from tui.commands.output import print_json, say, show_fault

    workspace = open_here(config, variant, base, may_be_new=True)
    variable, chosen = _meant(workspace, name, wanted=origin is None)
    if origin is not None:
        chosen = [read_origin(origin)]
    deleted = [one for one in chosen if workspace.vault.delete(variable, one)]
    left = workspace.vault.stored_for(variable)
    if as_json:
        print_json(
            {
                "provider": name,
                "variable": variable,
                "origin": chosen[0] if len(chosen) == 1 else None,
                "origins": deleted,
                "deleted": bool(deleted),
            }
        )
    for one in deleted:
        say(f"deleted {variable} for {one}")
    if left:
        say(f"{variable} is still stored for {', '.join(left)}; --origin ORIGIN deletes that one")
    if deleted:
        return 0
    show_fault(_nothing(f"There was no key {variable} for {', '.join(chosen)}."))
    return 5


def _meant(workspace: Workspace, name: str, *, wanted: bool) -> tuple[str, list[str]]:
    """The variable that NAME stands for, and the origins that are meant.

    Raises UsageProblem for a name that nothing is stored under, where something is ``wanted``.
    """
    from core.keys.environment import own_variables

    known = next((one for one in workspace.providers if one.name == name), None)
    if known is not None:
        _, endpoint, variable = kept(known)
        return variable, [endpoint.origin]
    for variable in (name, own_variables(name)[0]):
        stored = list(workspace.vault.stored_for(variable))
        if stored:
            return variable, stored
    if wanted:
        workspace.provider(name)  # says that there is none, and which there are
    return own_variables(name)[0], []


def _nothing(what: str) -> Fault:
    from core.errors import Fault

    return Fault("key_missing", what, "", "turnkey keys list shows what is there.")


@click.command(short_help="Forget where the environment's key of NAME may go.")
@click.argument("name", shell_complete=complete_provider)
@click.option("--origin", metavar="ORIGIN", help="This origin alone.")
@common
@json_errors
def forget(
    name: str,
    origin: str | None,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """Forget where the environment's key of provider NAME went, or was allowed to go.

    NAME may be a variable as «turnkey keys list» shows it. From then on the key is as new: the
    first origin it is sent to counts, and a variable of another name needs consent again. Exits 5
    where nothing was recorded.
    """
    from core.errors import ConfigProblem
    from core.keys.environment import key_variables
    from tui.commands.output import print_json, say, show_fault

    workspace = open_here(config, variant, base, may_be_new=True)
    known = next((one for one in workspace.providers if one.name == name), None)
    named = key_variables(name, None if known is None else known.api_key_env)
    variables = (name,) if known is None and workspace.vault.sent_to(name) else named
    only = None if origin is None else read_origin(origin)
    forgotten: list[tuple[str, str]] = []
    for variable in variables:
        gone = [one for one in workspace.vault.sent_to(variable) if only in {None, one}]
        fault = workspace.vault.forget_environment(variable, gone)
        if fault is not None:
            raise ConfigProblem(fault)
        forgotten += [(variable, one) for one in gone]
    if as_json:
        rows = [{"variable": variable, "origin": one} for variable, one in forgotten]
        print_json({"provider": name, "forgotten": rows})
    for variable, one in forgotten:
        say(f"forgot that the environment's {variable} may go to {one}")
    if forgotten:
        return 0
    where = "" if only is None else f" for {only}"
    show_fault(_nothing(f"Nothing is recorded of {' or '.join(variables)}{where}."))
    return 5


@click.command(short_help="Let a key go to the origin that the file names now.")
@click.argument("name", shell_complete=complete_provider)
@click.option(
    "--from",
    "from_origin",
    metavar="ORIGIN",
    help="Which stored key is meant, where it is stored for several origins.",
)
@click.option(
    "--variable",
    "header_variable",
    metavar="VAR",
    help="That variable is meant, which a header of the provider reads.",
)
@common
@json_errors
def rebind(
    name: str,
    from_origin: str | None,
    header_variable: str | None,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Let the key of provider NAME go to the origin that the file names now.

    Do it after you changed the base URL yourself, and trust what is there: from then on the key
    is sent to it. A key that another provider of the file uses as well stays for that one, too.
    """
    from core.key_board import rebind as rebind_provider
    from tui.commands.output import print_json, say

    workspace = open_here(config, variant, base)
    provider, endpoint, variable = kept(workspace.provider(name))
    variable = header_variable or variable
    chosen = None if from_origin is None else read_origin(from_origin)
    _check_stored(variable, chosen, workspace.vault.stored_for(variable))
    done = rebind_provider(workspace, provider, from_origin=chosen, variable=header_variable)
    if as_json:
        print_json(
            {"provider": name, "variable": variable, "origin": endpoint.origin, "done": done}
        )
    else:
        meant = header_variable or f"The key of {name}"
        say("\n".join(done) or f"{meant} may go to {endpoint.origin} already.")


def _check_stored(variable: str, origin: str | None, stored: Sequence[str]) -> None:
    from core.errors import Fault, UsageProblem
    from core.keys.environment import shown_variable

    if origin is None or origin in stored:
        return
    raise UsageProblem(
        Fault(
            "usage",
            f"No key {shown_variable(variable)} is stored for that origin.",
            f"It is stored for: {', '.join(stored)}." if stored else "None is stored.",
            "turnkey keys list shows what is stored.",
        )
    )


@click.command(short_help="Set a damaged list of keys aside, and start a new one.")
@common
@json_errors
def repair(config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Set a damaged list of keys aside, and start a new one.

    The keyring is not touched: its keys are found again as they are used. What the list knew of
    the environment's keys is lost: the first origin that each is sent to counts anew.
    """
    from tui.commands.output import print_json, say

    workspace = open_here(config, variant, base, may_be_new=True)
    index = workspace.vault.index
    aside = index.set_aside()
    if as_json:
        print_json({"list": str(index.path), "set_aside": None if aside is None else str(aside)})
    elif aside is None:
        say(f"Nothing is wrong with the list of keys: {index.path}")
    else:
        say(f"The damaged list is {aside} now; the new one is empty.")
