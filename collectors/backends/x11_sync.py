"""The four requests of X's SYNC extension (3.1) that idle time needs; python-xlib has none of them. Imported only once hooked."""

import struct
from typing import Any

from Xlib.protocol import rq

_FALLS = 1
_ALL_FIELDS = 0b111111
"""Counter, sort of value, value, test, delta, events."""


class _Begin(rq.ReplyRequest):  # type: ignore[misc]
    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(0), rq.RequestLength(), rq.Card8("major"), rq.Card8("minor"), rq.Pad(2))
    _reply = rq.Struct(rq.ReplyCode(), rq.Pad(1), rq.Card16("sequence_number"), rq.ReplyLength(), rq.Pad(24))


class _ListCounters(rq.ReplyRequest):  # type: ignore[misc]
    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(1), rq.RequestLength())
    _reply = rq.Struct(
        rq.ReplyCode(), rq.Pad(1), rq.Card16("sequence_number"), rq.ReplyLength(), rq.Card32("count"), rq.Pad(20), rq.Binary("data")
    )


class _QueryCounter(rq.ReplyRequest):  # type: ignore[misc]
    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(5), rq.RequestLength(), rq.Card32("counter"))
    _reply = rq.Struct(
        rq.ReplyCode(), rq.Pad(1), rq.Card16("sequence_number"), rq.ReplyLength(), rq.Int32("high"), rq.Card32("low"), rq.Pad(16)
    )


class _CreateAlarm(rq.Request):  # type: ignore[misc]
    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(8),
        rq.RequestLength(),
        rq.Card32("alarm"),
        rq.Card32("fields"),
        rq.Card32("counter"),
        rq.Card32("absolute"),
        rq.Int32("high"),
        rq.Card32("low"),
        rq.Card32("test"),
        rq.Int32("step_high"),
        rq.Card32("step_low"),
        rq.Card32("tells"),
    )


class IdleCounter:
    """A counter of the milliseconds since the last input of some sort.

    Attributes:
        event_type: What an event of its alarm has as its type.
    """

    def __init__(self, display: Any, opcode: int, event_type: int, counter: int) -> None:
        self._display, self._opcode, self._counter = display, opcode, counter
        self.event_type = event_type

    def read_ms(self) -> int:
        """What it says now."""
        answer = _QueryCounter(display=self._display.display, opcode=self._opcode, counter=self._counter)
        return (int(answer.high) << 32) + int(answer.low)

    def wake_after(self, rest_ms: int) -> None:
        """From now on an event tells of each input that comes after so long a rest."""
        alarm = self._display.display.allocate_resource_id()
        what = {"counter": self._counter, "absolute": 0, "high": 0, "low": rest_ms, "test": _FALLS, "step_high": 0, "step_low": 0}
        _CreateAlarm(display=self._display.display, opcode=self._opcode, alarm=alarm, fields=_ALL_FIELDS, tells=1, **what)


def idle_counter(display: Any, name: str) -> IdleCounter | None:
    """The counter of that name; None if this X server has none."""
    sync = display.query_extension("SYNC")
    if sync is None or not sync.present:
        return None
    _Begin(display=display.display, opcode=sync.major_opcode, major=3, minor=1)
    listed = _ListCounters(display=display.display, opcode=sync.major_opcode)
    number = named(int(listed.count), bytes(listed.data)).get(name)
    return IdleCounter(display, int(sync.major_opcode), int(sync.first_event) + 1, number) if number else None


def named(count: int, data: bytes) -> dict[str, int]:
    """The counters of a server by their names. Raises struct.error."""
    found, at = {}, 0
    for _ in range(count):
        number, size = struct.unpack_from("=I8xH", data, at)
        found[data[at + 14 : at + 14 + size].decode("latin-1")] = int(number)
        at += 14 + size + -(14 + size) % 4
    return found
