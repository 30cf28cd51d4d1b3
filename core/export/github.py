"""A GitHub Actions workflow for Warden on your own models, with secrets by name.

Facts: getsentry/warden ``action.yml`` (inputs) and the workflow that ``warden init`` writes
(permissions, trigger types). A key comes from a secret of the same name; no hosted provider's key
is given to the job, so that a lane that escapes fails instead of leaving.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from core.errors import Fault, Refusal
from core.export.pi_models import header_variables, key_variable, models_json
from core.export.setup import Export, Setup, base_of, words_of
from core.keys.environment import PLACEHOLDER, is_exportable, stored_variable
from core.providers.base_url import place_of
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.warden.config import Provider

ACTION: Final = "getsentry/warden@v0"
_DELIMITER: Final = "TURNKEY_MODELS_JSON"


def github(setup: Setup) -> Export:
    """The workflow. For ``stock`` it writes ``models.json`` into the runner's own folder first.

    Raises Refusal ``not_exportable`` where a base URL cannot be exported.
    """
    chosen = setup.used() or setup.providers
    near = [one.name for one in chosen if not _far(one)]
    env = dict(_environment(setup, chosen))
    lines = [
        *(f"# {word}".replace("${{", "$ {{") for word in words_of(setup)),
        "name: Warden",
        "",
        "on:",
        "  pull_request:",
        "    types: [opened, synchronize, reopened, labeled]",
        "",
        "permissions:",
        "  contents: write",
        "  pull-requests: write",
        "  checks: write",
        "",
        "jobs:",
        "  warden:",
        "    # A pull request of a fork gets no secrets: each lane would be without its key.",
        "    if: github.event.pull_request.head.repo.full_name == github.repository",
    ]
    if near:
        lines.append(
            "    # GitHub's own runners do not reach this address: a runner beside it does."
        )
    lines += [
        f"    runs-on: {'self-hosted' if near else 'ubuntu-latest'}",
        "    steps:",
        "      - uses: actions/checkout@v4",
    ]
    if setup.variant == "stock":
        lines += _models_step(setup)
    lines.append(f"      - uses: {ACTION}")
    if setup.concurrency is not None:
        lines += ["        with:", f"          parallel: {setup.concurrency}"]
    if env:
        lines.append("        env:")
        lines.append(
            "          # No other provider's key: an unset lane then fails, and stays here."
        )
        lines += [f"          {name}: {value}" for name, value in env.items()]
    secrets = tuple(name for name, value in env.items() if value.startswith("${{"))
    notes = []
    if secrets:
        notes.append(f"Secrets to create in the repository: {', '.join(secrets)}.")
    if near:
        notes.append(
            f"{', '.join(near)}: on this machine or in a private network; only a runner of your own"
            " reaches it."
        )
    if setup.variant == "stock":
        notes.append("The step writes models.json anew in each run; commit nothing of it.")
    reach = (
        "reaches the agent lane alone"
        if setup.variant == "stock"
        else "does not reach its own work on comments"
    )
    notes.append(f"Warden's action has no --model, and WARDEN_MODEL {reach}.")
    text = "\n".join(lines) + "\n"
    return Export("github", text, ".github/workflows/warden.yml", tuple(notes), secrets)


def _environment(setup: Setup, chosen: Iterable[Provider]) -> Iterable[tuple[str, str]]:
    for provider in chosen:
        for name in header_variables(provider):
            yield name, f"${{{{ secrets.{name} }}}}"
        if provider.name in setup.keyless and not provider.api_key_env:
            if setup.variant == "providers":
                yield stored_variable(provider.name, None), PLACEHOLDER
            continue
        stock = setup.variant == "stock"
        name = (
            key_variable(provider)
            if stock
            else stored_variable(provider.name, provider.api_key_env)
        )
        if not is_exportable(name):
            raise Refusal(
                Fault(
                    "not_exportable",
                    f"The key of {one_line(provider.name, 60)} has a variable that none can set.",
                    f"«{one_line(name, 60)}» is no name of a variable.",
                    "Rename the provider, or give it an apiKeyEnv of letters, digits and «_».",
                )
            )
        yield name, f"${{{{ secrets.{name} }}}}"


def _models_step(setup: Setup) -> list[str]:
    # A server chooses its models' names: GitHub would fill in ${{ }}, and whatever some reader
    # takes for a line break would end the text and go on as commands. JSON says both in ASCII.
    text = _ascii(models_json(setup).text).replace("${{", "\\u0024{{")
    body = "\n".join(f"          {line}".rstrip() for line in text.split("\n") if line)
    return [
        "      - name: Tell Pi about the models",
        "        run: |",
        '          mkdir -p "$RUNNER_TEMP/pi"',
        f"          cat > \"$RUNNER_TEMP/pi/models.json\" <<'{_DELIMITER}'",
        body,
        f"          {_DELIMITER}",
        '          echo "PI_CODING_AGENT_DIR=$RUNNER_TEMP/pi" >> "$GITHUB_ENV"',
    ]


def _ascii(text: str) -> str:
    """JSON with each character beyond printable ASCII written out; line feeds stay."""
    return "".join(
        one if one == "\n" or " " <= one <= "~" else json.dumps(one)[1:-1] for one in text
    )


def _far(provider: Provider) -> bool:
    """Whether GitHub's own runners may reach it: a public name or address."""
    return place_of(base_of(provider).host) == "public"
