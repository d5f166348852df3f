"""Call a tool with LangChain (`pip install langchain-openai`).

Prints:
    The weather in Paris is sunny. The weather in London is rainy.
"""

import os

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return f"It is {'sunny' if city == 'Paris' else 'rainy'} in {city}."


model = ChatOpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
    model=os.environ.get("MODEL", "tiny"),
    use_responses_api=True,
    output_version="responses/v1",
    temperature=0,
).bind_tools([get_weather])

messages = [HumanMessage("What is the weather in Paris and London?")]
while True:
    answer = model.invoke(messages)
    messages.append(answer)
    if not answer.tool_calls:
        break
    messages += [
        ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])
        for call in answer.tool_calls
    ]
print(answer.text)
