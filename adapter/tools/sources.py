"""Sources in what a hosted tool has found: what a text may cite.

Search tools answer with JSON of many shapes; what they share is that a result is an object with a
URL and perhaps a title. A text without JSON has links.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from adapter.types.decoding import is_too_deep
from adapter.types.hosted import Source, ToolResult

MAX_SOURCES = 100

_URL_NAMES = ("url", "link", "href", "uri", "source_url")
_TITLE_NAMES = ("title", "name", "headline")
_LINK = re.compile(r"\[(?P<title>[^\[\]\n]{1,300})\]\((?P<url>https?://[^\s()<>]{1,2000})\)")
_URL = re.compile(r"https?://[^\s()<>\[\]\"'\\]{1,2000}(?<![.,;:!?])")
_json = msgspec.json.Decoder()


def with_sources(result: ToolResult) -> ToolResult:
    """Return a result with the sources that stand in it, unless it names some itself."""
    if result.sources or result.error is not None:
        return result
    return msgspec.structs.replace(result, sources=find_sources(result))


def find_sources(result: ToolResult) -> tuple[Source, ...]:
    """Return the sources in a result, each once, in order."""
    found: dict[str, Source] = {}
    for source in _sources(result):
        known = found.setdefault(source.url, source)
        if source.title and not known.title:
            found[source.url] = source
        if len(found) == MAX_SOURCES:
            break
    return tuple(found.values())


def _sources(result: ToolResult) -> Iterator[Source]:
    data = result.structured if result.structured is not None else _read(result.output)
    if isinstance(data, dict | list) and not is_too_deep(data):
        yield from _in_json(data)
        return
    for link in _LINK.finditer(result.output):
        yield Source(link["url"], link["title"])
    for url in _URL.finditer(result.output):
        yield Source(url[0])


def _read(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return _json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _in_json(node: Any) -> Iterator[Source]:
    if isinstance(node, list):
        for child in node:
            yield from _in_json(child)
    elif isinstance(node, dict):
        url = _text(node, _URL_NAMES)
        if url.startswith(("http://", "https://")):
            yield Source(url, _text(node, _TITLE_NAMES))
        for child in node.values():
            if isinstance(child, dict | list):
                yield from _in_json(child)


def _text(node: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((node[name] for name in names if isinstance(node.get(name), str)), "")
