"""What anybody may send without a place being taken for it is small."""

from collections.abc import Iterator

import pytest

from receiver.bodies import SMALL_BYTES
from tests.receiver import stand
from tests.receiver.stand import Service

_ROUTES = {
    "/v1/enrolments": SMALL_BYTES,
    "/v1/registrations": SMALL_BYTES,
    "/v1/listing": SMALL_BYTES,
    "/v1/listing/fetch": SMALL_BYTES,
    "/v1/erasures": 128 * 1024,
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with stand.serving(stand.make(tmp_path_factory.mktemp("receiver"))) as running:
        yield running


@pytest.mark.parametrize(("route", "most"), _ROUTES.items())
def test_a_long_body_is_refused_before_a_byte_of_it_is_read(service: Service, route: str, most: int) -> None:
    """One byte more than the route's bound is 413 by the announcement alone; the bound itself is read, and is malformed."""
    announced = f"POST {route} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {most + 1}\r\n\r\n"
    assert service.raw(announced.encode()).startswith(b"HTTP/1.1 413")
    assert service.client.post(route, content=b" " * most).status_code == 422


def test_an_erasure_names_a_thousand_ids_at_most(service: Service) -> None:
    """More is malformed; agents ask for 400 at once."""
    who = stand.person()
    ids = [f"{number:064x}" for number in range(1001)]
    assert service.erase(who, ids).status_code == 422
    assert service.erase(who, ids[:1000]).status_code == 200
