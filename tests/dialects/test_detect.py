"""An upstream is told by what it says, from the captures and reports of what servers say."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapter.dialects import DIALECTS, Dialect, find_dialect

RECORDED = Path(__file__).parents[1] / "transcripts"


def name_of(found: Dialect | None) -> str | None:
    return None if found is None else found.name


# (URL, dialect)
URLS: list[tuple[str, str | None]] = [
    ("https://api.openai.com/v1", "openai"),
    ("https://API.OpenAI.com:443/v1", "openai"),
    ("https://eu.api.openai.com/v1", "openai"),
    ("https://mine.openai.azure.com/openai/v1", "azure"),
    ("https://mine.services.ai.azure.com/openai/v1/", "azure"),
    ("https://api.anthropic.com/v1", "anthropic"),
    ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini"),
    ("https://api.mistral.ai/v1", "mistral"),
    ("https://api.x.ai/v1", "xai"),
    ("https://api.perplexity.ai", "perplexity"),
    ("https://api.deepseek.com", "deepseek"),
    ("https://api.moonshot.cn/v1", "moonshot"),
    ("https://api.kimi.com/coding/v1", "moonshot"),
    ("https://api.z.ai/api/coding/paas/v4", "glm"),
    ("https://open.bigmodel.cn/api/paas/v4", "glm"),
    ("https://api.minimaxi.com/v1", "minimax"),
    ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "dashscope"),
    ("https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1", "dashscope"),
    ("https://router.huggingface.co/v1", "hf-router"),
    ("https://api.groq.com/openai/v1", "groq"),
    ("https://api.together.xyz/v1", "together"),
    ("https://api.fireworks.ai/inference/v1", "fireworks"),
    ("https://api.cerebras.ai/v1", "cerebras"),
    ("https://openrouter.ai/api/v1", "openrouter"),
    ("https://integrate.api.nvidia.com/v1", "nvidia-nim"),
    ("https://api.siliconflow.cn/v1", "siliconflow"),
    ("https://api-us-ca.umodelverse.ai/v1", "modelverse"),
    ("http://localhost:11434/v1", "ollama"),
    ("http://[::1]:1234/v1", "lmstudio"),
    # Anything may listen there.
    ("http://localhost:8000/v1", None),
    ("http://10.0.0.7:11434/v1", None),
    # An ending begins at a dot.
    ("https://notapi.openai.com.example.org/v1", None),
    ("https://fakeapi.x.ai.evil.example/v1", None),
    ("https://xapi.x.ai/v1", None),
    ("", None),
    ("not a URL", None),
    ("http://[::1/v1", None),
    ("http://localhost:99999999/v1", None),
]


@pytest.mark.parametrize(("url", "expected"), URLS)
def test_the_host_tells(url: str, expected: str | None) -> None:
    assert name_of(find_dialect(base_url=url)) == expected


def test_the_longest_ending_of_a_host_counts() -> None:
    wide = Dialect(name="wide", source="a test", hosts=frozenset({"example.org"}))
    narrow = Dialect(name="narrow", source="a test", hosts=frozenset({"chat.example.org"}))
    known = {"narrow": narrow, "wide": wide}

    assert find_dialect(base_url="https://eu.chat.example.org", known=known) == narrow
    assert find_dialect(base_url="https://example.org", known=known) == wide


@pytest.mark.parametrize(
    ("server", "expected"),
    [("llama.cpp", "llama.cpp"), ("LLAMA.CPP/1", "llama.cpp"), ("uvicorn", None), ("", None)],
)
def test_the_server_header_tells(server: str, expected: str | None) -> None:
    assert name_of(find_dialect(headers={"server": server})) == expected


def owned(*owners: Any) -> dict[str, Any]:
    models = [{"id": f"model-{place}", "owned_by": owner} for place, owner in enumerate(owners)]
    return {"object": "list", "data": models}


# (name, body of /v1/models, dialect)
MODELS: list[tuple[str, Any, str | None]] = [
    ("vLLM", owned("vllm", "vllm"), "vllm"),
    ("SGLang", owned("sglang"), "sglang"),
    ("llama.cpp", {"models": [], **owned("llamacpp")}, "llama.cpp"),
    ("llama-cpp-python", owned("me"), "llama-cpp-python"),
    ("Ollama, with a model of a user's", owned("library", "somebody"), "ollama"),
    ("LM Studio", owned("organization_owner"), "lmstudio"),
    (
        "TGI: its model owns itself",
        {"data": [{"id": "tiny", "object": "model", "created": 0, "owned_by": "tiny"}]},
        "tgi",
    ),
    (
        "llama.cpp behind another owner",
        {"data": [{"id": "tiny", "owned_by": "x", "meta": {"n_ctx_train": 4096}}]},
        "llama.cpp",
    ),
    ("OpenRouter", {"data": [{"id": "a/b", "top_provider": {}}]}, "openrouter"),
    (
        "Hugging Face",
        {"data": [{"id": "a/b", "owned_by": "a", "providers": [{"provider": "novita"}]}]},
        "hf-router",
    ),
    ("a gateway to several servers", owned("vllm", "llamacpp"), None),
    ("LiteLLM says this of every model", owned("openai"), None),
    ("a list without an object around it", [{"id": "tiny", "owned_by": "vllm"}], "vllm"),
    ("no models", owned(), None),
    ("no owner", owned(None), None),
    ("an owner that is no text", owned(["vllm"], {"a": 1}), None),
    ("no list", {"data": {"id": "tiny", "owned_by": "vllm"}}, None),
    ("no objects", {"data": ["tiny", 7, None]}, None),
    ("an error", {"error": "Unauthorized"}, None),
    ("nothing", None, None),
]


@pytest.mark.parametrize(
    ("body", "expected"), [pytest.param(*case, id=name) for name, *case in MODELS]
)
def test_the_list_of_models_tells(body: Any, expected: str | None) -> None:
    assert name_of(find_dialect(models=body)) == expected


def first_chunk(transcript: str) -> Any:
    body = next((RECORDED / transcript).glob("upstream.1.*")).read_text(encoding="utf-8")
    return json.loads(body.split("\n\n")[0].removeprefix("data:"))


# (name, chunk, dialect)
CHUNKS: list[tuple[str, Any, str | None]] = [
    ("vLLM, recorded", first_chunk("vllm/reasoning"), "vllm"),
    ("vLLM, a whole answer, recorded", first_chunk("vllm/json-schema-whole"), "vllm"),
    ("llama.cpp, recorded", first_chunk("llama.cpp/reasoning"), "llama.cpp"),
    ("llama.cpp, a whole answer, recorded", first_chunk("llama.cpp/length-whole"), "llama.cpp"),
    ("llama.cpp: timings", {"timings": {"predicted_n": 1}}, "llama.cpp"),
    ("Ollama", {"system_fingerprint": "fp_ollama"}, "ollama"),
    ("OpenAI: any fingerprint", {"system_fingerprint": "fp_44709d6fcb"}, None),
    ("SGLang", {"choices": [{"delta": {}, "matched_stop": None}]}, "sglang"),
    ("TGI", {"system_fingerprint": "3.3.4-native"}, "tgi"),
    ("TGI, from an image", {"system_fingerprint": "2.0.1-sha-eba6b4b"}, "tgi"),
    ("transformers", {"model": "tiny@main"}, "transformers"),
    ("Groq", {"x_groq": {"id": "req_1"}}, "groq"),
    ("OpenRouter", {"id": "gen-1760945382-2RfguZ9", "choices": []}, "openrouter"),
    (
        "OpenRouter, which passes on the signs of others",
        {"provider": "Z.AI", "choices": [{"matched_stop": None}]},
        "openrouter",
    ),
    ("a provider of nothing", {"provider": None}, None),
    ("MiniMax", {"base_resp": {"status_code": 0}}, "minimax"),
    ("Azure", {"choices": [], "prompt_filter_results": []}, "azure"),
    ("Azure, later", {"choices": [{"content_filter_results": {}}]}, "azure"),
    ("Perplexity", {"search_results": []}, "perplexity"),
    ("Cerebras", {"time_info": {"queue_time": 0.1}}, "cerebras"),
    (
        "Gemini",
        {"choices": [{"delta": {"tool_calls": [{"extra_content": {"google": {}}}]}}]},
        "gemini",
    ),
    ("a chunk like any other", {"id": "chatcmpl-1", "choices": [{"delta": {}}]}, None),
    ("choices that are no list", {"choices": {"matched_stop": None}}, None),
    ("a fingerprint that is no text", {"system_fingerprint": 7}, None),
    ("an error", {"error": {"message": "bad"}}, None),
    ("no object", [], None),
    ("nothing", None, None),
]


@pytest.mark.parametrize(
    ("chunk", "expected"), [pytest.param(*case, id=name) for name, *case in CHUNKS]
)
def test_an_answer_tells(chunk: Any, expected: str | None) -> None:
    assert name_of(find_dialect(chunk=chunk)) == expected


def test_what_is_more_certain_counts_first() -> None:
    """A service may run a known server; a port says the least."""
    vllm = first_chunk("vllm/reasoning")

    assert name_of(find_dialect(base_url="https://api.together.xyz/v1", chunk=vllm)) == "together"
    assert name_of(find_dialect(headers={"server": "llama.cpp"}, chunk=vllm)) == "llama.cpp"
    assert name_of(find_dialect(models=owned("sglang"), chunk=vllm)) == "sglang"
    assert name_of(find_dialect(base_url="http://localhost:11434/v1", chunk=vllm)) == "vllm"


def test_nothing_tells_nothing() -> None:
    assert find_dialect() is None


def test_only_known_dialects_are_found() -> None:
    assert find_dialect(chunk={"x_groq": {}}, known={"vllm": DIALECTS["vllm"]}) is None
