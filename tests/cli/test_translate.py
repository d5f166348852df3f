"""`translate` shows what the core makes of requests and answers, from files and pipes."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.stream.encode import DONE
from tests.cli.process import run
from tests.servers.answers import chunk, sse, text_answer
from tests.transcript import decode_stream, find_transcripts

HELLO: dict[str, Any] = {"model": "m", "input": "Hello"}


def translate(*arguments: str, given: Any = None) -> Result:
    pipe = given if isinstance(given, bytes) else json.dumps(given).encode()
    return CliRunner().invoke(main, ["translate", *arguments], input=pipe)


def answer(*chunks: Any) -> bytes:
    return b"".join(step for step in sse(*chunks) if isinstance(step, bytes))


SAID = answer(chunk({"content": "Hi"}), chunk({}, "stop"))


def test_request_in_a_pipe_becomes_a_chat_request() -> None:
    result = translate(given=HELLO)

    assert json.loads(result.stdout) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert result.stderr == ""


@pytest.mark.parametrize(
    "transcript",
    [
        each
        for each in find_transcripts()
        if "facts" not in each.path.joinpath("source.toml").read_text()
    ][:20],
    ids=lambda transcript: transcript.name,
)
def test_request_in_a_file_becomes_what_the_server_sends(transcript: Any) -> None:
    result = translate(
        str(transcript.path / "request.json"), "--dialect", transcript.source.dialect
    )

    assert json.loads(result.stdout) == json.loads(transcript.reviewed()["chat.1.json"])


def test_answer_becomes_events(tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps(HELLO))

    result = translate(str(request), "--answer", "-", given=SAID)

    types = [event["type"] for event in decode_stream(result.stdout_bytes)]
    assert types[0] == "response.created"
    assert types[-1] == "response.completed"
    assert result.stdout_bytes.endswith(DONE)


def test_same_answer_becomes_the_same_events() -> None:
    assert (
        translate("--answer", "-", given=SAID).stdout
        == translate("--answer", "-", given=SAID).stdout
    )


def test_answer_becomes_one_document() -> None:
    result = translate("--answer", "-", "--json", given=SAID)

    response = json.loads(result.stdout)
    assert response["output"][0]["content"][0]["text"] == "Hi"


def test_answer_that_is_no_stream_becomes_the_same() -> None:
    message = {"role": "assistant", "content": "Hi"}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    result = translate("--answer", "-", "--json", given=whole)

    assert json.loads(result.stdout)["output"][0]["content"][0]["text"] == "Hi"


def test_refusal_of_the_upstream_is_told_with_its_status() -> None:
    refusal = {"error": {"message": "no such model", "code": "model_not_found"}}

    result = translate("--answer", "-", "--status", "404", given=refusal)

    assert result.exit_code == 1
    assert "404: " in result.output


def test_refused_request_is_told_with_its_path() -> None:
    result = translate(given=HELLO | {"tools": [{"type": "no_such_tool"}]})

    assert result.exit_code == 1
    assert "400: " in result.output
    assert "(param: tools[0].type)" in result.output


@pytest.mark.parametrize(
    ("fields", "dialect", "note"),
    [
        pytest.param(
            {"tools": [{"type": "web_search"}]},
            "vllm",
            "dropped  tools[0]: web_search is run by who hosts the API; "
            "a table [tools.web_search] says what runs it here",
            id="hosted tool",
        ),
        pytest.param(
            {"tools": [{"type": "mcp", "server_label": "a", "server_url": "https://a.example"}]},
            "vllm",
            "dropped  tools[0]: mcp is run by the adapter itself (extra mcp), which only a server does",
            id="mcp",
        ),
        pytest.param(
            {"service_tier": "flex"},
            "vllm",
            "dropped  service_tier: vllm does not know it",
            id="parameter that the dialect lacks",
        ),
        pytest.param(
            {"no_such_field": 1},
            "vllm",
            "dropped  no_such_field: no parameter that is known here; "
            "pass_fields of a route lets it through",
            id="unknown field",
        ),
        pytest.param(
            {
                "input": [
                    {"role": "user", "content": "a"},
                    {"type": "web_search_call", "id": "ws_1"},
                ]
            },
            "vllm",
            "dropped  input[1]: web_search_call is an item of a tool that chat servers do not have",
            id="item of a hosted tool",
        ),
        pytest.param(
            {"reasoning": {"effort": "xhigh"}},
            "deepseek",
            "adapted  reasoning.effort: deepseek knows low, high, max, and not xhigh",
            id="effort",
        ),
        pytest.param(
            {"text": {"format": {"type": "json_schema", "name": "x", "schema": {}}}},
            "deepseek",
            "adapted  text.format: deepseek obeys json_object: the prompt says the rest",
            id="format",
        ),
        pytest.param(
            {"temperature": 2},
            "anthropic",
            "adapted  temperature: anthropic takes 0 to 1",
            id="range",
        ),
    ],
)
def test_explanation_says_what_and_why(fields: Any, dialect: str, note: str) -> None:
    result = translate("--explain", "--dialect", dialect, given=HELLO | fields)

    assert note in result.stderr.splitlines()
    json.loads(result.stdout)


def test_explanation_of_nothing_says_so() -> None:
    assert translate("--explain", given=HELLO).stderr == "Everything is sent as it came.\n"


def test_route_of_the_settings_says_which_dialect(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(
        '[routes.cloud]\nupstream = "https://api.deepseek.com/v1"\n'
        'aliases = { m = "deepseek-chat" }\nbody = { seed = 7 }\n'
    )

    chat = json.loads(translate("--config", str(file), given=HELLO).stdout)

    assert (chat["model"], chat["seed"]) == ("deepseek-chat", 7)


def test_request_and_answer_cannot_share_the_pipe() -> None:
    result = translate("-", "--answer", "-", given=HELLO)

    assert result.exit_code == 2
    assert "cannot both be the pipe" in result.output


def test_every_reported_path_of_the_transcripts_has_a_reason() -> None:
    for transcript in find_transcripts()[::5]:
        result = translate(
            *(str(transcript.path / "request.json"), "--explain"),
            *("--dialect", transcript.source.dialect),
        )

        assert result.exception is None or isinstance(result.exception, SystemExit)


def test_dialects_are_completed() -> None:
    environ = {
        "_RESPONSES_ADAPTER_COMPLETE": "bash_complete",
        "COMP_WORDS": "responses-adapter translate --dialect llama",
        "COMP_CWORD": "3",
    }
    program = "from adapter.cli import main; main(prog_name='responses-adapter')"

    done = run(command=(sys.executable, "-c", program), environ=environ)

    assert done.stdout.split() == ["plain,llama.cpp", "plain,llama-cpp-python"]


def test_answer_of_a_scripted_server_is_read() -> None:
    body = b"".join(step for step in text_answer("Hi there").chunks if isinstance(step, bytes))

    result = translate("--answer", "-", "--json", given=body)

    assert json.loads(result.stdout)["usage"]["output_tokens"] == 5
