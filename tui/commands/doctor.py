"""``turnkey doctor``: the ladder of checks, from the URL to a stream."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import click

from tui.commands.options import bounds_for, common, network_here, target_options
from tui.opening import open_here

if TYPE_CHECKING:
    from core.doctor.patient import Patient
    from core.doctor.rungs import Report, Rung
    from core.wire.bounds import Bounds


@click.command()
@target_options
@common
def doctor(
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
    """Find the first rung that breaks, and what to change.

    The rungs: url, name, tcp, tls, http, server, key, models, chat, stream. Without --model one
    that the file declares is asked for one word, or one that is listed. With no target: the only
    provider of the file. Exits 0 when none breaks (a warning names those that decided nothing),
    5 when the key is the fault, 4 otherwise.

    \b
      turnkey doctor --provider litellm
      turnkey doctor --url gw.acme.lan --key-env LITELLM_API_KEY
      turnkey doctor --lane agent --json
    """
    from core.doctor.patient import patient_for
    from core.doctor.rungs import stopped
    from core.errors import TurnkeyError, exit_code_for
    from tui.commands.output import INTERRUPTED, print_json, show_fault, warn

    try:
        workspace = open_here(config, variant, base, may_be_new=url is not None)
        patient = patient_for(
            workspace, provider=provider, model=model, lane=lane, url=url, key_env=key_env
        )
    except TurnkeyError as error:
        if as_json:
            print_json({"target": None, "rungs": [], "error": error.fault})
        show_fault(error.fault)
        return error.exit_code
    told: list[Rung] = []
    try:
        report = asyncio.run(_examine(patient, bounds_for(timeout), told, quiet=as_json))
    except KeyboardInterrupt:
        if as_json:
            print_json(stopped(patient.asked, told, INTERRUPTED))
        raise
    if as_json:
        print_json(report)
    if report.error is not None:
        show_fault(report.error)
        return exit_code_for(report.error)
    for rung in report.undecided:
        warn(f"{rung.name} was not decided: {rung.evidence}.".replace("..", "."))
    return 0


async def _examine(patient: Patient, bounds: Bounds, told: list[Rung], *, quiet: bool) -> Report:
    """Examine, printing each rung as it finishes (and adding it to ``told``); then the rest."""
    from core.doctor.examine import examine
    from core.doctor.rungs import NOT_TRIED
    from core.doctor.surroundings import surroundings

    def tell(rung: Rung) -> None:
        told.append(rung)
        if not quiet:
            _print(rung)

    around = surroundings(os.environ).reached_by(network_here())
    report = await examine(patient, around, bounds=bounds, on_rung=tell)
    left = [rung.name for rung in report.rungs if rung not in told]
    if left and not quiet:
        from tui.commands.output import show

        show(f"· {' · '.join(left)}  {NOT_TRIED}")
    return report


def _print(rung: Rung) -> None:
    from core.doctor.rungs import rung_line, seconds_words
    from tui.commands.output import show

    took = seconds_words(rung.seconds)
    show(rung_line(rung) + (f"  ({took})" if took else ""))
