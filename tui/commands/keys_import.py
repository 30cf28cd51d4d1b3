"""``turnkey keys import``: the environment's keys, or a .env file's, into the keyring."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from tui.commands.kept import kept, keyring_name
from tui.commands.options import common, json_errors
from tui.completing import complete_provider
from tui.opening import open_here

_LONGEST_FILE: Final = 1024 * 1024
"""Bytes of a .env file."""


@click.command("import")
@click.option(
    "--provider",
    "only",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_provider,
    help="Only these providers.",
)
@click.option(
    "--dotenv", metavar="FILE", help="Take them from this .env file, which is read and no more."
)
@common
@json_errors
def import_keys(
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
    from core.keys.place import KEY_VARIABLE
    from core.keys.source import find_key
    from tui.commands.output import print_json, say, show_fault

    workspace = open_here(config, variant, base)
    chosen = [workspace.provider(name) for name in only] or list(workspace.providers)
    values = workspace.env if dotenv is None else _read_dotenv(dotenv)
    place = keyring_name(workspace, KEY_VARIABLE)
    imported: list[dict[str, str]] = []
    faults: list[Fault] = []
    for provider in chosen:
        try:
            _, endpoint, variable = kept(provider)
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
