"""Keys stay where they belong: in no error, no header of an answer, and no log line.

Source: `errors.py` and `conventions.md` (messages and logs hold no keys, headers or user content).
"""

import logging
from typing import Any

import httpx2
import pytest

from adapter import ResponsesAPI
from adapter.config import SettingsError
from tests.asgi.conftest import Start
from tests.asgi.streams import REQUEST
from tests.servers.answers import (
    Answer,
    Eof,
    Hang,
    Reset,
    chunk,
    json_answer,
    raw,
    stream_answer,
    text_answer,
)
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

CLIENT_KEY = "sk-client-0123456789"
OUR_KEY = "sk-configured-0123456789"
PROMPT = "a very private prompt"
SECRETS = (CLIENT_KEY, OUR_KEY, PROMPT)


def quoting(request: Request) -> Answer:
    """Refuse as a server does that quotes what it was given."""
    key = request.headers["authorization"]
    return json_answer(401, {"error": {"message": f"Incorrect API key provided: {key}."}})


def quoting_in_the_stream(request: Request) -> Answer:
    key = request.headers["authorization"]
    return stream_answer(chunk({"content": "a"}), {"error": {"message": f"{key} is used up."}})


REPLIES = [
    pytest.param(text_answer("Hello"), id="success"),
    pytest.param(quoting, id="quoting"),
    pytest.param(quoting_in_the_stream, id="quoting-in-the-stream"),
    pytest.param(Answer(500), id="500"),
    pytest.param(Answer(301, {"location": "/elsewhere"}), id="redirect"),
    pytest.param(Answer(before=[Eof()]), id="closed"),
    pytest.param(Answer(before=[Reset()]), id="reset"),
    pytest.param(Answer(before=[Hang()]), id="silent"),
    pytest.param(stream_answer(chunk({"content": "a"}), Eof()), id="cut"),
    pytest.param(stream_answer(chunk({"content": "a"}), Hang()), id="idle"),
    pytest.param(stream_answer(b"data: {nope\n\n"), id="garbage"),
    pytest.param(raw(b"SSH-2.0-OpenSSH_9.2\r\n"), id="not-http"),
]


@pytest.mark.parametrize("key", [pytest.param(OUR_KEY, id="ours"), pytest.param(None, id="theirs")])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("reply", REPLIES)
async def test_no_answer_and_no_log_line_has_a_key_or_the_prompt(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    caplog: pytest.LogCaptureFixture,
    reply: Any,
    stream: bool,
    key: str | None,
) -> None:
    caplog.set_level(logging.DEBUG)
    start(upstream_api_key=key, first_byte_timeout=0.05, idle_timeout=0.05)
    upstream.always(reply)

    answer = await client.post(
        "/v1/responses",
        json=REQUEST | {"stream": stream, "input": PROMPT},
        headers={"authorization": f"Bearer {CLIENT_KEY}"},
    )

    logged = _logged(caplog)
    for secret in SECRETS:
        assert secret not in answer.text
        assert secret not in str(answer.headers)
        assert secret not in logged


@pytest.mark.parametrize("name", ["api-key", "X-Api-Key", "x-goog-api-key", "cf-aig-authorization"])
async def test_key_in_a_header_of_the_route_is_not_shown(
    client: httpx2.AsyncClient, upstream: ScriptedUpstream, stand: Any, name: str
) -> None:
    upstream.always(
        lambda request: json_answer(
            401, {"error": {"message": f"{request.headers[name.lower()]} is wrong."}}
        )
    )
    route = {"upstream": upstream.url, "default": True, "headers": {name: f"Token {OUR_KEY}"}}
    stand.app = ResponsesAPI(routes={"azure": route}, environ={})

    answer = await client.post("/v1/responses", json=REQUEST)
    await stand.app.aclose()

    assert (answer.status_code, OUR_KEY in answer.text) == (401, False)


async def test_key_that_cannot_be_sent_is_not_shown(
    start: Start,
    client: httpx2.AsyncClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A line break at the end of a key from a file is a common mistake."""
    caplog.set_level(logging.DEBUG)
    start(upstream_api_key=f"{OUR_KEY}\n")

    answer = await client.post("/v1/responses", json=REQUEST)

    assert answer.status_code == 502
    assert OUR_KEY not in answer.text
    assert OUR_KEY not in _logged(caplog)


async def test_refused_connection_does_not_show_the_query_of_the_base_url(
    start: Start, client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture, stand: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    stand.app = ResponsesAPI(f"http://127.0.0.1:1/v1?key={OUR_KEY}", environ={})

    answer = await client.post("/v1/responses", json=REQUEST)
    await stand.app.aclose()

    assert answer.status_code == 502
    assert OUR_KEY not in answer.text
    assert OUR_KEY not in _logged(caplog)


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{OUR_KEY}@127.0.0.1:1/v1",
        f"http://{OUR_KEY}@127.0.0.1:1/v1",
        f"ftp://user:{OUR_KEY}@host",
    ],
)
def test_credentials_in_a_base_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="'upstream'") as caught:
        ResponsesAPI(url, environ={})

    assert OUR_KEY not in str(caught.value)


def _logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return what was logged by us and the server under us; the test's own client logs too."""
    ours = [each for each in caplog.records if not each.name.startswith(("httpx2", "httpcore2"))]
    return "\n".join(f"{each.getMessage()} {each.exc_text or ''}" for each in ours)
