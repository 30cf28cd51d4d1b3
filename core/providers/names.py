"""Names of providers: what selectors, environments and Pi make of them.

A provider's name is the prefix of every selector (``name/model``), and names the variable that
holds its key. Upstream: getsentry/warden ``sdk/runtimes/custom-provider.ts`` and
``model-selectors.ts``; the names that Pi keeps to itself: pi-ai ``providers``.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from core.errors import Fault
from core.providers.hosted import PI_CREDENTIALS
from core.providers.key_forms import looks_secret
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection

PI_BUILT_IN: Final = frozenset(
    {
        "amazon-bedrock",
        "anthropic",
        "azure-openai-responses",
        "cerebras",
        "deepseek",
        "fireworks",
        "github-copilot",
        "google",
        "google-antigravity",
        "google-gemini-cli",
        "google-vertex",
        "groq",
        "huggingface",
        "kimi-coding",
        "llama.cpp",
        "minimax",
        "minimax-cn",
        "mistral",
        "openai",
        "openai-codex",
        "opencode",
        "opencode-go",
        "openrouter",
        "vercel-ai-gateway",
        "xai",
        "zai",
    }
)
"""Ids of Pi's own providers. A provider of that name would replace all of Pi's models under it,
and Pi's own key variables for it would start to matter."""

_SNIFFED: Final = frozenset(PI_CREDENTIALS) - PI_BUILT_IN
_SNIFFED_PREFIX: Final = "cloudflare-"
# Pi changes wire details (token limit field, developer role, thinking format) for these ids:
# pi-ai api/openai-completions, detection by provider id.

_EVERY_OBJECTS: Final = frozenset(
    {
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "prototype",
        "toLocaleString",
        "toString",
        "valueOf",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
    }
)
"""Members of every JavaScript object (ECMA-262, Object.prototype): Warden and Pi keep providers in
objects, and find these where nothing was set. ``__proto__`` is worse: it cannot be set at all."""

_FALLBACK: Final = "provider"


def env_stem(name: str) -> str:
    """The ``<N>`` of ``WARDEN_<N>_API_KEY``: upper case, all but letters and digits become ``_``.

    ``lm-studio`` gives ``LM_STUDIO``, as getsentry/warden ``custom-provider.ts`` does.
    """
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def name_fault(name: str, taken: Collection[str] = ()) -> Fault | None:
    """Why ``name`` cannot be a provider's name, or None.

    ``taken`` are the names that the config has already; one of them gives code
    ``provider_exists``, everything else ``usage``. The fix offers the nearest good name.
    """
    shown = one_line(name, 60)
    instead = f"Use for example «{suggest_name(name)}»."
    if not name:
        return Fault("usage", "A provider needs a name.", fix="Use for example «litellm».")
    if "/" in name:
        why = "A selector is cut at its first «/», so Warden would never find this provider."
        return Fault("usage", f"The name «{shown}» has a «/» in it.", why, instead)
    if any(c.isspace() or unicodedata.category(c).startswith("C") for c in name):
        why = "Selectors and environment variables cannot carry it."
        return Fault("usage", f"The name «{shown}» has a space or control character.", why, instead)
    if name == "__proto__":
        why = "Warden is written in JavaScript, where that name cannot be set."
        return Fault("usage", f"The name «{shown}» cannot be used.", why, instead)
    if name in PI_BUILT_IN:
        why = "Warden's engine has a provider of that name; yours would replace all its models."
        return Fault("usage", f"The name «{shown}» belongs to the engine Pi.", why, instead)
    if name in taken:
        what = f"There is a provider «{shown}» already."
        return Fault("provider_exists", what, fix="Choose another name, or edit that one.")
    return None


def name_warnings(name: str, taken: Collection[str] = ()) -> tuple[Fault, ...]:
    """What is legal in ``name`` but will bite later. ``taken``: the config's other names."""
    suggested = suggest_name(name)
    stems = {env_stem(other) for other in taken if other != name}
    stems |= {env_stem(suggest_name(other)) for other in taken if other < name}
    number = 2
    while env_stem(suggested) in stems:
        suggested = f"{suggest_name(name)}{number}"
        number += 1
    instead = f"«{suggested}» has none of this trouble."
    found: list[Fault] = []

    def warn(what: str, why: str, fix: str = instead) -> None:
        found.append(Fault("usage", what, why, fix))

    if name != name.lower():
        warn("The name has capital letters.", "Selectors match letter by letter, capitals too.")
    if re.search(r"[^A-Za-z0-9_]", name):
        why = (
            f"Stock Warden reads WARDEN_{name.upper()}_BASE_URL, a name that no shell can export."
            if name.isascii()
            else f"Its key variable is WARDEN_{env_stem(name)}_API_KEY, which nobody will guess."
        )
        warn("The name has characters other than letters and digits.", one_line(why))
    if name[:1].isdigit():
        warn("The name begins with a digit.", f"{env_stem(name)}_API_KEY cannot be exported.")
    if name in _EVERY_OBJECTS:
        warn(
            f"Every object of JavaScript has a «{name}».",
            "Warden may find that one where it looks for a provider.",
        )
    if name in _SNIFFED or name.startswith(_SNIFFED_PREFIX):
        warn(
            f"Pi knows the name «{name}».",
            "It then speaks to this provider as it would to that service.",
        )
    stem = env_stem(name)
    if name not in PI_BUILT_IN and any(env_stem(own) == stem for own in PI_BUILT_IN):
        warn(
            f"The key variable {stem}_API_KEY is also read for a provider of Pi's own.",
            "A lane that nobody set may then run there, with your key.",
        )
    for other in taken:
        if other != name and env_stem(other) == stem:
            why = f"Both read WARDEN_{stem}_API_KEY, so they cannot have different keys."
            fix = f"Rename «{one_line(other, 60)}»." if name == suggest_name(name) else instead
            warn(f"«{one_line(other, 60)}» has the same key variable.", why, fix)
    return tuple(found)


def suggest_name(text: str) -> str:
    """The nearest good name to ``text``: ``[a-z][a-z0-9]*``, not one of Pi's.

    ``My GPU box`` gives ``mygpubox``; ``openrouter`` gives ``openroutergw``.
    """
    if looks_secret(text):
        return _FALLBACK  # a key where a name belongs: nothing of it is repeated
    folded = unicodedata.normalize("NFKD", text).lower()
    name = re.sub(r"[^a-z0-9]", "", folded).lstrip("0123456789")[:40] or _FALLBACK
    # Not the same id as one of Pi's, and not its key variable either.
    reserved = PI_BUILT_IN | _SNIFFED | _EVERY_OBJECTS
    return f"{name}gw" if name in reserved or name.startswith("cloudflare") else name


def default_name(preset_name: str, host: str) -> str:
    """The name a new provider gets: the preset's, or one made from the host's first label."""
    if preset_name:
        return preset_name
    try:
        return "local" if ip_address(host).is_loopback else _FALLBACK
    except ValueError:
        return "local" if host == "localhost" else suggest_name(host.split(".", maxsplit=1)[0])


def free_name(name: str, taken: Collection[str]) -> str:
    """``name``, with the first number behind it that makes it nobody's."""
    numbered = (f"{name}{number}" for number in range(2, 100))
    return next((one for one in (name, *numbered) if one not in taken), name)
