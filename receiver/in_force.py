"""The policy in force, read again whenever another one is published. Refuses to go on with none once there was one, and says so.

A key that a new policy no longer names is still accepted, for envelopes sealed up to the day after: agents learn of the new policy
within a day, and what they had sealed by then must not be lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from consent.policy import PurposeTerms
from consent.vocabulary import Purpose
from receiver import lines, policy_repo
from receiver.accept import Terms
from receiver.errors import ReceiverError
from receiver.tables import purpose_key

STILL_SEALED = timedelta(days=1)
"""How long after a change agents may still seal to the key before: as long as the longest lease that is usual."""


Alone = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs an act in the writer's turn."""


class InForce:
    """What is taken in now. Asked for every envelope; reads the repository only when a file of it was replaced."""

    def __init__(
        self, repository: Path, engine: Engine, alone: Callable[[Callable[[], Any]], Awaitable[Any]], now: Callable[[], datetime]
    ) -> None:
        self._repository = repository
        self._engine = engine
        self._alone = alone
        self._now = now
        self._lock = asyncio.Lock()
        self._stamp: object = None
        self._terms: Mapping[str, Terms] = {}
        self.damaged = False

    async def now(self) -> Mapping[str, Terms]:
        """By name, the terms of each purpose of the policy in force."""
        if policy_repo.stamp(self._repository) != self._stamp:
            async with self._lock:
                await self._read_again()
        return self._terms

    async def _read_again(self) -> None:
        stamp = policy_repo.stamp(self._repository)
        if stamp == self._stamp:
            return
        try:
            self._terms = await self._alone(partial(self._read, self._now().date()))
            self.damaged = False
        except (ReceiverError, OSError) as error:
            self.damaged = True
            lines.write({"what": "the published policy does not hold; the one before stays in force", "fault": lines.place_of(error)})
        self._stamp = stamp

    def _read(self, today: date) -> Mapping[str, Terms]:
        purposes = policy_repo.purposes(self._repository)
        with self._engine.begin() as connection:
            return note(connection, purposes, today)


def note(connection: Connection, purposes: Mapping[Purpose, PurposeTerms], today: date) -> Mapping[str, Terms]:
    """Writes down which keys are in force from today on, and returns what is taken in."""
    current = {(purpose.id, purpose.key_id) for purpose in purposes.values()}
    known = {(row.purpose, row.key_id): row.last_day for row in connection.execute(sa.select(purpose_key))}
    for purpose, key_id in current - set(known):
        connection.execute(sa.insert(purpose_key).values(purpose=purpose, key_id=key_id))
    for (purpose, key_id), last_day in known.items():
        wanted = None if (purpose, key_id) in current else last_day or today + STILL_SEALED
        if wanted != last_day:
            here = sa.and_(purpose_key.c.purpose == purpose, purpose_key.c.key_id == key_id)
            connection.execute(sa.update(purpose_key).where(here).values(last_day=wanted))
    days = {(row.purpose, row.key_id): row.last_day for row in connection.execute(sa.select(purpose_key))}
    return {
        purpose.id: Terms({key_id: day for (name, key_id), day in days.items() if name == purpose.id}, purpose.retention_days)
        for purpose in purposes.values()
    }
