"""The other ways in which Codex reaches a server: its own provider, WebSockets, LM Studio's."""

from tests.clients.codex import BUILT_IN
from tests.clients.conftest import NewCodex
from tests.clients.upstream import coding
from tests.clients.upstream.scenes import GREETING, PROMPTS
from tests.clients.upstream.server import StrictUpstream
from tests.servers.answers import MODEL

COMPACT_EARLY = f"model_auto_compact_token_limit = {coding.OVERFLOW_TOKENS // 2}"


def test_the_built_in_provider_runs_tools_and_remembers(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    codex = new_codex(url, config=BUILT_IN)
    first = codex.exec(PROMPTS["remember"])

    runs = [codex.exec(prompt, resume=True) for prompt in (PROMPTS["recall"], coding.WRITE_TWO)]

    assert [run.code for run in (first, *runs)] == [0, 0, 0]
    assert runs[0].messages == ["It was walnut."]
    assert (codex.workspace / "two.txt").read_text() == "two\n"
    assert upstream.refusals == []


def test_the_built_in_provider_has_a_full_context_summed_up(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    codex = new_codex(url, config=BUILT_IN, top=COMPACT_EARLY)
    codex.exec(coding.FILL_CONTEXT)

    run = codex.exec(PROMPTS["recall"], resume=True)

    assert run.messages == ["It was walnut."]  # which only the summary says
    assert upstream.refusals == []


def test_a_provider_with_websockets_runs_tools_and_remembers(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    codex = new_codex(url, tables="supports_websockets = true\n")
    first = codex.exec(PROMPTS["remember"])

    runs = [codex.exec(prompt, resume=True) for prompt in (PROMPTS["recall"], coding.WRITE_TWO)]

    assert [run.code for run in (first, *runs)] == [0, 0, 0]
    assert runs[0].messages == ["It was walnut."]
    assert (codex.workspace / "two.txt").read_text() == "two\n"
    assert upstream.refusals == []


def test_the_provider_for_lm_studio_finds_the_model_and_answers(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    codex = new_codex(url, config="check_for_update_on_startup = false\n")

    run = codex.exec(
        PROMPTS["hello"],
        *("--oss", "--local-provider", "lmstudio", "-m", MODEL),
        env={"CODEX_OSS_BASE_URL": url},
    )

    assert run.messages == [GREETING]
    assert upstream.refusals == []
