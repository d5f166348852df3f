"""The facts that make up a dialect.

The defaults describe a server that we know nothing of: write only what all known servers accept,
read everything that any of them sends. Nothing else in the package asks for an upstream's name;
what one learns of an upstream is a dialect with other facts (`adapter.translate.learn`).
"""

from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

ThinkTags = Literal["start", "opened", "anywhere", "off"]
ReasoningField = Literal["reasoning", "reasoning_content", "tags", "parts", "none"]
ReasoningReplay = Literal["optional", "all_or_nothing", "always"]
ToolChoiceForm = Literal["none", "auto", "required", "named"]
FormatForm = Literal["json_object", "json_schema"]
GrammarField = Literal["structured_outputs", "ebnf", "grammar", "fireworks", "tgi"]
TokenCounter = Literal["chat_input_tokens", "apply_template", "tokenize_messages", "chat_tokenize"]

ALL_TOOL_CHOICES: frozenset[ToolChoiceForm] = frozenset({"none", "auto", "required", "named"})
ALL_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
THINK_MARKS = ("<think>", "</think>")


class ThinkingSwitch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How thinking is switched, where `reasoning_effort` does not do it.

    Attributes:
        field: path of the request field, such as `chat_template_kwargs.enable_thinking`.
        on: its value for any effort.
        off: its value for effort `none`.
    """

    field: str
    on: Any
    off: Any


class ModelFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of some of an upstream's models, where they differ from the rest.

    Attributes:
        match: patterns of model names in lower case, such as `gpt-5*`.
        facts: facts of `Dialect` by name, each in place of the dialect's own.
    """

    match: tuple[str, ...]
    facts: dict[str, Any]


class Dialect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An upstream's habits.

    Attributes:
        name: how settings and logs call it.
        source: where the facts come from, with a date or version.
        hosts: endings of host names that are this upstream.
        ports: ports of this machine that are this upstream unless something else says otherwise.
        owners: values of `owned_by` in its `/v1/models`.
        servers: beginnings of its `server` header.
        models: facts of single models; the later ones count if several match.
        responses_api: it has a whole Responses API of its own.
        forward_headers: request headers of clients that it wants to see, in lower case.
        bracketed_models: a model name may end in `[…]`, such as `glm-5.2[1m]`; otherwise that is
            an alias of the client's, and goes.
        system_role: role of instructions; `user` where no template knows another.
        late_system: a system or developer message after the conversation has begun is sent as
            `system`, or as a `user` message in `<system>` tags, which keeps the prefix cacheable
            and suits templates that want the system message first.
        merge_same_role: consecutive user messages are sent as one, for templates that want
            strict alternation.
        tool_bridge: what an assistant message says between the outputs of tools and a user
            message; None where they may follow each other.
        empty_answers: assistant messages without content and calls are taken.
        last_answer: the last message may be an assistant's; otherwise a user asks to go on.
        parts: content parts beyond text that it takes.
        image_urls: it fetches images from `any` URL, or takes `data` URLs alone.
        refusal_field: assistant messages may carry `refusal`; otherwise it is sent as content.
        reasoning_field: where the reasoning of earlier turns is sent back: a field, `<think>`
            tags in the content, thinking parts of the content, or nowhere.
        reasoning_replay: whether messages with calls need it: `optional`, on all if on any, or
            `always`.
        reasoning_filler: what stands where it is needed and there is none.
        efforts: values of `reasoning_effort` that it takes; others are clamped; empty if it has
            no such field.
        effort_names: what it calls efforts that it has under another name, by the usual one.
        effort_field: path of the field.
        thinking: how thinking is switched besides.
        output_limit: name of the field for the longest answer.
        parameters: optional request fields that it knows beyond the ones all servers take.
        refuses: request fields that it answers with an error; they are not sent.
        refused_values: (field, JSON of the value) that it answers with an error.
        exclusive: (field, other): the other is not sent beside the field.
        only: the request fields that it knows besides `model`, `messages` and `stream`, where it
            refuses all others; None where it ignores them.
        renames: its own names of request fields, by the usual ones.
        ranges: the least and the greatest value that it takes, by field; others are clamped.
        body: request fields to add where the client gives none, by their path.
        tool_choices: forms of `tool_choice` that it obeys.
        strict_tools: a function may carry `strict`.
        strict_formats: a schema of `response_format` may carry `strict`.
        parallel_calls: a message of history may hold several calls; otherwise each is sent with
            its output before the next.
        object_arguments: arguments in history are objects, not strings.
        call_id_length: exact length of alphanumeric call ids, or None if any will do.
        signature_filler: thought signature for calls that have none; None where there are no
            signatures.
        schema_refuses: JSON schema keywords that it refuses.
        formats: forms of `response_format` beyond text.
        format_shape: how a schema is sent: as OpenAI's `json_schema`, as TGI's `json`, or in a
            `json_object` with a `schema`.
        json_word: `json_object` needs the word JSON in a message.
        grammar_field: where it takes a grammar for the whole answer: vLLM's `structured_outputs`,
            SGLang's `ebnf`, llama.cpp's `grammar`, or a `response_format` as Fireworks (GBNF) or
            TGI (a regular expression) have it; None where it takes none.
        grammar_body: request fields to set beside a grammar, by their path.
        schema_patterns: `pattern` in the parameters of functions is obeyed: `never`, in `strict`
            functions, or `always`.
        think_tags: where `<think>` in content is reasoning: at the `start` of the answer,
            `anywhere`, `opened` (the template wrote the first tag, the answer starts inside), or
            `off`.
        think_marks: what opens and what closes it.
        cumulative_details: reasoning, as text or as `reasoning_details`, repeats what was said
            before.
        token_counters: how it can be asked for the tokens of a prompt, the best way first: at
            `chat/completions/input_tokens`; at `/apply-template`, and for the tokens of that at
            `/tokenize`; at `/tokenize` with the messages; at `/chat_tokenize`. What turns out not
            to be there is not tried again (`adapter.counting`).
        learned: names of the facts that refusals taught (`adapter.translate.learn`); what comes of
            them is reported to the caller. No row has any.
    """

    name: str
    source: str
    # How it is recognised
    hosts: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset()
    owners: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()
    models: tuple[ModelFacts, ...] = ()
    responses_api: bool = False
    forward_headers: frozenset[str] = frozenset()
    bracketed_models: bool = True
    # Messages
    system_role: Literal["system", "developer", "user"] = "system"
    late_system: Literal["system", "user"] = "user"
    merge_same_role: bool = True
    tool_bridge: str | None = None
    empty_answers: bool = True
    last_answer: bool = True
    parts: frozenset[str] = frozenset({"image_url"})
    image_urls: Literal["any", "data"] = "any"
    refusal_field: bool = False
    # Reasoning
    reasoning_field: ReasoningField = "reasoning_content"
    reasoning_replay: ReasoningReplay = "optional"
    reasoning_filler: str = ""
    efforts: tuple[str, ...] = ALL_EFFORTS
    effort_names: dict[str, str] = {}
    effort_field: str = "reasoning_effort"
    thinking: ThinkingSwitch | None = None
    # Parameters
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    parameters: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    refused_values: frozenset[tuple[str, str]] = frozenset()
    exclusive: frozenset[tuple[str, str]] = frozenset()
    only: frozenset[str] | None = None
    renames: dict[str, str] = {}
    ranges: dict[str, tuple[float, float]] = {}
    body: dict[str, Any] = {}
    # Tools
    tool_choices: frozenset[ToolChoiceForm] = frozenset({"none", "auto", "required"})
    strict_tools: bool = True
    strict_formats: bool = True
    parallel_calls: bool = True
    object_arguments: bool = False
    call_id_length: int | None = None
    signature_filler: str | None = None
    schema_refuses: frozenset[str] = frozenset()
    # Output
    formats: frozenset[FormatForm] = frozenset({"json_object", "json_schema"})
    format_shape: Literal["openai", "tgi", "json_object"] = "openai"
    json_word: bool = False
    grammar_field: GrammarField | None = None
    grammar_body: dict[str, Any] = {}
    schema_patterns: Literal["never", "strict", "always"] = "never"
    think_tags: ThinkTags = "start"
    think_marks: tuple[str, str] = THINK_MARKS
    cumulative_details: bool = False
    # Counting
    token_counters: tuple[TokenCounter, ...] = ("tokenize_messages", "chat_input_tokens")
    # What was learned
    learned: frozenset[str] = frozenset()

    def for_model(self, model: str) -> "Dialect":
        """Return the dialect with the facts of a model, whose own are not told apart any more."""
        facts: dict[str, Any] = {}
        for row in self.models:
            if any(fnmatchcase(model.lower(), pattern) for pattern in row.match):
                facts |= row.facts
        return msgspec.structs.replace(self, models=(), **facts) if self.models else self
