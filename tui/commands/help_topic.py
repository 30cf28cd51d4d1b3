"""``turnkey help``: the concepts, a text each; and the help of a command by its name."""

from __future__ import annotations

import click


def _complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    from core.topics import TOPICS

    root = ctx.find_root().command
    commands = root.list_commands(ctx) if isinstance(root, click.Group) else []
    names = dict.fromkeys((*TOPICS, *commands))
    return [name for name in names if name.startswith(incomplete)]


@click.command("help")
@click.argument("words", nargs=-1, metavar="[TOPIC | COMMAND]", shell_complete=_complete)
@click.pass_context
def help_topic(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Explain a concept: lanes, escapes, variants, keys, servers, figures, and more.

    Without a topic the topics are listed. The name of a command shows that command's --help.

    \b
    Examples:
      turnkey help
      turnkey help escapes
      turnkey help keys set
    """
    from core.topics import TOPICS, topic, topics
    from tui.commands.output import show

    if not words:
        show("Topics, each by «turnkey help TOPIC»:\n")
        for one in topics():
            show(f"  {one.name:<14} {one.title.partition(': ')[2] or one.title}")
        show("\n«turnkey --help» lists the commands, «turnkey COMMAND --help» explains one.")
        return
    # `keys` and `lanes` are both: the concept first, and where to read on.
    if len(words) == 1 and (words[0] in TOPICS or not _is_command(ctx, words)):
        found = topic(words[0])
        show(f"{found.title}\n\n{found.text}")
        if _is_command(ctx, words):
            show(f"\n«turnkey {words[0]} --help» explains the command.")
        return
    _show_command(ctx, words)


def _is_command(ctx: click.Context, words: tuple[str, ...]) -> bool:
    root = ctx.find_root().command
    return isinstance(root, click.Group) and words[0] in root.list_commands(ctx)


def _show_command(ctx: click.Context, words: tuple[str, ...]) -> None:
    context = ctx.find_root()
    command: click.Command = context.command
    for word in words:
        below = command.get_command(context, word) if isinstance(command, click.Group) else None
        if below is None:
            raise click.UsageError(f"There is no command «turnkey {' '.join(words)}».")
        command = below
        context = click.Context(command, parent=context, info_name=word)
    click.echo(command.get_help(context))
