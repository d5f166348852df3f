"""Tables of the settings file: routes, dialects, and what may be fetched; errors name route and key."""

from pathlib import Path
from typing import Any

import pytest

from adapter.config import Settings, SettingsError
from adapter.dialects import DIALECTS
from adapter.fetch.guard import UrlPolicy
from adapter.routing import RouteSettings

FILE = """
upstream_api_key = "sk-1"

[routes.local]
upstream = "http://127.0.0.1:8000/v1"
dialect = "mine"
models = ["qwen*"]
aliases = { fast = "qwen3-4b" }

[routes."my cloud"]
upstream = "https://cloud.example/v1"
upstream_api_key = "sk-2"
default = true
headers = { x-team = "blue" }
body = { provider = { order = ["a"] } }
pass_fields = ["*"]
api = "auto"
max_concurrent = 8
connect_timeout = 1
first_byte_timeout = 2.5
idle_timeout = 3
total_timeout = 4

[dialects.mine]
base = "vllm"
refuses = ["top_k"]

[fetch]
allow_http = true
allowed_hosts = ["*.example.com"]
"""


def load(text: str, path: Path, **arguments: Any) -> Settings:
    file = path / "adapter.toml"
    file.write_text(text)
    return Settings.load(file, environ={}, **arguments)


def test_tables_are_read(tmp_path: Path) -> None:
    settings = load(FILE, tmp_path)

    assert settings.routes == {
        "local": RouteSettings(
            upstream="http://127.0.0.1:8000/v1",
            dialect="mine",
            models=("qwen*",),
            aliases={"fast": "qwen3-4b"},
        ),
        "my cloud": RouteSettings(
            upstream="https://cloud.example/v1",
            upstream_api_key="sk-2",
            default=True,
            headers={"x-team": "blue"},
            body={"provider": {"order": ["a"]}},
            pass_fields=("*",),
            api="auto",
            max_concurrent=8,
            connect_timeout=1,
            first_byte_timeout=2.5,
            idle_timeout=3,
            total_timeout=4,
        ),
    }
    assert settings.fetch == UrlPolicy(allow_http=True, allowed_hosts=("*.example.com",))
    mine = settings.known_dialects()["mine"]
    assert (mine.refuses, mine.parts) == ({"top_k"}, DIALECTS["vllm"].parts)


def test_values_that_are_read_already_are_taken_too() -> None:
    route, fetch = RouteSettings(upstream="http://a/v1"), UrlPolicy(allow_http=True)

    settings = Settings.load(environ={}, routes={"a": route}, fetch=fetch)

    assert (settings.routes, settings.fetch) == ({"a": route}, fetch)


def test_secrets_of_routes_are_not_shown(tmp_path: Path) -> None:
    settings = load(FILE, tmp_path)

    assert "sk-" not in repr(settings) + str(settings) + str(dict(settings.__rich_repr__()))


ROUTE = "[routes.fast]\nupstream = 'http://a/v1'\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[routes.fast]\n", "Missing setting 'routes.fast.upstream'."),
        (ROUTE + "wat = 1\n", "Unknown setting 'routes.fast.wat'."),
        ("routes = 5\n", "Invalid setting 'routes': expected object, got int."),
        ("[routes]\nfast = 5\n", "Invalid setting 'routes.fast': expected object, got int."),
        (
            "[routes.fast]\nupstream = 5\n",
            "Invalid setting 'routes.fast.upstream': expected str, got int.",
        ),
        (
            ROUTE + "max_concurrent = -1\n",
            "Invalid setting 'routes.fast.max_concurrent': expected int >= 0.",
        ),
        (
            ROUTE + "max_concurrent = 'many'\n",
            "Invalid setting 'routes.fast.max_concurrent': expected int, got str.",
        ),
        (
            ROUTE + "idle_timeout = -1\n",
            "Invalid setting 'routes.fast.idle_timeout': expected float >= 0.0.",
        ),
        (
            ROUTE + "idle_timeout = inf\n",
            "Invalid setting 'routes.fast.idle_timeout': expected float <= ",
        ),
        (
            ROUTE + "api = 'grpc'\n",
            "Invalid setting 'routes.fast.api': expected one of chat, responses, auto, got 'grpc'.",
        ),
        (
            ROUTE + "models = 'qwen'\n",
            "Invalid setting 'routes.fast.models': expected array, got str.",
        ),
        (
            ROUTE + "headers = { a = 1 }\n",
            "Invalid setting 'routes.fast.headers': expected str, got int.",
        ),
        (
            ROUTE + "aliases = { a = 1 }\n",
            "Invalid setting 'routes.fast.aliases': expected str, got int.",
        ),
        (
            "[routes.'a/b']\nupstream = 'http://a/v1'\n",
            "Invalid setting 'routes.a/b': expected a name without '/', as in name/model.",
        ),
        ("[fetch]\nwat = 1\n", "Unknown setting 'fetch.wat'."),
        (
            "[fetch]\nallow_http = 'maybe'\n",
            "Invalid setting 'fetch.allow_http': expected bool, got str.",
        ),
        (
            "[dialects.mine]\nbase = 'nobody'\n",
            "Invalid dialect 'mine': 'base': expected one of ",
        ),
        (
            "[dialects.mine]\nwat = 1\n",
            "Invalid dialect 'mine': unknown fact 'wat'; expected one of ",
        ),
        (
            "[dialects.mine]\nlearned = ['refuses']\n",
            "Invalid dialect 'mine': unknown fact 'learned'; expected one of ",
        ),
    ],
)
def test_error_in_a_table_names_its_place(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(text, tmp_path)

    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(".")


def test_unknown_dialect_of_a_route_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    text = ROUTE + "dialect = 'nobody'\n[dialects.mine]\n"

    with pytest.raises(SettingsError) as caught:
        load(text, tmp_path)

    assert str(caught.value).startswith(
        "Invalid setting 'routes.fast.dialect': expected one of auto, anthropic, "
    )
    assert " mine," in str(caught.value)
    assert str(caught.value).endswith("got 'nobody'.")
