"""`Fetcher` within its limits of size and time, and what it tells of a failure: nothing."""

import asyncio
import gzip
import logging
import traceback
from typing import Any

import pytest

from adapter.fetch.base import ByteBudget
from adapter.fetch.fetch import Fetcher
from adapter.fetch.guard import UrlPolicy
from tests.fetch.names import Names
from tests.fetch.scenes import AT, failure, is_plain_failure, policy_for, redirect, url_of
from tests.servers.answers import Answer, Eof, Hang, Reset, raw
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_body_as_large_as_the_limit_is_taken(server: ScriptedUpstream, framing: str) -> None:
    server.reply(Answer(chunks=[b"x" * 1000], framing=framing), to="/a.png")  # type: ignore[arg-type]
    fetched = await Fetcher(policy_for(server), max_bytes=1000).get(url_of(server), param=AT)

    assert len(fetched.body) == 1000


@pytest.mark.parametrize("framing", ["chunked", "close"])
async def test_body_over_the_limit_is_left_as_soon_as_it_is(
    server: ScriptedUpstream, framing: str
) -> None:
    body = [b"x" * 1000, b"x", Hang()]
    server.reply(Answer(chunks=body, framing=framing), to="/a.png")  # type: ignore[arg-type]
    error = await failure(Fetcher(policy_for(server), max_bytes=1000), url_of(server))
    await server.requests[0].disconnected.wait()

    assert error.body()["error"] == {
        "message": f"Failed to download '{AT}': it is larger than 1000 bytes.",
        "type": "invalid_request_error",
        "param": AT,
        "code": "image_file_too_large",
    }


async def test_body_that_is_said_to_be_over_the_limit_is_not_read(server: ScriptedUpstream) -> None:
    headers = {"content-length": "1001"}
    server.reply(Answer(headers=headers, chunks=[Hang()], framing="close"), to="/a.png")
    error = await failure(Fetcher(policy_for(server), max_bytes=1000), url_of(server))

    assert error.code == "image_file_too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "GZIP, gzip"])
async def test_compressed_body_is_refused_before_it_is_read(
    server: ScriptedUpstream, encoding: str
) -> None:
    """A decompression bomb: 20 KB that would be 20 MB."""
    bomb = gzip.compress(bytes(20_000_000))
    headers = {"content-encoding": encoding}
    server.reply(Answer(headers=headers, chunks=[bomb[:1000], Hang()]), to="/a.png")

    assert is_plain_failure(await failure(Fetcher(policy_for(server)), url_of(server)))


async def test_budget_is_shared_by_fetches(server: ScriptedUpstream) -> None:
    server.always(Answer(chunks=[b"x" * 600]), to="/a.png")
    fetcher, budget = Fetcher(policy_for(server)), ByteBudget(1000)
    await fetcher.get(url_of(server), param=AT, budget=budget)
    error = await failure(fetcher, url_of(server), budget=budget)

    assert (error.code, error.param) == ("image_file_too_large", AT)
    assert error.message.endswith("it is larger than what one request may fetch.")


async def test_body_that_is_said_to_be_over_the_budget_is_not_read(
    server: ScriptedUpstream,
) -> None:
    headers = {"content-length": "1001"}
    server.reply(Answer(headers=headers, chunks=[Hang()], framing="close"), to="/a.png")
    error = await failure(Fetcher(policy_for(server)), url_of(server), budget=ByteBudget(1000))

    assert error.code == "image_file_too_large"


async def test_silent_server_is_left_in_time(server: ScriptedUpstream) -> None:
    server.reply(Answer(chunks=[b"x", Hang()]), to="/a.png")
    fetcher = Fetcher(policy_for(server), timeout_seconds=0.05)
    error = await failure(fetcher, url_of(server))
    await server.requests[0].disconnected.wait()

    assert error.code == "failed_to_download_image"
    assert "within 0.05 s" in error.message


async def test_body_that_drips_for_ever_is_left_in_time() -> None:
    """Each byte comes in time, and all of them would never be too many."""
    left = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not reader.at_eof() and not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0)
        writer.close()
        left.set()

    dripping = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with dripping, asyncio.timeout(5):
        port = dripping.sockets[0].getsockname()[1]
        policy = UrlPolicy(allow_http=True, allow_private=True, allowed_ports=(port,))
        fetcher = Fetcher(policy, timeout_seconds=0.05, max_bytes=10**12)
        error = await failure(fetcher, f"http://127.0.0.1:{port}/")
        await left.wait()

    assert error.code == "failed_to_download_image"


async def test_time_is_for_all_redirects_together(server: ScriptedUpstream) -> None:
    server.always(redirect("/a.png"), to="/a.png")
    fetcher = Fetcher(policy_for(server, max_redirects=10**9), timeout_seconds=0.05)
    error = await failure(fetcher, url_of(server))

    assert error.code == "failed_to_download_image"
    assert len(server.requests) > 1


class NoNames(Names):
    """A name server that never answers."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> Any:
        await asyncio.Event().wait()


async def test_name_that_is_never_found_is_given_up() -> None:
    error = await failure(Fetcher(timeout_seconds=0.05, resolver=NoNames()), "https://a.example/")

    assert error.code == "failed_to_download_image"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(404, chunks=[b"secret"]), id="404"),
        pytest.param(Answer(401, {"www-authenticate": "Basic realm=secret"}), id="401"),
        pytest.param(Answer(500, chunks=[b"secret"]), id="500"),
        pytest.param(Answer(204), id="204"),
        pytest.param(Answer(206, chunks=[b"secret"]), id="206"),
        pytest.param(Answer(304), id="304"),
        pytest.param(redirect("http://secret.example/"), id="redirect to nowhere"),
        pytest.param(raw(b"SSH-2.0-OpenSSH_9.2 secret\r\n\r\n"), id="SSH"),
        pytest.param(raw(b"-ERR secret\r\n"), id="Redis"),
        pytest.param(Answer(before=[Eof()]), id="FIN"),
        pytest.param(Answer(before=[Reset()]), id="RST"),
        pytest.param(
            Answer(headers={"content-length": "9"}, chunks=[b"secret", Eof()], framing="close"),
            id="cut off",
        ),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 500 + b"\r\n"), id="many headers"),
    ],
)
async def test_what_answered_is_not_told(server: ScriptedUpstream, answer: Answer) -> None:
    server.reply(answer, to="/a.png")
    error = await failure(Fetcher(policy_for(server)), url_of(server, "/a.png?key=secret"))

    assert is_plain_failure(error)
    assert "secret" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://127.0.0.1/", id="refused address"),
        pytest.param("https://[::1]/", id="refused IPv6 address"),
        pytest.param("https://169.254.169.254/", id="metadata"),
        pytest.param("https://inside.example/", id="name of a refused address"),
        pytest.param("https://nobody.example/", id="unknown name"),
        pytest.param(f"https://{'a' * 63}.{'b' * 63}.example/", id="long name"),
    ],
)
async def test_refused_address_is_told_like_any_failure(url: str) -> None:
    names = Names(inside=[["10.0.0.1"]])

    assert is_plain_failure(await failure(Fetcher(resolver=names), url))


async def test_closed_port_is_told_like_any_failure() -> None:
    policy = UrlPolicy(allow_http=True, allow_private=True, allowed_ports=(1,))

    assert is_plain_failure(await failure(Fetcher(policy), "http://127.0.0.1:1/"))


async def test_log_has_the_kind_of_failure_and_not_the_url(
    server: ScriptedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="adapter")
    server.reply(Answer(404), to="/a.png")
    await failure(Fetcher(policy_for(server)), url_of(server, "/a.png?key=secret"))
    await failure(Fetcher(resolver=Names(a=[["10.0.0.1"]])), "https://a.example/?key=secret")
    await failure(Fetcher(resolver=Names()), "https://b.example/?key=secret")

    assert [record.getMessage() for record in caplog.records] == [
        "a fetch for a client failed: status 404",
        "a fetch for a client failed: RefusedAddressError",
        "a fetch for a client failed: gaierror",
    ]


async def test_cancelled_fetch_closes_its_connection(server: ScriptedUpstream) -> None:
    server.reply(Answer(chunks=[b"x", Hang()]), to="/a.png")
    fetching = asyncio.create_task(Fetcher(policy_for(server)).get(url_of(server), param=AT))
    request = await server.request(0)
    fetching.cancel()

    with pytest.raises(asyncio.CancelledError):
        await fetching
    await request.disconnected.wait()
