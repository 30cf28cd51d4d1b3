"""``turnkey keys set``: a key typed, pasted or piped in, into the OS keyring."""

from __future__ import annotations

import sys
from typing import Final

import click

from tui.commands.kept import kept, keyring_name
from tui.commands.options import common, json_errors
from tui.completing import complete_provider
from tui.opening import open_here

_LONGEST: Final = 65_536
"""Characters that are read from stdin at the most; no key is as long."""


@click.command("set", short_help="Store the key of provider NAME, from a prompt or stdin.")
@click.argument("name", shell_complete=complete_provider)
@common
@json_errors
def set_key(name: str, config: str | None, base: str | None, variant: str, as_json: bool) -> None:
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
    provider, endpoint, variable = kept(workspace.provider(name))
    keyring_name(workspace, variable)  # before anybody is asked for a key
    cleaned = clean_key(_read_key(f"Key for {name} ({endpoint.origin})"))
    for note in cleaned.notes:
        say(note)
    if any(cleaned.secret == Secret(dummy) for dummy in dummy_keys()):
        say("Other tools put that where no key is checked; a real key looks otherwise.")
    # Typing took its time: storing is an action of its own.
    again = workspace.vault.patience().again()
    stored = workspace.vault.store(variable, endpoint.origin, cleaned.secret, again)
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
    try:
        if sys.stdin.isatty():
            from tui.hidden import ask_hidden

            return ask_hidden(question)
        return sys.stdin.read(_LONGEST)
    except UnicodeDecodeError:
        raise KeyProblem(
            Fault("key_refused", "What was given is not text.", "", "Give the key alone.")
        ) from None
