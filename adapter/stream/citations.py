"""Citations in a text: the places where it names what a hosted tool has found.

Chat models cite by writing a link. A link to a source of this response becomes an annotation; any
other one may be the model's invention, and stays text.

Source: sheet §7.2; OpenAI SDK 3.51 `AnnotationURLCitation`.
"""

import re
from collections.abc import Mapping
from typing import Any

from adapter.types.hosted import Source

# A link of Markdown, or a bare URL; what ends a sentence is not part of it.
_LINK = re.compile(
    r"\[[^\[\]\n]{0,300}\]\((?P<linked>https?://[^\s()<>]{1,2000})\)"
    r"|(?P<bare>https?://[^\s()<>\[\]\"']{1,2000}(?<![.,;:!?]))"
)


def find_citations(text: str, sources: Mapping[str, Source]) -> tuple[dict[str, Any], ...]:
    """Return the annotations of a text, in order.

    Args:
        text: of a message.
        sources: what was found, by `citation_key`.
    """
    found = []
    for link in _LINK.finditer(text):
        source = sources.get(citation_key(link["linked"] or link["bare"]))
        if source is not None:
            found.append(
                {
                    "type": "url_citation",
                    "start_index": link.start(),
                    "end_index": link.end(),
                    "url": source.url,
                    "title": source.title or source.url,
                }
            )
    return tuple(found)


def citation_key(url: str) -> str:
    """Return what two spellings of one URL have in common: models drop the last slash."""
    return url.partition("#")[0].rstrip("/")
