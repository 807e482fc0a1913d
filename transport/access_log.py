"""The receiver's access log, read by those whose data it is about: how it is asked for, and whether its chain holds. Pure.

A page is believed only if each record follows from the one before it, so whoever keeps the last hash notices when a record that it has
seen is changed or left out later (docs/receiver.md, The access log).
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated

import msgspec

from consent.unreadable import UNREADABLE
from consent.vocabulary import Purpose
from transport.bounds import MAX_ENVELOPE_BYTES
from transport.errors import TransportError
from transport.jobs import Answer, Answered, Request, get
from transport.notes import EnvelopeId

FIRST_PREVIOUS = "0" * 64
_LABEL = b"volens/access/1\0"


class AccessLogError(TransportError):
    """The access log cannot be had, or does not hold; the message says what to do."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One opening, as the custodians stated it.

    Attributes:
        id: 1, 2, 3 ... without a gap.
        at: RFC 3339 time, UTC.
        purpose: whose key was rebuilt.
        reason: in the custodians' own words.
        batches: ids of what was opened, sorted.
        previous: hash of the record before, or 64 zeros.
        hash: SHA-256 of this record with `previous`, without `hash`.
    """

    id: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    at: Annotated[str, msgspec.Meta(max_length=40)]
    purpose: Purpose
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    batches: tuple[EnvelopeId, ...]
    previous: EnvelopeId
    hash: EnvelopeId


class _Page(msgspec.Struct, frozen=True):
    records: tuple[Record, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Known:
    """How far the log was read: id and hash of the last record, or none yet."""

    id: int = 0
    hash: str = FIRST_PREVIOUS


def request(job: int, receiver_url: str, known: Known = Known()) -> Request:
    """Ask for the records behind those that are known."""
    return get(job, receiver_url, f"/v1/access?after={known.id}", max_answer_bytes=MAX_ENVELOPE_BYTES)  # 10,000 ids are 670 KB


def records_of(answer: Answer, known: Known = Known()) -> tuple[tuple[Record, ...], bool]:
    """The records of an answer, each of which follows from the one before, and whether there are more.

    Raises:
        AccessLogError: no log, or one that was changed.
    """
    if not isinstance(answer, Answered) or answer.status != 200:
        raise AccessLogError("the receiver does not show its access log; try again")
    try:
        page = msgspec.json.decode(answer.body, type=_Page)
    except UNREADABLE:
        raise AccessLogError("what the receiver gave out is no access log; try again") from None
    for record in page.records:
        if (record.id, record.previous) != (known.id + 1, known.hash) or record.hash != _hash(record):
            raise AccessLogError(f"record {record.id} of the access log does not follow from the one before: the log was changed; ask why")
        known = Known(record.id, record.hash)
    if page.more and not page.records:
        raise AccessLogError("the receiver's access log has no end; try again")
    return page.records, page.more


def _hash(record: Record) -> str:
    stated = msgspec.structs.asdict(record)
    del stated["hash"]
    return hashlib.sha256(_LABEL + json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
