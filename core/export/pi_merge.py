"""One provider's entry of Pi's ``models.json``, merged into one of the same name. Pure.

The config speaks for the address, the key's name and the facts of its own models. What it does not
speak of was written by somebody: other models, headers, overrides, sampling. That stays and is
named, but where it would change whom Pi asks, or what a probe found to work, nothing is written:
half of it ours and half of somebody's would be a provider that nobody has tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.errors import UsageProblem
from core.keys.environment import PLACEHOLDER
from core.keys.headers import Variable, read_value
from core.providers.base_url import read_base_url
from core.text import one_line
from core.verify.compat import Compat

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from core.export.jsonc import Member, Node

Path = tuple[str | int, ...]
_ADDRESS: Final = ("baseUrl", "api")
_OURS: Final = frozenset({*_ADDRESS, "apiKey", "headers", "models"})
_OPERATORS: Final = frozenset(
    {"sendSessionAffinityHeaders", "sessionAffinityFormat", "vllmPriority", "zaiToolStream"}
)
"""Flags that no answer can show the need of: whoever runs the server sets them."""
_OWN_FLAGS: Final = frozenset(Compat.__struct_encode_fields__) - _OPERATORS
_ADDS_NOTHING: Final[tuple[object, ...]] = (None, False, "auto", {})
_FACTS: Final = ("reasoning", "input", "contextWindow", "maxTokens")
_SAMPLING: Final = frozenset({"samplingParams", "samplingParamsByThinkingLevel"})
"""Pi merges these into each request last, so they win over all that it would send."""
_WHOM: Final = frozenset({"model", "models", "fallbacks"})
"""Fields of a request that say who answers it, or who does where that one fails."""


@dataclass(frozen=True, slots=True)
class Merge:
    """What an entry that is there needs, so that it says what the config says."""

    edits: tuple[tuple[Path, object], ...] = ()
    """(path below the entry, value), in order."""
    lost: tuple[str, ...] = ()
    """In words without values: what of somebody's would go, or would go elsewhere."""
    kept: tuple[str, ...] = ()
    """What stays that the config does not speak of."""


def merge_entry(
    old: Node, new: Mapping[str, object], *, probed: Collection[str], silent: Mapping[str, set[str]]
) -> Merge:
    """The merge of ``new``, as :func:`core.export.pi_models.provider_entry` makes it, into ``old``.

    ``probed``: ids of the models whose flags were found by requests; of another one the flags that
    stand there stay. ``silent``: by id the fields of which the config says nothing.
    """
    if old.members is None:
        return Merge((((), new),), ("what stands there, which is no object",))
    edits: list[tuple[Path, object]] = []
    lost: list[str] = []
    kept = [one_line(one.key, 60) for one in old.members if one.key not in _OURS]
    for field in (*_ADDRESS, "apiKey"):
        node = old.get(field)
        if node is None or node.data() != new[field]:
            edits.append(((field,), new[field]))
    if holds_key(old.get("apiKey"), new["apiKey"]):
        lost.append("a key in apiKey")
    for part in (
        _headers(old, new),
        _shared_flags(old, new, probed),
        _overrides(old, new, probed, silent),
        _models(old, new, probed, silent),
    ):
        edits += part.edits
        lost += part.lost
        kept += part.kept
    here = _origin(new.get("baseUrl"))
    if kept and _origin(_plain(old.get("baseUrl"))) != here:
        lost += [f"{one}, written for another address" for one in kept]
    return Merge(tuple(edits), tuple(lost), tuple(dict.fromkeys(kept)))


def _headers(old: Node, new: Mapping[str, object]) -> Merge:
    """Header names are alike in any case, and Pi takes the last of two."""
    ours, node = new.get("headers"), old.get("headers")
    ours = ours if isinstance(ours, dict) else {}
    if node is None:
        return Merge(((("headers",), ours),) if ours else ())
    if node.members is None:
        return Merge(((("headers",), ours),), ("headers, which is no object",))
    edits: list[tuple[Path, object]] = []
    lost: list[str] = []
    kept: list[str] = []
    given = {name.lower(): value for name, value in ours.items()}
    there = {one.key.lower(): one.key for one in node.members}
    for name, key in there.items():
        value = _plain(node.get(key))
        shown = f"header {one_line(key, 60)}"
        if name not in given:
            kept.append(shown)
        elif value != given[name]:
            edits.append((("headers", key), given[name]))
            if not _is_reference(value):
                lost.append(f"the value of {shown}")
    for name, value in ours.items():
        if name.lower() not in there:
            edits.append((("headers", name), value))
    return Merge(tuple(edits), tuple(lost), tuple(kept))


def _shared_flags(old: Node, new: Mapping[str, object], probed: Collection[str]) -> Merge:
    """Flags of the whole provider: each model gets those that its own do not speak of."""
    node = old.get("compat")
    written = [_dict(one.get("compat")) for one in _listed(new) if one["id"] in probed]
    lost = [
        f"compat {one_line(one.key, 60)} of the provider"
        for one in (node.members or () if node is not None else ())
        if one.key in _OWN_FLAGS and one.value.data() not in _ADDS_NOTHING
        if any(one.key not in flags for flags in written)
    ]
    return Merge(lost=tuple(lost))


def _overrides(
    old: Node,
    new: Mapping[str, object],
    probed: Collection[str],
    silent: Mapping[str, set[str]],
) -> Merge:
    """Overrides of our own models, which Pi puts over what the model's entry says."""
    node = old.get("modelOverrides")
    mine = {str(one["id"]): one for one in _listed(new)}
    lost = [
        f"modelOverrides of {one_line(one.key, 80)}: {field}"
        for one in (node.members or () if node is not None else ())
        if one.key in mine
        for field in _overridden(
            one.value, new, mine[one.key], one.key in probed, silent.get(one.key, set())
        )
    ]
    return Merge(lost=tuple(lost))


def _overridden(
    over: Node,
    entry: Mapping[str, object],
    model: Mapping[str, object],
    tried: bool,
    silent: set[str],
) -> list[str]:
    """What of one override says otherwise than the config, or than requests have found."""
    found = [
        field
        for field in (*_ADDRESS, *_FACTS)
        if (there := over.get(field)) is not None
        and field not in silent
        and there.data() != (entry if field in _ADDRESS else model).get(field)
    ]
    found += [member.key for member in over.members or () if _asks_another(member, model)]
    levels, flags = over.get("thinkingLevelMap"), over.get("compat")
    if not tried:
        return found
    if levels is not None and levels.data() not in (None, {}, model.get("thinkingLevelMap")):
        found.append("thinkingLevelMap")
    wanted = _dict(model.get("compat"))
    return found + [
        f"compat {one_line(one.key, 60)}"
        for one in (flags.members or () if flags is not None else ())
        if one.key in _OWN_FLAGS
        and one.value.data() not in ((wanted[one.key],) if one.key in wanted else _ADDS_NOTHING)
    ]


def _asks_another(member: Member, model: Mapping[str, object]) -> bool:
    """Whether sampling parameters name another model than ours."""
    if member.key not in _SAMPLING:
        return False
    value = member.value.data()
    each = [value] if member.key == "samplingParams" else list(_dict(value).values())
    return any(
        field in _WHOM and one != model["id"]
        for params in each
        for field, one in _dict(params).items()
    )


def _models(
    old: Node,
    new: Mapping[str, object],
    probed: Collection[str],
    silent: Mapping[str, set[str]],
) -> Merge:
    node = old.get("models")
    if node is None:
        return Merge(((("models",), new["models"]),))
    if node.items is None:
        return Merge(((("models",), new["models"]),), ("models, which is no list",))
    names = [str(_plain(one.get("id"))) for one in node.items]
    places = {name: at for at, name in enumerate(names)}  # of two the last counts
    edits: list[tuple[Path, object]] = []
    lost: list[str] = []
    kept: list[str] = []
    ours = _listed(new)
    for model in ours:
        at = places.get(str(model["id"]))
        if at is None:
            edits.append((("models", len(node.items) + _added(edits)), model))
            continue
        part = _model(node.items[at], new, model, probed, silent)
        edits += [(("models", at, *path), value) for path, value in part.edits]
        lost += part.lost
        kept += part.kept
    mine = {one["id"] for one in ours}
    key_changes = _plain(old.get("apiKey")) != new["apiKey"]
    for name, one in zip(names, node.items, strict=True):
        if name in mine:
            continue
        shown = f"model {one_line(name, 80)}"
        kept.append(shown)
        elsewhere = _plain(one.get("baseUrl"))
        if elsewhere is not None and key_changes and _origin(elsewhere) != _origin(new["baseUrl"]):
            lost.append(f"{shown}, which would get this key at its own address")
    return Merge(tuple(edits), tuple(lost), tuple(kept))


def _added(edits: Collection[tuple[Path, object]]) -> int:
    return sum(len(path) == 2 and path[0] == "models" for path, _ in edits)


def _model(
    old: Node,
    entry: Mapping[str, object],
    new: Mapping[str, object],
    probed: Collection[str],
    silent: Mapping[str, set[str]],
) -> Merge:
    name = str(new["id"])
    shown = one_line(name, 80)
    tried = name in probed
    edits: list[tuple[Path, object]] = []
    lost: list[str] = []
    kept: list[str] = []
    for field, value in new.items():
        there = old.get(field)
        if field == "compat":
            flags = _flags(there, value, tried=tried)
            edits += flags.edits
            lost += [f"{shown}: compat {flag}" for flag in flags.lost]
            kept += [f"{shown}: compat {flag}" for flag in flags.kept]
        elif there is None or (there.data() != value and field not in silent.get(name, ())):
            edits.append(((field,), value))
    for member in old.members or ():
        field = one_line(member.key, 60)
        if member.key in new:
            continue
        if member.key in _ADDRESS:
            if member.value.data() != entry[member.key]:
                lost.append(f"{shown}: {field}")
        elif member.key == "thinkingLevelMap" and tried and member.value.data():
            lost.append(f"{shown}: {field}")
        elif _asks_another(member, new):
            lost.append(f"{shown}: {field}, which names another model")
        else:
            kept.append(f"{shown}: {field}")
    return Merge(tuple(edits), tuple(lost), tuple(kept))


def _flags(old: Node | None, new: object, *, tried: bool) -> Merge:
    """Flags of one model: what was found by requests goes over what stands there, else not."""
    wanted = new if isinstance(new, dict) else {}
    if old is None or old.members is None:
        return Merge(((("compat",), wanted),), () if old is None else ("what is no object",))
    edits: list[tuple[Path, object]] = []
    for flag, value in wanted.items():
        there = old.get(flag)
        if there is None or (tried and there.data() != value):
            edits.append((("compat", flag), value))
    others = [one for one in old.members if one.key not in wanted]
    lost = [
        one_line(one.key, 60)
        for one in others
        if tried and one.key in _OWN_FLAGS and one.value.data() not in _ADDS_NOTHING
    ]
    kept = [one_line(one.key, 60) for one in others if one.key not in _OWN_FLAGS]
    return Merge(tuple(edits), tuple(lost), tuple(kept))


def _listed(entry: Mapping[str, object]) -> list[dict[str, object]]:
    models = entry.get("models")
    return [one for one in models if isinstance(one, dict)] if isinstance(models, list) else []


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _plain(node: Node | None) -> object:
    return None if node is None else node.plain


def holds_key(node: Node | None, wanted: object) -> bool:
    """Whether a value is a key itself, or the command that gets one: it stands nowhere else."""
    if node is None or node.data() in (wanted, PLACEHOLDER):
        return False
    return not _is_reference(node.plain)


def _is_reference(value: object) -> bool:
    """Whether a value is one variable's name and no more, which can be had again."""
    pieces = read_value(value, {}) if isinstance(value, str) else None
    return pieces is not None and len(pieces) == 1 and isinstance(pieces[0], Variable)


def _origin(url: object) -> str | None:
    try:
        return read_base_url(url, exact=True).origin if isinstance(url, str) else None
    except UsageProblem:
        return None
