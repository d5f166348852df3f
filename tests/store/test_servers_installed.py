"""The servers of the stores are installed: without one, this alone fails of the tests it needs."""

from tests.servers import postgres, redis


def test_redis_is_installed() -> None:
    assert redis.redis_binary() is not None, redis.MISSING


def test_postgres_is_installed() -> None:
    assert postgres.postgres_programs() is not None, postgres.MISSING
