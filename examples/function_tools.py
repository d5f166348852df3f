"""Let the model call a function, and answer from what the function returned.

Prints:
    get_weather Paris -> It is sunny in Paris.
    get_weather London -> It is rainy in London.
    The weather in Paris is sunny. The weather in London is rainy.
"""

import json
import os
from typing import Any

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
MODEL = os.environ.get("MODEL", "tiny")
TOOLS: list[Any] = [
    {
        "type": "function",
        "name": "get_weather",
        "description": "Get the current weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
]


def get_weather(city: str) -> str:
    weather = {"Paris": "sunny", "London": "rainy"}
    return f"It is {weather[city]} in {city}."


conversation: list[Any] = [{"role": "user", "content": "What is the weather in Paris and London?"}]
while True:
    response = client.responses.create(model=MODEL, input=conversation, tools=TOOLS, temperature=0)
    conversation += response.output
    calls = [item for item in response.output if item.type == "function_call"]
    if not calls:
        break
    for call in calls:
        city = json.loads(call.arguments)["city"]
        output = get_weather(city)
        print(call.name, city, "->", output)
        conversation.append(
            {"type": "function_call_output", "call_id": call.call_id, "output": output}
        )
print(response.output_text)
