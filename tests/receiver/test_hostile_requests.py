"""Bytes that hurt parsers, at every route that reads JSON: refused as described, quickly, and never said again."""

import gzip
import json
import zlib
from base64 import b64encode
from typing import Any

import httpx
import pytest

from receiver import openapi
from receiver.bodies import SMALL_BYTES
from receiver.exemptions import ExemptionRequest
from tests import hostile
from tests.receiver.stand import Service
from transport.bounds import SEALED_BYTES

READS_JSON = [each for each in openapi.OPERATIONS if each.request is not None]
NAUGHTY_AND_LONG = [text for text in hostile.NAUGHTY if len(text) >= 8]


def _ask(service: Service, operation: openapi.Operation, raw: bytes, **headers: str) -> httpx.Response:
    """The answer; stand's client holds it to the document."""
    return service.client.request(operation.method.upper(), operation.path, content=raw, headers=headers)


def _right(operation: openapi.Operation) -> dict[str, Any]:
    """A body of the right shape that proves nothing."""
    assert operation.request is not None
    made: dict[str, Any] = {
        "token": "a" * 52,
        "device": "0" * 64,
        "signature": "0" * 128,
        "day": "2026-11-21",
        "pseudonyms": [f"{number:064x}" for number in range(16)],
        "pseudonym": "0" * 64,
        "nonce": "0" * 80,
        "batch": "0" * 64,
        "batches": ["0" * 64],
        "purpose": "train",
        "reason": "audit",
        "after": "",
        "id": "0" * 64,
        "ground": "power",
        "surfaces": ["editor"],
        "kinds": ["focus"],
        "hours": "always",
        "until": "2030-12-31",
        "appeal": None,
    }
    if operation.request is ExemptionRequest:
        made["reason"] = b64encode(bytes(SEALED_BYTES)).decode()
    return {name: made[name] for name in operation.request.model_fields}


@pytest.mark.parametrize("operation", READS_JSON, ids=lambda each: each.path)
def test_malformed_and_wrong_json_is_refused(service: Service, operation: openapi.Operation) -> None:
    """422, or 413 where it is long as well. Every case: numbers that are none, depth without end, half characters, two values."""
    for what, raw in (hostile.MALFORMED_JSON | hostile.WRONG_JSON).items():
        assert _ask(service, operation, raw).status_code in ((422,) if len(raw) <= SMALL_BYTES else (413, 422)), what


@pytest.mark.parametrize("operation", READS_JSON, ids=lambda each: each.path)
def test_naughty_strings_and_numbers_in_every_field_are_refused_and_not_repeated(service: Service, operation: openapi.Operation) -> None:
    """In a body that is right but for one field."""
    right = _right(operation)
    for name in right:
        for text in hostile.NAUGHTY:
            raw = json.dumps(right | {name: text}).encode()
            answer = _ask(service, operation, raw)
            assert answer.status_code in (403, 413, 422), (name, text[:20])
            assert not [each for each in NAUGHTY_AND_LONG if each in answer.text]
        for number in ("NaN", "Infinity", "1e999", "9" * 5000, "1.5", "true"):
            raw = json.dumps(right | {name: "HERE"}).replace('"HERE"', number).encode()
            assert _ask(service, operation, raw).status_code in (413, 422), (name, number[:20])


@pytest.mark.parametrize("operation", READS_JSON, ids=lambda each: each.path)
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_not_inflated(service: Service, operation: openapi.Operation, coding: str) -> None:
    """A body that says it is compressed is read as the bytes that it is: no JSON (422) or too long (413); the receiver has not grown."""
    squeeze = gzip.compress if coding == "gzip" else zlib.compress
    before = _rss_kib(service)
    bomb = squeeze(b'{"reason": "' + bytes(64 * 1024 * 1024) + b'"}', 9)
    assert len(bomb) < 100_000
    assert _ask(service, operation, bomb, **{"Content-Encoding": coding}).status_code in (413, 422)
    assert _rss_kib(service) - before < 32 * 1024


def _rss_kib(service: Service) -> int:
    with open(f"/proc/{service.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
