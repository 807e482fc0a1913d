"""What the hold says of itself: its index, its answers, and which segments make a batch together. Decides; reads no file. Pure."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from consent.event import Event
from consent.vocabulary import Purpose
from transport.batch import MAX_EVENTS, MAX_SEGMENTS
from transport.envelope import MAX_PAYLOAD_BYTES
from transport.span import Cover


@dataclass(slots=True)
class Entry:
    """One segment of the hold, as the index knows it. No event and no key is in the index.

    Attributes:
        id: 16 bytes.
        n: Raw inputs that its events stand for.
        held_bytes: Length of its file.
        slot: Which of its two key slots is in use.
    """

    id: bytes
    purpose: Purpose
    generation: int
    minute: int
    cover: Cover
    events: int
    n: int
    held_bytes: int
    slot: int


@dataclass(frozen=True, slots=True)
class Held:
    """The events of one segment, decrypted. `boot` names the start of the machine that boot_ms counts from."""

    id: bytes
    purpose: Purpose
    boot: str
    cover: Cover
    events: tuple[Event, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptCounts:
    """What became of events that were to be kept: on disk, or refused because the hold or the disk is full (`Why.HOLD_FULL`)."""

    events: int
    n: int
    full_events: int
    full_n: int


@dataclass(frozen=True, slots=True)
class HoldStats:
    """What is held now. `quarantined` segments are damaged: they are never sent, and go with the next forget or withdrawal."""

    segments: int
    events: int
    n: int
    held_bytes: int
    oldest: Cover | None
    quarantined: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a forget dropped, in raw inputs and events. `beyond_n`: more than was asked, because the disk or the keystore refused."""

    n: int
    events: int
    beyond_n: int = 0


@dataclass(frozen=True, slots=True)
class Recovered:
    """What opening the hold found. Nothing in it was acknowledged and is lost, but for `quarantined`.

    Attributes:
        torn: Segments whose unfinished tail was cut.
        quarantined: Segments that are damaged or that no key opens; renamed to .bad.
        consumed_n: Raw inputs of segments that an envelope in the outbox already holds.
        forgotten_n: Raw inputs that an interrupted forget dropped, all of it.
    """

    torn: int = 0
    quarantined: int = 0
    consumed_n: int = 0
    forgotten_n: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """Segments that make one batch together: of one purpose, their hold over."""

    purpose: Purpose
    ids: tuple[bytes, ...]
    events: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge dropped. `key_gone` False: the keystore refused, and the purge must be asked again."""

    n: int
    key_gone: bool


def plan(entries: Iterable[Entry], over: Callable[[Cover], bool], only: Collection[bytes] | None = None) -> list[Due]:
    """The batches that may be cut now, oldest segments first: those whose hold is over, and of the ids in `only` if it is given.

    A segment takes more bytes than its events do in a batch, so that what is planned here always fits an envelope, paths and all.
    """
    plans: list[Due] = []
    weights: list[int] = []
    latest: dict[Purpose, int] = {}
    for entry in entries:
        if (only is not None and entry.id not in only) or not over(entry.cover):
            continue
        place = latest.get(entry.purpose)
        due = plans[place] if place is not None else None
        if due is None or place is None or _is_full(due, weights[place], entry):
            latest[entry.purpose] = len(plans)
            plans.append(Due(entry.purpose, (entry.id,), entry.events))
            weights.append(entry.held_bytes)
        else:
            plans[place] = Due(due.purpose, (*due.ids, entry.id), due.events + entry.events)
            weights[place] += entry.held_bytes
    return plans


def _is_full(due: Due, held_bytes: int, entry: Entry) -> bool:
    fits = due.events + entry.events <= MAX_EVENTS and held_bytes + entry.held_bytes <= MAX_PAYLOAD_BYTES
    return not fits or len(due.ids) >= MAX_SEGMENTS
