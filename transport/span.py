"""Which events a person means by "the last ten minutes", "that surface" or "everything", and when a hold is over. Pure.

In doubt a span covers more, and a hold lasts longer. `show` and `forget` use the same spans, so what is shown is what is forgotten;
of the same span `send` takes less in doubt: only what lies wholly in it, by every clock.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from consent.event import Clocks, Event, Gap, TypingBurst
from consent.vocabulary import Kind, SurfaceId

BIN_MS = 250  # the unit of a typing burst's length (consent.event.TypingBurst)
MINUTE_MS = 60_000  # to which a gap's clocks are cut down


class Cover(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What some events of one start of the machine cover. Times in milliseconds, ends included.

    Attributes:
        boot: Name of the start of the machine that boot_ms counts from.
        surfaces: Where they happened.
    """

    boot: str
    first_boot_ms: int
    last_boot_ms: int
    first_wall_ms: int
    last_wall_ms: int
    surfaces: frozenset[SurfaceId]


class Last(msgspec.Struct, frozen=True, tag="last", forbid_unknown_fields=True):
    """The last `seconds` before `now`, by wall clock or by elapsed time, whichever covers more."""

    seconds: int
    now: Clocks
    boot: str


class Between(msgspec.Struct, frozen=True, tag="between", forbid_unknown_fields=True):
    """From one instant to another, both included, by the wall clock that the events were shown with."""

    from_wall_ms: int
    to_wall_ms: int


class OfSurface(msgspec.Struct, frozen=True, tag="surface", forbid_unknown_fields=True):
    """Everything that happened on one surface."""

    surface: SurfaceId


class OfPairs(msgspec.Struct, frozen=True, tag="pairs", forbid_unknown_fields=True):
    """Every event of these kinds on these surfaces, each pair given; of no surface: None. What a policy no longer asks for."""

    pairs: tuple[tuple[SurfaceId | None, Kind], ...]


class Everything(msgspec.Struct, frozen=True, tag="everything", forbid_unknown_fields=True):
    """All of it."""


Span = Last | Between | OfSurface | OfPairs | Everything
Ends = Mapping[str, int]
"""For each start of the machine, the last boot_ms known of it."""


def cover_of(events: Sequence[Event], boot: str) -> Cover:
    """What these events, at least one, cover."""
    return Cover(
        boot,
        min(event.at.boot_ms for event in events),
        max(event.at.boot_ms + _lasts_ms(event) for event in events),
        min(event.at.wall_ms for event in events),
        max(event.at.wall_ms + _lasts_ms(event) for event in events),
        frozenset(event.surface for event in events if event.surface is not None),
    )


def join(first: Cover | None, second: Cover) -> Cover:
    """What both cover; they are of the same start of the machine."""
    if first is None:
        return second
    return Cover(
        second.boot,
        min(first.first_boot_ms, second.first_boot_ms),
        max(first.last_boot_ms, second.last_boot_ms),
        min(first.first_wall_ms, second.first_wall_ms),
        max(first.last_wall_ms, second.last_wall_ms),
        first.surfaces | second.surfaces,
    )


def join_by_boot(covers: Iterable[Cover]) -> tuple[Cover, ...]:
    """One cover for each start of the machine."""
    joined: dict[str, Cover] = {}
    for cover in covers:
        joined[cover.boot] = join(joined.get(cover.boot), cover)
    return tuple(joined.values())


def ends_of(covers: Iterable[Cover]) -> Ends:
    """The last boot_ms known of each start of the machine."""
    return {cover.boot: cover.last_boot_ms for cover in join_by_boot(covers)}


def touches(span: Span, cover: Cover, ends: Ends) -> bool:
    """Whether any of what is covered may lie in the span; exact for the cover of a single event, but for `OfPairs`."""
    match span:
        case Everything():
            return True
        case OfSurface(surface):
            return surface in cover.surfaces
        case OfPairs(pairs):  # a cover does not know its kinds, nor whether it has events of no surface
            return any(surface is None or surface in cover.surfaces for surface, _ in pairs)
        case Between(begin, end):
            return cover.first_wall_ms <= end and cover.last_wall_ms >= begin
        case Last():
            reach_ms = span.seconds * 1000
            return cover.last_wall_ms >= span.now.wall_ms - reach_ms or _at_least_ago_ms(cover, span.boot, span.now, ends) <= reach_ms


def holds(span: Span, event: Event, boot: str, ends: Ends) -> bool:
    """Whether an event of this start of the machine lies in the span."""
    if isinstance(span, OfPairs):
        return (event.surface, event.kind) in span.pairs
    return touches(span, cover_of((event,), boot), ends)


def within(span: Span, event: Event, boot: str, ends: Ends) -> bool:
    """Whether all of an event lies in the span, by every clock that knows: what may be sent because a person named this span."""
    cover = cover_of((event,), boot)
    match span:
        case Everything():
            return True
        case OfSurface(surface):
            return event.surface == surface
        case OfPairs(pairs):
            return (event.surface, event.kind) in pairs
        case Between(begin, end):
            return begin <= cover.first_wall_ms and cover.last_wall_ms <= end
        case Last():
            begun = Cover(boot, cover.first_boot_ms, cover.first_boot_ms, cover.first_wall_ms, cover.first_wall_ms, cover.surfaces)
            reach_ms = span.seconds * 1000
            by_wall = span.now.wall_ms - reach_ms <= begun.first_wall_ms and cover.last_wall_ms <= span.now.wall_ms
            return by_wall and _at_least_ago_ms(begun, span.boot, span.now, ends) <= reach_ms


def is_due(cover: Cover, *, boot: str, now: Clocks, hold_s: int) -> bool:
    """Whether all that is covered has been held for hold_s. Within one start of the machine no wall clock has a say.

    For an earlier start only the wall clock knows how long the machine was off; whoever calls this also waits for some minutes
    in which a person was there to look, so that a clock that was set wrong does not send at once.
    """
    if cover.boot == boot:
        return now.boot_ms - cover.last_boot_ms >= hold_s * 1000
    return now.wall_ms - cover.last_wall_ms >= hold_s * 1000


def _at_least_ago_ms(cover: Cover, boot: str, now: Clocks, ends: Ends) -> int:
    """How much time has elapsed since, as far as can be known: how long the machine was off between two starts cannot."""
    if cover.boot == boot:
        return now.boot_ms - cover.last_boot_ms
    return now.boot_ms + max(0, ends.get(cover.boot, cover.last_boot_ms) - cover.last_boot_ms)


def _lasts_ms(event: Event) -> int:
    """How far an event reaches beyond its clocks, which name its beginning, or the minute it is in."""
    match event.payload:
        case TypingBurst():
            return event.payload.bins * BIN_MS
        case Gap():
            return MINUTE_MS
        case _:
            return 0
