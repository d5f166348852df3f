"""The types of items and of streamed texts, one row each.

**A new item type is one row in `ITEMS`**, and one in `TEXTS` if it streams a text of its own.
Sources as in `rules.py`; the notation of `events` is that of `notation.py`.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec

from adapter.stream.grammar.notation import follow_table

ADDED: Final = "output_item.added"
DONE: Final = "output_item.done"
ANNOTATION: Final = "output_text.annotation.added"
LOGPROBS_PART: Final = "content_part.added{output_text}"


class Text(msgspec.Struct, frozen=True):
    """A text that is streamed in pieces and then said again whole.

    Args:
        delta: symbols of the event with a piece; more than one name if the standards disagree.
        done: symbols of the event with the whole.
        key: where that event, the part and the announcement hold the text.
        path: where the item holds it: a string, or a list if there is an `index`.
        index: the field that numbers the texts of an item, if it can have several.
        added: symbol of the event that announces the text, if there is one.
        closed: symbol of the event that repeats the whole part, if there is one.
    """

    delta: tuple[str, ...]
    done: tuple[str, ...]
    key: str
    path: tuple[str, ...]
    index: str = ""
    added: str = ""
    closed: str = ""


# fmt: off
TEXTS: Final = (
    Text(("output_text.delta",), ("output_text.done",), "text", ("content",), "content_index",
         "content_part.added{output_text}", "content_part.done{output_text}"),
    Text(("refusal.delta",), ("refusal.done",), "refusal", ("content",), "content_index",
         "content_part.added{refusal}", "content_part.done{refusal}"),
    # The SDK and every recording say reasoning_text; Open Responses 2026-04-24 says reasoning.
    Text(("reasoning_text.delta", "reasoning.delta"), ("reasoning_text.done", "reasoning.done"),
         "text", ("content",), "content_index",
         "content_part.added{reasoning_text}", "content_part.done{reasoning_text}"),
    Text(("reasoning_summary_text.delta",), ("reasoning_summary_text.done",), "text",
         ("summary",), "summary_index",
         "reasoning_summary_part.added{summary_text}", "reasoning_summary_part.done{summary_text}"),
    Text(("shell_call_command.delta",), ("shell_call_command.done",), "command",
         ("action", "commands"), "command_index", "shell_call_command.added"),
    Text(("function_call_arguments.delta",), ("function_call_arguments.done",), "arguments",
         ("arguments",)),
    Text(("mcp_call_arguments.delta",), ("mcp_call_arguments.done",), "arguments", ("arguments",)),
    Text(("custom_tool_call_input.delta",), ("custom_tool_call_input.done",), "input", ("input",)),
    Text(("code_interpreter_call_code.delta",), ("code_interpreter_call_code.done",), "code",
         ("code",)),
    Text(("apply_patch_call_operation_diff.delta",), ("apply_patch_call_operation_diff.done",),
         "diff", ("operation", "diff")),
)
# fmt: on


class Item(msgspec.Struct, frozen=True):
    """One type of item.

    Args:
        events: grammar of what comes between `output_item.added` and `output_item.done`.
        keys: fields that the item has from the start, besides `id` and `type`.
        added: statuses it may be added with; `-` stands for none.
        done: statuses it may be done with.
        empty: fields besides its texts that are empty or null when it is added.
    """

    events: str
    keys: tuple[str, ...]
    added: frozenset[str]
    done: frozenset[str]
    empty: tuple[str, ...]


def _item(
    events: str = "",
    *,
    keys: str = "",
    added: str = "in_progress",
    done: str = "completed incomplete",
    empty: str = "",
) -> Item:
    """Build a row from words."""
    return Item(
        events,
        tuple(keys.split()),
        frozenset(added.split()),
        frozenset(done.split()),
        tuple(empty.split()),
    )


# An output item that is whole when it appears: nothing is streamed.
_OUTPUT: Final = _item(keys="call_id output", added="in_progress completed")

# fmt: off
ITEMS: Final[Mapping[str, Item]] = {
    "message": _item(
        """( content_part.added{output_text} ( output_text.delta | output_text.annotation.added )*
             output_text.done content_part.done{output_text}
           | content_part.added{refusal} refusal.delta* refusal.done content_part.done{refusal} )*""",
        keys="role content"),
    # Recorded without status, sent with one by LM Studio and xAI.
    "reasoning": _item(
        """( content_part.added{reasoning_text}
             ( reasoning_text.delta* reasoning_text.done | reasoning.delta* reasoning.done )
             content_part.done{reasoning_text}
           | reasoning_summary_part.added{summary_text} reasoning_summary_text.delta*
             reasoning_summary_text.done reasoning_summary_part.done{summary_text} )*""",
        keys="summary", added="- in_progress", done="- completed incomplete"),
    "function_call": _item(
        "function_call_arguments.delta* function_call_arguments.done",
        keys="call_id name arguments"),
    "custom_tool_call": _item(
        "custom_tool_call_input.delta* custom_tool_call_input.done", keys="call_id name input"),
    "mcp_list_tools": _item(
        "mcp_list_tools.in_progress ( mcp_list_tools.completed | mcp_list_tools.failed )",
        keys="server_label tools", added="-", done="-", empty="tools error"),
    "mcp_call": _item(
        """mcp_call.in_progress mcp_call_arguments.delta* mcp_call_arguments.done
           ( mcp_call.completed | mcp_call.failed )""",
        keys="server_label name arguments", done="completed failed incomplete",
        empty="output error"),
    "mcp_approval_request": _item(keys="server_label name arguments", added="-", done="-"),
    "shell_call": _item(
        "( shell_call_command.added shell_call_command.delta* shell_call_command.done )*",
        keys="call_id action"),
    "shell_call_output": _item(
        "( shell_call_output_content.delta* shell_call_output_content.done )*",
        keys="call_id output", added="in_progress completed"),
    # The SDK has no `incomplete` here: a patch that was cut stays in_progress. Deleting has no diff.
    "apply_patch_call": _item(
        "( apply_patch_call_operation_diff.delta* apply_patch_call_operation_diff.done )?",
        keys="call_id operation", done="completed in_progress"),
    "apply_patch_call_output": _item(
        keys="call_id", added="completed failed", done="completed failed"),
    "local_shell_call": _item(keys="call_id action"),
    "local_shell_call_output": _item(
        keys="output", added="- in_progress completed", done="- completed incomplete"),
    "tool_search_call": _item(keys="arguments execution"),
    "tool_search_output": _item(keys="tools execution", added="in_progress completed"),
    "computer_call": _item(keys="call_id pending_safety_checks"),
    "computer_call_output": _item(keys="call_id output", added="in_progress completed",
                                 done="completed incomplete failed"),
    "web_search_call": _item(
        "web_search_call.in_progress web_search_call.searching web_search_call.completed",
        done="completed failed incomplete"),
    "file_search_call": _item(
        "file_search_call.in_progress file_search_call.searching file_search_call.completed",
        keys="queries", done="completed failed incomplete"),
    "code_interpreter_call": _item(
        """code_interpreter_call.in_progress
           code_interpreter_call_code.delta* code_interpreter_call_code.done
           code_interpreter_call.interpreting code_interpreter_call.completed""",
        keys="container_id code", done="completed failed incomplete"),
    "image_generation_call": _item(
        """image_generation_call.in_progress image_generation_call.generating
           image_generation_call.partial_image* image_generation_call.completed""",
        done="completed failed"),
    "compaction": _item("compaction.compacting?", keys="encrypted_content", added="-", done="-"),
    "program": _item(keys="call_id code fingerprint", added="-", done="-"),
    "program_output": _item(keys="call_id result", added="completed incomplete"),
    "function_call_output": _OUTPUT,
    "custom_tool_call_output": _OUTPUT,
    "mcp_approval_response": _item(keys="approval_request_id approve", added="-", done="-"),
    "additional_tools": _item(keys="role tools", added="-", done="-"),
}
# fmt: on

# An item of an extension type `slug:name`: its own events are ignored, so is what it holds.
EXTENSION: Final = _item(
    added="- in_progress completed", done="- completed incomplete failed in_progress"
)

# Only as the last item of a response that is not completed.
UNFINISHED: Final = frozenset({"incomplete", "in_progress"})
# Named when an item is added, and not renamed after; null may still be filled in.
CONSTANT_KEYS: Final = (
    *("type", "call_id", "name", "namespace", "server_label", "role", "phase"),
    *("approval_request_id", "execution"),
)
# The fields of `output_item.done` that may differ in the last `response.output`: sealed data, for
# the seal is made anew each time (recorded: reasoning, compaction).
RESEALED_KEYS: Final = frozenset({"encrypted_content"})
# Events of an item that do not say `item_id` (recorded, and so typed by the SDK).
WITHOUT_ITEM_ID: Final = frozenset(
    f"response.shell_call_command.{step}" for step in ("added", "delta", "done")
)


@cache
def item_table(item: Item) -> Mapping[str, frozenset[str]]:
    """Return which symbols may come after each symbol in the life of an item."""
    return follow_table(f"{ADDED} {item.events} {DONE}")
