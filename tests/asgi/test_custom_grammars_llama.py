"""The real llama.cpp is held to grammars: whatever the toy model would rather say."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.config import Settings
from adapter.tools.grammars.forms import input_misfit
from tests.asgi.conftest import Stand
from tests.tools.grammars.samples import CALCULATOR, CODE_MODE, JSON

pytestmark = pytest.mark.anyio

LIMIT_SECONDS = 60.0  # a few tenths of a second on a quiet machine
CITY = "What is the weather in Paris?"


@pytest.fixture
async def client(stand: Stand, llama_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    app = ResponsesAPI(llama_url, settings=Settings(dialect="llama.cpp"))
    stand.app = app
    async with app, httpx2.AsyncClient(base_url=stand.url, timeout=LIMIT_SECONDS) as client:
        yield client


async def ask(client: httpx2.AsyncClient, syntax: str, definition: str, **fields: Any) -> Any:
    format = {"type": "grammar", "syntax": syntax, "definition": definition}
    # The only tool that the model was trained to call.
    tool = {"type": "custom", "name": "get_weather", "format": format}
    body = {"model": "tiny", "input": CITY, "tools": [tool], "max_output_tokens": 64, **fields}
    answer = await client.post("/v1/responses", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("syntax", "definition"),
    [
        pytest.param("regex", "(SELECT|DELETE) [a-z]{1,5}( FROM [a-z]{2,8})?;", id="regex"),
        pytest.param("regex", r"[^\s\]\[\"\\^-]{5}\n[\x00-\x1fé]{1,3}", id="classes"),
        pytest.param("regex", r"(?i)ab{2}(c|[+--]|\.)?😀", id="characters"),
        pytest.param("lark", 'start: "(" start? ")" | "a"~2..3', id="recursion"),
        pytest.param("lark", 'start: line~2\nline: /[a-z ]{1,20}/ LF\n%import common.LF', id="lines"),
        pytest.param("lark", 'start: start "," "x" | ("y"? "z"*)~1..2', id="what-llama.cpp-would-refuse"),
    ],
)  # fmt: skip
async def test_what_it_writes_fits(
    client: httpx2.AsyncClient, syntax: str, definition: str
) -> None:
    for seed in range(3):
        options = {"temperature": 1.5, "seed": seed}
        response = await ask(client, syntax, definition, tool_choice="required", **options)

        (item,) = response["output"]
        assert item["type"] == "custom_tool_call"
        if response["status"] == "completed":
            assert input_misfit(syntax, definition, item["input"]) is None  # type: ignore[arg-type]  # one of the two


@pytest.mark.parametrize(
    "definition", [CALCULATOR, CODE_MODE, JSON], ids=["calculator", "code-mode", "json"]
)
async def test_it_reads_whole_grammars(client: httpx2.AsyncClient, definition: str) -> None:
    response = await ask(client, "lark", definition, tool_choice="required", max_output_tokens=8)

    (item,) = response["output"]
    misfit = input_misfit("lark", definition, item["input"])
    assert misfit is None or "it ends too early" in misfit


async def test_a_call_of_its_own_will_obeys_the_pattern(client: httpx2.AsyncClient) -> None:
    response = await ask(client, "regex", "[a-z]{3}-[0-9]{3}", tool_choice="auto", temperature=0)

    inputs = [item["input"] for item in response["output"] if item["type"] == "custom_tool_call"]
    assert inputs
    assert input_misfit("regex", "[a-z]{3}-[0-9]{3}", inputs[0]) is None
