"""``turnkey export``: the setup as its reader takes it, with no key in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from tui.commands.options import (
    bounds_for,
    common,
    json_errors,
    network_here,
    timeout_option,
    trust_options,
)
from tui.opening import open_here

if TYPE_CHECKING:
    from core.errors import Fault
    from core.export.ask_gateway import Asked
    from core.export.setup import Setup
    from core.workspace import Workspace

NAMES = ("warden", "pi", "stock-env", "github", "ml-intern", "gateway", "guidellm")
"""The contract's; held to :data:`core.export.setup.TARGETS` by a test."""


@click.command(short_help="Write the setup for another reader.")
@click.argument("target", type=click.Choice(NAMES), metavar="TARGET")
@click.option(
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="Write there instead of printing; what else the file holds stays, or stops it.",
)
@click.option("--unverified", is_flag=True, help="Export what was not verified; the text says so.")
@click.option("--auth", is_flag=True, help="With pi: its auth.json, each key as $NAME.")
@click.option(
    "--replace", is_flag=True, help="With --output: what the file holds may be written over."
)
@click.option(
    "--speaks",
    type=click.Choice(["chat", "messages"]),
    help="With gateway: the side that will be used; else both are asked.",
)
@click.option(
    "--folder",
    metavar="DIR",
    help="With stock-env: where models.json is; else ~/.pi/agent.",
)
@timeout_option
@trust_options
@common
@json_errors
def export(
    target: str,
    output: str | None,
    unverified: bool,
    auth: bool,
    replace: bool,
    speaks: str | None,
    folder: str | None,
    timeout: float | None,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """Write the verified setup as TARGET reads it. No key is in it, only names of variables.

    \b
    warden     warden.toml, with runner.concurrency as it was borne
    pi         Pi's models.json with the flags that were found needed (--auth: auth.json)
    stock-env  the environment that stock Warden reads beside models.json
    github     a GitHub Actions workflow with secrets by name
    ml-intern  its environment and selector
    gateway    an LLM gateway's environment; both of its sides are asked first
    guidellm   a command line for load

    Exits 1 for a setup that is not verified, unless --unverified. pi and stock-env are for stock
    Warden, so that the receipt of «turnkey verify --variant stock» counts for them. Asks no
    server, but for gateway.
    """
    from core.export.gather import gather
    from core.export.make import make_export, refuse_keys, target_named
    from core.export.setup import refuse_unverified, words_of
    from core.export.write import place_for, write_export
    from tui.commands.output import print_json, say, warn

    chosen = target_named(target)
    _check_options(target, output, speaks, folder, auth=auth, replace=replace)
    workspace = open_here(config, variant, base)
    refuse_keys(workspace.documents)
    setup = gather(workspace, chosen)
    refuse_unverified(setup, unverified=unverified)
    asked = _ask(workspace, setup, speaks, timeout) if chosen == "gateway" else None
    own = workspace.document
    made = make_export(
        setup, chosen, document=own, auth=auth, folder=folder or "~/.pi/agent", asked=asked
    )
    place, written = None, None
    if output is not None:
        place = place_for(output, made)
        written = write_export(setup, chosen, made, place, document=own, auth=auth, replace=replace)
    if as_json:
        told: dict[str, object] = {
            "target": chosen,
            "text": made.text,
            "variables": made.variables,
            "notes": made.notes,
            "verified": setup.standing.verified,
            "output": None if place is None else str(place),
            "replaced": () if written is None else written.replaced,
        }
        print_json(told if asked is None else {**told, "asked": asked})
    elif place is None:
        click.echo(made.text, nl=False)
    if not setup.standing.verified:
        warn(words_of(setup)[0])
    for note in made.notes:
        say(note)
    if written is not None and place is not None:
        for words in written.replaced:
            say(words)
        say(f"Written: {place}")
    return 0


def _check_options(
    target: str,
    output: str | None,
    speaks: str | None,
    folder: str | None,
    *,
    auth: bool,
    replace: bool,
) -> None:
    """Options that belong to one target alone."""
    from core.errors import Fault, UsageProblem

    wrong = [
        (auth and target != "pi", "--auth goes with pi."),
        (speaks is not None and target != "gateway", "--speaks goes with gateway."),
        (folder is not None and target != "stock-env", "--folder goes with stock-env."),
        (replace and output is None, "--replace goes with --output."),
    ]
    for given, words in wrong:
        if given:
            raise UsageProblem(Fault("usage", words, "", "Leave it out."))


def _ask(
    workspace: Workspace, setup: Setup, speaks: str | None, timeout: float | None
) -> tuple[Asked, ...]:
    """Ask the gateway's sides. Raises EndpointProblem or KeyProblem where none works."""
    from core.errors import error_for
    from core.export.ask_gateway import SIDES, ask_gateway
    from core.target import provider_target
    from tui.commands.output import say, warn_of

    provider, model = setup.chosen("agent")
    target = provider_target(workspace, provider, model.id)
    sides = [side for side in SIDES if speaks is None or side == speaks]
    asked = asyncio.run(
        ask_gateway(target, sides, bounds=bounds_for(timeout), network=network_here())
    )
    if not any(one.works for one in asked):
        raise error_for(_first(asked))
    for one in asked:
        if not one.works:
            say(f"{one.path} does not answer, and is left out:")
            warn_of(_first((one,)))
    return asked


def _first(asked: tuple[Asked, ...]) -> Fault:
    from core.errors import Fault

    found = next((one.error for one in asked if one.error is not None), None)
    return found or Fault(
        "wrong_answer", "It answered, but not with PONG.", "", "turnkey ping shows what came."
    )
