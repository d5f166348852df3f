"""`Fetcher` connects to addresses that were checked, and to no others, by whatever name."""

import asyncio
import ssl
import threading

import pytest

from adapter.fetch.fetch import Fetcher
from adapter.fetch.guard import UrlPolicy
from adapter.fetch.lookups import Lookups
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
from tests.servers.answers import Answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio


async def test_name_is_looked_up_and_asked_for_by_name(server: ScriptedUpstream) -> None:
    server.reply(Answer(chunks=[b"ok"]), to="/a.png")
    names = Names(images=LOOPBACK)
    fetcher = Fetcher(policy_for(server), resolver=names)
    await fetcher.get(url_of(server, host="images.example"), param=AT)

    assert names.asked == ["images.example"]
    assert (await server.request(0)).headers["host"] == f"images.example:{port_of(server)}"


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param(["127.0.0.1"], id="loopback"),
        pytest.param(["127.0.0.1", "127.0.0.2"], id="two"),
        pytest.param(["127.0.0.1", "::1"], id="two families"),
        pytest.param(["::ffff:127.0.0.1"], id="mapped"),
        pytest.param(["0.0.0.0"], id="unspecified"),  # Linux connects it to itself
    ],
)
async def test_name_of_a_private_address_is_not_connected_to(
    server: ScriptedUpstream, addresses: list[str]
) -> None:
    policy = policy_for(server, allow_private=False)
    fetcher = Fetcher(policy, resolver=Names(images=[addresses]))
    error = await failure(fetcher, url_of(server, host="images.example"))

    assert is_plain_failure(error)
    assert server.connections_opened == 0


async def test_address_that_is_refused_is_passed_over_for_one_that_is_not(
    server: ScriptedUpstream,
) -> None:
    server.reply(Answer(chunks=[b"ok"]), to="/a.png")
    names = Names(images=[["169.254.169.254", "127.0.0.1"]])
    fetched = await Fetcher(policy_for(server), resolver=names).get(
        url_of(server, host="images.example"), param=AT
    )

    assert fetched.body == b"ok"


async def test_name_that_resolves_otherwise_the_second_time_gains_nothing(
    server: ScriptedUpstream,
) -> None:
    """DNS rebinding: every lookup is used once, and its address is checked as it is connected to."""
    server.always(redirect("/again"), to="/a.png")
    names = Names(images=[["127.0.0.1"], ["127.0.0.2"]])
    policy = policy_for(server, denied_networks=("127.0.0.2/32",))
    fetcher = Fetcher(policy, resolver=names)
    error = await failure(fetcher, url_of(server, host="images.example"))

    assert is_plain_failure(error)
    assert names.asked == ["images.example", "images.example"]
    assert len(server.requests) == 1


async def test_name_is_looked_up_anew_for_every_fetch(server: ScriptedUpstream) -> None:
    server.always(Answer(chunks=[b"ok"]), to="/a.png")
    names = Names(images=[["127.0.0.1"], ["169.254.169.254"]])
    fetcher = Fetcher(policy_for(server), resolver=names)
    url = url_of(server, host="images.example")

    assert (await fetcher.get(url, param=AT)).body == b"ok"
    assert is_plain_failure(await failure(fetcher, url))


async def test_system_is_asked_for_names(server: ScriptedUpstream) -> None:
    server.reply(Answer(chunks=[b"ok"]), to="/a.png")
    fetcher = Fetcher(policy_for(server))
    fetched = await fetcher.get(url_of(server, host="localhost"), param=AT)
    await fetcher.aclose()

    assert fetched.body == b"ok"


async def test_system_resolver_does_not_make_loopback_public(server: ScriptedUpstream) -> None:
    policy = policy_for(server, allow_private=False, allowed_hosts=("localhost",))
    error = await failure(Fetcher(policy), url_of(server, host="localhost"))

    assert is_plain_failure(error)
    assert server.connections_opened == 0


async def test_lookups_give_every_address_of_a_name() -> None:
    lookups = Lookups()
    found = await lookups.resolve("127.0.0.1", 443)
    await lookups.close()

    assert [(each["host"], each["port"]) for each in found] == [("127.0.0.1", 443)]


async def test_lookup_does_not_share_the_threads_of_the_loop() -> None:
    """Names that never resolve must not hold up those of the model server."""
    loop, gate, lookups = asyncio.get_running_loop(), threading.Event(), Lookups()
    # The executor of a loop has 32 threads at most.
    others = [loop.run_in_executor(None, gate.wait, 5) for _ in range(32)]
    async with asyncio.timeout(4):
        found = await lookups.resolve("127.0.0.1")
    gate.set()
    await asyncio.gather(*others)
    await lookups.close()

    assert [each["host"] for each in found] == ["127.0.0.1"]


async def test_closed_fetcher_looks_no_name_up() -> None:
    fetcher = Fetcher()
    await fetcher.aclose()

    assert is_plain_failure(await failure(fetcher, "https://images.example/"))


async def test_certificate_is_checked_against_the_name_not_the_address() -> None:
    async with tls_server() as (port, heads):
        policy = UrlPolicy(allow_private=True, allowed_ports=(port,))
        fetcher = Fetcher(policy, resolver=Names(images=LOOPBACK), tls=trust())
        fetched = await fetcher.get(f"https://images.example:{port}/", param=AT)

    assert fetched.body == b"ok"
    assert f"host: images.example:{port}".encode() in heads[0].lower()


@pytest.mark.parametrize(
    ("host", "tls"),
    [
        pytest.param("other.example", trust(), id="another name"),
        pytest.param("127.0.0.1", trust(), id="address"),
        pytest.param("images.example", None, id="not trusted"),
    ],
)
async def test_certificate_that_does_not_fit_is_a_failure(
    host: str, tls: ssl.SSLContext | None
) -> None:
    async with tls_server() as (port, heads):
        policy = UrlPolicy(allow_private=True, allowed_ports=(port,))
        names = Names(images=LOOPBACK, other=LOOPBACK)
        error = await failure(Fetcher(policy, resolver=names, tls=tls), f"https://{host}:{port}/")

    assert is_plain_failure(error)
    assert heads == []
