"""What an error reply means, cause by cause: each judge knows one, and decides on plain data.

The texts are those of BerriAI/litellm (``proxy/_types.py``, ``exception_mapping_utils.py``,
``router.py``), vllm-project/vllm, ggml-org/llama.cpp (``server-common.cpp``), ollama/ollama
(``server/routes.go``), sgl-project/sglang and LM Studio, of 2025 and 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.text import one_line
from core.wire.gates import judge_gate, judge_pages, wordless

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.errors import Fault
    from core.wire.seen import Seen


def judge(seen: Seen) -> Fault:
    """The fault that an error reply means. There always is one: the last resort is its status."""
    for one in _JUDGES:
        fault = one(seen)
        if fault is not None:
            return fault
    return _rest(seen)


# Each judge looks for one cause and gives None where it does not see it. The order matters:
# what is quoted from behind a proxy is told apart before what the proxy says itself.


def _judge_parameters(seen: Seen) -> Fault | None:
    """A field, tool or image that is refused; some servers say so with 500."""
    if seen.has("max_tokens", "max_completion_tokens") and seen.has("cannot be greater than"):
        return seen.fault(
            "parameter_refused",
            "The output limit is larger than the model allows.",
            "Lower max_tokens below the limit that the server names.",
        )
    if seen.has("unsupportedparamserror", "does not support parameters"):
        return seen.fault(
            "parameter_refused",
            "The proxy refuses a field of the request.",
            "Set drop_params: true in LiteLLM's litellm_settings, or leave the field out.",
        )
    if seen.has("enable-auto-tool-choice", "--tool-call-parser", "--jinja flag"):
        return seen.fault(
            "parameter_refused",
            "The server was started without tool calling.",
            "Start it with the option that it names; Warden's agent needs tools.",
        )
    if seen.has("does not support tools", "failed to parse tools", "unable to generate parser"):
        return seen.fault(
            "parameter_refused",
            "The model, or its template, does not take these tools.",
            "Choose a model with tool calling.",
        )
    if seen.has("mmproj", "multimodal model", "image input is not supported"):
        return seen.fault(
            "parameter_refused",
            "The model takes no images.",
            "Choose a model that sees images, or leave image input off.",
        )
    if seen.status in {400, 422, 500} and seen.has(
        "jinja", "chat template", "system message must be", "unexpected message role", "raise_exce"
    ):
        return seen.fault(
            "parameter_refused",
            "The model's chat template refuses the order or the roles of the messages.",
            "Use a newer template (--chat-template-file), or switch the developer role off.",
        )
    return None


def _judge_overflow(seen: Seen) -> Fault | None:
    # text-generation-inference: «`inputs` tokens + `max_new_tokens` must be <= 4096»
    tgi = seen.has("must be <=", "must have less than") and seen.has("`inputs`")
    if not tgi and not seen.has(
        "contextwindowexceeded",
        "context_length_exceeded",
        "exceed_context_size",
        "maximum context length",
        "exceeds the available context size",
        "context size has been exceeded",
        "model's context length",
        "context the overflows",
        "reached context length",
        "prompt is too long",
        "input is too long",
    ):
        return None
    return seen.fault(
        "context_overflow",
        "The prompt does not fit the model's context window.",
        "Serve the model with a larger window, choose another, or send less.",
    )


def _judge_model(seen: Seen) -> Fault | None:
    if not 400 <= seen.status < 500 or seen.status in {401, 403, 408, 429}:
        return None
    named = re.search(
        r"\bmodel\b.{0,200}?(not found|not exist|not a valid|not available|not supported)",
        seen.text,
        re.DOTALL,
    )
    if not named and not seen.has(
        "invalid model name passed",
        "no healthy deployments",
        "model_not_found",
        "unknown model",
        "server is pinned to",
        "no models loaded",
        "no endpoints found",
        "not a valid model",
        "try pulling it first",
    ):
        return None
    asked = f" «{one_line(seen.model, 80)}»" if seen.model else ""
    if seen.error.upstream and not _is_named(seen.model, seen.words):
        return seen.fault(
            "upstream",
            f"The proxy knows the model{asked}, but the server behind it does not.",
            "Whoever runs the proxy corrects that model's name in its configuration.",
        )
    if seen.has("no models loaded"):
        fix = "Load a model in LM Studio, or let it load models when they are asked for."
    elif seen.has("no healthy deployments"):
        fix = "Pick another model, or have the proxy's operator bring that one back."
    else:
        fix = "Pick one from the list (turnkey models). With Ollama, pull it first."
    return seen.fault("model_unknown", f"{seen.at} has no model{asked}.", fix)


def _judge_upstream_key(seen: Seen) -> Fault | None:
    if seen.status not in {401, 403} or not (seen.error.upstream or seen.error.group):
        return None
    adapter = one_line(seen.error.upstream.replace("_", " "), 40)
    behind = f" ({adapter})" if adapter else ""
    return seen.fault(
        "upstream",
        f"Your key is fine; the server behind the proxy{behind} refuses the proxy's own key.",
        "Whoever runs the proxy corrects api_key of that model.",
    )


def _judge_key(seen: Seen) -> Fault | None:
    if seen.has("no_db_connection", "no connected db"):
        if not seen.keyed:
            return _missing(seen)
        return seen.fault(
            "key_refused",
            f"{seen.at} does not know this key.",
            "Use the proxy's master key, or give LiteLLM a database of keys.",
            "LiteLLM got a key that is not its master key and has no database of keys to look in.",
        )
    if seen.has("key_model_access_denied", "team_model_access_denied"):
        return seen.fault(
            "key_refused",
            "The key may not use this model.",
            "Pick a model that the key may use, or ask the proxy's operator.",
        )
    if seen.has("budget_exceeded", "exceededbudget", "budget has been exceeded", "over budget"):
        return seen.fault(
            "rate_limited", "The key's budget is spent.", "Ask the proxy's operator to raise it."
        )
    if seen.has("expired_key", "expired key"):
        return seen.fault("key_refused", "The key has expired.", "Have a new one made.")
    if seen.has("key is blocked"):
        fix = "Ask the proxy's operator to unblock it, or use another key."
        return seen.fault("key_refused", "The key is blocked.", fix)
    worded = seen.has(
        "invalid api key",
        "incorrect api key",
        "invalid_api_key",
        "token_not_found_in_db",
        "no api key passed",
        "api key not found",
        "api key not valid",
    )
    if seen.status == 401 or (worded and seen.status in {400, 403}):
        if not seen.keyed or seen.has("no api key passed"):
            return _missing(seen)
        return seen.fault(
            "key_refused",
            f"{seen.at} refuses the key.",
            "Check which variable supplied it, and that no space, quote or line break is in it.",
        )
    bare = seen.status == 500 and seen.error.message.lower() == "internal server error"
    if bare and not seen.keyed and seen.asks_litellm and not seen.error.type:
        return seen.fault(
            "key_missing",
            f"Most likely {seen.at} wants a key, and none was sent.",
            "Supply the key and ask again.",
            "LiteLLM without its database package answers a request without a key like that.",
        )
    return None


def _pause(headers: Mapping[str, str]) -> str:
    """Seconds that a reply asks to wait (RFC 9110, 10.2.3), as digits; empty for anything else.

    A header is a server's text: whatever is no number, a key that it repeats too, stays out.
    """
    for name in ("retry-after", "llm_provider-retry-after"):
        found = re.fullmatch(r"(\d{1,5})(?:\.\d{1,9})?", headers.get(name, "").strip(), re.ASCII)
        if found:
            return found[1]
    return ""


def _judge_busy(seen: Seen) -> Fault | None:
    if seen.status == 402:
        fix = "Add credit, or use another key."
        return seen.fault("rate_limited", "The account behind the key has no credit left.", fix)
    # «cooldown_list=[]» is LiteLLM's own limit (rpm, tpm) and nothing that failed before
    if seen.has("all_deployments_in_cooldown", "in cooldown", "cooldown_list=['"):
        pause = _pause(seen.headers) or "5"
        return seen.fault(
            "rate_limited",
            "The proxy has parked this model after an earlier failure.",
            f"Wait {pause} s and ask once more; that answer shows the cause.",
            "An earlier request to the server behind it failed, and LiteLLM holds back a while.",
        )
    limited = seen.has("no deployments available for selected model")
    if limited and seen.status in {400, 429, 500, 503}:
        return seen.fault(
            "rate_limited",
            "The proxy's own limit for this model is reached.",
            "Wait a minute, or have its operator raise rpm and tpm of that model.",
        )
    busy = seen.has("queue is full", "maximum pending requests", "server busy", "overloaded")
    if seen.status == 429 or (seen.status in {500, 503, 529} and busy):
        pause = _pause(seen.headers)
        wait = f" It asks to wait {pause} s." if pause else ""
        return seen.fault(
            "rate_limited",
            f"{seen.at} takes no more requests just now.{wait}",
            "Wait, and lower runner.concurrency in warden.toml if it comes again.",
        )
    return None


def _judge_loading(seen: Seen) -> Fault | None:
    if seen.has("failed to load"):
        fix = "Look at the server's log: memory, a damaged file, or a version that is too old."
        return seen.fault("server_error", "The server cannot load that model.", fix)
    if seen.has("loading model", "model is loading", "model is unloaded", "model limit reached"):
        if seen.error.upstream or seen.error.group or seen.has("litellm."):
            what = "The server behind the proxy is still loading the model."
            return seen.fault("loading", what, "Wait a little and ask again.")
        return seen.fault(
            "loading", f"{seen.at} is still loading the model.", "Wait a little and ask again."
        )
    return None


def _judge_time(seen: Seen) -> Fault | None:
    if seen.status not in {408, 504, 524}:
        return None
    if seen.has("litellm.timeout"):
        whose = "The limit is LiteLLM's own (timeout, request_timeout)."
    elif seen.error.html:
        whose = "The limit is a web proxy's in front of the server; its page came back."
    else:
        whose = seen.words or "The limit is that of something on the way."
    return seen.fault(
        "timeout",
        f"The {'model' if seen.model else 'server'} took longer than a limit on the way allows.",
        "Raise that limit, or use a model that answers sooner."
        if seen.model
        else "See that the server runs and is not busy; raise that limit if it needs the time.",
        whose,
    )


def _judge_path(seen: Seen) -> Fault | None:
    words = seen.error.message.strip().lower().rstrip(".")
    known = (
        seen.has("unexpected endpoint or method")  # LM Studio, with status 200
        or seen.status == 405
        or (seen.status == 404 and not seen.error.upstream)
        or (seen.status == 400 and words == "not found")
    )
    if not known:
        return None
    fix = "Correct the base URL: it should end in /v1, once."
    if seen.path.endswith("/v1") and seen.model is not None:
        fix = (
            "The base URL ends as it should: see whether the server is started with its chat API, "
            "and whether a proxy before it lets POST …/chat/completions through."
        )
    elif seen.path.count("/v1") == 1 and seen.path.endswith("/v1"):
        fix = "Correct the base URL: the API may stand below another path, or on another port."
    return seen.fault(
        "path_wrong",
        f"{seen.at} answers, but not at this path.",
        fix,
        seen.words or "There is no such path.",
    )


def _judge_upstream(seen: Seen) -> Fault | None:
    behind = seen.error.upstream or seen.error.group or seen.has("litellm.apiconnectionerror")
    gateway = seen.status in {502, 503}
    if not behind and not (gateway and seen.words):
        return None
    if seen.status < 500 and seen.status not in {404, 424}:
        return None
    if seen.has("connection error", "cannot connect to host"):
        what = "The proxy cannot reach the server behind it."
    elif seen.status == 404:
        what = "The proxy asks the server behind it at a wrong path."
    else:
        what = "The server behind the proxy failed."
    return seen.fault("upstream", what, "Whoever runs the proxy looks at its log and at api_base.")


_JUDGES: Final[tuple[Callable[[Seen], Fault | None], ...]] = (
    judge_gate,
    _judge_parameters,
    _judge_overflow,
    _judge_upstream_key,
    _judge_key,
    _judge_busy,
    _judge_loading,
    _judge_time,
    _judge_model,
    _judge_path,
    judge_pages,
    _judge_upstream,
)


def _rest(seen: Seen) -> Fault:
    """What no judge claimed."""
    if seen.status == 403:
        if not seen.words:
            return wordless(seen)
        if not seen.keyed:
            fix = "Store the key (turnkey keys set) or set its variable, if it wants one."
            return seen.fault("key_missing", f"{seen.at} does not allow this without a key.", fix)
        fix = "Ask who runs the server what this key may do."
        return seen.fault("key_refused", f"{seen.at} does not allow this (403).", fix)
    if seen.status in {400, 422}:
        return seen.fault(
            "parameter_refused",
            f"{seen.at} refuses the request ({seen.status}).",
            "Leave out or change what it names.",
        )
    how = "answers with an error (and status 200)" if seen.inside else f"failed ({seen.status})"
    return seen.fault(
        "server_error",
        f"{seen.at} {how}.",
        "Look at the server's log.",
        seen.words or "It gave no reason.",
    )


def _missing(seen: Seen) -> Fault:
    return seen.fault(
        "key_missing",
        f"{seen.at} wants a key, and none was sent.",
        "Store the key (turnkey keys set) or set its variable.",
    )


def _is_named(model: str | None, words: str) -> bool:
    """Whether an upstream's words name the model that was asked for (its id, or its last part)."""
    if not model:
        return True
    last = model.rsplit("/", maxsplit=1)[-1].lower()
    return re.search(rf"(?<![\w\-.]){re.escape(last)}(?![\w\-])", words.lower()) is not None
