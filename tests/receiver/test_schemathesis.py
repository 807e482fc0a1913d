"""schemathesis makes requests out of docs/openapi.json, right ones and wrong ones, and holds every answer to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from receiver import openapi
from tests.receiver.stand import Service

REFUSALS = [403, 404, 405, 408, 411, 413, 422]
CONFIG = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}})
SCHEMA = schemathesis.openapi.from_dict(openapi.document(), config=CONFIG)
SHORT = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LONG = settings(SHORT, max_examples=1000, derandomize=False)
SPARED = [positive_data_acceptance]  # a well-formed proof is still a wrong one, and a well-formed name not that of the bytes
RECOGNISED = 8
"""From so many characters on, a string of a request is recognised in an answer."""


def _hold(case: schemathesis.Case, service: Service) -> None:
    """No fault, nothing undescribed, wrong requests refused; and no refusal says again what came."""
    answer = case.call_and_validate(base_url=service.url, excluded_checks=SPARED, timeout=20)
    if answer.status_code >= 400:
        said = answer.text
        assert not [word for word in _strings(case.body) if _is_of_the_request(word) and word in said]


def _is_of_the_request(text: str) -> bool:
    """Not one of our own words, which are of plain letters and which schemathesis finds in our source."""
    return len(text) >= RECOGNISED and any(letter.isdigit() or not letter.isascii() for letter in text)


def _strings(value: Any) -> Iterator[str]:
    """Every text in a body, names of its fields among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _strings(each)
            if name not in FIELDS:
                yield str(name)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


FIELDS = {name for each in openapi.OPERATIONS if each.request for name in each.request.model_fields}


@SCHEMA.parametrize()
@SHORT
def test_every_answer_is_described(case: schemathesis.Case, service: Service) -> None:
    """A dozen requests for each operation, the same in every run."""
    _hold(case, service)


@pytest.mark.soak
@SCHEMA.parametrize()
@LONG
def test_every_answer_is_described_at_length(case: schemathesis.Case, service: Service) -> None:
    """A thousand for each, others in every run."""
    _hold(case, service)
