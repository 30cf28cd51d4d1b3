"""Probes of single fields: ``store``, usage in the stream, caching, priority."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from core.verify.bench import USAGE
from core.verify.compat import Compat
from core.verify.probe import Probe
from core.verify.reading import Judged, knows_fields, prompt_tokens, read, silence, undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.verify.bench import Tape
    from core.verify.reading import Answers
    from core.verify.verdict import Subject


async def ask_field(change: Mapping[str, object], tape: Tape) -> None:
    """R0 with the field; refused, R0 after it; taken, the control beside it."""
    answered = await tape.ask("with", change)
    if answered.ok:
        await tape.control()
    else:
        await tape.confirm("with", change)


async def _ask_usage(tape: Tape) -> None:
    answered = tape.answers["with"] = await tape.usage()
    if not answered.ok:
        await tape.confirm("with", USAGE)


def _store(answers: Answers, _: Subject) -> Judged:
    reading = read(answers, "with")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False,
            "refused",
            f"store:false is refused ({reading.words}); without it the request is taken.",
            Compat(supports_store=False),
            cured=True,
            fix=_off("supportsStore: false", "drop_params: true"),
        )
    strict = knows_fields(answers)
    said = "store:false is taken."
    return Judged(
        True,
        "accepted" if strict else "ignored",
        f"{said} Unknown fields are refused here, so this one is known."
        if strict
        else silence(said) + " It does no harm.",
    )


def _usage(answers: Answers, _: Subject) -> Judged:
    reading = read(answers, "with")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False,
            "refused",
            f"stream_options is refused ({reading.words}).",
            Compat(supports_usage_in_streaming=False),
            cured=True,
            fix=_off("supportsUsageInStreaming: false", "drop_params: true"),
        )
    counted = prompt_tokens(answers["with"])
    if counted:
        unasked = bool(prompt_tokens(answers["before"]))
        asked = "whether asked for or not" if unasked else "once it is asked for"
        return Judged(
            True,
            "honoured",
            f"The stream counts {counted} prompt tokens, {asked}.",
            detail={"prompt_tokens": counted, "unasked": unasked},
        )
    return Judged(
        None,
        "ignored",
        "stream_options is taken, and no chunk holds a count of prompt tokens: Pi would show 0"
        " tokens and 0 cost, and notice a full context late.",
        fix="Switch usage in streams on in the server, or in the gateway before it.",
    )


def _priority(answers: Answers, _: Subject) -> Judged:
    reading = read(answers, "with")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False,
            "refused",
            f"priority is refused ({reading.words}).",
            fix="Leave vllmPriority unset.",
        )
    if knows_fields(answers):
        return Judged(
            True,
            "accepted",
            "priority is taken, and unknown fields are not.",
        )
    return Judged(
        None,
        "ignored",
        silence("priority is taken."),
        fix="Leave vllmPriority unset unless vLLM schedules by priority.",
    )


def _cache_key(answers: Answers, _: Subject) -> Judged:
    reading = read(answers, "with")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False,
            "refused",
            f"prompt_cache_key is refused ({reading.words}).",
            Compat(prompt_cache_key_mode="disabled"),
            cured=True,
            fix="Leave PI_CACHE_RETENTION unset, or set promptCacheKeyMode: disabled.",
        )
    strict = knows_fields(answers)
    return Judged(
        True if strict else None,
        "accepted" if strict else "ignored",
        "prompt_cache_key is taken, and unknown fields are not."
        if strict
        else silence("prompt_cache_key is taken.") + " Whether it helps does not show.",
    )


def _retention(answers: Answers, _: Subject) -> Judged:
    reading = read(answers, "with")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False,
            "refused",
            f"prompt_cache_retention is refused ({reading.words}).",
            Compat(supports_long_cache_retention=False),
            cured=True,
            fix="Leave PI_CACHE_RETENTION unset, or set supportsLongCacheRetention: false.",
        )
    strict = knows_fields(answers)
    return Judged(
        True if strict else None,
        "accepted" if strict else "ignored",
        "prompt_cache_retention is taken, and unknown fields are not."
        if strict
        else silence("prompt_cache_retention is taken."),
    )


async def _ask_cache_control(tape: Tape) -> None:
    """A long prompt twice without Anthropic's marker, then twice with it."""
    number = tape.bench.system()["content"]
    long_text = f"{number} " + "The keeper lights the lamp at dusk and trims the wick. " * 200
    for name, marker in (("unmarked", None), ("marked", {"type": "ephemeral"})):
        text = f"{name}. {long_text}"
        part: dict[str, object] = {"type": "text", "text": text}
        if marker is not None:
            part["cache_control"] = marker
        messages = tape.bench.plain()["messages"]
        assert isinstance(messages, list)  # noqa: S101  # it is made so
        change = {"messages": [{"role": "system", "content": [part]}, messages[-1]]}
        await tape.ask(name, change)
        if not tape.answers[name].ok:
            await tape.confirm(name, change)
            return
        await tape.ask(f"{name} again", change)


def _cached(answers: Answers, name: str) -> int:
    one = answers.get(name)
    return 0 if one is None or one.usage is None else one.usage.cached_tokens or 0


def _cache_control(answers: Answers, _: Subject) -> Judged:
    first = "unmarked" if not answers["unmarked"].ok else "marked"
    reading = read(answers, first)
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        return Judged(
            False,
            "refused",
            f"A system prompt of parts with cache_control is refused ({reading.words}).",
            fix="Leave cacheControlFormat unset.",
        )
    with_marker, without = _cached(answers, "marked again"), _cached(answers, "unmarked again")
    detail: dict[str, str | int | float | bool | None] = {
        "cached_with_marker": with_marker,
        "cached_without": without,
    }
    if with_marker and not without:
        return Judged(
            True,
            "honoured",
            f"With the marker {with_marker} prompt tokens came from the cache the second time,"
            " without it none.",
            Compat(cache_control_format="anthropic"),
            detail=detail,
        )
    same = "caches without being told" if without else "counts no cached tokens"
    return Judged(
        None,
        "ignored",
        f"The marker is taken and changes nothing: the server {same}.",
        fix="Leave cacheControlFormat unset.",
        detail=detail,
    )


def _off(flag: str, at_the_proxy: str) -> str:
    return (
        f"At a LiteLLM proxy set {at_the_proxy} for this model; else use Pi's own file, where"
        f" export pi writes {flag}."
    )


PROBES: Final = (
    Probe(
        "store",
        "Is store:false, which Pi always sends, taken?",
        ("supportsStore",),
        3,
        200,
        partial(ask_field, {"store": False}),
        _store,
    ),
    Probe(
        "usage",
        "Does the stream count its tokens when asked to?",
        ("supportsUsageInStreaming",),
        3,
        200,
        _ask_usage,
        _usage,
    ),
    Probe(
        "prompt-cache-key",
        "Is prompt_cache_key taken?",
        ("promptCacheKeyMode",),
        3,
        200,
        partial(ask_field, {"prompt_cache_key": "turnkey"}),
        _cache_key,
        optional=True,
    ),
    Probe(
        "cache-retention",
        "Is prompt_cache_retention taken, which Pi sends with PI_CACHE_RETENTION=long?",
        ("supportsLongCacheRetention",),
        3,
        200,
        partial(ask_field, {"prompt_cache_retention": "24h"}),
        _retention,
        optional=True,
    ),
    Probe(
        "cache-control",
        "Do Anthropic's cache markers make a long prompt cheaper?",
        ("cacheControlFormat",),
        5,
        10_000,
        _ask_cache_control,
        _cache_control,
        optional=True,
    ),
    Probe(
        "priority",
        "Is vLLM's priority taken?",
        ("vllmPriority",),
        3,
        200,
        partial(ask_field, {"priority": 1}),
        _priority,
        optional=True,
    ),
)
