"""``turnkey verify``: the lanes tried as Warden will use them, and the receipt of it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from tui.commands.options import bounds_for, common, network_here, timeout_option, trust_options
from tui.opening import open_here

if TYPE_CHECKING:
    from core.errors import Fault
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
    failed, 1 when something did or a lane leaves your servers, 5 when the key was refused
    throughout.

    \b
      turnkey verify
      turnkey verify --lane auxiliary --only bare_json
      turnkey verify --yes --junit verify.xml --json > receipt.json
    """
    from core.errors import Fault, KeyProblem, TurnkeyError, UsageProblem
    from core.verify.session import Verification, Wanted
    from core.verify.verified import is_shut_out
    from core.verify.words import estimate_words, sent_words, stopped_words
    from core.warden.chains import LANES
    from tui.commands.output import INTERRUPTED, print_json, say

    verification: Verification | None = None
    try:
        workspace = open_here(config, variant, base)
        chosen = tuple(lane for lane in LANES if not lanes or lane in lanes)
        verification = Verification(workspace, Wanted(chosen, only, runs, afresh=again))
        cost = verification.plan.estimate
        if verification.resumed:
            say(f"Going on: {verification.resumed} answers are there already (--again asks anew).")
        say(f"{estimate_words(cost, verification.limit)}.")
        if not yes and cost.most_requests and _may_ask() and not click.confirm("Start?", err=True):
            raise UsageProblem(Fault("usage", "Nothing was asked.", "", "--yes starts at once."))
        receipt = asyncio.run(_run(verification, bounds_for(timeout), quiet=as_json))
    except TurnkeyError as error:
        _write_ended(junit, verification, error.fault)
        if as_json:
            print_json({"error": error.fault})
        raise
    except (KeyboardInterrupt, Ended) as stop:
        _write_ended(junit, verification, INTERRUPTED)
        if as_json:
            print_json(_stopped(verification))
        say(stopped_words(verification.receipt if verification is not None else None))
        if isinstance(stop, Ended):
            return 128 + stop.signal
        raise
    if junit is not None:
        _write_junit(junit, receipt)
    if as_json:
        print_json(receipt)
    else:
        _show(verification, receipt)
    if cost.most_requests:
        say(sent_words(verification.sent, cost, verification.counted))
    if is_shut_out(verification.asked(receipt)):
        return KeyProblem.exit_code
    return int(verification.failed(receipt))


class Ended(BaseException):
    """A signal has asked for the end. No ``Exception``, so that nobody takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


def _stopped(verification: Verification | None) -> dict[str, object]:
    """What a stopped run prints: the receipt so far, if there is one, and that it was stopped."""
    import msgspec

    from tui.commands.output import INTERRUPTED

    kept = verification.receipt if verification is not None else None
    return {**(msgspec.structs.asdict(kept) if kept is not None else {}), "error": INTERRUPTED}


def _may_ask() -> bool:
    return all(
        stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)
    )


async def _run(verification: Verification, bounds: Bounds, *, quiet: bool) -> Receipt:
    from core.verify.run import Decided, Down, Waits
    from core.verify.words import SIGNS, selector_of
    from tui.commands.output import say

    def tell(event: Event) -> None:
        if isinstance(event, Waits):
            say(f"waiting {event.seconds:.0f} s: {event.why}")
        elif isinstance(event, Down):
            say(f"{event.provider} is not tried: {event.fault.what}")
        elif isinstance(event, Decided) and event.done and not quiet:
            one = event.verdict
            where = f"{one.lane} · " if one.lane else ""
            done = f"[{event.done}/{event.of}]"
            say(f"{done} {SIGNS[one.verdict]} {one.probe}  {where}{selector_of(one)}")

    run = asyncio.ensure_future(verification.run(tell, bounds, network=network_here()))
    caught = _stop_at_signals(run)
    try:
        return await run
    except asyncio.CancelledError:
        if caught:
            raise Ended(caught[0]) from None
        raise


def _stop_at_signals(run: asyncio.Future[Receipt]) -> list[int]:
    """Cancel ``run`` when the process shall end or its terminal goes; the signals that came.

    Ctrl-C is asyncio's own (it cancels whoever awaits ``run``). A signal that is ignored, as by
    nohup, stays ignored.
    """
    import signal

    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        run.cancel()

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is None or signal.getsignal(number) == signal.SIG_IGN:
            continue
        with suppress(NotImplementedError):  # Windows has no such handlers
            asyncio.get_running_loop().add_signal_handler(number, stop, int(number))
    return caught


def _show(verification: Verification, receipt: Receipt) -> None:
    from core.verify.registry import compat_probes
    from core.verify.trials.registry import TRIALS
    from core.verify.words import groups_of, outcome_words, verdict_lines
    from tui.commands.output import show

    # The receipt may hold more than was asked now.
    titles = {trial.name: trial.title for trial in TRIALS}
    titles |= {task.name: task.title for task in verification.whole.tasks}
    questions = {probe.name for probe in compat_probes(optional=True)}
    for group in groups_of(receipt):
        show(group.title)
        held = 0
        for one in group.verdicts:
            if one.probe in questions and one.verdict == "pass":
                held += 1  # the receipt has each of them; a screenful of ticks says less
                continue
            for line in verdict_lines(one, titles.get(one.probe, one.probe)):
                show(f"  {line}")
        if held:
            noun = "question" if held == 1 else "questions"
            show(f"  ✓ {held} {noun} on what the server takes of what Warden's engine sends")
        show()
    show(outcome_words(receipt))


def _write_ended(name: str | None, verification: Verification | None, fault: Fault) -> None:
    """The file for CI where the run did not come to its end; a warning where that fails, too."""
    from core.errors import TurnkeyError
    from tui.commands.output import warn_of

    if name is None:
        return
    try:
        _write_junit(name, verification.receipt if verification is not None else None, fault)
    except TurnkeyError as error:
        warn_of(error.fault)


def _write_junit(name: str, receipt: Receipt | None, ended: Fault | None = None) -> None:
    """Raises ConfigProblem when the file cannot be written."""
    from datetime import UTC, datetime
    from pathlib import Path

    from core.errors import ConfigProblem, Fault
    from core.text import one_line
    from core.verify.junit import junit
    from core.verify.receipt import stamp

    try:
        Path(name).write_bytes(junit(receipt, ended, stamp(datetime.now(UTC))))
    except OSError as error:
        raise ConfigProblem(
            Fault(
                "config_unwritable",
                f"{one_line(name, 120)} cannot be written.",
                f"{error.strerror}.",
                "The receipt is kept all the same; name another file.",
            )
        ) from error
