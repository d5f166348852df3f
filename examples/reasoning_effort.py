"""Choose whether the model thinks before it answers, and read its thoughts.

Prints:
    none: I am a tiny test model.
    high: (The user asks who I am.) I am a tiny test model.
"""

import os
from typing import Any

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
MODEL = os.environ.get("MODEL", "tiny")

efforts: list[Any] = ["none", "high"]
for effort in efforts:
    response = client.responses.create(
        model=MODEL, input="Who are you?", reasoning={"effort": effort}, temperature=0
    )
    thoughts = [
        f"({part.text.strip()})"
        for item in response.output
        if item.type == "reasoning"
        for part in item.content or ()
    ]
    print(f"{effort}:", *thoughts, response.output_text)
