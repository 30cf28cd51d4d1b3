"""Every key that Warden reads: its type, default, variant, and what an unknown neighbour costs.

Two tables (:data:`KEYS`, :data:`TABLES`) hold the facts; :func:`tree` turns them into the shape
that a walk over a parsed file needs. Paths are written as people write them: ``skills[].model``
for an entry of an array of tables, ``defaults.providers.<name>`` for a table with free keys.

Source: getsentry/warden ``config/schema.ts`` (zod 4), and pull request 416 for the variant
``providers``.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.warden.config import Variant

Values = Literal[
    "string", "nonempty", "url", "bool", "int_positive", "int_zero", "number_zero",
    "timeout", "choice", "strings", "strings_some", "choices_some", "string_table", "one",
]  # fmt: skip

SEVERITIES: Final = ("off", "high", "medium", "low", "critical", "info")
CONFIDENCES: Final = ("off", "high", "medium", "low")
EFFORTS: Final = ("off", "low", "medium", "high", "xhigh", "max")
BOTH: Final[tuple[Variant, ...]] = ("providers", "stock")
_STOCK: Final[tuple[Variant, ...]] = ("stock",)
_PROVIDERS: Final[tuple[Variant, ...]] = ("providers",)
_LARGEST_INTEGER: Final = 2**53 - 1


class Key(msgspec.Struct, frozen=True):
    """One key with a value (not a table)."""

    path: str
    values: Values
    default: str | None = None
    """What Warden takes when the key is not there, as it would be written; None: unset."""
    variants: tuple[Variant, ...] = BOTH
    required: bool = False
    choices: tuple[str, ...] = ()
    instead: str | None = None
    """The key that replaced this one; the old one still works where the new one is not set."""


class Table(msgspec.Struct, frozen=True):
    """One table: what happens to a key in it that Warden does not know."""

    path: str
    strict: bool = False
    """True: an unknown key makes Warden refuse the file. False: the key is dropped in silence."""
    kind: Literal["table", "array", "map"] = "table"
    """``array``: an array of tables. ``map``: free keys, each with a table of ``<name>``."""
    variants: tuple[Variant, ...] = BOTH
    required: bool = False
    at_least_one: bool = False


TABLES: Final = (
    Table(""),
    Table("defaults"),
    Table("defaults.agent", strict=True),
    Table("defaults.auxiliary", strict=True),
    Table("defaults.synthesis", strict=True),
    Table("defaults.verification", strict=True),
    Table("defaults.ignore", strict=True),
    Table("defaults.scan", strict=True),
    Table("defaults.chunking"),
    Table("defaults.chunking.coalesce"),
    Table("defaults.chunking.filePatterns", kind="array"),
    Table("defaults.providers", kind="map", variants=_PROVIDERS),
    Table("defaults.providers.<name>", strict=True, variants=_PROVIDERS),
    Table(
        "defaults.providers.<name>.models",
        strict=True,
        kind="array",
        variants=_PROVIDERS,
        required=True,
        at_least_one=True,
    ),
    Table("defaults.providers.<name>.models[].cost", variants=_PROVIDERS),
    Table("skills", kind="array"),
    Table("skills[].verification", strict=True, variants=_STOCK),
    Table("skills[].triggers", kind="array"),
    Table("skills[].triggers[].verification", strict=True, variants=_STOCK),
    Table("skills[].triggers[].schedule"),
    Table("runner"),
    Table("logs"),
    Table("service", variants=_STOCK),
)
"""Every table, parents before children."""


def _shared(prefix: str) -> tuple[Key, ...]:
    """The nine settings that stand in ``[defaults]``, in a skill and in a trigger."""
    own = prefix == "defaults"
    return (
        Key(f"{prefix}.failOn", "choice", choices=SEVERITIES),
        Key(f"{prefix}.reportOn", "choice", choices=SEVERITIES),
        Key(f"{prefix}.maxFindings", "int_positive"),
        Key(f"{prefix}.reportOnSuccess", "bool", "false" if own else None),
        Key(f"{prefix}.requestChanges", "bool", "false" if own else None),
        Key(f"{prefix}.failCheck", "bool", "false" if own else None),
        Key(f"{prefix}.minConfidence", "choice", "medium" if own else None, choices=CONFIDENCES),
        Key(f"{prefix}.model", "string", instead="defaults.agent.model" if own else None),
        Key(
            f"{prefix}.maxTurns",
            "int_positive",
            "50" if own else None,
            instead="defaults.agent.maxTurns" if own else None,
        ),
    )


KEYS: Final = (
    Key("version", "one", required=True),
    *_shared("defaults"),
    Key("defaults.runtime", "choice", "pi", choices=("pi", "claude")),
    Key("defaults.offline", "bool", "false", _STOCK),
    Key("defaults.agent.model", "string"),
    Key("defaults.agent.maxTurns", "int_positive"),
    Key("defaults.agent.effort", "choice", variants=_STOCK, choices=EFFORTS),
    Key("defaults.agent.effort", "choice", variants=_PROVIDERS, choices=EFFORTS[:-1]),
    Key("defaults.auxiliary.model", "string"),
    Key("defaults.auxiliary.maxRetries", "int_positive", "5"),
    Key("defaults.auxiliary.effort", "choice", variants=_STOCK, choices=EFFORTS),
    Key("defaults.synthesis.model", "string"),
    Key("defaults.verification.enabled", "bool", "true"),
    Key("defaults.ignorePaths", "strings"),
    Key("defaults.ignore.paths", "strings"),
    Key("defaults.scan.maxFiles", "int_positive", "150"),
    Key("defaults.scan.maxChangedLines", "int_positive", "10000"),
    Key("defaults.scan.maxFileBytes", "int_positive", "1048576"),
    Key("defaults.scan.maxFileLines", "int_positive", "3000"),
    Key("defaults.chunking.maxContextFiles", "int_zero", "50"),
    Key("defaults.chunking.coalesce.enabled", "bool", "true"),
    Key("defaults.chunking.coalesce.maxGapLines", "int_zero", "30"),
    Key("defaults.chunking.coalesce.maxChunkSize", "int_positive", "8000"),
    Key("defaults.chunking.filePatterns[].pattern", "string", required=True),
    Key(
        "defaults.chunking.filePatterns[].mode",
        "choice",
        "skip",
        choices=("per-hunk", "whole-file", "skip"),
    ),
    Key("defaults.defaultBranch", "string"),
    Key("defaults.batchDelayMs", "int_zero", "0"),
    Key(
        "defaults.auxiliaryMaxRetries", "int_positive", "5", instead="defaults.auxiliary.maxRetries"
    ),
    Key("defaults.providers.<name>.baseUrl", "url", variants=_PROVIDERS, required=True),
    Key(
        "defaults.providers.<name>.api",
        "choice",
        "openai-completions",
        _PROVIDERS,
        choices=("openai-completions",),
    ),
    Key("defaults.providers.<name>.headers", "string_table", variants=_PROVIDERS),
    Key("defaults.providers.<name>.apiKeyEnv", "nonempty", variants=_PROVIDERS),
    Key("defaults.providers.<name>.models[].id", "nonempty", variants=_PROVIDERS, required=True),
    Key("defaults.providers.<name>.models[].name", "nonempty", variants=_PROVIDERS),
    Key("defaults.providers.<name>.models[].reasoning", "bool", "false", _PROVIDERS),
    Key(
        "defaults.providers.<name>.models[].input",
        "choices_some",
        '["text"]',
        _PROVIDERS,
        choices=("text", "image"),
    ),
    Key("defaults.providers.<name>.models[].contextWindow", "int_positive", "128000", _PROVIDERS),
    Key("defaults.providers.<name>.models[].maxTokens", "int_positive", "8192", _PROVIDERS),
    *(
        Key(
            f"defaults.providers.<name>.models[].cost.{field}",
            "number_zero",
            variants=_PROVIDERS,
            required=True,
        )
        for field in ("input", "output", "cacheRead", "cacheWrite")
    ),
    Key("skills[].name", "nonempty", required=True),
    Key("skills[].remote", "string"),
    Key("skills[].paths", "strings"),
    Key("skills[].ignorePaths", "strings"),
    *_shared("skills[]"),
    Key("skills[].verification.enabled", "bool", variants=_STOCK),
    Key(
        "skills[].triggers[].type",
        "choice",
        required=True,
        choices=("pull_request", "local", "schedule"),
    ),
    Key("skills[].triggers[].actions", "strings_some"),
    Key("skills[].triggers[].draft", "bool"),
    Key("skills[].triggers[].labels", "strings_some"),
    *_shared("skills[].triggers[]"),
    Key("skills[].triggers[].verification.enabled", "bool", variants=_STOCK),
    Key("skills[].triggers[].schedule.issueTitle", "string", "Warden: <skill>"),
    Key("runner.concurrency", "int_positive", "4"),
    Key("logs.cleanup", "choice", "ask", choices=("ask", "auto", "never")),
    Key("logs.retentionDays", "int_positive", "30"),
    Key("service.url", "url", variants=_STOCK, required=True),
    Key("service.data", "choice", "findings", _STOCK, choices=("metrics", "findings", "code")),
    Key("service.memory", "bool", variants=_STOCK),
    Key("service.timeoutMs", "timeout", "2000", _STOCK),
)
"""Every key with a value. A path that differs between variants stands once for each."""

LEFTOVERS: Final = {
    "skills[].scope": "Warden has no such setting; use paths and ignorePaths",
    "skills[].tools": "Warden has no such setting; the skill's own file names its tools",
    "skills[].triggers[].schedule.createFixPR": "Warden no longer opens fix pull requests",
    "skills[].triggers[].schedule.fixBranchPrefix": "Warden no longer opens fix pull requests",
    "defaults.filters": "write ignorePaths under [defaults] instead",
    "defaults.provider": "providers stand under [defaults.providers.<name>]",
    "mcp": "Warden has no MCP settings",
}
"""Keys of other Wardens that public files still hold: today's Warden drops them in silence."""

MODELS_JSON_ONLY: Final = frozenset(
    {"compat", "thinkingLevelMap", "samplingParams", "authHeader", "apiKey"}
)
"""Keys that Pi's ``models.json`` knows and a provider's table in ``warden.toml`` refuses."""


class Node(msgspec.Struct, frozen=True):
    """A table with what may stand in it, for one variant."""

    table: Table
    keys: dict[str, Key]
    tables: dict[str, Node]

    def names(self) -> tuple[str, ...]:
        """Every key that may stand in this table."""
        return (*self.keys, *self.tables)


@cache
def tree(variant: Variant, *, with_providers: bool = True) -> Node:
    """The schema of ``variant`` as nested tables.

    ``with_providers`` keeps ``[defaults.providers]`` known in the variant ``stock`` too: stock
    Warden drops it, but turnkey reads it there and exports it.
    """

    def there(row: Key | Table) -> bool:
        return variant in row.variants or (
            with_providers and row.path.startswith("defaults.providers")
        )

    nodes: dict[str, Node] = {}
    for table in TABLES:
        if not there(table):
            continue
        nodes[table.path] = node = Node(table, {}, {})
        if table.path:
            parent, name = _parent(table.path)
            nodes[parent].tables[name] = node
    for key in KEYS:
        if there(key):
            parent, name = _parent(key.path)
            nodes[parent].keys[name] = key
    return nodes[""]


def variants_of(path: str) -> tuple[Variant, ...]:
    """The variants that know the key or table of this schema path; empty when none does."""
    rows: list[Key | Table] = [*KEYS, *TABLES]
    known = {variant for row in rows if row.path == path for variant in row.variants}
    return tuple(variant for variant in BOTH if variant in known)


def key(path: str, variant: Variant) -> Key | None:
    """The row of this schema path in ``variant``, or None."""
    return next((row for row in KEYS if row.path == path and variant in row.variants), None)


def value_fault(row: Key, value: object) -> str | None:
    """Why Warden would refuse ``value`` for this key, as «must be ...», or None when it is fine.

    The words never hold the value.
    """
    if row.values in {"choice", "choices_some"}:
        return _choice_fault(row, value)
    accepts, words = _RULES[row.values]
    return None if accepts(value) else f"must be {words}"


def _choice_fault(row: Key, value: object) -> str | None:
    listed = ", ".join(
        f'"{choice}"' for choice in row.choices if choice not in {"critical", "info"}
    )
    if row.values == "choices_some":
        fits = isinstance(value, list) and value and all(one in row.choices for one in value)
        return None if fits else f"must be a list with one or more of {listed}"
    if isinstance(value, str) and value in row.choices:
        return None
    return f"must be {listed}" if len(row.choices) == 1 else f"must be one of {listed}"


def _parent(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition(".")
    return parent.removesuffix("[]"), name


def _whole(value: object, least: int, most: int = _LARGEST_INTEGER) -> bool:
    # JavaScript has one kind of number: 10.0 is a whole number there.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value == int(value) and least <= value <= most


def _texts(value: object, least: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= least
        and all(isinstance(entry, str) for entry in value)
    )


def _amount(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value >= 0


_RULES: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "string": (lambda value: isinstance(value, str), "text in quotes"),
    "nonempty": (lambda value: isinstance(value, str) and value != "", "text that is not empty"),
    # What the URL parser takes is judged in problems.py, with better words.
    "url": (lambda value: isinstance(value, str), "a URL in quotes"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "int_positive": (lambda value: _whole(value, 1), "a whole number above 0"),
    "int_zero": (lambda value: _whole(value, 0), "a whole number, 0 or above"),
    "number_zero": (_amount, "a number, 0 or above"),
    "timeout": (lambda value: _whole(value, 100, 30_000), "a whole number from 100 to 30000"),
    "strings": (lambda value: _texts(value, 0), "a list of texts"),
    "strings_some": (lambda value: _texts(value, 1), "a list with at least one text"),
    "string_table": (
        lambda value: (
            isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values())
        ),
        "a table whose values are texts",
    ),
    "one": (lambda value: _whole(value, 1, 1), "the number 1"),
}
