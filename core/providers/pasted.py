"""What people paste where a base URL belongs: an assignment, an endpoint, a page of a dashboard.

Pure: text in, text out, with what was changed in words. Routes: BerriAI/litellm
``proxy/proxy_server.py``, ollama/ollama ``server/routes.go``, lmstudio-ai/docs ``1_developer``,
vllm-project/vllm ``entrypoints``, ggml-org/llama.cpp ``tools/server/server.cpp``.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

# What requests add to a base URL, longest first.
_ENDPOINTS: Final = (
    "/chat/completions/input_tokens",
    "/audio/transcriptions",
    "/images/generations",
    "/models/capabilities",
    "/messages/count_tokens",
    "/chat/completions",
    "/audio/speech",
    "/completions",
    "/moderations",
    "/embeddings",
    "/responses",
    "/messages",
    "/models",
    "/rerank",
)
# Pages and side doors of the known servers; the base is beside them, at /v1.
_SIDE_DOORS: Final = (
    "/api/v1/chat",
    "/api/v1/models/load",
    "/api/v1/models/unload",
    "/api/v1/models/download",
    "/api/v0/chat/completions",
    "/api/v0/completions",
    "/api/v0/embeddings",
    "/api/v0/models",
    "/api/v0",
    "/api/embeddings",
    "/api/generate",
    "/api/version",
    "/api/create",
    "/api/delete",
    "/api/embed",
    "/api/chat",
    "/api/copy",
    "/api/pull",
    "/api/push",
    "/api/show",
    "/api/tags",
    "/api/ps",
    "/.well-known/litellm-ui-config",
    "/utils/token_counter",
    "/health/readiness/details",
    "/health/liveliness",
    "/health/liveness",
    "/health/readiness",
    "/health/services",
    "/health_generate",
    "/health",
    "/get_server_info",
    "/get_model_info",
    "/model_group/info",
    "/apply-template",
    "/openapi.json",
    "/server_info",
    "/model_info",
    "/model/info",
    "/index.html",
    "/detokenize",
    "/completion",
    "/dashboard",
    "/tokenize",
    "/generate",
    "/v1/chat",
    "/swagger",
    "/version",
    "/metrics",
    "/redoc",
    "/props",
    "/slots",
    "/ready",
    "/login",
    "/docs",
    "/ping",
    "/load",
    "/ui",
)
_INSIDE: Final = re.compile(
    # A page below a dashboard, and LiteLLM's management routes; never what ends in /v1 itself.
    r"(?!.*/v1$)/(?:(?:ui|docs|swagger|dashboard|sso)/.+"
    r"|(?:key|user|team|customer|budget|organization|model)/"
    r"(?:generate|info|list|new|update|delete|block|unblock|daily/activity)"
    r"|(?:global/)?spend/[a-z_]+)$",
    re.IGNORECASE,
)
_ONE_MODEL: Final = re.compile(r"(?<=/v1)/models/.+$")
_ASSIGNED: Final = re.compile(
    r"(?:(?:export|set|setx|env)\s+)?\$?(?:env:)?[A-Za-z_][A-Za-z0-9_.-]*\s*=\s*"
)
_TRAILING: Final = re.compile(r"(?<![./])[.,;!)]+$")
_AROUND: Final = "(\"'<>`“”‘’"
_NATIVE: Final = re.compile(r"/api(?:/v[01])?$")
ELSEWHERE: Final = ("/api/v1", "/engines/v1", "/api")
"""Where the list is when it is at neither ``/v1`` nor the root: OpenRouter and Lemonade, Docker
Model Runner, Open WebUI."""


BIND: Final = "OLLAMA_HOST"
"""Where Ollama's server listens and its client asks, so that it may be no address to connect to."""


def client_address(text: str) -> str:
    """What ``OLLAMA_HOST`` holds, made an address to connect to.

    Scheme and port may be left out (11434 is meant then). ``0.0.0.0`` and ``::`` mean every
    interface to a server and this machine to a client. Upstream: ollama/ollama
    ``envconfig/config.go`` (``Host``), ``api/client.go``.
    """
    if "://" not in text:
        host = text.partition("/")[0]
        if not re.search(r":\d+$", host.rpartition("]")[2]):
            host += ":11434"
        text = f"http://{host}"
    return re.sub(r"(?<=://)(?:0\.0\.0\.0|\[::\])(?=[:/]|$)", "127.0.0.1", text)


def unwrapped(text: str, changes: list[str]) -> str:
    """A typed URL without what was copied along with it: ``VAR=``, quotes, a sentence's end."""
    typed = text.strip().strip(_AROUND).strip()
    assigned = _ASSIGNED.match(typed)
    if assigned and "/" not in assigned[0]:
        typed = typed[assigned.end() :].strip(_AROUND + ";").strip()
        variable = assigned[0].split("=")[0].strip()
        changes.append(f"«{variable}=» was cut.")
        if re.search(rf"\b{BIND}$", variable):
            asked = client_address(typed)
            changes += [f"«{typed}» was read as {asked}, as Ollama's client does."] * (
                asked != typed
            )
            typed = asked
    doubled = re.match(r"(?:https?://)+(?=https?://)", typed, re.IGNORECASE)
    if doubled:
        typed = typed[doubled.end() :]
        changes.append("A doubled scheme was undone.")
    ended = _TRAILING.search(typed)
    if ended and ended.start():
        typed = typed[: ended.start()]
        changes.append(f"«{ended[0]}» at the end was cut.")
    return typed.strip(_AROUND)


def is_pasted(path: str) -> bool:
    """Whether ``path`` (tidied) is an endpoint or a page, so that a query behind it means it."""
    return _door(path) is not None or _endpoint(path) is not None


def base_path(path: str, changes: list[str]) -> str:
    """The path of the base URL that ``path`` (tidied) belongs to. Adds to ``changes``."""
    door = _door(path)
    end = None if door else _endpoint(path)
    if end is not None:
        path = path.removesuffix(end)
        said = end if len(end) < 40 else end[:39] + "…"
        changes.append(f"{said} was cut: it is added to each request.")
        door = _door(path)
    if door is not None:
        path = path.removesuffix(door)
        said = door if len(door) < 40 else door[:39] + "…"
        changes.append(f"{said} was cut: it is not where requests go.")
        if not path.endswith("/v1"):
            path += "/v1"
    if path.endswith("/V1"):
        path = f"{path[:-3]}/v1"
        changes.append("/V1 was written small.")
    while path.endswith("/v1/v1"):
        path = path.removesuffix("/v1")
        changes.append("A doubled /v1 was undone.")
    if not path:
        path = "/v1"
        changes.append("/v1 was added.")
    return path


def other_paths(path: str, typed: str) -> list[str]:
    """Paths worth trying after ``path``, in that order; ``typed`` is what stood there at first.

    A path of somebody's own is kept: nothing above it is tried, so a wrong one comes to light.
    Only below ``/api``, where Ollama and LM Studio have an API of another kind, the usual place
    beside it is tried too.
    """
    others = [path.removesuffix("/v1")] if path.endswith("/v1") else [f"{path}/v1"]
    native = _NATIVE.search(path)
    if native:
        others.append(path[: native.start()] + "/v1")
    if path == "/v1":
        others += ELSEWHERE
    if typed and typed != path:
        others.append(typed)  # «/v1/v1» may be meant, however rarely
    return [other for other in dict.fromkeys(others) if other != path]


def tidy(path: str) -> str:
    """Slashes and dot segments as a URL parser leaves them, without a slash at the end."""
    kept: list[str] = []
    for part in path.split("/"):
        plain = part.replace("%2e", ".").replace("%2E", ".")
        if plain == "..":
            kept = kept[:-1]
        elif plain not in {"", "."}:
            kept.append(quote(part, safe="%!$&'()*+,;=:@~-._|[]"))
    return "".join(f"/{part}" for part in kept)


def _door(path: str) -> str | None:
    inside = _INSIDE.search(path)
    if inside:
        return inside[0]
    return next((door for door in _SIDE_DOORS if path.endswith(door)), None)


def _endpoint(path: str) -> str | None:
    one = _ONE_MODEL.search(path)
    if one:
        return one[0]
    return next((end for end in _ENDPOINTS if path.endswith(end)), None)
