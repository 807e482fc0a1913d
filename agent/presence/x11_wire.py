"""The bytes of the few X requests that ask about a session: X11 protocol, SYNC 3.1, MIT-SCREEN-SAVER 1.1, X-Resource 1.2. Pure.

Our own, because the daemon must not wait for an X server that hangs, and python-xlib waits; of input it can ask nothing.
"""

import re
import struct
from dataclasses import dataclass

UNIT_BYTES = 32
ERROR, REPLY, GENERIC_EVENT = 0, 1, 35
SAVER_ON = 1
LOCAL_FAMILY, ANY_FAMILY = 256, 65535
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_LOCAL_PID = 2
_ALARM_MASK = 0b111111
RISES, FALLS = 0, 1
"""Tests of an alarm: PositiveTransition and NegativeTransition."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where DISPLAY leads: a number on this machine, or elsewhere."""

    number: int
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class Setup:
    """What a server says first: the first resource of ours, and the root window."""

    first_id: int
    root: int


@dataclass(frozen=True, slots=True)
class Extension:
    """Its number among requests, and its first event."""

    major: int
    first_event: int


def address(display: str) -> Address:
    """Read DISPLAY. Raises ValueError."""
    found = re.fullmatch(r"(?:[a-z0-9]*/)?([^:/]*):(\d{1,5})(\.\d+)?", display)
    if found is None:
        raise ValueError("DISPLAY is not the name of a display")
    return Address(int(found[2]), found[1] not in ("", "unix"))


def cookie(entries: bytes, host: bytes, number: int) -> bytes:
    """The cookie for a display of this machine in an X authority file; empty if there is none. Raises struct.error."""
    at = 0
    while at < len(entries):
        (family,) = struct.unpack_from(">H", entries, at)
        at += 2
        fields = []
        for _ in range(4):
            (size,) = struct.unpack_from(">H", entries, at)
            fields.append(entries[at + 2 : at + 2 + size])
            at += 2 + size
        where, display, name, data = fields
        ours = family == ANY_FAMILY or (family == LOCAL_FAMILY and where == host)
        if ours and display in (b"", str(number).encode()) and name == _COOKIE:
            return data
    return b""


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def hello(secret: bytes) -> bytes:
    """The first message, little-endian, with a cookie or with none."""
    name = _COOKIE if secret else b""
    return struct.pack("<BxHHHHxx", 0x6C, 11, 0, len(name), len(secret)) + _padded(name) + _padded(secret)


HELLO_BYTES = 8


def rest_of_hello(start: bytes) -> int:
    """How many bytes follow the first 8 of the answer. Raises ValueError if we are not let in."""
    if start[0] != 1:
        raise ValueError("the X server does not let us in")
    return 4 * int.from_bytes(start[6:8], "little")


def setup(rest: bytes) -> Setup:
    """The rest of the first answer. Raises struct.error."""
    (first_id,) = struct.unpack_from("<I", rest, 4)
    (vendor_bytes,) = struct.unpack_from("<H", rest, 16)
    (root,) = struct.unpack_from("<I", rest, 32 + vendor_bytes + -vendor_bytes % 4 + 8 * rest[21])
    return Setup(first_id, root)


def _request(major: int, minor: int, body: bytes) -> bytes:
    return struct.pack("<BBH", major, minor, 1 + len(body) // 4) + body


def ask_extension(name: bytes) -> bytes:
    return _request(98, 0, struct.pack("<Hxx", len(name)) + _padded(name))


def extension(reply: bytes) -> Extension | None:
    return Extension(reply[9], reply[10]) if reply[8] else None


def ask_saver(saver: Extension, root: int) -> bytes:
    """Whether the screen saver is on: byte 1 of the answer."""
    return _request(saver.major, 1, struct.pack("<I", root))


def hear_saver(saver: Extension, root: int) -> bytes:
    """From now on an event tells that it went on or off: byte 1."""
    return _request(saver.major, 2, struct.pack("<II", root, 1))


def begin_sync(sync: Extension) -> bytes:
    return _request(sync.major, 0, struct.pack("<BBxx", 3, 1))


def ask_counters(sync: Extension) -> bytes:
    return _request(sync.major, 1, b"")


def idle_counter(reply: bytes) -> int | None:
    """The counter of the milliseconds since anybody touched anything; None if there is none. Raises struct.error."""
    (count,) = struct.unpack_from("<I", reply, 8)
    at = UNIT_BYTES
    for _ in range(count):
        number, size = struct.unpack_from("<I8xH", reply, at)
        if reply[at + 14 : at + 14 + size] == b"IDLETIME":
            return int(number)
        at += 14 + size + -(14 + size) % 4
    return None


def ask_counter(sync: Extension, counter: int) -> bytes:
    return _request(sync.major, 5, struct.pack("<I", counter))


def value(reply: bytes) -> int:
    """A counter's value. Raises struct.error."""
    high, low = struct.unpack_from("<iI", reply, 8)
    return (int(high) << 32) + int(low)


def make_alarm(sync: Extension, alarm: int, counter: int, test: int, at: int) -> bytes:
    """An event each time that the counter passes this value, in the one direction."""
    wanted = struct.pack("<IIiIIiII", counter, 0, at >> 32, at & 0xFFFFFFFF, test, 0, 0, 1)
    return _request(sync.major, 8, struct.pack("<II", alarm, _ALARM_MASK) + wanted)


def alarm_of(event: bytes) -> int:
    """Which alarm an AlarmNotify is of."""
    return int.from_bytes(event[4:8], "little")


def ask_clients(resource: Extension) -> bytes:
    """The processes of all programs that are connected from this machine."""
    return _request(resource.major, 4, struct.pack("<III", 1, 0, _LOCAL_PID))


def clients(reply: bytes) -> frozenset[tuple[int, int]]:
    """Each connection's first resource and its process. Raises struct.error."""
    (count,) = struct.unpack_from("<I", reply, 8)
    found, at = set(), UNIT_BYTES
    for _ in range(count):
        client, mask, size = struct.unpack_from("<III", reply, at)
        if mask & _LOCAL_PID and size >= 4:
            found.add((int(client), int(struct.unpack_from("<I", reply, at + 12)[0])))
        at += 12 + size
    return frozenset(found)
