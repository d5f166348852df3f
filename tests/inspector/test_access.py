"""Who may see the page and what it shows: this machine, or who has a key; never another site."""

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from adapter.asgi.access.hashes import to_sha256
from adapter.config import Settings, SettingsError
from adapter.inspector.app import make_inspected
from adapter.inspector.door import is_local_name, is_loopback
from adapter.inspector.feed import MAX_FEEDS
from adapter.inspector.pages import FILES
from tests.asgi.conftest import Stand
from tests.asgi.sockets import open_socket
from tests.inspector.conftest import Inspect
from tests.inspector.viewer import API, UI, Viewer
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

ALICE, ALSO_ALICE, BOB = "sk-ra-alice-0123456789", "sk-ra-also-0123456789", "sk-ra-bob-0123456789"
PATHS = ("/", "/index.html", "/main.js", "/base.css", "/api/about", "/api/requests/1")


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
def keyed(inspect: Inspect, upstream: ScriptedUpstream, tmp_path: Path) -> None:
    """Put up an app that wants keys: two of one owner, and one of another."""
    upstream.always(text_answer("Hello"))
    file = tmp_path / "keys.toml"
    keys = {"alice": (ALICE, "a"), "also": (ALSO_ALICE, "a"), "bob": (BOB, "b")}
    file.write_text(
        "\n".join(
            f'[keys.{name}]\nhash = "{to_sha256(key.encode())}"\nowner = "{owner}"\n'
            for name, (key, owner) in keys.items()
        )
    )
    inspect(api_keys_file=str(file))


@pytest.mark.parametrize("path", PATHS)
async def test_everything_forbids_what_is_not_ours(
    viewer: Viewer, client: httpx2.AsyncClient, path: str
) -> None:
    answer = await client.get(UI + path)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_pages_of_allowed_origins_may_not_read_it_either(
    inspect: Inspect, client: httpx2.AsyncClient
) -> None:
    """They may ask for responses (`cors_origins`); this is not for them."""
    inspect(cors_origins=["*"])

    answer = await client.get(f"{API}/about", headers={"origin": "https://app.example"})
    preflight = await client.options(
        f"{API}/requests",
        headers={"origin": "https://app.example", "access-control-request-method": "DELETE"},
    )

    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert not [name for name in preflight.headers if name.startswith("access-control")]


def test_pages_need_nothing_that_the_policy_forbids() -> None:
    """No inline script or style, no address of another server, no text that becomes HTML."""
    forbidden = re.compile(
        r"https?://(?!www\.w3\.org/|mcp\.example/)|<script(?! type=\"module\" src=)|<style"
        r"|\sstyle=|\son\w+=\"|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\("
    )

    found = {
        path.name: match[0]
        for path in FILES.iterdir()
        if (match := forbidden.search(path.read_text(encoding="utf-8")))
    }

    assert found == {}


async def test_the_page_and_all_its_files_are_served(
    viewer: Viewer, client: httpx2.AsyncClient
) -> None:
    start = await client.get(UI, follow_redirects=False)
    page = await client.get(f"{UI}/")
    names = re.findall(r'(?:src|href)="([\w.]+)"', page.text)

    assert (start.status_code, start.headers["location"]) == (308, f"{UI}/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert {"main.js", "base.css", "views.css", "icon.svg"} <= set(names)
    for file in FILES.iterdir():
        answer = await client.get(f"{UI}/{file.name}")
        assert answer.content == file.read_bytes()


@pytest.mark.parametrize(
    "path", ["/nothing.js", "/%2e%2e/app.py", "/static/main.js", "/api", "/api/x"]
)
async def test_there_is_nothing_else(viewer: Viewer, client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(UI + path)

    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/", "/api/feed", "/api/requests/1"])
async def test_other_methods_are_refused(
    viewer: Viewer, client: httpx2.AsyncClient, path: str
) -> None:
    assert (await client.post(UI + path)).status_code == 405


async def test_there_is_no_websocket(viewer: Viewer, stand: Stand) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(stand.url, path=f"{API}/feed"):
            pass

    assert refused.value.response.status_code == 404


async def test_paths_that_only_look_alike_are_the_upstreams(
    viewer: Viewer, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    await client.get("/adapter/uix")

    assert upstream.requests[0].path == "/adapter/uix"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9000", "127.0.0.1.evil.example", ""]
)
async def test_other_names_of_this_machine_are_refused(
    viewer: Viewer, client: httpx2.AsyncClient, path: str, host: str
) -> None:
    """DNS rebinding: a page of the web asks loopback under a name of its own."""
    answer = await client.get(UI + path, headers={"host": host})

    assert answer.status_code in {400, 403}  # the server itself wants a host


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9000", "[::1]:9000", "127.0.0.1:80"])
async def test_names_of_this_machine_are_served(
    viewer: Viewer, client: httpx2.AsyncClient, host: str
) -> None:
    assert (await client.get(f"{API}/about", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_requests_that_other_sites_cause_are_refused(viewer: Viewer, site: str) -> None:
    answer = await viewer.get("requests/1", **{"sec-fetch-site": site})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("::ffff:192.168.0.1", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_loopback_is_known(host: str, is_it: bool) -> None:
    assert is_loopback(host) is is_it


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("localhost.", True),
        ("adapter.localhost:9000", True),
        ("[::1]", True),
        ("[::2]", False),
        ("localhost.evil.example", False),
        ("evillocalhost", False),
        ("0.0.0.0:9000", False),
    ],
)
def test_local_names_are_known(host: str, is_it: bool) -> None:
    assert is_local_name(host) is is_it


def test_other_addresses_need_keys() -> None:
    settings = Settings(upstream="http://127.0.0.1:1/v1", store="none")

    with pytest.raises(SettingsError, match=r"0\.0\.0\.0 is not loopback.*api_keys"):
        make_inspected(settings, "0.0.0.0")


async def test_clients_from_elsewhere_are_refused(inspect: Inspect) -> None:
    """Whatever the server was told to listen on."""
    app = inspect()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{UI}/",
        "headers": [(b"host", b"localhost")],
        "client": ("192.168.0.7", 50000),
        "query_string": b"",
    }
    await app(scope, receive, send)

    assert sent[0]["status"] == 403


@pytest.mark.usefixtures("keyed")
class TestWithKeys:
    @pytest.mark.parametrize("headers", [{}, bearer("sk-ra-wrong-0123456789")])
    @pytest.mark.parametrize("path", ["feed", "requests/1", "requests/1/transcript"])
    async def test_what_was_recorded_needs_a_key(
        self, client: httpx2.AsyncClient, path: str, headers: dict[str, str]
    ) -> None:
        await Viewer(client, bearer(ALICE)).ask()

        assert (await Viewer(client, headers).get(path)).status_code == 401

    async def test_the_page_itself_needs_none_and_says_so(self, client: httpx2.AsyncClient) -> None:
        assert (await client.get(f"{UI}/")).status_code == 200
        assert (await client.get(f"{API}/about")).json()["needs_key"] is True

    async def test_any_name_may_be_asked(self, client: httpx2.AsyncClient) -> None:
        """A page of another site has no key to show."""
        answer = await client.get(f"{UI}/", headers={"host": "adapter.example"})

        assert answer.status_code == 200

    async def test_a_key_sees_what_keys_of_its_owner_asked(
        self, client: httpx2.AsyncClient
    ) -> None:
        await Viewer(client, bearer(ALICE)).ask()

        seen = [
            (await Viewer(client, bearer(key)).get("requests/1")).status_code
            for key in (ALICE, ALSO_ALICE, BOB)
        ]

        assert seen == [200, 200, 404]

    async def test_a_key_forgets_only_its_owners_requests(self, client: httpx2.AsyncClient) -> None:
        await Viewer(client, bearer(ALICE)).ask()
        await Viewer(client, bearer(BOB)).ask()

        await client.delete(f"{API}/requests", headers=bearer(ALICE))

        assert (await Viewer(client, bearer(ALICE)).get("requests/1")).status_code == 404
        assert (await Viewer(client, bearer(BOB)).get("requests/2")).status_code == 200

    async def test_requests_that_were_not_let_in_are_nobodys(
        self, client: httpx2.AsyncClient
    ) -> None:
        answer = await Viewer(client, bearer("sk-ra-wrong-0123456789")).ask()

        assert answer.status_code == 401
        assert (await Viewer(client, bearer(ALICE)).get("requests/1")).status_code == 404

    async def test_a_feed_tells_nothing_of_others(self, client: httpx2.AsyncClient) -> None:
        await Viewer(client, bearer(BOB)).ask()

        async with client.stream("GET", f"{API}/feed", headers=bearer(ALICE)) as feed:
            parts = feed.aiter_text()
            first = await anext(parts)
            await Viewer(client, bearer(BOB)).ask()
            await Viewer(client, bearer(ALICE)).ask(input="mine")
            text = ""
            while '"state":"completed"' not in text:
                text += await anext(parts)

        assert first == "event: all\ndata: []\n\n"
        assert '"preview":"mine"' in text
        assert '"preview":"Hi"' not in text


async def test_feeds_are_bounded_and_nothing_is_kept_for_closed_pages(
    viewer: Viewer, client: httpx2.AsyncClient
) -> None:
    async with AsyncExitStack() as open_feeds:
        for _ in range(MAX_FEEDS):
            await open_feeds.enter_async_context(client.stream("GET", f"{API}/feed"))
        refused = await viewer.get("feed")

    async with asyncio.timeout(5):
        while True:
            async with client.stream("GET", f"{API}/feed") as feed:
                if feed.status_code == 200:
                    break

    assert refused.status_code == 429
