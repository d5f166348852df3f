"""Ask a question.

Prints:
    The capital of France is **Paris**.
"""

import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
MODEL = os.environ.get("MODEL", "tiny")

response = client.responses.create(
    model=MODEL,
    input="What is the capital of France?",
    temperature=0,
)
print(response.output_text)
