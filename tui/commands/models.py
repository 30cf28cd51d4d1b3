"""``turnkey models``: what an endpoint lists, with facts and where each came from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from tui.commands.options import bounds_for, common, network_here, target_options
from tui.opening import open_here

if TYPE_CHECKING:
    from core.discover.facts import Discovery, Model


@click.command()
@target_options
@common
def models(
    provider: str | None,
    model: str | None,
    lane: str | None,
    url: str | None,
    key_env: str | None,
    timeout: float | None,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """List what the endpoint serves, with facts.

    With no target: the only provider of the file. A fact's source is server, catalogue, pattern
    (a guess by name, marked ~) or default; a question mark means that nobody says.

    \b
      turnkey models --url localhost:4000 --key-env LITELLM_MASTER_KEY
      turnkey models --provider litellm --json
    """
    from core.discover.discover import discover
    from core.errors import TurnkeyError, exit_code_for
    from core.target import find_target, told_of_key
    from tui.commands.output import print_json, say, show_fault, warn_of

    try:
        workspace = open_here(config, variant, base, may_be_new=url is not None)
        target = find_target(
            workspace,
            provider=provider,
            model=model,
            lane=lane,
            url=url,
            key_env=key_env,
            needs_model=False,
        )
    except TurnkeyError as problem:
        if as_json:
            print_json({"endpoint": None, "models": [], "warnings": [], "error": problem.fault})
        show_fault(problem.fault)
        return problem.exit_code
    found = asyncio.run(
        discover(
            target.base,
            target.key,
            bounds=bounds_for(timeout),
            headers=target.headers,
            network=network_here(),
        )
    )
    error = None if found.error is None else told_of_key(found.error, target.source)
    shown = tuple(row for row in found.models if model is None or row.id == model)
    if as_json:
        print_json(
            {
                "endpoint": found.endpoint,
                "models": shown,
                "warnings": found.warnings,
                "error": error,
            }
        )
    else:
        print_models(found, shown)
    for words in found.changes:
        say(words)
    for warning in found.warnings:
        warn_of(warning)
    if error is not None:
        show_fault(error)
        return exit_code_for(error)
    if model is not None and not shown:
        say(f"«{model}» is not among the {len(found.models)} models that the endpoint lists.")
        return 1
    return 0


def print_models(found: Discovery, shown: tuple[Model, ...]) -> None:
    """The models as a table: id, kind, window, output limit, capabilities, cost."""
    from core.discover.words import fact_words
    from tui.commands.output import print_table, say

    version = f" {found.endpoint.version}" if found.endpoint.version else ""
    say(f"{found.endpoint.dialect}{version} at {found.endpoint.base_url}")
    names = (
        "context_window",
        "max_output_tokens",
        "reasoning",
        "tools",
        "image_input",
        "input_cost",
        "output_cost",
    )
    rows = [
        (row.id, row.kind, *(fact_words(row.facts.get(name)) for name in names)) for row in shown
    ]
    if rows:
        headings = ("id", "kind", "context", "out", "think", "tools", "image", "$/M in", "$/M out")
        print_table(headings, rows)
