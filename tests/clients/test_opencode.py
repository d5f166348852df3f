"""opencode with `@ai-sdk/openai`: text, files, pictures, a second turn."""

from pathlib import Path

import pytest

from tests.clients.install import Clients
from tests.clients.opencode import OpenCode, config
from tests.clients.pictures import DOT
from tests.clients.upstream import coding
from tests.clients.upstream.scenes import GREETING, PROMPTS
from tests.clients.upstream.server import StrictUpstream
from tests.clients.upstream.styles import STYLES


@pytest.fixture
def opencode(clients: Clients, tmp_path: Path, url: str) -> OpenCode:
    return OpenCode(clients.opencode, tmp_path, config(url))


def test_text_is_answered(opencode: OpenCode, upstream: StrictUpstream) -> None:
    assert opencode.run(PROMPTS["hello"]) == [GREETING]
    assert upstream.refusals == []


def test_the_second_turn_knows_the_first(opencode: OpenCode, upstream: StrictUpstream) -> None:
    opencode.run(PROMPTS["remember"])

    assert opencode.run(PROMPTS["recall"], "--continue") == ["It was walnut."]
    assert upstream.refusals == []


@pytest.mark.parametrize("style", ["same_ids", "interleaved"])
def test_files_are_written(style: str, opencode: OpenCode, upstream: StrictUpstream) -> None:
    upstream.style = STYLES[style]

    said = opencode.run(coding.WRITE_BY_TOOL)

    assert (opencode.workspace / "one.txt").read_text() == "one\n"
    assert (opencode.workspace / "two.txt").read_text() == "two\n"
    assert said[-1].startswith("Written: ")
    assert upstream.refusals == []


def test_a_picture_is_read(opencode: OpenCode, upstream: StrictUpstream) -> None:
    (opencode.workspace / "dot.png").write_bytes(DOT)

    assert opencode.run(coding.READ_PICTURE) == ["Pictures: 1."]
    assert upstream.refusals == []
