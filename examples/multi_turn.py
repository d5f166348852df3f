"""Go on with a conversation: the output of a response is part of the next input as it came.

Prints:
    Hello! How can I help you today?
    I am a tiny test model.
"""

import os
from typing import Any

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
MODEL = os.environ.get("MODEL", "tiny")

conversation: list[Any] = []
for words in ("Hello", "Who are you?"):
    conversation.append({"role": "user", "content": words})
    response = client.responses.create(model=MODEL, input=conversation, temperature=0)
    conversation += response.output
    print(response.output_text)
