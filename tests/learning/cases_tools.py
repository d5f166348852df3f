"""Tools, schemas, formats, images and files that upstreams refuse: `reported.md` §3.3."""

import json
from typing import Any

from tests.learning.bodies import (
    cerebras,
    detail,
    fastapi,
    gemini,
    groq,
    in_stream,
    llama_cpp,
    mistral,
    openai,
    openrouter,
    sglang,
    vllm,
)
from tests.learning.case import Body, Case
from tests.servers.answers import Answer

EXTRA = "Extra inputs are not permitted"


def tool(name: str = "f", *, strict: bool | None = None, **properties: Any) -> Body:
    parameters = {"type": "object", "properties": properties}
    found = {"type": "function", "name": name, "parameters": parameters}
    return found if strict is None else {**found, "strict": strict}


def choice(
    name: str, given: Any, refused: tuple[Any, ...], *answers: Answer, dialect: str = "openai"
) -> Case:
    """Return the case of a form of `tool_choice`; a name is refused as any other name would be."""
    forms = tuple("named" if isinstance(form, dict) else form for form in refused)

    def refuses(body: Body) -> bool:
        sent = body.get("tool_choice")
        return ("named" if isinstance(sent, dict) else sent) in forms

    asked = {"tool_choice": given, "tools": [tool(), tool("g")]}
    return Case(name, asked, refuses, answers, "adapted: tool_choice", dialect)


NAMED = {"type": "function", "name": "f"}
CHOICES = (
    choice(
        "tool_choice required",
        "required",
        ("required",),
        openai("The tool_choice parameter does not support being set to required in thinking mode"),
        openai("tool_choice 'required' is incompatible with thinking enabled"),
        openai("deepseek-reasoner does not support this tool_choice"),
        mistral("Input should be 'auto', 'none' or 'any'", "tool_choice", kind="enum"),
        vllm("Invalid value for `tool_choice`: required", "tool_choice"),
        sglang("Tool choice 'required' is not supported with harmony models."),
        in_stream('tool_choice = "required" is not supported!'),
        groq("Tool choice is required, but this model cannot be forced: tool_choice"),
        gemini('Invalid value at "tool_choice" (oneof), required'),
    ),
    choice(
        "tool_choice named",
        NAMED,
        ("named",),
        openai("tool_choice 'specified' is incompatible with thinking enabled"),
        openai("Invalid tool_choice type: 'object'. Supported string values: none, auto, required"),
        fastapi("Input should be a valid string", "tool_choice", kind="string_type"),
        llama_cpp("tool_choice must be a string"),
    ),
    choice(
        "tool_choice named or required",
        NAMED,
        ("named", "required"),
        openai(
            "The tool_choice parameter does not support being set to required or object in thinking "
            "mode"
        ),
    ),
    choice(
        "tool_choice none",
        "none",
        ("none",),
        openai("tool_choice: 'none' is not supported"),
        openrouter("Unsupported value: 'tool_choice' does not support 'none' with this model."),
    ),
)

STRICT = (
    Case(
        "strict function",
        {"tools": [tool(strict=True)]},
        lambda body: any("strict" in each["function"] for each in body["tools"]),
        (
            fastapi(EXTRA, "tools", 0, "function", "strict"),
            mistral(EXTRA, "tools", 0, "function", "strict"),
            openai("Unrecognized key: 'strict' in tools[0].function"),
            gemini(
                "Invalid JSON payload received. Unknown name \"strict\" at 'tools[0].function': "
                "Cannot find field."
            ),
            cerebras("Tools with mixed values for 'strict' are not allowed."),
            openai("tools.0.function.strict is not supported for this model"),
        ),
        "dropped: tools[0].strict",
    ),
    Case(
        "strict format",
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "n",
                    "schema": {"type": "object"},
                    "strict": True,
                }
            }
        },
        lambda body: "strict" in body["response_format"]["json_schema"],
        (
            fastapi(EXTRA, "response_format", "json_schema", "strict"),
            openai("Unknown parameter: 'response_format.json_schema.strict'."),
        ),
        "dropped: text.format.strict",
    ),
)


def holds(keyword: str) -> Any:
    return lambda body: f'"{keyword}"' in json.dumps(body["tools"])


def keyword(name: str, schema: Body, *answers: Answer) -> Case:
    asked = {"tools": [{"type": "function", "name": "f", "parameters": schema}]}
    return Case(f"schema {name}", asked, holds(name), answers, "adapted: tools[0].parameters")


OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}}
SCHEMAS = (
    keyword(
        "$schema",
        {**OBJECT, "$schema": "http://json-schema.org/draft-07/schema#"},
        gemini(
            'Invalid JSON payload received. Unknown name "$schema" at '
            "'tools[0].function_declarations[0].parameters': Cannot find field."
        ),
        mistral(EXTRA, "tools", 0, "function", "parameters", "$schema"),
        openai("Invalid schema: the keyword '$schema' is not supported"),
    ),
    keyword(
        "additionalProperties",
        {**OBJECT, "additionalProperties": False},
        gemini(
            'Invalid JSON payload received. Unknown name "additionalProperties" at '
            "'tools[0].function_declarations[0].parameters': Cannot find field."
        ),
        openai("tools[0].function.parameters: additionalProperties is not allowed"),
        fastapi(EXTRA, "tools", 0, "function", "parameters", "additionalProperties"),
    ),
    keyword(
        "anyOf",
        {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
        openai(
            "Invalid schema for function 'f': In context=('properties', 'a'), 'anyOf' is not "
            "permitted.",
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
        openai(
            "Invalid request: tools.function.parameters is not a valid moonshot flavored json "
            "schema, details: <At path 'properties.a': when using anyOf, type should be defined in "
            "anyOf items instead of the parent schema>"
        ),
        gemini(
            "Unable to submit request because `f` functionDeclaration `parameters.a` schema "
            "specified other fields alongside any_of. When using any_of, it must be the only field "
            "set."
        ),
    ),
    keyword(
        "oneOf",
        {"oneOf": [{**OBJECT}, {"type": "object"}]},
        openai(
            "Invalid schema for function 'f': schema must have type 'object' and not have "
            "'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
        openai(
            "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at "
            "the top level"
        ),
    ),
    keyword(
        "$ref",
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/A"}},
            "$defs": {"A": {"type": "string"}},
        },
        openai("Invalid schema: $ref is not supported"),
        gemini(
            'Invalid JSON payload received. Unknown name "$ref" at '
            "'tools[0].function_declarations[0].parameters.properties[0].value': Cannot find field."
        ),
        sglang("Unsupported JSON schema keyword: $ref"),
    ),
    keyword(
        "format",
        {"type": "object", "properties": {"a": {"type": "string", "format": "uri"}}},
        gemini(
            "* GenerateContentRequest.tools[0].function_declarations[0].parameters.properties[a]."
            "format: only 'enum' and 'date-time' are supported for STRING type"
        ),
    ),
    keyword(
        "const",
        {"type": "object", "properties": {"a": {"const": 1}}},
        gemini(
            'Invalid JSON payload received. Unknown name "const" at '
            "'tools[0].function_declarations[0].parameters.properties[0].value': Cannot find field."
        ),
    ),
    keyword(
        "pattern",
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^a"}}},
        openai("Invalid schema for function 'f': 'pattern' is not permitted."),
        cerebras("Unsupported keyword 'pattern' in the JSON schema of tool 'f'"),
    ),
)

SCHEMA = {
    "format": {
        "type": "json_schema",
        "name": "n",
        "schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
    }
}
JSON_OBJECT = {"format": {"type": "json_object"}}


def asks_for(*kinds: str) -> Any:
    return lambda body: body.get("response_format", {}).get("type") in kinds


FORMATS = (
    Case(
        "json_schema",
        {"text": SCHEMA},
        asks_for("json_schema"),
        (
            openai("This response_format type is unavailable now"),
            openai(
                "Invalid parameter: 'response_format' of type 'json_schema' is not supported with "
                "this model.",
                "response_format",
            ),
            groq("This model does not support response format `json_schema`."),
            openai("'response_format.type' must be 'text' or 'json_object'"),
            openai(
                "response_format: unknown variant `json_schema`, expected `text` or `json_object`"
            ),
            fastapi(
                "Input should be 'text' or 'json_object'", "response_format", "type", kind="enum"
            ),
            sglang("Structured outputs are not supported by this server"),
            in_stream("json_schema is not supported with this model"),
            openrouter("response_format.type: json_schema not supported"),
        ),
        "adapted: text.format",
    ),
    Case(
        "json_schema and json_object",
        {"text": SCHEMA},
        asks_for("json_schema", "json_object"),
        (
            openai("response_format is not supported"),
            detail("Unexpected fields in the request: {'response_format'}"),
            fastapi(EXTRA, "response_format"),
        ),
        "adapted: text.format",
    ),
    Case(
        "json_object",
        {"text": JSON_OBJECT},
        asks_for("json_object"),
        (
            openai("'response_format.type' must be 'json_schema' or 'text'"),
            openai("response_format type json_object is not supported"),
        ),
        "adapted: text.format",
    ),
    Case(
        "the word json",
        {"text": JSON_OBJECT},
        lambda body: "json" not in json.dumps(body["messages"]).lower(),
        (
            openai(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of "
                "type 'json_object'.",
                "messages",
            ),
            openai("Prompt must contain the word 'json' in some form to use response_format"),
        ),
        "adapted: text.format",
    ),
)

TOOL_CASES = (*CHOICES, *STRICT, *SCHEMAS, *FORMATS)
