"""What was seen and what became of it, between two messages to the daemon. Pure.

Counts every raw input when it comes, and once more where it ends; that the two agree is for the daemon to check.
"""

from bisect import bisect_right
from itertools import pairwise

from collectors.pipe import Observed, encode
from consent.event import Event
from consent.vocabulary import Kind, Why

MOST_EVENTS = 5_000
"""Events that wait for a daemon that does not read: 0.3 MB, minutes of work. What is newer is dropped and counted."""
MOST_WAITING_BYTES = 512 * 1024
"""The same for long ones: a path of 90 points is 800 bytes, and 20 times that in memory."""
EVENTS_A_MESSAGE, BYTES_A_MESSAGE = 400, 32 * 1024
"""Events of 60 bytes: 24 KiB, well below the longest frame; of paths, as many as stay there."""


class Account:
    """Events to tell, and inputs that no event stands for, by reason."""

    def __init__(self, generation: int, kinds: frozenset[Kind]) -> None:
        self._generation, self._kinds = generation, kinds
        self._came = self._told = 0
        self.events: list[Event] = []
        self._ends: list[int] = [0]  # in bytes, where each waiting event ends if they are said one after another
        self.dropped: dict[Why, int] = {}

    def came(self, n: int = 1) -> None:
        """So many raw inputs were seen."""
        self._came += n

    def drop(self, why: Why, n: int = 1) -> None:
        """So many raw inputs were refused."""
        if n:
            self.dropped[why] = self.dropped.get(why, 0) + n

    def keep(self, event: Event) -> None:
        """An event is complete. It is refused here if its kind was not granted, or if nobody reads."""
        if event.kind not in self._kinds:
            self.drop(Why.KIND_NOT_CONSENTED, event.n)
            return
        end = self._ends[-1] + len(encode(event))
        if len(self.events) >= MOST_EVENTS or end > MOST_WAITING_BYTES:
            self.drop(Why.HOLD_FULL, event.n)
        else:
            self.events.append(event)
            self._ends.append(end)

    def take(self, pending: int) -> list[Observed]:
        """What to tell now, in messages that fit a frame. `pending`: the raw inputs of which it is not known yet."""
        seen = self._came - pending - self._told
        events, dropped, edges = self.events, self.dropped, self._edges()
        self.events, self.dropped, self._told, self._ends = [], {}, self._told + seen, [0]
        if not events and not dropped:
            return []
        first, *later = [tuple(events[begin:end]) for begin, end in pairwise(edges)] or [()]
        told = [Observed(self._generation, sum(event.n for event in cut), cut, {}) for cut in later]
        rest = seen - sum(message.seen for message in told)
        return [Observed(self._generation, max(rest, 0), first, dropped), *told]

    def _edges(self) -> list[int]:
        """Where the waiting events are cut into messages."""
        edges = [0]
        while edges[-1] < len(self.events):
            begin = edges[-1]
            fitting = bisect_right(self._ends, self._ends[begin] + BYTES_A_MESSAGE) - 1
            edges.append(max(begin + 1, min(fitting, begin + EVENTS_A_MESSAGE)))
        return edges
