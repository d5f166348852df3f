"""Fixtures: an adapter with a store, and a model that answers whatever it is asked."""

from collections.abc import Iterator

import pytest

from adapter import ResponsesAPI
from tests.servers.adapter import serve
from tests.servers.answers import text_answer
from tests.servers.scripted import scripted_upstream


@pytest.fixture(scope="package")
def api_url() -> Iterator[str]:
    """Yield the base URL of the API, ending in `/v1`."""
    with scripted_upstream() as upstream:
        upstream.always(text_answer("Hello"))
        app = ResponsesAPI(upstream.url, store="memory:", environ={})
        with serve(app) as url:
            yield f"{url}/v1"
