"""Settings of how answers come about: who is asked and how, what is kept, and how it is streamed."""

from typing import Annotated, Literal

import msgspec

from adapter.config.values import Count, OneOrMore, Period, about
from adapter.routing import Seconds
from adapter.stream.items import Summaries
from adapter.tools.toolbox import HostedTools
from adapter.translate.extras import UnknownFields
from adapter.translate.request import CustomGrammars, Downgrades

AUTO_DIALECT = "auto"
DEFAULT_FORWARDED = ("openai-organization", "openai-project", "traceparent", "tracestate")
NO_STORE = "none"


class AnswerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes, what is kept of it, and how it is answered; see `Settings`."""

    upstream: Annotated[
        str | None,
        about("base URL of the chat-completions server, such as http://127.0.0.1:8000/v1"),
    ] = None
    upstream_api_key: Annotated[
        str | None, about("key to send upstream instead of the client's authorization")
    ] = None
    dialect: Annotated[
        str, about("the upstream's habits, by name; auto finds out which of the known ones it has")
    ] = AUTO_DIALECT
    forward_headers: Annotated[
        tuple[str, ...], about("request headers that are passed on to chat completions")
    ] = DEFAULT_FORWARDED
    unknown_fields: Annotated[
        UnknownFields,
        about("what becomes of request fields that nobody knows: ignore (reported) or reject"),
    ] = "ignore"
    hosted_tools: Annotated[
        HostedTools,
        about("what becomes of tools that only a hosting server could run: drop or error"),
    ] = "drop"
    custom_grammars: Annotated[
        CustomGrammars,
        about(
            "what becomes of the grammars of custom tools: describe them to the model, enforce "
            "them too where the upstream can, or repair as well: check every input, and have one "
            "that does not fit written once more"
        ),
    ] = "enforce"
    downgrades: Annotated[
        Downgrades,
        about(
            "what an upstream does not take as it is: allow sends it in another form (reported), "
            "refuse answers with a 400"
        ),
    ] = "allow"
    reasoning_summaries: Annotated[
        Summaries,
        about(
            "how reasoning is shown when a summary is asked for: with_text, instead of the text, "
            "or never as a summary"
        ),
    ] = "with_text"
    sealing_keys: Annotated[
        tuple[str, ...],
        about(
            "secrets of 16 characters or more that seal encrypted_content, the newest first; "
            "without one, each process makes its own"
        ),
    ] = ()
    max_summary_tokens: Annotated[
        OneOrMore,
        about("the longest summary to ask for when a conversation is compacted, in tokens"),
    ] = 8192
    store: Annotated[
        str | None,
        about(
            "URL of what keeps responses and conversations: memory:, sqlite:///file, "
            "postgresql://… or redis://…; none keeps nothing"
        ),
    ] = None
    store_ttl: Annotated[
        Seconds, about("how long responses and conversations are kept; 0 is for ever")
    ] = 30 * 24 * 3600.0
    store_error: Annotated[
        Literal["fail", "answer"],
        about("what becomes of a response that cannot be stored: fail, or answer with store false"),
    ] = "fail"
    owner_header: Annotated[
        str | None,
        about(
            "request header that names whom stored things belong to, if a gateway sets one; "
            "by default it is the client's authorization"
        ),
    ] = None
    max_history_bytes: Annotated[
        OneOrMore, about("the largest stored conversation to go on from")
    ] = 64 * 1024 * 1024
    count_by_call: Annotated[
        bool,
        about(
            "count input tokens by a call for one token of output where the upstream has no "
            "endpoint for it, which costs what the prompt costs; false answers with a 501"
        ),
    ] = True
    background_timeout: Annotated[
        Seconds, about("for a whole response in the background; 0 is for ever")
    ] = 3600.0
    background_lease: Annotated[
        Period,
        about(
            "silence of a process after which its background responses count as lost; another "
            "one takes them over, or ends them as failed"
        ),
    ] = 15.0
    background_drain: Annotated[
        Seconds,
        about("for background responses to end when the server stops; then they are handed over"),
    ] = 10.0
    max_background_runs: Annotated[
        Count,
        about("background responses at one time, for each process; 0 is no limit"),
    ] = 256
    max_background_runs_per_owner: Annotated[
        Count,
        about("the same of one owner; 0 is no limit"),
    ] = 64
    max_background_log_bytes: Annotated[
        OneOrMore, about("the events of one background response")
    ] = 64 * 1024 * 1024
    reasoning_events: Annotated[
        Literal["reasoning_text", "reasoning"],
        about(
            "names of raw reasoning events: reasoning_text (OpenAI) or reasoning (Open Responses)"
        ),
    ] = "reasoning_text"
    websocket: Annotated[
        bool, about("serve the WebSocket mode; false answers a handshake with 426")
    ] = True
    start_grace: Annotated[
        Seconds,
        about("longest wait for the upstream before headers and response.created leave; 0 is none"),
    ] = 0.25
    keepalive: Annotated[
        Literal["event", "comment", "off"],
        about("what is sent while the upstream is silent; Codex counts only events as life"),
    ] = "event"
    keepalive_interval: Annotated[
        Period,
        about("silence after which a keep-alive is sent"),
    ] = 15.0
    connect_timeout: Annotated[
        Seconds, about("for a connection to the upstream; 0 is for ever")
    ] = 10.0
    first_byte_timeout: Annotated[
        Seconds, about("for the first byte of an answer; 0 is for ever")
    ] = 600.0
    idle_timeout: Annotated[Seconds, about("between two reads of an answer; 0 is for ever")] = 600.0
    total_timeout: Annotated[Seconds, about("for a whole answer; 0 is for ever")] = 0.0
    max_connections: Annotated[Count, about("open to the upstream at one time; 0 is no limit")] = 0
    max_body_bytes: Annotated[OneOrMore, about("the largest request body")] = 32 * 1024 * 1024
    max_event_bytes: Annotated[
        OneOrMore, about("the longest event, or whole answer, of an upstream")
    ] = 16 * 1024 * 1024
