"""Paths out of moves of the pointer: while a button is held, and on the way to a press. Pure.

A move is kept only if something came of it. What leads up to a press is remembered for a second and a half, thinned, and
forgotten if no press that is kept follows: a hand that hovers or wanders never leaves the observer. Every raw move ends
in one path's `n`, or dropped as `no_kind`. A path is of one surface and within its window: it ends where another one comes to
the front, or where it leaves the window's box.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile

from collectors.account import Account
from collectors.minimise import pixel
from collectors.raw import Button, Front, Geometry, Point
from consent.event import MAX_POINTS, Event, PointerPath
from consent.vocabulary import SurfaceId, Why
from consent.words import PathPurpose

SPACING_MS = 34
"""Between two points: at most 30 in any second. A drag's shape needs no more, and a hand's own tremor shows in more."""
APPROACH_MS = 1_500
"""How much of the way to a press is its approach (AgentNet's own approaches: 0.3 to 5.8 s, most of it standing still)."""
CUT_MS = 3_000
"""A drag that goes on is told in pieces of this length at most, so that no more is lost if the observer is ended."""
LONGEST_MS = 60_000
"""The longest time that an event can tell."""
STILL_PX = 5
"""What stays within this of its first point is a hand at rest, and no path; a click may tremble as much (`custody.steps`)."""
_DRAGGING = frozenset({1, 2, 3})
"""Buttons that drag. The wheel's are none; a move says of no other whether it is held."""


@dataclass(slots=True)
class _Path:
    """A path so far, and how many raw moves it stands for.

    Attributes:
        button: What is held; 0 on the way to a press.
        last_ms: When its latest point was, on the awake clock.
        box: Of a drag: where its window is; None until that is in front.
        came_ms: Of a drag: when its window came to the front, on the awake clock; None: the press has yet to bring it there.
        left_ms: Of a drag: when another one, or another surface in the same one, did; None: it has not.
    """

    surface: SurfaceId
    window: int
    left: int
    top: int
    button: int = 0
    points: list[Point] = field(default_factory=list)
    n: int = 0
    last_ms: int = 0
    box: Geometry | None = None
    came_ms: int | None = None
    left_ms: int | None = None

    def is_of(self, front: Front) -> bool:
        """Whether it belongs to what is in front."""
        return (front.surface, front.window) == (self.surface, self.window)

    def goes_on_with(self, point: Point, front: Front) -> bool:
        """Whether a move is still of this drag, given what was in front then."""
        at_ms = point.at.awake_ms
        if self.came_ms is None:
            return True  # where its window is will be known when it comes
        left = self.left_ms is not None and at_ms > self.left_ms
        return not left and _within(self.box, point) and (at_ms <= self.came_ms or self.is_of(front))

    def add(self, point: Point) -> None:
        self.points.append(point)
        self.n += point.n
        self.last_ms = point.at.awake_ms

    def goes(self) -> bool:
        """Whether it is one: a hand at rest draws none."""
        return any(max(abs(point.x - self.points[0].x), abs(point.y - self.points[0].y)) >= STILL_PX for point in self.points)

    def cut_ms(self) -> int:
        """When it is told at the latest, on the awake clock: a drag may begin long after its press."""
        return self.points[:2][-1].at.awake_ms + CUT_MS if self.points else self.last_ms + CUT_MS


class Paths:
    """Tells the account about each path when it is over, or long enough."""

    def __init__(self, account: Account, generation: int) -> None:
        self._account, self._generation = account, generation
        self._front = Front()
        self._front_ms = 0
        self._box: Geometry | None = None
        self._recent: deque[Point] = deque()
        self._more = 0  # moves after the latest recent point
        self._drag: _Path | None = None

    def pending(self) -> int:
        """The raw moves of which it is not known yet whether something comes of them."""
        drag = self._drag.n if self._drag else 0
        return sum(point.n for point in self._recent) + self._more + drag

    def due_ms(self) -> int | None:
        """When `idle` has something to do, on the awake clock; None if nothing is open."""
        dues_ms = [self._recent[-1].at.awake_ms + APPROACH_MS] if self._recent else []
        if self._drag is not None and self._drag.n:
            dues_ms.append(self._drag.cut_ms())
        return min(dues_ms, default=None)

    # --- what happens ----------------------------------------------------------------------------------------------

    def front(self, at_ms: int, front: Front, geometry: Geometry | None) -> None:
        """Another window is in front, or another surface in it, or it was moved: what led somewhere in it led nowhere."""
        self.lead_nowhere()
        if front != self._front:
            self._front_ms = at_ms
        self._front, self._box = front, geometry
        drag = self._drag
        if drag is None:
            return
        if drag.is_of(front):
            drag.box = geometry
            if drag.came_ms is None:
                self._came(drag, at_ms)
        elif drag.came_ms is not None and drag.left_ms is None:
            drag.left_ms = at_ms  # moves that were made before may be told later

    def more(self, n: int) -> None:
        """So many moves right after the one before, which were not looked at."""
        if self._drag is not None:
            self._drag.n += n
        elif self._recent:
            self._more += n
        else:
            self._account.drop(Why.NO_KIND, n)

    def point(self, point: Point, front: Front) -> None:
        """A move that was looked at, with what was in front then."""
        if self._drag is not None and not (point.held and self._drag.goes_on_with(point, front)):
            self._end()  # it left its window, or its release was never seen
        if self._drag is not None:
            self._dragged(self._drag, point)
        elif point.held or not front.window or front != self._front or not _within(self._box, point):
            self.lead_nowhere()
            self._account.drop(Why.NO_KIND, point.n)
        elif self._recent and point.at.awake_ms - self._recent[-1].at.awake_ms < SPACING_MS:
            self._more += point.n
        else:
            self._forget_before(point.at.awake_ms - APPROACH_MS)
            self._close_up()
            self._recent.append(point)

    def pressed(self, button: Button, surface: SurfaceId) -> None:
        """A press that is kept: the way to it is told, and what follows until its release is a drag."""
        self._forget_before(max(button.at.awake_ms - APPROACH_MS, button.over_since_ms))
        in_front = (surface, button.window) == (self._front.surface, self._front.window)
        if self._recent and in_front:
            self._close_up()
            approach = _Path(surface, button.window, button.left, button.top)
            while self._recent:
                approach.add(self._recent.popleft())
            self._tell(approach)
        self.lead_nowhere()
        if self._drag is None and button.number in _DRAGGING:
            place = Point(button.at, button.left + button.x, button.top + button.y, 0, held=True, monitor=button.monitor)
            self._drag = _Path(surface, button.window, button.left, button.top, button.number)
            self._drag.add(place)
            if in_front:
                self._drag.box = self._box
                self._came(self._drag, self._front_ms)

    def released(self, number: int) -> None:
        """A button came up."""
        if self._drag is not None and self._drag.button == number:
            self._end()

    def lead_nowhere(self) -> None:
        """What was on its way to a press was not."""
        self._account.drop(Why.NO_KIND, sum(point.n for point in self._recent) + self._more)
        self._recent.clear()
        self._more = 0

    def idle(self, now_ms: int) -> None:
        """Time went by: forgets what is old, and tells what is long."""
        if self._recent and now_ms >= self._recent[-1].at.awake_ms + APPROACH_MS:
            self.lead_nowhere()
        if self._drag is not None and self._drag.n and now_ms >= self._drag.cut_ms():
            self._cut(self._drag)

    def close(self) -> None:
        """Ends everything that is open."""
        self.lead_nowhere()
        self._end()

    # --- one path ----------------------------------------------------------------------------------------------------

    def _came(self, drag: _Path, at_ms: int) -> None:
        """Its window is in front: of what came before that, only what was within it stays."""
        drag.came_ms = at_ms
        stays = list(takewhile(lambda point: _within(drag.box, point), drag.points))
        beyond = drag.points[len(stays) :]
        if beyond:
            n = sum(point.n for point in beyond)
            self._account.drop(Why.NO_KIND, n)
            drag.points, drag.n = stays, drag.n - n
            self._end()

    def _forget_before(self, at_ms: int) -> None:
        while self._recent and self._recent[0].at.awake_ms < at_ms:
            self._account.drop(Why.NO_KIND, self._recent.popleft().n)
        if not self._recent:
            self.lead_nowhere()

    def _close_up(self) -> None:
        """The latest point stands for what came after it."""
        if self._recent and self._more:
            last = self._recent.pop()
            self._recent.append(Point(last.at, last.x, last.y, last.n + self._more, last.held, last.monitor))
            self._more = 0

    def _dragged(self, drag: _Path, point: Point) -> None:
        now_ms = point.at.awake_ms
        if now_ms - drag.last_ms < SPACING_MS:
            drag.n += point.n
            return
        if drag.points and now_ms - drag.points[0].at.awake_ms > LONGEST_MS:
            self._cut(drag)
            drag.points.clear()
        drag.add(point)
        if len(drag.points) == MAX_POINTS:
            self._cut(drag)

    def _cut(self, drag: _Path) -> None:
        """Tells the drag so far; of one that has not begun, only where it may begin stays."""
        begun = drag.goes()
        self._tell(drag)
        drag.n = 0
        drag.points = [] if begun else drag.points[:1]

    def _end(self) -> None:
        if self._drag is not None:
            self._tell(self._drag)
        self._drag = None

    def _tell(self, path: _Path) -> None:
        if not path.goes() or (path.button and path.came_ms is None):  # a drag whose window never came is of nobody knows where
            self._account.drop(Why.NO_KIND, path.n)
            return
        first = path.points[0]
        payload = PointerPath(
            purpose=PathPurpose.DRAG if path.button else PathPurpose.APPROACH,
            t_ms=tuple(point.at.awake_ms - first.at.awake_ms for point in path.points),
            x=tuple(pixel(point.x - path.left) for point in path.points),
            y=tuple(pixel(point.y - path.top) for point in path.points),
            monitor_x=pixel(first.monitor.x),
            monitor_y=pixel(first.monitor.y),
            scale_percent=first.monitor.scale_percent,
        )
        self._account.keep(Event(path.surface, path.window, first.at, self._generation, path.n, payload))


def _within(box: Geometry | None, point: Point) -> bool:
    return box is not None and 0 <= point.x - box.x < box.width and 0 <= point.y - box.y < box.height
