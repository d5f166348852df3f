"""What the strict upstream knows an answer to: the same for the drivers of both languages."""

import json
from pathlib import Path

PROMPTS: dict[str, str] = json.loads((Path(__file__).parent / "prompts.json").read_text())
KEY = "key-of-the-client"
MODEL = "test-model"


def tell_weather(city: str) -> str:
    """Tell the weather as every driver's tool does."""
    return f"It is sunny in {city}."
