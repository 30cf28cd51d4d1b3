"""Pi's ``models.json`` and ``auth.json``: one provider's entry, merged into what is there.

Shapes and rules: earendil-works/pi ``pi-coding-agent`` ``core/model-config`` (fields, defaults),
``core/resolve-config-value`` (``$NAME``), ``pi-ai`` ``providers/compat-schema`` (flags). Pi drops
the whole file over one wrong type, and ignores a misspelt flag in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import ConfigProblem, Fault, Refusal
from core.export.facts import described
from core.export.jsonc import NotJson, parse, with_member
from core.export.pi_merge import Merge, holds_key, merge_entry
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
        _refuse_commands(provider)
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


def _refuse_commands(provider: Provider) -> None:
    """A header that is a command is Pi's to run for each request: no file of ours carries one on.

    ``warden.toml`` may be a stranger's, and Pi's files are read in every folder.
    """
    for header, value in provider.headers.items():
        if read_value(value, {}) is None:
            shown = one_line(header, 60)
            raise Refusal(
                Fault(
                    "not_exportable",
                    f"The header {shown} of {one_line(provider.name, 60)} is a command.",
                    "Pi would run it for each request, wherever it is started.",
                    "Put the value into a variable and write «$NAME».",
                )
            )


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


def models_json(setup: Setup, existing: str = "", *, replace: bool = False) -> Export:
    """``models.json`` with the setup's providers, merged into ``existing``.

    What the config does not speak of keeps every byte, in an entry of the same name, too; see
    :mod:`core.export.pi_merge`. ``replace``: such an entry becomes the config's alone.

    Raises:
        ConfigProblem: ``existing`` is no JSON as Pi reads it; the fix names the place.
        Refusal: a base URL cannot be exported.
    """
    text = existing
    replaced = []
    chosen = setup.used() or setup.providers
    try:
        for provider in chosen:
            entry, merge = provider_entry(setup, provider), _merge(setup, provider, existing)
            path: tuple[str | int, ...] = ("providers", provider.name)
            if merge is None or replace:
                text = with_member(text, path, entry)
                if merge is not None:
                    replaced.append(f"The entry {provider.name} that stood there was replaced.")
                continue
            for below, value in merge.edits:
                text = with_member(text, (*path, *below), value)
            replaced += _told(provider.name, merge)
    except NotJson as wrong:
        raise _unreadable("models.json", wrong) from wrong
    if not text.endswith("\n"):
        text += "\n" if not existing or existing.endswith("\n") else ""
    # A comment is fine for Pi, and keeps the word where the file goes; one of ours is renewed.
    text = with_header(text, words_of(setup), MARK)
    notes = [
        "Give stock Warden the folder of this file in PI_CODING_AGENT_DIR (else ~/.pi/agent).",
        *replaced,
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


def auth_json(setup: Setup, existing: str = "", *, replace: bool = False) -> Export:
    """``auth.json`` with each key as ``$NAME``: a stored key owns its provider for Pi.

    An entry that is there keeps what stands beside its key, unless it may be replaced.

    Raises ConfigProblem when ``existing`` is no JSON.
    """
    text = existing
    names = []
    for provider in setup.used() or setup.providers:
        reference = key_reference(setup, provider)
        entry = {"type": "api_key", "key": reference}
        try:
            root = parse(text) if text.strip().strip("\ufeff") else None
            node = None if root is None else root.get(provider.name)
            if replace or node is None or node.members is None:
                text = with_member(text, (provider.name,), entry)
            else:
                for field, value in entry.items():
                    if (known := node.get(field)) is None or known.data() != value:
                        text = with_member(text, (provider.name, field), value)
        except NotJson as wrong:
            raise _unreadable("auth.json", wrong) from wrong
        if reference.startswith("$"):
            names.append(reference[1:])
    return Export("pi", text, "auth.json", (), tuple(dict.fromkeys(names)))


def lost_by(setup: Setup, existing: str, *, auth: bool = False) -> tuple[str, ...]:
    """What of a file of Pi's an export would lose, in words that name it and show no value.

    A reference (``$NAME``) and the placeholder can be had again, and do not count; a key, the
    command that gets one, and what somebody set against what was found by requests do. ``auth``:
    it is ``auth.json``, where a login of Pi's own stands nowhere else.
    """
    lost: list[str] = []
    try:
        for provider in setup.used() or setup.providers:
            name = one_line(provider.name, 60)
            if not auth:
                merge = _merge(setup, provider, existing)
                lost += [f"{name}: {one}" for one in (() if merge is None else merge.lost)]
                continue
            root = parse(existing) if existing.strip().strip("\ufeff") else None
            node = None if root is None else root.get(provider.name)
            if node is None:
                continue
            kind = node.get("type")
            if kind is None or kind.data() != "api_key":
                lost.append(f"{name}: a login of Pi's own")
            elif holds_key(node.get("key"), key_reference(setup, provider)):
                lost.append(f"{name}: a key")
    except NotJson:
        return ()  # merging says where it is wrong
    return tuple(lost)


def is_current(setup: Setup, existing: str) -> bool:
    """Whether ``existing`` already says what would be exported."""
    try:
        found = [_merge(setup, one, existing) for one in setup.used() or setup.providers]
    except NotJson:
        return False
    return bool(found) and all(one is not None and not one.edits and not one.lost for one in found)


def _merge(setup: Setup, provider: Provider, existing: str) -> Merge | None:
    """What the entry of ``provider`` needs in a file; None: there is none. Raises NotJson."""
    known = parse(existing).get("providers") if existing.strip().strip("\ufeff") else None
    node = None if known is None else known.get(provider.name)
    if node is None:
        return None
    of = {model.id: setup.learned.get(f"{provider.name}/{model.id}") for model in provider.models}
    probed = {name for name, learned in of.items() if learned is not None}
    silent = {model.id: _silent(model, of[model.id]) for model in provider.models}
    entry = provider_entry(setup, provider)
    return merge_entry(node, entry, probed=probed, silent=silent)


def _silent(model: ModelEntry, learned: Learned | None) -> set[str]:
    """The fields that get Pi's defaults, because neither the config nor a request said more."""
    found = set()
    if not model.context_window:
        found.add("contextWindow")
    if not model.max_tokens and (learned is None or learned.max_tokens is None):
        found.add("maxTokens")
    return found


def _told(name: str, merge: Merge) -> list[str]:
    told = []
    if merge.edits:
        told.append(f"The entry {name} that stood there was brought up to date.")
    if merge.kept:
        told.append(f"The entry {name} keeps what no trial had: {_few(merge.kept)}.")
    return told


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
