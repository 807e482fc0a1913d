"""The bytes of envelopes that may leave in a day: a hard stop. Counted when an upload begins, whatever becomes of it. Pure.

Days are UTC by the wall clock, which a person may set: set back, it opens nothing.
"""

from typing import Annotated

import msgspec

from consent.event import Count

DAY_BYTES = 20_000_000
"""DESIGN: at most 20 MB a day, so that a home line or a telephone is never emptied. A day without frames is some tens of kilobytes."""

Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]


class Spent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was sent on the latest day on which anything was."""

    day: Day = "1970-01-01"
    sent_bytes: Count = 0


def today_bytes(spent: Spent, day: str) -> int:
    """What was sent today; a day before the latest one is that one still."""
    return spent.sent_bytes if day <= spent.day else 0


def room_bytes(spent: Spent, day: str) -> int:
    """What may still be sent today."""
    return max(0, DAY_BYTES - today_bytes(spent, day))


def spend(spent: Spent, day: str, sent_bytes: int) -> Spent:
    """So many bytes begin to leave now."""
    return Spent(max(day, spent.day), today_bytes(spent, day) + sent_bytes)
