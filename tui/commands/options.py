"""Options that commands share, and the workspace that they open."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from tui.completing import complete_model, complete_provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.wire.bounds import Bounds
    from core.wire.network import Network

P = ParamSpec("P")
R = TypeVar("R")

config_option = click.option(
    "--config",
    type=click.Path(readable=False),  # what cannot be read is told as a file's problem
    metavar="FILE",
    help="The warden.toml; else the nearest one up to the repository's root.",
)
variant_option = click.option(
    "--variant",
    type=click.Choice(["providers", "stock"]),
    default="providers",
    show_default=True,
    help="Which Warden will read the file: the one with [defaults.providers], or stock Warden.",
)
base_option = click.option(
    "--base",
    type=click.Path(readable=False),  # what cannot be read is told as a file's problem
    metavar="FILE",
    help="An organisation's base layer, read beside the file; only --layer base writes it.",
)
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=lambda context, _, value: context.meta.setdefault("turnkey.json", value),
    help="Print one JSON object.",
)
no_color_option = click.option(
    "--no-color", is_flag=True, expose_value=False, help="Plain output, which it always is."
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Print the diff of warden.toml and write nothing."
)
timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Bound of each request as a whole; unset, separate bounds apply.",
)


def whole_letters(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """What goes into a request: a byte that is no letter in the terminal's encoding cannot."""
    if value is not None and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise click.BadParameter("it has a byte in it that is no letter.")
    return value


class InOrder(click.Group):
    """A group that lists its commands as they are written, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of the module."""
        return list(self.commands)


def _keep_file(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    context.meta[f"turnkey.{parameter.name}"] = value


def trust_options(command: Callable[P, R]) -> Callable[P, R]:
    """``--ca-file --client-cert``, read by :func:`network_here`; the command does not see them."""
    ca_file = click.option(
        "--ca-file",
        type=click.Path(),
        metavar="FILE",
        expose_value=False,
        callback=_keep_file,
        help="Certificates (PEM) to trust beside the system's; also TURNKEY_CA_FILE.",
    )
    client_cert = click.option(
        "--client-cert",
        type=click.Path(),
        metavar="FILE",
        expose_value=False,
        callback=_keep_file,
        help="Certificate and key (PEM) to show to a server that asks; also TURNKEY_CLIENT_CERT.",
    )
    return ca_file(client_cert(command))


def network_here() -> Network:
    """Proxies and certificates of this process's environment, and of :func:`trust_options`."""
    from core.wire.network import network_from

    meta = click.get_current_context().meta
    return network_from(os.environ).with_files(
        meta.get("turnkey.ca_file"), meta.get("turnkey.client_cert")
    )


def common(command: Callable[P, R]) -> Callable[P, R]:
    """``--config --base --variant --json --no-color``, which every command takes."""
    return config_option(base_option(variant_option(json_option(no_color_option(command)))))


def json_errors(command: Callable[P, R]) -> Callable[P, R]:
    """With ``--json`` an error is printed as ``{"error": {"code", "what", "why", "fix"}}``, too.

    Its words stand on stderr in any case. For commands whose JSON has no ``error`` of its own;
    it goes below ``common``.
    """

    @functools.wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        from core.errors import TurnkeyError

        try:
            return command(*args, **kwargs)
        except TurnkeyError as error:
            if kwargs.get("as_json"):
                from tui.commands.output import print_json

                print_json({"error": error.fault})
            raise

    return told


def target_options(command: Callable[P, R]) -> Callable[P, R]:
    """``--provider --model --lane --url --key-env --timeout``: what a request goes to.

    And :func:`trust_options`: how it gets there.
    """
    options: list[Callable[[Any], Any]] = [
        click.option(
            "--provider",
            metavar="NAME",
            shell_complete=complete_provider,
            help="A provider of warden.toml.",
        ),
        click.option(
            "--model",
            metavar="ID",
            callback=whole_letters,
            shell_complete=complete_model,
            help="A model id, as the endpoint lists it.",
        ),
        click.option(
            "--lane",
            type=click.Choice(["agent", "auxiliary", "synthesis"]),
            help="What this lane resolves to.",
        ),
        click.option("--url", metavar="URL", help="An endpoint, with no config at all."),
        click.option(
            "--key-env", metavar="VAR", help="With --url: the variable that holds the key."
        ),
        timeout_option,
        trust_options,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def bounds_for(timeout: float | None) -> Bounds:
    """The bounds of a request; ``timeout`` seconds as a whole when given."""
    from core.wire.bounds import Bounds

    return Bounds() if timeout is None else Bounds(total_s=timeout)
