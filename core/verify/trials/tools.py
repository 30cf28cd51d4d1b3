"""read, grep, find and ls over a planted repository: the tools that Warden gives its lanes.

Names, arguments and results are those of Pi's tools (badlogic/pi-mono, package ``coding-agent``,
``src/core/tools``). Nothing is executed and no file is opened: they look into a mapping. What a
model puts into a pattern comes from a server, so no pattern may cost more than a little time.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import TYPE_CHECKING, Final

import msgspec

from core.verify.trials.schema import problem_of
from core.wire.chat import Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MOST_LINES: Final = 400
_MOST_MATCHES: Final = 100
_MOST_CONTEXT: Final = 20
_MOST_PATTERN: Final = 200


def _schema(required: tuple[str, ...], **properties: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _text(words: str) -> dict[str, object]:
    return {"type": "string", "description": words}


def _number(words: str) -> dict[str, object]:
    return {"type": "number", "description": words}


def _flag(words: str) -> dict[str, object]:
    return {"type": "boolean", "description": words}


TOOLS: Final[tuple[Tool, ...]] = (
    Tool(
        "read",
        "Read a text file of the repository. Long files come in parts: use offset and limit to "
        f"read on after {_MOST_LINES} lines. Use repository-relative paths.",
        _schema(
            ("path",),
            path=_text("Path of the file to read, relative to the repository"),
            offset=_number("Line to start with, counted from 1"),
            limit=_number("How many lines to read at most"),
        ),
    ),
    Tool(
        "grep",
        "Search the contents of files for a pattern. Gives matching lines with path and line "
        f"number, {_MOST_MATCHES} at most. Use repository-relative paths.",
        _schema(
            ("pattern",),
            pattern=_text("What to search for: a regular expression or plain text"),
            path=_text("Folder or file to search in (default: the whole repository)"),
            glob=_text("Only files whose name fits, such as '*.py'"),
            ignoreCase=_flag("Take upper and lower case for the same (default: false)"),
            literal=_flag("Take the pattern as plain text (default: false)"),
            context=_number("Lines to show before and after each match (default: 0)"),
            limit=_number(f"Matches to show at most (default: {_MOST_MATCHES})"),
        ),
    ),
    Tool(
        "find",
        "Find files by a glob pattern. Gives paths relative to the folder that was searched.",
        _schema(
            ("pattern",),
            pattern=_text("Glob pattern, such as '*.toml' or 'lib/**/*.py'"),
            path=_text("Folder to search in (default: the repository)"),
            limit=_number("Results to show at most"),
        ),
    ),
    Tool(
        "ls",
        "List a folder. Names of folders end with '/'.",
        _schema(
            (),
            path=_text("Folder to list (default: the repository)"),
            limit=_number("Entries to show at most"),
        ),
    ),
)
"""What is offered, in the order in which Pi lists its read-only tools."""

_BY_NAME: Final = {tool.name: tool for tool in TOOLS}


class ToolResult(msgspec.Struct, frozen=True):
    """What a call gave."""

    text: str
    valid: bool = True
    """The call was one that Pi would have run: a known tool, arguments that fit its schema."""
    failed: bool = False
    """It ran and found nothing to work on: a path that does not exist."""
    problem: str = ""
    """What was wrong with a call that is not valid."""


def arguments_of(text: str) -> dict[str, object] | None:
    """A call's arguments; Pi takes an empty text for ``{}``. None: not a JSON object."""
    try:
        decoded: object = msgspec.json.decode(text.strip() or "{}")
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def run_tool(files: Mapping[str, str], name: str, arguments: str) -> ToolResult:
    """One call against ``files``. Never raises: what is wrong goes back to the model in words."""
    tool = _BY_NAME.get(name)
    if tool is None:
        return _invalid(f"Tool {name[:60]} not found", "a tool that was not offered")
    given = arguments_of(arguments)
    if given is None:
        return _invalid("The arguments are not a JSON object", "arguments that are no JSON object")
    properties = tool.parameters["properties"]
    shapes = properties if isinstance(properties, dict) else {}
    # a model may write null for what it leaves out, and "5" for 5: Pi's check bears both
    given = {
        key: _coerced(value, shapes.get(key)) for key, value in given.items() if value is not None
    }
    problem = problem_of(given, tool.parameters)
    if problem is not None:
        return _invalid(f'Validation failed for tool "{name}": {problem}', problem)
    text, failed = _RUN[name](files, given)
    return ToolResult(text, failed=failed)


def _coerced(value: object, schema: object) -> object:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "number" and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    if kind == "boolean" and value in {"true", "false"}:
        return value == "true"
    return str(value) if kind == "string" and isinstance(value, int | float) else value


def _invalid(text: str, problem: str) -> ToolResult:
    return ToolResult(text, valid=False, problem=problem)


# ---------------------------------------------------------------------------- the four

_Answer = tuple[str, bool]


def _read(files: Mapping[str, str], given: Mapping[str, object]) -> _Answer:
    path = _norm(given.get("path"))
    if path not in files:
        if _is_folder(files, path):
            return f"{path} is a folder, not a file", True
        return f"File not found: {path}", True
    lines = files[path].splitlines()
    first = max(1, _int(given.get("offset"), 1))
    if first > max(1, len(lines)):
        return f"Offset {first} is beyond the end of the file ({len(lines)} lines)", True
    most = max(1, min(_MOST_LINES, _int(given.get("limit"), _MOST_LINES)))
    part = lines[first - 1 : first - 1 + most]
    left = len(lines) - (first - 1 + len(part))
    more = f"\n\n[{left} more lines. Use offset={first + len(part)} to go on.]" if left else ""
    return ("\n".join(part) or "(empty file)") + more, False


def _grep(files: Mapping[str, str], given: Mapping[str, object]) -> _Answer:
    place = _norm(given.get("path"))
    if place != "." and place not in files and not _is_folder(files, place):
        return f"Path not found: {place}", True
    matches = matcher(
        str(given.get("pattern", "")),
        literal=given.get("literal") is True,
        ignore_case=given.get("ignoreCase") is True,
    )
    glob = str(given["glob"]) if "glob" in given else None
    around = max(0, min(_MOST_CONTEXT, _int(given.get("context"), 0)))
    most = max(1, min(_MOST_MATCHES, _int(given.get("limit"), _MOST_MATCHES)))
    found: list[str] = []
    for path in _under(files, place):
        if glob is not None and not _fits_glob(path, glob):
            continue
        lines = files[path].splitlines()
        for number, line in enumerate(lines, start=1):
            if len(found) >= most:
                break
            if not matches(line):
                continue
            if not around:
                found.append(f"{path}:{number}: {line}")
                continue
            for near in range(max(1, number - around), min(len(lines), number + around) + 1):
                mark = ":" if near == number else "-"
                found.append(f"{path}{mark}{near}{mark} {lines[near - 1]}")
    return "\n".join(found) or "No matches found", False


def _find(files: Mapping[str, str], given: Mapping[str, object]) -> _Answer:
    place = _norm(given.get("path"))
    if place != "." and not _is_folder(files, place):
        return f"Path not found: {place}", True
    pattern = str(given.get("pattern", ""))
    most = max(1, min(1000, _int(given.get("limit"), 1000)))
    prefix = "" if place == "." else place + "/"
    inside = (path.removeprefix(prefix) for path in _under(files, place))
    found = [path for path in inside if _fits_glob(path, pattern)]
    return "\n".join(found[:most]) or "No files found matching pattern", False


def _ls(files: Mapping[str, str], given: Mapping[str, object]) -> _Answer:
    place = _norm(given.get("path"))
    if place in files:
        return f"Not a directory: {place}", True
    if place != "." and not _is_folder(files, place):
        return f"Path not found: {place}", True
    prefix = "" if place == "." else place + "/"
    names: set[str] = set()
    for path in _under(files, place):
        name, slash, _ = path.removeprefix(prefix).partition("/")
        names.add(name + slash)
    most = max(1, min(500, _int(given.get("limit"), 500)))
    return "\n".join(sorted(names, key=str.lower)[:most]) or "(empty directory)", False


_RUN: Final[dict[str, Callable[[Mapping[str, str], Mapping[str, object]], _Answer]]] = {
    "read": _read,
    "grep": _grep,
    "find": _find,
    "ls": _ls,
}


# ---------------------------------------------------------------------------- patterns

_GROUP_REPEATED: Final = re.compile(r"\)[*+?{]")
_UNBOUNDED: Final = re.compile(r"(?<!\\)[*+{]")
_SET_IN_SET: Final = re.compile(r"\[[^\]]*(?:\[|--|&&|~~|\|\|)")
"""What Python warns of in a set, for what it may mean one day."""
_WORDS: Final = re.compile(r"[\w./-]{2,}")


def matcher(pattern: str, *, literal: bool, ignore_case: bool) -> Callable[[str], bool]:
    """Whether a line fits ``pattern``.

    A pattern that could make Python's engine run for long (a repeated group, more than two
    repetitions) or that is none is taken for its longest word instead.
    """
    pattern = pattern[:_MOST_PATTERN]
    if not literal and _cheap(pattern):
        try:
            fits = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
        except (re.error, OverflowError, RecursionError):
            pass
        else:
            return lambda line: fits.search(line) is not None
    if not literal:
        pattern = max(_WORDS.findall(pattern), key=len, default=pattern)
    if ignore_case:
        lowered = pattern.lower()
        return lambda line: lowered in line.lower()
    return lambda line: pattern in line


def _cheap(pattern: str) -> bool:
    if _GROUP_REPEATED.search(pattern) or _SET_IN_SET.search(pattern):
        return False
    return len(_UNBOUNDED.findall(pattern)) <= 2


def _fits_glob(path: str, pattern: str) -> bool:
    """Whether a path fits as a whole, or its name alone; ``**/`` may stand for no folder."""
    pattern = pattern[:_MOST_PATTERN].lstrip("/").removeprefix("./")
    if pattern.count("*") > 6:  # each one multiplies the work
        return False
    tries = {pattern, pattern.replace("**/", "")}
    name = posixpath.basename(path)
    return any(fnmatch.fnmatchcase(path, one) or fnmatch.fnmatchcase(name, one) for one in tries)


# ---------------------------------------------------------------------------- paths


def _under(files: Mapping[str, str], place: str) -> Iterator[str]:
    for path in sorted(files):
        if place in {".", path} or path.startswith(place + "/"):
            yield path


def _is_folder(files: Mapping[str, str], place: str) -> bool:
    return any(path.startswith(place + "/") for path in files)


def _norm(value: object) -> str:
    """A path as the repository's keys spell it; above the root there is only the root."""
    text = str(value or ".").strip().replace("\\", "/")
    normal = posixpath.normpath("/" + text).lstrip("/")
    return normal or "."


def _int(value: object, default: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return int(value) if abs(value) < 1e9 else default
