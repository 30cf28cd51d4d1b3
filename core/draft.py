"""A provider that is being set up: asked and answered, and not in the file yet.

Testing a draft persists nothing. :func:`accept` makes it a pending edit of the workspace; the
file and the keyring change with the save.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.discover.entries import model_entry
from core.discover.facts import Discovery, EndpointInfo
from core.keys.environment import key_variables
from core.target import Target
from core.warden.config import ModelEntry, Provider
from core.warden.edits import add_provider, replace_provider, set_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.discover.facts import Model
    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl
    from core.workspace import Workspace


def silent(base: BaseUrl) -> Discovery:
    """A discovery of an endpoint that was not asked, or did not answer: its models are typed."""
    return Discovery(
        endpoint=EndpointInfo(base.url, base.origin, "generic", None),
        models=(),
        warnings=(),
        error=None,
        reachable=None,
        authorised=None,
        changes=(),
        seconds=0.0,
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a provider while it is added or its models are chosen again."""

    name: str
    base: BaseUrl
    key: Secret | None
    typed: bool
    """True when the key was typed in this run and waits for the save."""
    discovery: Discovery
    existing: bool = False
    """True when the provider stands in the file already."""
    api_key_env: str | None = None
    headers: Mapping[str, Secret | str] = field(default_factory=dict)
    """Ready to send to this endpoint."""

    @property
    def variable(self) -> str:
        """The variable that the key will leave in."""
        return key_variables(self.name, self.api_key_env)[0]

    def target(self, model: str) -> Target:
        """Where a test of one of its models goes: tests run on the draft as it stands."""
        return Target(self.base, model, self.key, None, self.name, self.headers)


def declared(workspace: Workspace, draft: Draft) -> tuple[ModelEntry, ...]:
    """The models that the file declares for the draft's provider now."""
    for provider in workspace.config.providers:
        if provider.name == draft.name:
            return provider.models
    return ()


def entries_for(
    ids: Sequence[str], listed: Mapping[str, Model], known: Mapping[str, ModelEntry]
) -> tuple[ModelEntry, ...]:
    """The entries to write for ``ids``: what the file says of one stays, what is new gets facts."""
    entries = []
    for model_id in ids:
        if model_id in known:
            entries.append(known[model_id])
        elif model_id in listed:
            entries.append(model_entry(listed[model_id]))
        else:
            entries.append(ModelEntry(id=model_id))
    return tuple(entries)


def accept(workspace: Workspace, draft: Draft, ids: Sequence[str]) -> None:
    """Make the draft with the models ``ids`` (at least one) a pending edit of the workspace.

    The key, when it was typed, waits beside it in memory for the save.
    """
    known = {entry.id: entry for entry in declared(workspace, draft)}
    listed = {model.id: model for model in draft.discovery.models}
    entries = entries_for(ids, listed, known)
    names = {provider.name for provider in workspace.config.providers}
    if draft.name not in names:
        provider = Provider(
            name=draft.name,
            base_url=draft.base.url,
            api_key_env=draft.api_key_env,
            models=entries,
        )
        workspace.edit(add_provider(workspace.document, provider))
    elif workspace.provider(draft.name).base_url != draft.base.url and not draft.existing:
        current = workspace.provider(draft.name)
        changed = Provider(
            name=current.name,
            base_url=draft.base.url,
            api=current.api,
            headers=current.headers,
            api_key_env=current.api_key_env,
            models=entries,
        )
        workspace.edit(replace_provider(workspace.document, changed))
    else:
        workspace.edit(set_models(workspace.document, draft.name, entries))
    if draft.typed and draft.key is not None:
        workspace.pending_keys[draft.variable, draft.base.origin] = draft.key
