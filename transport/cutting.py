"""Cutting a span out of held segments, so that each lies wholly in it or wholly outside. A crash loses no event and doubles none.

1. What lies in the span and what does not is written anew, each as a segment of its own, under names that nothing reads yet.
2. A list of the old and the new ids is made durable. This is the moment: from here on the new ones are what is held.
3. The new segments get their names, the old ones are unlinked, the list goes. The next start or the next cut does what is left.
"""

import contextlib
from dataclasses import replace

import msgspec

from consent.event import Event
from consent.unreadable import UNREADABLE
from transport import disk, segment
from transport.held import Entry
from transport.segment import ID_BYTES, KEY_BYTES, NONCE_BYTES, SLOT_BYTES, Contents, SegmentError
from transport.shelf import NEW, SEGMENT, Shelf, entry_of
from transport.span import Span, ends_of, touches, within

CUT = "cut.list"
_MAX_LIST_BYTES = 16 * 1024 * 1024


class _Cut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which segments take the place of which."""

    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


def cut_out(shelf: Shelf, span: Span) -> frozenset[bytes]:
    """The ids of segments that lie wholly in the span, once those that lay on its edge are cut; no segment is open for writing.

    What cannot be read is in none of them. Raises OSError if the disk refuses; then nothing has changed.
    """
    finish(shelf)
    ends = ends_of(entry.cover for entry in shelf.entries.values())
    inside: set[bytes] = set()
    old: list[bytes] = []
    new: list[tuple[Entry, bool]] = []
    try:
        for entry in [entry for entry in shelf.entries.values() if touches(span, entry.cover, ends)]:
            contents = _contents(shelf, entry)
            lies_in = [within(span, event, contents.heading.boot, ends) for event in contents.events] if contents else []
            if contents is None or not any(lies_in):
                continue
            if all(lies_in):
                inside.add(entry.id)
                continue
            old.append(entry.id)
            for part in (True, False):
                events = tuple(event for event, is_in in zip(contents.events, lies_in, strict=True) if is_in is part)
                new.append((_write(shelf, contents, events), part))
        if old:
            _decide(shelf, _Cut(tuple(old), tuple(entry.id for entry, _ in new)))
    except OSError:
        for entry, _ in new:
            with contextlib.suppress(OSError):
                shelf.path(entry.id, NEW).unlink(missing_ok=True)
        raise
    for segment_id in old:
        del shelf.entries[segment_id]
    shelf.entries |= {entry.id: entry for entry, _ in new}
    shelf.sort()
    finish(shelf)
    return frozenset(inside | {entry.id for entry, is_in in new if is_in})


def finish(shelf: Shelf) -> None:
    """The last step of a cut that was decided; nothing if there is none. Raises OSError; it is tried again with the next."""
    try:
        raw = disk.read(shelf.folder / CUT, _MAX_LIST_BYTES)
    except FileNotFoundError:
        return
    try:
        cut = msgspec.msgpack.decode(raw, type=_Cut)
    except UNREADABLE:
        cut = _Cut((), ())  # damaged after the fact: old and new may both be there, and one of them has no name that is read
    for segment_id in cut.new:
        with contextlib.suppress(FileNotFoundError):
            shelf.path(segment_id, NEW).rename(shelf.path(segment_id, SEGMENT))
    disk.sync_folder(shelf.folder)
    for segment_id in cut.old:
        shelf.path(segment_id).unlink(missing_ok=True)
    disk.sync_folder(shelf.folder)
    (shelf.folder / CUT).unlink(missing_ok=True)
    disk.sync_folder(shelf.folder)


def _contents(shelf: Shelf, entry: Entry) -> Contents | None:
    try:
        return shelf.load(shelf.path(entry.id))
    except (SegmentError, disk.NotPrivate, OSError):
        return None


def _write(shelf: Shelf, contents: Contents, events: tuple[Event, ...]) -> Entry:
    heading = replace(contents.heading, id=shelf.random(ID_BYTES), key=shelf.random(KEY_BYTES), slot=0)
    header = segment.start(heading, shelf.key(), shelf.random(NONCE_BYTES), shelf.random(SLOT_BYTES))
    record = segment.record(heading, 0, events)
    disk.write_new(shelf.path(heading.id, NEW), header + record)
    return entry_of(Contents(heading, (events,), len(header) + len(record)))


def _decide(shelf: Shelf, cut: _Cut) -> None:
    """Make the list durable. Raises OSError if it is certain that it is not there; in doubt the new segments are what is held."""
    path = shelf.folder / CUT
    try:
        disk.sync_folder(shelf.folder)
        disk.put(path, msgspec.msgpack.encode(cut))
    except OSError as refused:
        try:
            path.unlink(missing_ok=True)
            disk.sync_folder(shelf.folder)
        except OSError:
            return
        raise refused from None
