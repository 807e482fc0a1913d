"""One receiver for a module's tests."""

from collections.abc import Iterator

import pytest

from tests.receiver import stand


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stand.Service]:
    """A trial receiver with one upload slot less than usual fleets need, and a short deadline."""
    directory = stand.make(tmp_path_factory.mktemp("receiver"), "max_in_flight = 2\nupload_deadline_s = 2\n")
    with stand.serving(directory) as running:
        yield running
