"""Holds every answer of a receiver to docs/openapi.json."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


@cache
def document() -> dict[str, Any]:
    """As it lies there."""
    read: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return read


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))  # /v1/erasures/nonce before any /v1/erasures/{...}
    return [(re.compile(re.sub(r"\{path\}", ".*", re.sub(r"\{id\}", "[^/]+", path))), path) for path in paths]


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of a request; None where it says nothing."""
    for pattern, template in _patterns():
        if pattern.fullmatch(path):
            found: dict[str, Any] | None = document()["paths"][template].get(method.lower())
            return found
    return None


def hold(response: httpx.Response) -> None:
    """Fails unless the document describes this answer: status, kind and shape. An httpx hook."""
    request = response.request
    operation = operation_of(request.method, request.url.path)
    if operation is None:
        assert response.status_code in (404, 405), f"{request.method} {request.url.path} is not described"
        return
    response.read()
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{request.method} {request.url.path} answered {response.status_code}, which is not described"
    ((kind, content),) = described["content"].items()
    assert response.headers["content-type"] == kind
    if kind == "application/json":
        schema = content["schema"] | {"components": document()["components"]}
        Draft202012Validator(schema).validate(response.json())
