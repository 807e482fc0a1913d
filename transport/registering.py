"""Which days' identities are registered, and what is to be registered when: decisions only. Pure; the agent asks and writes down.

A day is planned once: its sixteen pseudonyms are written down before they are first sent, and sent as they are until they are answered.
When a day is sent follows from the device key and the day alone. It must not follow from what a person does, a yes among it: the
receiver keeps which device registered which day, and could read a consent out of any difference.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from transport.enrolling import DeviceKey, Registered
from transport.enrolment_proof import IDENTITIES_A_DAY

KEPT = timedelta(days=40)
"""How long a day is remembered. A receiver takes a day's envelopes for 31 days, unless it is told otherwise."""
REPEATED = timedelta(days=8)
"""These days are registered again once a day, by everyone. Usually that changes nothing; after a receiver's backup was restored, which is
a week old at most, it brings back what the backup did not have. If only those asked who had something to send, it would show who has."""
DAY_S = 86_400
_MOMENT_LABEL = b"volens/registration-moment/1\0"

Pseudonym = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Standing(StrEnum):
    """How far a day's registration has come."""

    WAITING = "waiting"
    """Written down, perhaps sent, not answered."""
    DONE = "done"
    TAKEN = "taken"
    """The receiver has others of this device for this day: this machine's state was lost or set back. Nothing is sealed under it."""


class Day(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day's identities, as this machine registers them.

    Attributes:
        pseudonyms: Hexadecimal, sorted.
        standing: How far it has come.
        confirmed_on: UTC day on which the receiver last said that it has them.
        doubted: It has since refused one of them: nothing of this day is sent before it has confirmed them again.
    """

    day: date
    pseudonyms: Annotated[tuple[Pseudonym, ...], msgspec.Meta(min_length=IDENTITIES_A_DAY, max_length=IDENTITIES_A_DAY)]
    standing: Standing = Standing.WAITING
    confirmed_on: date | None = None
    doubted: bool = False

    @property
    def sealable(self) -> frozenset[bytes]:
        """The pseudonyms under which may be sealed on this day: none before the receiver has them."""
        return frozenset(map(bytes.fromhex, self.pseudonyms)) if self.standing is Standing.DONE else frozenset()

    @property
    def sendable(self) -> bool:
        """Whether envelopes of this day may be sent now."""
        return self.standing is Standing.DONE and not self.doubted


def moment_s(device: DeviceKey, day: date) -> int:
    """The second of a UTC day at which this device registers the next one, and its last ones again: any, and nobody's choice."""
    return int.from_bytes(device.derive(_MOMENT_LABEL + day.isoformat().encode()), "big") % DAY_S


def due(days: Mapping[date, Day], today: date, second: int, moment: int) -> list[date]:
    """The days to register now, in this order.

    Args:
        days: what is known, by day.
        today: UTC, and the `second` of it.
        moment: from moment_s, for today.
    """
    wanted = [today] if today not in days or days[today].standing is Standing.WAITING else []
    if second < moment:
        return wanted
    tomorrow = today + timedelta(days=1)
    if tomorrow not in days or days[tomorrow].standing is Standing.WAITING:
        wanted.append(tomorrow)
    return wanted + sorted(day for day, one in days.items() if _again(one, today))


def _again(one: Day, today: date) -> bool:
    lately = today - REPEATED <= one.day <= today
    return one.standing is Standing.DONE and (lately or one.doubted) and one.confirmed_on != today


def after(one: Day, answer: Registered, today: date) -> Day:
    """The day after the receiver's answer of this `today`."""
    match answer:
        case Registered.DONE:
            return msgspec.structs.replace(one, standing=Standing.DONE, confirmed_on=today, doubted=False)
        case Registered.TAKEN:
            return msgspec.structs.replace(one, standing=Standing.TAKEN)
        case _:
            return one


def doubt(one: Day) -> Day:
    """The day after the receiver refused an envelope because it does not know its pseudonym."""
    return msgspec.structs.replace(one, doubted=True)
