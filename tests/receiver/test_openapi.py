"""docs/openapi.json says what the receiver does: every route, and every answer that these tests ever got."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver import exemptions, fleet, ingest, openapi, opening, published, purposes, rights, showing
from tests.receiver import described
from tests.receiver.stand import Service

HOW = "print it again: python -c 'from receiver import openapi; print(openapi.text(), end=\"\")' > docs/openapi.json"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
WITH_BODY = [each for each in openapi.OPERATIONS if each.method in ("post", "put")]


def test_the_document_is_the_one_in_docs() -> None:
    """And it is JSON that OpenAPI tools read: paths, operations, answers."""
    assert described.DOCUMENT.read_text() == openapi.text(), HOW


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    """No more and no fewer, by method and path."""
    routes = [*ingest.ROUTES, *rights.ROUTES, *showing.ROUTES, *fleet.ROUTES, *opening.ROUTES, *published.ROUTES, *purposes.ROUTES]
    routes += exemptions.ROUTES
    served = {(method, route.path.replace(":path", "")) for route in routes for method in (route.methods or ()) if method != "HEAD"}
    served |= {("GET", "/healthz"), ("GET", "/readyz")}
    assert served == {(each.method.upper(), each.path) for each in openapi.OPERATIONS}


def _fields(operation: openapi.Operation) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies that have the right names, and anything in them."""
    names = list(operation.request.model_fields) if operation.request else ["x"]
    likely = st.sampled_from(["0" * 64, "0" * 80, "0" * 128, "a" * 52, "2026-11-21", "2026-02-31", "0000-00-00", ""]) | JSON
    return st.fixed_dictionaries(dict.fromkeys(names, likely))


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda each: each.path)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent_gets_an_answer_that_is_described(service: Service, operation: openapi.Operation, data: st.DataObject) -> None:
    """Bytes, JSON of any shape with NaN and infinities, the right names with wrong values: refused as described, and never a fault."""
    body = data.draw(st.binary(max_size=300) | JSON.map(_dumped) | _fields(operation).map(_dumped))
    answer = service.client.request(operation.method.upper(), operation.path.replace("{id}", "0" * 64), content=body)
    forgets = operation.path == "/v1/exemption-erasures"  # who has an id is whose request it is, and nobody learns whether there was one
    assert 400 <= answer.status_code < 500 or (forgets and answer.status_code == 200)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    after=st.text(max_size=70),
    batch=st.text(alphabet="0123456789abcdefg/.%", max_size=70),
    record=st.text(st.characters(codec="utf-8", min_codepoint=33, exclude_characters="\x7f"), max_size=20),
)
def test_whatever_is_asked_gets_an_answer_that_is_described(service: Service, after: str, batch: str, record: str) -> None:
    """Parameters of any kind, in every place that takes one."""
    for url, parameters in (("/v1/access", {"after": after}), ("/v1/custody/batches", {"purpose": after, "after": batch})):
        assert service.client.get(url, params=parameters).status_code < 500
    headers = {"X-Volens-Access": record.encode()}
    assert service.client.get(f"/v1/custody/batches/{batch}", headers=headers).status_code < 500
    assert service.client.get(f"/v1/tuf/{batch}").status_code < 500
    assert service.client.get(f"/v1/exemptions/{batch}").status_code < 500


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()
