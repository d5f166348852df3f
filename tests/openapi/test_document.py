"""Our OpenAPI document has all routes, and what is answered is what it says."""

from typing import Any

import httpx2
import pytest
import schemathesis
from jsonschema import Draft202012Validator

from adapter.asgi.openapi.document import make_document
from adapter.asgi.openapi.operations import OPERATIONS
from adapter.asgi.paths import OPENAPI, all_routes, allowed_methods
from tests.asgi.streams import parse


@pytest.fixture(scope="module")
def client(api_url: str) -> Any:
    with httpx2.Client(base_url=api_url, timeout=10, verify=False) as client:
        yield client


@pytest.fixture(scope="module")
def document(client: httpx2.Client) -> Any:
    return client.get(OPENAPI).json()


def fits(document: Any, value: Any, name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    Draft202012Validator(schema).validate(value)


def test_every_method_of_every_route_has_a_row() -> None:
    served = {(method, route) for route in all_routes() for method in allowed_methods(route)}

    assert served == OPERATIONS.keys()


def test_document_is_openapi() -> None:
    schemathesis.openapi.from_dict(make_document()).validate()


def test_no_two_operations_have_one_id() -> None:
    ids = [row.id for row in OPERATIONS.values()]

    assert len(set(ids)) == len(ids)


def test_every_reference_leads_somewhere(document: Any) -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    assert references(document) <= known


def test_paths_begin_where_the_document_stands(document: Any) -> None:
    assert document["servers"] == [{"url": "/v1"}]


def test_response_is_as_described(client: httpx2.Client, document: Any) -> None:
    response = client.post("/responses", json={"model": "m", "input": "Hi"}).json()

    fits(document, response, "Response")
    assert response.keys() <= document["components"]["schemas"]["Response"]["properties"].keys()


def test_events_are_as_described(client: httpx2.Client, document: Any) -> None:
    answer = client.post("/responses", json={"model": "m", "input": "Hi", "stream": True})
    content = document["paths"]["/responses"]["post"]["responses"]["200"]["content"]
    schema = content["text/event-stream"]["x-event-schema"]
    validator = Draft202012Validator({**schema, "components": document["components"]})

    for event in parse(answer.content)[:-1]:
        validator.validate(event)


def test_error_is_as_described(client: httpx2.Client, document: Any) -> None:
    fits(document, client.post("/responses", json={}).json(), "Error")


def test_wrapped_app_keeps_its_own_document() -> None:
    """FastAPI's and vLLM's stand at `/openapi.json`."""
    assert OPENAPI == "/responses/openapi.json"
    assert "/openapi.json" not in all_routes()
