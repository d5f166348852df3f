"""Print an answer while it is made, and what the model thought before it.

Prints:
    thinking: I need to count from 1 to 12.
    answer: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.
    output tokens: 55
"""

import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
MODEL = os.environ.get("MODEL", "tiny")

with client.responses.create(
    model=MODEL, input="Count to 12.", temperature=0, stream=True
) as events:
    for event in events:
        match event.type:
            case "response.output_item.added":
                print("thinking: " if event.item.type == "reasoning" else "answer: ", end="")
            case "response.reasoning_text.delta" | "response.output_text.delta":
                print(event.delta, end="", flush=True)
            case "response.output_text.done":
                print()
            case "response.completed" if event.response.usage:
                print("output tokens:", event.response.usage.output_tokens)
