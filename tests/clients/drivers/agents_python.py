"""The OpenAI Agents SDK for Python."""

import subprocess
from typing import Any

from agents import (
    Agent,
    ApplyPatchTool,
    CodeInterpreterTool,
    Computer,
    ComputerTool,
    CustomTool,
    FileSearchTool,
    HostedMCPTool,
    LocalShellTool,
    ModelSettings,
    OpenAIConversationsSession,
    OpenAIResponsesModel,
    OpenAIResponsesWSModel,
    Runner,
    ShellTool,
    WebSearchTool,
    function_tool,
    handoff,
    set_tracing_disabled,
    tool_namespace,
)
from agents.editor import ApplyPatchOperation, ApplyPatchResult
from lines import answer
from openai import AsyncOpenAI
from prompts import KEY, MODEL, PROMPTS, tell_weather
from pydantic import BaseModel

set_tracing_disabled(True)


class Place(BaseModel):
    city: str
    degrees: int


@function_tool
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return tell_weather(city)


def client_of(url: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0)


def agent(url: str, kind: Any = OpenAIResponsesModel, **more: Any) -> Agent[None]:
    model = kind(MODEL, openai_client=client_of(url))
    return Agent(name="Assistant", instructions="Be brief.", model=model, **more)


async def ask(url: str, prompt: Any, **more: Any) -> dict[str, Any]:
    result = await Runner.run(agent(url, **more), prompt)
    return {"text": result.final_output}


async def stream(url: str, prompt: Any, **more: Any) -> dict[str, Any]:
    result = Runner.run_streamed(agent(url, **more), prompt)
    pieces = [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    return {"text": result.final_output, "pieces": len(pieces)}


async def structured(url: str) -> dict[str, Any]:
    result = await Runner.run(agent(url, output_type=Place), PROMPTS["describe"])
    return {"value": result.final_output.model_dump()}


async def image(url: str) -> dict[str, Any]:
    content = [
        {"type": "input_text", "text": PROMPTS["picture"]},
        {"type": "input_image", "image_url": PROMPTS["image"], "detail": "auto"},
    ]
    return await ask(url, [{"role": "user", "content": content}])


async def conversation(url: str) -> dict[str, Any]:
    first = await Runner.run(agent(url), PROMPTS["remember"])
    return await ask(url, [*first.to_input_list(), {"role": "user", "content": PROMPTS["recall"]}])


async def chained(url: str) -> dict[str, Any]:
    first = await Runner.run(agent(url), PROMPTS["remember"])
    last = first.last_response_id
    second = await Runner.run(agent(url), PROMPTS["recall"], previous_response_id=last)
    return {"text": second.final_output, "sent": len(second.raw_responses)}


async def chained_tools(url: str) -> dict[str, Any]:
    result = await Runner.run(
        agent(url, tools=[get_weather]), PROMPTS["steps"], auto_previous_response_id=True
    )
    return {"text": result.final_output}


async def in_conversation(url: str) -> dict[str, Any]:
    one = agent(url, tools=[get_weather])
    conversation = await client_of(url).conversations.create()
    await Runner.run(one, PROMPTS["remember"], conversation_id=conversation.id)
    tools = await Runner.run(one, PROMPTS["steps"], conversation_id=conversation.id)
    last = await Runner.run(one, PROMPTS["recall"], conversation_id=conversation.id)
    return {"text": last.final_output, "value": tools.final_output}


async def session(url: str) -> dict[str, Any]:
    one = agent(url, tools=[get_weather])
    session = OpenAIConversationsSession(openai_client=client_of(url))
    await Runner.run(one, PROMPTS["remember"], session=session)
    tools = await Runner.run(one, PROMPTS["steps"], session=session)
    result = Runner.run_streamed(one, PROMPTS["recall"], session=session)
    async for _ in result.stream_events():
        pass
    items = await session.get_items()
    await session.clear_session()
    kinds = [item.get("type", "message") for item in items]
    return {"text": result.final_output, "value": tools.final_output, "kinds": kinds}


async def hand_over(url: str) -> dict[str, Any]:
    other = agent(url, handoff_description="Knows the weather.").clone(name="weather_desk")
    return await ask(url, PROMPTS["hand_over"], handoffs=[handoff(other)])


async def shell(url: str) -> dict[str, Any]:
    def run(request: Any) -> str:
        return "".join(
            subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
            for command in request.data.action.commands
        )

    return await ask(url, PROMPTS["shell"], tools=[ShellTool(executor=run)])


async def apply_patch(url: str) -> dict[str, Any]:
    seen: list[Any] = []

    class Editor:
        def create_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
            return self.update_file(operation)

        def update_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
            seen.append([operation.type, operation.path, operation.diff or ""])
            return ApplyPatchResult(output=f"{operation.type} {operation.path}")

        def delete_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
            return self.update_file(operation)

    said = await ask(url, PROMPTS["edit"], tools=[ApplyPatchTool(editor=Editor())])
    return {**said, "value": seen}


async def custom_tool(url: str) -> dict[str, Any]:
    seen: list[str] = []

    async def invoke(_context: Any, text: str) -> str:
        seen.append(text)
        return "applied"

    tool = CustomTool(name="apply_patch", description="Change files.", on_invoke_tool=invoke)
    said = await ask(url, PROMPTS["patch"], tools=[tool])
    return {**said, "value": seen}


async def local_shell(url: str) -> dict[str, Any]:
    def run(request: Any) -> str:
        command = request.data.action.command
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    tools = [LocalShellTool(executor=run)]
    return await ask(url, PROMPTS["local_shell"], tools=tools)


class Screen(Computer):
    """A computer that notes where it is clicked."""

    environment = "linux"
    dimensions = (100, 100)

    def __init__(self) -> None:
        self.clicks: list[Any] = []

    def screenshot(self) -> str:
        return PROMPTS["image"].partition(",")[2]

    def click(self, x: int, y: int, button: str) -> None:
        self.clicks.append([x, y, button])

    def _nothing(self, *_given: Any) -> None:
        pass

    double_click = drag = keypress = move = scroll = type = wait = _nothing


async def computer(url: str) -> dict[str, Any]:
    screen = Screen()
    said = await ask(url, PROMPTS["click"], tools=[ComputerTool(computer=screen)])
    return {**said, "value": screen.clicks}


HOSTED = [
    WebSearchTool(),
    FileSearchTool(vector_store_ids=["vs_1"]),
    CodeInterpreterTool(tool_config={"type": "code_interpreter", "container": {"type": "auto"}}),
    HostedMCPTool(
        tool_config={
            "type": "mcp",
            "server_label": "far",
            "server_url": "http://127.0.0.1:9/mcp",
            "require_approval": "never",
        }
    ),
]


def far_weather(url: str, on_approval: Any = None) -> list[Any]:
    """Return a hosted server that the adapter's settings know; calls are approved if asked."""
    config = {
        "type": "mcp",
        "server_label": "far",
        "connector_id": "weather",
        "require_approval": "always" if on_approval else "never",
    }
    return [HostedMCPTool(tool_config=config, on_approval_request=on_approval)]


async def interrupted(url: str) -> dict[str, Any]:
    """Leave the approval to somebody who is asked while the agent waits."""
    one = agent(url, tools=far_weather(url))
    one.tools[0].tool_config["require_approval"] = "always"
    result = await Runner.run(one, PROMPTS["compare"])
    asked = len(result.interruptions)
    while result.interruptions:
        state = result.to_state()
        for interruption in result.interruptions:
            state.approve(interruption)
        result = await Runner.run(one, state)
    return {"text": result.final_output, "value": asked}


answer(
    {
        "mcp": lambda url: ask(url, PROMPTS["compare"], tools=far_weather(url)),
        "mcp_stream": lambda url: stream(url, PROMPTS["steps"], tools=far_weather(url)),
        "mcp_approved": lambda url: ask(
            url, PROMPTS["weather"], tools=far_weather(url, lambda _: {"approve": True})
        ),
        "mcp_refused": lambda url: ask(
            url, PROMPTS["weather"], tools=far_weather(url, lambda _: {"approve": False})
        ),
        "mcp_interrupted": interrupted,
        "text": lambda url: ask(url, PROMPTS["hello"]),
        "stream": lambda url: stream(url, PROMPTS["hello"]),
        "tools": lambda url: ask(url, PROMPTS["weather"], tools=[get_weather]),
        "parallel_tools": lambda url: ask(url, PROMPTS["compare"], tools=[get_weather]),
        "tools_in_steps": lambda url: ask(url, PROMPTS["steps"], tools=[get_weather]),
        "stream_tools": lambda url: stream(url, PROMPTS["compare"], tools=[get_weather]),
        "structured": structured,
        "image": image,
        "conversation": conversation,
        "chained": chained,
        "chained_tools": chained_tools,
        "in_conversation": in_conversation,
        "session": session,
        "handoff": hand_over,
        "shell": shell,
        "apply_patch": apply_patch,
        "custom_tool": custom_tool,
        "local_shell": local_shell,
        "computer": computer,
        "namespace": lambda url: ask(
            url,
            PROMPTS["weather"],
            tools=tool_namespace(name="far", description="Far away.", tools=[get_weather]),
        ),
        "forced_tool": lambda url: ask(
            url,
            PROMPTS["weather"],
            tools=[get_weather],
            model_settings=ModelSettings(tool_choice="get_weather", parallel_tool_calls=False),
        ),
        "hosted_tools": lambda url: ask(url, PROMPTS["weather"], tools=[*HOSTED, get_weather]),
        "websocket": lambda url: ask(
            url, PROMPTS["steps"], tools=[get_weather], kind=OpenAIResponsesWSModel
        ),
    }
)
