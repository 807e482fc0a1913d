"""`volens-receiver check`: is every stored envelope still what came, and does everything have its row. Refuses to mend anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.engine import Connection

from receiver import fleet_rows, records
from receiver.accept import rejoin
from receiver.access import Access, broken_at
from receiver.blobs import BlobStore
from receiver.erasure import from_log
from receiver.records import Row
from receiver.site import Site
from transport.header import EnvelopeError

BODY = "body"


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Attributes:
        sound: envelopes that are as they came.
        erased: ids whose subject took them back, and of which nothing is left.
        unfinished: files that were never acknowledged; a receiver in service may be writing them, the next start removes them.
        wrong: one sentence for each thing that is damaged.
    """

    sound: int
    erased: int
    unfinished: int
    wrong: tuple[str, ...]


def check(site: Site, today: date) -> Report:
    """Reads everything once. Days are compared with today, UTC."""
    sound = erased = 0
    wrong: list[str] = []
    known: set[str] = set()
    with site.engine.connect() as connection:
        for row in records.each_row(connection):
            known.add(row.id)
            faults = [*_faults(site, row), *_overdue(row, today)]
            wrong += faults
            sound += not faults and not row.erased
            erased += not faults and row.erased
        wrong += _unerased(site, connection)
        uneven = fleet_rows.uneven(connection)
        broken = broken_at(_log(site))
    if uneven:
        wrong.append(f"{uneven} days of devices have another number of identities than everybody's")
    if broken is not None:
        wrong.append(f"access record {broken}: the chain is broken here")
    unfinished = site.vault.names() - known
    return Report(sound, erased, len(unfinished), tuple(wrong))


def _faults(site: Site, row: Row) -> Iterator[str]:
    if row.erased:
        for part, store in _stores(site):
            yield from _left(store, row.id, part)
        return
    missing = [part for part, store in _stores(site) if not store.has(row.id)]
    yield from (f"batch {row.id}: its {part} file is missing" for part in missing)
    if BODY in missing:
        return
    try:
        rest = site.vault.bodies.read(row.id)
    except OSError as error:
        yield f"batch {row.id}: {error}"
        return
    for part, store in _stores(site):
        if part not in (BODY, *missing):
            yield from _altered(store, row, rest, part if site.vault.replica else "")


def _stores(site: Site) -> list[tuple[str, BlobStore]]:
    """Every store, with the word for what it holds of an envelope."""
    slots = zip(("slots", "slots replica"), site.vault.copies, strict=False)
    return [*slots, (BODY, site.vault.bodies)]


def _altered(store: BlobStore, row: Row, rest: bytes, part: str) -> Iterator[str]:
    """What is wrong with an envelope made of this copy of its slots; `part` names the copy where there are two."""
    where = f"with its {part}, " if part else ""
    try:
        raw, envelope = rejoin(row.id, store.read(row.id), rest)
    except (OSError, EnvelopeError) as error:
        yield f"batch {row.id}: {where}{error}"
        return
    header = envelope.header
    if (row.pseudonym, row.purpose, row.envelope_bytes) != (header.pseudonym, header.purpose, len(raw)):
        yield f"batch {row.id}: its row says other than its header"


def _overdue(row: Row, today: date) -> Iterator[str]:
    """The chores run every hour; a day of grace for a receiver that was just started."""
    if not row.erased and row.keep_until is not None and row.keep_until + timedelta(days=1) < today:
        yield f"batch {row.id}: its retention ended on {row.keep_until}, and it is still there"


def _unerased(site: Site, connection: Connection) -> Iterator[str]:
    """Wishes of the log that do not hold: damaged, or asked for after the backup that these rows come from."""
    fulfilled = records.fulfilled(connection)
    for name in site.log.names():
        if from_log(name, site.log.read(name)) is None:
            yield f"entry {name} of the erasure log is damaged"
        elif name not in fulfilled:
            yield f"entry {name} of the erasure log is not carried out; the next start does it"


def _left(store: BlobStore, batch_id: str, part: str) -> Iterator[str]:
    if store.has(batch_id):
        yield f"batch {batch_id}: erased, but its {part} file is there"


def _log(site: Site) -> Iterator[Access]:
    after, more = 0, True
    while more:
        with site.engine.connect() as connection:
            page = records.accesses(connection, after, 200)
        yield from page
        more = bool(page)
        after = page[-1].id if page else after
