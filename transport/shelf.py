"""The hold's files and their index: one segment a file, found again at start. Refuses files that others could have touched.

Only the hold, its reopening and its forgetting use this. While the daemon runs the hold key is in memory, else only in the keystore.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from transport import disk, segment
from transport.held import Entry, Held, HoldStats
from transport.keystore import HOLD, SECRET_BYTES, Keystore
from transport.segment import Contents, SegmentError
from transport.span import cover_of

SEGMENT, NEW, BAD = ".seg", ".new", ".bad"
INTENT = "forget.intent"
MAX_FILE_BYTES = 16 * 1024 * 1024
"""A segment holds at most a batch of events, some 60 bytes each: half a megabyte. More than this is not ours."""

Random = Callable[[int], bytes]


class Shelf:
    """Files of one folder and what they hold, oldest first.

    Attributes:
        folder: 0700; nothing else is kept in it.
        keys: Where the hold key is.
        hold_key: The hold key; None as long as nothing was ever kept under one.
        entries: The index, by segment id.
    """

    def __init__(self, folder: Path, keys: Keystore, random: Random = os.urandom) -> None:
        disk.make_private(folder)
        self.folder, self.keys, self.random = folder, keys, random
        self.hold_key = keys.get(HOLD)
        self.entries: dict[bytes, Entry] = {}

    def path(self, segment_id: bytes, suffix: str = SEGMENT) -> Path:
        return self.folder / (segment_id.hex() + suffix)

    def files(self, suffix: str) -> list[Path]:
        """The files of one sort, by name."""
        return sorted(self.folder.glob("*" + suffix))

    def key(self) -> bytes:
        """The hold key, made now if there is none. Raises KeystoreError."""
        if self.hold_key is None:
            made = self.random(SECRET_BYTES)
            self.keys.put(HOLD, made)
            self.hold_key = made
        return self.hold_key

    def load(self, path: Path) -> Contents:
        """A segment's contents. Raises SegmentError, NotPrivate or OSError."""
        raw = disk.read(path, MAX_FILE_BYTES)
        return segment.read(raw, self.hold_key or bytes(SECRET_BYTES))

    def held(self, entry: Entry) -> Held:
        """A segment's events, decrypted. Raises SegmentError, NotPrivate or OSError."""
        contents = self.load(self.path(entry.id))
        return Held(entry.id, entry.purpose, contents.heading.boot, entry.cover, contents.events)

    def drop(self, ids: Iterable[bytes]) -> int:
        """Unlink whole segments, durably; the raw inputs they held. Needs no room on the disk."""
        n = 0
        for segment_id in ids:
            self.path(segment_id).unlink(missing_ok=True)
            entry = self.entries.pop(segment_id, None)
            n += entry.n if entry else 0
        disk.sync_folder(self.folder)
        return n

    def n(self) -> int:
        """Raw inputs that all that is held stands for."""
        return sum(entry.n for entry in self.entries.values())

    def events(self) -> int:
        """How many events are held."""
        return sum(entry.events for entry in self.entries.values())

    def sort(self) -> None:
        """Oldest first, as far as the wall clock knows."""
        self.entries = dict(sorted(self.entries.items(), key=lambda pair: (pair[1].cover.first_wall_ms, pair[0])))

    def stats(self) -> HoldStats:
        entries = self.entries.values()
        return HoldStats(
            segments=len(entries),
            events=self.events(),
            n=self.n(),
            held_bytes=sum(entry.held_bytes for entry in entries),
            oldest=next((entry.cover for entry in entries), None),
            quarantined=len(self.files(BAD)),
        )


def entry_of(contents: Contents) -> Entry:
    """The index entry of a segment that was read; it has at least one event. Raises SegmentError if it has none."""
    heading, events = contents.heading, contents.events
    if not events:
        raise SegmentError("a held segment has no events")
    n = sum(event.n for event in events)
    cover = cover_of(events, heading.boot)
    return Entry(heading.id, heading.purpose, heading.generation, heading.minute, cover, len(events), n, contents.good_bytes, heading.slot)
