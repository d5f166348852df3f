"""The rules that a stream must keep, and the grammar of the stream around its items.

Sources: the Responses API as it was recorded (November 2025 to August 2026), the types of the
openai SDK 3.51, Open Responses 2026-04-24.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple


class Rule(Enum):
    """The rules, each with the sentence that states it."""

    SEQUENCE = "sequence_number goes up by one with every event"
    KNOWN_EVENT = "an event has a known type, or an extension type of the form slug:name"
    LIFECYCLE = "created, queued if it waits, in_progress, the items, one last event"
    NOTHING_AFTER_END = "nothing follows completed, incomplete or failed"
    ENDED = "a stream ends with completed, incomplete or failed"
    FIELD = "an event, item, part or error has all its fields, and they have their types"
    RESPONSE_KEYS = "a response object has every required key"
    RESPONSE_NULLS = "a response object has null only where null is allowed"
    RESPONSE_ID = "the response is the same from its first event to its last"
    RESPONSE_STATUS = "the status of a response is that of its event"
    RESPONSE_OUTCOME = "output, usage, error, incomplete_details and completed_at fit the status"
    ONE_ITEM = "an item is done before the next one is added"
    OUTPUT_INDEX = "items are numbered 0, 1, 2 as they are added"
    ITEM_TYPE = "an item has a known type, or an extension type of the form slug:name"
    ITEM_ID = "an item has one id, and no two items share an id or two calls a call_id"
    ITEM_ADDED = "an event belongs to an item that was added"
    ITEM_CLOSED = "nothing happens to an item that is done"
    ITEM_EMPTY = "an item or part is empty when it is added"
    ITEM_STATUS = "an item has a status that its type and its event allow"
    ITEM_ORDER = "the events of an item come in the order of its grammar"
    ITEM_CONSTANT = "what was known when an item was added stays"
    ITEM_WHOLE = "an item that is done holds what its events said"
    ITEM_OUTCOME = "an item that is done agrees with its last phase"
    ITEM_DONE = "every item is done before the end; in a failed response the last may be open"
    ITEM_UNFINISHED = "an unfinished item is the last one, and its response is not completed"
    PART_INDEX = "parts are numbered 0, 1, 2 and events name the part that is open"
    PART_TEXT = "a whole text is its deltas joined"
    ANNOTATIONS = "annotations are numbered 0, 1, 2 and the part that is done holds them"
    LOGPROBS = "the log probabilities of a text are those of its deltas joined"
    OUTPUT = "the last response.output holds the items as they were done"


class Fault(NamedTuple):
    """A rule that was broken, what it is about (the key of `RELAXED`), and what was found."""

    rule: Rule
    about: str
    found: str


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


START: Final = "start"
ITEM: Final = "item"

# `error` comes with `failed` and nowhere else (recorded for a context that is too long). A failed
# response is always in progress first. A cancelled one just stops: there is no event for it.
STREAM: Final = """
    start ( created{in_progress} | created{queued} queued ) in_progress
    item* ( completed | incomplete | error failed )
"""
TERMINAL: Final = _words("completed incomplete failed")

# Status that a response may have in each of its events.
RESPONSE_STATUS: Final[Mapping[str, frozenset[str]]] = {
    "created": _words("in_progress queued"),
    "queued": _words("queued"),
    "in_progress": _words("in_progress"),
    "completed": _words("completed"),
    "incomplete": _words("incomplete"),
    "failed": _words("failed"),
}

# Open Responses `ResponseResource`: present in every response object, even if null.
RESPONSE_KEYS: Final = _words(
    """
    id object created_at completed_at status incomplete_details model previous_response_id
    instructions output error tools tool_choice truncation parallel_tool_calls text top_p
    presence_penalty frequency_penalty top_logprobs temperature reasoning usage max_output_tokens
    max_tool_calls store background service_tier metadata safety_identifier prompt_cache_key
    """
)
NULLABLE_KEYS: Final = _words(
    """
    completed_at incomplete_details previous_response_id instructions error reasoning usage
    max_output_tokens max_tool_calls safety_identifier prompt_cache_key
    """
)
# Counters of `usage`: the SDK requires all of them, Open Responses all but the last.
USAGE_KEYS: Final = (
    ("input_tokens",),
    ("output_tokens",),
    ("total_tokens",),
    ("input_tokens_details", "cached_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
    ("input_tokens_details", "cache_write_tokens"),
)

# What `strict=False` allows: only what api.openai.com itself has been recorded to do, and why.
RELAXED: Final[Mapping[tuple[Rule, str], str]] = {
    (Rule.RESPONSE_KEYS, "completed_at"): "sent since December 2025",
    (Rule.RESPONSE_KEYS, "frequency_penalty"): "sent since January 2026",
    (Rule.RESPONSE_KEYS, "presence_penalty"): "sent since January 2026",
    (Rule.FIELD, "usage input_tokens_details.cache_write_tokens"): "sent since July 2026",
    (Rule.ONE_ITEM, "mcp_list_tools"): "the lists of several MCP servers are fetched side by side",
    (Rule.ITEM_DONE, "mcp_list_tools"): "of three lists side by side only one was done",
    (Rule.ITEM_ORDER, "mcp_call.in_progress"): "said twice for a call that was approved",
    (Rule.ITEM_STATUS, "function_call in_progress"): "a call by a program waits for its output",
    (Rule.ITEM_UNFINISHED, "function_call in_progress"): "a call by a program waits for its output",
    (Rule.ITEM_CONSTANT, "tool_search_call call_id"): "added with one and done with another",
    (Rule.OUTPUT, "fingerprint"): "a program is signed anew",
}
