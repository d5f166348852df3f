"""Fields and models go by the upstream's names, and fields that it does not know stay here."""

import msgspec
import pytest

from adapter.dialects import Dialect
from tests.translate.requests import chat, translate

NAMING = Dialect(
    name="naming",
    source="a test",
    bracketed_models=False,
    renames={"seed": "random_seed"},
    only=frozenset({"temperature", "random_seed", "max_tokens", "tools"}),
)


def test_a_field_has_the_upstreams_name() -> None:
    sent = chat(NAMING, seed=7)

    assert (sent["random_seed"], "seed" in sent) == (7, False)
    assert translate(NAMING, seed=7).adapted == ()


def test_a_renamed_field_that_is_refused_is_reported_by_the_clients_name() -> None:
    refusing = msgspec.structs.replace(NAMING, refuses=frozenset({"random_seed"}))

    assert "random_seed" not in chat(refusing, seed=7)
    assert translate(refusing, seed=7).dropped == ("seed",)


def test_only_known_fields_are_sent() -> None:
    translation = translate(
        NAMING, temperature=0.5, top_p=0.5, top_k=3, max_output_tokens=9, top_logprobs=2
    )

    assert translation.chat.parameters == {"stream": True, "temperature": 0.5, "max_tokens": 9}
    assert translation.dropped == ("top_p", "top_logprobs", "top_k")


@pytest.mark.parametrize(
    ("model", "sent"),
    [("glm-5.2[1m]", "glm-5.2"), ("glm-5.2 [1m]", "glm-5.2"), ("glm-5.2", "glm-5.2")],
)
def test_an_alias_in_brackets_goes(model: str, sent: str) -> None:
    """Z.AI: 400 code 1211 (`reported.md` §3.3)."""
    assert translate(NAMING, model=model).chat.model == sent


def test_brackets_stay_where_they_may_be_a_name() -> None:
    assert translate(model="glm-5.2[1m]").chat.model == "glm-5.2[1m]"


def test_one_of_two_that_exclude_each_other_is_left_out() -> None:
    """Anthropic: 400 "`temperature` and `top_p` cannot both be specified"."""
    dialect = msgspec.structs.replace(
        NAMING, only=None, exclusive=frozenset({("temperature", "top_p")})
    )

    assert translate(dialect, temperature=1, top_p=1).dropped == ("top_p",)
    assert translate(dialect, top_p=1).dropped == ()
