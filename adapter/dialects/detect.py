"""Which upstream this is, told from what it says: a table of signs, one row each.

Each kind of evidence is looked at in turn, the most certain first: whose host it is, what its
`server` header says, whose models `/v1/models` lists, what stands in an answer, and last its port.
What is told by an answer may be a server behind a gateway that hides it, which is what counts.

Source: the captures of vLLM and llama.cpp, `observed.md` §2, `reported.md` §3.2, and the servers'
own sources where a row says so.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from adapter.dialects.base import Dialect
from adapter.dialects.known import DIALECTS

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal"})  # noqa: S104


class Sign(msgspec.Struct, frozen=True):
    """Something that only one upstream says.

    Attributes:
        path: of a key in the JSON object; `*` stands for every element of a list.
        pattern: what the value is, as a whole; empty if the key alone says enough.
        dialect: the name of the upstream's dialect.
    """

    path: str
    pattern: str
    dialect: str


# In an entry of `data` in `/v1/models`, besides `owned_by`, which the dialects know.
MODEL_SIGNS = (
    Sign("meta.n_ctx_train", "", "llama.cpp"),
    Sign("top_provider", "", "openrouter"),
    Sign("providers.*.provider", "", "hf-router"),  # huggingface.co/docs/inference-providers
)

# In a chunk of an answer, or in a whole one.
CHUNK_SIGNS = (
    Sign("x_groq", "", "groq"),
    Sign("id", "gen-.+", "openrouter"),  # it passes on what stands in the chunks of others
    Sign("provider", ".+", "openrouter"),
    Sign("timings.predicted_n", "", "llama.cpp"),
    Sign("system_fingerprint", r"b\d{3,6}-.+", "llama.cpp"),
    Sign("system_fingerprint", "fp_ollama", "ollama"),
    Sign("system_fingerprint", r"vllm-.+", "vllm"),
    Sign("system_fingerprint", r"\d+\.\d+\.\d+(-dev\d*)?-(native|sha-[0-9a-f]+)", "tgi"),
    Sign("choices.*.matched_stop", "", "sglang"),
    Sign("choices.*.token_ids", "", "vllm"),
    Sign("prompt_token_ids", "", "vllm"),
    Sign("base_resp.status_code", "", "minimax"),
    Sign("prompt_filter_results", "", "azure"),
    Sign("choices.*.content_filter_results", "", "azure"),
    Sign("search_results", "", "perplexity"),
    Sign("time_info", "", "cerebras"),
    Sign("choices.*.delta.tool_calls.*.extra_content.google", "", "gemini"),
    Sign("choices.*.message.tool_calls.*.extra_content.google", "", "gemini"),
    Sign("model", r".+@main", "transformers"),  # the name and the revision
)


def find_dialect(
    *,
    base_url: str | None = None,
    headers: Mapping[str, str] | None = None,
    models: Any = None,
    chunk: Any = None,
    known: Mapping[str, Dialect] | None = None,
) -> Dialect | None:
    """Return the dialect of an upstream, or None if nothing tells which it is.

    Args:
        base_url: of the upstream.
        headers: of any answer of its own, with names in lower case.
        models: the decoded body of `/v1/models`.
        chunk: a decoded chunk of an answer, or a whole answer.
        known: the dialects to choose from, by name; by default our own.
    """
    dialects = DIALECTS if known is None else known
    host, port = _place(base_url)
    found = (
        _by_host(host, dialects.values())
        or _by_server((headers or {}).get("server", ""), dialects.values())
        or _by_models(models, dialects)
        or _by_signs(chunk, CHUNK_SIGNS, dialects)
    )
    if found is None and host in _THIS_MACHINE:
        found = next((dialect for dialect in dialects.values() if port in dialect.ports), None)
    return found


def _place(base_url: str | None) -> tuple[str, int | None]:
    try:
        parts = urlsplit(base_url or "")
        return (parts.hostname or "").lower(), parts.port
    except ValueError:  # no URL: whoever connects to it will say so
        return "", None


def _by_host(host: str, dialects: Iterable[Dialect]) -> Dialect | None:
    """Return the dialect with the longest ending of the host; endings begin at a dot."""
    endings = (
        (len(ending), dialect)
        for dialect in dialects
        for ending in dialect.hosts
        if host == ending or host.endswith(f".{ending}")
    )
    return max(endings, key=lambda each: each[0], default=(0, None))[1]


def _by_server(server: str, dialects: Iterable[Dialect]) -> Dialect | None:
    return next(
        (
            dialect
            for dialect in dialects
            if any(server.lower().startswith(start.lower()) for start in dialect.servers)
        ),
        None,
    )


def _by_models(body: Any, dialects: Mapping[str, Dialect]) -> Dialect | None:
    """Return the one dialect that the list speaks of; a gateway's list may speak of several."""
    entries = body.get("data") if isinstance(body, dict) else body
    if not isinstance(entries, list):
        return None
    models = [entry for entry in entries if isinstance(entry, dict)]
    found = {
        dialect.name
        for entry in models
        for dialect in (_by_owner(entry, dialects) or _by_signs(entry, MODEL_SIGNS, dialects),)
        if dialect is not None
    }
    return dialects[found.pop()] if len(found) == 1 else None


def _by_owner(entry: dict[str, Any], dialects: Mapping[str, Dialect]) -> Dialect | None:
    owner = entry.get("owned_by")
    if not isinstance(owner, str):
        return None
    if owner == entry.get("id") and entry.get("created") == 0:
        return dialects.get("tgi")  # its router/src/server.rs
    return next((dialect for dialect in dialects.values() if owner in dialect.owners), None)


def _by_signs(found: Any, signs: Iterable[Sign], dialects: Mapping[str, Dialect]) -> Dialect | None:
    return next(
        (
            dialects[sign.dialect]
            for sign in signs
            if sign.dialect in dialects and _shows(found, sign.path.split("."), sign.pattern)
        ),
        None,
    )


def _shows(value: Any, path: list[str], pattern: str) -> bool:
    if not path:
        return not pattern or (isinstance(value, str) and bool(re.fullmatch(pattern, value)))
    key, *rest = path
    if key == "*":
        return isinstance(value, list) and any(_shows(each, rest, pattern) for each in value)
    return isinstance(value, dict) and key in value and _shows(value[key], rest, pattern)
