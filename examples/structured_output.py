"""Get an object of a class of your own instead of text.

Prints:
    Person(name='Bob', age=42)
"""

import os

from openai import OpenAI
from pydantic import BaseModel

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
MODEL = os.environ.get("MODEL", "tiny")


class Person(BaseModel):
    name: str
    age: int


response = client.responses.parse(
    model=MODEL,
    input="Give me JSON for a person named Bob aged 42.",
    text_format=Person,
    temperature=0,
)
print(repr(response.output_parsed))
