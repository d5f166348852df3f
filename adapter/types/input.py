"""Items that a client may send in `input`.

Everything optional on the wire is nullable here: clients send our own output items back, often
with the nulls that their SDK added. `id`, `status` and unknown keys are tolerated. There are no
tags: the reader looks items up by `type`, which the easy form leaves out.

Source: OpenAI SDK 3.51 `ResponseInputItem`; Open Responses 2026-04-24 `ItemParam`.
"""

from typing import Any, Literal

import msgspec
from msgspec import Raw

from adapter.types.parts import Part, ReasoningTextPart, SummaryTextPart, TextPart
from adapter.types.raw import ABSENT

Role = Literal["user", "assistant", "system", "developer"]
Content = str | list[Part]


class MessageItem(msgspec.Struct, frozen=True):
    role: Role
    content: Content | None = None
    id: str | None = None
    status: str | None = None
    phase: str | None = None


class ReasoningItem(msgspec.Struct, frozen=True):
    id: str | None = None
    summary: list[SummaryTextPart | TextPart] | None = None
    content: list[ReasoningTextPart | TextPart] | None = None
    encrypted_content: str | None = None


class FunctionCallItem(msgspec.Struct, frozen=True):
    call_id: str
    name: str
    arguments: str | dict[str, Any] | None = None
    id: str | None = None
    namespace: str | None = None
    status: str | None = None
    extra_content: Raw = ABSENT


class FunctionCallOutputItem(msgspec.Struct, frozen=True):
    call_id: str
    output: Content | None = None
    id: str | None = None
    status: str | None = None


class ItemReference(msgspec.Struct, frozen=True):
    id: str


InputItem = MessageItem | ReasoningItem | FunctionCallItem | FunctionCallOutputItem | ItemReference
