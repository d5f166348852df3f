"""LangChain's `ChatOpenAI` with `use_responses_api`."""

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, custom_tool
from lines import answer
from prompts import KEY, MODEL, PROMPTS, tell_weather
from pydantic import BaseModel


class Place(BaseModel):
    """A place and its temperature."""

    city: str
    degrees: int


@tool
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return tell_weather(city)


@custom_tool
def apply_patch(text: str) -> str:
    """Change files."""
    return f"applied {len(text.splitlines())} lines"


def chat(url: str, **more: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model=MODEL,
        base_url=url,
        api_key=KEY,
        use_responses_api=True,
        output_version="responses/v1",
        max_retries=0,
        **more,
    )


def text(url: str) -> dict[str, Any]:
    message = chat(url).invoke(PROMPTS["hello"])
    assert message.usage_metadata is not None
    return {"text": message.text, "tokens": message.usage_metadata["total_tokens"]}


def stream(url: str) -> dict[str, Any]:
    pieces = [chunk.text for chunk in chat(url).stream(PROMPTS["hello"]) if chunk.text]
    return {"text": "".join(pieces), "pieces": len(pieces)}


def loop(url: str, prompt: str, *, streamed: bool = False, **more: Any) -> dict[str, Any]:
    model = chat(url, **more).bind_tools([get_weather])
    messages: list[Any] = [HumanMessage(prompt)]
    while True:
        if streamed:
            chunks = list(model.stream(messages))
            message: AIMessage = sum(chunks[1:], start=chunks[0])
        else:
            message = model.invoke(messages)
        messages.append(message)
        if not message.tool_calls:
            return {"text": message.text}
        messages += [
            ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])
            for call in message.tool_calls
        ]


def structured(url: str, method: str) -> dict[str, Any]:
    model = chat(url).with_structured_output(Place, method=method)
    return {"value": model.invoke(PROMPTS["describe"]).model_dump()}


def image(url: str) -> dict[str, Any]:
    content = [
        {"type": "text", "text": PROMPTS["picture"]},
        {"type": "image_url", "image_url": {"url": PROMPTS["image"]}},
    ]
    return {"text": chat(url).invoke([HumanMessage(content)]).text}


def conversation(url: str) -> dict[str, Any]:
    model = chat(
        url,
        store=False,
        include=["reasoning.encrypted_content"],
        reasoning={"effort": "low", "summary": "auto"},
    )
    messages: list[Any] = [HumanMessage(PROMPTS["remember"])]
    messages += [model.invoke(messages), HumanMessage(PROMPTS["recall"])]
    return {"text": model.invoke(messages).text}


def chained(url: str) -> dict[str, Any]:
    model = chat(url, use_previous_response_id=True)
    messages: list[Any] = [HumanMessage(PROMPTS["remember"])]
    messages += [model.invoke(messages), HumanMessage(PROMPTS["recall"])]
    return {"text": model.invoke(messages).text}


def custom(url: str) -> dict[str, Any]:
    model = chat(url).bind_tools([apply_patch])
    messages: list[Any] = [HumanMessage(PROMPTS["patch"])]
    messages.append(model.invoke(messages))
    messages += [apply_patch.invoke(call) for call in messages[-1].tool_calls]
    return {"text": model.invoke(messages).text}


def forced_tool(url: str) -> dict[str, Any]:
    model = chat(url).bind_tools([get_weather], tool_choice="any", strict=True)
    return {"value": [call["args"] for call in model.invoke(PROMPTS["weather"]).tool_calls]}


def hosted_tools(url: str) -> dict[str, Any]:
    model = chat(url).bind_tools([{"type": "web_search"}, get_weather])
    return {"value": [call["args"] for call in model.invoke(PROMPTS["weather"]).tool_calls]}


answer(
    {
        "text": text,
        "stream": stream,
        "tools": lambda url: loop(url, PROMPTS["weather"]),
        "parallel_tools": lambda url: loop(url, PROMPTS["compare"]),
        "tools_in_steps": lambda url: loop(url, PROMPTS["steps"]),
        "stream_tools": lambda url: loop(url, PROMPTS["compare"], streamed=True),
        "structured": lambda url: structured(url, "json_schema"),
        "structured_by_call": lambda url: structured(url, "function_calling"),
        "image": image,
        "conversation": conversation,
        "chained": chained,
        "custom_tool": custom,
        "forced_tool": forced_tool,
        "hosted_tools": hosted_tools,
    }
)
