"""What is wrong with ``[defaults.providers]``: what zod lets pass and Pi or a person trips over.

Source: getsentry/warden pull request 416, ``sdk/runtimes/custom-provider.ts`` (keys, preflight);
pi-coding-agent ``core/resolve-config-value.ts`` (header values), ``core/model-registry.ts``
(registration), ``models.js`` of pi-ai (the unit of costs).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from core.errors import UsageProblem
from core.providers.base_url import BaseUrl, read_base_url
from core.providers.hosted import PI_CREDENTIALS, label
from core.providers.key_forms import may_be_key
from core.providers.names import env_stem, name_fault, name_warnings
from core.text import one_line, shell_word
from core.warden.chains import FILE_RULES, file_value, overrides
from core.warden.config import Config, ModelEntry, Provider, Variant, split_selector
from core.warden.findings import DROPS, FAILS, REFUSES, Finding, Path, Severity
from core.warden.secrets import bare_address, is_secret, is_secret_name

if TYPE_CHECKING:
    from core.errors import Fault

_BLOCK: Final = ("defaults", "providers")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE: Final = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_ENDPOINT: Final = re.compile(
    r"/(?:chat/completions|completions|responses|messages|models|embeddings|chat)/?$"
)
_PER_TOKEN: Final = 0.001
"""US dollars per million tokens below which a cost was probably meant per token."""
_THINKING_TOKENS: Final = 16384
_SPECIAL: Final = frozenset({"http", "https", "ws", "wss", "ftp"})


def provider_findings(
    config: Config,
    data: Mapping[str, object],
    variant: Variant,
    env: Mapping[str, str],
    keyed: Collection[str] = (),
) -> Iterator[Finding]:
    """Every finding about the provider block that the schema alone does not give."""
    defaults = data.get("defaults")
    block = defaults.get("providers") if isinstance(defaults, Mapping) else None
    if not isinstance(block, Mapping) or not block:
        return
    if variant == "stock":
        yield Finding(
            "providers_dropped",
            "warning",
            _BLOCK,
            "Stock Warden does not know [defaults.providers].",
            DROPS,
            "Write the provider into Pi's models.json, which stock Warden reads.",
        )
    if config.defaults.runtime == "claude":
        keyed = block.keys()  # the preflight runs for Pi alone
    used = _used(config, env)
    for provider in config.providers:
        others = [one.name for one in config.providers if one.name != provider.name]
        yield from _name_findings(provider.name, others, variant)
        raw = block.get(provider.name)
        base = _base(provider.base_url)
        if provider.base_url or (isinstance(raw, Mapping) and raw.get("baseUrl") == ""):
            yield from _url_findings((*_BLOCK, provider.name, "baseUrl"), provider.base_url, base)
        yield from _key_findings(
            provider, base, env, variant, used=provider.name in used, kept=provider.name in keyed
        )
        yield from _header_findings(provider, env, _others_keys(provider, config))
        yield from _model_findings(provider, raw)


def _used(config: Config, env: Mapping[str, str]) -> frozenset[str]:
    selectors = [file_value(config.defaults, rule) for rule in FILE_RULES]
    selectors += [one.selector for one in overrides(config, "repo")]
    selectors.append(env.get("WARDEN_MODEL"))
    return frozenset(parts[0] for one in selectors if (parts := split_selector(one or "")))


# -- names -------------------------------------------------------------------------------------


def _name_findings(name: str, others: Collection[str], variant: Variant) -> Iterator[Finding]:
    path = (*_BLOCK, name)
    if name == "":
        severity: Severity = "warning" if variant == "stock" else "error"
        text = "A provider needs a name."
        yield Finding("provider_name", severity, path, text, REFUSES, "litellm")
        return
    fault = name_fault(name)
    if fault is not None:
        effect = "No lane reaches it as it is meant." if "/" in name else FAILS
        yield Finding("provider_name", "error", path, _text(fault), effect, fault.fix)
        return
    for warning in name_warnings(name, others):
        effect = "Warden accepts the name."
        yield Finding("provider_name", "warning", path, _text(warning), effect, warning.fix)


def _text(fault: Fault) -> str:
    return f"{fault.what} {fault.why}".strip()


# -- addresses ---------------------------------------------------------------------------------


def _base(text: str) -> BaseUrl | None:
    """The address as Warden uses it, or None when it is no good."""
    try:
        return read_base_url(text, exact=True)
    except UsageProblem:
        return None


def _url_findings(path: Path, text: str, base: BaseUrl | None) -> Iterator[Finding]:
    scheme = _SCHEME.match(text.strip())
    tail = text.strip()[scheme.end() :] if scheme else ""
    shape = "Write it like http://localhost:4000/v1."
    if scheme is None:
        yield Finding(
            "base_url", "error", path, "baseUrl is not a URL: it has no scheme.", REFUSES, shape
        )
        return
    name = scheme[1].lower()
    if name not in _SPECIAL and not tail.startswith("//"):
        # The URL parser takes «localhost:» for a scheme, so Warden lets it pass.
        host = one_line(scheme[1], 40)
        text_ = f"baseUrl has no scheme: «{host}:» is read as one, and the host is empty."
        yield Finding("base_url_scheme", "error", path, text_, FAILS, shape)
        return
    if name not in {"http", "https"}:
        text_ = f"baseUrl has the scheme {one_line(name, 20)}; only http and https work."
        yield Finding("base_url_scheme", "error", path, text_, FAILS, shape)
        return
    authority = re.split(r"[/?#\\]", tail.lstrip("/\\"), maxsplit=1)[0]
    if "@" in authority:
        text_ = "baseUrl has a user name or password in it."
        effect = "Every reader of the file has it, and Node's fetch refuses such a URL."
        fix = f"The address alone is {one_line(bare_address(text), 120)}."
        yield Finding("base_url_credentials", "error", path, text_, effect, fix)
        return
    if "?" in tail or "#" in tail:
        text_ = "baseUrl has a query or fragment; Pi adds the chat path behind it."
        yield Finding("base_url_query", "error", path, text_, FAILS, "Cut it off after the path.")
        return
    if base is None:
        yield Finding("base_url", "error", path, "baseUrl is not a URL.", REFUSES, shape)
        return
    if _ENDPOINT.search(base.path):
        text_ = "baseUrl ends in an endpoint; Pi adds /chat/completions to it."
        fix = _ENDPOINT.sub("", base.url)
        yield Finding("base_url_path", "error", path, text_, FAILS, fix)
    elif not base.path:
        text_ = "baseUrl has no path; most servers answer under /v1."
        effect = "Pi asks <baseUrl>/chat/completions."
        yield Finding("base_url_path", "note", path, text_, effect, f"{base.url}/v1")
    for warning in base.warnings:
        yield Finding("base_url_host", "warning", path, warning, "Warden uses it as it is.")


# -- keys --------------------------------------------------------------------------------------


def _key_findings(
    provider: Provider,
    base: BaseUrl | None,
    env: Mapping[str, str],
    variant: Variant,
    *,
    used: bool,
    kept: bool,
) -> Iterator[Finding]:
    name, path = one_line(provider.name, 60), (*_BLOCK, provider.name)
    stem = env_stem(provider.name)
    own = (f"WARDEN_{stem}_API_KEY", f"{stem}_API_KEY")
    variable = provider.api_key_env
    if variable is not None:
        yield from _key_name_findings((*path, "apiKeyEnv"), variable, own)
        if may_be_key(variable):
            return
    candidates = (variable,) if variable else own
    if variant == "stock" or kept or any(env.get(one) for one in candidates):
        return
    wanted, word = one_line(candidates[0], 60), shell_word(name)
    if base is not None and base.loopback:
        yield Finding(
            "keyless_loopback",
            "note",
            path,
            f"{name} is on this machine and has no key. Warden allows that; Pi 0.78 does not "
            "register a provider without one.",
            FAILS,
            f"turnkey run and turnkey env put a placeholder into {wanted}.",
        )
        return
    empty = [one for one in candidates if one in env]
    seen = f"{one_line(empty[0], 60)} is empty" if empty else f"{wanted} is not set"
    only = ", and no other variable is looked at (apiKeyEnv)" if variable else ""
    if used:
        text = f"{name} has no key in this environment: {seen}{only}."
    else:
        text = f"{name} is used by no lane and has no key in this environment: {seen}{only}."
    yield Finding(
        "key_missing" if used else "key_missing_unused",
        "warning",
        path,
        text,
        "Warden checks every provider of the file before it works, and stops.",
        f"turnkey keys set {word}" if used else f"Remove {name}, or turnkey keys set {word}.",
    )


def _key_name_findings(path: Path, variable: str, own: tuple[str, ...]) -> Iterator[Finding]:
    if may_be_key(variable):
        return  # named as a secret in the file already, without the value
    if not _VARIABLE.fullmatch(variable):
        text = "apiKeyEnv must be the name of a variable, never a key."
        fix = own[0] if _VARIABLE.fullmatch(own[0]) else ""
        yield Finding("api_key_env", "error", path, text, "No shell can export that name.", fix)
    elif variable not in own:
        text = f"The key comes from {one_line(variable, 60)}, a variable of another name."
        effect = "Its value is sent to this provider."
        fix = f"See that it is meant for it; {own[0]} is the usual name."
        yield Finding("api_key_env_other", "note", path, text, effect, fix)


# -- headers -----------------------------------------------------------------------------------


def _others_keys(own: Provider, config: Config) -> dict[str, str]:
    """Variables that hold somebody else's key, and whose: hosted services', other providers'."""
    found = {
        variable: label(service)
        for service, sets in PI_CREDENTIALS.items()
        for variable in (name for names in sets for name in names)
    }
    found |= {f"WARDEN_{variable}": whose for variable, whose in found.items()}
    for other in config.providers:
        if other.name == own.name or _origin(other) == _origin(own):
            continue
        stem = env_stem(other.name)
        usual = (f"WARDEN_{stem}_API_KEY", f"{stem}_API_KEY")
        # Warden copies WARDEN_<X>_API_KEY to <X>_API_KEY.
        named = other.api_key_env or ""
        copied = named.removeprefix("WARDEN_") if named.endswith("_API_KEY") else named
        for variable in (named, copied) if named else usual:
            found[variable] = f"the provider {one_line(other.name, 60)}"
    stem = env_stem(own.name)
    mine = own.api_key_env or f"WARDEN_{stem}_API_KEY"
    return {variable: whose for variable, whose in found.items() if variable != mine}


def _origin(provider: Provider) -> str:
    try:
        return read_base_url(provider.base_url, exact=True).origin
    except UsageProblem:
        return provider.base_url


def _header_findings(
    provider: Provider, env: Mapping[str, str], others: Mapping[str, str]
) -> Iterator[Finding]:
    for header, value in provider.headers.items():
        path = (*_BLOCK, provider.name, "headers", header)
        name = one_line(header, 60)
        if value.startswith("!"):
            yield Finding(
                "header_command",
                "error",
                path,
                f"Danger: Pi runs the value of the header {name} as a shell command.",
                "Whoever wrote this file runs commands where Warden runs. turnkey never does.",
                "Remove it unless you wrote it yourself.",
            )
            continue
        if is_secret(value, path):
            continue  # named as a secret already; what Pi would fill in is a piece of it
        names = [one or other for one, other in _REFERENCE.findall(value.replace("$$", ""))]
        # What turnkey run would set counts as set.
        sent = names or ([value] if env.get(value) or value in others else [])
        foreign = next((variable for variable in sent if variable in others), None)
        if foreign is not None:
            whose = others[foreign]
            text = f"The header {name} carries {foreign}, the key of {whose}."
            effect = f"Pi sends it to {one_line(provider.base_url.split('@')[-1], 80)}."
            fix = "Remove it, or name a variable of this provider's own."
            yield Finding("header_foreign_key", "error", path, text, effect, fix)
        elif names:
            listed = ", ".join(dict.fromkeys(names))
            text = f"Pi puts the variable {listed} into the header {name}."
            effect = f"Its value is sent to {one_line(provider.base_url.split('@')[-1], 80)}."
            yield Finding("header_variable", "note", path, text, effect)
        elif value and env.get(value):
            text = (
                f"The header {name} holds the name of a variable that is set; Pi sends its value."
            )
            fix = f"${one_line(value, 60)} says the same openly."
            yield Finding("header_variable", "note", path, text, "This form is deprecated.", fix)
        elif is_secret_name(header) and value and len(value) < 8:
            text = f"The header {name} usually holds a key."
            fix = "Write $NAME, and keep the key in the environment."
            yield Finding("header_literal", "warning", path, text, "It is sent as written.", fix)


# -- models ------------------------------------------------------------------------------------


def _model_findings(provider: Provider, raw: object) -> Iterator[Finding]:
    entries = raw.get("models") if isinstance(raw, Mapping) else None
    if not isinstance(entries, list):
        return
    read = {entry.id: entry for entry in provider.models}
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        identifier = entry.get("id") if isinstance(entry, Mapping) else None
        if not isinstance(identifier, str) or identifier not in read:
            continue
        path = (*_BLOCK, provider.name, "models", index)
        if identifier in seen:
            text = f"{one_line(identifier, 80)} is listed twice."
            yield Finding("duplicate_model", "warning", path, text, "The later entry wins.")
        seen.add(identifier)
        yield from _cost_findings(path, entry)
        yield from _limit_findings(path, read[identifier])


def _cost_findings(path: Path, entry: Mapping[str, object]) -> Iterator[Finding]:
    cost = entry.get("cost")
    if not isinstance(cost, Mapping):
        return
    for field, value in cost.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if 0 < value < _PER_TOKEN:
            yield Finding(
                "cost_per_token",
                "warning",
                (*path, "cost", str(field)),
                f"{one_line(str(field), 40)} looks like a price per token; Pi counts US dollars "
                "per million tokens.",
                "Costs are shown a million times too low.",
                f"{one_line(str(field), 40)} = {value * 1_000_000:g}",
            )


def _limit_findings(path: Path, entry: ModelEntry) -> Iterator[Finding]:
    limit = entry.max_tokens if entry.max_tokens is not None else 8192
    if entry.reasoning and limit < _THINKING_TOKENS:
        text = f"{one_line(entry.id, 80)} thinks, and may write {limit} tokens in all."
        effect = "A reply that is cut at the limit is a failed call."
        fix = f"maxTokens = {_THINKING_TOKENS}, if the server grants it."
        yield Finding("max_tokens_low", "note", (*path, "maxTokens"), text, effect, fix)
    window = entry.context_window
    if window is not None and entry.max_tokens is not None and entry.max_tokens > window:
        text = f"{one_line(entry.id, 80)} has maxTokens above its contextWindow."
        fix = "maxTokens is a part of the window."
        yield Finding("max_tokens_high", "warning", (*path, "maxTokens"), text, FAILS, fix)
