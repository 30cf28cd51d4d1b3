"""What the live screens say and offer: data for their lists, and the lines below the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from core.keys.environment import stored_variable
from core.live.curl import curl_command
from core.live.prompts import READY_PROMPTS
from core.live.words import reason_words
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.live.verdict import Run
    from core.live.watching import Exchange, Progress
    from core.target import Target
    from core.workspace import Workspace

LANES = ("agent", "auxiliary", "synthesis")
OWN = "own"
"""The choice of a prompt of one's own."""
HINT = (
    "enter sends the prompt   p picks another   m another model\n"
    "r races several models   i what was sent   = what the figures mean"
)


def model_choices(
    workspace: Workspace, selector: str | None, *, draft: bool
) -> list[tuple[str, str]]:
    """Label and selector of every model to choose from: the lanes' first, then the declared ones.

    ``selector`` is offered too; ``draft``: its provider is not in the file yet.
    """
    report = workspace.lanes()
    options: dict[str, str] = {}
    for lane in LANES:
        found = report.lanes[lane].selector
        if found is not None:
            options[found] = f"{options[found]}, {lane}" if found in options else lane
    for provider in workspace.config.providers:
        for entry in provider.models:
            options.setdefault(f"{provider.name}/{entry.id}", "")
    if selector is not None:
        options.setdefault(selector, "not in the file yet" if draft else "")
    return [
        (one_line(found) + (f"   ({note})" if note else ""), found)
        for found, note in options.items()
    ]


def prompt_choices() -> list[tuple[str, str, str]]:
    """Name, label and words of each ready prompt, and of one's own."""
    choices = [
        (ready.name, ready.name, f"{ready.why}\n{one_line(ready.text, 200)}")
        for ready in READY_PROMPTS
    ]
    return [*choices, (OWN, "your own …", "Write it in the prompt's line; enter sends it.")]


def so_far(progress: Progress, *, anew: bool) -> list[str]:
    """What a run says while it goes on; ``anew``: a first try was given up."""
    notes = [f"▲ {one.message} {one.fix}".strip() for one in progress.said]
    if anew:
        notes.insert(0, "second try: the first was cut off in thought, or refused a field")
    return notes


def in_the_end(run: Run) -> list[str]:
    """What a run says that is over, worst first."""
    notes = [f"▲ {one.message} {one.fix}".strip() for one in run.warnings]
    notes += reason_words(run)
    if run.served_model is not None and run.ok:
        notes.append(f"served by {run.served_model}; finish {run.finish_reason or '–'}")
    return notes


def note_lines(notes: Sequence[str]) -> Content:
    """Notes as lines; warnings have a colour besides their sign."""
    return Content("\n").join(
        Content.styled(
            one_line(note, 400), "$warning" if note.startswith("▲") else "$foreground 75%"
        )
        for note in notes
        if note
    )


def curl_of(workspace: Workspace, target: Target, exchange: Exchange) -> tuple[str, str]:
    """The request as a curl command, and what to say of it. No key is in it."""
    source = target.source
    declared = {one.name: one.headers for one in workspace.providers}
    placeholder, variable = None, None
    if source is not None and source.source == "placeholder" and target.key:
        placeholder = target.key.reveal()  # no key: what keyless servers are sent for one
    elif source is not None:
        variable = source.variable
    elif target.key and target.provider:
        variable = stored_variable(target.provider, None)
    command = curl_command(
        exchange,
        variable,
        headers=declared.get(target.provider or ""),
        placeholder=placeholder,
        direct=target.base.loopback,
    )
    if variable is None:
        return command, "The request as curl. There is no key in it."
    return command, f"The request as curl. It reads the key from ${variable}."
