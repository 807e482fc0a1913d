"""Rows of exemption requests, within a transaction of the caller's. Refuses to hold whose a request is, or when on its day it came."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from receiver.tables import exemption
from transport.exemption_proof import Asking

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """A request as the receiver knows it.

    Attributes:
        asking: With its sealed reason.
        asked_on: UTC day.
        decision: Signed JSON text; None while nobody has decided.
    """

    asking: Asking
    asked_on: date
    decision: str | None


def find(connection: Connection, request_id: str) -> Row | None:
    """The request of this id."""
    row = connection.execute(sa.select(exemption).where(exemption.c.id == request_id)).first()
    return None if row is None else _row(row)


def add(connection: Connection, asking: Asking, today: date) -> None:
    """Writes a request down."""
    bare = _encode(msgspec.structs.replace(asking, reason=None)).decode()
    connection.execute(sa.insert(exemption).values(id=asking.id, asking=bare, reason=asking.reason, asked_on=today))


def decide(connection: Connection, request_id: str, decision: str, today: date) -> bool:
    """Writes down what the reviewer decided, and destroys the reason, which nobody needs any more. False if no such request waits."""
    here = sa.and_(exemption.c.id == request_id, exemption.c.decision.is_(None))
    found = connection.execute(sa.update(exemption).where(here).values(decision=decision, decided_on=today, reason=None))
    return bool(found.rowcount)


def drop(connection: Connection, request_id: str) -> None:
    """Forgets a request, with its decision."""
    connection.execute(sa.delete(exemption).where(exemption.c.id == request_id))


def queue(connection: Connection) -> Iterator[Row]:
    """What nobody has decided about, by day and id."""
    waiting = sa.select(exemption).where(exemption.c.decision.is_(None)).order_by(exemption.c.asked_on, exemption.c.id)
    return (_row(row) for row in connection.execute(waiting))


def forget(connection: Connection, *, decided_before: date, asked_before: date) -> None:
    """Drops requests whose time is over."""
    over = sa.or_(exemption.c.decided_on < decided_before, exemption.c.asked_on < asked_before)
    connection.execute(sa.delete(exemption).where(over))


def _row(row: sa.Row[tuple[object, ...]]) -> Row:
    asking = msgspec.json.decode(str(row.asking), type=Asking)
    return Row(msgspec.structs.replace(asking, reason=row.reason), row.asked_on, row.decision)
