"""Run an agent of pydantic-ai (`pip install 'pydantic-ai-slim[openai]'`).

Prints:
    The weather in Paris is sunny. The weather in London is rainy.
"""

import os

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
model = OpenAIResponsesModel(os.environ.get("MODEL", "tiny"), provider=provider)
agent = Agent(model, model_settings={"temperature": 0})


@agent.tool_plain
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return f"It is {'sunny' if city == 'Paris' else 'rainy'} in {city}."


print(agent.run_sync("What is the weather in Paris and London?").output)
