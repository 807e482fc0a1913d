"""The RECORD stream is cut right wherever the socket cuts it, and X times become ours."""

import itertools
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.backends.x11_record import (
    BUTTON_PRESS,
    FOCUS_IN,
    FOCUS_OUT,
    KEY_PRESS,
    KEY_RELEASE,
    MAPPING_CHANGED,
    Came,
    DeviceEvent,
    FocusMoved,
    Range,
    RecordStream,
    ranges,
    split,
)
from collectors.backends.x11_time import OLDEST_MS, clocks_of
from collectors.errors import DeafError, DisplayGoneError
from consent.event import Clocks
from consent.vocabulary import Kind


def _event(kind: int, detail: int, time_ms: int) -> bytes:
    """With the server's own time before it, which only events without a time of their own need."""
    return struct.pack("=IBBHIIIIhhhhHBB", 77, kind, detail, 0, time_ms, 1, 0, 0, 30, -40, 0, 0, 5, 1, 0)


def _focus(kind: int, mode: int, said_ms: int) -> bytes:
    return struct.pack("=IBBHIB23x", said_ms, kind, 3, 0, 0x400261, mode)


def _reply(*events: bytes, category: int = 0) -> bytes:
    data = b"".join(events)
    return struct.pack("=BBHI24x", 1, category, 0, len(data) // 4) + data


STREAM = (
    _reply(category=4)
    + _reply(_event(KEY_PRESS, 38, 7), _event(KEY_RELEASE, 38, 8))
    + _reply(_focus(FOCUS_OUT, 1, 11), _focus(FOCUS_IN | 0x80, 3, 12))
    + struct.pack("=B31x", MAPPING_CHANGED)
    + _reply(_event(BUTTON_PRESS, 1, 2**32 - 1))
)
EVENTS = [
    DeviceEvent(KEY_PRESS, 38, 7, 30, -40, 5),
    DeviceEvent(KEY_RELEASE, 38, 8, 30, -40, 5),
    FocusMoved(11, grab=True),
    FocusMoved(12, grab=False),
    None,
    DeviceEvent(BUTTON_PRESS, 1, 2**32 - 1, 30, -40, 5),
]


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_the_stream_is_the_same_wherever_it_is_cut(cuts: list[int]) -> None:
    """Events, moves of the focus and changes of the layout come out once and in order."""
    rest, events = bytearray(), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for begin, end in itertools.pairwise(edges):
        rest += STREAM[begin:end]
        events += split(rest).events
    assert (events, bytes(rest)) == (EVENTS, b"")


def test_an_error_or_an_absurd_length_ends_the_stream() -> None:
    """Nothing is guessed after it."""
    half = _reply(_event(KEY_PRESS, 38, 7)[:32])
    for broken in (bytes(32), struct.pack("=BBHI24x", 1, 0, 0, 2**30), half):
        with pytest.raises(DisplayGoneError):
            split(bytearray(broken))


def test_an_echo_is_no_input_and_the_end_of_the_data_is_deafness() -> None:
    """What the server says of ourselves proves that the hook hears; a context that was switched off says so."""
    came = split(bytearray(_reply(b"\x7f\x00\x01\x00", category=1) + _reply(_focus(FOCUS_IN, 0, 12))))
    assert (came.echoes, came.has_input()) == (1, False)
    assert split(bytearray(_reply(_event(KEY_PRESS, 38, 7)))).has_input()
    assert Came([], moves=1).has_input()
    with pytest.raises(DeafError):
        split(bytearray(_reply(category=5)))


class Control:
    """The connection that asks: alive, or gone with its server."""

    def __init__(self, alive: bool) -> None:
        self.alive = alive

    def sync(self) -> None:
        if not self.alive:
            raise ConnectionResetError


@pytest.mark.parametrize(("alive", "error"), [(True, DeafError), (False, DisplayGoneError)])
def test_a_hook_whose_connection_ends_alone_is_deaf_and_with_its_server_is_gone(alive: bool, error: type[Exception]) -> None:
    """The other connection knows."""
    ours, theirs = socket.socketpair()
    stream = object.__new__(RecordStream)
    stream._socket, stream._rest, stream._control = ours, bytearray(), Control(alive)
    theirs.close()
    with ours, pytest.raises(error):
        stream.read()


def test_only_what_the_granted_kinds_need_is_recorded() -> None:
    """Keys and moves of the focus for key kinds, buttons for pointer kinds, nothing for windows alone."""
    keys = [Range(2, 3), Range(9, 10, delivered=True)]
    assert ranges(frozenset({Kind.FOCUS, Kind.GAP, Kind.CONTROL, Kind.SECURE_INPUT})) == []
    assert ranges(frozenset({Kind.TYPING_BURST})) == keys
    assert ranges(frozenset({Kind.POINTER_SCROLL})) == [Range(4, 5)]
    assert ranges(frozenset(Kind)) == [*keys, Range(4, 5)]


@given(age_ms=st.integers(0, OLDEST_MS), awake_ms=st.integers(OLDEST_MS, 2**40))
def test_an_x_time_is_found_on_our_clocks(age_ms: int, awake_ms: int) -> None:
    """Modulo 2^32, and across its wrap."""
    now = Clocks(awake_ms, awake_ms + 5, awake_ms + 10**12)
    then = awake_ms - age_ms
    assert clocks_of(then % 2**32, now) == Clocks(then, then + 5, then + 10**12)


def test_a_foreign_clock_is_not_believed() -> None:
    """A time in the future, or long ago: the input is as old as its arrival."""
    now = Clocks(10**9, 10**9, 10**12)
    assert clocks_of((10**9 + 1) % 2**32, now) == now
    assert clocks_of(10**9 - OLDEST_MS - 1, now) == now


def test_a_device_event_shows_no_keycode() -> None:
    """Its repr is its name."""
    assert repr(EVENTS[0]) == "<DeviceEvent>"
