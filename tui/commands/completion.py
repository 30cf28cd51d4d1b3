"""``turnkey completion``: the shell code that completes commands, options, names and selectors."""

from __future__ import annotations

from typing import Final

import click

_SHELLS: Final = ("bash", "zsh", "fish")
_VARIABLE: Final = "_TURNKEY_COMPLETE"
"""What click reads for a program of this name (click.core, ``_main_shell_completion``)."""

_BASH: Final = r"""
_turnkey_completion() {
    local IFS=$'\n' type value begun at
    local -a words=()
    # Bash breaks words at ":", which model ids have: they are put together again.
    for ((at = 0; at <= COMP_CWORD; at++)); do
        value=${COMP_WORDS[at]}
        if ((at > 1)) && [[ $value == :* || ( ${words[-1]} == *: && -n $value ) ]]
        then words[-1]+=$value
        else words+=("$value")
        fi
    done
    # What stands before the last ":" is not replaced by bash, and must not be given again.
    begun=${words[-1]%"${words[-1]##*:}"}
    [[ $COMP_WORDBREAKS == *:* ]] || begun=
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${value#"$begun"}") ;;
        esac
    done < <(COMP_WORDS="${words[*]}" COMP_CWORD=$((${#words[@]} - 1)) VARIABLE=bash_complete "$1")
}
complete -o nosort -F _turnkey_completion turnkey
""".replace("VARIABLE", _VARIABLE)
"""As click's own, but for ids with a colon, as Ollama's all are."""


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

    if shell == "bash":
        click.echo(_BASH)
        return
    made = get_completion_class(shell)
    assert made is not None, shell  # noqa: S101 - click knows the three
    root = click.get_current_context().find_root().command
    click.echo(ShellComplete.source(made(root, {}, "turnkey", _VARIABLE)))
