"""Rows whose time is over, within a transaction of the caller's. Refuses nothing; what is over is decided in retention.py."""

from collections.abc import Mapping, Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from receiver.retention import Forgetting
from receiver.tables import batch, chore, erasure, forbidden, identity, registration


def overdue(connection: Connection, today: date, due_before: Mapping[str, date], limit: int) -> list[str]:
    """Ids of batches, `limit` at most, that may not be kept any longer.

    Args:
        today: the last day kept lies before it.
        due_before: by purpose, from retention.due_before.
    """
    over = [batch.c.keep_until < today]
    over += [sa.and_(batch.c.purpose == purpose, batch.c.stored_on < day) for purpose, day in due_before.items()]
    return list(connection.scalars(sa.select(batch.c.id).where(~batch.c.erased, sa.or_(*over)).order_by(batch.c.id).limit(limit)))


def mark_gone(connection: Connection, ids: Sequence[str]) -> None:
    """From now on these are given to nobody and never taken in again."""
    connection.execute(sa.update(batch).where(batch.c.id.in_(ids)).values(erased=True))


def drop(connection: Connection, ids: Sequence[str]) -> None:
    """Forgets batches of which nothing is left."""
    connection.execute(sa.delete(batch).where(batch.c.id.in_(ids)))


def forget(connection: Connection, horizon: Forgetting, *, tombstones: bool) -> list[str]:
    """Drops what is not needed any more.

    Args:
        horizon: from retention.forgetting.
        tombstones: also what refuses the batches of pseudonyms that are not registered any more: they are refused for that now.

    Returns:
        The digests of the wishes that were forgotten; their log entries can go.
    """
    over = sa.and_(erasure.c.asked_on < horizon.wishes_from, erasure.c.receipt.is_not(None))
    wishes = list(connection.scalars(sa.select(erasure.c.digest).where(over)))
    connection.execute(sa.delete(erasure).where(over))
    connection.execute(sa.delete(identity).where(identity.c.day < horizon.identities_from))
    connection.execute(sa.delete(registration).where(registration.c.day < horizon.identities_from))
    if tombstones:
        connection.execute(sa.delete(batch).where(batch.c.erased, batch.c.stored_on < horizon.erased_from))
        connection.execute(sa.delete(forbidden).where(forbidden.c.pseudonym.not_in(sa.select(identity.c.pseudonym))))
    return wishes


def done_for(connection: Connection, name: str) -> date | None:
    """The last day that a chore was done for."""
    return connection.scalar(sa.select(chore.c.done_for).where(chore.c.name == name))


def note_done(connection: Connection, name: str, day: date) -> None:
    """Writes that down."""
    connection.execute(sa.delete(chore).where(chore.c.name == name))
    connection.execute(sa.insert(chore).values(name=name, done_for=day))
