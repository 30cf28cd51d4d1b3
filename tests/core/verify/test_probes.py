"""Every probe against models of known habits: driven to pass, to fail and to unsure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest

from core.providers.base_url import read_base_url
from core.verify.bench import Bench
from core.verify.courtesy import Courtesy
from core.verify.exchange import HttpLine
from core.verify.probe import run_probe
from core.verify.registry import compat_probes, probes_named
from core.verify.verdict import Subject, Verdict
from core.wire.bounds import Bounds
from core.wire.client import open_client
from tests.core.verify import cases_of_requests, cases_of_talks
from tests.core.verify.habits import Case, bad_effort, effort_means
from tests.servers.fake_model import CHAT, FakeModel, fake_server
from tests.servers.scripted import error_reply, in_turn

if TYPE_CHECKING:
    from core.verify.probe import Probe

BOUNDS: Final = Bounds(connect_s=5, first_byte_s=5, silence_s=5)
CASES: Final = (*cases_of_requests.CASES, *cases_of_talks.CASES)


async def verdict_of(probe: str, model: FakeModel, subject: Subject) -> Verdict:
    """What a probe finds of a model."""
    async with fake_server(model) as server:
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=None) as client:
            line = HttpLine(client, base, BOUNDS, courtesy=Courtesy(patience_s=0))
            bench = Bench(line, subject)
            verdict = await run_probe(probes_named([probe])[0], subject, line, bench=bench)
        assert verdict.requests == len(server.requests)
        return verdict


def case_id(case: Case) -> str:
    return f"{case.probe}-{case.variant}-{case.verdict}-{case.finding}"


@pytest.mark.parametrize("case", CASES, ids=case_id)
async def test_a_probe_finds_what_the_model_does(case: Case) -> None:
    assert case.variant in {"providers", "stock"}
    subject = Subject(
        "p", "m", variant="stock" if case.variant == "stock" else "providers", facts=case.facts
    )
    verdict = await verdict_of(case.probe, case.model(), subject)
    assert (verdict.verdict, verdict.finding) == (case.verdict, case.finding), verdict.evidence.text
    assert tuple(sorted(verdict.learned.items())) == case.learned
    assert verdict.evidence.text
    assert verdict.evidence.exchanges
    assert bool(verdict.fix) <= (verdict.verdict != "pass")
    assert verdict.fix or verdict.verdict != "fail"


def test_every_probe_is_driven_to_pass_fail_and_unsure() -> None:
    for probe in compat_probes(optional=True):
        seen = {case.verdict for case in CASES if case.probe == probe.name}
        assert seen == {"pass", "fail", "unsure"}, probe.name


@pytest.mark.parametrize(
    "probe", [one.name for one in compat_probes(optional=True) if not one.bare]
)
async def test_where_the_plain_request_fails_nothing_is_asked_and_nothing_decided(
    probe: str,
) -> None:
    model = FakeModel(refuses={"No connected db.": lambda _: True})
    verdict = await verdict_of(probe, model, Subject("p", "m"))
    assert (verdict.verdict, verdict.finding) == ("unsure", "not_asked")
    assert "No connected db." in verdict.evidence.text


async def test_a_server_that_fails_once_at_the_first_request_spoils_no_probe() -> None:
    async def at_once(_seconds: float) -> None:
        """No wait is waited."""

    async with fake_server(FakeModel()) as server:
        server.routes = {
            **server.routes,
            CHAT: in_turn(error_reply(502, "bad gateway"), server.routes[CHAT]),
        }
        base = read_base_url(server.base_url)
        async with open_client(base, BOUNDS, key=None) as client:
            line = HttpLine(client, base, BOUNDS, courtesy=Courtesy(sleep=at_once))
            subject = Subject("p", "m")
            bench = Bench(line, subject)
            found = [
                await run_probe(one, subject, line, bench=bench)
                for one in probes_named(["stream", "store"])
            ]
        assert sum(one.requests for one in found) == len(server.requests)
    assert [one.verdict for one in found] == ["pass", "pass"]
    assert "It failed before (502)." in found[0].evidence.text


@pytest.mark.parametrize("probe", compat_probes(optional=True), ids=lambda one: one.name)
async def test_the_estimate_covers_what_a_good_model_is_asked(probe: Probe) -> None:
    verdict = await verdict_of(
        probe.name,
        FakeModel(thinks=effort_means, refuses={"one of": bad_effort}),
        Subject("p", "m"),
    )
    # two plain requests are the bench's own, and a refusal costs a repetition
    assert verdict.requests <= probe.requests + 3


async def test_probes_at_once_find_the_same_and_share_what_they_can() -> None:
    probes = compat_probes()

    async def found(*, at_once: bool) -> tuple[dict[str, str], int, int]:
        model = FakeModel(thinks=effort_means, refuses={"one of": bad_effort})
        async with fake_server(model) as server:
            base = read_base_url(server.base_url)
            async with open_client(base, BOUNDS, key=None) as client:
                subject = Subject("p", "m")
                line = HttpLine(client, base, BOUNDS, courtesy=Courtesy(4))
                bench = Bench(line, subject)
                asked = [run_probe(one, subject, line, bench=bench) for one in probes]
                if at_once:
                    verdicts = await asyncio.gather(*asked)
                else:
                    verdicts = [await one for one in asked]
            told = sum(one.requests for one in verdicts)
            return {one.probe: one.finding for one in verdicts}, told, len(server.requests)

    one_by_one, told, sent = await found(at_once=False)
    together, told_together, sent_together = await found(at_once=True)
    assert together == one_by_one
    assert told == sent == told_together == sent_together
