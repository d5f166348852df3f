"""Python functions as hosted tools.

    @hosted_tool("acme:lookup")
    async def lookup(word: str, language: str = "en") -> str:
        # The docstring tells the model what the tool is for.
        return dictionary[language][word]

    ResponsesAPI("http://127.0.0.1:8000/v1", tools=[lookup])

The parameters that the chat model is offered are those of the function, by its annotations; what
the model writes is checked against them before the function is called.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import msgspec

from adapter.errors import ToolError
from adapter.types.hosted import ListedTool, ToolResult, failure

_INVALID_PARAMS = -32602  # of JSON-RPC
_encode = msgspec.json.Encoder().encode

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

Function = Callable[..., Any]


class PythonTool:
    """The `ToolRunner` of a function; it can still be called as the function that it is.

    Args:
        type: of the tool, as a request names it: `slug:name`, or a hosted type of the API.
        function: gets the arguments by name; one that is not `async` runs in a thread. It returns a
            text, a `ToolResult`, or what can be written as JSON. A `ToolError` that it raises is
            told to the model; of any other exception it is told only that the tool failed.
        description: what the tool is for; by default the function's docstring.

    Raises:
        TypeError: a parameter without an annotation, or one that has no JSON schema.
    """

    def __init__(self, type: str, function: Function, description: str | None = None) -> None:
        self.type = type
        self._function = function
        self._arguments = _arguments_of(function)
        self._tool = ListedTool(
            name=function.__name__,
            input_schema=_schema_of(self._arguments),
            description=description or inspect.getdoc(function),
        )
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **arguments: Any) -> Any:
        return self._function(*args, **arguments)

    async def describe(self) -> ListedTool:
        """Return the function as the chat model is offered it."""
        return self._tool

    async def call(self, arguments: dict[str, Any]) -> ToolResult:
        """Check the arguments and call the function."""
        try:
            checked = msgspec.convert(arguments, self._arguments)
        except msgspec.ValidationError as exc:
            reason = str(exc).replace("`", "")
            return failure("mcp_protocol_error", f"Invalid arguments: {reason}.", _INVALID_PARAMS)
        try:
            returned = await self._call({name: getattr(checked, name) for name in _names(checked)})
        except ToolError as error:
            return failure("mcp_protocol_error", error.message)
        if isinstance(returned, ToolResult):
            return returned
        if isinstance(returned, str):
            return ToolResult(returned)
        return ToolResult(_encode(returned).decode(), structured=msgspec.to_builtins(returned))

    async def _call(self, arguments: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(self._function):
            called: Awaitable[Any] = self._function(**arguments)
            return await called
        return await asyncio.to_thread(self._function, **arguments)


def hosted_tool(type: str, *, description: str | None = None) -> Callable[[Function], PythonTool]:
    """Make a hosted tool of a function; see `PythonTool`."""
    return lambda function: PythonTool(type, function, description)


def _arguments_of(function: Function) -> type[msgspec.Struct]:
    """Return a struct with the function's parameters."""
    hints = get_type_hints(function, include_extras=True)
    fields: list[Any] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in hints or parameter.kind not in _NAMED:
            raise TypeError(
                f"{function.__name__}: expected a plain parameter with an annotation: {name}"
            )
        given = () if parameter.default is parameter.empty else (parameter.default,)
        fields.append((name, hints[name], *given))
    return msgspec.defstruct("Arguments", fields, kw_only=True, forbid_unknown_fields=True)


def _schema_of(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON schema of the parameters, without a name for the whole of them."""
    _, definitions = msgspec.json.schema_components([arguments], ref_template="#/$defs/{name}")
    own = definitions.pop("Arguments")
    own.pop("title", None)
    return {**own, "$defs": definitions} if definitions else own


def _names(arguments: msgspec.Struct) -> tuple[str, ...]:
    return arguments.__struct_fields__
