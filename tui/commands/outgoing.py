"""The keys that leave: for ``turnkey env`` and ``turnkey run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import KeyProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.keys.export import Assignment
    from core.workspace import Workspace


def outgoing_keys(
    workspace: Workspace,
    only: Sequence[str],
    *,
    allow_missing: bool,
    warn: Callable[[str], None],
) -> tuple[Assignment, ...]:
    """Variables with their keys for the chosen providers (all of the file when ``only`` is empty).

    ``providers`` Warden gets the first candidate; ``stock`` also ``<N>_API_KEY``, which the
    exported ``models.json`` reads. Raises KeyProblem for a key that is missing, unless
    ``allow_missing``, which warns instead; a key that belongs to another origin is never given.
    """
    from core.keys.export import assignments, merge
    from core.keys.source import missing

    providers = (
        [workspace.provider(name) for name in only] if only else list(workspace.config.providers)
    )
    groups = []
    for provider in providers:
        source, secret = workspace.key_for(provider)
        if secret is None:
            fault = source.fault or missing(
                provider.name, (source.variable,), source.origin, workspace.env
            )
            if not (allow_missing and fault.code == "key_missing"):
                raise KeyProblem(fault)
            warn(f"{fault.what} {fault.fix}")
            continue
        groups.append(assignments(provider.name, provider.api_key_env, secret, workspace.variant))
    return merge(groups)
