"""Every row is whole: where it comes from, what it is like, and an answer to show for it."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import msgspec
import pytest

import adapter.dialects
from adapter.dialects import DIALECTS, Dialect, all_dialects, dialect_named, dialect_names
from adapter.dialects.base import ALL_EFFORTS
from adapter.dialects.detect import CHUNK_SIGNS, MODEL_SIGNS

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"

each_row = pytest.mark.parametrize(
    "dialect", [pytest.param(dialect, id=name) for name, dialect in DIALECTS.items()]
)


def variants(dialect: Dialect) -> list[Dialect]:
    """Return the dialect, and what it is for each kind of model that it tells apart."""
    names = [pattern.replace("*", "x") for row in dialect.models for pattern in row.match]
    return [dialect, *(dialect.for_model(name) for name in names)]


@each_row
def test_a_row_has_a_source_with_a_date_or_a_version(dialect: Dialect) -> None:
    assert re.search(r"\d{4}-\d\d|\b20\d\d\b|\d+\.\d+|\bb\d+", dialect.source)


@each_row
def test_a_row_has_a_transcript(dialect: Dialect) -> None:
    """An answer in its own directory, and asked for in its own dialect."""
    sources = [
        tomllib.loads(path.read_text(encoding="utf-8"))
        for path in (TRANSCRIPTS / dialect.name).glob("*/source.toml")
    ]

    assert [source for source in sources if source["dialect"] == dialect.name] != []


@each_row
def test_the_facts_of_models_are_facts(dialect: Dialect) -> None:
    """`msgspec.structs.replace` looks at no types, so a row could hold anything."""
    for variant in variants(dialect):
        read = msgspec.convert(msgspec.to_builtins(variant), Dialect)

        assert msgspec.structs.replace(read, models=variant.models) == variant


@each_row
def test_every_pattern_of_models_matches_something(dialect: Dialect) -> None:
    """Names are compared in lower case."""
    for row in dialect.models:
        assert [pattern for pattern in row.match if pattern != pattern.lower()] == []
        assert dialect.for_model(row.match[0].replace("*", "x").upper()).models == ()


@each_row
def test_efforts_have_a_known_name_or_are_called_by_one(dialect: Dialect) -> None:
    for variant in variants(dialect):
        known = {*ALL_EFFORTS, *variant.effort_names.values()}

        assert set(variant.efforts) <= known
        assert set(variant.effort_names) <= set(ALL_EFFORTS)
        assert set(variant.effort_names.values()) <= set(variant.efforts)


@each_row
def test_ranges_go_up(dialect: Dialect) -> None:
    for variant in variants(dialect):
        assert [name for name, (least, most) in variant.ranges.items() if least >= most] == []


@each_row
def test_what_goes_in_every_request_is_not_refused(dialect: Dialect) -> None:
    for variant in variants(dialect):
        fields = {path.partition(".")[0] for path in variant.body}

        assert fields & variant.refuses == set()
        assert variant.only is None or fields <= variant.only


def test_no_sign_stands_for_two_rows() -> None:
    rows = DIALECTS.values()
    for signs in (
        [host for row in rows for host in row.hosts],
        [str(port) for row in rows for port in row.ports],
        [owner for row in rows for owner in row.owners],
        [server.lower() for row in rows for server in row.servers],
    ):
        assert [sign for sign, times in Counter(signs).items() if times > 1] == []


def test_hosts_are_host_names() -> None:
    hosts = [host for row in DIALECTS.values() for host in row.hosts]

    assert [host for host in hosts if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host)] == []


def test_signs_stand_for_rows() -> None:
    assert {sign.dialect for sign in (*MODEL_SIGNS, *CHUNK_SIGNS)} <= DIALECTS.keys()


def test_rows_are_known_by_their_names() -> None:
    assert [name for name, row in DIALECTS.items() if name != row.name] == []
    assert [dialect_named(name) for name in DIALECTS] == list(DIALECTS.values())
    assert dialect_names() == sorted(DIALECTS)
    assert all_dialects() == DIALECTS


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"no dialect is named 'vlm'; known: anthropic, azure, "):
        dialect_named("vlm")


def test_only_rows_speak_of_upstreams() -> None:
    """Other modules ask for facts: not one of them compares a dialect's name."""
    rows = Path(adapter.dialects.__file__).parent
    databases = rows.parent / "store"  # which have dialects of their own
    asking = re.compile(r"dialect\.name\s*(==|!=|in\b|not in\b)|match .*dialect\.name")

    assert [
        path.name
        for path in rows.parent.rglob("*.py")
        if not {rows, databases} & {*path.parents}
        and asking.search(path.read_text(encoding="utf-8"))
    ] == []
