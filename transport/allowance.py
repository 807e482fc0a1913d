"""The bytes of envelopes that may leave in a day and in a month: hard stops. Counted when an upload begins, whatever becomes of it. Pure.

Days and months are UTC, by a time that a person may set: set back, it opens nothing. Which of its clocks says the day is the caller's part.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from consent.event import Count

DAY_BYTES = 20_000_000
"""DESIGN: at most 20 MB a day, so that a home line or a telephone is never emptied. A day without frames is some tens of kilobytes."""
MONTH_BYTES = 400_000_000
"""Twenty days of work, each at its most; who records at weekends too, or on a second day after a midnight, gets no more for it."""
LEAST_BYTES = 10_000
"""The least that either may be lowered to: an envelope has 6.6 kB however little is in it, so that below nothing would ever leave."""

Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
Month = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d$")]


class Spent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was sent on the latest day on which anything was, and in the latest month."""

    day: Day = "1970-01-01"
    sent_bytes: Count = 0
    month: Month = "1970-01"
    month_bytes: Count = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that may leave. A machine's settings may lower it, nothing raises it."""

    day_bytes: int = DAY_BYTES
    month_bytes: int = MONTH_BYTES


@dataclass(frozen=True, slots=True)
class Used:
    """What has left today and this month, and the most that may."""

    day_bytes: int = 0
    month_bytes: int = 0
    limits: Limits = Limits()

    @property
    def room_bytes(self) -> int:
        """What may still be sent."""
        return max(0, min(self.limits.day_bytes - self.day_bytes, self.limits.month_bytes - self.month_bytes))


UNUSED = Used()


def used(spent: Spent, day: str, limits: Limits) -> Used:
    """What was sent by this day; a day before the latest one is that one still, and so is a month."""
    today_bytes = spent.sent_bytes if day <= spent.day else 0
    month_bytes = spent.month_bytes if day[:7] <= spent.month else 0
    of_the_day = spent.sent_bytes if day[:7] <= spent.day[:7] else 0  # an older version counted no month
    return Used(today_bytes, max(month_bytes, of_the_day), limits)


def spend(spent: Spent, day: str, sent_bytes: int) -> Spent:
    """So many bytes begin to leave now."""
    before = used(spent, day, Limits())
    return Spent(max(day, spent.day), before.day_bytes + sent_bytes, max(day[:7], spent.month), before.month_bytes + sent_bytes)
