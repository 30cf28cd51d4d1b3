"""``turnkey keys source`` and ``list``: where keys are and may go. Never a value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.options import common, json_errors
from tui.opening import open_here

if TYPE_CHECKING:
    from core.keys.source import KeySource
    from core.warden.config import Provider
    from core.workspace import Workspace


@click.command(short_help="Show where each provider's key comes from now.")
@common
@json_errors
def source(config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Show which source each provider's key comes from now. Never a value.

    The environment wins, as Warden resolves it, then the keyring. The last column says whether
    Warden's own check would pass in this environment as it stands; for the runtime claude it looks
    at no provider, and so passes.
    """
    import msgspec

    from core.key_board import runtimes
    from tui.commands.output import print_json, print_table, warn

    workspace = open_here(config, variant, base)
    found = [_source(workspace, provider) for provider in workspace.providers]
    if as_json:
        # Nothing is checked for that runtime, so nothing can fail there.
        claude = _for_claude(workspace)
        told = [msgspec.structs.replace(one, preflight=True) if claude else one for one in found]
        print_json({"keys": told, "runtimes": sorted(runtimes(workspace))})
    elif found:
        rows = [
            (
                entry.provider,
                entry.variable,
                entry.origin,
                entry.source,
                _preflight(workspace, entry),
            )
            for entry in found
        ]
        print_table(("provider", "variable", "origin", "source", "Warden's preflight"), rows)
    for entry in found:
        if entry.fault is not None:
            warn(f"{entry.provider}: {entry.fault.what} {entry.fault.fix}")
        if entry.unasked is not None:
            warn(f"{entry.provider}: {entry.unasked.what} {entry.unasked.why} {entry.unasked.fix}")
        if entry.owned_by_pi:
            warn(f"{entry.provider}: Pi's auth.json has a key of its own, and Pi sends that one.")


def _preflight(workspace: Workspace, entry: KeySource) -> str:
    if _for_claude(workspace):
        return "none (runtime claude)"
    return "passes" if entry.preflight else "fails"


def _for_claude(workspace: Workspace) -> bool:
    """Whether Warden runs on claude alone: then its preflight looks at no provider."""
    from core.key_board import runtimes

    return runtimes(workspace) == {"claude"}


def _source(workspace: Workspace, provider: Provider) -> KeySource:
    from core.errors import UsageProblem
    from core.keys.environment import pi_folder, stored_in_pi, stored_variable
    from core.keys.source import KeySource, find_key
    from core.providers.base_url import read_base_url

    try:
        base = read_base_url(provider.base_url, exact=True)
    except UsageProblem as problem:
        variable = stored_variable(provider.name, provider.api_key_env)
        return KeySource(provider.name, variable, "", "none", fault=problem.fault)
    return find_key(
        provider.name,
        provider.api_key_env,
        base,
        workspace.env,
        workspace.vault,
        variant=workspace.variant,
        pi_stored=stored_in_pi(pi_folder(workspace.env, Path.home()) / "auth.json"),
    )[0]


@click.command("list", short_help="List the keys that turnkey knows of, and their origins.")
@common
@json_errors
def list_keys(config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """List every key that turnkey knows of, and the origin it is bound to. Never a value.

    Those stored in the keyring, and those of the environment that went to an origin or were
    agreed to; also of providers that no file here names. No keyring is asked.
    """
    from core.key_board import of_headers
    from core.keys.environment import own_variables
    from tui.commands.output import print_json, print_table, say, warn_of

    workspace = open_here(config, variant, base, may_be_new=True)
    owners: dict[str, str] = {}
    for provider in workspace.providers:
        own = (provider.api_key_env,) if provider.api_key_env else own_variables(provider.name)
        for variable in own:
            owners.setdefault(variable, provider.name)
    for provider in workspace.providers:
        for variable in of_headers(provider, workspace.env):
            owners.setdefault(variable, provider.name)
    entries = workspace.vault.index.entries
    if workspace.vault.index.fault is not None:
        warn_of(workspace.vault.index.fault)
    if as_json:
        print_json(
            {
                "keys": [
                    {
                        "provider": owners.get(entry.variable),
                        "variable": entry.variable,
                        "origin": entry.origin,
                        "source": entry.source,
                        "stored_at": entry.stored_at,
                    }
                    for entry in entries
                ]
            }
        )
    elif entries:
        rows = [
            (
                owners.get(entry.variable, "-"),
                entry.variable,
                entry.origin,
                entry.source,
                entry.stored_at,
            )
            for entry in entries
        ]
        print_table(("provider", "variable", "origin", "source", "since"), rows)
        if any(entry.variable not in owners for entry in entries):
            say("«-»: of no provider in this file. turnkey keys delete VARIABLE deletes such a")
            say("key, turnkey keys forget VARIABLE what is recorded of the environment's.")
    elif workspace.vault.index.fault is None:
        say("No key is stored, and none was sent yet. turnkey keys set NAME stores one.")
