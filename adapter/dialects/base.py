"""The facts that make up a dialect.

The defaults describe a server that we know nothing of: write only what all known servers accept,
read everything that any of them sends.
"""

from typing import Literal

import msgspec

ThinkTags = Literal["start", "opened", "anywhere", "off"]
ReasoningField = Literal["reasoning", "reasoning_content", "none"]


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream's habits.

    Attributes:
        name: how settings and logs call it.
        source: where the facts come from, with a date or version.
        system_role: role of instructions.
        late_system: a system or developer message after the conversation has begun is sent as
            `system`, or as a `user` message in `<system>` tags, which keeps the prefix cacheable
            and suits templates that want the system message first.
        merge_same_role: consecutive user messages are sent as one, for templates that want
            strict alternation.
        output_limit: name of the field for the longest answer.
        reasoning_field: where the reasoning of earlier turns is sent back.
        think_tags: where `<think>` in content is reasoning: at the `start` of the answer,
            `anywhere`, `opened` (the template wrote the first tag, the answer starts inside), or
            `off`.
        parts: content parts beyond text that it takes.
        parameters: optional request fields that it knows beyond the ones all servers take.
        tool_choice_named: `tool_choice` may name a function; otherwise only that function is
            offered, and required.
        refusal_field: assistant messages may carry `refusal`; otherwise it is sent as content.
    """

    name: str
    source: str
    system_role: Literal["system", "developer"] = "system"
    late_system: Literal["system", "user"] = "user"
    merge_same_role: bool = True
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reasoning_field: ReasoningField = "reasoning_content"
    think_tags: ThinkTags = "start"
    parts: frozenset[str] = frozenset({"image_url"})
    parameters: frozenset[str] = frozenset()
    tool_choice_named: bool = False
    refusal_field: bool = False
