"""The keys that leave: for ``turnkey env`` and ``turnkey run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ConfigProblem, KeyProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from core.carried import Handed
    from core.keys.export import Assignment
    from core.warden.config import Config, Provider
    from core.workspace import Workspace


def outgoing_keys(
    workspace: Workspace,
    only: Sequence[str],
    *,
    warn: Callable[[str], None],
    only_listed: bool = False,
    command: Sequence[str] = (),
) -> tuple[tuple[Assignment, ...], bool]:
    """Variables with their keys for the chosen providers, and whether none is missing.

    All of the file when ``only`` is empty. ``providers`` Warden gets the first candidate;
    ``stock`` also ``<N>_API_KEY``, which the exported ``models.json`` reads. A missing key is
    warned of. ``only_listed`` and ``command`` are the child's: what it will not have, and what it
    is. Raises KeyProblem for a key that belongs to another origin, or that something would carry
    to one: it is never given.
    """
    from core.carried import origins_of
    from core.keys.export import assignments, child_environment, merge
    from core.keys.source import missing

    groups = []
    given: list[tuple[str, str, bool]] = []
    complete = True
    for provider in _chosen(workspace, only):
        source, secret = workspace.key_for(provider)
        if secret is None:
            fault = source.fault or missing(
                provider.name, (source.variable,), source.origin, workspace.env
            )
            if fault.code != "key_missing":
                raise KeyProblem(fault)
            warn(f"{fault.what} {fault.fix}")
            complete = False
            continue
        if source.unasked is not None:
            told = source.unasked
            warn(f"{provider.name} gets the placeholder. {told.what} {told.why} {told.fix}")
        if source.owned_by_pi:
            warn(f"Pi's auth.json has a key for {provider.name}, and Pi sends that one instead.")
        groups.append(assignments(provider.name, provider.api_key_env, secret, workspace.variant))
        stored = source.source != "environment"
        given += [(one.variable, source.origin, stored) for one in groups[-1]]
        groups.append(header_keys(workspace, provider))
        given += [(one.variable, source.origin, True) for one in groups[-1]]
    merged = merge(groups)
    unlisted = unlisted_variables(workspace, only)
    child = child_environment(workspace.env, merged, only_listed=only_listed, unlisted=unlisted)
    check_others(workspace, child, origins_of(given), command=command, warn=warn)
    return merged, complete


def check_others(
    workspace: Workspace,
    child: Mapping[str, str],
    handed: Mapping[str, Handed],
    *,
    command: Sequence[str] = (),
    warn: Callable[[str], None],
) -> None:
    """Refuse to hand keys out where anything that the child reads would carry one away.

    Warden reads whole files: a provider that nobody chose reads a handed variable as well, and a
    header takes any variable of the environment along to its own origin. ``child`` is the
    environment as the child gets it. Raises KeyProblem for a key that would reach an origin that
    it is not bound to, and for a header that is a command.
    """
    from core.carried import Reader, carried_away, pi_readers, provider_readers

    readers: list[Reader] = []
    for config, path in _files_read(workspace, command, warn):
        for found in provider_readers(config.providers, path, workspace.variant, child):
            if not isinstance(found, Reader):
                raise KeyProblem(found)
            readers.append(found)
    if workspace.variant == "stock":
        models, path = _pi_models(child, warn)
        readers += pi_readers(models, path, child)
    fault = carried_away(readers, child, handed, workspace.vault)
    if fault is not None:
        raise KeyProblem(fault)


def _files_read(
    workspace: Workspace, command: Sequence[str], warn: Callable[[str], None]
) -> Iterator[tuple[Config, str]]:
    """The configs that Warden may read: both layers, and the file of the repository's root.

    Warden's command line reads that last one unless its own ``--config`` names the file that
    turnkey was given (getsentry/warden ``cli/main.ts``).
    """
    from core.warden import document as documents
    from core.warden.locate import repository_root

    mine = workspace.document.path
    yield workspace.config, mine.name
    if workspace.base_document is not None:
        yield (
            workspace.base_document.config(),
            f"the base layer {workspace.base_document.path.name}",
        )
    try:
        root = repository_root(Path.cwd())
    except OSError:  # the folder is gone, and Warden would find nothing either
        root = None
    if root is None or workspace.base_only:
        return
    default = root / "warden.toml"
    if _same(default, mine) or _names(command, mine):
        return
    # Another command than Warden reads neither; what it may start counts all the same.
    if command and not any(Path(word).name == "warden" for word in command):
        warn = _say_nothing
    if not default.exists():
        warn(f"Warden reads {default}, which is not there, unless its --config names {mine}.")
        return
    warn(f"Warden reads {default}, not {mine}, unless its own --config names that one.")
    yield documents.load(default).config(), str(default)


def _say_nothing(_: str) -> None:
    """For what does not matter to the command."""


def _names(command: Sequence[str], path: Path) -> bool:
    """True when the command's own ``--config`` names the file."""
    for word, after in zip(command, (*command[1:], ""), strict=False):
        if word == "--":
            return False
        option, equals, value = word.partition("=")
        if option == "--config" and _same(Path(value if equals else after), path):
            return True
    return False


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.absolute() == other.absolute()


def _pi_models(child: Mapping[str, str], warn: Callable[[str], None]) -> tuple[object, str]:
    """What the ``models.json`` that Pi will read holds, and its path; said where it cannot be."""
    from core.export import jsonc
    from core.export.write import read_existing
    from core.keys.environment import pi_folder

    home = child.get("HOME") or child.get("USERPROFILE")
    if not home and not child.get("PI_CODING_AGENT_DIR"):
        return None, "models.json"
    path = pi_folder(child, Path(home or "/")) / "models.json"
    try:
        text = read_existing(path)
        return None if text is None else jsonc.parse(text).data(), str(path)
    except ConfigProblem as problem:
        warn(f"{problem.fault.what} {problem.fault.why} What it names is not known.")
    except jsonc.NotJson as error:
        warn(f"Pi cannot read {path}: {error.why} at line {error.line}. It drops the whole file.")
    return None, str(path)


def header_keys(workspace: Workspace, provider: Provider) -> tuple[Assignment, ...]:
    """The variables that the provider's headers name and that the keyring holds for its origin.

    Pi fills them in from its environment; what stands there already is left as it is.
    """
    from core.keys.export import Assignment
    from core.keys.headers import Variable, read_value
    from core.providers.base_url import read_base_url

    found: dict[str, Assignment] = {}
    for value in provider.headers.values():
        for piece in read_value(value, workspace.env) or ():
            if not isinstance(piece, Variable) or workspace.env.get(piece.name):
                continue
            origin = read_base_url(provider.base_url, exact=True).origin
            secret = workspace.vault.fetch(piece.name, origin, provider=provider.name)
            if secret is not None:
                found[piece.name] = Assignment(piece.name, secret)
    return tuple(found.values())


def outgoing_names(workspace: Workspace, only: Sequence[str]) -> tuple[str, ...]:
    """The variables alone, each once; no key is looked for."""
    from core.keys.environment import child_variables

    return tuple(
        dict.fromkeys(
            variable
            for provider in _chosen(workspace, only)
            for variable in child_variables(provider.name, provider.api_key_env, workspace.variant)
        )
    )


def warn_of_others(
    workspace: Workspace, warn: Callable[[str], None], *, only_listed: bool = False
) -> None:
    """Warn of hosted providers' credentials here that let a lane leave in silence.

    With ``only_listed`` of those alone that no environment can withhold: Pi's own store.
    """
    from core.key_board import doors, others

    if not doors(workspace):
        return  # the lanes need not be resolved
    for other in others(workspace):
        if not other.lanes or (only_listed and not other.stored):
            continue
        cure = (
            "Start Warden with PI_CODING_AGENT_DIR at an empty folder, or take it out of there."
            if other.stored
            else "--only-listed withholds it."
        )
        verb = "has a key" if other.stored else "is set here"
        warn(
            f"{other.variable} {verb}, and {', '.join(other.lanes)} would leave for a hosted "
            f"provider ({other.provider}). {cure}"
        )


def unlisted_variables(workspace: Workspace, only: Sequence[str]) -> tuple[str, ...]:
    """The variables of the file's providers that were not chosen; none where all were."""
    from core.keys.environment import key_variables

    if not only:
        return ()
    return tuple(
        variable
        for provider in workspace.providers
        if provider.name not in only
        for variable in key_variables(provider.name, provider.api_key_env, workspace.variant)
    )


def _chosen(workspace: Workspace, only: Sequence[str]) -> Sequence[Provider]:
    return [workspace.provider(name) for name in only] if only else workspace.providers
