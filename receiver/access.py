"""The access log's chain: what was opened, when, for which purpose and why.

Decides; refuses a record that names nothing or gives no reason.
Each record's hash covers the one before, so that a record can be neither changed nor left out without every later hash changing.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import accumulate

FIRST_PREVIOUS = "0" * 64
_LABEL = b"volens/access/1\0"


@dataclass(frozen=True, slots=True)
class Access:
    """One record of the log, as anyone may read it.

    Attributes:
        id: 1, 2, 3 ... without a gap.
        at: RFC 3339 time, UTC, whole seconds.
        purpose: for which it was opened.
        reason: in the custodians' own words.
        batches: ids, sorted.
        previous: hash of the record before, or 64 zeros.
        hash: SHA-256 of this record with `previous`, without `hash`.
    """

    id: int
    at: str
    purpose: str
    reason: str
    batches: tuple[str, ...]
    previous: str
    hash: str

    def covers(self, batch_id: str) -> bool:
        """Whether this record says that the batch was opened."""
        return batch_id in self.batches


def follow(last: Access | None, *, at: datetime, purpose: str, reason: str, batches: Iterable[str]) -> Access:
    """The record that comes after `last`, or the first one."""
    number = last.id + 1 if last else 1
    previous = last.hash if last else FIRST_PREVIOUS
    stated = (number, at.strftime("%Y-%m-%dT%H:%M:%SZ"), purpose, reason, tuple(sorted(set(batches))), previous)
    return Access(*stated, hash=_hash(Access(*stated, hash="")))


def broken_at(records: Iterable[Access]) -> int | None:
    """The id of the first record that does not follow from the one before, or None when the chain holds."""
    last: Access | None = None
    for record in records:
        expected = (last.id + 1, last.hash) if last else (1, FIRST_PREVIOUS)
        if (record.id, record.previous) != expected or record.hash != _hash(record):
            return record.id
        last = record
    return None


def bounded(records: Sequence[Access], most_ids: int) -> list[Access]:
    """The first of these records that name no more ids than that together; one at least. So an answer has at most a megabyte."""
    named = accumulate(len(record.batches) for record in records)
    fitting = sum(count <= most_ids for count in named)
    return list(records[: max(1, fitting)])


def _hash(record: Access) -> str:
    stated = asdict(record)
    del stated["hash"]
    return hashlib.sha256(_LABEL + json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
