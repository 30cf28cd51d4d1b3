"""What a run tells, in words and with the fix. Every remark is silent on a healthy stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from core.live.figures import RunWarning
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.live.counts import Usage
    from core.live.grade import Counts

CUT_IN_THOUGHT: Final = "thinking_used_budget"
"""The code of the remark that thinking used the whole output limit."""

# A call written out as text, as the templates of Qwen, Mistral, Llama, DeepSeek and others do.
_CALL_TEXT: Final = re.compile(
    r"(?:^|\n)\s*(?:<tool_call>|<function=|<function_call>|<\|tool_call|<\|python_tag\|>"
    r"|\[TOOL_CALLS\]|<｜tool▁calls▁begin｜>|<invoke\b)"
)
_CALL_JSON: Final = re.compile(
    r'^\s*(?:```(?:json)?\s*)?\{\s*"(?:name|function)"\s*:\s*"[^"]+"\s*,'
    r'\s*"(?:arguments|parameters)"\s*:',
)
_DATED: Final = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")


class Story(msgspec.Struct, frozen=True):
    """What the remarks are made from."""

    asked: str | None
    served: str | None
    finish: str | None
    ended: bool
    """The stream is over, without an error."""
    complete: bool
    counts: Counts
    usage: Usage | None
    thinking_events: int
    answer_events: int
    answered: bool
    """Answer text came that is more than blanks."""
    answer_head: str
    calls: int
    inline: bool
    """Thinking stood in the answer channel."""
    buffered: bool
    headers: dict[str, str] = {}
    """Of the reply, names in lower case."""


def fits(asked: str, served: str) -> bool:
    """Whether ``served`` is the model ``asked`` for, under one of the names it may answer by.

    The same id, with a revision (``id@main``: transformers serve), the default tag
    (``id:latest``: Ollama), a date (``id-2024-08-06``: hosted models), a file's ending
    (``id.gguf``: llama.cpp), or with or without the folder before its last ``/``.
    """
    wanted, got = asked.strip().lower(), served.strip().lower()
    if got == wanted or got.startswith(wanted + "@"):
        return True
    wanted, got = wanted.rpartition("/")[2], got.rpartition("/")[2].partition("@")[0]
    wanted = wanted.partition("@")[0]
    for ending in (":latest", ".gguf"):
        wanted, got = wanted.removesuffix(ending), got.removesuffix(ending)
    return wanted == got or _DATED.sub("", got) == wanted


def remarks(story: Story) -> tuple[RunWarning, ...]:
    """The remarks on one run, the weightiest first."""
    found: list[RunWarning] = []
    if story.asked and story.served and not fits(story.asked, story.served):
        found.append(_other_model(story.asked, story.served))
    if story.asked and not story.served and story.ended and story.complete:
        found.append(
            RunWarning(
                "served_model_unknown",
                "The server does not say which model answered.",
                "Nothing shows that it was the chosen one: look at the server's own log.",
            )
        )
    if story.ended:
        found += _about_the_answer(story)
    if story.buffered:
        found.append(
            RunWarning(
                "buffered",
                "The whole answer came in one burst at the end: something on the way collects it.",
                f"{buffering_fix(story.headers)} Rates are withheld.",
            )
        )
    if story.inline:
        found.append(
            RunWarning(
                "thinking_in_answer",
                "The thinking stands inside the answer, between tags.",
                "Let the server part it: vLLM and SGLang --reasoning-parser, llama.cpp"
                " --reasoning-format auto (not none, and with --jinja), LM Studio's switch for"
                " reasoning_content; LiteLLM without merge_reasoning_content_in_choices.",
            )
        )
    if story.ended and story.complete:
        found += _about_the_counts(story)
    return tuple(found)


_PROXIES: Final = (
    # by words of the headers server, via and x-powered-by; each with the switch of its manual
    ("nginx", "nginx: proxy_buffering off; in its location, and gzip off for text/event-stream."),
    ("openresty", "nginx: proxy_buffering off; in its location, and gzip off."),
    ("apache", "Apache: flushpackets=on on its ProxyPass, and no mod_deflate for it."),
    ("caddy", "Caddy: flush_interval -1 in reverse_proxy, and no encode for it."),
    ("cloudflare", "Cloudflare: send Cache-Control: no-transform, so that it does not collect."),
    ("envoy", "Envoy: take the buffer and compressor filters off its route."),
    ("traefik", "Traefik: take the buffering and compress middlewares off its router."),
    ("varnish", "Varnish: set beresp.do_stream = true for it."),
    ("squid", "Squid: take it out of the way of the server (NO_PROXY)."),
)


def buffering_fix(headers: Mapping[str, str]) -> str:
    """Which setting lets a stream through, by what the reply's headers say stands in between."""
    if headers.get("content-encoding", "identity") not in {"", "identity"}:
        return "Switch compression of text/event-stream off in the proxy: it collects to compress."
    said = " ".join(headers.get(name, "") for name in ("server", "via", "x-powered-by")).lower()
    for word, fix in _PROXIES:
        if word in said:
            return f"Switch buffering off in {fix}"
    if "content-length" in headers:
        return (
            "The reply has a Content-Length: the server or a gateway wrote it whole before it"
            " sent it. Let it stream (no response cache, no fake streaming)."
        )
    return (
        "Switch buffering off in the proxy (nginx: proxy_buffering off; gateways that compress or"
        " cache: not for text/event-stream)."
    )


def _other_model(asked: str, served: str) -> RunWarning:
    return RunWarning(
        "served_other_model",
        f"Asked for «{one_line(asked, 80)}», but «{one_line(served, 80)}» answered.",
        "The server ignores or maps the model id: choose the id that it serves.",
    )


def _about_the_answer(story: Story) -> list[RunWarning]:
    found: list[RunWarning] = []
    empty = not story.answered and not story.calls
    thought = story.thinking_events > 0 or story.counts.hidden
    if empty and story.finish == "length":
        # An empty answer at the limit without a word of thinking is thinking that is not shown.
        total = story.counts.total
        amount = f" of {total} tokens" if total else ""
        seen = "Thinking used" if thought else "Something that is not shown used"
        found.append(
            RunWarning(
                CUT_IN_THOUGHT,
                f"{seen} the whole output limit{amount}; there was none left for the answer.",
                "Raise the output limit (--max-tokens), lower the effort, or switch thinking off.",
            )
        )
    elif empty and story.complete:
        found.append(
            RunWarning(
                "empty_answer",
                "The model stopped without an answer."
                if thought
                else "The stream held no text at all.",
                "Check the server's chat template and reasoning parser: the answer may be taken"
                " for thinking."
                if thought
                else "Check that the base URL has its /v1, and that the prompt fits the context.",
            )
        )
    if not story.calls and (
        _CALL_TEXT.search(story.answer_head) or _CALL_JSON.match(story.answer_head)
    ):
        found.append(
            RunWarning(
                "tool_call_as_text",
                "The model wrote a tool call as text, and the server did not recognise it.",
                "Let the server read calls: vLLM --enable-auto-tool-choice and"
                " --tool-call-parser, SGLang --tool-call-parser, llama.cpp --jinja.",
            )
        )
    return found


def _about_the_counts(story: Story) -> list[RunWarning]:
    counts = story.counts
    if counts.hidden:
        return [
            RunWarning(
                "hidden_thinking",
                f"The server counts {counts.thinking} tokens of thinking and shows none of it.",
                "Time to first token holds the thinking. To see it, let the server or gateway"
                " pass reasoning on.",
            )
        ]
    if counts.total is None:
        if not story.thinking_events and not story.answer_events:
            return []
        return [
            RunWarning(
                "no_usage",
                "The server sent no token counts, so all counts and rates are estimates.",
                "Let the server or gateway answer stream_options.include_usage.",
            )
        ]
    if not story.thinking_events and not story.answer_events:
        return []  # told by the answer that is missing
    if counts.unexplained > 0:
        return [
            RunWarning(
                "usage_disagrees",
                f"The server counts {counts.total} tokens, about {counts.unexplained} more than"
                " the text that came can hold.",
                "Thinking may be hidden, text lost on the way, or the gateway counts with"
                " another tokenizer.",
            )
        ]
    if counts.unexplained < 0:
        return [
            RunWarning(
                "usage_disagrees",
                f"The server counts {counts.total} tokens, about {-counts.unexplained} fewer than"
                " came.",
                "The gateway may estimate, or count with another tokenizer; trust its costs"
                " as little.",
            )
        ]
    return []
