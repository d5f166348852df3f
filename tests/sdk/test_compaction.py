"""Compaction as the SDK asks for it, and its answer as the input of the next request."""

from typing import Any

import openai
import pytest

from tests.sdk.drivers import Sdk
from tests.sdk.scenes import Script, Upstream
from tests.servers.answers import text_answer

CONVERSATION: list[Any] = [
    {"role": "user", "content": "Who are you?"},
    {"role": "assistant", "content": "I am a tiny test model."},
]


def test_conversation_is_compacted_and_goes_on(sdk: Sdk, upstream: Upstream) -> None:
    upstream.will_say(text_answer("It is a tiny test model."), text_answer("Hello"))

    compacted = sdk.compact(model="tiny", input=CONVERSATION)
    # Its types know no messages of the user here, though OpenAI sends them.
    kept: list[Any] = [item.to_dict(warnings=False) for item in compacted.output]
    response = sdk.create(model="tiny", input=[*kept, {"role": "user", "content": "Hello"}])

    assert [item.type for item in compacted.output] == ["message", "compaction"]
    assert compacted.usage.total_tokens > 0
    assert response.status == "completed"


def test_trigger_is_answered_with_one_compaction(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer("It is a tiny test model."))

    trigger: Any = {"type": "compaction_trigger"}
    _, response = scripted_sdk.stream(model="tiny", input=[*CONVERSATION, trigger])

    (item,) = response.output
    assert item.type == "compaction"
    assert "tiny" not in item.encrypted_content


def test_missing_model_is_a_bad_request(scripted_sdk: Sdk) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        scripted_sdk.compact(model=None, input=CONVERSATION)

    assert caught.value.param == "model"
