"""``turnkey keys``: store a key in the OS keyring, and see where each one comes from."""

from __future__ import annotations

import sys

import click

from tui.commands.options import common, open_here


@click.group()
def keys() -> None:
    """Keys live in the OS keyring, bound to one origin. No option takes a key's value."""


@keys.command("set")
@click.argument("name")
@common
def set_(name: str, config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Store the key of provider NAME, read from a prompt, or from stdin when it is piped."""
    from core.errors import Fault, KeyProblem
    from core.keys.clean import clean_key
    from core.keys.environment import stored_variable
    from core.providers.base_url import read_base_url
    from tui.commands.output import print_json, say

    workspace = open_here(config, variant, base)
    provider = workspace.provider(name)
    origin = read_base_url(provider.base_url, exact=True).origin
    variable = stored_variable(provider.name, provider.api_key_env)
    place = workspace.vault.prepare()
    if place.kind != "keyring":
        raise KeyProblem(
            place.fault or Fault("keyring", "No keyring can hold the key here.", place.words)
        )
    if sys.stdin.isatty():
        typed = click.prompt(f"Key for {name} ({origin})", hide_input=True, err=True)
    else:
        typed = sys.stdin.readline()
    cleaned = clean_key(str(typed))
    for note in cleaned.notes:
        say(note)
    stored = workspace.vault.store(variable, origin, cleaned.secret)
    if as_json:
        print_json({"provider": name, "variable": variable, "origin": origin, "place": stored.name})
    else:
        say(f"stored in {stored.name} as {variable}, for {origin} alone")


@keys.command()
@common
def source(config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Show which source each provider's key comes from now. Never a value."""
    from core.keys.source import ProviderKey, key_sources
    from core.providers.base_url import read_base_url
    from tui.commands.output import print_json, print_table, say

    workspace = open_here(config, variant, base)
    found = key_sources(
        [
            ProviderKey(provider.name, provider.api_key_env, read_base_url(provider.base_url, exact=True))
            for provider in workspace.config.providers
        ],
        workspace.env,
        workspace.vault,
        variant=workspace.variant,
    )
    if as_json:
        print_json({"keys": found})
        return
    rows = [
        (
            entry.provider,
            entry.variable,
            entry.origin,
            entry.source,
            "passes" if entry.preflight else "fails",
        )
        for entry in found
    ]
    print_table(("provider", "variable", "origin", "source", "Warden's preflight"), rows)
    for entry in found:
        if entry.fault is not None:
            say(f"{entry.provider}: {entry.fault.what} {entry.fault.fix}")


@keys.command()
@click.argument("name")
@common
def delete(name: str, config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Delete the stored key of provider NAME from the keyring."""
    from core.keys.environment import stored_variable
    from core.providers.base_url import read_base_url
    from tui.commands.output import print_json, say

    workspace = open_here(config, variant, base)
    provider = workspace.provider(name)
    origin = read_base_url(provider.base_url, exact=True).origin
    variable = stored_variable(provider.name, provider.api_key_env)
    deleted = workspace.vault.delete(variable, origin)
    if as_json:
        print_json({"provider": name, "variable": variable, "origin": origin, "deleted": deleted})
    elif deleted:
        say(f"deleted {variable} for {origin}")
    else:
        say(f"there was no {variable} for {origin}")


@keys.command()
@click.argument("name")
@common
def rebind(name: str, config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Let the key of provider NAME go to the origin that the file names now."""
    from core.keys.source import rebind_key
    from core.providers.base_url import read_base_url
    from tui.commands.output import print_json, say

    workspace = open_here(config, variant, base)
    provider = workspace.provider(name)
    endpoint = read_base_url(provider.base_url, exact=True)
    done = rebind_key(provider.name, provider.api_key_env, endpoint, workspace.env, workspace.vault)
    if as_json:
        print_json({"provider": name, "origin": endpoint.origin, "done": done})
    else:
        say("\n".join(done) or f"The key of {name} may go to {endpoint.origin} already.")
