"""What is exported: providers, lanes and what was learned of them, without any key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from core.errors import Fault, Refusal, TurnkeyError
from core.providers.base_url import BaseUrl, read_base_url
from core.text import one_line
from core.verify.compat import Compat  # noqa: TC001 - msgspec reads the types at run time
from core.verify.receipt import LANES, Standing
from core.warden.config import ModelEntry, Provider, Variant, split_selector

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from core.warden.lanes import LaneReport

Target = Literal["warden", "pi", "stock-env", "github", "ml-intern", "gateway", "guidellm"]
TARGETS: Final[dict[str, str]] = {
    "warden": "warden.toml: providers, lanes, effort, runner.concurrency",
    "pi": "Pi's models.json, merged into an existing one",
    "stock-env": "the environment that stock Warden reads beside models.json",
    "github": "a GitHub Actions workflow with secrets by name",
    "ml-intern": "the environment and selector of ml-intern",
    "gateway": "the environment of an LLM gateway (Centaur)",
    "guidellm": "a GuideLLM command line, for load beyond one request",
}
"""Target name -> what it is, in the order in which people are shown them."""


class Learned(msgspec.Struct, frozen=True):
    """What verification found of one model; nothing of it is a guess by name."""

    compat: Compat
    thinking_level_map: dict[str, str | None] = {}
    reasoning: bool | None = None
    max_tokens: int | None = None
    """Where answers were seen to end, in tokens: below the limit that the file declares."""
    image: bool | None = None
    """False: images are declared, and were refused."""


class Setup(msgspec.Struct, frozen=True):
    """One setup, as every exporter takes it."""

    variant: Variant
    providers: tuple[Provider, ...]
    """In the file's order, as the lanes see them."""
    lanes: dict[str, str | None]
    """agent, auxiliary, synthesis -> selector; None is left to Pi."""
    efforts: dict[str, str | None]
    standing: Standing
    """Of its verification, for this variant."""
    dialects: dict[str, str] = {}
    """Provider -> dialect, as far as a receipt or discovery knows."""
    learned: dict[str, Learned] = {}
    """Selector -> what was found."""
    keyless: frozenset[str] = frozenset()
    """Providers on this machine without any key: they get the placeholder."""
    concurrency: int | None = None
    """Requests at once that the endpoint was seen to bear."""
    overrides: tuple[str, ...] = ()
    """Selectors that skills and triggers name for themselves."""

    def used(self) -> tuple[Provider, ...]:
        """The providers that a lane, a skill or a trigger uses, in the file's order."""
        selectors = (*self.lanes.values(), *self.overrides)
        names = {selector.partition("/")[0] for selector in selectors if selector}
        return tuple(one for one in self.providers if one.name in names)

    def chosen(self, lane: str) -> tuple[Provider, ModelEntry]:
        """Provider and model of a lane.

        Raises Refusal ``not_exportable`` where the lane names none that is declared.
        """
        selector = self.lanes.get(lane)
        parts = split_selector(selector or "")
        provider = next((one for one in self.providers if parts and one.name == parts[0]), None)
        if parts is None or provider is None:
            raise Refusal(
                Fault(
                    "not_exportable",
                    f"The {lane} lane is on none of your providers.",
                    "It is left to Pi." if not selector else "Its selector names no provider here.",
                    "turnkey lane set all PROVIDER/MODEL",
                )
            )
        model = next((one for one in provider.models if one.id == parts[1]), None)
        return provider, model or ModelEntry(parts[1])


class Export(msgspec.Struct, frozen=True):
    """One exported text, and what to say about it."""

    target: Target
    text: str
    """Ends in a line feed. No key is in it."""
    suggested: str
    """The usual name of the file; empty for a text that is no file."""
    notes: tuple[str, ...] = ()
    """What a person must do or know, in words."""
    variables: tuple[str, ...] = ()
    """Variables that must hold a key where the text is used."""


def read_setup(
    report: LaneReport,
    providers: Collection[Provider],
    standing: Standing,
    *,
    learned: Mapping[str, Learned],
    keyless: Collection[str],
    concurrency: int | None = None,
) -> Setup:
    """Put the setup together from what the lanes resolve to and from its receipt.

    ``learned`` is of fresh receipts; ``concurrency`` counts only where ``standing`` is fresh.
    """
    receipt = standing.receipt
    known = {} if receipt is None else {one.provider: one.dialect for one in receipt.endpoints}
    return Setup(
        variant=report.variant,
        providers=tuple(providers),
        lanes={lane: report.lanes[lane].selector for lane in LANES},
        efforts={name: choice.effort for name, choice in report.efforts.items()},
        standing=standing,
        dialects={name: dialect for name, dialect in known.items() if dialect},
        learned=dict(learned),
        keyless=frozenset(keyless),
        concurrency=concurrency if standing.worth == "fresh" else None,
        overrides=tuple(one.selector for one in report.overrides),
    )


def words_of(setup: Setup) -> tuple[str, ...]:
    """What an export says of its verification, for formats that have comments.

    One line each, whatever a receipt says: it lies in a folder where others may write.
    """
    return tuple(one_line(word) for word in _words(setup))


def _words(setup: Setup) -> tuple[str, ...]:
    standing = setup.standing
    receipt = standing.receipt
    run = f"Run turnkey verify{_option(setup)}."
    if standing.verified and receipt is not None:
        return (
            f"Verified by turnkey {receipt.turnkey} on {receipt.at[:10]}: all lanes, live.",
            "A receipt is a record of that day, not a proof.",
        )
    if receipt is None:
        return (f"NOT VERIFIED: nobody has tried this setup. {run}",)
    if standing.worth == "stale":
        why = standing.fault.what if standing.fault is not None else "Its receipt is stale."
        return (f"NOT VERIFIED: {why} {run}",)
    failed = sorted({one.probe for one in receipt.verdicts if one.verdict == "fail"})
    if failed:
        return (f"NOT VERIFIED: on {receipt.at[:10]} these failed: {', '.join(failed)}.",)
    if receipt.escapes:
        gone = ", ".join(sorted({f"{one.code} {one.lane}" for one in receipt.escapes}))
        return (f"NOT VERIFIED: a lane leaves your servers: {gone}.",)
    return (f"NOT VERIFIED: not every lane has passed its trials. {run}",)


def with_header(text: str, words: Sequence[str], mark: str) -> str:
    """``text`` under turnkey's own comment lines; older ones of turnkey at its head go."""
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    while lines and lines[0].startswith(mark):
        lines.pop(0)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    header = "".join(f"{mark}{one_line(word, 160)}{newline}" for word in words)
    return bom + header + "".join(lines)


def refuse_unverified(setup: Setup, *, unverified: bool) -> None:
    """A setup that nobody saw work leaves only when that is meant.

    Raises Refusal ``not_verified`` (exit code 1).
    """
    standing = setup.standing
    if standing.verified or unverified:
        return
    fault = standing.fault
    why = fault.why if fault is not None else words_of(setup)[0]
    what = fault.what if fault is not None else "This config is not verified."
    raise Refusal(
        Fault(
            "not_verified",
            what,
            why,
            f"Run «turnkey verify{_option(setup)}» first, or export it as it is with --unverified.",
        )
    )


def _option(setup: Setup) -> str:
    return " --variant stock" if setup.variant == "stock" else ""


def base_of(provider: Provider) -> BaseUrl:
    """The provider's address, read exactly as it stands.

    Raises Refusal ``not_exportable`` when it is no address, or holds a login.
    """
    try:
        return read_base_url(provider.base_url, exact=True)
    except TurnkeyError as error:
        fault = error.fault
        raise Refusal(
            Fault(
                "not_exportable",
                f"The base URL of {provider.name} cannot be exported.",
                f"{fault.what} {fault.why}".strip(),
                fault.fix,
            )
        ) from error
