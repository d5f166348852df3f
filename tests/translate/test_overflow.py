"""Every known wording of an overflow is told from those that only look like one."""

import pytest

from adapter.translate.overflow import is_overflow, overflow_counts
from tests.translate.overflow_texts import OTHERS, OVERFLOWS


@pytest.mark.parametrize("message", [pytest.param(text, id=who) for who, text in OVERFLOWS])
def test_servers_say_in_many_words_that_a_prompt_does_not_fit(message: str) -> None:
    assert is_overflow({"message": message})
    assert is_overflow({"message": f"ERROR: {message.upper()}", "code": 400})


@pytest.mark.parametrize("message", [pytest.param(text, id=who) for who, text in OTHERS])
def test_limits_of_other_things_are_no_overflow(message: str) -> None:
    assert not is_overflow({"message": message})


@pytest.mark.parametrize(
    "error",
    [
        {"code": "context_length_exceeded"},
        {"message": "Something went wrong.", "code": "context_length_exceeded"},
        {"message": "too long", "type": "exceed_context_size_error"},
        {"message": "No.", "code": "model_max_prompt_tokens_exceeded"},
        {"message": "No.", "code": "tokens_limit_reached"},
        {"message": "No.", "type": "ContextWindowExceededError"},
        {"message": "No.", "code": 1261},
        {"message": "No.", "code": "1261"},
    ],
)
def test_code_or_type_is_enough(error: dict[str, object]) -> None:
    assert is_overflow(error)


@pytest.mark.parametrize(
    "error", [{}, {"message": "context"}, {"message": None, "code": 400}, {"code": [], "type": {}}]
)
def test_other_errors_are_no_overflow(error: dict[str, object]) -> None:
    assert not is_overflow(error)


@pytest.mark.parametrize(
    ("who", "counts"),
    [
        ("OpenAI", (149767, 128000)),
        ("OpenAI, with the completion", (9000, 8192)),
        ("Azure", (509178, 272000)),
        ("vLLM 0.11", (33096, 32768)),
        ("vLLM, with separators", (1001500, 1000000)),
        ("vLLM, in the engine", (5951, 4096)),
        ("vLLM, with images", (25938, 4096)),
        ("SGLang", (12010, 2048)),
        ("SGLang, with the completion", (140000, 131072)),
        ("SGLang, in the scheduler", (12010, 2042)),
        ("TGI", (600035, 131073)),
        ("TGI, the input alone", (5000, 4096)),
        ("llama.cpp", (12010, 2048)),
        ("llama-cpp-python", (600, 512)),
        ("Ollama Cloud, Fireworks", (262960, 262144)),
        ("LM Studio", (10978, 8192)),
        ("LM Studio, older", (6000, 4096)),
        ("TensorRT-LLM", (6048, 4096)),
        ("TensorRT-LLM, in a batch", (9351, 8192)),
        ("TensorRT-LLM on Triton", (5056, 2048)),
        ("ds4", (5958968, 256000)),
        ("Anthropic", (213462, 200000)),
        ("Anthropic, with the output", (209573, 200000)),
        ("Gemini", (1196265, 1048575)),
        ("Mistral", (170397, 131072)),
        ("Cerebras", (9000, 8192)),
        ("DeepSeek", (1008004, 131072)),
        ("Kimi", (291351, 262144)),
        ("Volcengine Ark", (203743, 202752)),
        ("SiliconFlow", (140000, 131072)),
        ("DeepInfra", (600010, 131071)),
        ("OpenRouter", (148000, 131072)),
        ("OpenRouter, Poolside", (131393, 131040)),
        ("xAI", (537812, 131072)),
        ("Cohere", (9000, 8192)),
        ("GitHub Copilot", (140000, 128000)),
    ],
)
def test_what_was_asked_for_and_what_is_allowed_are_read(who: str, counts: tuple[int, int]) -> None:
    assert overflow_counts(dict(OVERFLOWS)[who]) == counts


@pytest.mark.parametrize(
    "who",
    [
        pytest.param("vLLM 0.32", id="at least: the count was broken off"),
        pytest.param("vLLM, in characters", id="characters are no tokens"),
        pytest.param("Ollama", id="only what is too much"),
        pytest.param("Gemini, without the count", id="only what is allowed"),
        pytest.param("Groq", id="no number"),
    ],
)
def test_without_both_counts_nothing_is_told(who: str) -> None:
    assert overflow_counts(dict(OVERFLOWS)[who]) is None


def test_number_without_digits_does_no_harm() -> None:
    said = "'max_tokens' is too large: ,. This model's maximum context length is , tokens."

    assert not is_overflow({"message": said})


def test_very_long_message_is_read_in_linear_time() -> None:
    """Each pattern is bounded: 256 KB of a hostile upstream are read at once."""
    said = "input token count prompt token count body too large model " * 4000

    assert not is_overflow({"message": said})


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", ["1" * 50_000, "1," * 25_000, "too large: " * 5_000])
def test_words_of_a_client_that_are_quoted_cost_little(text: str) -> None:
    """Some servers quote the whole request that they refuse."""
    assert is_overflow({"message": f"maximum context length is 5. Got: {text}x"})
