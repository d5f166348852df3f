"""Function tools: flat in Responses, nested in chat completions.

Source: sheet §5; a chat-style nested definition is accepted too, as look-alike clients send it.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw

from adapter.tools.kinds import FUNCTION_CALL, OfferedTool
from adapter.tools.names import chat_name
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.decoding import decode_at
from adapter.types.tools import FunctionTool

Name = Annotated[str, Meta(min_length=1, max_length=128)]
NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')


class _Nested(msgspec.Struct, frozen=True):
    name: Name
    description: str | None = None
    parameters: dict[str, Raw] | None = None
    strict: bool | None = None


class _Given(msgspec.Struct, frozen=True):
    name: Name | None = None
    description: str | None = None
    parameters: dict[str, Raw] | None = None
    strict: bool | None = None
    function: _Nested | None = None


_given = msgspec.json.Decoder(_Given)
_flat = msgspec.json.Decoder(_Nested)


def read_function(raw: Raw, at: str) -> FunctionTool:
    """Decode a function tool, flat or nested.

    Raises:
        InvalidRequestError: no name, or a field of the wrong type.
    """
    given = decode_at(_given, raw, at)
    tool = given.function or decode_at(_flat, raw, at)
    return FunctionTool(tool.name, tool.description, tool.parameters, tool.strict)


def offer_function(tool: FunctionTool) -> OfferedTool:
    """Return the tool as a chat function; `strict` is sent only if the client gave it."""
    definition = ChatFunctionDefinition(
        name=chat_name(tool.name),
        parameters=tool.parameters or NO_PARAMETERS,
        description=UNSET if tool.description is None else tool.description,
        strict=UNSET if tool.strict is None else tool.strict,
    )
    return OfferedTool(definition, kind=FUNCTION_CALL, name=tool.name)
