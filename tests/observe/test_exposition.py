"""Where metrics are shown, to whom, and what several processes make of them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from adapter import ResponsesMiddleware
from adapter.asgi.access.hashes import new_key, to_sha256
from adapter.asgi.http import send_json
from adapter.config import Settings, SettingsError
from adapter.observe.exposition import SHARED_FOLDER, Exposition
from adapter.observe.make import make_observer
from tests.asgi.conftest import Stand, Start
from tests.asgi.streams import REQUEST
from tests.cli.process import running
from tests.observe.scrape import PATH, Scrape, scrape
from tests.servers.answers import json_answer, text_answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

pytestmark = pytest.mark.anyio

StartSidecar = Callable[..., None]


async def test_the_metrics_of_the_upstream_are_still_its_own(
    start_sidecar: StartSidecar, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start_sidecar(metrics=True)
    upstream.always(json_answer(200, {"vllm": 1}), to="/metrics")

    theirs = await client.get("/metrics")
    told = await scrape(client)

    assert theirs.json() == {"vllm": 1}
    assert told.value("requests_total", endpoint="(other)", status="200") == 1


async def test_what_is_passed_on_is_told_with_its_status(
    start_sidecar: StartSidecar, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start_sidecar(metrics=True)
    upstream.always(json_answer(418, {}), to="/v1/secret")

    await client.get("/v1/secret")

    told = await scrape(client)
    assert told.value("requests_total", endpoint="(other)", method="GET", status="418") == 1
    assert "secret" not in told.text


async def test_a_request_that_is_passed_on_to_a_responses_api_is_told(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    route = {"upstream": upstream.url, "api": "responses", "models": ["gpt"]}
    start(metrics=True, routes={"own": route})
    upstream.always(json_answer(200, {}), to="/v1/responses")

    await client.post("/v1/responses", json=REQUEST | {"model": "gpt"})

    told = await scrape(client)
    assert told.value("requests_total", endpoint="/responses", route="own", status="200") == 1


async def test_without_the_setting_there_are_none(start: Start, client: httpx2.AsyncClient) -> None:
    start()

    assert (await client.get(PATH)).status_code == 404


async def test_they_need_a_key_where_there_are_keys(
    start: Start, client: httpx2.AsyncClient
) -> None:
    key = new_key()
    start(metrics=True, api_keys=(f"prometheus={to_sha256(key.encode())}",))

    assert (await client.get(PATH)).status_code == 401
    await scrape(client, authorization=f"Bearer {key}")


async def test_the_middleware_shows_them_too(
    stand: Stand, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send_json(send, 200, {"object": "list", "data": []})  # whoever asks may

    settings = Settings.load(environ={}, metrics=True, store="none")
    stand.app = ResponsesMiddleware(app, upstream.url, settings=settings)
    upstream.always(text_answer("Hello"))

    await client.post("/v1/responses", json=REQUEST)

    told = await scrape(client)
    assert told.value("responses_total", outcome="completed") == 1


async def test_open_metrics_are_spoken(start: Start, client: httpx2.AsyncClient) -> None:
    start(metrics=True)

    answer = await client.get(PATH, headers={"accept": "application/openmetrics-text"})

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_workers_count_together() -> None:
    with scripted_upstream() as upstream:
        upstream.always(text_answer("Hello there"))
        arguments = ["--upstream", upstream.url, "--workers", "2", "--metrics", "true"]
        with running("serve", *arguments, "--port", "0") as process:
            url = process.wait_for_url()
            process.wait_for(r"(?s)(Application startup complete.*){2}")
            for _ in range(12):  # each over a connection of its own, to any of the two
                httpx2.post(f"{url}/v1/responses", json=REQUEST, timeout=5)
            told = _scrape_until(url, 12)
            code = process.stop()

    assert told.value("responses_total", outcome="completed") == 12
    assert told.value("response_seconds_count") == 12
    assert told.value("requests_in_progress") == 0
    assert told.value("info") == 1
    assert "Traceback" not in process.output
    assert code == 0


def _scrape_until(url: str, count: int) -> Scrape:
    """Return the metrics once all processes have shown what they counted, which takes a second."""
    while True:
        told = Scrape(httpx2.get(f"{url}{PATH}", timeout=5).text)
        if told.value("responses_total") >= count:
            return told


def test_what_a_dead_process_had_under_way_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED_FOLDER, str(tmp_path))
    count = (
        "import os\n"
        "from prometheus_client import CollectorRegistry\n"
        "from adapter.observe.metrics import Metrics\n"
        "from adapter.observe.exchange import Exchange\n"
        "metrics = Metrics(CollectorRegistry())\n"
        "metrics.begin(Exchange('http', 'POST', '/responses', {}))\n"
        "metrics.store('save', 0.1, failed=False)\n"
        "metrics.flush()\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", count], check=True, timeout=60)
    before = set(tmp_path.iterdir())

    told = Scrape(Exposition(CollectorRegistry(), lambda: None).show("")[1].decode())

    assert any(path.name.startswith("gauge_livesum") for path in before)
    assert told.value("requests_in_progress") == 0
    assert told.value("store_seconds_count", operation="save") == 1


@pytest.mark.parametrize(
    ("setting", "module"), [("metrics", "prometheus_client"), ("traces", "opentelemetry")]
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, setting: str, module: str
) -> None:
    for name in [name for name in sys.modules if name.startswith(("adapter.observe", module))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(SettingsError, match=rf"pip install 'responses-adapter\[{setting}\]'"):
        make_observer(Settings.load(environ={}, **{setting: True}))


def test_serve_writes_lines_as_the_setting_says() -> None:
    with scripted_upstream() as upstream:
        upstream.always(text_answer("Hello there"))
        for log_format in ("auto", "text"):
            arguments = ["--upstream", upstream.url, "--log-format", log_format, "--port", "0"]
            with running("serve", *arguments) as process:
                url = process.wait_for_url()
                answer = httpx2.post(f"{url}/v1/responses", json=REQUEST, timeout=5)
                process.wait_for("POST")
                process.stop()
            id = answer.headers["x-request-id"]
            (line,) = [line for line in process.output.splitlines() if "completed" in line]
            if log_format == "text":
                assert line.endswith(f"[{id}]")
            else:
                lines = [json.loads(line) for line in process.output.splitlines() if line[0] == "{"]
                assert json.loads(line) in lines
                assert json.loads(line)["request_id"] == id


def test_serve_sends_spans_before_it_ends() -> None:
    with scripted_upstream() as upstream, scripted_upstream() as collector:
        upstream.always(text_answer("Hello there"))
        collector.always(json_answer(200, {}), to="/v1/traces")
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url.removesuffix("/v1")}
        arguments = ["--upstream", upstream.url, "--traces", "true", "--port", "0"]
        with running("serve", *arguments, environ=environ) as process:
            url = process.wait_for_url()
            httpx2.post(f"{url}/v1/responses", json=REQUEST, timeout=5)
            process.stop()
        sent = collector.requests[0]

    assert sent.path == "/v1/traces"
    assert sent.headers["content-type"] == "application/x-protobuf"
    assert b"POST /responses" in sent.body
    assert b"responses-adapter" in sent.body


def test_serve_refuses_an_exporter_that_it_does_not_know() -> None:
    environ = {**os.environ, "OTEL_TRACES_EXPORTER": "carrier-pigeon"}
    command = [sys.executable, "-m", "adapter", "serve", "--upstream", "http://127.0.0.1:1/v1"]
    done = subprocess.run(
        [*command, "--traces", "true", "--store", "none"],
        capture_output=True,
        text=True,
        env=environ,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "expected one of otlp, console, none, got 'carrier-pigeon'" in done.stderr
