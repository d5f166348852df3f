"""Tools and tool choices as the client sends them, and as the response echoes them.

Schemas travel as `msgspec.Raw`: they are checked for syntax, never rebuilt.

Source: OpenAI SDK 3.51 `Tool`, `ToolChoice*`; Open Responses 2026-04-24 `FunctionTool`.
"""

from typing import Any, Literal

import msgspec

ToolChoiceMode = Literal["none", "auto", "required"]


class FunctionTool(msgspec.Struct, frozen=True, tag="function"):
    """A function tool; all four keys are always echoed."""

    name: str
    description: str | None = None
    parameters: dict[str, msgspec.Raw] | None = None
    strict: bool | None = None


class AllowedToolsChoice(msgspec.Struct, frozen=True, tag="allowed_tools"):
    tools: list[dict[str, Any]]
    mode: ToolChoiceMode = "auto"
