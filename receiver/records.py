"""The receiver's rows, read and written within a transaction of the caller's: what is stored, what was erased, who opened what.

Refuses nothing; what may be written is decided in accept.py, erasure.py and access.py.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from receiver.accept import Before, Offer
from receiver.access import Access
from receiver.erasure import Wish
from receiver.retention import last_day_kept
from receiver.tables import access, batch, erasure, forbidden, identity

EVERY = "*"
_AT_ONCE = 500  # ids in one query; SQLite's oldest limit on bound values is 999


@dataclass(frozen=True, slots=True)
class Row:
    """A batch as the receiver knows it.

    Attributes:
        id: 64 hexadecimal digits.
        pseudonym: 32 bytes.
        purpose: its name.
        envelope_bytes: length of the whole envelope.
        stored_on: day of arrival.
        keep_until: the last day that it may be kept, by the policy that it came under; None: that was not written down.
        erased: whether its subject had it erased, or its time was over.
    """

    id: str
    pseudonym: bytes
    purpose: str
    envelope_bytes: int
    stored_on: date
    keep_until: date | None
    erased: bool


def before(connection: Connection, offers: Sequence[Offer]) -> dict[str, Before]:
    """What is known of each of these envelopes, by id. At most _AT_ONCE of them."""
    pseudonyms = {offer.pseudonym for offer in offers}
    rows = connection.execute(sa.select(batch.c.id, batch.c.erased).where(batch.c.id.in_([offer.id for offer in offers])))
    stored = {row.id: row.erased for row in rows}
    pairs = sa.select(forbidden.c.pseudonym, forbidden.c.id).where(
        forbidden.c.pseudonym.in_(pseudonyms), forbidden.c.id.in_([EVERY, *(offer.id for offer in offers)])
    )
    taken_back = {(row.pseudonym, row.id) for row in connection.execute(pairs)}
    days = {row.pseudonym: row.day for row in connection.execute(sa.select(identity).where(identity.c.pseudonym.in_(pseudonyms)))}
    return {
        offer.id: Before(
            stored=offer.id in stored,
            erased=stored.get(offer.id, False) or (offer.pseudonym, EVERY) in taken_back or (offer.pseudonym, offer.id) in taken_back,
            day=days.get(offer.pseudonym),
        )
        for offer in offers
    }


def add(connection: Connection, offers: Iterable[Offer], today: date) -> None:
    """The rows of envelopes whose files are durable, in the order of their ids: the order of arrival is nobody's business."""
    rows = [
        {
            "id": offer.id,
            "pseudonym": offer.pseudonym,
            "purpose": offer.purpose,
            "envelope_bytes": offer.envelope_bytes,
            "stored_on": today,
            "keep_until": last_day_kept(today, offer.retention_days),
            "erased": False,
        }
        for offer in sorted(offers, key=lambda offer: offer.id)
    ]
    connection.execute(sa.insert(batch), rows)


def find(connection: Connection, batch_ids: Sequence[str]) -> list[Row]:
    """The rows of those ids that are known, in no order."""
    found: list[Row] = []
    for start in range(0, len(batch_ids), _AT_ONCE):
        query = sa.select(batch).where(batch.c.id.in_(batch_ids[start : start + _AT_ONCE]))
        found += [_row(row) for row in connection.execute(query)]
    return found


def each_row(connection: Connection) -> Iterator[Row]:
    """Every batch there is or was, by id."""
    for row in connection.execution_options(yield_per=1000).execute(sa.select(batch).order_by(batch.c.id)):
        yield _row(row)


def ids_for(connection: Connection, purpose: str, after: str, limit: int) -> list[str]:
    """Ids of a purpose's batches that are there, in order, from behind `after`."""
    query = sa.select(batch.c.id).where(batch.c.purpose == purpose, ~batch.c.erased, batch.c.id > after)
    return list(connection.scalars(query.order_by(batch.c.id).limit(limit)))


def ids_of(connection: Connection, pseudonym: bytes, after: str, limit: int) -> list[Row]:
    """A pseudonym's batches that are there, in the order of ids, from behind `after`."""
    query = sa.select(batch).where(batch.c.pseudonym == pseudonym, ~batch.c.erased, batch.c.id > after)
    return [_row(row) for row in connection.execute(query.order_by(batch.c.id).limit(limit))]


def ids_stored_on(connection: Connection, day: date) -> list[str]:
    """Ids of the batches that came on a day and are there."""
    return list(connection.scalars(sa.select(batch.c.id).where(batch.c.stored_on == day, ~batch.c.erased)))


def days_with_batches(connection: Connection, *, since: date | None, ahead_of: date) -> list[date]:
    """The days of arrival from one day on (None: from the first) and before another, of which something is there."""
    query = sa.select(batch.c.stored_on).where(batch.c.stored_on < ahead_of, ~batch.c.erased)
    if since is not None:
        query = query.where(batch.c.stored_on >= since)
    return sorted(connection.scalars(query.distinct()))


def knows(connection: Connection, pseudonym: bytes) -> bool:
    """Whether this pseudonym is registered, or something of it was ever stored and is still known."""
    known = (sa.select(table.c.pseudonym).where(table.c.pseudonym == pseudonym).limit(1) for table in (identity, batch))
    return any(connection.scalar(query) is not None for query in known)


def receipt_for(connection: Connection, wish: Wish) -> str | None:
    """The receipt of the same wish, if it was fulfilled before."""
    return connection.scalar(sa.select(erasure.c.receipt).where(erasure.c.digest == wish.digest))


def barred(connection: Connection, pseudonym: bytes) -> set[str]:
    """What is refused of a pseudonym: ids, or EVERY."""
    return set(connection.scalars(sa.select(forbidden.c.id).where(forbidden.c.pseudonym == pseudonym)))


def take_back(connection: Connection, wish: Wish, today: date) -> None:
    """Writes down that a wish holds from now on: what is here is marked, what comes later is refused. Its files are not touched yet.

    A wish that is already written down stays as it is, and is marked again: what came in between is covered.
    """
    if connection.scalar(sa.select(erasure.c.digest).where(erasure.c.digest == wish.digest)) is None:
        named = None if wish.batches is None else json.dumps(wish.batches)
        added = sa.insert(erasure).values(digest=wish.digest, pseudonym=wish.pseudonym, batches=named, asked_on=today)
        connection.execute(added)
    new = ({EVERY} if wish.batches is None else set(wish.batches)) - barred(connection, wish.pseudonym)
    if new:
        connection.execute(sa.insert(forbidden), [{"pseudonym": wish.pseudonym, "id": each} for each in sorted(new)])
    for some in _chunks(wish):
        connection.execute(sa.update(batch).where(*_mine(wish, some), ~batch.c.erased).values(erased=True))


def taken_back(connection: Connection, wish: Wish) -> list[str]:
    """Ids of the batches that a wish covers, those erased earlier among them."""
    return [found for some in _chunks(wish) for found in connection.scalars(sa.select(batch.c.id).where(*_mine(wish, some)))]


def fulfil(connection: Connection, wish: Wish, receipt: str) -> None:
    """Writes down that nothing of a wish is left, and the receipt that says so."""
    connection.execute(sa.update(erasure).where(erasure.c.digest == wish.digest).values(receipt=receipt))


def unfulfilled(connection: Connection) -> list[Wish]:
    """The wishes that the process died over."""
    rows = connection.execute(sa.select(erasure.c.pseudonym, erasure.c.batches).where(erasure.c.receipt.is_(None)))
    return [Wish(row.pseudonym, None if row.batches is None else tuple(json.loads(row.batches))) for row in rows]


def fulfilled(connection: Connection) -> set[str]:
    """The digests of the wishes of which nothing is left."""
    return set(connection.scalars(sa.select(erasure.c.digest).where(erasure.c.receipt.is_not(None))))


def add_access(connection: Connection, record: Access) -> None:
    """Appends a record to the access log."""
    values = {name: getattr(record, name) for name in ("id", "at", "purpose", "reason", "previous", "hash")}
    connection.execute(sa.insert(access).values(values | {"batches": json.dumps(record.batches)}))


def accesses(connection: Connection, after: int, limit: int) -> list[Access]:
    """Records of the access log in order, from behind `after`."""
    query = sa.select(access).where(access.c.id > after).order_by(access.c.id).limit(limit)
    return [_access(row) for row in connection.execute(query)]


def last_access(connection: Connection) -> Access | None:
    """The newest record, or None."""
    row = connection.execute(sa.select(access).order_by(access.c.id.desc()).limit(1)).first()
    return None if row is None else _access(row)


def _access(row: Any) -> Access:
    return Access(row.id, row.at, row.purpose, row.reason, tuple(json.loads(row.batches)), row.previous, row.hash)


def _row(row: Any) -> Row:
    return Row(row.id, row.pseudonym, row.purpose, row.envelope_bytes, row.stored_on, row.keep_until, row.erased)


def _chunks(wish: Wish) -> list[tuple[str, ...] | None]:
    if wish.batches is None:
        return [None]
    return [wish.batches[start : start + _AT_ONCE] for start in range(0, len(wish.batches), _AT_ONCE)]


def _mine(wish: Wish, some: tuple[str, ...] | None) -> list[sa.ColumnElement[bool]]:
    mine = batch.c.pseudonym == wish.pseudonym
    return [mine] if some is None else [mine, batch.c.id.in_(some)]
