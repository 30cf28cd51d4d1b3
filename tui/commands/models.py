"""``turnkey models``: what an endpoint lists, with facts and where each came from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from tui.commands.options import bounds_for, common, open_here, target_options

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
    or default; nothing is shown that nobody said.
    """
    from core.discover.discover import discover
    from core.errors import exit_code_for
    from core.target import find_target
    from tui.commands.output import print_json, show_fault, warn

    workspace = open_here(config, variant, base)
    target = find_target(
        workspace,
        provider=provider,
        model=model,
        lane=lane,
        url=url,
        key_env=key_env,
        needs_model=False,
    )
    found = asyncio.run(
        discover(target.base, target.key, bounds=bounds_for(timeout), headers=target.headers)
    )
    shown = tuple(row for row in found.models if model is None or row.id == model)
    if as_json:
        print_json(
            {
                "endpoint": found.endpoint,
                "models": shown,
                "warnings": found.warnings,
                "error": found.error,
            }
        )
    else:
        print_models(found, shown)
    for warning in found.warnings:
        warn(warning.what)
    if found.error is not None:
        if not as_json:
            show_fault(found.error)
        return exit_code_for(found.error)
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
