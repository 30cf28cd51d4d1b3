"""``turnkey verify``: the lanes tried as Warden will use them, and the receipt of it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from tui.commands.options import bounds_for, common, network_here, timeout_option, trust_options
from tui.opening import open_here

if TYPE_CHECKING:
    from core.verify.receipt import Receipt
    from core.verify.run import Event
    from core.verify.session import Verification
    from core.wire.bounds import Bounds


@click.command("verify")
@click.option(
    "--lane",
    "lanes",
    type=click.Choice(["agent", "auxiliary", "synthesis"]),
    multiple=True,
    help="Only this lane; may be given again.",
)
@click.option(
    "--only",
    metavar="PROBE",
    multiple=True,
    help="Only this probe or trial, the expensive ones too; may be given again.",
)
@click.option(
    "--runs",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="How often each lane trial is repeated.",
)
@click.option("--junit", metavar="FILE", type=click.Path(), help="Write the verdicts for CI, too.")
@click.option("--again", is_flag=True, help="Ask everything, also what a stopped run has decided.")
@click.option("--yes", is_flag=True, help="Start without asking.")
@timeout_option
@trust_options
@common
def verify(
    lanes: tuple[str, ...],
    only: tuple[str, ...],
    runs: int,
    junit: str | None,
    again: bool,
    yes: bool,
    timeout: float | None,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """Try each lane the way Warden uses it, and keep a receipt of what was found.

    Says first what it will cost. Requests are small but for one long prompt for each model;
    nothing of your repository is read. The receipt counts for this very config, for thirty days.
    With --lane or --only it adds to what is known already. Exits 0 when nothing that was asked
    failed, 1 when something did or a lane leaves your servers.

    \b
      turnkey verify
      turnkey verify --lane auxiliary --only bare_json
      turnkey verify --yes --junit verify.xml --json > receipt.json
    """
    from core.errors import Fault, TurnkeyError, UsageProblem
    from core.verify.session import Verification, Wanted
    from core.verify.words import estimate_words
    from core.warden.chains import LANES
    from tui.commands.output import INTERRUPTED, print_json, say

    try:
        workspace = open_here(config, variant, base)
        chosen = tuple(lane for lane in LANES if not lanes or lane in lanes)
        verification = Verification(workspace, Wanted(chosen, only, runs, afresh=again))
        cost = verification.plan.estimate
        if verification.resumed:
            say(f"Going on: {verification.resumed} answers are there already (--again asks anew).")
        say(f"{estimate_words(cost, verification.limit)}.")
        if not yes and cost.requests and _may_ask() and not click.confirm("Start?", err=True):
            raise UsageProblem(Fault("usage", "Nothing was asked.", "", "--yes starts at once."))
        receipt = asyncio.run(_run(verification, bounds_for(timeout), quiet=as_json))
    except TurnkeyError as error:
        if as_json:
            print_json({"error": error.fault})
        raise
    except KeyboardInterrupt:
        if as_json:
            print_json({"error": INTERRUPTED})
        say("Stopped. What was decided is kept; turnkey verify goes on with the rest.")
        raise
    if junit is not None:
        _write_junit(junit, receipt)
    if as_json:
        print_json(receipt)
    else:
        _show(verification, receipt)
    return int(verification.failed(receipt))


def _may_ask() -> bool:
    return all(
        stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)
    )


async def _run(verification: Verification, bounds: Bounds, *, quiet: bool) -> Receipt:
    from core.verify.run import Decided, Waits
    from core.verify.words import SIGNS, selector_of
    from tui.commands.output import say

    def tell(event: Event) -> None:
        if isinstance(event, Waits):
            say(f"waiting {event.seconds:.0f} s: {event.why}")
        elif isinstance(event, Decided) and event.done and not quiet:
            one = event.verdict
            where = f"{one.lane} · " if one.lane else ""
            done = f"[{event.done}/{event.of}]"
            say(f"{done} {SIGNS[one.verdict]} {one.probe}  {where}{selector_of(one)}")

    return await verification.run(tell, bounds, network=network_here())


def _show(verification: Verification, receipt: Receipt) -> None:
    from core.verify.registry import compat_probes
    from core.verify.words import groups, outcome_words, verdict_lines
    from tui.commands.output import show

    titles = {task.name: task.title for task in verification.whole.tasks}
    questions = {probe.name for probe in compat_probes(optional=True)}
    for group in groups(receipt.verdicts):
        show(group.title)
        held = 0
        for one in group.verdicts:
            if one.probe in questions and one.verdict == "pass":
                held += 1  # the receipt has each of them; a screenful of ticks says less
                continue
            for line in verdict_lines(one, titles.get(one.probe, one.probe)):
                show(f"  {line}")
        if held:
            show(f"  ✓ {held} questions on what the server takes of what Warden's engine sends")
        show()
    show(outcome_words(receipt))


def _write_junit(name: str, receipt: Receipt) -> None:
    """Raises ConfigProblem when the file cannot be written."""
    from pathlib import Path

    from core.errors import ConfigProblem, Fault
    from core.text import one_line
    from core.verify.junit import junit

    try:
        Path(name).write_bytes(junit(receipt))
    except OSError as error:
        raise ConfigProblem(
            Fault(
                "config_unwritable",
                f"{one_line(name, 120)} cannot be written.",
                f"{error.strerror}.",
                "The receipt is kept all the same; name another file.",
            )
        ) from error
