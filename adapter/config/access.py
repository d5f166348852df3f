"""Settings of who may ask, and how much of everything there may be: `adapter.asgi.access`."""

from typing import Annotated

from msgspec import Meta

from adapter.config.answers import AnswerSettings
from adapter.config.values import Count, OneOrMore, Period, about
from adapter.routing import Seconds


class AccessSettings(AnswerSettings, frozen=True, kw_only=True):
    """Those, and who may ask; see `Settings`. One is the base of the other as structs take but one."""

    api_keys: Annotated[
        tuple[str, ...],
        about(
            "keys that clients must show, each as NAME=HASH, as `responses-adapter new-key` prints "
            "it; none, here and in api_keys_file, lets everybody in"
        ),
    ] = ()
    api_keys_file: Annotated[
        str | None,
        about(
            "TOML file of such keys with what each may do, in tables [keys.NAME]; it is read again "
            "when it changes"
        ),
    ] = None
    app_auth_path: Annotated[
        str,
        about(
            "path behind the prefix that the wrapped app is asked for before something that it "
            "would not see, such as a stored response: its 401 or 403 is the answer; none asks "
            "nothing"
        ),
    ] = "/models"
    max_requests: Annotated[
        Count,
        about("requests at one time, for each process; more get a 429; 0 is no limit"),
    ] = 0
    max_requests_per_owner: Annotated[
        Count, about("the same of one key or owner; 0 is no limit")
    ] = 0
    max_streams: Annotated[
        Count,
        about("streamed responses at one time, for each process; 0 is no limit"),
    ] = 0
    max_streams_per_owner: Annotated[
        Count, about("the same of one key or owner; 0 is no limit")
    ] = 0
    max_websockets: Annotated[
        Count,
        about("WebSockets at one time, for each process; 0 is no limit"),
    ] = 1000
    max_websockets_per_owner: Annotated[
        Count, about("the same of one key or owner; 0 is no limit")
    ] = 0
    requests_per_minute: Annotated[
        Annotated[float, Meta(ge=0, le=1_000_000)],
        about("of one key or owner, counted by each process for itself; 0 is no limit"),
    ] = 0.0
    max_input_items: Annotated[
        OneOrMore, about("input items of a request and their parts, together")
    ] = 200_000
    max_header_bytes: Annotated[
        Annotated[int, Meta(ge=1024)], about("all headers of a request together")
    ] = 64 * 1024
    max_headers: Annotated[Annotated[int, Meta(ge=10)], about("headers of a request")] = 200
    slow_reader_timeout: Annotated[
        Seconds,
        about("for a client to read what was sent to it; then it is dropped; 0 is for ever"),
    ] = 60.0
    max_stream_bytes: Annotated[
        Count,
        about("all bytes of one answer of an upstream; 0 is no limit"),
    ] = 256 * 1024 * 1024
    upstream_retries: Annotated[
        Annotated[int, Meta(ge=0, le=10)],
        about(
            "further tries of a request that the upstream has not begun to work on: it could not "
            "be connected to, or said when to come back"
        ),
    ] = 2
    upstream_retry_wait: Annotated[
        Seconds,
        about(
            "longest wait before such a try; an upstream that wants a longer one is left to the "
            "client"
        ),
    ] = 0.1
    breaker_failures: Annotated[
        Count,
        about(
            "calls of an upstream in a row that found it down (no connection, no answer in time, "
            "or 502, 503, 504), after which it is left alone for a while; 0 is never"
        ),
    ] = 10
    breaker_seconds: Annotated[
        Period,
        about("how long it is left alone; then one request tries whether it is there again"),
    ] = 5.0
    cors_origins: Annotated[
        tuple[str, ...],
        about("origins of web pages that may ask, such as https://app.example; * is all of them"),
    ] = ()
    shutdown_delay: Annotated[
        Seconds,
        about("between SIGTERM, when /health/ready turns red, and the end of listening"),
    ] = 0.0
    shutdown_timeout: Annotated[
        Seconds, about("for open streams to end by themselves after that; then they are failed")
    ] = 30.0
