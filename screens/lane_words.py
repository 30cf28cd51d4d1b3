"""What the Lanes screen says: chains, efforts, overrides, escapes and the views of two layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from core.leaked import masked_data
from core.providers.key_forms import shown_selector
from core.text import one_line
from core.warden.chains import LANES, PI
from core.warden.layers import value_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.mend import EscapeGroup
    from core.warden.document import Document
    from core.warden.lanes import EffortChoice, LaneReport, Layer, Resolution
    from core.warden.layers import Layered, Value

DIM: Final = "$foreground 75%"
WORK: Final[dict[str, str]] = {
    "all": "the three lanes, written explicitly, so that none can escape",
    "agent": "reads the repository and analyses each chunk: needs tool calls",
    "auxiliary": "extracts and verifies findings: bare JSON, and tool calls too",
    "synthesis": "merges findings: JSON, longer input",
    "verification": "checks each finding: reads repository code with tools",
    "workflow": "the action's own work on comments: dedupe, consolidation, fixes",
    "build": "warden build and improve: repository tools, long JSON",
    "build_repair": "repairs what build and improve answered",
}
FOLLOWS: Final[dict[str, str]] = {
    "verification": "follows the auxiliary lane: set it there",
    "workflow": "auxiliary, of the base layer first: set it there",
    "build": "follows synthesis, then auxiliary: set it there",
    "build_repair": "follows the auxiliary lane: set it there",
}


def shown(selector: str) -> str:
    """A selector on one line; a key that stands in its place is masked."""
    return one_line(shown_selector(selector))


def lanes_of(report: LaneReport, layer: Layer) -> Mapping[str, Resolution]:
    """The lanes as the skills of one layer see them."""
    if layer == "base" and report.base_lanes is not None:
        return {**report.lanes, **report.base_lanes}
    return report.lanes


def lanes_words(
    row: str,
    lanes: Mapping[str, Resolution],
    efforts: Mapping[str, EffortChoice],
    *,
    layers: bool,
) -> list[Content]:
    """The lanes with their selectors, or one with its chain and its effort."""
    chosen = LANES if row == "all" else (row,)
    parts = [Content.styled(WORK[row], DIM), *(headline(lane, lanes[lane]) for lane in chosen)]
    if row != "all":
        parts += chain_lines(lanes[row], layers=layers)
        parts.append(Content.styled(f"   effort: {efforts[row].why}", DIM))
    return parts


def headline(name: str, resolution: Resolution) -> Content:
    """A kind of work, what it resolves to, and the rule that decided."""
    return Content.assemble(
        (f"{name.replace('_', ' '):<10}", "bold $primary"),
        " → ",
        (shown(resolution.says), "bold"),
        (f"   by {resolution.won_by}", DIM),
    )


def chain_lines(resolution: Resolution, *, layers: bool = False) -> list[Content]:
    """The rules of a chain: the value of each, with its layer, and why it won or was passed."""
    names = [
        f"{step.rule} ({step.layer})" if layers and step.layer in {"repo", "base"} else step.rule
        for step in resolution.chain
    ]
    rules = max(map(len, names))
    values = min(26, max(len(step.value or "–") for step in resolution.chain))
    lines = []
    for step, rule in zip(resolution.chain, names, strict=True):
        won = step.rule == resolution.won_by and step.layer == resolution.layer
        text = (
            f" {'▸' if won else ' '} {rule:<{rules}}  "
            f"{one_line(shown(step.value or '–'), values):<{values}}  {one_line(step.why, 300)}"
        )
        lines.append(Content.styled(text, ("$error" if rule == PI else "$success") if won else DIM))
    return lines


def override_words(name: str, resolution: Resolution) -> list[Content]:
    """A skill's or trigger's own model: it reaches the agent lane and no other."""
    return [
        Content.styled("a model of its own: it reaches the agent lane and no other", DIM),
        headline(name, resolution),
        *chain_lines(resolution),
    ]


def overrides_line(report: LaneReport) -> list[Content]:
    """Which skills and triggers have a model of their own."""
    named = [
        f"{one.skill}{f' ({one.trigger})' if one.trigger else ''} → {shown(one.selector)}"
        for one in report.overrides
    ]
    if not named:
        return []
    return [Content.styled(f"own models: {one_line('; '.join(named), 400)}", DIM)]


def escape_lines(groups: Iterable[EscapeGroup], closing: EscapeGroup | None) -> list[Content]:
    """The escapes; the one that c closes says so."""
    return [
        Content.assemble(
            (f"▲ {group.first.code} {', '.join(group.lanes)}: ", "bold $error"),
            one_line(group.first.message, 400),
            ("  c closes it: ", "bold $warning") if group == closing else ("  fix: ", DIM),
            (one_line(group.first.fix), DIM),
        )
        for group in groups
    ]


def layer_words(views: Layered, *documents: Document) -> list[Content]:
    """Both files in Warden's three views, every value with the layer that gave it.

    Keys that stand in the documents are masked.
    """
    titled = (
        ("The whole config", views.merged),
        ("What this file's skills get", views.repo_skills),
        ("What the action takes for itself", views.workflow),
    )
    parts: list[Content] = []
    for title, values in titled:
        parts.append(Content.styled(title, "bold $primary"))
        parts += [_value_line(value, documents) for value in values] or [
            Content.styled("  nothing", DIM)
        ]
    return [*parts, *(Content.styled(f"▲ {note}", "$warning") for note in views.notes)]


def _value_line(value: Value, documents: tuple[Document, ...]) -> Content:
    text = one_line(value_text(masked_data(value.value, *documents)), 60)
    return Content.assemble(
        f"  {one_line('.'.join(value.path), 44):<44} ", (f"{value.layer:<5}", "bold"), (text, DIM)
    )
