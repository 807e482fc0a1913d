"""Forgetting in the hold, so that a crash at any point leaves either nothing forgotten or all of it. Refuses to leave a doubt: drops more.

1. The intent, sealed under the old hold key, is made durable. From here on it will be completed, now or at the next start.
2. Segments that lie wholly in the span are unlinked; what survives of the others is written anew under the new hold key;
   segments outside the span get the new hold key into their free slot, in place.
3. The new hold key replaces the old one in the keystore. This is the moment: what was not prepared for the new key is dead.
4. What is dead is unlinked, what was written anew gets its name, the intent goes.

Whatever cannot be prepared is dropped whole. If the key itself cannot be replaced, all that is held is dropped.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.event import Event
from consent.unreadable import UNREADABLE
from transport import disk, segment
from transport.held import Entry, Forgotten
from transport.keystore import HOLD, SECRET_BYTES, KeystoreError
from transport.segment import ID_BYTES, KEY_BYTES, NONCE_BYTES, SLOT_BYTES, Contents, SegmentError
from transport.shelf import BAD, INTENT, NEW, SEGMENT, Shelf, entry_of
from transport.span import Everything, Span, ends_of, holds, touches

_LABEL = b"volens/forget/1"
_MAX_INTENT_BYTES = 4096
_SYNCS_AT_ONCE, _OPEN_AT_ONCE = 8, 64
"""A disk that is asked to make eight files durable at once does so in little more than the time of one."""
_Covered = Callable[[Event, str], bool]
"""Whether an event of a start of the machine lies in the span."""


class _Intent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A forget that was decided: under which key, how much was held before, and the sealed span."""

    key_name: bytes
    held_n: int
    nonce: bytes
    sealed_span: bytes


def forget(shelf: Shelf, span: Span) -> Forgotten:
    """Drop what lies in the span; no segment is open for writing. Durable, and beyond recovery, when it returns.

    The hold's files may not be in use. Never refuses: what cannot be done exactly is done more widely.
    """
    ends = ends_of(entry.cover for entry in shelf.entries.values())
    touched = [entry for entry in shelf.entries.values() if touches(span, entry.cover, ends)]
    if not touched and not shelf.files(BAD):
        return Forgotten(0, 0)

    def covered(event: Event, boot: str) -> bool:
        return holds(span, event, boot, ends)

    before_n, before_events = shelf.n(), shelf.events()
    gone = {entry.id for entry in touched}
    new_key = shelf.random(SECRET_BYTES)
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        if _declare(shelf, span, before_n):
            asked_n, recut = _recut_all(shelf, touched, new_key, covered if not isinstance(span, Everything) else None, pool)
        else:
            asked_n, recut = sum(_asked_n(shelf, entry, covered) for entry in touched), []
            shelf.drop(gone)  # no room to declare it: whole segments, which needs none
            touched = []
        ready = _prepare(shelf, [entry for entry in shelf.entries.values() if entry.id not in gone], new_key, pool)
    if not _replace_key(shelf, new_key, [entry.id for entry in touched]):
        shelf.drop(list(shelf.entries))
        recut, ready = [], []
    shelf.entries = {entry.id: entry for entry in ready + recut}
    finish(shelf)
    shelf.sort()
    n = before_n - shelf.n()
    return Forgotten(n, before_events - shelf.events(), n - asked_n)


def resume(shelf: Shelf) -> tuple[Span | None, int] | None:
    """What an interrupted forget left to do, at start: the span to forget again, or None if only `finish` is left, and what was held.

    None if no forget was interrupted.
    """
    for undecided in shelf.files(disk.PART):
        undecided.unlink()
    try:
        raw = disk.read(shelf.folder / INTENT, _MAX_INTENT_BYTES)
    except FileNotFoundError:
        for stray in shelf.files(NEW):
            stray.unlink()
        return None
    try:
        intent = msgspec.msgpack.decode(raw, type=_Intent)
    except UNREADABLE:
        return Everything(), 0  # an intent that cannot be read: in doubt, all of it
    if shelf.hold_key is None or intent.key_name != _key_name(shelf.hold_key):
        return None, intent.held_n
    try:
        plain = AESGCM(shelf.hold_key).decrypt(intent.nonce, intent.sealed_span, _LABEL)
        return msgspec.msgpack.decode(plain, type=Span), intent.held_n
    except (InvalidTag, *UNREADABLE):
        return Everything(), intent.held_n


def mend(shelf: Shelf) -> None:
    """Complete what an error of the disk cut short in an earlier forget of this process: its survivors get their names."""
    if (shelf.folder / INTENT).exists():
        finish(shelf)


def finish(shelf: Shelf) -> None:
    """The last step: what the present hold key does not open goes, what was written anew for it gets its name, the intent goes."""
    for path in shelf.files(NEW):
        if _opens(shelf, path):
            path.rename(path.with_suffix(SEGMENT))
        else:
            path.unlink()
    for path in shelf.files(SEGMENT):
        if not _opens(shelf, path):
            path.unlink()
    for path in shelf.files(BAD):
        path.unlink()
    disk.sync_folder(shelf.folder)
    (shelf.folder / INTENT).unlink(missing_ok=True)
    disk.sync_folder(shelf.folder)


def _declare(shelf: Shelf, span: Span, held_n: int) -> bool:
    key = shelf.hold_key or bytes(SECRET_BYTES)
    nonce = shelf.random(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, msgspec.msgpack.encode(span), _LABEL)
    try:
        disk.put(shelf.folder / INTENT, msgspec.msgpack.encode(_Intent(_key_name(key), held_n, nonce, sealed)))
    except OSError:
        return False
    return True


def _recut_all(
    shelf: Shelf, touched: list[Entry], new_key: bytes, covered: _Covered | None, pool: ThreadPoolExecutor
) -> tuple[int, list[Entry]]:
    """Raw inputs that lie in the span, and what survives of segments that it touches, each a new file, durable. None covers all."""
    asked_n, survivors = 0, []
    for some in _chunks(touched):
        written: list[tuple[Entry, int]] = []
        for entry in some:
            n, new = _recut(shelf, entry, new_key, covered)
            asked_n += n
            written += [new] if new is not None else []
        synced = pool.map(_sync, [fd for _, fd in written])
        survivors += _durable(shelf, written, synced, NEW)
    return asked_n, survivors


def _chunks(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Few enough to have them all open at once."""
    for begin in range(0, len(entries), _OPEN_AT_ONCE):
        yield entries[begin : begin + _OPEN_AT_ONCE]


def _durable(shelf: Shelf, written: list[tuple[Entry, int]], synced: Iterable[bool], suffix: str) -> list[Entry]:
    """Those that the disk has made durable; a file of which it is in doubt goes, so that it cannot come back uncounted."""
    sure: list[Entry] = []
    for (entry, _), durable in zip(written, synced, strict=True):
        if durable:
            sure.append(entry)
        else:
            with contextlib.suppress(OSError):
                shelf.path(entry.id, suffix).unlink(missing_ok=True)
    return sure


def _sync(fd: int) -> bool:
    """Make a file durable and close it; whether the disk did."""
    with disk.closing(fd), contextlib.suppress(OSError):
        disk.sync_data(fd)
        return True
    return False


def _asked_n(shelf: Shelf, entry: Entry, covered: _Covered) -> int:
    """Raw inputs of the segment that lie in the span; all of them if it cannot be read."""
    try:
        held = shelf.held(entry)
    except (SegmentError, disk.NotPrivate, OSError):
        return entry.n
    return sum(event.n for event in held.events if covered(event, held.boot))


def _recut(shelf: Shelf, entry: Entry, new_key: bytes, covered: _Covered | None) -> tuple[int, tuple[Entry, int] | None]:
    """Raw inputs of the segment that lie in the span, and what survives, as a new file, open and not yet durable.

    None if nothing survives, or it could not be written.
    """
    path = shelf.path(entry.id)
    try:
        contents = shelf.load(path) if covered is not None else None
    except (SegmentError, disk.NotPrivate, OSError):
        return entry.n, None
    survivors: tuple[Event, ...] = ()
    if contents is not None and covered is not None:
        survivors = tuple(event for event in contents.events if not covered(event, contents.heading.boot))
    if contents is None or not survivors:
        path.unlink(missing_ok=True)  # now, because it makes room for the survivors of others
        return entry.n, None
    asked_n = entry.n - sum(event.n for event in survivors)
    heading = replace(contents.heading, id=shelf.random(ID_BYTES), key=shelf.random(KEY_BYTES), slot=0)
    header = segment.start(heading, new_key, shelf.random(NONCE_BYTES), shelf.random(SLOT_BYTES))
    record = segment.record(heading, 0, survivors)
    new = shelf.path(heading.id, NEW)
    try:
        fd = _written(new, header + record)
    except OSError:
        return asked_n, None
    return asked_n, (entry_of(Contents(heading, (survivors,), len(header) + len(record))), fd)


def _written(path: Path, raw: bytes) -> int:
    """A new file with these bytes, open. After an OSError it is not there."""
    fd = disk.create(path)
    try:
        disk.write_whole(fd, raw)
    except OSError:
        os.close(fd)
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    return fd


def _prepare(shelf: Shelf, entries: list[Entry], new_key: bytes, pool: ThreadPoolExecutor) -> list[Entry]:
    """Put the new hold key into the free slot of each segment; those that it could be put into, durably."""
    ready: list[Entry] = []
    for some in _chunks(entries):
        written = [one for entry in some if (one := _wrapped(shelf, entry, new_key)) is not None]
        synced = pool.map(_sync, [fd for _, fd in written])
        ready += _durable(shelf, written, synced, SEGMENT)
    return ready


def _wrapped(shelf: Shelf, entry: Entry, new_key: bytes) -> tuple[Entry, int] | None:
    """The segment with the new hold key in its free slot, open and not yet durable; None if that could not be done."""
    try:
        fd = disk.open_private(shelf.path(entry.id))
    except (disk.NotPrivate, OSError):
        return None
    with contextlib.suppress(SegmentError, OSError):
        heading = segment.read_heading(os.pread(fd, segment.HEADER_BYTES, 0), shelf.hold_key or bytes(SECRET_BYTES))
        slot = 1 - heading.slot
        wrapped = segment.wrap(heading, new_key, shelf.random(NONCE_BYTES))
        if os.pwrite(fd, wrapped, segment.slot_at(slot)) == len(wrapped):
            return replace(entry, slot=slot), fd
    os.close(fd)
    return None


def _replace_key(shelf: Shelf, new_key: bytes, to_make_room: list[bytes]) -> bool:
    disk.sync_folder(shelf.folder)
    for attempt in range(2):
        try:
            shelf.keys.put(HOLD, new_key)
        except KeystoreError:
            if attempt == 0:
                shelf.drop(to_make_room)
            continue
        shelf.hold_key = new_key
        return True
    with contextlib.suppress(KeystoreError):
        shelf.keys.delete(HOLD)
    shelf.hold_key = None
    return False


def _opens(shelf: Shelf, path: Path) -> bool:
    if shelf.hold_key is None:
        return False
    try:
        with disk.closing(disk.open_private(path)) as fd:
            segment.read_heading(os.pread(fd, segment.HEADER_BYTES, 0), shelf.hold_key)
    except (SegmentError, disk.NotPrivate, OSError):
        return False
    return True


def _key_name(key: bytes) -> bytes:
    return hashlib.sha256(_LABEL + key).digest()[:16]
