"""``turnkey ping``: one streamed request, measured and judged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from tui.commands.options import bounds_for, common, network_here, target_options, whole_letters
from tui.opening import open_here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.live.ping import Run
    from core.target import Target
    from core.wire.bounds import Bounds


@click.command()
@target_options
@click.option(
    "--runs", type=click.IntRange(1, 100), default=1, show_default=True, help="How many requests."
)
@click.option(
    "--prompt", metavar="TEXT", callback=whole_letters, help="Instead of asking for PONG."
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    metavar="N",
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

    \b
      turnkey ping --lane synthesis
      turnkey ping --provider litellm --model qwen3-coder --runs 3
      turnkey ping --url localhost:11434 --model qwen3:8b
    """
    from core.errors import TurnkeyError, exit_code_for
    from core.live.verdict import not_tried
    from core.target import keyed, name_target
    from tui.commands.output import INTERRUPTED, print_json, say, show_fault, warn

    asked: dict[str, str | None] = {"base_url": None, "model": model}
    try:
        workspace = open_here(config, variant, base, may_be_new=url is not None)
        named = name_target(
            workspace, provider=provider, model=model, lane=lane, url=url, key_env=key_env
        )
        asked = {"base_url": named.base.url, "model": named.model}
        target = keyed(workspace, named)
    except TurnkeyError as error:
        # A failure before the request still gives one run.
        if as_json:
            print_json({"target": asked, "runs": [not_tried(error.fault)]})
        show_fault(error.fault)
        return error.exit_code
    for words in target.base.changes:
        say(words)
    for words in target.base.warnings:
        warn(words)
    results: list[Run] = []
    try:
        asyncio.run(_ping_all(target, runs, prompt, max_tokens, bounds_for(timeout), results))
    except KeyboardInterrupt:
        if as_json:
            print_json({"target": asked, "runs": results, "error": INTERRUPTED})
        raise
    if as_json:
        print_json({"target": asked, "runs": results})
    else:
        for number, result in enumerate(results, 1):
            print_run(target, result, number, runs)
        if runs > 1:
            _print_medians(results)
    failed = [result for result in results if not result.ok]
    first = next((result.error for result in failed if result.error is not None), None)
    if as_json and first is not None:
        show_fault(first)
    if not failed:
        return 0
    return exit_code_for(first) if first is not None else 4


async def _ping_all(
    target: Target,
    runs: int,
    prompt: str | None,
    max_tokens: int | None,
    bounds: Bounds,
    results: list[Run],
) -> None:
    """Adds each run to ``results`` as it ends, so that an interruption loses none."""
    from core.errors import TurnkeyError
    from core.live.ping import PONG_PROMPT, not_tried, ping
    from core.wire.client import open_client
    from core.wire.stamps import STAMPS, Stamps

    STAMPS.set(Stamps())  # before the client connects: times by the kernel, where it gives them
    try:
        client = open_client(
            target.base, bounds, key=target.key, headers=target.headers, network=network_here()
        )
    except TurnkeyError as error:  # a proxy variable or a certificate's file that cannot be used
        results.append(not_tried(error.fault))
        return
    async with client:
        for _ in range(runs):
            result = await ping(
                client,
                target.base,
                target.model or "",
                prompt=PONG_PROMPT if prompt is None else prompt,
                max_tokens=max_tokens,
                bounds=bounds,
                key=target.key,
                api=target.api,
            )
            results.append(_told(result, target))
            if result.error is not None and not result.reachable:
                break  # what cannot be reached is not knocked at again


def _told(run: Run, target: Target) -> Run:
    """The run as it may be printed: a key that a server echoes is masked in all that it said."""
    import msgspec

    from core.target import told_of_key

    if run.error is not None:
        run = msgspec.structs.replace(run, error=told_of_key(run.error, target.source))
    if target.key is None:
        return run
    mask = target.key.redact
    replace = msgspec.structs.replace
    return replace(
        run,
        reasoning=mask(run.reasoning),
        answer=mask(run.answer),
        served_model=None if run.served_model is None else mask(run.served_model),
        finish_reason=None if run.finish_reason is None else mask(run.finish_reason),
        tool_calls=tuple(
            replace(call, id=mask(call.id), name=mask(call.name), arguments=mask(call.arguments))
            for call in run.tool_calls
        ),
        warnings=tuple(replace(warning, message=mask(warning.message)) for warning in run.warnings),
        error=None
        if run.error is None
        else replace(run.error, what=mask(run.error.what), why=mask(run.error.why)),
    )


def print_run(target: Target, run: Run, number: int, of: int) -> None:
    """One run in a few lines: the three results, the answer, the figures, what it tells."""
    from core.live.words import figure_lines, reason_words, stamp_words
    from tui.commands.output import say, show, show_fault, warn

    title = f"{target.model} at {target.base.url}"
    show(title if of == 1 else f"run {number} of {of}: {title}")
    signs = {True: "yes", False: "no", None: "not known"}
    show(
        f"  reachable {signs[run.reachable]} · authorised {signs[run.authorised]}"
        f" · works {signs[run.works]}"
    )
    if run.answer.strip():
        show("  answer: " + run.answer.strip().replace("\n", "\n    "))
    if run.figures.first_token_s is not None:
        for line in figure_lines(run.figures, run.counts_from):
            show(f"  {line}")
        for line in reason_words(run):
            say(f"  {line}")
        say(f"  {stamp_words(run.figures)}; what each figure means: turnkey help figures")
    if of == 1 and run.ok:
        say("  a single run: repeat with --runs 3 for medians")
    for warning in run.warnings:
        warn(warning.message)
    if run.error is not None:
        show_fault(run.error)


def _print_medians(results: Sequence[Run]) -> None:
    from core.live.words import median_lines
    from tui.commands.output import show

    lines = median_lines(results)
    if lines:
        show(f"medians and range of {len(results)} runs")
    for line in lines:
        show(f"  {line}")
