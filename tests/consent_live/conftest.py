"""One desktop for the live proofs of this folder; each has an agent of its own."""

from collections.abc import Iterator

import pytest

from tests.agent.life import Desk, Life, a_desk, a_life


@pytest.fixture(scope="package")
def desk() -> Iterator[Desk]:
    with a_desk() as made:
        yield made


@pytest.fixture
def life(desk: Desk) -> Iterator[Life]:
    with a_life(desk) as made:
        yield made
