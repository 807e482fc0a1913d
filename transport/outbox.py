"""The outbox: envelopes on disk until the receiver has them, and a note of each that was sent. Takes `Envelope`, and nothing else.

One file an envelope, and beside it a sealed note of what it is of: without the note nobody could drop "the last ten minutes" from it,
because this machine cannot open it. The note of what was sent stays, so that its subject can have it erased.

    ID.env  ID.note   waits to be sent          sent/ID.note   was sent
    ID.rej  ID.note   the receiver rejected it; kept aside, counted, never sent by itself
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.unreadable import UNREADABLE
from transport import disk
from transport.bounds import MAX_ENVELOPE_BYTES
from transport.envelope import Envelope
from transport.errors import TransportError
from transport.held import Purged
from transport.keystore import OUTBOX, SECRET_BYTES, Keystore, KeystoreError
from transport.notes import Note, OutboxStats, covered, stats_of
from transport.segment import NONCE_BYTES
from transport.span import Span

MAX_ENVELOPES = 1024
MAX_OUTBOX_BYTES = 256 * 1024 * 1024
"""A month of hours without network, or the whole of the longest hold. Beyond it nothing is sealed: the hold keeps it, bounded too."""
MAX_SENT_NOTES = 20_000
"""Years of hours, at half a kilobyte each. The oldest go first: what they name is long past every retention."""
_MAX_NOTE_BYTES = 256 * 1024
_ENVELOPE, _REJECTED, _NOTE, _BAD = ".env", ".rej", ".note", ".bad"


class OutboxFull(TransportError):
    """The outbox is at its bound, in number or bytes; what is due stays in the hold until something was sent."""


class Outbox:
    """The envelopes of one folder, oldest first. One process at a time has it open, under the daemon's lock.

    Raises:
        NotPrivate: folder or files are not ours alone.
        KeystoreError: the keystore does not answer.
        OSError: the disk cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        keys: Keystore,
        *,
        max_envelopes: int = MAX_ENVELOPES,
        max_bytes: int = MAX_OUTBOX_BYTES,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        disk.make_private(folder)
        disk.make_private(folder / "sent")
        self._folder, self._sent, self._keys, self._random = folder, folder / "sent", keys, random
        self._max_envelopes, self._max_bytes = max_envelopes, max_bytes
        self._key = keys.get(OUTBOX)
        self._waiting: dict[str, Note] = {}
        self._rejected: dict[str, Note] = {}
        self.damaged = 0
        self._find()

    def put(self, envelope: Envelope, note: Note) -> None:
        """Keep an envelope; durable when it returns, and only then may the segments that the note names be unlinked.

        Raises:
            OutboxFull: it is at its bound; nothing has changed.
            OSError: the disk refuses; nothing has changed.
            KeystoreError: there is no key to seal the note with.
        """
        if not isinstance(envelope, Envelope) or note.id != envelope.id:
            raise TypeError("an outbox takes envelopes, each with its own note")
        facts = self.stats()
        if facts.envelopes + facts.rejected >= self._max_envelopes or facts.envelope_bytes + len(envelope.raw) > self._max_bytes:
            raise OutboxFull("the outbox is full; it empties when the receiver can be reached")
        try:
            disk.put(self._folder / (note.id + _NOTE), self._seal(note))
            disk.put(self._folder / (note.id + _ENVELOPE), envelope.raw)
        except OSError:
            with contextlib.suppress(OSError):
                self._unlink(note.id, _ENVELOPE, _NOTE)  # it may be there, and its events will be sealed again
            raise
        self._waiting[note.id] = note

    def waiting(self) -> list[Note]:
        """What waits to be sent, oldest first."""
        return list(self._waiting.values())

    def read(self, envelope_id: str) -> bytes:
        """An envelope's exact bytes. Raises KeyError if it does not wait, TransportError if its bytes are not what was put."""
        note = self._waiting[envelope_id]
        raw = disk.read(self._folder / (note.id + _ENVELOPE), MAX_ENVELOPE_BYTES)
        if hashlib.sha256(raw).hexdigest() != note.id:
            raise TransportError("an envelope in the outbox is damaged and cannot be sent; it can be destroyed")
        return raw

    def sent(self, envelope_id: str) -> Note:
        """The receiver has it: the envelope goes, its note stays. Raises KeyError if it does not wait."""
        note = self._waiting[envelope_id]
        before = self._folder / (note.id + _NOTE)
        if before.exists():  # an error after this step may have made it be asked again
            os.replace(before, self._sent / (note.id + _NOTE))
        disk.sync_folder(self._sent)
        self._unlink(note.id, _ENVELOPE)
        del self._waiting[note.id]
        self._bound_sent()
        return note

    def set_aside(self, envelope_id: str) -> Note:
        """The receiver rejected it for good: kept, never sent by itself. Raises KeyError if it does not wait."""
        note = self._waiting[envelope_id]
        os.replace(self._folder / (note.id + _ENVELOPE), self._folder / (note.id + _REJECTED))
        self._rejected[note.id] = self._waiting.pop(note.id)
        disk.sync_folder(self._folder)
        return note

    def destroy(self, envelope_id: str) -> Note:
        """Unlink an envelope and its note, durably. Raises KeyError if it is not here."""
        note = self._waiting.get(envelope_id) or self._rejected[envelope_id]
        self._unlink(note.id, _ENVELOPE, _REJECTED, _NOTE)
        self._waiting.pop(note.id, None)  # only now: what the disk did not let go must be destroyed again, not forgotten about
        self._rejected.pop(note.id, None)
        return note

    def forget(self, span: Span) -> list[Note]:
        """Destroy every envelope of which any part lies in the span, whole, rejected ones among them; their notes."""
        notes = covered([*self._waiting.values(), *self._rejected.values()], span)
        return [self.destroy(note.id) for note in notes]

    def drop_aged(self, before_day: str) -> list[Note]:
        """Destroy every envelope that was sealed before a day (UTC, ISO 8601), rejected ones among them; their notes."""
        aged = [note for note in (*self._waiting.values(), *self._rejected.values()) if note.day < before_day]
        return [self.destroy(note.id) for note in aged]

    def sent_notes(self, span: Span | None = None) -> list[Note]:
        """What was sent and is still remembered, oldest first; with a span, what any part of lies in it: to be erased."""
        notes = sorted(self._sent_notes(), key=lambda note: note.order)
        return notes if span is None else covered(notes, span)

    def sent_ids(self) -> frozenset[str]:
        """The ids of what was sent and is still remembered, without opening a note."""
        return frozenset(path.stem for path in self._sent.glob("*" + _NOTE))

    def drop_sent(self, envelope_id: str) -> None:
        """Remember no longer that it was sent: the receiver's receipt says that it is erased."""
        (self._sent / (envelope_id + _NOTE)).unlink(missing_ok=True)
        disk.sync_folder(self._sent)

    def segments(self) -> frozenset[bytes]:
        """Every segment of the hold that an envelope here holds: a hold is opened with them, so that none is sealed twice."""
        return frozenset(segment_id for note in (*self._waiting.values(), *self._rejected.values()) for segment_id in note.segments)

    def next_order(self) -> int:
        """A number greater than that of every note here."""
        return 1 + max((note.order for note in (*self._waiting.values(), *self._rejected.values())), default=0)

    def stats(self) -> OutboxStats:
        """What waits, in counts."""
        return stats_of(self._waiting.values(), self._rejected.values())

    def purge(self, *, forget_sent: bool = False, keep_notes: bool = False) -> Purged:
        """Destroy everything that waits; works on a full disk. The notes of what was sent stay until erasing is asked for.

        With keep_notes those of what waits stay with them: an upload that was cut off may have arrived, and must be erased too.
        """
        n = sum(note.n for note in (*self._waiting.values(), *self._rejected.values()))
        self._waiting.clear()
        self._rejected.clear()
        if forget_sent:
            self._key = None
        return Purged(n, purge(self._folder, self._keys, forget_sent=forget_sent, keep_notes=keep_notes))

    def _seal(self, note: Note) -> bytes:
        if self._key is None:
            made = self._random(SECRET_BYTES)
            self._keys.put(OUTBOX, made)
            self._key = made
        nonce = self._random(NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, msgspec.msgpack.encode(note), note.id.encode())

    def _open(self, path: Path) -> Note | None:
        """The note in a file; None if it is damaged or of another key."""
        raw = disk.read(path, _MAX_NOTE_BYTES)
        try:
            plain = AESGCM(self._key or bytes(SECRET_BYTES)).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], path.stem.encode())
            return msgspec.msgpack.decode(plain, type=Note)
        except (InvalidTag, *UNREADABLE):
            return None

    def _find(self) -> None:
        """Fill the index; complete or undo what a crash left half done; set aside what has no readable note."""
        for path in self._folder.glob("*" + disk.PART):
            path.unlink()
        for path in sorted(self._folder.glob("*" + _NOTE)):
            if not any(path.with_suffix(end).exists() for end in (_ENVELOPE, _REJECTED)):
                path.unlink()  # put writes the note first: this envelope was never acknowledged
        found = [(path, self._note_of(path)) for end in (_ENVELOPE, _REJECTED) for path in sorted(self._folder.glob("*" + end))]
        for path, note in sorted(found, key=lambda pair: pair[1].order if pair[1] else 0):
            if (self._sent / (path.stem + _NOTE)).exists():
                path.unlink()  # its note went to `sent` already
            elif note is None:
                path.rename(path.with_suffix(_BAD))
                path.with_suffix(_NOTE).unlink(missing_ok=True)
            elif path.suffix == _ENVELOPE:
                self._waiting[note.id] = note
            else:
                self._rejected[note.id] = note
        disk.sync_folder(self._folder)
        self.damaged = len(list(self._folder.glob("*" + _BAD)))

    def _note_of(self, path: Path) -> Note | None:
        disk.check_private(path)
        beside = path.with_suffix(_NOTE)
        return self._open(beside) if beside.exists() else None

    def _sent_notes(self) -> Iterator[Note]:
        for path in self._sent.glob("*" + _NOTE):
            note = self._open(path)
            if note is not None:
                yield note

    def _bound_sent(self) -> None:
        paths = list(self._sent.glob("*" + _NOTE))
        if len(paths) > MAX_SENT_NOTES:
            for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns)[: len(paths) - MAX_SENT_NOTES]:
                path.unlink()

    def _unlink(self, envelope_id: str, *ends: str) -> None:
        for end in ends:
            (self._folder / (envelope_id + end)).unlink(missing_ok=True)
        disk.sync_folder(self._folder)


def purge(folder: Path, keys: Keystore, *, forget_sent: bool = False, keep_notes: bool = False) -> bool:
    """Unlink every envelope in an outbox's folder, whatever state it is in; with forget_sent also the notes and their key.

    With keep_notes the notes of what waits become notes of what may have been sent: moving them needs no room and no key.
    Returns whether the key is gone, where that was asked. For a withdrawal without a daemon. Raises OSError if the folder refuses.
    """
    key_gone = True
    if forget_sent:
        try:
            keys.delete(OUTBOX)
        except KeystoreError:
            key_gone = False
    if keep_notes and (folder / "sent").is_dir():
        for path in folder.glob("*" + _NOTE):
            os.replace(path, folder / "sent" / path.name)
        disk.sync_folder(folder / "sent")
    for place in (folder, folder / "sent") if forget_sent else (folder,):
        disk.empty(place)
    return key_gone
