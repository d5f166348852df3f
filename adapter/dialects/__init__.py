"""What upstreams are like, as data: nothing else in the package asks for an upstream's name."""

from adapter.dialects.base import Dialect
from adapter.dialects.known import DIALECTS, dialect_named

__all__ = ["DIALECTS", "Dialect", "dialect_named"]
