"""What an X server and an X authority file say is read to the byte, and nonsense is one of the errors that mean: it tells nothing."""

import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.presence import x11_wire as wire
from agent.presence.bus import BROKEN

READERS = (
    lambda data: wire.cookie(data, b"host", 0),
    wire.setup,
    wire.extension,
    wire.idle_counter,
    wire.value,
    wire.clients,
    wire.rest_of_hello,
)


@given(st.sampled_from(READERS), st.binary(max_size=200))
def test_nonsense_is_an_error_that_is_expected(read: Callable[[bytes], object], data: bytes) -> None:
    """Whatever comes: an answer or one of the errors that end the attempt, without going on for ever."""
    with suppress(*BROKEN):
        read(data)


@pytest.mark.parametrize(
    ("display", "number", "elsewhere"),
    [
        *((":0", 0, False), (":12.1", 12, False), ("unix:3", 3, False), ("unix/:3", 3, False)),
        *(("localhost:10.0", 10, True), ("desk.example:0", 0, True), ("tcp/192.0.2.7:1", 1, True)),
    ],
)
def test_a_display_is_here_only_if_it_names_no_host(display: str, number: int, elsewhere: bool) -> None:
    """ssh forwards as `localhost:10`; a host of any name is elsewhere, also this one's."""
    assert wire.address(display) == wire.Address(number, elsewhere)


@pytest.mark.parametrize("display", ["", "0", ":x", ":0:0", "a b", ":0\n", "/tmp/launch:0"])
def test_what_names_no_display_is_refused(display: str) -> None:
    """No guess is made."""
    with pytest.raises(ValueError, match="DISPLAY"):
        wire.address(display)


def entry(family: int, host: bytes, number: bytes, secret: bytes, name: bytes = b"MIT-MAGIC-COOKIE-1") -> bytes:
    fields = (host, number, name, secret)
    return struct.pack(">H", family) + b"".join(struct.pack(">H", len(field)) + field for field in fields)


def test_the_cookie_is_the_one_of_this_host_and_display() -> None:
    """Other hosts', other displays' and other sorts of entries are passed over; none is no cookie."""
    others = entry(256, b"host", b"1", b"a") + entry(256, b"elsewhere", b"0", b"b") + entry(256, b"host", b"0", b"c", b"XDM")
    assert wire.cookie(others + entry(256, b"host", b"0", b"ours"), b"host", 0) == b"ours"
    assert wire.cookie(others + entry(65535, b"", b"", b"any"), b"host", 7) == b"any"
    assert wire.cookie(others, b"host", 0) == b""
