"""Who is examined: found from a command line's target, a provider of the file, or a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.doctor.examine import Patient
from core.errors import KeyProblem
from core.target import check_together, keyed, name_target

if TYPE_CHECKING:
    from core.errors import Fault
    from core.keys.source import KeySource
    from core.target import Named, Target
    from core.warden.config import Provider
    from core.workspace import Workspace


def patient_for(
    workspace: Workspace,
    *,
    provider: str | None = None,
    model: str | None = None,
    lane: str | None = None,
    url: str | None = None,
    key_env: str | None = None,
) -> Patient:
    """The endpoint that the options name. A missing key is no error here: its rung will say so.

    Raises UsageProblem when the options cannot be meant together, or name nothing that exists.
    """
    check_together(provider=provider, model=model, lane=lane, url=url, key_env=key_env)
    if url is not None:
        return _typed(workspace, url, model, key_env)
    named = name_target(workspace, provider=provider, model=model, lane=lane, needs_model=False)
    return _of(workspace, named)


def provider_patient(workspace: Workspace, provider: Provider, model: str | None = None) -> Patient:
    """A provider of the file. May wait for the keyring, for a bounded time.

    Raises UsageProblem when its base URL cannot be meant.
    """
    named = name_target(workspace, provider=provider.name, model=model, needs_model=False)
    return _of(workspace, named)


def _of(workspace: Workspace, named: Named) -> Patient:
    target, fault = _keyed(workspace, named)
    provider = named.provider
    source = target.source if target is not None else None
    return Patient(
        url=named.base,
        model=named.model,
        key=None if target is None else target.key,
        key_fault=fault,
        key_from=source_words(source),
        headers={} if target is None else target.headers,
        declared=() if provider is None else tuple(entry.id for entry in provider.models),
        provider=None if provider is None else provider.name,
        source=source,
    )


def _typed(workspace: Workspace, url: str, model: str | None, key_env: str | None) -> Patient:
    """An address as it was typed, which the first rung reads."""
    from core.errors import UsageProblem

    try:
        named = name_target(workspace, url=url, model=model, key_env=key_env, needs_model=False)
    except UsageProblem:
        return Patient(url=url, model=model)
    target, fault = _keyed(workspace, named)
    return Patient(
        url=url,
        model=model,
        key=None if target is None else target.key,
        key_fault=fault,
        key_from=f"${key_env}" if key_env else "",
    )


def _keyed(workspace: Workspace, named: Named) -> tuple[Target | None, Fault | None]:
    try:
        return keyed(workspace, named), None
    except KeyProblem as problem:
        return None, problem.fault


def source_words(source: KeySource | None) -> str:
    """Where a key came from, short enough to stand in a line."""
    if source is None or source.source in {"none", "placeholder"}:
        return ""
    if source.source == "environment":
        return f"${source.variable}"
    return f"{source.variable}, {source.source}"
