"""``turnkey provider add``: a provider with models, facts and consent, in one go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from core.keys.environment import shown_variable
from core.providers.url_keys import shown_address
from core.text import shell_word
from tui.commands.options import (
    bounds_for,
    common,
    dry_run_option,
    json_errors,
    network_here,
    timeout_option,
    trust_options,
)
from tui.commands.writing import layer_option
from tui.opening import open_here

if TYPE_CHECKING:
    from core.discover.facts import Discovery
    from core.errors import Fault
    from core.keys.source import KeySource
    from core.providers.base_url import BaseUrl
    from core.providers.presets import Preset
    from core.warden.config import ModelEntry, Provider
    from core.workspace import Workspace


@click.command(short_help="Add provider NAME to warden.toml.")
@click.argument("name")
@click.option(
    "--url",
    metavar="URL",
    help="The base URL, in any sensible spelling. Left out: the preset's usual address.",
)
@click.option(
    "--preset",
    metavar="P",
    help="Which kind of server: litellm, ollama, vllm, lmstudio, llamacpp, sglang, ...",
)
@click.option(
    "--key-env",
    metavar="VAR",
    help="The variable that holds the key, if it is not WARDEN_NAME_API_KEY or NAME_API_KEY; "
    "says that its value may go to this URL.",
)
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="K=V",
    help="A header to send; $NAME in the value is filled in from the environment. Repeatable.",
)
@click.option("--model", "ids", multiple=True, metavar="ID", help="A model to declare. Repeatable.")
@timeout_option
@trust_options
@layer_option
@dry_run_option
@common
@json_errors
def add(
    name: str,
    url: str | None,
    preset: str | None,
    key_env: str | None,
    headers: tuple[str, ...],
    ids: tuple[str, ...],
    timeout: float | None,
    layer: str,
    dry_run: bool,
    config: str | None,
    base: str | None,
    variant: str,
    as_json: bool,
) -> None:
    """Add provider NAME to warden.toml, which is made where there is none.

    The endpoint is asked for facts about the models. Without --model its only chat model is
    taken; where it lists several or none, nothing is written and the ids are shown.

    \b
      turnkey provider add litellm --url localhost:4000 --model qwen3-coder
      turnkey provider add ollama --preset ollama --model qwen3:8b
    """
    from core.errors import UsageProblem, error_for
    from core.providers.base_url import read_base_url
    from core.providers.names import name_fault, name_warnings
    from core.providers.presets import preset as preset_named
    from core.warden.config import Provider
    from core.warden.edits import add_provider
    from tui.commands.output import say, warn, warn_of
    from tui.commands.writing import layer_named, report, write

    workspace = open_here(config, variant, base, may_be_new=True)
    kind = None if preset is None else preset_named(preset)
    place = layer_named(workspace, layer)
    taken = [entry.name for entry in workspace.sheet(place).config().providers]
    fault = name_fault(name, taken)
    if fault is not None:
        raise error_for(fault)
    if key_env is not None:
        _check_variable(key_env, name)
    if any(not model_id.strip() for model_id in ids):
        raise UsageProblem(_usage("--model wants an id.", "", "For example --model qwen3-coder."))
    typed = _address(url, kind)
    endpoint = read_base_url(typed)
    for words in endpoint.changes:
        say(words)
    for warning in name_warnings(name, taken):
        warn_of(warning)
    for words in endpoint.warnings:
        warn(words)
    draft = Provider(
        name=name, base_url=endpoint.url, headers=_headers(headers), api_key_env=key_env
    )
    found, source = _ask(workspace, draft, typed, endpoint, timeout)
    if kind is not None:
        _compare(kind, found)
    endpoint, entries = choose_models(found, endpoint, ids, source)
    if found.error is None:
        workspace.approvals.note(endpoint.origin)
    entry = Provider(
        name=name,
        base_url=endpoint.url,
        headers=draft.headers,
        api_key_env=key_env,
        models=entries,
    )
    workspace.edit(add_provider(workspace.sheet(place), entry), place)
    changes = write(workspace, dry_run=dry_run)
    if key_env is not None and not dry_run:
        # --key-env is the consent, also where the variable is not set yet.
        forgotten = workspace.vault.allow_environment(key_env, endpoint.origin)
        if forgotten is not None:
            warn_of(forgotten)
    facts = provider_facts(entry)
    report(workspace, changes, dry_run=dry_run, as_json=as_json, layer=place, provider=facts)
    if not dry_run:
        _say_next(workspace, entry, source, wanted=_key_fault(found, source) is not None)


def _usage(what: str, why: str, fix: str) -> Fault:
    from core.errors import Fault

    return Fault("usage", what, why, fix)


def _check_variable(key_env: str, name: str) -> None:
    """Raises UsageProblem for a variable that can hold no key."""
    from core.errors import UsageProblem
    from core.keys.source import variable_fault

    fault = variable_fault(key_env, name)
    if fault is not None:
        fix = fault.fix.replace("apiKeyEnv", "--key-env")
        what = fault.what.replace("apiKeyEnv or --key-env", "--key-env")
        raise UsageProblem(_usage(what, fault.why, fix))


def _address(url: str | None, kind: Preset | None) -> str:
    from core.errors import UsageProblem

    if url is not None:
        return url
    if kind is not None and kind.base_url:
        return kind.base_url
    what = "Where is it?" if kind is None else f"{kind.label} has no usual address."
    raise UsageProblem(_usage(what, "", "Add --url URL, for example --url localhost:4000."))


def _looks_random(value: str) -> bool:
    """A run of twenty that has small letters, capitals and digits: no name of a team or a route."""
    import re

    return any(
        re.search("[a-z]", run) and re.search("[A-Z]", run) and len(re.findall("[0-9]", run)) > 1
        for run in re.findall(r"(?<![$\w{])[A-Za-z0-9_-]{20,}", value)
    )


def _headers(pairs: tuple[str, ...]) -> dict[str, str]:
    """``K=V`` pairs as a mapping. Raises UsageProblem, also for a key that would get into a file.

    Names are tokens (RFC 9110, 5.6.2).
    """
    import re

    from core.errors import UsageProblem
    from core.text import one_line
    from core.warden.secrets import secret_paths

    headers: dict[str, str] = {}
    for pair in pairs:
        header, equals, value = pair.partition("=")
        header = header.strip()
        if not (equals and re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", header)):
            raise UsageProblem(
                _usage("--header wants K=V.", "", "For example --header X-Team=review.")
            )
        # What looks random may be a key of nobody's known form: it would stand in the diff, too.
        if _looks_random(value) or any(secret_paths({"headers": {header: value}})):
            raise UsageProblem(
                _usage(
                    f"The value of the header {one_line(header, 60)} looks like a key.",
                    "Keys do not belong in warden.toml, nor into an argument.",
                    f"Put it into a variable, and write --header '{one_line(header, 60)}=$NAME'.",
                )
            )
        headers[header] = value
    return headers


def _ask(
    workspace: Workspace, draft: Provider, typed: str, base: BaseUrl, timeout: float | None
) -> tuple[Discovery, KeySource]:
    """What the endpoint lists, and where the key that it was asked with came from."""
    from core.discover.discover import discover
    from core.errors import KeyProblem
    from core.keys.headers import resolve_headers
    from core.keys.source import resolve_key
    from tui.commands.output import warn_of

    source, key = resolve_key(
        draft.name,
        draft.api_key_env,
        base,
        workspace.env,
        workspace.vault,
        consent=draft.api_key_env is not None,
        variant=workspace.variant,
    )
    ready, faults = resolve_headers(
        draft.name, draft.headers, base, workspace.env, workspace.vault, consent=True
    )
    for fault in faults:
        if fault.code != "key_missing":
            raise KeyProblem(fault)
        warn_of(fault)
    return asyncio.run(
        discover(typed, key, bounds=bounds_for(timeout), headers=ready, network=network_here())
    ), source


def _compare(kind: Preset, found: Discovery) -> None:
    from tui.commands.output import warn

    seen = found.endpoint.dialect
    if found.error is None and seen != kind.dialect and "generic" not in {seen, kind.dialect}:
        warn(f"What answers there looks like {seen}, not {kind.dialect}.")


def choose_models(
    found: Discovery, endpoint: BaseUrl, ids: tuple[str, ...], source: KeySource
) -> tuple[BaseUrl, tuple[ModelEntry, ...]]:
    """The base URL that answered and the models to declare.

    Named ids are declared with the facts the endpoint gives, if it answers. Without ids the only
    chat model is taken. Raises UsageProblem naming the ids where there are several or none, the
    endpoint's own error where it did not answer, and KeyProblem where the key is what lacks.
    """
    from core.discover.entries import model_entry
    from core.providers.base_url import read_base_url
    from core.warden.config import ModelEntry
    from tui.commands.output import say, warn, warn_of

    if found.error is None:
        for words in found.changes:
            if words not in endpoint.changes:
                say(words)
        for warning in found.warnings:
            if warning.what not in endpoint.warnings:
                warn_of(warning)
        endpoint = read_base_url(found.endpoint.base_url, exact=True)
    if not ids:
        return endpoint, (_only_chat_model(found, source),)
    if found.error is not None:
        fault = _key_fault(found, source) or found.error
        warn(f"{fault.what} The models are written without facts. {fault.fix}".strip())
    by_id = {model.id: model for model in found.models}
    entries = []
    for model_id in dict.fromkeys(ids):
        if model_id in by_id:
            entries.append(model_entry(by_id[model_id]))
            continue
        if by_id:
            warn(f"The endpoint does not list «{model_id}»; it is written without facts.")
        entries.append(ModelEntry(id=model_id))
    return endpoint, tuple(entries)


def _only_chat_model(found: Discovery, source: KeySource) -> ModelEntry:
    from core.discover.entries import model_entry
    from core.errors import KeyProblem, UsageProblem, error_for
    from core.text import one_line

    if found.error is not None:
        fault = _key_fault(found, source)
        if fault is not None:
            raise KeyProblem(fault)
        raise error_for(found.error)
    chat = [model for model in found.models if model.kind in {"chat", "unknown"}]
    if len(chat) == 1:
        return model_entry(chat[0])
    others = [f"{model.id} ({model.kind})" for model in found.models if model not in chat]
    names = ", ".join(one_line(name, 200) for name in [model.id for model in chat] + others)
    if chat:
        what = f"Which model? {found.endpoint.base_url} lists {len(chat)}."
    else:
        what = f"{found.endpoint.base_url} lists no chat model."
    raise UsageProblem(
        _usage(
            what,
            f"It lists: {names}." if names else "Its list is empty.",
            "Repeat with --model ID, once for each that you want. Nothing was written.",
        )
    )


def _key_fault(found: Discovery, source: KeySource) -> Fault | None:
    """Why turnkey had no key to send, where the server then asked for one."""
    from core.errors import Fault
    from core.target import told_of_key

    if found.error is None or found.error.code not in {"key_missing", "key_refused"}:
        return None
    fault = source.fault or told_of_key(found.error, source)
    if fault is found.error:
        return None
    if fault.code == "key_bound_elsewhere":
        fix = f"If {source.origin} may have it, repeat with --key-env {source.variable}."
        return Fault(fault.code, fault.what, fault.why, fix)
    fix = (
        f"Export {source.variable} and repeat; or repeat with --model ID, then run "
        f"«turnkey keys set {source.provider}»."
    )
    return Fault(fault.code, fault.what, fault.why, fix)


def _say_next(workspace: Workspace, entry: Provider, source: KeySource, *, wanted: bool) -> None:
    from tui.commands.output import say

    if wanted or (source.fault is not None and source.fault.code == "key_missing"):
        say(f"no key is known yet: turnkey keys set {shell_word(entry.name)}")
    own = [lane for lane in workspace.lanes().lanes.values() if lane.provider == entry.name]
    if entry.models and not own:
        selector = shell_word(f"{entry.name}/{entry.models[0].id}")
        say(f"next: turnkey lane set all {selector}")


def provider_facts(entry: Provider) -> dict[str, object]:
    """A provider as ``--json`` gives it: header names and no value of one."""
    return {
        "name": entry.name,
        "base_url": shown_address(entry.base_url),
        "api_key_env": entry.api_key_env and shown_variable(entry.api_key_env),
        "headers": sorted(entry.headers),
        "models": entry.models,
    }
