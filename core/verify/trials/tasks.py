"""The two structured tasks, made anew for every run, with what a right answer must hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_LEVELS: Final = ("high", "medium", "low")


class Task(msgspec.Struct, frozen=True):
    """One structured task."""

    name: str
    schema: dict[str, object]
    prompt: str
    check: Callable[[object], str | None]
    """What is wrong with a value that fits the schema, in words; None: it is right."""


def _object(**properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT: Final[dict[str, object]] = {"type": "string", "minLength": 1}
_SEVERITY: Final[dict[str, object]] = {"type": "string", "enum": list(_LEVELS)}

FINDINGS: Final = _object(
    findings={
        "type": "array",
        "items": _object(
            path=_TEXT,
            line={"type": "integer", "minimum": 1},
            severity=_SEVERITY,
            title=_TEXT,
        ),
    }
)
"""What findings are taken out into."""

GROUPS: Final = _object(
    groups={
        "type": "array",
        "items": _object(
            ids={"type": "array", "items": {"type": "integer"}, "minItems": 1},
            title=_TEXT,
            severity=_SEVERITY,
            summary=_TEXT,
        ),
    }
)
"""What findings are merged into."""

_FOLDERS: Final = ("api", "billing", "core", "jobs", "search", "storage", "sync", "web")
_NAMES: Final = ("cache", "client", "export", "handler", "loader", "parser", "session", "writer")
_FAULTS: Final = (
    "the lock is not given back when the write fails",
    "the timeout is passed in seconds where milliseconds are meant",
    "an empty page ends the loop, so later pages are never read",
    "the error is logged and the old value is returned",
    "the check on the owner comes after the record was changed",
    "the offset is counted twice for the first batch",
    "the header's value is compared with its case",
    "the temporary file stays when the upload breaks off",
)


def extraction(dice: random.Random) -> Task:
    """Findings out of a reviewer's words: four that count, in prose with other places in it."""
    planted: list[tuple[str, int, str, str]] = []
    folders, names = dice.sample(_FOLDERS, 4), dice.sample(_NAMES, 4)
    faults = dice.sample(_FAULTS, 4)
    for folder, name, fault in zip(folders, names, faults, strict=True):
        planted.append((f"{folder}/{name}.py", dice.randint(12, 480), dice.choice(_LEVELS), fault))
    said = "\n".join(
        f"- {path}:{line} {severity}: {fault}" for path, line, severity, fault in planted
    )
    prompt = (
        "Take the findings out of this reviewer's text. Give each with its path, its line, its "
        "severity and a short title, in the order of the text, and add none.\n\n"
        "<reviewer_text>\n"
        "I went through the change and what it calls. Most of it holds: the new retry is bounded, "
        "and the tests cover the empty case. These are the findings that I stand by:\n\n"
        f"{said}\n\n"
        "I also looked at the build files and at the documents, where I found nothing to say.\n"
        "</reviewer_text>"
    )

    def check(value: object) -> str | None:
        rows = _rows(value, "findings")
        got = {(str(row.get("path")), _int(row.get("line"))): row for row in rows}
        for path, line, severity, _ in planted:
            row = got.get((path, line))
            if row is None:
                return f"the finding at {path}:{line} is missing"
            if row.get("severity") != severity:
                return f"the finding at {path}:{line} is {severity}, not {row.get('severity')}"
        extra = len(rows) - len(planted)
        return f"{extra} findings are made up" if extra > 0 else None

    return Task("extraction", FINDINGS, prompt, check)


def merging(dice: random.Random) -> Task:
    """Twelve findings with five causes, each of which names the function that it comes from."""
    functions = [
        f"{verb}_{name}_{dice.randint(10, 99)}"
        for verb, name in zip(
            dice.sample(("apply", "drain", "fetch", "merge", "purge", "write"), 5),
            dice.sample(_NAMES, 5),
            strict=True,
        )
    ]
    faults = dice.sample(_FAULTS, 5)
    causes = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 4]
    dice.shuffle(causes)
    ids = dice.sample(range(100, 1000), 12)
    findings = [
        {
            "id": identity,
            "path": f"{dice.choice(_FOLDERS)}/{dice.choice(_NAMES)}.py",
            "line": place * 37 + dice.randint(3, 30),
            "severity": _LEVELS[causes[place] % 3],
            "title": f"Call of `{functions[causes[place]]}` can fail unnoticed",
            "description": f"In `{functions[causes[place]]}`, {faults[causes[place]]}. This "
            "caller relies on it and passes the result on.",
        }
        for place, identity in enumerate(ids)
    ]
    wanted = [
        frozenset(identity for place, identity in enumerate(ids) if causes[place] == cause)
        for cause in range(5)
    ]
    prompt = (
        "These findings come from several reviewers. Put those with the same cause into one "
        "group: the cause of a finding is the function whose defect its description tells, and "
        "findings about the same function belong together, wherever they are. Every id stands in "
        "exactly one group; a finding that shares its cause with no other is a group of its own. "
        "Give each group a title, the highest severity among its findings, and a summary of two "
        "or three sentences that names the function, what is wrong in it, and every place "
        "that is concerned.\n\n"
        f"<findings>\n{json.dumps(findings, indent=2)}\n</findings>"
    )

    def check(value: object) -> str | None:
        groups = [_ids(row.get("ids")) for row in _rows(value, "groups")]
        given = [identity for group in groups for identity in group]
        missing = sorted(set(ids) - set(given))
        if missing:
            return f"{len(missing)} findings are lost, {missing[0]} among them"
        if len(given) > len(set(given)):
            return "a finding stands in two groups"
        if set(given) - set(ids):
            return "an id is made up"
        for group in groups:
            home = next(one for one in wanted if group[0] in one)
            if set(group) - home:
                return "findings with different causes were put together"
            if home - set(group):
                return "findings with the same cause were left apart"
        return None

    return Task("merge findings", GROUPS, prompt, check)


def _rows(value: object, name: str) -> list[dict[str, object]]:
    rows = value.get(name) if isinstance(value, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _ids(value: object) -> list[int]:
    return [_int(one) for one in value] if isinstance(value, list) else []


def _int(value: object) -> int:
    return int(value) if isinstance(value, int | float) else -1
