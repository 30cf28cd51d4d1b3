"""``warden.toml``: the setup's values as edits of a document, which keeps every other byte.

The setup's own file has them already; only the number of requests at once, and the word on its
verification, are new there. Another file gets providers, lanes, effort and that number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import Fault, Refusal
from core.export.setup import Export, with_header, words_of
from core.text import one_line
from core.verify.trials.setting import CONCURRENCY
from core.warden.edits import add_provider, replace_provider, set_key, set_lane
from core.warden.keys_edit import begun
from core.warden.lanes import resolve
from core.warden.values import value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.export.setup import Setup
    from core.warden.document import Document
    from core.warden.scan import KeyPath

MARK: Final = "# turnkey: "
_EFFORTS: Final[dict[str, KeyPath]] = {
    "agent": ("defaults", "agent", "effort"),
    "auxiliary": ("defaults", "auxiliary", "effort"),
}


def warden_toml(setup: Setup, document: Document, *, own: bool) -> tuple[Document, Export]:
    """``document`` with the setup in it, and that as an export.

    ``own``: it is the file that the setup was read from. Raises Refusal ``not_exportable`` where a
    lane of another file would be left to Pi, and whatever an edit raises that cannot be made.
    """
    before = document
    document = begun(document)
    if not own:
        document = _with_lanes(setup, _with_providers(setup, document))
    document = _with_concurrency(setup, document)
    document = document.with_text(with_header(document.text, words_of(setup), MARK))
    replaced = [
        f"The provider {one_line(one.name, 60)} that stood there was replaced."
        for one in (() if own else setup.used())
        if (known := before.config().provider(one.name)) is not None and known != one
    ]
    notes = [*replaced, *_told(setup, before, document)]
    if setup.variant == "stock":
        notes.append("Stock Warden reads the lanes here, and the providers in Pi's models.json.")
    export = Export("warden", document.text, "warden.toml", tuple(notes))
    return document, export


def _with_providers(setup: Setup, document: Document) -> Document:
    for provider in setup.used() or setup.providers:
        known = document.config().provider(provider.name)
        if known is None:
            document = add_provider(document, provider)
        elif known != provider:
            document = replace_provider(document, provider)
    return document


def _with_lanes(setup: Setup, document: Document) -> Document:
    """Every lane and effort written out, so that none depends on what else stands there."""
    now = resolve(document.config(), setup.variant, env={}).lanes
    for lane, selector in setup.lanes.items():
        if not selector:
            raise Refusal(
                Fault(
                    "not_exportable",
                    f"The {lane} lane is left to Pi.",
                    "A file that leaves a lane unset says nothing of where it goes.",
                    f"turnkey lane set {lane} PROVIDER/MODEL",
                )
            )
        if now[lane].selector != selector or now[lane].won_by != f"defaults.{lane}.model":
            name = next(one for one in ("agent", "auxiliary", "synthesis") if one == lane)
            document = set_lane(document, name, selector, default_model="move")
    for work, path in _EFFORTS.items():
        effort = setup.efforts.get(work)
        strict = work == "auxiliary" and setup.variant == "providers"  # no such key there
        if effort and not strict and value_at(document.data(), path) != effort:
            document = set_key(document, path, effort)
    return document


def _with_concurrency(setup: Setup, document: Document) -> Document:
    number = setup.concurrency
    if number is None or number == (document.config().concurrency or CONCURRENCY):
        return document
    return set_key(document, ("runner", "concurrency"), number)


def _told(setup: Setup, before: Document, after: Document) -> Iterator[str]:
    number = after.config().concurrency
    if number is not None and number != before.config().concurrency:
        yield f"runner.concurrency = {number}: as many requests at once as were borne."
    elif setup.concurrency is None:
        yield "runner.concurrency was left alone: how many are borne was not tried."
