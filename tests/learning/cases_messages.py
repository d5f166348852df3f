"""Roles, orders and thoughts that upstreams refuse: `reported.md` §3.3."""

import re
from itertools import pairwise
from typing import Any

from tests.learning.bodies import (
    fastapi,
    groq,
    in_stream,
    llama_cpp,
    minimax,
    mistral,
    openai,
    openrouter,
    sglang,
    vllm,
)
from tests.learning.case import Body, Case
from tests.servers.answers import Answer

USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Yes?"}
EMPTY = {"role": "assistant", "content": ""}
LATE = {"role": "developer", "content": "Hook."}
REFUSED = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "Hm."}],
}


def call(id: str = "call_0123456789") -> Body:
    return {"type": "function_call", "call_id": id, "name": "f", "arguments": '{"a": 1}'}


def output(id: str = "call_0123456789") -> Body:
    return {"type": "function_call_output", "call_id": id, "output": "ok"}


LOOP = [USER, call(), output()]


def roles(body: Body) -> list[str]:
    return [message["role"] for message in body["messages"]]


def alternates_not(body: Body) -> bool:
    turns = [role for role in roles(body) if role != "system"]
    return any(first == second != "tool" for first, second in pairwise(turns))


def calls(body: Body) -> list[Any]:
    return [call for message in body["messages"] for call in message.get("tool_calls", ())]


def with_calls(body: Body) -> list[Body]:
    return [message for message in body["messages"] if message.get("tool_calls")]


ROLES = (
    Case(
        "developer",
        {"instructions": "Be brief."},
        lambda body: "developer" in roles(body),
        (
            vllm("Unexpected message role."),
            sglang("Unexpected message role."),
            llama_cpp("Unexpected message role. at row 12, column 9 of the chat template", 500),
            openai(
                "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
                "messages[0].role",
                "unsupported_value",
            ),
            openai(
                "Failed to deserialize the JSON body into the target type: messages[0].role: unknown "
                "variant `developer`, expected one of `system`, `user`, `assistant`, `tool`"
            ),
            groq("'messages.0' : discriminator property 'role' has invalid value"),
            mistral(
                "Input should be 'system', 'user', 'assistant' or 'tool'",
                "messages",
                0,
                "role",
                kind="literal_error",
            ),
            fastapi("unexpected value; permitted: 'system', 'user'", "messages", 0, "role"),
            minimax("invalid params, chat content has invalid role: developer (2013)"),
            in_stream("Only user, assistant and system roles are supported!"),
        ),
        "adapted: instructions",
        "openai",
    ),
    Case(
        "late system",
        {"instructions": "Be brief.", "input": [USER, ANSWER, LATE, USER]},
        lambda body: bool({"system", "developer"} & set(roles(body)[1:])),
        (
            vllm("System message must be at the beginning."),
            llama_cpp("System message must be at the beginning.", 500),
            openai("Only one system message is allowed, and it must be the first message."),
            openai('messages: Unexpected role "system". The Messages API accepts it at the top.'),
            mistral("Unexpected role 'system' after role 'assistant'", kind="invalid_request"),
            minimax("invalid params, system message must be first (2013)"),
            openai(
                "messages[3]: system messages are only allowed at the start of the conversation"
            ),
        ),
        "adapted: input",
        "xai",
    ),
    Case(
        "any system",
        {"instructions": "Be brief."},
        lambda body: "system" in roles(body),
        (
            vllm("System role not supported"),
            vllm("Conversation roles must alternate user/assistant/user/assistant/..."),
            sglang("Only user and assistant roles are supported!"),
            llama_cpp("System role not supported", 500),
            openai("Unsupported role: system"),
            minimax("invalid params, chat content has invalid role: system (2013)"),
        ),
        "adapted: input",
    ),
    Case(
        "users in a row",
        {"input": [USER, USER]},
        alternates_not,
        (
            vllm(
                "After the optional system message, conversation roles must alternate "
                "user/assistant/user/assistant/..."
            ),
            openai(
                "deepseek-reasoner does not support successive user or assistant messages "
                "(messages[0] and messages[1] in your input). You should interleave them."
            ),
            openai(
                'messages: roles must alternate between "user" and "assistant", but found '
                'multiple "user" roles in a row'
            ),
            openai("Consecutive messages of the same role are not allowed"),
        ),
        "adapted: input",
        "openai",
    ),
    Case(
        "assistants in a row",
        {"input": [USER, ANSWER, ANSWER, USER]},
        alternates_not,
        (
            vllm("Conversation roles must alternate user/assistant/user/assistant/..."),
            openai("Two consecutive assistant messages are not allowed"),
        ),
        "adapted: input",
        "openai",
    ),
    Case(
        "user after tool",
        {"input": [*LOOP, USER]},
        lambda body: ("tool", "user") in pairwise(roles(body)),
        (
            openai(
                "Unexpected role 'user' after role 'tool'", None, "invalid_request_message_order"
            ),
            mistral("Unexpected role 'user' after role 'tool'", kind="invalid_request"),
            vllm("Unexpected role 'user' after role 'tool'"),
        ),
        "adapted: input",
    ),
    Case(
        "empty answer",
        {"input": [USER, EMPTY, USER]},
        lambda body: any(m["role"] == "assistant" and not m["content"] for m in body["messages"]),
        (
            openai("messages.1: all messages must have non-empty content"),
            mistral(
                "Assistant message must have either content or tool_calls, but not none.",
                kind="invalid_request",
            ),
            openai("Each message must have at least one content element."),
            openai("messages: text content blocks must be non-empty"),
            openai("Invalid request: message at index 1 with role assistant must not be empty"),
            openai(
                "Unable to submit request because it must have a text parameter: contents are empty"
            ),
        ),
        "adapted: input",
    ),
    Case(
        "answer at the end",
        {"input": [USER, ANSWER]},
        lambda body: roles(body)[-1] == "assistant",
        (
            mistral(
                "Expected last role User or Tool (or Assistant with prefix True) for serving but got "
                "assistant",
                kind="invalid_request",
            ),
            openai(
                "This model does not support assistant message prefill. The conversation must end "
                "with a user message."
            ),
            llama_cpp("Assistant response prefill is incompatible with enable_thinking."),
            vllm("The last message must be from the user or a tool"),
            openai("Please ensure that the final turn is a user turn: the last role is assistant"),
        ),
        "adapted: input",
    ),
    Case(
        "refusal of an answer",
        {"input": [USER, REFUSED, USER]},
        lambda body: any("refusal" in message for message in body["messages"]),
        (
            fastapi("Extra inputs are not permitted", "messages", 1, "assistant", "refusal"),
            groq("'messages.1' : property 'refusal' is unsupported"),
        ),
        "adapted: input",
        "openai",
    ),
)


def thoughts_missing(body: Body) -> bool:
    return any("reasoning_content" not in message for message in with_calls(body))


def thoughts_empty(body: Body) -> bool:
    return any(not message.get("reasoning_content") for message in with_calls(body))


REASONING = (
    Case(
        "thoughts have to come back",
        {"input": LOOP},
        thoughts_missing,
        (
            openai("The `reasoning_content` in the thinking mode must be passed back to the API."),
            openai(
                "thinking is enabled but reasoning_content is missing in assistant tool call message "
                "at index 1"
            ),
            openai(
                "Missing `reasoning_content` field in the assistant message at message index 1."
            ),
            openrouter("messages[1].reasoning_content is required in thinking mode"),
        ),
        "adapted: input",
    ),
    Case(
        "thoughts have to come back, and not empty",
        {"input": LOOP},
        thoughts_empty,
        (
            openai(
                "thinking is enabled but reasoning_content is missing in assistant tool call message "
                "at index 1"
            ),
            openai("reasoning_content must not be empty for assistant tool call messages"),
            openai("Invalid request: reasoning_content of the message at position 1 is blank"),
        ),
        "adapted: input",
    ),
    Case(
        "thoughts have to come back where none were sent",
        {"input": LOOP},
        thoughts_missing,
        (openai("The reasoning_content in the thinking mode must be passed back to the API."),),
        "adapted: input",
        "hf-router",
    ),
    Case(
        "thoughts must not come back",
        {"input": [USER, THOUGHT, call(), output()]},
        lambda body: any("reasoning_content" in message for message in body["messages"]),
        (
            groq(
                "'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : "
                "property 'reasoning_content' is unsupported)]"
            ),
            fastapi(
                "Extra inputs are not permitted", "messages", 1, "assistant", "reasoning_content"
            ),
            openai("Unrecognized key 'reasoning_content' in messages[1]"),
            openai("The reasoning_content field is not supported in input messages"),
        ),
        "adapted: input",
    ),
    Case(
        "thoughts must not come back under the other name",
        {"input": [USER, THOUGHT, call(), output()]},
        lambda body: any("reasoning" in message for message in body["messages"]),
        (fastapi("Extra inputs are not permitted", "messages", 1, "assistant", "reasoning"),),
        "adapted: input",
        "ollama",
    ),
)


def ids_unlike(pattern: str) -> Any:
    def refuses(body: Body) -> bool:
        ids = [call["id"] for call in calls(body)]
        answered = [m["tool_call_id"] for m in body["messages"] if m["role"] == "tool"]
        assert ids == answered, "a call and its output have to keep matching"
        return any(not re.fullmatch(pattern, id) for id in ids)

    return refuses


def ids(name: str, pattern: str, id: str, *answers: Answer) -> Case:
    asked = {"input": [USER, call(id), output(id)]}
    return Case(name, asked, ids_unlike(pattern), answers, "adapted: input")


IDS = (
    ids(
        "ids of nine",
        "[A-Za-z0-9]{9}",
        "call_0123456789",
        openai(
            "Tool call id was call_0123456789 but must be a-z, A-Z, 0-9, with a length of 9.",
            None,
            "invalid_function_call",
        ),
        mistral(
            "Tool call id was call_0123456789 but must be a-z, A-Z, 0-9, with a length of 9.",
            kind="invalid_request",
        ),
        vllm("Tool call id was call_0123456789 but must be a-z, A-Z, 0-9, with a length of 9."),
    ),
    ids(
        "ids of forty",
        ".{1,40}",
        "call_" + "x" * 59,
        openai(
            "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum "
            "length 40, but got a string with length 64 instead.",
            "messages[1].tool_calls[0].id",
            "string_above_max_length",
        ),
    ),
    ids(
        "ids without odd characters",
        "[a-zA-Z0-9_-]+",
        "functions.f:0",
        openai("messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"),
        openai("tool_call_id may hold only alphanumeric characters"),
    ),
)

CALLS = (
    Case(
        "arguments as text",
        {"input": LOOP},
        lambda body: any(isinstance(c["function"]["arguments"], str) for c in calls(body)),
        (
            vllm("Can only get item pairs from a mapping."),
            fastapi("Input should be a valid dictionary", "messages", 1, "tool_calls", "arguments"),
            openai("tool_calls[0].function.arguments must be an object"),
        ),
        "adapted: input",
    ),
    Case(
        "several calls in a message",
        {"input": [USER, call("c1"), call("c2"), output("c1"), output("c2")]},
        lambda body: any(len(message["tool_calls"]) > 1 for message in with_calls(body)),
        (vllm("This model only supports single tool-calls at once!"),),
        "adapted: input",
    ),
)

MESSAGE_CASES = (*ROLES, *REASONING, *IDS, *CALLS)
