"""The RECORD hook: X device events as fixed-size records, read without a library in between (5 us an event).

It asks the X server for the events that the granted kinds need and for nothing else: no requests, no other events. Of a
move of the input focus it reads that it was one: neither where to, nor whose. Plain moves come by a stream of their own
(`x11_moves`).
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from collectors.errors import DeafError, DisplayGoneError, NotObservableError
from consent.vocabulary import Kind

KEY_PRESS, KEY_RELEASE, BUTTON_PRESS, BUTTON_RELEASE, MOTION = range(2, 7)
FOCUS_IN, FOCUS_OUT = 9, 10
MAPPING_CHANGED = 34

_REPLY, _ERROR = 1, 0
_UNIT_BYTES = 32
_FROM_SERVER, _FROM_CLIENT, _END_OF_DATA = 0, 1, 5
_NO_OPERATION = 127
_LONGEST_REPLY_BYTES = 1 << 20
_TIME_BYTES = 4
"""The server puts its time before each event: an event about the focus has none of its own."""
ELEMENT_BYTES = _TIME_BYTES + _UNIT_BYTES
_MODE_AT, _GRAB_MODES = 8, (1, 2)
_DEVICE_EVENT = struct.Struct("=BBxxIxxxxxxxxxxxxhhxxxxHxx")
_NEED_KEYS = frozenset({Kind.KEY_NAMED, Kind.KEY_CHORD, Kind.TYPING_BURST})
_NEED_BUTTONS = frozenset({Kind.POINTER_BUTTON, Kind.POINTER_SCROLL, Kind.POINTER_PATH, Kind.ELEMENT})
HOOKED_KINDS = _NEED_KEYS | _NEED_BUTTONS
"""Kinds that come out of this hook."""


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """One X device event. `detail` is a keycode or a button; it goes no further than the one function that classes it.

    Attributes:
        time_ms: The server's clock, modulo 2^32.
        x: Pixels from the left edge of the root window; `y` from its top.
    """

    type: int
    detail: int
    time_ms: int
    x: int
    y: int
    state: int

    def __repr__(self) -> str:
        return "<DeviceEvent>"


@dataclass(frozen=True, slots=True)
class FocusMoved:
    """The server moved the input focus, or a program grabbed the keyboard or let it go: keys before and after it may go
    to different windows.

    Attributes:
        time_ms: As of a DeviceEvent.
        grab: It was only a grab.
    """

    time_ms: int
    grab: bool


@dataclass(slots=True)
class Came:
    """What came since the last reading.

    Attributes:
        events: In the order in which the server handled them; None stands for a change of the keyboard's layout.
        moves: How many plain moves there were.
        echoes: How often the server said what `RecordStream.echo` had it say.
    """

    events: list[DeviceEvent | FocusMoved | None]
    moves: int = 0
    echoes: int = 0

    def has_input(self) -> bool:
        """Whether somebody did something."""
        return self.moves > 0 or any(isinstance(event, DeviceEvent) for event in self.events)


@dataclass(frozen=True, slots=True)
class Range:
    """Event types, first and last.

    Attributes:
        delivered: Events as windows get them, which is how the focus is told; otherwise as devices make them.
    """

    first: int
    last: int
    delivered: bool = False


def ranges(kinds: frozenset[Kind]) -> list[Range]:
    """The event types that the granted kinds need, without plain moves; empty: no hook.

    Moves of the focus come with the keys: they say which keys belong together.
    """
    keys = [Range(KEY_PRESS, KEY_RELEASE), Range(FOCUS_IN, FOCUS_OUT, delivered=True)] if kinds & _NEED_KEYS else []
    return keys + ([Range(BUTTON_PRESS, BUTTON_RELEASE)] if kinds & _NEED_BUTTONS else [])


def ranges_of_moves(kinds: frozenset[Kind]) -> list[Range]:
    """Plain moves come with the buttons, even if only buttons are granted: what was seen has to reconcile with what was done."""
    return [Range(MOTION, MOTION)] if kinds & _NEED_BUTTONS else []


class RecordStream:
    """The socket on which the X server tells device events, and nothing else after it was opened.

    Args:
        control: The connection that makes the RECORD context; a second one, to the same server, is given up to the stream.
    """

    def __init__(self, control: Any, wanted: list[Range]) -> None:
        from Xlib.ext import record

        if not control.has_extension("RECORD"):
            raise NotObservableError("this X server does not have the RECORD extension, without which input cannot be seen")
        context = control.record_create_context(record.FromServerTime, [record.AllClients], [_range(one) for one in wanted])
        control.record_register_clients(context, record.FromServerTime, [control.display.info.resource_id_base], [_ECHO])
        control.sync()
        data = _bare_connection(control.get_display_name())
        opcode = control.display.get_extension_major("RECORD")
        record.EnableContext(callback=None, display=data, defer=True, opcode=opcode, context=context)
        data.flush()
        self._control, self._data = control, data  # keeps the connections
        self._socket: socket.socket = data.socket
        self._socket.setblocking(False)
        self._rest = bytearray(data.data_recv)

    def fileno(self) -> int:
        """What to wait on."""
        return self._socket.fileno()

    def echo(self) -> None:
        """Have the server say through the hook that we did nothing: the one request that is recorded, and only of us."""
        self._control.no_operation()
        self._control.sync()  # the server hands over what it recorded when it answers somebody

    def read(self) -> Came:
        """What has come. Raises DisplayGoneError, DeafError."""
        return split(self.receive())

    def receive(self) -> bytearray:
        """All bytes that have come and were not taken off the front yet. Raises DisplayGoneError, DeafError."""
        try:
            while chunk := self._socket.recv(1 << 16):
                self._rest += chunk
        except BlockingIOError:
            return self._rest
        except OSError:
            pass
        from Xlib.error import ConnectionClosedError

        try:
            self._control.sync()
        except (ConnectionClosedError, OSError) as error:
            raise DisplayGoneError("the X server ended") from error
        raise DeafError("the hook is deaf: the X server closed its connection")


def _bare_connection(name: str) -> Any:
    """A connection without the library's keymap and extensions, which a stream does not need: 0.2 MiB instead of 0.4."""
    from Xlib.protocol.display import Display

    class Bare(Display):  # type: ignore[misc]
        resource_classes: ClassVar[dict[str, type]] = {}

    return Bare(name)


def split(rest: bytearray) -> Came:
    """Takes the complete messages off the front of `rest`.

    Raises:
        DisplayGoneError: An answer is an error.
        DeafError: There will be no more.
    """
    came = Came([])
    at = 0
    for kind, begin, end in messages(rest):
        if kind == _REPLY and rest[begin + 1] == _FROM_SERVER:
            _take(rest, begin + _UNIT_BYTES, end, came)
        elif kind == _REPLY:
            came.echoes += rest[begin + 1] == _FROM_CLIENT
        elif kind == MAPPING_CHANGED:
            came.events.append(None)
        at = end
    del rest[:at]
    return came


def elements(rest: bytearray, into: bytearray) -> int:
    """Takes the complete messages off the front of `rest`, and puts the events in them one after another.

    Returns:
        How many echoes were among them.

    Raises:
        DisplayGoneError: An answer is an error.
        DeafError: There will be no more.
    """
    at = echoes = 0
    for kind, begin, end in messages(rest):
        if kind == _REPLY and rest[begin + 1] == _FROM_SERVER:
            into += rest[begin + _UNIT_BYTES : end]
        elif kind == _REPLY:
            echoes += rest[begin + 1] == _FROM_CLIENT
        at = end
    del rest[:at]
    if len(into) % ELEMENT_BYTES:
        raise DisplayGoneError("the X server's answer cannot be read")
    return echoes


def messages(rest: bytearray) -> Iterator[tuple[int, int, int]]:
    """Of each complete message its sort, where it begins and where it ends. Raises DisplayGoneError, DeafError."""
    at = 0
    while len(rest) - at >= _UNIT_BYTES:
        kind = rest[at] & 0x7F
        if kind == _ERROR:
            raise DisplayGoneError("the X server refused to tell of input")
        extra = 4 * int.from_bytes(rest[at + 4 : at + 8], _ORDER) if kind == _REPLY else 0
        if extra > _LONGEST_REPLY_BYTES:
            raise DisplayGoneError("the X server's answer cannot be read")
        end = at + _UNIT_BYTES + extra
        if len(rest) < end:
            return
        if kind == _REPLY and rest[at + 1] == _END_OF_DATA:
            raise DeafError("the hook is deaf: it was switched off in the X server")
        yield kind, at, end
        at = end


def _take(rest: bytearray, begin: int, end: int, came: Came) -> None:
    if (end - begin) % ELEMENT_BYTES:
        raise DisplayGoneError("the X server's answer cannot be read")
    for start in range(begin, end, ELEMENT_BYTES):
        event = start + _TIME_BYTES
        sort = rest[event] & 0x7F
        if sort in (FOCUS_IN, FOCUS_OUT):
            came.events.append(FocusMoved(int.from_bytes(rest[start:event], _ORDER), rest[event + _MODE_AT] in _GRAB_MODES))
        else:
            came.events.append(DeviceEvent(*_DEVICE_EVENT.unpack_from(rest, event)))


_ORDER: Any = "little" if struct.pack("=H", 1)[0] else "big"


def _range(wanted: Range) -> dict[str, object]:
    none8, none_ext = (0, 0), (0, 0, 0, 0)
    return {
        "core_requests": none8,
        "core_replies": none8,
        "ext_requests": none_ext,
        "ext_replies": none_ext,
        "delivered_events": (wanted.first, wanted.last) if wanted.delivered else none8,
        "device_events": none8 if wanted.delivered else (wanted.first, wanted.last),
        "errors": none8,
        "client_started": False,
        "client_died": False,
    }


_ECHO = _range(Range(0, 0)) | {"core_requests": (_NO_OPERATION, _NO_OPERATION)}
