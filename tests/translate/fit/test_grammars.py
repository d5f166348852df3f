"""Custom tools with a grammar, for upstreams that can be held to one and for others."""

from typing import Any

import msgspec
import pytest

from adapter.dialects import DIALECTS, Dialect
from adapter.tools.custom import CUSTOM_CALL, GRAMMAR_CALL
from adapter.translate.offer import MAX_GRAMMAR_CHARS, MAX_GRAMMARS
from adapter.translate.request import CustomGrammars, Options, to_chat_request
from tests.translate.requests import PLAIN, chat, refusal, request, translate

LINES = {"type": "grammar", "syntax": "lark", "definition": 'start: ("x" LF)+\n%import common.LF'}
WORD = {"type": "grammar", "syntax": "regex", "definition": "[a-z]+"}
GBNF = 'root ::= ("x" lf)+\nlf ::= "\\n"\n'
OTHER = {"type": "function", "name": "f", "parameters": {"type": "object"}}
ALWAYS = {"model", "messages", "stream", "stream_options"}
NAMED = {"type": "custom", "name": "w"}


def tool(grammar: Any = LINES, name: str = "w") -> dict[str, Any]:
    return {"type": "custom", "name": name, "description": "Writes.", "format": grammar}


def asked_with(mode: CustomGrammars, dialect: Dialect, **fields: Any) -> Any:
    return to_chat_request(request(**fields), dialect, options=Options(custom_grammars=mode))


@pytest.mark.parametrize(
    ("dialect", "grammar", "fields"),
    [
        ("vllm", LINES, {"structured_outputs": {"grammar": GBNF}}),
        ("sglang", LINES, {"ebnf": GBNF}),
        ("llama.cpp", LINES, {"grammar": GBNF, "chat_template_kwargs": {"enable_thinking": False}}),
        ("llama-cpp-python", LINES, {"grammar": GBNF}),
        ("fireworks", LINES, {"response_format": {"type": "grammar", "grammar": GBNF}}),
        ("tgi", WORD, {"response_format": {"type": "regex", "value": "[a-z]+"}}),
        ("vllm", WORD, {"structured_outputs": {"grammar": "root ::= [a-z]+\n"}}),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        pytest.param([OTHER], NAMED, id="named"),
        pytest.param([], "required", id="the-only-one"),
        pytest.param([OTHER], {"type": "allowed_tools", "mode": "required", "tools": [NAMED]}, id="the-only-one-that-is-allowed"),
    ],
)  # fmt: skip
def test_a_call_that_is_certain_is_asked_for_by_its_input_alone(
    dialect: str, grammar: Any, fields: dict[str, Any], tools: list[Any], choice: Any
) -> None:
    translation = translate(
        DIALECTS[dialect],
        tools=[tool(grammar), *tools],
        tool_choice=choice,
        parallel_tool_calls=False,
        text={"format": {"type": "json_object"}},
    )

    sent = msgspec.json.decode(translation.chat.encode())
    assert {name: sent[name] for name in sent.keys() - ALWAYS} == fields
    assert sent["messages"][0] == {
        "role": "system",
        "content": "Use the tool w now. Your whole answer is its input: write it as it is, without a "
        "word before or behind it, and without a code fence.\n\nWrites.\n\nThe input must match "
        f"this {grammar['syntax']} grammar:\n{grammar['definition']}",
    }
    assert translation.text_call == "w"
    assert translation.adapted == ("tool_choice",)
    assert translation.toolbox.offered["w"].kind == CUSTOM_CALL


def test_that_is_no_downgrade() -> None:
    options = Options(downgrades="refuse")
    given = request(tools=[tool()], tool_choice="required")

    assert to_chat_request(given, DIALECTS["vllm"], options=options).text_call == "w"


UNASKED = [
    pytest.param("vllm", {"tool_choice": "auto"}, id="auto"),
    pytest.param("vllm", {}, id="no-choice"),
    pytest.param("vllm", {"tool_choice": "none"}, id="none"),
    pytest.param("vllm", {"tools": [tool(), OTHER], "tool_choice": "required"}, id="one-of-two"),
    pytest.param("vllm", {"tools": [tool(), OTHER], "tool_choice": {"type": "function", "name": "f"}}, id="another"),
    pytest.param("generic", {"tool_choice": "required"}, id="unknown-upstream"),
    pytest.param("ollama", {"tool_choice": "required"}, id="upstream-without-grammars"),
    pytest.param("tgi", {"tools": [tool({**LINES, "definition": 'start: "(" start? ")"'})], "tool_choice": "required"}, id="no-regular-expression"),
    pytest.param("vllm", {"tools": [tool({**WORD, "definition": "(?=a)."})], "tool_choice": "required"}, id="not-read"),
    pytest.param("vllm", {"tools": [tool({"type": "text"})], "tool_choice": "required"}, id="no-grammar"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "fields"), UNASKED)
def test_otherwise_the_grammar_is_described(dialect: str, fields: dict[str, Any]) -> None:
    fields = {"tools": [tool()], **fields}
    translation = translate(DIALECTS[dialect], **fields)

    assert translation.text_call is None
    assert translation.chat.parameters == asked_with("describe", DIALECTS[dialect], **fields).chat.parameters  # fmt: skip


def test_so_it_is_where_the_upstream_refused_one() -> None:
    for learned in (
        {"grammar_field": None},
        {"refuses": frozenset({"structured_outputs"})},
        {"only": frozenset({"tools", "tool_choice"})},
    ):
        dialect = msgspec.structs.replace(DIALECTS["vllm"], **learned)

        assert "tools" in chat(dialect, tools=[tool()], tool_choice="required")


def test_so_it_is_where_the_client_constrains_the_answer_itself() -> None:
    given = request(tools=[tool()], tool_choice="required", structured_outputs={"choice": ["a"]})
    options = Options(pass_fields=frozenset({"structured_outputs"}))

    translation = to_chat_request(given, DIALECTS["vllm"], options=options)

    assert translation.text_call is None


@pytest.mark.parametrize(
    ("dialect", "grammar", "pattern", "strict"),
    [
        ("vllm", WORD, "^([a-z]+)$", True),
        ("sglang", WORD, "^([a-z]+)$", True),
        ("llama.cpp", WORD, "^([a-z]+)$", None),
        ("vllm", LINES, None, None),
        ("vllm", {**WORD, "definition": "(?=a)"}, None, None),
        ("generic", WORD, None, None),
        ("ollama", WORD, None, None),
    ],
)
def test_a_tool_that_may_be_called_has_a_pattern_where_that_is_obeyed(
    dialect: str, grammar: Any, pattern: str | None, strict: bool | None
) -> None:
    sent = chat(DIALECTS[dialect], tools=[OTHER, tool(grammar)])

    plain, function = (each["function"] for each in sent["tools"])
    assert function["parameters"]["properties"]["input"].get("pattern") == pattern
    assert function.get("strict") is strict
    assert "The input must match this" in function["description"]
    assert "strict" not in plain


def test_there_is_none_where_schemas_may_have_none() -> None:
    dialect = msgspec.structs.replace(DIALECTS["vllm"], schema_refuses=frozenset({"pattern"}))

    assert "pattern" not in str(chat(dialect, tools=[tool(WORD)])["tools"])


@pytest.mark.parametrize(
    ("mode", "checks"), [("describe", False), ("enforce", False), ("repair", True)]
)
def test_inputs_are_checked_where_that_is_asked_for(mode: CustomGrammars, checks: bool) -> None:
    assert asked_with(mode, PLAIN, tools=[tool()]).checks_inputs is checks
    assert not asked_with(mode, PLAIN, tools=[OTHER]).checks_inputs
    assert not asked_with(mode, PLAIN, tools=[tool({"type": "text"})]).checks_inputs


def test_what_the_upstream_enforces_is_not_checked() -> None:
    translation = asked_with("repair", DIALECTS["vllm"], tools=[tool()], tool_choice="required")

    assert (translation.text_call, translation.checks_inputs) == ("w", False)


def test_a_described_tool_keeps_its_way_with_wrappings() -> None:
    translation = asked_with("describe", DIALECTS["vllm"], tools=[tool()], tool_choice="required")

    assert translation.text_call is None
    assert translation.toolbox.offered["w"].kind == GRAMMAR_CALL


@pytest.mark.parametrize(
    ("format", "param"),
    [
        ({"type": "grammar", "definition": "a"}, "tools[0].format.syntax"),
        ({**WORD, "syntax": "ebnf"}, "tools[0].format.syntax"),
        ({**WORD, "definition": 7}, "tools[0].format.definition"),
    ],
)
def test_a_malformed_format_is_refused(format: Any, param: str) -> None:
    assert refusal(tools=[tool(format)])[1] == param


def test_of_very_many_grammars_only_the_first_are_enforced() -> None:
    tools = [tool(WORD, f"w{number}") for number in range(MAX_GRAMMARS + 1)]

    patterns = sent_patterns(tools)

    assert patterns == [*["^([a-z]+)$"] * MAX_GRAMMARS, None]


def test_of_very_long_grammars_only_the_first_are_enforced() -> None:
    long = {**WORD, "definition": "[a-z]+" + "(?#" + "x" * 60_000 + ")"}
    tools = [tool(long, f"w{number}") for number in range(3)]

    assert len(long["definition"]) * 3 > MAX_GRAMMAR_CHARS
    assert sent_patterns(tools) == ["^([a-z]+)$", "^([a-z]+)$", None]


def sent_patterns(tools: list[Any]) -> list[str | None]:
    sent = msgspec.json.decode(translate(DIALECTS["vllm"], tools=tools).chat.encode())
    return [
        each["function"]["parameters"]["properties"]["input"].get("pattern")
        for each in sent["tools"]
    ]
