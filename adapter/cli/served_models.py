"""What a running server says of its models: names, and what some servers tell besides."""

from typing import Any

import click
import msgspec

_LIMIT_SECONDS = 10.0
# vLLM and SGLang; OpenRouter and Together; Groq; Mistral.
_CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")


class ServedModel(msgspec.Struct, frozen=True):
    """A model as a server lists it.

    Attributes:
        id: its name.
        context_window: tokens, or None if the server does not say.
        input_modalities: such as `text` and `image`, or None if the server does not say.
    """

    id: str
    context_window: int | None = None
    input_modalities: tuple[str, ...] | None = None


def list_models(base_url: str, api_key: str | None = None) -> list[ServedModel]:
    """Return the models of a server.

    Raises:
        ClickException: it does not answer as it should.
    """
    import httpx2

    url = f"{base_url.rstrip('/')}/models"
    headers = {} if api_key is None else {"authorization": f"Bearer {api_key}"}
    try:
        answer = httpx2.get(url, headers=headers, timeout=_LIMIT_SECONDS)
        answer.raise_for_status()
        listed = answer.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as exc:
        raise click.ClickException(f"{url} does not list models: {exc}") from exc
    entries = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(entries, list):
        raise click.ClickException(f"{url} does not list models.")
    return [_model(entry) for entry in entries if isinstance(entry, dict) and "id" in entry]


def _model(entry: dict[str, Any]) -> ServedModel:
    meta, architecture = entry.get("meta"), entry.get("architecture")
    given = [entry.get(field) for field in _CONTEXT_FIELDS]
    if isinstance(meta, dict):
        given.append(meta.get("n_ctx"))  # llama.cpp
    window = next((size for size in given if isinstance(size, int) and size > 0), None)
    kinds = architecture.get("input_modalities") if isinstance(architecture, dict) else None
    return ServedModel(
        str(entry["id"]),
        window,
        tuple(map(str, kinds)) if isinstance(kinds, list) and kinds else None,
    )
