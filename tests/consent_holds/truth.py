"""What really happened, beside the code under test: what the person was told, what they could see, and each event's right to exist.

Nothing here is read from the daemon but its answers. An event is good if it was permitted at the moment of its capture and nothing
that the person was told since covers it; every other one may be neither held nor sent.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from consent.event import Clocks, Event, PointerButton, PointerScroll
from consent.hours import parse
from consent.policy import Policy
from consent.vocabulary import Kind, Purpose, SurfaceId
from transport.span import Everything, Last, OfSurface, Span

SEEN_AT_LEAST_MS = 15 * 60_000
Pair = tuple[SurfaceId | None, Kind]


@dataclass(frozen=True, eq=False)
class Yes:
    """What was agreed to: pairs of app and kind, each with its purpose, in the words of one policy."""

    policy: Policy
    kinds: frozenset[Kind]

    def pairs(self) -> frozenset[Pair]:
        return frozenset(pair for pair in self.policy.scope().grants if pair[1] in self.kinds)

    def meets(self, now: Policy | None) -> frozenset[Pair]:
        """INV-15: what was agreed to, and is still asked for in the same words."""
        if now is None or (now.receiver, now.controller) != (self.policy.receiver, self.policy.controller):
            return frozenset()
        asked = now.scope().grants
        return frozenset(pair for pair in self.pairs() if pair in asked and self._same(pair[0], asked[pair], now))

    def _same(self, surface: SurfaceId | None, purpose: Purpose, now: Policy) -> bool:
        old, new = self.policy.purposes.get(purpose), now.purposes[purpose]
        if old is None or (old.public_key, old.title, old.readers) != (new.public_key, new.title, new.readers):
            return False
        if new.retention_days > old.retention_days:
            return False
        if surface is None:
            return True
        was, now_is = self.policy.surfaces[surface], now.surfaces[surface]
        return (was.executables, was.category, was.purpose) == (now_is.executables, now_is.category, now_is.purpose)


class Exempt(NamedTuple):
    """An exemption: on an app or of a kind; None for all of them."""

    id: str
    surface: SurfaceId | None
    kind: Kind | None

    def covers(self, pair: Pair) -> bool:
        return self.surface in (None, pair[0]) and self.kind in (None, pair[1])


@dataclass(frozen=True)
class Told:
    """What the person was told, or has just asked for: their last yes (None: no), whether they have paused, the hours they chose,
    and what they are exempt from."""

    yes: Yes | None = None
    paused: bool = False
    hours: str | None = None
    exempt: frozenset[Exempt] = frozenset()

    def permits(self) -> bool:
        """Whether anything at all may be hooked."""
        return self.yes is not None and not self.paused and not any(each[1:] == (None, None) for each in self.exempt)

    def exempts(self, pair: Pair) -> bool:
        return any(each.covers(pair) for each in self.exempt)

    def within_hours(self, wall_ms: int) -> bool:
        return self.hours is None or parse(self.hours).hold(wall_ms)


@dataclass
class Happened:
    """One event that an observer saw.

    Attributes:
        order: When, in the order of all that happens; `arrived`: when the daemon heard of it.
        bad: Why it must never be kept or sent; None while it may be.
        early: The person asked for it to be sent before its hold is over.
    """

    at: Clocks
    boot: str
    pair: Pair
    n: int
    order: int
    looked_ms: int
    bad: str | None
    arrived: int = 0
    early: bool = False


@dataclass
class Truth:
    """All events, and what was said. `order` counts everything that happens."""

    told: Told = Told()
    events: dict[int, Happened] = field(default_factory=dict)
    order: int = 0
    looked_ms: int = 0
    locked: bool = False
    holds: list[tuple[int, int]] = field(default_factory=list)
    pause_left_ms: int | None = None

    def tick(self) -> int:
        self.order += 1
        return self.order

    def cover(self, why: str, events: list[Happened]) -> None:
        """From now on these may be neither kept nor sent."""
        for event in events:
            event.bad = event.bad or why

    def cover_all(self, why: str) -> None:
        self.cover(why, list(self.events.values()))

    def within(self, span: Span, now: Clocks, boot: str) -> list[Happened]:
        """INV-11: what lies in a span that a person named, by wall or by elapsed time, whichever covers more."""
        return [event for event in self.events.values() if _in(span, event, now, boot)]

    def surely_within(self, span: Span, now: Clocks, boot: str) -> list[Happened]:
        """What lies in it by both clocks: what may leave because of it."""
        if not isinstance(span, Last):
            return self.within(span, now, boot)
        reach_ms = span.seconds * 1000
        found = [event for event in self.events.values() if 0 <= now.wall_ms - event.at.wall_ms <= reach_ms]
        return [event for event in found if event.boot != boot or now.boot_ms - event.at.boot_ms <= reach_ms]

    def hold_s(self, event: Happened) -> int:
        """INV-19: the longest hold that was promised since it was captured, in seconds."""
        since = [hold_s for order, hold_s in self.holds if order > event.order]
        before = [hold_s for order, hold_s in self.holds if order <= event.order][-1:]
        return max([SEEN_AT_LEAST_MS // 1000, *since, *before])

    def of(self, event: Event) -> Happened:
        """The truth about an event that turned up somewhere."""
        match event.payload:
            case PointerButton(x, y) | PointerScroll(x, y):
                return self.events[x + y * 30_000]
        raise AssertionError("an event turned up that never happened")

    def say_yes(self, yes: Yes) -> None:
        self.told = replace(self.told, yes=yes)


def _in(span: Span, event: Happened, now: Clocks, boot: str) -> bool:
    match span:
        case Everything():
            return True
        case OfSurface(surface):
            return event.pair[0] == surface
        case Last(seconds):
            elapsed = event.boot == boot and now.boot_ms - event.at.boot_ms <= seconds * 1000
            return elapsed or event.at.wall_ms >= now.wall_ms - seconds * 1000
    raise AssertionError("no such span is named here")
