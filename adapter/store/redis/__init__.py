"""A store in a Redis or Valkey server (extra `redis`), for replicas that share one.

How the keys look and what happens in one step is in `lua` and `scripts`; each operation is one round trip.
What is kept outlives the server as far as the server's own persistence goes: without `appendonly`
the last seconds are lost with it. An eviction policy other than `noeviction` may take a response
away before its time.
"""

from adapter.store.redis.store import RedisStore

__all__ = ["RedisStore"]
