"""The hold's file format: admitted events of one purpose, generation and minute, under a key of their own. Pure.

    header = "volhold1" || id (16) || generation (8) || minute (8) || slot 0 (141) || slot 1 (141)
    slot   = nonce (12) || AES-256-GCM(hold key, nonce, segment key || boot || purpose, aad = header up to the slots)
    record = length (4) || length xor ffffffff || AES-256-GCM(segment key, counter, msgpack of events, aad = id || counter)

One slot is in use. Replacing the hold key writes the other one first, so that a crash leaves the segment readable under one of
the keys. The segment key depends on neither, so records are never written again. A tail that a crash tore is told from a bit
that flipped: the first is cut, because it was never acknowledged; the second makes the whole segment unfit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.event import Event
from consent.unreadable import UNREADABLE
from consent.vocabulary import Purpose
from transport.errors import TransportError

MAGIC = b"volhold1"
ID_BYTES = 16
KEY_BYTES = 32
NONCE_BYTES = 12
_TAG_BYTES = 16
_BOUND_BYTES = len(MAGIC) + ID_BYTES + 8 + 8
_BOOT_BYTES = 48  # a boot id is 36 characters
_PURPOSE_BYTES = 64
_SLOT_PLAIN_BYTES = KEY_BYTES + _BOOT_BYTES + _PURPOSE_BYTES
SLOT_BYTES = NONCE_BYTES + _SLOT_PLAIN_BYTES + _TAG_BYTES
HEADER_BYTES = _BOUND_BYTES + 2 * SLOT_BYTES
_PREFIX_BYTES = 8
_FLIP = 0xFFFFFFFF
_SECTOR_BYTES = 512  # the least that any disk writes at once
_TELLING_BYTES = 4  # fewer zeros than this occur in a ciphertext by chance


class SegmentError(TransportError):
    """A held segment cannot be used."""


class WrongHoldKey(SegmentError):
    """No slot opens with this hold key: the key was replaced, or the header is damaged."""


class Damaged(SegmentError):
    """A bit of the segment is not what was written; nothing of it is used."""


class Unfinished(SegmentError):
    """The segment ends within its header: a crash came before anything in it was kept."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a segment is of.

    Attributes:
        id: 16 random bytes.
        generation: The permission under which its events were captured.
        minute: Minute since boot in which it was begun.
        boot: Name of the start of the machine, at most 48 characters.
        purpose: The one purpose of its events.
        key: 32 random bytes, its own key.
        slot: Which slot is in use, 0 or 1.
    """

    id: bytes
    generation: int
    minute: int
    boot: str
    purpose: Purpose
    key: bytes = field(repr=False)
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Contents:
    """A segment that was read: its heading, its records in order, and how many bytes of the file are good (the rest is torn)."""

    heading: Heading
    records: tuple[tuple[Event, ...], ...] = field(repr=False)
    good_bytes: int

    @property
    def events(self) -> tuple[Event, ...]:
        """All events, in the order in which they were kept."""
        return tuple(event for record in self.records for event in record)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Event, ...]).decode


def start(heading: Heading, hold_key: bytes, nonce: bytes, filler: bytes) -> bytes:
    """The header of a new segment. `nonce` (12 bytes) is fresh; `filler` (SLOT_BYTES, random) is the slot not in use."""
    slots = (wrap(heading, hold_key, nonce), filler)
    return _bound(heading) + slots[heading.slot] + slots[1 - heading.slot]


def wrap(heading: Heading, hold_key: bytes, nonce: bytes) -> bytes:
    """A slot: the segment's key under a hold key. `nonce` is 12 bytes, fresh."""
    plain = heading.key + heading.boot.encode().ljust(_BOOT_BYTES, b"\0") + heading.purpose.encode().ljust(_PURPOSE_BYTES, b"\0")
    if len(plain) != _SLOT_PLAIN_BYTES:
        raise SegmentError("a purpose or the name of a start of the machine is too long to be held")
    return nonce + AESGCM(hold_key).encrypt(nonce, plain, _bound(heading))


def slot_at(slot: int) -> int:
    """Where in the file a slot begins, in bytes."""
    return _BOUND_BYTES + slot * SLOT_BYTES


def read_heading(raw: bytes, hold_key: bytes) -> Heading:
    """What the segment that begins with these bytes is of.

    Raises:
        Unfinished, Damaged (not a segment), WrongHoldKey.
    """
    if len(raw) < HEADER_BYTES:
        raise Unfinished("a held segment ends within its header; nothing in it was ever kept")
    if not raw.startswith(MAGIC):
        raise Damaged("a file in the hold is not a segment")
    for slot in (0, 1):
        begin = slot_at(slot)
        nonce, sealed = raw[begin : begin + NONCE_BYTES], raw[begin + NONCE_BYTES : begin + SLOT_BYTES]
        try:
            plain = AESGCM(hold_key).decrypt(nonce, sealed, raw[:_BOUND_BYTES])
        except InvalidTag:
            continue
        return _heading(raw, plain, slot)
    raise WrongHoldKey("a held segment does not open with the hold key of this machine")


def record(heading: Heading, index: int, events: Sequence[Event]) -> bytes:
    """The bytes to append for the index-th record, counted from 0. No index of a segment is ever used for two records."""
    sealed = AESGCM(heading.key).encrypt(_counter(index), _encode(tuple(events)), heading.id + _counter(index))
    length = len(sealed)
    return length.to_bytes(4, "big") + (length ^ _FLIP).to_bytes(4, "big") + sealed


def read(raw: bytes, hold_key: bytes) -> Contents:
    """Everything in a segment, without a torn tail.

    Raises:
        Unfinished, Damaged, WrongHoldKey.
    """
    heading = read_heading(raw, hold_key)
    records: list[tuple[Event, ...]] = []
    at = HEADER_BYTES
    while at < len(raw):
        end = _record_end(raw, at)
        if end is None:
            break
        opened = _open(heading, len(records), raw, at + _PREFIX_BYTES, end)
        if opened is None:
            break
        records.append(opened)
        at = end
    return Contents(heading, tuple(records), at)


def _record_end(raw: bytes, at: int) -> int | None:
    """Where the record that begins at `at` ends; None if it is a torn tail."""
    prefix = raw[at : at + _PREFIX_BYTES]
    if len(prefix) < _PREFIX_BYTES:
        return None
    length = int.from_bytes(prefix[:4], "big")
    if length ^ _FLIP != int.from_bytes(prefix[4:], "big"):
        if any(raw[at + _PREFIX_BYTES :]):
            raise Damaged("the length of a held record is not what was written")
        return None
    end = at + _PREFIX_BYTES + length
    return end if end <= len(raw) else None


def _open(heading: Heading, index: int, raw: bytes, begin: int, end: int) -> tuple[Event, ...] | None:
    """The events of a record; None if it is the last one and was never wholly written."""
    try:
        return _decode(AESGCM(heading.key).decrypt(_counter(index), raw[begin:end], heading.id + _counter(index)))
    except InvalidTag:
        if end == len(raw) and _has_hole(raw, begin, end):
            return None
        raise Damaged("a held record is not what was written") from None
    except UNREADABLE:
        raise Damaged("a held record holds no events that this version knows") from None


def _has_hole(raw: bytes, begin: int, end: int) -> bool:
    """Whether a sector's worth of the record is zeros: a file can grow before its bytes come, and a crash then leaves a hole."""
    edges = [begin, *range(begin - begin % _SECTOR_BYTES + _SECTOR_BYTES, end, _SECTOR_BYTES), end]
    pieces = [raw[first:last] for first, last in pairwise(edges)]
    return any(len(piece) >= _TELLING_BYTES and not any(piece) for piece in pieces)


def _heading(raw: bytes, plain: bytes, slot: int) -> Heading:
    at = len(MAGIC)
    return Heading(
        id=raw[at : at + ID_BYTES],
        generation=int.from_bytes(raw[at + ID_BYTES : at + ID_BYTES + 8], "big"),
        minute=int.from_bytes(raw[at + ID_BYTES + 8 : at + ID_BYTES + 16], "big"),
        boot=plain[KEY_BYTES : KEY_BYTES + _BOOT_BYTES].rstrip(b"\0").decode(),
        purpose=Purpose(plain[KEY_BYTES + _BOOT_BYTES :].rstrip(b"\0").decode()),
        key=plain[:KEY_BYTES],
        slot=slot,
    )


def _bound(heading: Heading) -> bytes:
    return MAGIC + heading.id + heading.generation.to_bytes(8, "big") + heading.minute.to_bytes(8, "big")


def _counter(index: int) -> bytes:
    return index.to_bytes(NONCE_BYTES, "big")
