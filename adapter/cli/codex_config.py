"""`responses-adapter codex-config`: what Codex must be told to work with a model behind us.

Codex knows a model by an entry of its catalogue. For any other name it assumes little: no
`apply_patch`, and a context window that is not the model's. So a catalogue can be written too; it
takes the place of Codex's own, so the entries of several models gather in one file.

Source: Codex 0.169, `codex debug models` and its errors for entries that lack something.
"""

import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import click

from adapter.cli.serve import DEFAULT_HOST, DEFAULT_PORT
from adapter.cli.served_models import ServedModel, list_models

_PROVIDER = "responses-adapter"
_MAX_LISTED = 20  # of the models that may be meant
_EFFORTS = {
    "low": "Answers soon, thinks little.",
    "medium": "Thinks as much as most tasks need.",
    "high": "Thinks long, for hard tasks.",
}
# A profile leaves what the user has in `config.toml` alone.
_EXAMPLE = """\b
Such as:
  responses-adapter codex-config --catalog ~/.codex/local.json > ~/.codex/local.config.toml
  codex --profile local
"""
_TOOL_OUTPUT_TOKENS = 10_000  # what Codex keeps of a tool's output, as for models of its own


@click.command("codex-config", epilog=_EXAMPLE)
@click.option("--model", help="Its name. [default: the only one that the server has]")
@click.option(
    "--base-url",
    default=f"http://{DEFAULT_HOST}:{DEFAULT_PORT}/v1",
    show_default=True,
    help="Where the adapter listens.",
)
@click.option(
    "--key-env",
    metavar="NAME",
    help="Environment variable that holds the key for the server, if it wants one.",
)
@click.option(
    "--catalog",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to write the model's entry to, beside those that are there: with it, Codex has "
    "`apply_patch` and knows the size of the context.",
)
@click.option(
    "--context-window",
    type=click.IntRange(1),
    metavar="TOKENS",
    help="How much fits into the model's context. [default: what the server says]",
)
@click.option(
    "--images/--no-images",
    default=None,
    help="Whether the model sees pictures. [default: what the server says, else no]",
)
def codex_config(
    model: str | None,
    base_url: str,
    key_env: str | None,
    catalog: Path | None,
    context_window: int | None,
    images: bool | None,
) -> None:
    """Print a configuration for OpenAI's Codex CLI."""
    served = _find_model(base_url, model, os.environ.get(key_env or ""))
    window = context_window or served.context_window
    if window is None:
        click.echo(
            "The server does not say how large the model's context is: with --context-window, "
            "Codex sums up long conversations in time.",
            err=True,
        )
    if catalog is not None:
        sees = images if images is not None else "image" in (served.input_modalities or ())
        write_catalog(catalog, catalog_entry(served.id, window, sees_images=sees))
    click.echo(config_text(served.id, base_url, key_env, catalog, window), nl=False)


def config_text(
    model: str,
    base_url: str,
    key_env: str | None = None,
    catalog: Path | None = None,
    context_window: int | None = None,
) -> str:
    """Return a `config.toml`, or a profile to lay over one.

    Args:
        model: its name.
        base_url: where the adapter listens.
        key_env: environment variable with the key for the server.
        catalog: the file with the model's entry.
        context_window: tokens; the entry has them, if there is one.
    """
    top: dict[str, Any] = {"model": model, "model_provider": _PROVIDER}
    if catalog is not None:
        top["model_catalog_json"] = str(catalog.resolve())
    elif context_window is not None:
        top["model_context_window"] = context_window
    top["web_search"] = "disabled"  # a tool that only OpenAI runs
    provider = {"name": _PROVIDER, "base_url": base_url, "wire_api": "responses"}
    if key_env is not None:
        provider["env_key"] = key_env
    lines = [
        *map(_toml_line, top.items()),
        "",
        f"[model_providers.{_PROVIDER}]",
        *map(_toml_line, provider.items()),
    ]
    return "\n".join(lines) + "\n"


def catalog_entry(model: str, context_window: int | None, *, sees_images: bool) -> dict[str, Any]:
    """Return what Codex's catalogue says of a model."""
    entry: dict[str, Any] = {
        "slug": model,
        "display_name": model,
        "description": "A model behind responses-adapter.",
        "visibility": "list",
        "supported_in_api": True,
        "priority": 1,
        "base_instructions": _instructions(),
        "supported_reasoning_levels": [
            {"effort": effort, "description": about} for effort, about in _EFFORTS.items()
        ],
        "default_reasoning_summary": "auto",
        "support_verbosity": False,
        "input_modalities": ["text", "image"] if sees_images else ["text"],
        "shell_type": "unified_exec",
        "apply_patch_tool_type": "freeform",  # the only one that there is
        "supports_search_tool": False,  # tools of MCP servers are offered at once, not on request
        "experimental_supported_tools": [],
        "truncation_policy": {"mode": "tokens", "limit": _TOOL_OUTPUT_TOKENS},
    }
    if context_window is not None:
        entry |= {"context_window": context_window, "max_context_window": context_window}
    return entry


def write_catalog(file: Path, entry: dict[str, Any]) -> None:
    """Put an entry into a catalogue, in the place of one of the same model.

    Raises:
        ClickException: the file is something else, or cannot be written.
    """
    try:
        known = json.loads(file.read_text()) if file.exists() else {"models": []}
        if not isinstance(known, dict) or not isinstance(known.get("models"), list):
            raise click.ClickException(f"{file} is not a catalogue of models.")
        others = [
            other
            for other in known["models"]
            if not isinstance(other, dict) or other.get("slug") != entry["slug"]
        ]
        text = json.dumps({**known, "models": [*others, entry]}, indent=2, ensure_ascii=False)
        file.write_text(text + "\n")
    except ValueError as exc:
        raise click.ClickException(f"{file} is not a catalogue of models: {exc}") from exc
    except OSError as exc:
        raise click.ClickException(f"{file}: {exc.strerror}") from exc


def _find_model(base_url: str, name: str | None, api_key: str | None) -> ServedModel:
    """Return the model that is meant, with what the server says of it.

    Raises:
        ClickException: no name is given, and the server does not have just one model.
    """
    try:
        models = list_models(base_url, api_key)
    except click.ClickException as exc:
        if name is None:
            raise click.ClickException(f"{exc.message}\nStart it, or name the --model.") from exc
        models = []
    if name is not None:
        return next((model for model in models if model.id == name), ServedModel(name))
    if len(models) == 1:
        return models[0]
    names = [model.id for model in models[:_MAX_LISTED]]
    more = ["…"] if len(models) > _MAX_LISTED else []
    raise click.ClickException(
        f"Which --model? {base_url} has {', '.join([*names, *more]) or 'none'}."
    )


def _instructions() -> str:
    return resources.files("adapter.cli").joinpath("codex_instructions.md").read_text()


def _toml_line(setting: tuple[str, Any]) -> str:
    """Return a line of TOML, whose strings and numbers are written as those of JSON."""
    name, value = setting
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"
