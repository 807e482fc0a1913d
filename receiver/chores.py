"""What is done every hour and at the end of every day: retention, forgetting, and taking the order of arrival out of what is kept.

Refuses to leave a trace of order: files of a day that is over are written anew in a random order, so that neither their times nor their
numbers in the file system tell who came when; the database is rewritten in the order of its keys. Each step runs in the writer's turn.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from random import SystemRandom
from typing import Any

from receiver import exemption_rows, old_rows, records
from receiver.accept import Terms
from receiver.depot import Depot
from receiver.retention import due_before, forgetting
from receiver.vault import Part
from transport.envelope import split
from transport.header import EnvelopeError

_GROUP = 64
_SCATTERED = "scattered"


Turns = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs acts one after the other with everything else that changes files or rows."""


@dataclass(frozen=True, slots=True)
class Done:
    """What an hour's chores did. Counts only.

    Attributes:
        expired: batches whose retention was over.
        scattered: batches of past days that lost their order.
        forgotten: erasures of which no copy can be left.
    """

    expired: int
    scattered: int
    forgotten: int


async def do_all(depot: Depot, alone: Turns, terms: Mapping[str, Terms], now: datetime) -> Done:
    """Everything that is due now.

    Raises:
        OSError, DBAPIError: the disk failed; what was done stays done, the rest is due in an hour.
    """
    today = now.date()
    expired = await _expire(depot, alone, {name: each.retention_days for name, each in terms.items()}, today)
    forgotten = await alone(partial(_forget, depot, today))
    scattered = await _scatter(depot, alone, today)
    return Done(expired, scattered, forgotten)


async def _expire(depot: Depot, alone: Turns, retention: Mapping[str, int], today: date) -> int:
    expired = 0
    while gone := await alone(partial(_expire_some, depot, retention, today)):
        expired += gone
    return expired


def _expire_some(depot: Depot, retention: Mapping[str, int], today: date) -> int:
    with depot.engine.begin() as connection:
        ids = old_rows.overdue(connection, today, due_before(retention, today), _GROUP)
        if ids:
            old_rows.mark_gone(connection, ids)
    depot.vault.destroy(ids)
    return len(ids)


def _forget(depot: Depot, today: date) -> int:
    horizon = forgetting(today, late_days=depot.rules.late_days, backups_kept_days=depot.rules.backups_kept_days)
    with depot.engine.begin() as connection:
        digests = old_rows.forget(connection, horizon, tombstones=not depot.rules.open_to_all)
        exemption_rows.forget(connection, decided_before=horizon.decided_from, asked_before=horizon.asked_from)
    depot.log.destroy(digests)
    return len(digests)


async def _scatter(depot: Depot, alone: Turns, today: date) -> int:
    days = await alone(partial(_days_in_order, depot, today))
    if days is None:
        return 0
    scattered = 0
    for day in days:
        ids = await alone(partial(_ids_of, depot, day))
        SystemRandom().shuffle(ids)
        for start in range(0, len(ids), _GROUP):
            await alone(partial(_write_anew, depot, ids[start : start + _GROUP], day))
        scattered += len(ids)
    await alone(partial(_rewrite_rows, depot, today))
    return scattered


def _days_in_order(depot: Depot, today: date) -> list[date] | None:
    """The days that are over and not scattered; None when today's turn was taken."""
    with depot.engine.connect() as connection:
        last = old_rows.done_for(connection, _SCATTERED)
        if last is not None and last >= today:
            return None
        return records.days_with_batches(connection, since=last, ahead_of=today)


def _ids_of(depot: Depot, day: date) -> list[str]:
    with depot.engine.connect() as connection:
        return records.ids_stored_on(connection, day)


def _write_anew(depot: Depot, ids: Sequence[str], day: date) -> None:
    with depot.engine.connect() as connection:
        there = {row.id for row in records.find(connection, ids) if not row.erased}
    midnight_s = int(datetime.combine(day, time(), UTC).timestamp())
    parts = [Part(each, *found) for each in ids if each in there and (found := _sound(depot, each)) is not None]
    depot.vault.put(parts, midnight_s, _one_by_one)


def _sound(depot: Depot, batch_id: str) -> tuple[bytes, bytes] | None:
    """(slots, rest); None for what is damaged, which stays as it is, so that no sound copy is overwritten with it. `check` names it."""
    try:
        return split(depot.vault.read(batch_id)[1])
    except (OSError, EnvelopeError):
        return None


def _one_by_one(acts: list[Callable[[], None]]) -> None:
    for act in acts:
        act()


def _rewrite_rows(depot: Depot, today: date) -> None:
    """Rows in the order of keys, and no log of what was written when; then the day is done."""
    with depot.engine.begin() as connection:
        old_rows.note_done(connection, _SCATTERED, today)
    depot.rewrite()
