"""``turnkey keys``: store a key in the OS keyring, and see where each one comes from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from tui.commands.options import InOrder, common, json_errors, open_here

if TYPE_CHECKING:
    from core.errors import Fault
    from core.keys.source import KeySource
    from core.providers.base_url import BaseUrl
    from core.warden.config import Provider
    from core.workspace import Workspace

_LONGEST: Final = 65_536
"""Characters that are read from stdin at the most; no key is as long."""
_LONGEST_FILE: Final = 1024 * 1024
"""Bytes of a .env file."""


@click.group(cls=InOrder)
def keys() -> None:
    """Keys live in the OS keyring, each bound to one origin.

    An origin is scheme, host and port of a provider's base URL: a key goes nowhere else until you
    say so. No option takes a key's value.
    """


class _Kept(NamedTuple):
    """A provider's key: whose it is, the variable it is filed under, and where it may go."""

    provider: Provider
    base: BaseUrl
    variable: str


def _kept(provider: Provider) -> _Kept:
    from core.errors import UsageProblem
    from core.keys.environment import stored_variable
    from core.keys.source import variable_fault
    from core.providers.base_url import read_base_url

    if provider.api_key_env:
        fault = variable_fault(provider.api_key_env, provider.name)
        if fault is not None:
            raise UsageProblem(fault)
    base = read_base_url(provider.base_url, exact=True)
    return _Kept(provider, base, stored_variable(provider.name, provider.api_key_env))


def _keyring_name(workspace: Workspace) -> str:
    """What the keyring here is called. Raises KeyProblem where there is none that works."""
    from core.errors import Fault, KeyProblem

    place = workspace.vault.prepare()
    if place.kind != "keyring":
        raise KeyProblem(
            place.fault or Fault("keyring", "No keyring can hold the key here.", place.words)
        )
    return place.name


@keys.command("set", short_help="Store the key of provider NAME, from a prompt or stdin.")
@click.argument("name")
@common
@json_errors
def set_(name: str, config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Store the key of provider NAME, read from a prompt, or from stdin when it is piped.

    \b
      turnkey keys set litellm
      pass show litellm | turnkey keys set litellm
    """
    from core.errors import Fault, KeyProblem
    from core.keys.clean import clean_key
    from core.keys.secret import Secret
    from core.providers.presets import dummy_keys
    from tui.commands.output import print_json, say, warn_of

    workspace = open_here(config, variant, base)
    provider, endpoint, variable = _kept(workspace.provider(name))
    _keyring_name(workspace)  # before anybody is asked for a key
    cleaned = clean_key(_read_key(f"Key for {name} ({endpoint.origin})"))
    for note in cleaned.notes:
        say(note)
    if any(cleaned.secret == Secret(dummy) for dummy in dummy_keys()):
        say("Other tools put that where no key is checked; a real key looks otherwise.")
    stored = workspace.vault.store(variable, endpoint.origin, cleaned.secret)
    if stored.kind != "keyring":
        raise KeyProblem(
            stored.fault or Fault("keyring", "The keyring did not take the key.", stored.words)
        )
    if stored.fault is not None:
        warn_of(stored.fault)
    source, _ = workspace.key_for(provider, send=False)
    if source.source == "environment":
        say(f"{source.variable} is set in this environment, and wins over the keyring.")
    if as_json:
        print_json(
            {
                "provider": name,
                "variable": variable,
                "origin": endpoint.origin,
                "place": stored.name,
            }
        )
    else:
        say(f"stored in {stored.name} as {variable}, for {endpoint.origin} alone")


def _read_key(question: str) -> str:
    """What is typed at the prompt (never echoed), or what is piped in."""
    from core.errors import Fault, KeyProblem

    # A standard input that was closed before the start is None.
    stdin: object = sys.stdin
    if stdin is None:
        return ""
    if sys.stdin.isatty():
        return str(click.prompt(question, hide_input=True, err=True))
    try:
        return sys.stdin.read(_LONGEST)
    except UnicodeDecodeError:
        raise KeyProblem(
            Fault("key_refused", "What was piped in is not text.", "", "Pipe the key alone.")
        ) from None


@keys.command(short_help="Show where each provider's key comes from now.")
@common
@json_errors
def source(config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Show which source each provider's key comes from now. Never a value.

    The environment wins, as Warden resolves it, then the keyring. The last column says whether
    Warden's own check would pass in this environment as it stands.
    """
    from tui.commands.output import print_json, print_table, warn

    workspace = open_here(config, variant, base)
    found = [_source(workspace, provider) for provider in workspace.providers]
    if as_json:
        print_json({"keys": found})
    elif found:
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
            warn(f"{entry.provider}: {entry.fault.what} {entry.fault.fix}")
        if entry.owned_by_pi:
            warn(f"{entry.provider}: Pi's auth.json has a key of its own, and Pi sends that one.")


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


@keys.command("list", short_help="List the keys that turnkey knows of, and their origins.")
@common
@json_errors
def list_(config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """List every key that turnkey knows of, and the origin it is bound to. Never a value.

    Those stored in the keyring, and those of the environment that went to an origin or were
    agreed to; also of providers that no file here names. No keyring is asked.
    """
    from core.keys.environment import own_variables
    from tui.commands.output import print_json, print_table, say, warn_of

    workspace = open_here(config, variant, base, may_be_new=True)
    owners: dict[str, str] = {}
    for provider in workspace.providers:
        own = (provider.api_key_env,) if provider.api_key_env else own_variables(provider.name)
        for variable in own:
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
    else:
        say("No key is stored, and none was sent yet. turnkey keys set NAME stores one.")


@keys.command()
@click.argument("name")
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
) -> None:
    """Delete the stored key of provider NAME from the keyring.

    NAME may be one that no file names any more. Without --origin: the key for the provider's
    base URL; for a name that is gone, whatever is stored for it.
    """
    from core.keys.environment import own_variables
    from tui.commands.output import print_json, say

    workspace = open_here(config, variant, base, may_be_new=True)
    known = next((one for one in workspace.providers if one.name == name), None)
    if known is not None:
        _, endpoint, variable = _kept(known)
        chosen = [endpoint.origin]
    else:
        variable = own_variables(name)[0]
        chosen = list(workspace.vault.stored_for(variable))
        if not chosen and origin is None:
            workspace.provider(name)  # says that there is none, and which there are
    if origin is not None:
        chosen = [origin.rstrip("/")]
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
    if not deleted:
        say(f"there was no {variable} for {', '.join(chosen)}")
    if left:
        say(f"{variable} is still stored for {', '.join(left)}; --origin ORIGIN deletes that one")


@keys.command(short_help="Let a key go to the origin that the file names now.")
@click.argument("name")
@click.option(
    "--from",
    "from_origin",
    metavar="ORIGIN",
    help="Which stored key is meant, where it is stored for several origins.",
)
@common
@json_errors
def rebind(
    name: str,
    from_origin: str | None,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Let the key of provider NAME go to the origin that the file names now.

    Do it after you changed the base URL yourself, and trust what is there: from then on the key
    is sent to it.
    """
    from core.errors import Fault, UsageProblem
    from core.keys.source import rebind_key
    from tui.commands.output import print_json, say

    workspace = open_here(config, variant, base)
    provider, endpoint, variable = _kept(workspace.provider(name))
    stored = workspace.vault.stored_for(variable)
    if from_origin is not None and from_origin.rstrip("/") not in stored:
        raise UsageProblem(
            Fault(
                "usage",
                f"No key {variable} is stored for that origin.",
                f"It is stored for: {', '.join(stored)}." if stored else "None is stored.",
                "turnkey keys list shows what is stored.",
            )
        )
    done = rebind_key(
        provider.name,
        provider.api_key_env,
        endpoint,
        workspace.env,
        workspace.vault,
        from_origin=None if from_origin is None else from_origin.rstrip("/"),
        keep=_origins_of_others(workspace, provider, variable),
    )
    if as_json:
        print_json(
            {"provider": name, "variable": variable, "origin": endpoint.origin, "done": done}
        )
    else:
        say("\n".join(done) or f"The key of {name} may go to {endpoint.origin} already.")


def _origins_of_others(workspace: Workspace, own: Provider, variable: str) -> tuple[str, ...]:
    """The origins that other providers of the file use with the same variable."""
    from core.errors import UsageProblem

    found: list[str] = []
    for provider in workspace.providers:
        if provider.name == own.name:
            continue
        try:
            other = _kept(provider)
        except UsageProblem:
            continue
        if other.variable == variable:
            found.append(other.base.origin)
    return tuple(found)


@keys.command("import")
@click.option("--provider", "only", multiple=True, metavar="NAME", help="Only these providers.")
@click.option(
    "--dotenv", metavar="FILE", help="Take them from this .env file, which is read and no more."
)
@common
@json_errors
def import_(
    only: tuple[str, ...],
    dotenv: str | None,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """Store the keys that stand in this environment, or in a .env file, in the keyring.

    For each provider of the file: the variable that Warden would read, bound to the provider's
    origin. The environment, or the file, stays as it is; turnkey reads no .env file unasked.
    """
    from core.errors import Fault, KeyProblem, UsageProblem
    from core.keys.environment import key_variables
    from core.keys.source import find_key
    from tui.commands.output import print_json, say, show_fault

    workspace = open_here(config, variant, base)
    chosen = [workspace.provider(name) for name in only] or list(workspace.providers)
    values = workspace.env if dotenv is None else _read_dotenv(dotenv)
    place = _keyring_name(workspace)
    imported: list[dict[str, str]] = []
    faults: list[Fault] = []
    for provider in chosen:
        try:
            _, endpoint, variable = _kept(provider)
        except UsageProblem as problem:
            faults.append(problem.fault)
            continue
        found, secret = find_key(
            provider.name,
            provider.api_key_env,
            endpoint,
            values,
            workspace.vault,
            variant=workspace.variant,
            look=False,
        )
        if found.source != "environment":
            names = key_variables(provider.name, provider.api_key_env, workspace.variant)
            say(f"{provider.name}: no key stands in {' or '.join(names)}")
            continue
        if secret is None:
            if found.fault is not None:
                faults.append(found.fault)
            continue
        stored = workspace.vault.store(variable, endpoint.origin, secret)
        if stored.kind != "keyring":
            raise KeyProblem(
                stored.fault or Fault("keyring", "The keyring did not take the key.", stored.words)
            )
        say(f"{provider.name}: {found.variable} is stored in {place}, for {endpoint.origin} alone")
        imported.append(
            {
                "provider": provider.name,
                "variable": variable,
                "origin": endpoint.origin,
                "from": found.variable,
            }
        )
    if as_json:
        print_json({"imported": imported, "errors": faults})
    for fault in faults:
        show_fault(fault)
    return 5 if faults else 0


def _read_dotenv(name: str) -> dict[str, str]:
    from core.errors import ConfigProblem, Fault
    from core.keys.dotenv import read_dotenv
    from core.text import one_line

    try:
        with Path(name).open("rb") as file:
            raw = file.read(_LONGEST_FILE + 1)
        if len(raw) > _LONGEST_FILE:
            raise ValueError("it is larger than 1 MiB")
        return read_dotenv(raw.decode())
    except (OSError, ValueError) as error:
        # A decoding error quotes the bytes, which may be a key's.
        said = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        why = getattr(error, "strerror", None) or said
        raise ConfigProblem(
            Fault("config_unreadable", f"{one_line(name, 200)} cannot be read.", str(why))
        ) from None
