"""Images: what a vision model behind the adapter is given. Nothing is fetched on the way."""

import pytest

from tests.sdk.drivers import Sdk
from tests.sdk.scenes import GET_WEATHER, Script, ask
from tests.servers.answers import text_answer

DATA_URL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8Dw"
WEB_URL = "http://images.invalid/fox.png?size=1&name=%20"


@pytest.mark.parametrize("url", [DATA_URL, WEB_URL], ids=["data", "http"])
def test_image_reaches_the_upstream_beside_its_text(
    scripted_sdk: Sdk, script: Script, url: str
) -> None:
    script.will_say(text_answer("A fox."))
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": url, "detail": "low"},
    ]

    response = scripted_sdk.create(**ask([{"role": "user", "content": content}]))

    assert response.output_text == "A fox."
    assert script.requests[0].json["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
            ],
        }
    ]


def test_image_from_a_tool_follows_its_result(scripted_sdk: Sdk, script: Script) -> None:
    """Tool messages of chat completions hold text only."""
    script.will_say(text_answer("A fox."))
    conversation = [
        {"role": "user", "content": "Look out of the window."},
        {"type": "function_call", "call_id": "call_a", "name": "look", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "call_a",
            "output": [{"type": "input_image", "image_url": DATA_URL}],
        },
    ]

    scripted_sdk.create(**ask(conversation), tools=[GET_WEATHER | {"name": "look"}])

    *_, result, image = script.requests[0].json["messages"]
    assert (result["role"], result["tool_call_id"]) == ("tool", "call_a")
    assert image["role"] == "user"
    assert image["content"][-1] == {"type": "image_url", "image_url": {"url": DATA_URL}}
