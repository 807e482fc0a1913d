"""What must be gone by when. Decides; the chores do it. Refuses to keep anything longer than the policy that it came under allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

DECIDED_KEPT = timedelta(days=90)
ASKED_KEPT = timedelta(days=365)
"""How long an exemption request is kept: after its decision, and at all."""


def last_day_kept(stored_on: date, retention_days: int) -> date:
    """The last day that a batch may be kept, by the policy in force when it came.

    It is written down with the batch: a later policy can shorten it, and never lengthen what its subject agreed to.
    """
    return stored_on + timedelta(days=retention_days)


def due_before(purposes: Mapping[str, int], today: date) -> dict[str, date]:
    """For each purpose of the policy in force, the day before which a batch of it must have come to be due now.

    Args:
        purposes: retention in days, by name. A purpose that is not in force any more is judged by what was written down.
        today: UTC.
    """
    return {purpose: today - timedelta(days=days) for purpose, days in purposes.items()}


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Until which days rows are needed that only refuse things; what is older is dropped, so that none of them grow for ever.

    Attributes:
        identities_from: registrations of earlier days: nothing of those days is taken in any more.
        erased_from: rows of erased batches that came earlier: their pseudonyms are not registered any more.
        wishes_from: erasures asked for earlier: the last backup that held their bodies is gone.
        decided_from: exemptions decided earlier: whoever asked has seen it, or has not looked for a quarter of a year.
        asked_from: exemptions asked for earlier, decided or not. They hold all the same: only their person ends one.
    """

    identities_from: date
    erased_from: date
    wishes_from: date
    decided_from: date
    asked_from: date


def forgetting(today: date, *, late_days: int, backups_kept_days: int) -> Forgetting:
    """What may be forgotten today. A day more than needed each: a day has no hour here."""
    return Forgetting(
        identities_from=today - timedelta(days=late_days),
        erased_from=today - timedelta(days=late_days + 1),
        wishes_from=today - timedelta(days=backups_kept_days + 1),
        decided_from=today - DECIDED_KEPT,
        asked_from=today - ASKED_KEPT,
    )
