"""The end of `serve`: readiness turns red first, streams end by themselves, and then they are failed."""

import ipaddress
import json
import signal
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.sync.client import connect

from adapter.cli.serve import tls_options
from adapter.config import SettingsError
from tests.asgi.streams import DONE, REQUEST, parse
from tests.cli.process import Process, running
from tests.servers.answers import Hang, Pause, chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        upstream.always(text_answer("Hello there"))
        yield upstream


def ready(url: str) -> int:
    return httpx2.get(f"{url}/health/ready", timeout=5).status_code


def wait_for_red(url: str) -> None:
    for _ in range(1000):
        if ready(url) == 503:
            return
    raise AssertionError("it stays ready")


def tell(process: Process, number: int = signal.SIGTERM) -> None:
    process._popen.send_signal(number)


def test_readiness_turns_red_while_requests_are_still_served(upstream: ScriptedUpstream) -> None:
    """A second signal does not wait."""
    arguments = ["--upstream", upstream.url, "--port", "0", "--shutdown-delay", "60"]

    with running("serve", *arguments) as process:
        url = process.wait_for_url()
        before = ready(url)
        tell(process)
        wait_for_red(url)
        answer = httpx2.post(f"{url}/v1/responses", json=REQUEST, timeout=5)
        code = process.stop()

    assert code in {0, -signal.SIGTERM}
    assert before == 200
    assert answer.json()["status"] == "completed"


def test_stream_that_ends_in_time_is_complete(upstream: ScriptedUpstream) -> None:
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({"content": "b"}, "stop")))

    with running("serve", "--upstream", upstream.url, "--port", "0") as process:
        url = process.wait_for_url()
        body = REQUEST | {"stream": True}
        with httpx2.stream("POST", f"{url}/v1/responses", json=body, timeout=5) as answer:
            parts = answer.iter_raw()
            raw = next(parts)
            tell(process)
            process.wait_for("Waiting for connections to close")
            pause.release()
            raw += b"".join(parts)
        process._popen.wait(5)

    blocks = parse(raw)
    assert (blocks[-2]["type"], blocks[-1]) == ("response.completed", DONE)


@pytest.mark.parametrize("is_in_time", [True, False])
def test_turn_of_a_websocket_has_its_last_event(
    upstream: ScriptedUpstream, is_in_time: bool
) -> None:
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({"content": "b"}, "stop")))
    arguments = ["--upstream", upstream.url, "--port", "0"]
    arguments += ["--shutdown-timeout", "30" if is_in_time else "0.3"]

    with running("serve", *arguments) as process:
        url = process.wait_for_url()
        with connect(url.replace("http", "ws") + "/v1/responses", open_timeout=5) as socket:
            socket.send(json.dumps({"type": "response.create", **REQUEST}))
            event = json.loads(socket.recv(5))
            pause.reached.wait_in_thread()
            tell(process)
            wait_for_red(url)
            if is_in_time:
                pause.release()
            while event["type"] not in ("response.completed", "response.failed"):
                event = json.loads(socket.recv(5))
        process._popen.wait(10)

    assert event["type"] == ("response.completed" if is_in_time else "response.failed")


@pytest.mark.parametrize("level", ["debug", "trace"])
def test_keys_are_not_in_the_log_of_the_server(upstream: ScriptedUpstream, level: str) -> None:
    """The library behind its WebSockets would write them."""
    arguments = ["--upstream", upstream.url, "--port", "0", "--log-level", level]
    headers = {"authorization": "Bearer sk-canary", "x-api-key": "sk-canary", "cookie": "sk-canary"}

    with running("serve", *arguments) as process:
        url = process.wait_for_url()
        place = url.replace("http", "ws") + "/v1/responses"
        with connect(place, open_timeout=5, additional_headers=headers) as socket:
            socket.send(json.dumps({"type": "response.create", **REQUEST}))
            while json.loads(socket.recv(5))["type"] != "response.completed":
                pass
        httpx2.post(f"{url}/v1/responses", json=REQUEST, headers=headers, timeout=5)
        process.stop()

    assert "authorization" in process.output
    assert "canary" not in process.output


@pytest.mark.parametrize("workers", [1, 2])
def test_stream_that_does_not_end_is_failed(upstream: ScriptedUpstream, workers: int) -> None:
    upstream.reply(stream_answer(chunk({"content": "a"}), Hang()))
    arguments = ["--upstream", upstream.url, "--port", "0", "--shutdown-timeout", "0.3"]

    with running("serve", *arguments, "--workers", str(workers)) as process:
        url = process.wait_for_url()
        process.wait_for(rf"(?s)(Application startup complete.*){{{workers}}}")
        body = REQUEST | {"stream": True}
        with httpx2.stream("POST", f"{url}/v1/responses", json=body, timeout=10) as answer:
            parts = answer.iter_raw()
            raw = next(parts)
            tell(process)
            raw += b"".join(parts)
        process._popen.wait(10)

    blocks = parse(raw)
    assert [block["type"] for block in blocks[-3:-1]] == ["error", "response.failed"]
    assert blocks[-1] == DONE
    assert "Traceback" not in process.output


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the files of a certificate for loopback and of its key, whose password is `secret`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def test_serve_speaks_tls(upstream: ScriptedUpstream, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    arguments = ["--upstream", upstream.url, "--port", "0"]
    arguments += ["--ssl-certfile", str(cert), "--ssl-keyfile", str(key)]
    environ = {"ADAPTER_SSL_KEYFILE_PASSWORD": "secret"}

    with running("serve", *arguments, environ=environ) as process:
        url = process.wait_for(r"Uvicorn running on (https://\S+)")[1]
        trusting = ssl.create_default_context(cafile=str(cert))
        answer = httpx2.post(f"{url}/v1/responses", json=REQUEST, timeout=5, verify=trusting)

    assert answer.json()["status"] == "completed"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((None, "key.pem", None, None), "--ssl-certfile is missing"),
        ((None, None, "secret", None), "--ssl-certfile is missing"),
        ((None, None, None, "ca.pem"), "--ssl-certfile is missing"),
        (("/no/such/cert.pem", None, None, None), "cannot be used: No such file"),
    ],
)
def test_tls_that_cannot_be_is_told_at_the_start(
    files: tuple[str | None, ...], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        tls_options(*files)


@pytest.mark.parametrize("password", [None, "wrong"])
def test_password_that_is_wrong_is_told_at_the_start(
    certificate: tuple[Path, Path], password: str | None
) -> None:
    cert, key = certificate

    with pytest.raises(SettingsError, match="certificate or key cannot be used") as caught:
        tls_options(str(cert), str(key), password, None)

    assert "wrong" not in str(caught.value)


def test_clients_can_be_asked_for_certificates(certificate: tuple[Path, Path]) -> None:
    cert, key = map(str, certificate)

    options = tls_options(cert, key, "secret", cert)

    assert options["ssl_cert_reqs"] == ssl.CERT_REQUIRED
    assert options["ssl_ca_certs"] == cert
