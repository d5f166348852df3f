"""Run an agent of the OpenAI Agents SDK for Python (`pip install openai-agents`).

Prints:
    The weather in Paris is sunny. The weather in London is rainy.
"""

import os

from agents import (
    Agent,
    ModelSettings,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

set_tracing_disabled(True)  # otherwise it reports every run to OpenAI
client = AsyncOpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
MODEL = os.environ.get("MODEL", "tiny")


@function_tool
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return f"It is {'sunny' if city == 'Paris' else 'rainy'} in {city}."


agent = Agent(
    name="Assistant",
    model=OpenAIResponsesModel(MODEL, openai_client=client),
    model_settings=ModelSettings(temperature=0),
    tools=[get_weather],
)
result = Runner.run_sync(agent, "What is the weather in Paris and London?")
print(result.final_output)
