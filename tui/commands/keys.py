"""``turnkey keys``: keys in the OS keyring, each bound to one origin. One module a few verbs."""

from __future__ import annotations

import click

from tui.commands.keys_change import delete, forget, rebind, repair
from tui.commands.keys_import import import_keys
from tui.commands.keys_seen import list_keys, source
from tui.commands.keys_set import set_key
from tui.commands.options import InOrder


@click.group(cls=InOrder)
def keys() -> None:
    """Keys live in the OS keyring, each bound to one origin.

    An origin is scheme, host and port of a provider's base URL: a key goes nowhere else until you
    say so. No option takes a key's value.
    """


for _verb in (set_key, source, list_keys, rebind, delete, import_keys, forget, repair):
    keys.add_command(_verb)
