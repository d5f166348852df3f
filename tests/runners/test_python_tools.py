"""Python functions as hosted tools: their parameters, what they return, what can be wrong."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from adapter import ToolResult, hosted_tool
from adapter.errors import ToolError
from adapter.runners.python import PythonTool

pytestmark = pytest.mark.anyio


class Place(msgspec.Struct):
    city: str
    zip: str | None = None


def test_a_function_can_still_be_called() -> None:
    @hosted_tool("acme:double")
    def double(number: int) -> int:
        return 2 * number

    assert double(2) == double(number=2) == 4


async def test_parameters_are_those_of_the_function() -> None:
    @hosted_tool("acme:weather")
    async def weather(
        place: Place, unit: Literal["C", "F"] = "C", days: Annotated[int, Meta(ge=1)] = 1
    ) -> str:
        """Tell the weather."""
        return ""

    tool = await weather.describe()

    assert (tool.name, tool.description) == ("weather", "Tell the weather.")
    schema = tool.input_schema
    assert schema["required"] == ["place"]
    assert schema["properties"]["unit"] == {"enum": ["C", "F"], "default": "C"}
    assert schema["properties"]["days"] == {"type": "integer", "minimum": 1, "default": 1}
    assert schema["properties"]["place"] == {"$ref": "#/$defs/Place"}
    assert schema["$defs"]["Place"]["required"] == ["city"]
    assert schema["additionalProperties"] is False


async def test_arguments_are_what_the_annotations_say() -> None:
    places: list[Any] = []

    @hosted_tool("acme:go")
    async def go(to: Place, *, by: str = "train") -> str:
        places.append((to, by))
        return "gone"

    result = await go.call({"to": {"city": "Rome"}})

    assert (result.output, result.error) == ("gone", None)
    assert places == [(Place("Rome"), "train")]


RETURNED: list[tuple[str, Any, ToolResult]] = [
    ("text", "Hi", ToolResult("Hi")),
    ("JSON", {"a": [1]}, ToolResult('{"a":[1]}', structured={"a": [1]})),
    ("a struct", Place("Rome"), ToolResult(
        '{"city":"Rome","zip":null}', structured={"city": "Rome", "zip": None}
    )),
    ("nothing", None, ToolResult("null", structured=None)),
    ("a result", ToolResult("Hi", structured=1), ToolResult("Hi", structured=1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("returned", "expected"), [pytest.param(*row[1:], id=row[0]) for row in RETURNED]
)
async def test_whatever_is_returned_is_a_result(returned: Any, expected: ToolResult) -> None:
    tool = PythonTool("acme:say", lambda: returned)

    assert await tool.call({}) == expected


async def test_a_tool_error_is_told() -> None:
    @hosted_tool("acme:fail")
    def fail() -> str:
        raise ToolError("No luck.")

    result = await fail.call({})

    assert result.error == {"type": "mcp_protocol_error", "code": -32603, "message": "No luck."}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Invalid arguments: Object missing required field number."),
        ({"number": "x"}, "Invalid arguments: Expected int, got str - at $.number."),
        ({"number": 1, "x": 1}, "Invalid arguments: Object contains unknown field x."),
    ],
)
async def test_wrong_arguments_are_told(arguments: Any, message: str) -> None:
    @hosted_tool("acme:double")
    def double(number: int) -> int:
        return 2 * number

    result = await double.call(arguments)

    assert result.output == message
    assert result.error is not None
    assert result.error["code"] == -32602


def _bare(number) -> None:  # type: ignore[no-untyped-def]  # that it has no annotation is the point
    pass


def _many(*numbers: int) -> None:
    pass


@pytest.mark.parametrize("function", [_bare, _many])
def test_a_parameter_that_no_schema_describes_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match="number"):
        hosted_tool("acme:x")(function)
