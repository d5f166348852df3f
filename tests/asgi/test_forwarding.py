"""What becomes of paths and headers when a request is passed on: tables."""

from typing import Any

import pytest
from yarl import URL

from adapter.asgi.forwarding import answer_headers, request_headers, target_url, upload_length
from adapter.errors import InvalidRequestError

LOCAL = "http://h:8000/v1"
HOSTED = "https://h/api/openai"
BOTH = "https://h/openai/v1"


def scope(raw_path: str, query: str = "", root: str = "", path: str | None = None) -> Any:
    return {
        "raw_path": raw_path.encode(),
        "path": raw_path if path is None else path,
        "query_string": query.encode(),
        "root_path": root,
    }


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        pytest.param(LOCAL, "/v1/models", "http://h:8000/v1/models", id="API"),
        pytest.param(LOCAL, "/health", "http://h:8000/health", id="root"),
        pytest.param(LOCAL, "/v1", "http://h:8000/v1", id="API itself"),
        pytest.param(LOCAL, "/v1/", "http://h:8000/v1/", id="API with slash"),
        pytest.param(LOCAL, "/", "http://h:8000/", id="root itself"),
        pytest.param(LOCAL, "/v1beta/models", "http://h:8000/v1beta/models", id="begins like API"),
        pytest.param(LOCAL + "/", "/v1/models", "http://h:8000/v1/models", id="base with slash"),
        pytest.param(HOSTED, "/v1/models", "https://h/api/openai/models", id="hosted, API"),
        pytest.param(HOSTED, "/health", "https://h/api/openai/health", id="hosted, root"),
        pytest.param(HOSTED, "/v1", "https://h/api/openai", id="hosted, API itself"),
        pytest.param(BOTH, "/v1/models", "https://h/openai/v1/models", id="both, API"),
        pytest.param(BOTH, "/health", "https://h/openai/health", id="both, root"),
        pytest.param("http://h:8000", "/v1/models", "http://h:8000/models", id="bare origin, API"),
        pytest.param("http://h:8000", "/health", "http://h:8000/health", id="bare origin, root"),
        pytest.param("http://[::1]:80/v1", "/v1/x", "http://[::1]/v1/x", id="IPv6"),
        pytest.param(LOCAL, "//evil.example/x", "http://h:8000//evil.example/x", id="two slashes"),
    ],
)
def test_path_is_joined_to_the_base_url(base: str, path: str, expected: str) -> None:
    assert str(target_url(URL(base), scope(path))) == expected


@pytest.mark.parametrize(
    ("raw_path", "query"),
    [
        pytest.param("/v1/models/org%2Fname", "", id="encoded slash"),
        pytest.param("/v1/a%20b%2520%c3%A9", "x=%2f&y=+&z=a%20b", id="encodings as they are"),
        pytest.param("/v1/a;b=c,d:e@f!$&'()*+~[]{}|^`\"<>", "q=a/b?c", id="punctuation"),
        pytest.param("/v1/...", "", id="three dots"),
        pytest.param("/v1/.well-known/x.", "", id="dots in names"),
    ],
)
def test_path_and_query_keep_every_byte(raw_path: str, query: str) -> None:
    url = target_url(URL(LOCAL), scope(raw_path, query))

    assert url.raw_path_qs == (f"{raw_path}?{query}" if query else raw_path)


def test_bytes_that_no_target_may_have_are_encoded() -> None:
    given = scope("/v1/é #\x00", "q=é#x")

    assert target_url(URL(LOCAL), given).raw_path_qs == "/v1/%C3%A9%20%23%00?q=%C3%A9%23x"


def test_query_of_the_base_url_comes_first() -> None:
    base = URL("https://h/openai?api-version=1")

    assert target_url(base, scope("/v1/models", "a=b")).raw_path_qs == (
        "/openai/models?api-version=1&a=b"
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(scope("/api/v1/models", root="/api"), "/v1/models", id="mount"),
        pytest.param(scope("/v1/models", root="/api"), "/v1/models", id="mount stripped before"),
        pytest.param(scope("/apiary", root="/api"), "/apiary", id="begins like the mount"),
        pytest.param(
            scope("/a%20b/v1/x%2Fy", root="/a b", path="/a b/v1/x/y"), "/v1/x%2Fy", id="encoded"
        ),
        pytest.param(
            scope("/%61pi/v1/x", root="/api", path="/api/v1/x"), "/v1/x", id="encoded otherwise"
        ),
        pytest.param(scope("/api", root="/api"), "/", id="mount itself"),
        pytest.param({"path": "/v1/a b", "query_string": b""}, "/v1/a%20b", id="no raw path"),
    ],
)
def test_mount_point_is_not_passed_on(given: Any, expected: str) -> None:
    assert target_url(URL(LOCAL), given).raw_path == expected


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../admin",
        "/v1/%2e%2E/admin",
        "/v1/.%2e/admin",
        "/v1/..%2fadmin",
        "/v1/..%5cadmin",
        "/v1/..\\admin",
        "/..",
        "/v1/./models",
        "*",
        "http://evil.example/",
    ],
)
def test_path_that_could_leave_its_place_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequestError):
        target_url(URL(HOSTED), scope(path))


def test_end_to_end_request_headers_are_passed_and_others_not() -> None:
    given = [
        (b"host", b"adapter"),
        (b"authorization", b"Bearer key"),
        (b"accept-encoding", b"gzip"),
        (b"x-twice", b"1"),
        (b"x-twice", b"2"),
        (b"x-utf8", "é".encode()),
        (b"x-latin-1", b"\xe9"),
        (b"connection", b"keep-alive, X-Hop"),
        (b"connection", b"close"),
        (b"x-hop", b"1"),
        (b"keep-alive", b"timeout=5"),
        (b"proxy-authorization", b"Basic x"),
        (b"proxy-connection", b"keep-alive"),
        (b"te", b"trailers"),
        (b"trailer", b"x"),
        (b"transfer-encoding", b"chunked"),
        (b"upgrade", b"h2c"),
        (b"content-length", b"9"),
        (b"expect", b"100-continue"),
        (b"cookie", b"a=b"),
        (b"forwarded", b"for=1.2.3.4"),
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"x-forwarded-anything", b"x"),
        (b"x-real-ip", b"1.2.3.4"),
    ]

    assert request_headers(given, frozenset(), {}) == [
        ("authorization", "Bearer key"),
        ("accept-encoding", "gzip"),
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("x-utf8", "é"),
        ("x-latin-1", "é"),
    ]


def test_withheld_headers_are_passed_when_told_to_but_hop_by_hop_ones_never() -> None:
    given = [(b"cookie", b"a=b"), (b"x-forwarded-for", b"1.2.3.4"), (b"te", b"trailers")]
    forwarded = frozenset({b"cookie", b"x-forwarded-for", b"te"})

    assert request_headers(given, forwarded, {}) == [
        ("cookie", "a=b"),
        ("x-forwarded-for", "1.2.3.4"),
    ]


def test_own_headers_replace_those_of_the_client() -> None:
    given = [(b"authorization", b"Bearer client"), (b"x-one", b"1")]
    replaced = {"authorization": "Bearer upstream"}

    assert request_headers(given, frozenset(), replaced) == [
        ("x-one", "1"),
        ("authorization", "Bearer upstream"),
    ]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([(b"content-length", b"9")], "9", id="length"),
        pytest.param([], None, id="nothing"),
        pytest.param([(b"transfer-encoding", b"chunked")], None, id="chunks"),
        pytest.param(
            [(b"content-length", b"9"), (b"transfer-encoding", b"chunked")], None, id="both"
        ),
        pytest.param([(b"content-length", b"9"), (b"content-length", b"8")], None, id="two"),
        pytest.param([(b"content-length", b"+9")], None, id="sign"),
        pytest.param([(b"content-length", b"9, 9")], None, id="list"),
        pytest.param([(b"content-length", "\u0669".encode())], None, id="digit that is not ASCII"),
    ],
)
def test_length_of_an_upload_is_believed_only_if_it_is_the_one_framing(
    headers: list[tuple[bytes, bytes]], expected: str | None
) -> None:
    assert upload_length(headers) == expected


def test_end_to_end_answer_headers_are_passed_and_others_not() -> None:
    given = [
        (b"Content-Type", b"text/event-stream"),
        (b"Content-Encoding", b"gzip"),
        (b"X-Request-Id", b"1"),
        (b"Location", b"/elsewhere"),
        (b"Vary", b"a"),
        (b"Vary", b"b"),
        (b"X-Raw", b"\xe9"),
        (b"Connection", b"keep-alive, x-hop"),
        (b"X-Hop", b"1"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Proxy-Authenticate", b"Basic"),
        (b"Trailer", b"x"),
        (b"Date", b"now"),
        (b"Server", b"uvicorn"),
        (b"Set-Cookie", b"a=b"),
        (b"Alt-Svc", b'h3=":443"'),
        (b"Strict-Transport-Security", b"max-age=1"),
    ]

    assert answer_headers(given, frozenset(), has_length=True) == [
        (b"content-type", b"text/event-stream"),
        (b"content-encoding", b"gzip"),
        (b"x-request-id", b"1"),
        (b"location", b"/elsewhere"),
        (b"vary", b"a"),
        (b"vary", b"b"),
        (b"x-raw", b"\xe9"),
    ]


def test_withheld_answer_headers_are_passed_when_told_to() -> None:
    given = [(b"Set-Cookie", b"a=b"), (b"Server", b"llama.cpp")]

    assert answer_headers(given, frozenset({b"set-cookie"}), has_length=True) == [
        (b"set-cookie", b"a=b")
    ]


@pytest.mark.parametrize(
    ("headers", "has_length", "expected"),
    [
        pytest.param([(b"Content-Length", b"9")], True, [(b"content-length", b"9")], id="length"),
        pytest.param([(b"Content-Length", b"9")], False, [], id="status without body"),
        pytest.param(
            [(b"Content-Length", b"9"), (b"Transfer-Encoding", b"chunked")], True, [], id="both"
        ),
    ],
)
def test_length_of_an_answer_is_passed_where_it_holds(
    headers: list[tuple[bytes, bytes]], has_length: bool, expected: list[tuple[bytes, bytes]]
) -> None:
    assert answer_headers(headers, frozenset(), has_length=has_length) == expected
