"""Images that an upstream does not fetch are fetched here; parts that it does not take are named."""

from typing import Any

import httpx2
import pytest

from tests.asgi.conftest import Start
from tests.fetch.scenes import port_of, url_of
from tests.learning.bodies import fastapi, groq, llama_cpp, ollama, openai, sglang, vllm
from tests.learning.case import Body
from tests.learning.strict import TEXT, ask, fail, strict
from tests.servers.answers import Answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n..."
FILE = {"type": "input_file", "file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
VIDEO = {"type": "input_video", "video_url": "https://example.org/a.mp4"}


def asked(*parts: Body) -> list[Body]:
    return [{"role": "user", "content": [{"type": "input_text", "text": "Look."}, *parts]}]


def parts(body: Body) -> list[Any]:
    contents = [message["content"] for message in body["messages"]]
    return [part for content in contents if isinstance(content, list) for part in content]


def by_url(body: Body) -> bool:
    return any(
        part["type"] == "image_url" and part["image_url"]["url"].startswith("http")
        for part in parts(body)
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "refusal",
    [
        openai("'url' field must be a base64 encoded image."),
        openai("Invalid request: unsupported image url: only base64 and file ids are supported"),
        openai("Failed to download image from the URL"),
        ollama("invalid image input"),
        llama_cpp("invalid url value: remote images are not allowed"),
        vllm("Cannot fetch image_url: network access is disabled"),
        sglang("image_url must be a data URL"),
        fastapi("Value error, image must be a data: URI", "messages", 0, "content", 1, "image_url"),
    ],
)
async def test_image_is_fetched_for_an_upstream_that_does_not(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    refusal: Answer,
    stream: bool,
) -> None:
    upstream.always(Answer(headers={"content-type": "image/png"}, chunks=[PNG]), to="/a.png")
    upstream.always(strict(by_url, refusal))
    fetch = {"allow_http": True, "allow_private": True, "allowed_ports": [port_of(upstream)]}
    start(fetch=fetch, start_grace=5)
    given = asked({"type": "input_image", "image_url": url_of(upstream)})

    for paths in (["chat", "a.png", "chat"], ["a.png", "chat"]):
        count = len(upstream.requests)
        said, told = await ask(client, input=given, stream=stream)

        assert (said, "adapted: input" in told) == (TEXT, True)
        seen = [request.path.rpartition("/")[2] for request in upstream.requests[count:]]
        assert seen == [path.replace("chat", "completions") for path in paths]
    sent = parts(upstream.requests[-1].json)[1]["image_url"]["url"]
    assert sent.startswith("data:image/png;base64,")


async def test_image_that_may_not_be_fetched_is_an_error_that_names_it(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.always(strict(by_url, openai("'url' field must be a base64 encoded image.")))
    start()

    given = asked({"type": "input_image", "image_url": url_of(upstream)})

    assert (await fail(client, input=given))[:3] == (
        400,
        "invalid_image_url",
        "input[0].content[1].image_url",
    )


REFUSED = [
    pytest.param("openai", FILE, "file", refusal, id=f"file-{number}")
    for number, refusal in enumerate(
        [
            openai(
                "Invalid value: 'file'. Supported values are: 'text', 'image_url', 'input_audio'.",
                "messages[0].content[1].type",
                "invalid_value",
            ),
            openai("This model does not support file content types."),
            vllm("Unknown part type: file"),
            openai("messages[0]: unknown variant `file`, expected `text` or `image_url`"),
            openai("file inputs are not supported"),
        ]
    )
]
REFUSED += [
    pytest.param("generic", IMAGE, "image_url", refusal, id=f"image-{number}")
    for number, refusal in enumerate(
        [
            openai("messages[0]: unknown variant `image_url`, expected `text`"),
            vllm("At most 0 image(s) may be provided in one prompt."),
            vllm("tiny is not a multimodal model"),
            llama_cpp(
                "image input is not supported - hint: if this is unexpected, you may need to provide "
                "the mmproj",
                500,
            ),
            groq("messages[0].content must be a string"),
            openai("This model does not support image input"),
        ]
    )
]
REFUSED += [
    pytest.param("vllm", AUDIO, "input_audio", openai("audio input is not supported"), id="audio"),
    pytest.param(
        "vllm", VIDEO, "video_url", vllm("At most 0 video(s) may be provided"), id="video"
    ),
]


@pytest.mark.parametrize(("dialect", "part", "kind", "refusal"), REFUSED)
async def test_part_that_is_refused_is_an_error_that_names_it(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    dialect: str,
    part: Body,
    kind: str,
    refusal: Answer,
) -> None:
    upstream.always(strict(lambda body: kind in [each["type"] for each in parts(body)], refusal))
    start(dialect=dialect)

    for _ in range(2):
        status, code, param, message = await fail(client, input=asked(part))

        assert (status, code, param) == (400, "unsupported_value", "input[0].content[1].type")
        assert kind in message
    assert len(upstream.requests) == 1, "what is known was asked for all the same"
    assert await ask(client)  # without it


async def test_part_that_the_row_does_not_have_is_refused_without_asking(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()

    assert (await fail(client, input=asked(FILE)))[:3] == (
        400,
        "unsupported_value",
        "input[0].content[1].type",
    )
    assert upstream.requests == []
