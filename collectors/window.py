"""Which window was in front, and which field had the focus, when. Pure; knows no titles, because nobody gives it any."""

from collections import deque

from collectors.minimise import Context, pixel
from collectors.raw import Front, Geometry, NoRole, Role
from consent.event import Focus

_LARGEST_EXTENT = 65535


def focus_of(geometry: Geometry) -> Focus:
    """The payload that says where a window is."""
    extents = (geometry.width, geometry.height, geometry.screen_width, geometry.screen_height)
    width, height, screen_width, screen_height = (max(0, min(_LARGEST_EXTENT, extent)) for extent in extents)
    return Focus(pixel(geometry.x), pixel(geometry.y), width, height, screen_width, screen_height)


class Timeline:
    """What held when, for as long as inputs are waiting to be judged. Until told otherwise: nothing is known."""

    def __init__(self, since_ms: int) -> None:
        self._contexts: deque[Context] = deque([Context(since_ms, Front(), NoRole.UNKNOWN)])

    @property
    def now(self) -> Context:
        """What holds now."""
        return self._contexts[-1]

    def front(self, at_ms: int, front: Front) -> None:
        """Another window is in front; what has the focus in it is not known yet."""
        self._append(at_ms, front, NoRole.UNKNOWN)

    def focus(self, at_ms: int, role: Role) -> None:
        """Something else got the focus in the same window."""
        self._append(at_ms, self.now.front, role)

    def resolve(self, role: Role) -> None:
        """What has had the focus since the latest change is known now."""
        latest = self._contexts.pop()
        self._contexts.append(Context(latest.since_ms, latest.front, role))

    def at(self, at_ms: int) -> Context:
        """What held at an instant; for one before all memory, the oldest that is known.

        A change in the same millisecond counts as later: a press can cause it, and was made before it.
        """
        return self.during(at_ms, at_ms)[0]

    def during(self, begin_ms: int, end_ms: int) -> list[Context]:
        """All that held from one instant to another, oldest first; at least one."""
        spans = [context for context in self._contexts if context.since_ms <= end_ms]
        while len(spans) > 1 and spans[1].since_ms < begin_ms:
            del spans[0]
        return spans or [self._contexts[0]]

    def forget_before(self, at_ms: int) -> None:
        """Nothing older than this instant will be asked for."""
        while len(self._contexts) > 1 and self._contexts[1].since_ms < at_ms:
            self._contexts.popleft()

    def _append(self, at_ms: int, front: Front, role: Role) -> None:
        self._contexts.append(Context(max(at_ms, self.now.since_ms), front, role))
