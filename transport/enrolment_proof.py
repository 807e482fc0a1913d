"""What a device signs when it joins and when it registers a day's identities: one definition for who asks and who is asked. Pure.

A device key signs these two messages and nothing else: nothing that it signs names a batch.
"""

from collections.abc import Iterable
from datetime import date

IDENTITIES_A_DAY = 16
"""What every device registers for every day, consenting or not: the eight purposes that a policy may have at most, each with the consent
that holds and with the next one. A second new consent on one day waits for the next day. More would cost a receiver rows (100,000
devices, 16 and a month: 50 million), fewer would let the number tell whether somebody consented."""

_ENROLMENT = b"volens/enrolment/1"
_REGISTRATION = b"volens/registration/1"


def enrolment_message(token: str) -> bytes:
    """The bytes under a device's signature when it joins with a fleet token."""
    return b"\0".join((_ENROLMENT, token.encode("ascii")))


def registration_message(day: date, pseudonyms: Iterable[str]) -> bytes:
    """The bytes under a device's signature when it registers a day's pseudonyms, hexadecimal, in any order."""
    return b"\0".join((_REGISTRATION, day.isoformat().encode("ascii"), ",".join(sorted(pseudonyms)).encode("ascii")))
