"""pydantic-ai with `OpenAIResponsesModel`."""

from typing import Any

from lines import answer
from prompts import KEY, MODEL, PROMPTS, tell_weather
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, NativeOutput
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider


class Place(BaseModel):
    city: str
    degrees: int


def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return tell_weather(city)


def agent(url: str, **more: Any) -> Agent[None, Any]:
    model = OpenAIResponsesModel(MODEL, provider=OpenAIProvider(base_url=url, api_key=KEY))
    return Agent(model, instructions="Be brief.", **more)


async def text(url: str) -> dict[str, Any]:
    result = await agent(url).run(PROMPTS["hello"])
    return {"text": result.output, "tokens": result.usage.total_tokens}


async def ask(url: str, prompt: Any, **more: Any) -> dict[str, Any]:
    return {"text": (await agent(url, **more).run(prompt)).output}


async def stream(url: str, prompt: str, **more: Any) -> dict[str, Any]:
    async with agent(url, **more).run_stream(prompt) as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
        return {"text": await result.get_output(), "pieces": len(pieces)}


async def structured(url: str, output_type: Any) -> dict[str, Any]:
    result = await agent(url, output_type=output_type).run(PROMPTS["describe"])
    return {"value": result.output.model_dump()}


async def conversation(url: str) -> dict[str, Any]:
    first = await agent(url).run(PROMPTS["remember"])
    second = await agent(url).run(PROMPTS["recall"], message_history=first.all_messages())
    return {"text": second.output}


async def picture_of_tool(url: str) -> dict[str, Any]:
    def view_image(path: str) -> BinaryContent:
        """Look at a picture."""
        return PICTURE

    return await ask(url, PROMPTS["view"], tools=[view_image])


PICTURE = BinaryContent.from_data_uri(PROMPTS["image"])

answer(
    {
        "text": text,
        "stream": lambda url: stream(url, PROMPTS["hello"]),
        "tools": lambda url: ask(url, PROMPTS["weather"], tools=[get_weather]),
        "parallel_tools": lambda url: ask(url, PROMPTS["compare"], tools=[get_weather]),
        "tools_in_steps": lambda url: ask(url, PROMPTS["steps"], tools=[get_weather]),
        "stream_tools": lambda url: stream(url, PROMPTS["compare"], tools=[get_weather]),
        "structured": lambda url: structured(url, NativeOutput(Place)),
        "structured_by_call": lambda url: structured(url, Place),
        "image": lambda url: ask(url, [PROMPTS["picture"], PICTURE]),
        "conversation": conversation,
        "picture_of_tool": picture_of_tool,
    }
)
