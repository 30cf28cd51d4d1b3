"""``turnkey provider``: add, list, show, rename and remove providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.text import shell_word
from tui.commands.options import InOrder, common, dry_run_option, json_errors
from tui.commands.provider_add import add, provider_facts
from tui.commands.writing import layer_option
from tui.completing import complete_provider
from tui.opening import open_here

if TYPE_CHECKING:
    from core.errors import Fault
    from core.warden.config import Provider
    from core.warden.lanes import Layer
    from core.workspace import Workspace


@click.group(cls=InOrder)
def provider() -> None:
    """Add, list, show, rename or remove providers of warden.toml."""


provider.add_command(add)


@provider.command("list", short_help="List the providers.")
@common
@json_errors
def list_(config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """List the providers that Warden will see: the file's, else the base layer's."""
    from tui.commands.masking import Door

    workspace = open_here(config, variant, base)
    door = Door(workspace)
    providers = workspace.providers
    if as_json:
        door.json({"providers": [provider_facts(entry) for entry in providers]})
        return
    if not providers:
        door.say(f"{workspace.document.path} has no provider; turnkey provider add NAME --url URL")
        return
    rows = [(entry.name, entry.base_url, str(len(entry.models))) for entry in providers]
    door.table(("name", "base URL", "models"), rows)


@provider.command("show")
@click.argument("name", shell_complete=complete_provider)
@common
@json_errors
def show_(name: str, config: str | None, base: str | None, variant: str, as_json: bool) -> None:
    """Show provider NAME as the file has it. Header values are not shown."""
    from core.keys.environment import key_variables
    from tui.commands.masking import Door

    workspace = open_here(config, variant, base)
    door = Door(workspace)
    entry = workspace.provider(name)
    if as_json:
        door.json(provider_facts(entry))
        return
    door.show(f"{entry.name}  {entry.base_url}")
    variables = key_variables(entry.name, entry.api_key_env, workspace.variant)
    door.show(f"key      {' or '.join(variables)}, or the keyring")
    if entry.headers:
        door.show(f"headers  {', '.join(sorted(entry.headers))}")
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
    if rows:
        door.table(("selector", "context", "out", "think", "input"), rows)
    else:
        door.show("It declares no model.")


@provider.command()
@click.argument("old", shell_complete=complete_provider)
@click.argument("new")
@click.option("--keep-selectors", is_flag=True, help="Leave lanes, skills and triggers as written.")
@layer_option
@dry_run_option
@common
@json_errors
def rename(
    old: str,
    new: str,
    keep_selectors: bool,
    layer: str,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> int:
    """Rename provider OLD to NEW; selectors and the stored key follow."""
    from core.errors import error_for
    from core.providers.names import name_fault, name_warnings
    from core.warden.edits import rename_provider, rename_selectors
    from tui.commands.output import say, show_fault, warn, warn_of
    from tui.commands.writing import layer_named, report, write

    workspace = open_here(config, variant, base)
    place = layer_named(workspace, layer)
    sheet = workspace.sheet(place)
    entry = _entry(workspace, place, old)
    taken = [known.name for known in sheet.config().providers if known.name != old]
    fault = name_fault(new, taken)
    if fault is not None:
        raise error_for(fault)
    for warning in name_warnings(new, taken):
        warn_of(warning)
    both = workspace.follows(place, old)
    edited = {place: rename_provider(sheet, old, new, keep_selectors=keep_selectors)}
    if both and not keep_selectors:
        edited["repo"] = rename_selectors(workspace.document, old, new)
    here = workspace.document
    workspace.edit_together(edited)
    also = [str(here.path)] if both and workspace.document.raw != here.raw else []
    changes = write(workspace, dry_run=dry_run)
    moved, trouble = (False, None) if dry_run else _carry_key(workspace, entry, new)
    facts: dict[str, object] = {"also_changed": also, "key_moved": moved, "error": trouble}
    report(workspace, changes, dry_run=dry_run, as_json=as_json, layer=place, **facts)
    for path in () if dry_run else also:
        say(f"saved: {path}")
    if moved:
        say("The stored key is filed under the new name.")
    left = _dangling(workspace, place, old, both=both) if old != new else ()
    if left:
        warn(f"These still name «{old}»: {', '.join(left)}.")
    if entry.api_key_env is None and old != new:
        _say_variable(workspace, old, new)
    if trouble is not None:
        show_fault(trouble)
        return 5
    return 0


def _dangling(workspace: Workspace, layer: Layer, name: str, *, both: bool) -> tuple[str, ...]:
    """What names a provider of a layer: in that file and, with ``both``, in the repository's."""
    from core.warden.edits import dangling

    left = dangling(workspace.sheet(layer), name)
    if not both:
        return left
    here = workspace.document.path.name
    return (*left, *(f"{here}: {one}" for one in dangling(workspace.document, name)))


def _entry(workspace: Workspace, layer: Layer, name: str) -> Provider:
    """The provider of the file to edit. Raises UsageProblem where no file has it."""
    found = workspace.sheet(layer).config().provider(name)
    return workspace.provider(name) if found is None else found


def _carry_key(workspace: Workspace, entry: Provider, new: str) -> tuple[bool, Fault | None]:
    """Move the stored key of a renamed provider: whether there was one, and what went wrong."""
    from core.errors import Fault, TurnkeyError
    from core.keys.source import rename_key
    from core.providers.base_url import read_base_url

    if entry.api_key_env is not None:
        return False, None
    try:
        base = read_base_url(entry.base_url, exact=True)
        return rename_key(entry.name, new, None, base, workspace.vault) is not None, None
    except TurnkeyError as error:
        if error.fault.code == "usage":
            return False, None  # no key can be stored for what is no base URL
        return False, Fault(
            "keyring",
            "The provider is renamed, and its key could not be carried along.",
            error.fault.what,
            f"turnkey keys set {shell_word(new)} stores it under the new name. {error.fault.fix}",
        )


def _say_variable(workspace: Workspace, old: str, new: str) -> None:
    from core.keys.environment import find_in, own_variables
    from tui.commands.output import warn

    found = find_in(workspace.env, own_variables(old))
    if found is not None and found not in own_variables(new):
        warn(f"{found} is not read for «{new}»: set {own_variables(new)[0]} instead.")


@provider.command(short_help="Remove provider NAME, where nothing would dangle.")
@click.argument("name", shell_complete=complete_provider)
@click.option("--force", is_flag=True, help="Remove it even where selectors would dangle.")
@layer_option
@dry_run_option
@common
@json_errors
def remove(
    name: str,
    force: bool,
    layer: str,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Remove provider NAME; exits 1 with the list of what would dangle unless --force.

    Its key stays in the keyring until «turnkey keys delete NAME».
    """
    from core.errors import Fault, Refusal
    from core.keys.environment import stored_variable
    from core.warden.edits import remove_provider
    from tui.commands.output import say, warn
    from tui.commands.writing import finish, layer_named

    workspace = open_here(config, variant, base)
    place = layer_named(workspace, layer)
    entry = _entry(workspace, place, name)
    left = _dangling(workspace, place, name, both=workspace.follows(place, name))
    if left and not force:
        raise Refusal(
            Fault(
                "provider_in_use",
                f"«{name}» is still used: {', '.join(left)}.",
                "These selectors would name a provider that is not there.",
                "Point them elsewhere first (turnkey lane set), or repeat with --force.",
            )
        )
    workspace.edit(remove_provider(workspace.sheet(place), name), place)
    finish(workspace, dry_run=dry_run, as_json=as_json, layer=place, dangling=left)
    if left:
        warn(f"These name «{name}», which is not there any more: {', '.join(left)}.")
    if not dry_run and workspace.vault.stored_for(stored_variable(name, entry.api_key_env)):
        say(f"Its key is still in the keyring: turnkey keys delete {shell_word(name)}")
