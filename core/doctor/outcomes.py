"""What each rung's answer amounts to: evidence in words, or the fault that it means. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.discover.elsewhere import cloud_by_name, goes_elsewhere, staying
from core.errors import Fault
from core.keys.environment import PLACEHOLDER
from core.live.events import Answer, Headers, Reasoning, ToolPiece
from core.live.remarks import CUT_IN_THOUGHT
from core.live.words import rate
from core.providers.presets import preset
from core.target import told_of_key
from core.text import one_line
from core.wire.bodies import is_html
from core.wire.unreached import proxy_shown

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.discover.facts import Discovery, Model
    from core.keys.secret import Secret
    from core.keys.source import KeySource
    from core.live.events import Event
    from core.live.ping import Run
    from core.providers.base_url import BaseUrl
    from core.wire.client import Reply

KEY_CODES: Final = frozenset({"key_refused", "key_missing", "key_bound_elsewhere", "keyring"})
_PAST_THE_KEY: Final = frozenset({"path_wrong", "bad_shape", "server_error", "upstream"})
"""What a list says only to somebody whose key was let in, where it is 401 without one."""
_STREAM_CODES: Final = frozenset(
    {"stream_broken", "empty_answer", "wrong_answer", "wrong_model", "too_large"}
)
_WORTH_TELLING: Final = frozenset({"buffered", CUT_IN_THOUGHT, "thinking_in_answer"})


# ---------------------------------------------------------------------------- url to http


def url_words(base: BaseUrl) -> str:
    """The address as read, and what was changed in it."""
    changed = f" ({' '.join(base.changes)})" if base.changes else ""
    warned = "".join(f" ▲ {warning}" for warning in base.warnings)
    return f"{base.url}{changed}{warned}"


def way_words(base: BaseUrl, proxy: str | None, address: str | None) -> tuple[str, str]:
    """What was seen of name and TCP; through a proxy both are the proxy's, and it is said.

    ``address`` is the one that was connected to; None: there was no connection.
    """
    if proxy is not None:
        shown = proxy_shown(proxy)
        name = f"left to the proxy {shown}" + (f", which is at {address}" if address else "")
        if base.scheme == "http" and not proxy.startswith("socks"):
            return name, f"the proxy {shown} takes connections; {base.host_port} is its to reach"
        return name, f"the proxy {shown} opened a way to {base.host_port}"
    named = f" at {address}" if address and address != base.host else ""
    is_name = not (base.host.replace(".", "").isdigit() or ":" in base.host)
    found = (address or "it resolves") if is_name else f"{base.host} is an address"
    return found, f"port {base.port} is open{named}"


def http_words(reply: Reply) -> str:
    """The status, and who says that he answers."""
    server = reply.headers.get("server", "")
    by = f", by {one_line(server, 60)}" if server else ""
    return f"status {reply.status}{by}"


def is_login_page(reply: Reply) -> bool:
    """A web page with a status that says all is well."""
    return 200 <= reply.status < 300 and is_html(reply.headers, reply.body)


# ---------------------------------------------------------------------------- server to models


def server_words(found: Discovery) -> str:
    """The kind of server and its version."""
    label = preset(found.endpoint.dialect).label
    if found.endpoint.dialect == "generic":
        return "no known mark: taken for an OpenAI-compatible server"
    version = f" {one_line(found.endpoint.version, 40)}" if found.endpoint.version else ""
    return f"{label}{version}"


def key_fault(
    found: Discovery, missing: Fault | None, source: KeySource | None = None
) -> Fault | None:
    """Why the key rung breaks; None when it does not.

    ``missing`` is why turnkey has no key to show: it says more than the server can.
    """
    if found.error is not None and found.error.code in KEY_CODES:
        return missing if missing is not None else told_of_key(found.error, source)
    return missing


def key_decided(found: Discovery, first: Reply) -> bool:
    """Whether the list shows that the key, or none, is let in.

    ``first`` is the reply to the same question without a key.
    """
    if found.error is None:
        return True
    return first.status == 401 and found.error.code in _PAST_THE_KEY


def key_words(first: Reply, key: Secret | None, source: str) -> str:
    """How the key fared; ``first`` is the reply to the same question without one."""
    real = key is not None and bool(key) and key.reveal() != PLACEHOLDER
    of = f" ({one_line(source, 80)})" if source and real else ""
    if not real:
        return "none is asked for"
    if 200 <= first.status < 300:
        return f"the list is open to anyone: whether the key{of} counts, the chat shows"
    return f"the key{of} is taken; without it came {first.status}"


def models_fault(found: Discovery, base: BaseUrl, *, typed: bool) -> Fault | None:
    """Why the models rung breaks; None when it does not.

    An address that was typed may turn out to be a near one; one out of the file is used by Warden
    as it stands, so that a near one that answers is the fix and not a success.
    """
    if found.error is not None:
        return found.error
    if typed or found.endpoint.base_url == base.url:
        return None
    there = found.endpoint.base_url
    return Fault(
        "path_wrong",
        f"{base.url} is not where the models are.",
        f"{there} answers, and Warden uses the base URL exactly as it stands.",
        f"Set baseUrl to {there}.",
    )


def models_words(found: Discovery, base: BaseUrl, asked: str | None) -> str:
    """How many are listed, and what about the one that was asked for."""
    chat = sum(1 for model in found.models if model.kind in {"chat", "unknown"})
    count = len(found.models)
    words = f"{count} model{'' if count == 1 else 's'}"
    if chat != count:
        words += f", {chat} for chat"
    if not found.models:
        words = "none are listed; one may be served all the same"
    elif asked is not None and all(model.id != asked for model in found.models):
        words += f"; «{one_line(asked, 80)}» is not among them"
    if found.endpoint.base_url != base.url:
        words += f" ▲ at {found.endpoint.base_url}: use that as the base URL"
    return words


def choose_model(
    found: Discovery, asked: str | None, declared: Collection[str]
) -> tuple[str | None, str]:
    """The model to ask, and why that one; None, and why none.

    The one that was named; else a declared one that is listed; else one that is loaded, so that
    nothing is loaded for a check alone; else the first that can chat. Nothing is sent, unless it
    is named, to a model that runs elsewhere than on its server.
    """
    if asked is not None:
        return asked, ""
    usable = _usable(found)
    near = staying(usable)
    for model in near:
        if model.id in declared:
            return model.id, ""
    away = {model.id for model in found.models if goes_elsewhere(model)}
    own = [one for one in declared if one not in away and not cloud_by_name(one)]
    if own:  # Warden will ask it, listed or not
        return own[0], ""
    if declared:
        return None, _leaving(next(iter(declared)), "which is declared")
    if not near:
        if usable:
            return None, _leaving(usable[0].id, "like each model here that can chat")
        return None, "there is no chat model to ask; name one with --model"
    loaded = [model for model in near if model.value("loaded") is True]
    chosen: Model = (loaded or near)[0]
    if len(usable) == 1:
        return chosen.id, ""
    return chosen.id, f" (one of {len(usable)}{', loaded already' if loaded else ''})"


def _usable(found: Discovery) -> list[Model]:
    """The models that can be asked: what can chat, and is no entry of a proxy's pattern."""
    chat = (model for model in found.models if model.kind in {"chat", "unknown"})
    return [one for one in chat if "wildcard" not in one.facts and "*" not in one.id]


def _leaving(model_id: str, which: str) -> str:
    named = one_line(model_id, 60)
    return (
        f"nothing was sent: «{named}», {which}, runs elsewhere than on this server; "
        f"--model {named} asks it all the same"
    )


def no_model(found: Discovery, base: BaseUrl) -> Fault | None:
    """Why nothing can be asked of a server that lists all it has; None where it need not."""
    kind = preset(found.endpoint.dialect)
    if not kind.lists_all or _usable(found):
        return None
    what = f"{kind.label} at {base.host_port} lists no model that can chat."
    if found.models:
        why = "All that it lists are for embedding, ranking, sound or pictures, or are patterns."
    else:
        why = "Its list of models is empty."
    return Fault("model_unknown", what, why, kind.get_model)


# ---------------------------------------------------------------------------- chat and stream


class Begun:
    """How far an answer has come, event by event."""

    def __init__(self) -> None:
        self._accepted = False
        self._text = False

    def take(self, event: Event) -> bool:
        """True once, when the first piece of an answer is there."""
        if isinstance(event, Headers):
            kind = event.headers.get("content-type", "")
            self._accepted = 200 <= event.status < 300 and "json" not in kind
        elif isinstance(event, Answer | Reasoning | ToolPiece) and not self._text:
            self._text = True
            return True
        return False

    def refused(self, run: Run) -> bool:
        """Whether the failed run was turned down as a request, and not lost on the way back."""
        code = run.error.code if run.error is not None else None
        return not (self._text or (self._accepted and code in {*_STREAM_CODES, "timeout"}))


def nothing_shown(run: Run) -> Fault | None:
    """The output limit was used up and nothing at all was seen; None where something was."""
    if run.works is not None or run.answer.strip() or run.reasoning.strip() or run.tool_calls:
        return None
    return Fault(
        "empty_answer",
        "The model used its whole output limit, and no text came.",
        "It thinks without showing it, or the server drops what it writes.",
        "Switch thinking off or lower its effort, or check the server's reasoning parser.",
    )


def stream_words(run: Run) -> str:
    """What came and how fast, and the first thing to know about it."""
    figures = run.figures
    said = one_line(run.answer, 40) or ("thinking alone" if run.reasoning else "no text")
    words = f"«{said}»" if run.answer else said
    if figures.first_token_s is not None:
        words += f", first token after {figures.first_token_s:.2f} s"
    if figures.answer_tokens_per_s is not None:
        words += f", {rate(figures.answer_tokens_per_s).strip()}"
    for warning in run.warnings:
        if warning.code in _WORTH_TELLING:
            return f"{words} ▲ {warning.message}"
    return words
