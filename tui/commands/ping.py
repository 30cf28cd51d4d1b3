"""``turnkey ping``: one streamed request, measured and judged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from tui.commands.options import bounds_for, common, open_here, target_options

if TYPE_CHECKING:
    from core.live.ping import Run
    from core.target import Target
    from core.wire.bounds import Bounds


@click.command()
@target_options
@click.option(
    "--runs", type=click.IntRange(1, 100), default=1, show_default=True, help="How many requests."
)
@click.option("--prompt", metavar="TEXT", help="Instead of asking for PONG.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    help="The output limit; unset, one that fits a thinking model, grown once when needed.",
)
@common
def ping(
    provider: str | None,
    model: str | None,
    lane: str | None,
    url: str | None,
    key_env: str | None,
    timeout: float | None,
    runs: int,
    prompt: str | None,
    max_tokens: int | None,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """Stream one request and measure it; with no target, the agent lane.

    Reachable, authorised and works are three results: only a right answer from the chosen model
    is works. Exits 0 when it works, 5 when the key is the fault, 4 otherwise.
    """
    from core.errors import TurnkeyError, UsageProblem, exit_code_for
    from core.live.verdict import not_tried
    from core.target import find_target
    from tui.commands.output import print_json

    workspace = open_here(config, variant, base)
    try:
        target = find_target(
            workspace, provider=provider, model=model, lane=lane, url=url, key_env=key_env
        )
    except TurnkeyError as error:
        if as_json and not isinstance(error, UsageProblem):
            # A failure before the request still gives one run.
            tried = {"base_url": url, "model": model}
            print_json({"target": tried, "runs": [not_tried(error.fault)]})
        raise
    bounds = bounds_for(timeout)
    results = asyncio.run(_ping_all(target, runs, prompt, max_tokens, bounds))
    if as_json:
        print_json(
            {"target": {"base_url": target.base.url, "model": target.model}, "runs": results}
        )
    else:
        for number, result in enumerate(results, 1):
            print_run(target, result, number, runs)
        if runs > 1:
            _print_medians(results)
    failed = [result for result in results if not result.ok]
    if not failed:
        return 0
    first = next((result.error for result in failed if result.error is not None), None)
    return exit_code_for(first) if first is not None else 4


async def _ping_all(
    target: Target, runs: int, prompt: str | None, max_tokens: int | None, bounds: Bounds
) -> list[Run]:
    from core.live.ping import PONG_PROMPT, ping
    from core.wire.client import open_client

    assert target.model is not None  # noqa: S101 - find_target gives one
    results: list[Run] = []
    async with open_client(target.base, bounds, key=target.key, headers=target.headers) as client:
        for _ in range(runs):
            result = await ping(
                client,
                target.base,
                target.model,
                prompt=PONG_PROMPT if prompt is None else prompt,
                max_tokens=max_tokens,
                bounds=bounds,
                key=target.key,
            )
            results.append(result)
            if result.error is not None and not result.reachable:
                break  # what cannot be reached is not knocked at again
    return results


def print_run(target: Target, run: Run, number: int, of: int) -> None:
    """One run in a few lines: the three results, the figures, what it tells."""
    from core.live.words import figure_lines, reason_words
    from tui.commands.output import say, show_fault, warn

    title = f"{target.model} at {target.base.url}"
    click.echo(title if of == 1 else f"run {number} of {of}: {title}")
    signs = {True: "yes", False: "no", None: "not known"}
    click.echo(
        f"  reachable {signs[run.reachable]} · authorised {signs[run.authorised]}"
        f" · works {signs[run.works]}"
    )
    for line in figure_lines(run.figures, run.counts_from):
        click.echo(f"  {line}")
    for line in reason_words(run):
        say(f"  {line}")
    if of == 1 and run.ok:
        say("  a single run: repeat with --runs 3 for medians")
    for warning in run.warnings:
        warn(warning.message)
    if run.error is not None:
        show_fault(run.error)


def _print_medians(results: list[Run]) -> None:
    from core.live.words import median_lines

    click.echo(f"medians and range of {len(results)} runs")
    for line in median_lines(results):
        click.echo(f"  {line}")
