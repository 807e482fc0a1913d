"""Rows of fleet tokens, devices and registered identities, within a transaction of the caller's.

Refuses to hold which device registered which identity: with a device stay days and counts, with an identity its day.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from receiver.enrolment import Token
from receiver.tables import device, fleet_token, identity, registration
from transport.enrolment_proof import IDENTITIES_A_DAY


def add_token(connection: Connection, digest: str, note: str, last_day: date) -> Token:
    """Keeps a new token's digest."""
    added = sa.insert(fleet_token).values(digest=digest, note=note, last_day=last_day).returning(fleet_token.c.id)
    return Token(connection.execute(added).scalar_one(), note, last_day, None)


def token_of(connection: Connection, digest: str) -> Token | None:
    """The token of this digest."""
    row = connection.execute(sa.select(fleet_token).where(fleet_token.c.digest == digest)).first()
    return None if row is None else _token(row)


def tokens(connection: Connection) -> list[Token]:
    """All of them, oldest first."""
    return [_token(row) for row in connection.execute(sa.select(fleet_token).order_by(fleet_token.c.id))]


def revoke(connection: Connection, token: int, today: date, *, devices: bool) -> bool:
    """Ends a token, and with `devices` also those that it let in: they register nothing more. False if there is no such token."""
    known = connection.scalar(sa.select(fleet_token.c.id).where(fleet_token.c.id == token)) is not None
    fresh = sa.and_(fleet_token.c.id == token, fleet_token.c.revoked_on.is_(None))
    connection.execute(sa.update(fleet_token).where(fresh).values(revoked_on=today))
    if devices:
        theirs = sa.select(device.c.key).where(device.c.token == token)
        connection.execute(sa.delete(registration).where(registration.c.device.in_(theirs)))
        connection.execute(sa.delete(device).where(device.c.token == token))
    return known


def enrol(connection: Connection, key: bytes, token: int, today: date) -> bool:
    """Writes a device down. False if it was known: then nothing changes."""
    if is_enrolled(connection, key):
        return False
    connection.execute(sa.insert(device).values(key=key, token=token, enrolled_on=today))
    return True


def is_enrolled(connection: Connection, key: bytes) -> bool:
    """Whether this device was let in."""
    return connection.scalar(sa.select(device.c.key).where(device.c.key == key)) is not None


def registered(connection: Connection, key: bytes, day: date) -> int:
    """How many identities this device registered for a day."""
    here = sa.and_(registration.c.device == key, registration.c.day == day)
    return connection.scalar(sa.select(registration.c.identities).where(here)) or 0


def known(connection: Connection, pseudonyms: Sequence[bytes]) -> set[bytes]:
    """Those of them that are registered, for whichever day and by whomever."""
    return set(connection.scalars(sa.select(identity.c.pseudonym).where(identity.c.pseudonym.in_(pseudonyms))))


def register(connection: Connection, key: bytes, day: date, pseudonyms: Sequence[bytes]) -> None:
    """Writes down that the device registered so many for the day, and apart from that, which there are now; those known keep their day."""
    connection.execute(sa.insert(registration).values(device=key, day=day, identities=len(pseudonyms)))
    new = sorted(set(pseudonyms) - known(connection, pseudonyms))
    if new:
        connection.execute(sa.insert(identity), [{"pseudonym": each, "day": day} for each in new])


def uneven(connection: Connection) -> int:
    """How many days of devices have another number of identities than everybody's: none, or something tells people apart."""
    others = sa.select(sa.func.count()).select_from(registration).where(registration.c.identities != IDENTITIES_A_DAY)
    return connection.scalar(others) or 0


def _token(row: Any) -> Token:
    return Token(row.id, row.note, row.last_day, row.revoked_on)
