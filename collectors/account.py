"""What was seen and what became of it, between two messages to the daemon. Pure.

Counts every raw input when it comes, and once more where it ends; that the two agree is for the daemon to check.
"""

from collectors.pipe import Observed
from consent.event import Event
from consent.vocabulary import Kind, Why

MOST_EVENTS = 5_000
"""Events that wait for a daemon that does not read: 0.3 MB, minutes of work. What is newer is dropped and counted."""
EVENTS_A_MESSAGE = 400
"""Events of 60 bytes: 24 KiB, well below the longest frame."""


class Account:
    """Events to tell, and inputs that no event stands for, by reason."""

    def __init__(self, generation: int, kinds: frozenset[Kind]) -> None:
        self._generation, self._kinds = generation, kinds
        self._came = self._told = 0
        self.events: list[Event] = []
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
        elif len(self.events) >= MOST_EVENTS:
            self.drop(Why.HOLD_FULL, event.n)
        else:
            self.events.append(event)

    def take(self, pending: int) -> list[Observed]:
        """What to tell now, in messages that fit a frame. `pending`: the raw inputs of which it is not known yet."""
        seen = self._came - pending - self._told
        events, dropped = self.events, self.dropped
        self.events, self.dropped, self._told = [], {}, self._told + seen
        if not events and not dropped:
            return []
        first, later = events[:EVENTS_A_MESSAGE], events[EVENTS_A_MESSAGE:]
        cuts = [tuple(later[at : at + EVENTS_A_MESSAGE]) for at in range(0, len(later), EVENTS_A_MESSAGE)]
        told = [Observed(self._generation, sum(event.n for event in cut), cut, {}) for cut in cuts]
        rest = seen - sum(message.seen for message in told)
        return [Observed(self._generation, max(rest, 0), tuple(first), dropped), *told]
