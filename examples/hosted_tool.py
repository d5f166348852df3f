"""A Python function as a hosted tool: the adapter calls it, and the client gets the answer.

The base URL is that of any chat-completions server (`make run` passes those requests through).

Prints:
    example:weather_call completed It is sunny in Paris.
    The weather in Paris is sunny.
"""

import os
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from openai import OpenAI

from adapter import ResponsesAPI, hosted_tool

UPSTREAM = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1")
MODEL = os.environ.get("MODEL", "tiny")


@hosted_tool("example:weather")
async def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return f"It is sunny in {city}."


responses = ResponsesAPI(UPSTREAM, tools=[get_weather])
app = FastAPI(lifespan=lambda app: responses)
app.mount("/v1", responses)

if __name__ == "__main__":
    tools: list[Any] = [{"type": "example:weather"}]
    with TestClient(app) as http:
        client = OpenAI(base_url="http://app/v1", api_key="none", http_client=http)
        response = client.responses.create(
            model=MODEL,
            input="What is the weather in Paris?",
            tools=tools,
            reasoning={"effort": "none"},
            temperature=0,
        )
    for item in response.output:
        if item.type == "example:weather_call":
            print(item.type, item.status, item.output)
    print(response.output_text)
