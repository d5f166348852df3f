"""Names that every upstream takes: short, plain, and never the same for two tools."""

import re

import pytest

from adapter.tools.names import MAX_NAME_CHARS, chat_name

# (name, namespace, what is offered)
FITTING = [
    ("f", None, "f"),
    ("get_weather-2", "", "get_weather-2"),
    ("f" * 64, None, "f" * 64),
    ("search", "web", "web__search"),
    ("f" * 60, "ab", f"ab__{'f' * 60}"),
]
UNFIT = [
    ("web.search", None),
    ("f" * 65, None),
    ("ä b", None),
    ("\n", None),
    ("search", "web.v1"),
    ("f" * 61, "ab"),
]


@pytest.mark.parametrize(("name", "namespace", "expected"), FITTING)
def test_a_name_that_fits_is_kept(name: str, namespace: str | None, expected: str) -> None:
    assert chat_name(name, namespace) == expected


@pytest.mark.parametrize(("name", "namespace"), UNFIT)
def test_a_name_that_does_not_fit_is_made_to(name: str, namespace: str | None) -> None:
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{1,{MAX_NAME_CHARS}}}", chat_name(name, namespace))


@pytest.mark.parametrize(("name", "namespace"), UNFIT)
def test_a_name_is_always_made_into_the_same(name: str, namespace: str | None) -> None:
    assert chat_name(name, namespace) == chat_name(name, namespace)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("web.search", None), ("web search", None), id="other odd characters"),
        pytest.param(("f" * 70, None), ("f" * 71, None), id="other lengths"),
        pytest.param(("b.c", "a"), ("c", "a.b"), id="another border"),
        pytest.param(("f.g", "a"), ("f.g", "b"), id="other namespaces"),
        pytest.param(("f.g", "a"), ("a__f.g", None), id="joined already"),
    ],
)
def test_two_names_are_not_made_into_one(
    one: tuple[str, str | None], other: tuple[str, str | None]
) -> None:
    assert chat_name(*one) != chat_name(*other)
