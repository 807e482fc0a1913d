"""Which window was in front, and which field had the focus, when. Pure; knows no titles, because nobody gives it any."""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from collectors.minimise import Context, pixel
from collectors.raw import Front, Geometry, NoRole, Role
from consent.event import Focus

DOUBT_MS = 250
"""How long a change of the front that no move of the focus explains leaves in doubt where keys went."""
FRONT_SLACK_MS = 50
"""How long after the focus moved a window manager may say so for both to be one change (measured: 1 to 6 ms)."""
ONE_MOVE_MS = 5
"""The events of one move of the focus are told within this time (measured: 2 ms)."""
MOST_CHANGES = 256
"""Changes of front and focus, and moves, that are remembered; 2 s of them are two dozen. Of more, the oldest are nobody's."""
_LARGEST_EXTENT = 65535
_NEVER_MS = 1 << 62


def focus_of(geometry: Geometry) -> Focus:
    """The payload that says where a window is."""
    monitor = geometry.monitor
    return Focus(
        x=pixel(geometry.x),
        y=pixel(geometry.y),
        width=_extent(geometry.width),
        height=_extent(geometry.height),
        screen_width=_extent(geometry.screen_width),
        screen_height=_extent(geometry.screen_height),
        monitor_x=pixel(monitor.x),
        monitor_y=pixel(monitor.y),
        monitor_width=_extent(monitor.width),
        monitor_height=_extent(monitor.height),
        scale_percent=monitor.scale_percent,
    )


def _extent(pixels: int) -> int:
    return max(0, min(_LARGEST_EXTENT, pixels))


@dataclass(frozen=True, slots=True, order=True)
class _Move:
    """See `Timeline.moved`."""

    at_ms: int
    order_ms: int
    grab: bool


class Timeline:
    """What held when, for as long as inputs are waiting to be judged. Until told otherwise: nothing is known."""

    def __init__(self, since_ms: int) -> None:
        self._contexts: deque[Context] = deque([Context(since_ms, Front(), NoRole.UNKNOWN)])
        self._moves: deque[_Move] = deque()
        self._blind: deque[tuple[int, int]] = deque()

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

    def resolve(self, at_ms: int, role: Role) -> None:
        """What has had the focus since the latest change is known now. What was a password field was one until now."""
        if self.now.role is NoRole.SECURE and role is not NoRole.SECURE:
            self.focus(at_ms, role)
            return
        latest = self._contexts.pop()
        self._contexts.append(Context(latest.since_ms, latest.front, role))

    def moved(self, at_ms: int, order_ms: int, grab: bool) -> None:
        """The X server moved the input focus, from somewhere to somewhere.

        Args:
            at_ms: When.
            order_ms: No earlier; keys that it handled before have at most this time, and keys after it a later one.
            grab: It did not move; a program took the keyboard or let it go.
        """
        if len(self._moves) >= MOST_CHANGES:
            self._moves.popleft()
            self.blind(self._moves[0].at_ms - DOUBT_MS, self._moves[0].at_ms + DOUBT_MS)
        self._moves.append(_Move(at_ms, order_ms, grab))

    def blind(self, since_ms: int, until_ms: int) -> None:
        """What had the focus from one instant to another is not known, whatever was said: the news was not being read."""
        if self._blind and (since_ms <= self._blind[-1][1] or len(self._blind) >= MOST_CHANGES):
            before_ms, after_ms = self._blind.pop()
            since_ms, until_ms = min(since_ms, before_ms), max(until_ms, after_ms)
        self._blind.append((since_ms, until_ms))

    def is_blind(self, at_ms: int) -> bool:
        """Whether an instant is in such a time."""
        return any(since_ms <= at_ms <= until_ms for since_ms, until_ms in self._blind)

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

    def of_key(self, at_ms: int, end_ms: int) -> list[Context]:
        """All that a key may have gone to, given all that is known now, oldest first; at least one. `end_ms`: the end of its hold.

        Between two moves of the focus it stays where it is. So a key went to the window that came to the front between the
        move before it and the move after it, even if that was said after the key; and if nothing happened in the time before
        it, to the window in front, whatever came there after the next move. Anything else is in doubt: then it is all windows
        that were in front around it. News of the focus in these windows counts even after the hold: it may be late.
        """
        long_ago_ms = at_ms - DOUBT_MS
        before = max((move for move in self._moves if long_ago_ms - FRONT_SLACK_MS <= move.order_ms < at_ms), default=None)
        parted = min((move for move in self._moves if at_ms <= move.order_ms <= end_ms), default=_Move(end_ms + 1, end_ms + 1, grab=False))
        begin_ms = long_ago_ms if before is None else before.at_ms
        came = [context for context in self._arrivals() if begin_ms <= context.since_ms < parted.at_ms]
        if not came and (before is None or before.order_ms < long_ago_ms):
            return self._until_parted(self.at(at_ms).front, at_ms, parted, end_ms)
        if before is not None and came and self._said_in_time(came[0].since_ms, before.at_ms):
            return self._until_parted(came[-1].front, at_ms, parted, end_ms)
        around = self.during(begin_ms, end_ms)
        return around + self._later({context.front for context in around}, end_ms)

    def _arrivals(self) -> list[Context]:
        return [context for earlier, context in pairwise(self._contexts) if context.front != earlier.front]

    def _said_in_time(self, said_ms: int, moved_ms: int) -> bool:
        """Whether the front of `said_ms` is that of the move: it comes soon after it, and no earlier move waits for its news."""
        arrivals_ms = [context.since_ms for context in self._arrivals()]
        moves_ms = [move.at_ms for move in self._moves if not move.grab and move.at_ms < moved_ms - ONE_MOVE_MS] + [moved_ms]
        kept_up = True
        for ms, next_ms in pairwise(moves_ms):
            if next_ms - ms > DOUBT_MS:
                kept_up = True
            elif next_ms - ms > ONE_MOVE_MS:
                kept_up = kept_up and any(ms <= arrival_ms < next_ms for arrival_ms in arrivals_ms)
        return said_ms - moved_ms <= FRONT_SLACK_MS and kept_up

    def _until_parted(self, front: Front, at_ms: int, parted: _Move, end_ms: int) -> list[Context]:
        """What held in a window from an instant on. News of its fields after it lost the focus, or a program took the
        keyboard, come from that; only that a password field had the focus counts even then."""
        spans = [context for context in self.during(at_ms, end_ms) if context.front == front]
        others_ms = [context.since_ms for context in self._arrivals() if context.front != front]
        left = any(parted.at_ms <= ms <= parted.at_ms + FRONT_SLACK_MS for ms in others_ms)
        if not left and not parted.grab:
            return spans + self._later({front}, end_ms)
        spans += self._later({front}, end_ms)
        return spans[:1] + [context for context in spans[1:] if context.since_ms < parted.at_ms or context.role is NoRole.SECURE]

    def _later(self, fronts: set[Front], end_ms: int) -> list[Context]:
        """What was said of the focus in these windows after an instant, until they were left or a program took the keyboard; of a
        password field, even after that."""
        grabs_ms = [move.at_ms for move in self._moves if move.grab and move.order_ms > end_ms]
        others_ms = [context.since_ms for context in self._contexts if context.since_ms > end_ms and context.front not in fronts]
        left_ms = end_ms if self.during(end_ms, end_ms)[-1].front not in fronts else _NEVER_MS
        until_ms = min([left_ms, *grabs_ms, *others_ms])
        later = [context for context in self._contexts if context.since_ms > end_ms and context.front in fronts]
        return [context for context in later if context.role is NoRole.SECURE or context.since_ms < until_ms]

    def forget_before(self, at_ms: int) -> None:
        """Nothing older than this instant will be asked for."""
        while self._moves and self._moves[0].order_ms < at_ms:
            self._moves.popleft()
        while len(self._contexts) > 1 and self._contexts[1].since_ms < at_ms:
            self._contexts.popleft()
        while self._blind and self._blind[0][1] < at_ms:
            self._blind.popleft()

    def _append(self, at_ms: int, front: Front, role: Role) -> None:
        if len(self._contexts) >= MOST_CHANGES:
            oldest = self._contexts.popleft()
            self._contexts[0] = Context(oldest.since_ms, Front(), NoRole.UNKNOWN)
        self._contexts.append(Context(max(at_ms, self.now.since_ms), front, role))
