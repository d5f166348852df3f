"""Grammars of custom tools that a server does not take after all.

vLLM: "Invalid grammar specification.", llama.cpp: "failed to parse grammar", both of one grammar. What
is asked for then is the call itself, with the grammar in its description.
"""

import re

import msgspec

from adapter.dialects import Dialect
from adapter.tools.custom import has_pattern
from adapter.translate.fit.grammars import holds_grammar
from adapter.translate.refusal import Refusal

_GRAMMAR = re.compile(r"grammar|ebnf|regex|structured[_ ]output|response[_ ]format|sampler")
_PATTERN = re.compile(r"grammar|pattern|regex|schema|strict")


def grammar(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """The grammar of an answer, or the pattern of a tool's input."""
    parameters = refusal.chat.parameters
    if holds_grammar(parameters, dialect) and _GRAMMAR.search(refusal.text):
        return msgspec.structs.replace(dialect, grammar_field=None)
    if dialect.schema_patterns == "never" or not _PATTERN.search(refusal.text):
        return None
    if not any(map(has_pattern, parameters.get("tools") or ())):
        return None
    return msgspec.structs.replace(dialect, schema_patterns="never")
