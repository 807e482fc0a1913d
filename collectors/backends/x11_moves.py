"""Plain moves of the pointer, by a RECORD stream of their own, read late: a mouse that tells a thousand a second wakes nobody.

All moves are counted. Of those over a recorded window in front, or while a button is held that went to one, one in 34 ms
is looked at, and only if paths are granted; of the others not even where they went is read.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct

from collectors.backends.x11_monitors import Monitors
from collectors.backends.x11_record import ELEMENT_BYTES, Came, RecordStream, elements
from collectors.backends.x11_time import clocks_of
from collectors.collector import Clock
from collectors.paths import APPROACH_MS, SPACING_MS
from collectors.raw import Point, Went
from collectors.shape import Shaper
from consent.event import Clocks

LULL_MS = 150
"""While moves keep coming they are read this often. What waits fits the socket (278 messages of one move, measured); where
it does not, the X server keeps it."""
_WORDS, _TIME_WORD = ELEMENT_BYTES // 4, 2
_PLACE = Struct("=8xI12xhh4xH2x")
_ANY_BUTTON = 0x100 | 0x200 | 0x400


@dataclass(frozen=True, slots=True)
class Place:
    """One move that was looked at, as the X server tells it. `n`: itself, and those after it that were not."""

    time_ms: int
    x: int
    y: int
    held: bool
    n: int


class Pile:
    """Moves that have come and were not counted yet."""

    def __init__(self) -> None:
        self._elements = bytearray()
        self._latest_ms: int | None = None

    def __len__(self) -> int:
        return len(self._elements) // ELEMENT_BYTES

    def add(self, rest: bytearray) -> int:
        """Takes the complete messages off the front of `rest`; how many echoes were among them. Raises DisplayGoneError, DeafError."""
        return elements(rest, self._elements)

    def count(self, until_ms: int | None) -> int:
        """Takes those off that were made until an instant of the server's clock; None: all. Looks at no place."""
        n = self._until(self._times(), until_ms)
        del self._elements[: n * ELEMENT_BYTES]
        return n

    def look(self, until_ms: int | None) -> tuple[int, list[Place]]:
        """Takes those off that were made until an instant of the server's clock; None: all.

        Returns:
            How many came before the first place, and the places: at least SPACING_MS from one to the next, and from `until_ms`
            to the first of the next call.
        """
        times_ms = self._times()
        end = self._until(times_ms, until_ms)
        cuts = [0, *self._far_apart(times_ms, end), end]
        places = [self._place(at, following - at) for at, following in pairwise(cuts[1:])]
        del self._elements[: end * ELEMENT_BYTES]
        if until_ms is not None:
            self._latest_ms = until_ms
        elif places:
            self._latest_ms = places[-1].time_ms
        return cuts[1], places

    def _until(self, times_ms: list[int], until_ms: int | None) -> int:
        return len(times_ms) if until_ms is None else bisect_right(times_ms, until_ms)

    def _times(self) -> list[int]:
        with memoryview(self._elements) as view, view.cast("I") as words:
            return words[_TIME_WORD::_WORDS].tolist()

    def _far_apart(self, times_ms: list[int], end: int) -> list[int]:
        """Which are looked at. The server's times never go back, except from 2^32 to 0: then the next is looked at at once."""
        found = []
        at = 0
        while at < end:
            if self._latest_ms is not None and times_ms[at] >= self._latest_ms:
                at = bisect_left(times_ms, self._latest_ms + SPACING_MS, at, end)
            if at < end:
                found.append(at)
                self._latest_ms = times_ms[at]
                at += 1
        return found

    def _place(self, at: int, n: int) -> Place:
        time_ms, x, y, state = _PLACE.unpack_from(self._elements, at * ELEMENT_BYTES)
        return Place(time_ms, x, y, bool(state & _ANY_BUTTON), n)


class Moves:
    """The hook for plain moves.

    Args:
        granted: Whether paths are: otherwise no move is ever looked at.
    """

    def __init__(self, stream: RecordStream, granted: bool, shaper: Shaper, monitors: Monitors, read: Clock) -> None:
        self._stream, self._granted, self._shaper, self._monitors, self._read = stream, granted, shaper, monitors, read
        self._pile = Pile()
        self._trail: deque[Point] = deque(maxlen=APPROACH_MS // SPACING_MS + 2)
        self._asleep_until_ms: int | None = None
        self._came = Came([])

    def came(self) -> Came:
        """What has come since the last time this was asked, counted only: the hook's own sign of life."""
        came, self._came = self._came, Came([])
        return came

    def sources(self) -> list[int]:
        """What to wait on: nothing while moves keep coming, they are read when it is time."""
        return [] if self._asleep_until_ms is not None else [self._stream.fileno()]

    def due_ms(self) -> int | None:
        """When there is something to read, on the awake clock; None if what to wait on tells."""
        return self._asleep_until_ms

    def pump(self, looked_at: bool) -> None:
        """If it is time, all that has come. Raises DisplayGoneError, DeafError.

        Args:
            looked_at: Where the pointer is may be looked at: it is in a recorded window, as far as we know, or drags from one.
        """
        now_ms = self._read().awake_ms
        if self._asleep_until_ms is not None and now_ms < self._asleep_until_ms:
            return
        self._asleep_until_ms = now_ms + LULL_MS if self.until(None, looked_at) else None

    def until(self, server_ms: int | None, looked_at: bool) -> bool:
        """All that was made until an instant of the server's clock; whether that was anything. Raises DisplayGoneError, DeafError."""
        self._came.echoes += self._pile.add(self._stream.receive())
        n = self._look(server_ms) if self._granted and looked_at else self._count(server_ms)
        if self._pile and self._asleep_until_ms is None:  # what is left has left the socket, too
            self._asleep_until_ms = self._read().awake_ms + LULL_MS
        self._came.moves += n
        return n > 0

    def _count(self, server_ms: int | None) -> int:
        n = self._pile.count(server_ms)
        self._shaper.moved(n)
        return n

    def _look(self, server_ms: int | None) -> int:
        now = self._read()
        lead, places = self._pile.look(server_ms)
        points = tuple(self._point(place, now) for place in places)
        self._trail += points
        went = Went(points[0].at if points else now, lead, points)
        if went.n:
            self._shaper.went(went)
        return went.n

    def trail(self, at_ms: int) -> list[Point]:
        """The places that may be the way to a press, newest first; each is told once."""
        trail = [point for point in self._trail if point.at.awake_ms >= at_ms - APPROACH_MS]
        self._trail.clear()
        return trail[::-1]

    def _point(self, place: Place, now: Clocks) -> Point:
        return Point(clocks_of(place.time_ms, now), place.x, place.y, place.n, place.held, self._monitors.at(place.x, place.y))
