"""Pi's ``models.json`` and ``auth.json``: one provider's entry, merged into what is there.

Shapes and rules: earendil-works/pi ``pi-coding-agent`` ``core/model-config`` (fields, defaults),
``core/resolve-config-value`` (``$NAME``), ``pi-ai`` ``providers/compat-schema`` (flags). Pi drops
the whole file over one wrong type, and ignores a misspelt flag in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import ConfigProblem, Fault, Refusal
from core.export.facts import described
from core.export.jsonc import Node, NotJson, parse, with_member
from core.export.setup import Export, Setup, base_of, with_header, words_of
from core.keys.environment import PLACEHOLDER, own_variables
from core.keys.headers import Variable, read_value
from core.providers.key_forms import is_variable_name
from core.text import one_line
from core.verify.compat import Compat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.export.setup import Learned
    from core.warden.config import ModelEntry, Provider

UNPROVEN: Final = Compat(
    supports_store=False,
    supports_developer_role=False,
    supports_reasoning_effort=False,
    supports_usage_in_streaming=True,
    max_tokens_field="max_completion_tokens",
    supports_strict_mode=False,
    supports_long_cache_retention=False,
)
"""The flags of a model that nobody probed: those that add nothing to a request."""


def provider_entry(setup: Setup, provider: Provider) -> dict[str, object]:
    """The value of ``providers.<name>``: what Pi needs to reach it, with the key by name alone."""
    entry: dict[str, object] = {
        "baseUrl": base_of(provider).url,
        "api": "openai-completions",
        "apiKey": key_reference(setup, provider),
    }
    if provider.headers:
        entry["headers"] = dict(provider.headers)
    entry["models"] = [
        _model(model, setup.learned.get(f"{provider.name}/{model.id}")) for model in provider.models
    ]
    return entry


def key_reference(setup: Setup, provider: Provider) -> str:
    """``$NAME`` of the variable that holds the key; a lower-case word for a keyless server.

    ``<N>_API_KEY`` and not ``WARDEN_<N>_API_KEY``: Warden copies the one to the other at its start
    (getsentry/warden ``utils/index.ts``), and Pi alone reads the plain one, too.
    """
    if provider.name in setup.keyless and not provider.api_key_env:
        return PLACEHOLDER
    return f"${key_variable(provider)}"


def header_variables(provider: Provider) -> tuple[str, ...]:
    """The variables that a provider's headers read, which Pi needs beside the key's."""
    found = [
        piece.name
        for value in provider.headers.values()
        for piece in read_value(value, {}) or ()
        if isinstance(piece, Variable)
    ]
    return tuple(dict.fromkeys(found))


def key_variable(provider: Provider) -> str:
    """The variable that an exported ``models.json`` reads.

    Raises Refusal ``not_exportable`` where ``apiKeyEnv`` is no variable's name; it may be a key.
    """
    named = provider.api_key_env
    if named and not is_variable_name(named):
        raise Refusal(
            Fault(
                "not_exportable",
                f"What {one_line(provider.name, 60)} has for apiKeyEnv is no variable's name.",
                "It is not shown here, since it may be a key.",
                "Write the name of a variable there, or leave it out.",
            )
        )
    return named or own_variables(provider.name)[1]


def models_json(setup: Setup, existing: str = "") -> Export:
    """``models.json`` with the setup's providers, merged into ``existing``.

    What else stands there keeps every byte; a provider of the same name is replaced whole, since
    half an entry of somebody's and half of ours would be nobody's.

    Raises:
        ConfigProblem: ``existing`` is no JSON as Pi reads it; the fix names the place.
        Refusal: a base URL cannot be exported.
    """
    text = existing
    replaced = []
    chosen = setup.used() or setup.providers
    try:
        known = parse(existing).get("providers") if existing.strip().strip("\ufeff") else None
        for provider in chosen:
            if known is not None and known.get(provider.name) is not None:
                replaced.append(provider.name)
            path = ("providers", provider.name)
            text = with_member(text, path, provider_entry(setup, provider))
    except NotJson as wrong:
        raise _unreadable("models.json", wrong) from wrong
    if not text.endswith("\n"):
        text += "\n" if not existing or existing.endswith("\n") else ""
    # A comment is fine for Pi, and keeps the word where the file goes; one of ours is renewed.
    text = with_header(text, words_of(setup), MARK)
    notes = [
        "Give stock Warden the folder of this file in PI_CODING_AGENT_DIR (else ~/.pi/agent).",
        *(f"The entry {name} that stood there was replaced." for name in replaced),
    ]
    unproven = [
        f"{provider.name}/{model.id}"
        for provider in chosen
        for model in provider.models
        if f"{provider.name}/{model.id}" not in setup.learned
    ]
    if unproven:
        notes.append(
            f"Compatibility of {_few(unproven)} was not probed: the flags that add nothing."
        )
    keys = [key_variable(one) for one in chosen if key_reference(setup, one).startswith("$")]
    headers = [name for one in chosen for name in header_variables(one)]
    variables = tuple(dict.fromkeys([*keys, *headers]))
    return Export("pi", text, "models.json", tuple(notes), variables)


def auth_json(setup: Setup, existing: str = "") -> Export:
    """``auth.json`` with each key as ``$NAME``: a stored key owns its provider for Pi.

    Raises ConfigProblem when ``existing`` is no JSON.
    """
    text = existing
    names = []
    for provider in setup.used() or setup.providers:
        reference = key_reference(setup, provider)
        try:
            text = with_member(text, (provider.name,), {"type": "api_key", "key": reference})
        except NotJson as wrong:
            raise _unreadable("auth.json", wrong) from wrong
        if reference.startswith("$"):
            names.append(reference[1:])
    return Export("pi", text, "auth.json", (), tuple(dict.fromkeys(names)))


def lost_by(setup: Setup, existing: str, *, auth: bool = False) -> tuple[str, ...]:
    """The providers of a file of Pi's whose entry holds a key itself, which an export would lose.

    A reference (``$NAME``), a command and the placeholder can be had again, and do not count; nor
    does what the export says, too. ``auth``: it is ``auth.json``, where any other entry counts: a
    login of Pi's own stands nowhere else.
    """
    try:
        root = parse(existing) if existing.strip().strip("\ufeff") else None
    except NotJson:
        return ()  # merging says where it is wrong
    entries = root if auth or root is None else root.get("providers")
    lost = []
    for provider in setup.used() or setup.providers:
        node = None if entries is None else entries.get(provider.name)
        if node is None:
            continue
        found = node.get("key" if auth else "apiKey")
        key = None if found is None else found.data()
        if key == key_reference(setup, provider):
            continue
        other = auth and key is None
        literal = isinstance(key, str) and key != PLACEHOLDER and not key.startswith(("$", "!"))
        if literal or other:
            lost.append(one_line(provider.name, 60))
    return tuple(lost)


def is_current(setup: Setup, existing: str) -> bool:
    """Whether ``existing`` already says what would be exported."""
    try:
        known = parse(existing).get("providers") if existing.strip().strip("\ufeff") else None
    except NotJson:
        return False
    found = [
        (None if known is None else known.get(one.name), provider_entry(setup, one))
        for one in setup.used() or setup.providers
    ]
    return bool(found) and all(isinstance(a, Node) and a.data() == b for a, b in found)


def _model(model: ModelEntry, learned: Learned | None) -> dict[str, object]:
    facts = described(model)
    reasoning = facts.reasoning
    if learned is not None and learned.reasoning is not None:
        reasoning = learned.reasoning
    limit = facts.max_tokens
    if learned is not None and learned.max_tokens is not None:
        limit = min(limit, learned.max_tokens)
    blind = learned is not None and learned.image is False
    entry: dict[str, object] = {"id": model.id}
    if model.name and model.name != model.id:
        entry["name"] = model.name
    entry |= {
        "reasoning": reasoning,
        "input": [one for one in model.input if one != "image" or not blind] or ["text"],
        "contextWindow": facts.context_window,
        "maxTokens": limit,
    }
    if model.cost is not None:
        entry["cost"] = {
            "input": model.cost.input,
            "output": model.cost.output,
            "cacheRead": model.cost.cache_read,
            "cacheWrite": model.cost.cache_write,
        }
    if learned is not None and learned.thinking_level_map:
        entry["thinkingLevelMap"] = dict(learned.thinking_level_map)
    compat = UNPROVEN if learned is None else learned.compat
    entry["compat"] = compat.written()
    return entry


MARK: Final = "// turnkey: "


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(one_line(name, 80) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _unreadable(name: str, wrong: NotJson) -> ConfigProblem:
    return ConfigProblem(
        Fault(
            "config_unreadable",
            f"The existing {name} cannot be read: line {wrong.line}, column {wrong.column}.",
            f"There {one_line(wrong.why, 120)}; Pi would drop every provider of the file.",
            "Mend it there, or name another file with --output.",
        )
    )
