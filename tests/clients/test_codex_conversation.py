"""Codex over several turns, with pictures, schemas, and an upstream that is hard to please."""

import json
from pathlib import Path

import pytest

from tests.clients.codex import catalog
from tests.clients.conftest import NewCodex
from tests.clients.pictures import DOT
from tests.clients.test_frameworks import RULES
from tests.clients.upstream import coding
from tests.clients.upstream.rules import Rule
from tests.clients.upstream.scenes import GREETING, PARIS, PROMPTS
from tests.clients.upstream.server import StrictUpstream
from tests.clients.upstream.styles import STYLES

PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}


def test_text_is_answered_and_counted(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    run = new_codex(url).exec(PROMPTS["hello"])

    assert run.messages == [GREETING]
    assert (run.usage["input_tokens"], run.usage["output_tokens"]) == (11, 4)
    assert (len(upstream.bodies), upstream.refusals) == (1, [])


def test_the_second_turn_knows_the_first(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    codex = new_codex(url)
    codex.exec(PROMPTS["remember"])

    run = codex.exec(PROMPTS["recall"], resume=True)

    assert run.messages == ["It was walnut."]
    assert upstream.refusals == []


def test_the_second_turn_sees_what_tools_said_in_the_first(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    codex = new_codex(url)
    codex.exec(coding.WRITE_TWO)

    codex.exec(PROMPTS["recall"], resume=True)

    roles = [message["role"] for message in upstream.bodies[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool", "assistant", "user"]
    assert upstream.refusals == []


def test_a_full_context_is_summed_up(
    new_codex: NewCodex, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    top = f"{catalog(tmp_path)}\nmodel_auto_compact_token_limit = {coding.OVERFLOW_TOKENS // 2}"
    codex = new_codex(url, top=top)
    codex.exec(coding.FILL_CONTEXT)

    run = codex.exec(PROMPTS["recall"], resume=True)

    assert run.messages == ["It was walnut."]
    _, compaction, last = upstream.bodies
    assert "tools" not in compaction
    assert [message["role"] for message in last["messages"]] == ["system", "user"]
    assert upstream.refusals == []


def test_a_picture_is_seen(new_codex: NewCodex, upstream: StrictUpstream, url: str) -> None:
    codex = new_codex(url)
    (codex.workspace / "dot.png").write_bytes(DOT)

    run = codex.exec(PROMPTS["picture"], "-i", "dot.png")

    assert run.messages == ["Pictures: data:image/png."]
    assert upstream.refusals == []


def test_an_answer_fits_its_schema(new_codex: NewCodex, upstream: StrictUpstream, url: str) -> None:
    codex = new_codex(url)
    (codex.workspace / "schema.json").write_text(json.dumps(PLACE))

    run = codex.exec(PROMPTS["describe"], "--output-schema", "schema.json")

    assert [json.loads(message) for message in run.messages] == [PARIS]
    assert upstream.bodies[0]["response_format"]["json_schema"]["schema"] == PLACE
    assert upstream.refusals == []


@pytest.mark.parametrize("style", STYLES)
def test_codex_does_not_notice_how_the_upstream_streams(
    style: str, new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    upstream.style = STYLES[style]
    codex = new_codex(url)
    # The legacy field holds one call at a time.
    prompt, files = (
        (coding.WRITE, {"greeting.txt"})
        if style == "legacy_call"
        else (coding.WRITE_TWO, {"one.txt", "two.txt"})
    )

    run = codex.exec(prompt)

    assert {path.name for path in codex.workspace.iterdir()} == files
    assert [message[:9] for message in run.messages] == ["Written: "]
    assert (run.code, upstream.refusals) == (0, [])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_codex_does_not_notice_what_the_upstream_refuses(
    rule: Rule, new_codex: NewCodex, upstream: StrictUpstream, new_url: str
) -> None:
    upstream.rules = (rule,)
    codex = new_codex(new_url)
    (codex.workspace / "dot.png").write_bytes(DOT)

    runs = [codex.exec(coding.WRITE_TWO), codex.exec(coding.VIEW, resume=True)]

    assert [run.code for run in runs] == [0, 0]
    assert runs[-1].messages == ["Pictures: 1."]
