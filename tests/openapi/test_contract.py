"""Requests made from our OpenAPI document, sound and unsound, are answered as it says.

A few of each operation, the same every time; `python -m tests.openapi.wide` makes many.
"""

import schemathesis
from hypothesis import HealthCheck, settings

from adapter.asgi.openapi.document import make_document
from adapter.asgi.paths import MODELS
from tests.openapi.checks import CHECKS

schema = schemathesis.openapi.from_dict(make_document()).exclude(path=MODELS)


@schema.parametrize()
@settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_operation_does_what_the_document_says(case: schemathesis.Case, api_url: str) -> None:
    case.call_and_validate(base_url=api_url, checks=CHECKS, timeout=10)
