"""Which route serves a model, and under which names a route's models are known."""

import pytest

from adapter.errors import NotFoundError
from adapter.routing import Choice, RouteSettings, choose_route, models_of

ROUTES = {
    "local": RouteSettings(
        upstream="http://a/v1", models=("qwen*", "llama-?b"), aliases={"fast": "qwen3-4b"}
    ),
    "cloud": RouteSettings(
        upstream="http://b/v1", models=("gpt-*", "qwen-cloud"), aliases={"smart": "gpt-5"}
    ),
    "rest": RouteSettings(upstream="http://c/v1", default=True),
}
STRICT = {name: route for name, route in ROUTES.items() if not route.default}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param("qwen3-32b", Choice("local", "qwen3-32b"), id="pattern"),
        pytest.param("llama-8b", Choice("local", "llama-8b"), id="pattern-of-one-character"),
        pytest.param("qwen-cloud", Choice("local", "qwen-cloud"), id="first-pattern"),
        pytest.param("gpt-5", Choice("cloud", "gpt-5"), id="second-route"),
        pytest.param("fast", Choice("local", "qwen3-4b"), id="alias"),
        pytest.param("smart", Choice("cloud", "gpt-5"), id="alias-of-another"),
        pytest.param("cloud/qwen3-4b", Choice("cloud", "qwen3-4b"), id="prefix-before-pattern"),
        pytest.param("local/a/b", Choice("local", "a/b"), id="prefix-and-a-slash"),
        pytest.param("qwen/qwen3", Choice("local", "qwen/qwen3"), id="slash-that-is-no-prefix"),
        pytest.param("meta/llama", Choice("rest", "meta/llama"), id="default-with-a-slash"),
        pytest.param("cloud/", Choice("rest", "cloud/"), id="prefix-of-nothing"),
        pytest.param("/x", Choice("rest", "/x"), id="no-prefix"),
        pytest.param("unheard-of", Choice("rest", "unheard-of"), id="default"),
        pytest.param("QWEN3", Choice("rest", "QWEN3"), id="case-counts"),
        pytest.param("", Choice("rest", ""), id="empty"),
    ],
)
def test_model_goes_to_the_route_that_claims_it(model: str, expected: Choice) -> None:
    assert choose_route(model, ROUTES) == expected


def test_alias_wins_over_patterns_and_prefixes() -> None:
    routes = {
        "a": RouteSettings(upstream="http://a/v1", models=("*",)),
        "b": RouteSettings(upstream="http://b/v1", aliases={"a/x": "y", "z": "w"}),
    }

    assert choose_route("a/x", routes) == Choice("b", "y")
    assert choose_route("z", routes) == Choice("b", "w")


@pytest.mark.parametrize("model", ["unheard-of", "rest/x", "", "x" * 1000])
def test_model_of_no_route_is_not_found(model: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        choose_route(model, STRICT)

    assert (caught.value.status, caught.value.code, caught.value.param) == (
        404,
        "model_not_found",
        "model",
    )
    assert len(caught.value.message) < 300


def test_models_have_the_names_that_lead_to_them() -> None:
    listed = models_of("local", ROUTES["local"], ["qwen3-4b", "phi"])

    assert listed == [("qwen3-4b", "qwen3-4b"), ("local/phi", "phi"), ("fast", "qwen3-4b")]
    assert [choose_route(name, ROUTES) for name, _ in listed] == [
        Choice("local", model) for _, model in listed
    ]


def test_models_of_the_default_route_keep_their_names() -> None:
    assert models_of("rest", ROUTES["rest"], ["phi"]) == [("phi", "phi")]


def test_route_shows_nothing_that_could_be_secret() -> None:
    route = RouteSettings(
        upstream="http://a/v1", upstream_api_key="sk-1", headers={"x": "sk-2"}, body={"k": "sk-3"}
    )

    assert "sk-" not in repr(route)
    assert "sk-" not in repr({"a": route})
