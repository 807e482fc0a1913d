"""Who opened what: the receiver's access log, read to its end and held to what this machine has seen of it before.

Refuses a log whose records do not follow from each other, and one that has lost or changed a record since.
"""

import asyncio
from pathlib import Path

import msgspec

from agent.carrier import Carrier
from consent.unreadable import UNREADABLE
from transport import disk
from transport.access_log import FIRST_PREVIOUS, AccessLogError, Known, Record, records_of, request

_MAX_BYTES = 4096


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a receiver's log was read from here: number and hash of its last record then."""

    receiver: str = ""
    id: int = 0
    hash: str = FIRST_PREVIOUS


UNSEEN = Seen()


async def read_log(receiver: str, pin: str | None, seen: Seen = UNSEEN) -> list[Record]:
    """All records, the oldest first, verified.

    Raises:
        AccessLogError: there is no log to be had, or it was changed since `seen`.
    """
    carrier = Carrier(asyncio.get_running_loop(), pin)
    records: list[Record] = []
    try:
        more = True
        while more:
            known = Known(records[-1].id, records[-1].hash) if records else Known()
            page, more = records_of(await carrier.carry(request(carrier.next(), receiver, known)), known)
            records += page
    finally:
        carrier.abort()
    if seen.receiver == receiver and seen.id and (len(records) < seen.id or records[seen.id - 1].hash != seen.hash):
        raise AccessLogError(f"record {seen.id} of the access log is not the one that this machine has seen: the log was changed; ask why")
    return records


def seen_in(path: Path) -> Seen:
    """What was kept here; nothing where there is no such file."""
    try:
        return msgspec.json.decode(disk.read(path, _MAX_BYTES), type=Seen)
    except (OSError, disk.NotPrivate, *UNREADABLE):
        return UNSEEN


def keep(path: Path, receiver: str, records: list[Record]) -> None:
    """Remember how far the log was read, for the next time. Raises OSError."""
    last = records[-1] if records else None
    disk.put(path, msgspec.json.encode(Seen(receiver, last.id, last.hash) if last else Seen(receiver)))
