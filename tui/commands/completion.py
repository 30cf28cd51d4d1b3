"""``turnkey completion``: the shell code that completes commands, options, names and selectors."""

from __future__ import annotations

from typing import Final

import click

_SHELLS: Final = ("bash", "zsh", "fish")
_VARIABLE: Final = "_TURNKEY_COMPLETE"
"""What click reads for a program of this name (click.core, ``_main_shell_completion``)."""


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the shell code that completes turnkey's commands, options and names.

    \b
    Put one of these where your shell starts:
      eval "$(turnkey completion bash)"     # ~/.bashrc, bash 4.4 or newer
      eval "$(turnkey completion zsh)"      # ~/.zshrc, after compinit
      turnkey completion fish | source      # ~/.config/fish/config.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class

    made = get_completion_class(shell)
    assert made is not None, shell  # noqa: S101 - click knows the three
    root = click.get_current_context().find_root().command
    # Not made.source(): for bash that starts a bash to learn its version, and fails without one.
    click.echo(ShellComplete.source(made(root, {}, "turnkey", _VARIABLE)))
