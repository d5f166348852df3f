"""What goes through: headers, parameters that only chat servers have, other paths, disconnects."""

import openai
import pytest

from adapter.asgi.app import ResponsesAPI
from tests.sdk.drivers import KEY, OPTIONS, Sdk
from tests.sdk.scenes import Script, Upstream, ask
from tests.servers.adapter import serve
from tests.servers.answers import Answer, Hang, chunk, stream_answer, text_answer, whole_answer

HELLO = ask("Hello")


def test_parameters_of_chat_servers_pass_in_the_extra_body(
    scripted_sdk: Sdk, script: Script
) -> None:
    script.will_say(text_answer("Hello"))
    extras = {"top_k": 1, "seed": 7, "chat_template_kwargs": {"enable_thinking": False}}

    scripted_sdk.create(**HELLO, extra_body=extras)

    sent = script.requests[0].json
    assert {name: sent.get(name) for name in extras} == extras


def test_template_switch_in_the_extra_body_stops_thinking(sdk: Sdk, upstream: Upstream) -> None:
    upstream.will_say(text_answer("Hello! How can I help you today?"))

    response = sdk.create(**HELLO, extra_body={"chat_template_kwargs": {"enable_thinking": False}})

    assert [item.type for item in response.output] == ["message"]


def test_what_was_not_sent_is_told_in_a_header(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer("Hello"))

    response, headers = scripted_sdk.create_raw(
        **HELLO,
        tools=[{"type": "web_search"}],
        text={"verbosity": "low"},
        extra_body={"no_such_field": 1},
    )

    dropped = set(headers["x-adapter-dropped"].split(", "))
    assert dropped == {"tools[0]", "text.verbosity", "no_such_field"}
    assert response.output_text == "Hello"
    assert not {"tools", "verbosity", "no_such_field"} & script.requests[0].json.keys()


def test_what_was_changed_is_told_in_a_header(scripted_sdk: Sdk, script: Script) -> None:
    """A model's broken call comes back for ever, and some servers refuse it for ever."""
    script.will_say(text_answer("Sorry."))
    conversation = [
        {"role": "user", "content": "Hello"},
        {"type": "function_call", "call_id": "call_a", "name": "look", "arguments": "{oops"},
        {"type": "function_call_output", "call_id": "call_a", "output": "What?"},
    ]

    _, headers = scripted_sdk.create_raw(**ask(conversation))

    assert headers["x-adapter-adapted"] == "input[1].arguments"


def test_request_that_was_sent_whole_has_no_such_header(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer("Hello"))

    _, headers = scripted_sdk.create_raw(**HELLO)

    assert "x-adapter-dropped" not in headers
    assert "x-adapter-adapted" not in headers


def test_key_of_the_client_reaches_the_upstream(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer("Hello"))

    scripted_sdk.create(**HELLO)

    assert script.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_only_listed_headers_reach_the_upstream(script: Script, any_sdk: Sdk) -> None:
    script.will_say(text_answer("Hello"))
    with serve(ResponsesAPI(script.url, forward_headers=["x-tenant"])) as url:
        sdk = any_sdk.at(f"{url}/v1")
        sdk.create(**HELLO, extra_headers={"X-Tenant": "blue", "X-Secret": "red"})

    headers = script.requests[0].headers
    assert headers["x-tenant"] == "blue"
    assert "x-secret" not in headers


def test_request_id_of_the_client_comes_back(scripted_sdk: Sdk, script: Script) -> None:
    script.will_say(text_answer("Hello"))

    _, headers = scripted_sdk.create_raw(**HELLO, extra_headers={"X-Request-ID": "req-of-mine"})

    assert headers["x-request-id"] == "req-of-mine"


def test_rest_of_the_api_is_the_upstreams(script: Script, scripted_url: str) -> None:
    script.will_say(whole_answer("Hello"))

    with openai.OpenAI(base_url=scripted_url, **OPTIONS) as client:
        models = [model.id for model in client.models.list()]
        chat = client.chat.completions.create(
            model="scripted", messages=[{"role": "user", "content": "Hello"}]
        )

    assert models == ["scripted"]
    assert chat.choices[0].message.content == "Hello"


def test_client_that_closes_its_stream_stops_the_upstream(
    scripted_sdk: Sdk, script: Script
) -> None:
    script.will_say(stream_answer(chunk({"content": "Hel"}), Hang()))

    events = scripted_sdk.read_some(5, **HELLO)

    assert events[-1].delta == "Hel"
    script.requests[0].disconnected.wait_in_thread()


def test_client_that_gives_up_waiting_stops_the_upstream(
    script: Script, scripted_url: str, any_sdk: Sdk
) -> None:
    script.will_say(Answer(before=[Hang()]))
    sdk = any_sdk.at(scripted_url, timeout=0.2)

    with pytest.raises(openai.APITimeoutError):
        sdk.create(**HELLO)

    script.requests[0].disconnected.wait_in_thread()
