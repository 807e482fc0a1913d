"""The hold: admitted events on this machine's disk, encrypted, for their subject to look at before anything leaves.

*Kept* means that `keep` returned: the bytes are on the disk. It takes nothing but `Admitted`, never blocks on being full, and never
gives an event to anybody but the subject (`read`) and the sealing (`load`).
"""

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from consent.event import Clocks, Event
from consent.gate import Admitted
from consent.vocabulary import Purpose
from transport import cutting, disk, forgetting, reopening, segment
from transport.batch import MAX_EVENTS
from transport.held import Due, Entry, Forgotten, Held, HoldStats, KeptCounts, Purged, plan
from transport.keystore import HOLD, Keystore, KeystoreError
from transport.segment import ID_BYTES, KEY_BYTES, NONCE_BYTES, SLOT_BYTES, Contents, Heading
from transport.shelf import Random, Shelf, entry_of
from transport.span import Cover, Span, cover_of, ends_of, holds, is_due, join, touches
from transport.term import Term

MAX_HOLD_BYTES = 256 * 1024 * 1024
"""Seven days, the longest hold, of eight hours at twenty events a second and 60 bytes each. An ordinary day is a hundredth of it."""

AGED_S = 30 * 24 * 3600
"""The longest hold is a week. What is still here after a month belongs to a consent that nobody acts on: pauses, an expired policy."""

_MINUTE_MS = 60_000


@dataclass(slots=True)
class _Open:
    """A segment that still takes records."""

    fd: int
    heading: Heading
    records: int


class Hold:
    """The held segments of one folder. One process at a time has it open, under the daemon's lock.

    Attributes:
        recovered: What opening found.

    Raises:
        NotPrivate: folder or files are not ours alone.
        KeystoreError: the keystore does not answer.
        OSError: the disk cannot be read.
    """

    def __init__(  # noqa: PLR0913 - all but two by keyword, most with the value that is right outside tests
        self,
        folder: Path,
        keys: Keystore,
        *,
        boot: str,
        consumed: Iterable[bytes] = (),
        max_bytes: int = MAX_HOLD_BYTES,
        random: Random = os.urandom,
    ) -> None:
        self._shelf = Shelf(folder, keys, random)
        self._boot, self._max_bytes, self._random = boot, max_bytes, random
        self._open: dict[Purpose, _Open] = {}
        self._consumed: set[bytes] = set()
        self.recovered = reopening.recover(self._shelf, consumed)
        self._held_bytes = self.stats().held_bytes

    def keep(self, admitted: Sequence[Admitted], now: Clocks) -> KeptCounts:
        """Keep events, durably. What finds no room in hold or disk is refused, newest first, and counted; nothing else fails."""
        kept_events = kept_n = 0
        for (generation, purpose), group in groupby(
            sorted(admitted, key=lambda one: (one.event.generation, one.purpose)), key=lambda one: (one.event.generation, one.purpose)
        ):
            events = [one.event for one in group]
            for begin in range(0, len(events), MAX_EVENTS):
                part = events[begin : begin + MAX_EVENTS]
                if not self._append(generation, purpose, now.boot_ms // _MINUTE_MS, part):
                    break
                kept_events += len(part)
                kept_n += sum(event.n for event in part)
        n = sum(one.event.n for one in admitted)
        return KeptCounts(kept_events, kept_n, len(admitted) - kept_events, n - kept_n)

    def read(self, span: Span | None = None) -> Iterator[Held]:
        """What is held, oldest first, a segment at a time, decrypted; with a span, only the events in it: what `forget` would drop."""
        ends = ends_of(entry.cover for entry in self._shelf.entries.values())
        for entry in list(self._shelf.entries.values()):
            if entry.id not in self._shelf.entries or (span is not None and not touches(span, entry.cover, ends)):
                continue
            held = self._shelf.held(entry)
            chosen = tuple(event for event in held.events if span is None or holds(span, event, held.boot, ends))
            if chosen:
                yield Held(held.id, held.purpose, held.boot, cover_of(chosen, held.boot), chosen)

    def stats(self) -> HoldStats:
        """What is held now, in counts."""
        return self._shelf.stats()

    def take_due(self, now: Clocks, term: Term | None, only: Collection[bytes] | None = None) -> list[Due]:
        """The batches that may be cut now; their segments take no more records.

        Args:
            term: When a hold is over; None: at once, because the subject says so.
            only: Ids of segments, as `cut_out` names them; None: any.
        """

        def over(cover: Cover) -> bool:
            return term is None or term.over(cover, boot=self._boot, now=now)

        plans = plan(self._shelf.entries.values(), over, only)
        taken = {segment_id for due in plans for segment_id in due.ids}
        for purpose in [purpose for purpose, opened in self._open.items() if opened.heading.id in taken]:
            self._close(purpose)
        return plans

    def cut_out(self, span: Span) -> frozenset[bytes]:
        """The ids of segments that hold exactly what lies in the span, once segments on its edge are cut in two; none takes more records.

        Raises OSError if the disk refuses; what is held is then what it was.
        """
        self._close_all()
        forgetting.mend(self._shelf)
        inside = cutting.cut_out(self._shelf, span)
        self._held_bytes = self.stats().held_bytes
        return inside

    def load(self, ids: Sequence[bytes]) -> list[Held]:
        """The events of these segments. Raises KeyError for one that is not held (any more), SegmentError or OSError."""
        return [self._shelf.held(self._shelf.entries[segment_id]) for segment_id in ids]

    def consume(self, ids: Sequence[bytes]) -> int:
        """Unlink segments that are sealed, durably, after the outbox has their envelope; the raw inputs they held.

        Whatever the disk says, they are never sealed again by this process. Raises OSError; what is left goes with the next ones.
        """
        self._close_all()
        n = sum(self._shelf.entries.pop(segment_id).n for segment_id in ids)
        self._consumed.update(ids)
        self._held_bytes = self.stats().held_bytes
        self._shelf.drop(self._consumed)
        self._consumed.clear()
        return n

    def drop_aged(self, now: Clocks, aged_s: int = AGED_S) -> int:
        """Unlink what has been held for longer than anything is, because it may not or cannot leave; the raw inputs it held.

        Raises OSError; what is left goes with the next ones.
        """
        aged = [entry.id for entry in self._shelf.entries.values() if is_due(entry.cover, boot=self._boot, now=now, hold_s=aged_s)]
        if not aged:
            return 0
        self._close_all()
        n = self._shelf.drop(aged)
        self._held_bytes = self.stats().held_bytes
        return n

    def forget(self, span: Span) -> Forgotten:
        """Drop what lies in the span, under a new hold key; durable when it returns. Works on a full disk, by dropping more."""
        self._close_all()
        with contextlib.suppress(OSError):  # what is left half cut does not open under the new key, and goes whole
            cutting.finish(self._shelf)
        forgetting.mend(self._shelf)
        forgotten = forgetting.forget(self._shelf, span)
        self._held_bytes = self.stats().held_bytes
        return forgotten

    def purge(self) -> Purged:
        """Destroy the hold key and all that is held. Works on a full disk; says so if the keystore refuses."""
        n = self._shelf.n()
        self._close_all()
        self._shelf.entries.clear()
        self._shelf.hold_key = None
        self._held_bytes = 0
        return Purged(n, purge(self._shelf.folder, self._shelf.keys))

    def close(self) -> None:
        """Close the files; everything is on the disk already."""
        self._close_all()

    def _append(self, generation: int, purpose: Purpose, minute: int, events: list[Event]) -> bool:
        opened = self._open.get(purpose)
        if opened is not None and not self._takes(opened, generation, minute, len(events)):
            self._close(purpose)
            opened = None
        try:
            return self._begin(generation, purpose, minute, events) if opened is None else self._add(purpose, opened, events)
        except (OSError, KeystoreError):
            return False

    def _takes(self, opened: _Open, generation: int, minute: int, events: int) -> bool:
        heading = opened.heading
        full = self._shelf.entries[heading.id].events + events > MAX_EVENTS
        return (heading.generation, heading.minute) == (generation, minute) and not full

    def _begin(self, generation: int, purpose: Purpose, minute: int, events: list[Event]) -> bool:
        key = self._shelf.key()
        heading = Heading(self._random(ID_BYTES), generation, minute, self._boot, purpose, self._random(KEY_BYTES))
        header = segment.start(heading, key, self._random(NONCE_BYTES), self._random(SLOT_BYTES))
        raw = header + segment.record(heading, 0, events)
        if self._held_bytes + len(raw) > self._max_bytes:
            return False
        path = self._shelf.path(heading.id)
        fd = disk.create(path)
        try:
            disk.write_whole(fd, raw)
            disk.sync_data(fd)
            disk.sync_folder(self._shelf.folder)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        self._shelf.entries[heading.id] = entry_of(Contents(heading, (tuple(events),), len(raw)))
        self._open[purpose] = _Open(fd, heading, 1)
        self._held_bytes += len(raw)
        return True

    def _add(self, purpose: Purpose, opened: _Open, events: list[Event]) -> bool:
        raw = segment.record(opened.heading, opened.records, events)
        entry = self._shelf.entries[opened.heading.id]
        if self._held_bytes + len(raw) > self._max_bytes:
            return False
        try:
            disk.write_whole(opened.fd, raw)
            disk.sync_data(opened.fd)
        except OSError:
            # Part of it may be there; it is cut now or at the next start, and its counter is never used again.
            with contextlib.suppress(OSError):
                os.ftruncate(opened.fd, entry.held_bytes)
            self._close(purpose)
            raise
        opened.records += 1
        self._grow(entry, events, len(raw))
        return True

    def _grow(self, entry: Entry, events: list[Event], added_bytes: int) -> None:
        entry.cover = join(entry.cover, cover_of(events, entry.cover.boot))
        entry.events += len(events)
        entry.n += sum(event.n for event in events)
        entry.held_bytes += added_bytes
        self._held_bytes += added_bytes

    def _close(self, purpose: Purpose) -> None:
        os.close(self._open.pop(purpose).fd)

    def _close_all(self) -> None:
        for purpose in list(self._open):
            self._close(purpose)


def purge(folder: Path, keys: Keystore) -> bool:
    """Destroy the hold key and unlink everything in a hold's folder, whatever state it is in; whether the key is gone.

    For a withdrawal without a daemon, and for a hold that does not open. Raises OSError if the folder itself cannot be changed.
    """
    try:
        keys.delete(HOLD)
        key_gone = True
    except KeystoreError:
        key_gone = False
    disk.empty(folder)
    return key_gone
