"""What values of several settings have in common, and how a setting is described."""

from typing import Annotated

from msgspec import Meta

from adapter.routing import MAX_SECONDS

Count = Annotated[int, Meta(ge=0)]
OneOrMore = Annotated[int, Meta(ge=1)]
Period = Annotated[float, Meta(gt=0, le=MAX_SECONDS)]  # seconds, where none would make no sense


def about(description: str) -> Meta:
    """Return what the command line and the README say of a setting."""
    return Meta(description=description)
