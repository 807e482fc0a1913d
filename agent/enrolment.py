"""Joining a fleet: this machine's device key, and which receiver knows it. Enrolling collects nothing and says nothing of anybody.

The file `enrolment` is written before the receiver is asked and again when it has answered, so that an answer that was lost is asked
for again with the same key. The key is in the keystore; one that the file does not name is of a state that is gone, and is replaced.
"""

import asyncio
import os
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec

from agent.carrier import Carrier
from agent.errors import CannotDo
from agent.places import Places
from agent.settings import Settings
from consent.unreadable import UNREADABLE
from transport import disk
from transport.enrolling import SEED_BYTES, DeviceKey, check_enrolled, check_token, enrolment_request
from transport.keystore import DEVICE, Keystore, choose

_MAX_BYTES = 4096


class Enrolment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which device this machine is.

    Attributes:
        device: The device's public key, hexadecimal.
        receiver: To whom.
        enrolled_on: UTC day; None while the receiver has not answered.
    """

    device: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    receiver: str
    enrolled_on: date | None = None


def read(path: Path) -> Enrolment | None:
    """What the file says; None if there is none, or none that can be read: then this machine enrols anew. Raises NotPrivate, OSError."""
    try:
        return msgspec.json.decode(disk.read(path, _MAX_BYTES), type=Enrolment)
    except (FileNotFoundError, *UNREADABLE):
        return None


def device_key(known: Enrolment | None, keystore: Keystore, receiver: str) -> DeviceKey | None:
    """The key of the device that this machine is to this receiver; None if it is none. Raises KeystoreError."""
    if known is None or known.receiver != receiver:
        return None
    seed = keystore.get(DEVICE)
    key = DeviceKey(seed) if seed is not None else None
    return key if key is not None and key.public.hex() == known.device else None


def receiver_of(settings: Settings) -> str:
    """The receiver to enrol with. Raises CannotDo if there is none, or none that enrols."""
    if settings.receiver is None:
        raise CannotDo("no receiver is configured, so there is nothing to join", 'put receiver = "https://..." into agent.toml')
    if settings.trial:
        raise CannotDo("a local trial needs no enrolment", "go on: volens run")
    return settings.receiver


def enrol(places: Places, settings: Settings, token: str, today: date) -> str:
    """Join with this token; what to tell the person.

    Raises:
        CannotDo: there is no receiver to join.
        EnrolmentError: the token is none, or the receiver did not let this machine in; it can be asked again.
        KeystoreError, OSError: the device key cannot be kept; nothing was asked.
    """
    receiver, token = receiver_of(settings), check_token(token)
    keystore = choose(places.keys)
    key = device_key(read(places.enrolment), keystore, receiver) or _new_key(places, keystore, receiver)
    asyncio.run(_ask(settings, receiver, token, key))
    _write(places, Enrolment(key.public.hex(), receiver, today))
    return f"This machine is enrolled with {receiver}. Nothing is collected by that: see what is asked of you with: volens consent show"


def _new_key(places: Places, keystore: Keystore, receiver: str) -> DeviceKey:
    seed = os.urandom(SEED_BYTES)
    key = DeviceKey(seed)
    keystore.put(DEVICE, seed)
    _write(places, Enrolment(key.public.hex(), receiver))
    return key


def _write(places: Places, enrolment: Enrolment) -> None:
    disk.put(places.enrolment, msgspec.json.encode(enrolment))


async def _ask(settings: Settings, receiver: str, token: str, key: DeviceKey) -> None:
    carrier = Carrier(asyncio.get_running_loop(), settings.receiver_pin)
    try:
        check_enrolled(await carrier.carry(*enrolment_request(carrier.next(), receiver, token, key)))
    finally:
        carrier.abort()
