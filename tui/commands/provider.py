"""``turnkey provider``: add, list, show, rename and remove providers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from tui.commands.options import bounds_for, common, dry_run_option, open_here, timeout_option

if TYPE_CHECKING:
    from core.discover.facts import Discovery
    from core.keys.secret import Secret
    from core.providers.base_url import BaseUrl
    from core.warden.config import ModelEntry, Provider
    from core.workspace import Workspace


@click.group()
def provider() -> None:
    """Add, list, show, rename or remove providers of warden.toml."""


@provider.command()
@click.argument("name")
@click.option("--url", required=True, help="The base URL; any sensible spelling.")
@click.option("--preset", metavar="P", help="Which kind of server: litellm, ollama, vllm, ...")
@click.option(
    "--key-env", metavar="VAR", help="The variable that holds the key, if it is not the usual one."
)
@click.option("--header", "headers", multiple=True, metavar="K=V", help="A header to send.")
@click.option("--model", "ids", multiple=True, metavar="ID", help="A model to declare.")
@timeout_option
@dry_run_option
@common
def add(
    name: str,
    url: str,
    preset: str | None,
    key_env: str | None,
    headers: tuple[str, ...],
    ids: tuple[str, ...],
    timeout: float | None,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Add provider NAME to warden.toml.

    The endpoint is asked for facts about the models. Without --model its only chat model is
    taken; where it lists several or none, nothing is written and the ids are shown.
    """
    from core.errors import Fault, Refusal, UsageProblem
    from core.providers.base_url import read_base_url
    from core.providers.names import name_fault, name_warnings
    from core.providers.presets import preset as preset_named
    from core.warden.config import Provider
    from core.warden.edits import add_provider
    from tui.commands.output import warn
    from tui.commands.writing import finish

    workspace = open_here(config, variant, base)
    if preset is not None:
        preset_named(preset)
    taken = [entry.name for entry in workspace.config.providers]
    if name in taken:
        raise Refusal(
            Fault(
                "provider_exists",
                f"There is a provider «{name}» in {workspace.document.path.name} already.",
                "",
                f"Choose another name, or turnkey provider remove {name} first.",
            )
        )
    fault = name_fault(name, taken)
    if fault is not None:
        raise UsageProblem(fault)
    endpoint = read_base_url(url)
    for warning in name_warnings(name, taken):
        warn(f"{warning.what} {warning.fix}")
    for words in endpoint.warnings:
        warn(words)
    draft = Provider(
        name=name,
        base_url=endpoint.url,
        headers=_headers(headers),
        api_key_env=key_env,
    )
    found, key = _ask(workspace, draft, url, timeout, consent=key_env is not None)
    endpoint, entries = choose_models(found, endpoint, ids, key_known=key is not None)
    document = add_provider(
        workspace.document,
        Provider(
            name=name,
            base_url=endpoint.url,
            headers=draft.headers,
            api_key_env=key_env,
            models=entries,
        ),
    )
    workspace.edit(document)
    finish(workspace, dry_run=dry_run, as_json=as_json)


def _headers(pairs: tuple[str, ...]) -> dict[str, str]:
    from core.errors import Fault, UsageProblem

    headers: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name.strip() and equals):
            raise UsageProblem(
                Fault("usage", "--header wants K=V.", "", "For example --header X-Team=review.")
            )
        headers[name.strip()] = value
    return headers


def _ask(
    workspace: Workspace, draft: Provider, url: str, timeout: float | None, *, consent: bool
) -> tuple[Discovery, Secret | None]:
    from core.discover.discover import discover
    from core.keys.source import resolve_key
    from core.providers.base_url import read_base_url
    from core.target import sendable_headers
    from tui.commands.output import warn

    base: BaseUrl = read_base_url(draft.base_url)
    source, key = resolve_key(
        draft.name,
        draft.api_key_env,
        base,
        workspace.env,
        workspace.vault,
        consent=consent,
    )
    if source.fault is not None and key is None and source.fault.code != "key_missing":
        warn(f"{source.fault.what} {source.fault.fix}")
    headers = sendable_headers(workspace, draft.name, draft.headers, base, consent=True)
    return asyncio.run(discover(url, key, bounds=bounds_for(timeout), headers=headers)), key


def choose_models(
    found: Discovery, endpoint: BaseUrl, ids: tuple[str, ...], *, key_known: bool
) -> tuple[BaseUrl, tuple[ModelEntry, ...]]:
    """The base URL that answered and the models to declare.

    Named ids are declared with the facts the endpoint gives, if it answers. Without ids the only
    chat model is taken. Raises UsageProblem naming the ids where there are several or none, and
    the endpoint's own error where it did not answer.
    """
    from core.discover.entries import model_entry
    from core.errors import Fault, UsageProblem, error_for
    from core.providers.base_url import read_base_url
    from core.warden.config import ModelEntry
    from tui.commands.output import warn

    if found.error is None:
        endpoint = read_base_url(found.endpoint.base_url)
    by_id = {model.id: model for model in found.models}
    if ids:
        if found.error is not None:
            why = f"{found.error.what} The models are written without facts."
            warn(why if key_known else f"{why} (No key is known yet.)")
        entries = []
        for model_id in dict.fromkeys(ids):
            if model_id in by_id:
                entries.append(model_entry(by_id[model_id]))
                continue
            if found.error is None and by_id:
                warn(f"The endpoint does not list «{model_id}».")
            entries.append(ModelEntry(id=model_id))
        return endpoint, tuple(entries)
    if found.error is not None:
        raise error_for(found.error)
    chat = [model for model in found.models if model.kind in {"chat", "unknown"}]
    if len(chat) == 1:
        return endpoint, (model_entry(chat[0]),)
    listed = ", ".join(model.id for model in chat)
    raise UsageProblem(
        Fault(
            "usage",
            f"Which model? The endpoint lists {len(chat)}." if chat else "It lists no chat model.",
            listed,
            "Repeat with --model ID (it may be given several times). Nothing was written.",
        )
    )


@provider.command("list")
@common
def list_(config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """List the providers of the file."""
    from tui.commands.output import print_json, print_table, say

    workspace = open_here(config, variant, base)
    providers = workspace.config.providers
    if as_json:
        print_json({"providers": [_facts(entry) for entry in providers]})
        return
    if not providers:
        say(f"{workspace.document.path} has no provider; turnkey provider add NAME --url URL")
        return
    rows = [(entry.name, entry.base_url, str(len(entry.models))) for entry in providers]
    print_table(("name", "base URL", "models"), rows)


@provider.command()
@click.argument("name")
@common
def show(name: str, config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Show provider NAME as the file has it."""
    from tui.commands.output import print_json, print_table

    workspace = open_here(config, variant, base)
    entry = workspace.provider(name)
    if as_json:
        print_json(_facts(entry))
        return
    click.echo(f"{entry.name}  {entry.base_url}")
    if entry.api_key_env:
        click.echo(f"key from {entry.api_key_env}")
    rows = [
        (
            f"{entry.name}/{model.id}",
            str(model.context_window or "128000 by default"),
            str(model.max_tokens or "8192 by default"),
            "yes" if model.reasoning else "no",
            " ".join(model.input),
        )
        for model in entry.models
    ]
    print_table(("selector", "context", "out", "think", "input"), rows)


def _facts(entry: Provider) -> dict[str, object]:
    return {
        "name": entry.name,
        "base_url": entry.base_url,
        "api_key_env": entry.api_key_env,
        "headers": sorted(entry.headers),
        "models": entry.models,
    }


@provider.command()
@click.argument("old")
@click.argument("new")
@click.option("--keep-selectors", is_flag=True, help="Leave lanes, skills and triggers as written.")
@dry_run_option
@common
def rename(
    old: str,
    new: str,
    keep_selectors: bool,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Rename provider OLD to NEW; selectors and the stored key follow."""
    from core.errors import UsageProblem
    from core.keys.source import rename_key
    from core.providers.base_url import read_base_url
    from core.providers.names import name_fault
    from core.warden.edits import rename_provider
    from tui.commands.writing import finish

    workspace = open_here(config, variant, base)
    entry = workspace.provider(old)
    taken = [known.name for known in workspace.config.providers if known.name != old]
    fault = name_fault(new, taken)
    if fault is not None:
        raise UsageProblem(fault)
    workspace.edit(rename_provider(workspace.document, old, new, keep_selectors=keep_selectors))
    finish(workspace, dry_run=dry_run, as_json=as_json)
    if not dry_run and entry.api_key_env is None:
        rename_key(old, new, None, read_base_url(entry.base_url, exact=True), workspace.vault)


@provider.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Remove it even where selectors would dangle.")
@dry_run_option
@common
def remove(
    name: str,
    force: bool,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Remove provider NAME; exits 1 with the list of what would dangle unless --force."""
    from core.errors import Fault, Refusal
    from core.warden.edits import dangling, remove_provider
    from tui.commands.writing import finish

    workspace = open_here(config, variant, base)
    workspace.provider(name)
    left = dangling(workspace.document, name)
    if left and not force:
        raise Refusal(
            Fault(
                "provider_in_use",
                f"«{name}» is still used: {', '.join(left)}.",
                "These selectors would name a provider that is not there.",
                "Point them elsewhere first, or repeat with --force.",
            )
        )
    workspace.edit(remove_provider(workspace.document, name))
    finish(workspace, dry_run=dry_run, as_json=as_json)
