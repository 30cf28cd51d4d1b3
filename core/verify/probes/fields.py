"""Probes of single fields: ``store``, usage in the stream, caching, priority."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from core.verify.bench import BOGUS, USAGE
from core.verify.compat import Compat
from core.verify.probe import Probe
from core.verify.reading import Judged, knows_fields, prompt_tokens, read, silence, undecided

if TYPE_CHECKING:
    from core.verify.bench import Tape
    from core.verify.reading import Answers
    from core.verify.verdict import Subject


async def ask_field(name: str, value: object, bogus: object, tape: Tape) -> None:
    """R0 with the field; taken, the control beside it, and a value that it cannot have."""
    change = {name: value}
    if (await tape.ask("with", change)).ok:
        await tape.control()
        odd = {name: bogus}
        await tape.ask("bogus", odd)
        await tape.confirm("bogus", odd)
    else:
        await tape.confirm("with", change)


def _known(name: str, answers: Answers) -> str:
    """How it shows that a field is read that is taken; empty: it does not."""
    if knows_fields(answers):
        return "Unknown fields are refused here, so this one is known."
    bogus = read(answers, "bogus")
    if bogus.state == "refused" and name in bogus.words:
        return f"A value that it cannot have is refused by its name ({bogus.words})."
    return ""


def _judge(name: str, refused: Judged, harmless: str, answers: Answers, _: Subject) -> Judged:
    """The judge of one field: ``refused`` is what a refusal means; ``harmless``, what it does
    where nothing shows that it is read, and then it is all right to send it; else unsure."""
    reading = read(answers, "with")
    if reading.state == "unclear":
        return undecided(reading)
    if reading.state == "refused":
        text = f"{name} is refused ({reading.words}); without it the request is taken."
        return msgspec.structs.replace(refused, works=False, finding="refused", text=text)
    known = _known(name, answers)
    if known:
        return Judged(True, "accepted", f"{name} is taken. {known}")
    text = silence(f"{name} is taken.")
    if harmless:
        return Judged(True, "ignored", f"{text} {harmless}")
    return Judged(None, "ignored", f"{text} Whether it helps does not show.", fix=refused.fix)


async def _ask_usage(tape: Tape) -> None:
    answered = tape.answers["with"] = await tape.usage()
    if not answered.ok:
        await tape.confirm("with", USAGE)


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


_STORE: Final = Judged(
    False,
    "refused",
    "",
    Compat(supports_store=False),
    cured=True,
    fix=_off("supportsStore: false", "drop_params: true"),
)
_CACHE_KEY: Final = Judged(
    False,
    "refused",
    "",
    Compat(prompt_cache_key_mode="disabled"),
    cured=True,
    fix="Leave PI_CACHE_RETENTION unset, or set promptCacheKeyMode: disabled.",
)
_RETENTION: Final = Judged(
    False,
    "refused",
    "",
    Compat(supports_long_cache_retention=False),
    cured=True,
    fix="Leave PI_CACHE_RETENTION unset, or set supportsLongCacheRetention: false.",
)
_PRIORITY: Final = Judged(
    False, "refused", "", fix="Leave vllmPriority unset unless vLLM schedules by priority."
)


def _field_probe(
    probe: str,
    question: str,
    flag: str,
    field: tuple[str, object, object],
    refused: Judged,
    harmless: str = "",
) -> Probe:
    """The probe of one field; ``field``: its name, a value as Pi sends it, one it cannot have."""
    name, value, bogus = field
    return Probe(
        probe,
        question,
        (flag,),
        5,
        350,
        partial(ask_field, name, value, bogus),
        partial(_judge, name, refused, harmless),
        optional=not harmless,
    )


PROBES: Final = (
    _field_probe(
        "store",
        "Is store:false, which Pi always sends, taken?",
        "supportsStore",
        ("store", False, BOGUS),
        _STORE,
        "It does no harm.",
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
    _field_probe(
        "prompt-cache-key",
        "Is prompt_cache_key taken?",
        "promptCacheKeyMode",
        ("prompt_cache_key", "turnkey", [BOGUS]),
        _CACHE_KEY,
    ),
    _field_probe(
        "cache-retention",
        "Is prompt_cache_retention taken, which Pi sends with PI_CACHE_RETENTION=long?",
        "supportsLongCacheRetention",
        ("prompt_cache_retention", "24h", BOGUS),
        _RETENTION,
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
    _field_probe(
        "priority",
        "Is vLLM's priority taken?",
        "vllmPriority",
        ("priority", 1, BOGUS),
        _PRIORITY,
    ),
)
