"""The keys that leave: for ``turnkey env`` and ``turnkey run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import KeyProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from core.keys.export import Assignment
    from core.warden.config import Provider
    from core.workspace import Workspace


def outgoing_keys(
    workspace: Workspace, only: Sequence[str], *, warn: Callable[[str], None]
) -> tuple[tuple[Assignment, ...], bool]:
    """Variables with their keys for the chosen providers, and whether none is missing.

    All of the file when ``only`` is empty. ``providers`` Warden gets the first candidate;
    ``stock`` also ``<N>_API_KEY``, which the exported ``models.json`` reads. A missing key is
    warned of. Raises KeyProblem for one that belongs to another origin: it is never given.
    """
    from core.keys.export import assignments, merge
    from core.keys.source import missing

    groups = []
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
        groups.append(assignments(provider.name, provider.api_key_env, secret, workspace.variant))
        groups.append(header_keys(workspace, provider))
    merged = merge(groups)
    check_others(workspace, {one.variable for one in merged})
    return merged, complete


def check_others(workspace: Workspace, handed: Collection[str]) -> None:
    """Refuse to hand keys out where another provider of the file would carry one away.

    Warden reads the whole file: a provider that nobody chose reads a handed variable as well, and
    a header's ``$NAME`` takes any variable of the environment along to its own origin. Raises
    KeyProblem for a key that is bound elsewhere, and for a header that is a command.
    """
    from core.keys.environment import key_variables
    from core.keys.headers import resolve_headers
    from core.providers.base_url import read_base_url

    for provider in workspace.providers:
        base = read_base_url(provider.base_url, exact=True)
        _, faults = resolve_headers(
            provider.name, provider.headers, base, workspace.env, workspace.vault, record=False
        )
        reads = set(key_variables(provider.name, provider.api_key_env, workspace.variant))
        if reads & set(handed):
            source, secret = workspace.key_for(provider, base, send=False)
            if secret is None and source.fault is not None:
                faults = (*faults, source.fault)
        for fault in faults:
            if fault.code != "key_missing":
                raise KeyProblem(fault)


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
