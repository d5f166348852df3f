"""`Fetcher` on real sockets: what it asks, what it takes, and where redirects may lead."""

import asyncio
from pathlib import Path

import pytest

from adapter._version import __version__
from adapter.fetch.base import Fetched
from adapter.fetch.fetch import Fetcher
from tests.fetch.names import Names
from tests.fetch.scenes import (
    AT,
    LOOPBACK,
    failure,
    is_plain_failure,
    policy_for,
    port_of,
    redirect,
    tls_server,
    trust,
    url_of,
)
from tests.servers.answers import Answer, Hang
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


async def test_gets_body_and_says_who_asks_and_nothing_more(server: ScriptedUpstream) -> None:
    server.reply(
        Answer(headers={"content-type": "image/png"}, chunks=[b"one", b"two"]), to="/a%2Fb.png"
    )
    fetched = await Fetcher(policy_for(server)).get(
        url_of(server, "/a%2Fb.png?sig=%41#top"), param=AT
    )
    request = await server.request(0)

    assert fetched == Fetched("image/png", b"onetwo")
    assert (request.method, request.target) == ("GET", "/a%2Fb.png?sig=%41")
    assert request.headers == {
        "host": f"127.0.0.1:{port_of(server)}",
        "user-agent": f"responses-adapter/{__version__}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }


async def test_nothing_is_left_open(server: ScriptedUpstream) -> None:
    headers = {"content-length": "2"}
    server.reply(Answer(headers=headers, chunks=[b"ok", Hang()], framing="close"), to="/a.png")
    tasks = asyncio.all_tasks()
    await Fetcher(policy_for(server)).get(url_of(server), param=AT)
    await server.requests[0].disconnected.wait()

    assert asyncio.all_tasks() <= tasks


async def test_proxy_and_netrc_of_the_environment_are_not_used(
    server: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A proxy would look the name up by itself; netrc holds passwords."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.reply(Answer(chunks=[b"ok"]), to="/a.png")
    await Fetcher(policy_for(server)).get(url_of(server), param=AT)

    assert "authorization" not in (await server.request(0)).headers


async def test_url_that_the_policy_refuses_is_not_asked_for(server: ScriptedUpstream) -> None:
    error = await failure(Fetcher(), url_of(server))

    assert error.body()["error"] == {
        "message": f"Invalid '{AT}': the URL must begin with https://.",
        "type": "invalid_request_error",
        "param": AT,
        "code": "invalid_image_url",
    }
    assert server.connections_opened == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_followed_without_referer_or_cookie(
    server: ScriptedUpstream, status: int
) -> None:
    moved = {"location": "../b.png?x=1#y", "set-cookie": "a=b; path=/"}
    server.reply(Answer(status, moved), to="/v/a.png")
    server.reply(Answer(chunks=[b"ok"]), to="/b.png")
    fetcher = Fetcher(policy_for(server), resolver=Names(images=LOOPBACK))
    fetched = await fetcher.get(url_of(server, "/v/a.png", "images.example"), param=AT)

    assert fetched.body == b"ok"
    assert server.requests[1].target == "/b.png?x=1"
    assert server.requests[1].headers == server.requests[0].headers


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("http://127.0.0.2:{port}/", id="loopback"),
        pytest.param("//127.0.0.2:{port}/", id="loopback, same scheme"),
        pytest.param("http://localhost.example:{port}/", id="name of loopback"),
        pytest.param("http://denied.example:{port}/", id="denied host"),
        pytest.param("http://127.0.0.1:1/", id="another port"),
        pytest.param("http://169.254.169.254:{port}/latest/meta-data/", id="metadata"),
        pytest.param("http://[::ffff:127.0.0.1]:{port}/", id="mapped"),
        pytest.param("http://2130706434:{port}/", id="decimal"),
        pytest.param("http://me@127.0.0.1:{port}/", id="user"),
        pytest.param("http://127.0.0.1:{port}\\@images.example/", id="backslash"),
        pytest.param("http://127.0.0.1\t:{port}/", id="tab"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("data:image/png;base64,AA==", id="data"),
        pytest.param("http://[/", id="malformed"),
        pytest.param("http://127.0.0.1:{port}/ü", id="not ASCII"),
        pytest.param("http://images.example:{port}./", id="strange port"),
    ],
)
async def test_redirect_is_checked_as_the_first_url(
    server: ScriptedUpstream, location: str
) -> None:
    server.reply(redirect(location.format(port=port_of(server))), to="/a.png")
    policy = policy_for(server, denied_networks=("127.0.0.2",), denied_hosts=("denied.*",))
    names = Names(localhost=[["127.0.0.2"]], denied=LOOPBACK)
    error = await failure(Fetcher(policy, resolver=names), url_of(server))

    assert is_plain_failure(error)
    assert (len(server.requests), server.connections_opened) == (1, 1)


async def test_redirect_from_https_to_http_is_refused(server: ScriptedUpstream) -> None:
    http = url_of(server, host="images.example")
    async with tls_server(f"HTTP/1.1 302 Found\r\nlocation: {http}\r\n\r\n") as (port, heads):
        policy = policy_for(server, allow_http=False, allowed_ports=(port, port_of(server)))
        fetcher = Fetcher(policy, resolver=Names(images=LOOPBACK), tls=trust())
        error = await failure(fetcher, f"https://images.example:{port}/")

    assert is_plain_failure(error)
    assert (len(heads), server.connections_opened) == (1, 0)


async def test_redirect_without_location_is_a_failure(server: ScriptedUpstream) -> None:
    server.reply(Answer(302), to="/a.png")

    assert is_plain_failure(await failure(Fetcher(policy_for(server)), url_of(server)))


async def test_redirects_are_followed_as_many_as_allowed(server: ScriptedUpstream) -> None:
    for number in range(3):
        server.reply(redirect(f"/{number + 1}"), to=f"/{number}")
    server.reply(Answer(chunks=[b"ok"]), to="/3")
    fetched = await Fetcher(policy_for(server, max_redirects=3)).get(url_of(server, "/0"), param=AT)

    assert fetched.body == b"ok"


@pytest.mark.parametrize("limit", [0, 1, 5])
async def test_redirects_without_end_are_left(server: ScriptedUpstream, limit: int) -> None:
    server.always(redirect("/a.png"), to="/a.png")
    fetcher = Fetcher(policy_for(server, max_redirects=limit))
    error = await failure(fetcher, url_of(server))

    assert is_plain_failure(error)
    assert len(server.requests) == limit + 1
