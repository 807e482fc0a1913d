"""What the routes of one running receiver share. Refuses requests when it is full or ending."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from receiver.depot import Depot
from receiver.errors import Refused
from receiver.in_force import InForce
from receiver.site import Site
from receiver.tables import chore
from receiver.writer import Writer

_RETRY_BUSY_S = 5
_RETRY_DRAINING_S = 30


@dataclass(slots=True, repr=False)
class Running:
    """Attributes:
    site: the opened folder.
    depot: files and rows.
    writer: the one task that changes them.
    terms: the policy in force.
    now: wall clock, UTC.
    in_flight: uploads that are being taken in.
    draining: the process was asked to end.
    """

    site: Site
    depot: Depot
    writer: Writer
    terms: InForce
    now: Callable[[], datetime]
    in_flight: int = 0
    draining: bool = False

    @contextmanager
    def admission(self) -> Iterator[None]:
        """A place for one upload. Raises Refused (503) when there is none."""
        if self.draining:
            raise Refused(503, "the receiver is ending", "keep the envelope and try again later", retry_after_s=_RETRY_DRAINING_S)
        if self.in_flight >= self.site.settings.max_in_flight:
            raise Refused(503, "the receiver is busy", "keep the envelope and try again later", retry_after_s=_RETRY_BUSY_S)
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    async def why_not_ready(self) -> str | None:
        """What keeps this receiver from taking envelopes in, or None."""
        if self.draining:
            return "ending"
        await self.terms.now()
        if self.terms.damaged:
            return "policy"
        return await asyncio.to_thread(self._fault)

    def _fault(self) -> str | None:
        try:
            if not self.depot.has_room():
                return "disk full"
            with self.site.engine.connect() as connection:
                connection.execute(sa.select(chore.c.name).limit(1))
        except OSError:
            return "storage"
        except SQLAlchemyError:
            return "database"
        return None


def running(request: Request) -> Running:
    """The receiver that this request came to."""
    return cast(Running, request.app.state.running)
