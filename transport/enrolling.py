"""Joining a fleet, and registering a day's identities: how it is spelled, and what the answers mean. Pure.

Every device registers the same number of pseudonyms for every day from the day it joins, consenting or not, sorted, so that neither number
nor order says anything. Those that are not its subject's are made from fresh randomness, and their private halves are forgotten.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from enum import Enum

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.unreadable import UNREADABLE
from transport.enrolment_proof import IDENTITIES_A_DAY, enrolment_message, registration_message
from transport.errors import TransportError
from transport.identity import EpochIdentity
from transport.jobs import Answer, Answered, Failed, Request, Trouble, post
from transport.kdf import derive

SEED_BYTES = 32
_TOKEN = re.compile(r"[a-z2-7]{52}")
_TOKEN_TROUBLES = frozenset(f"the fleet token is {word}" for word in ("unknown", "expired", "revoked"))


class _Refusal(msgspec.Struct):
    error: str


class EnrolmentError(TransportError):
    """The receiver did not let this device in, or did not answer as one does; the message says what to do."""


class DeviceKey:
    """A device's own key. Signs that it joins and what it registers, nothing about any batch. Never printed.

    Attributes:
        public: 32 bytes; the receiver knows the device by them.
    """

    __slots__ = ("_private", "_seed", "public")

    public: bytes

    def __init__(self, seed: bytes) -> None:
        """From 32 bytes that were random once and are kept like other keys."""
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(message)

    def derive(self, label: bytes) -> bytes:
        """32 bytes that only this device can make, another for each label."""
        return derive(self._seed, label)

    def __repr__(self) -> str:
        return f"DeviceKey({self.public.hex()[:16]})"

    def __reduce__(self) -> str:
        raise TypeError("a device key is not copied or pickled")


class Registered(Enum):
    """What became of a day's registration."""

    DONE = "done"
    TAKEN = "taken"
    """Others are registered for this day already: this machine lost what it had; it seals again tomorrow."""
    NOT_ENROLLED = "not enrolled"
    """The receiver does not know this device, perhaps any more: enrol again."""
    REFUSED = "refused"
    """The receiver takes this day from nobody now: it, or this machine's clock, is wrong about the date."""
    LATER = "later"


def own_identities(identity_secret: bytes, *, day: date, purposes: Iterable[str], consent: int) -> list[bytes]:
    """The pseudonyms that a consenting machine may seal under on a day: of each purpose, with this consent's number and the next.

    Raises:
        EnrolmentError: more than a day has room for.
    """
    made = [
        EpochIdentity.derive(identity_secret, day=day, purpose=purpose, n=n).pseudonym
        for purpose in sorted(set(purposes))
        for n in (consent, consent + 1)
    ]
    if len(made) > IDENTITIES_A_DAY:
        raise EnrolmentError(f"a day has room for {IDENTITIES_A_DAY} identities; the policy has too many purposes")
    return made


def day_of_identities(own: Sequence[bytes], seeds: Sequence[bytes]) -> tuple[str, ...]:
    """What a device registers for a day, hexadecimal and sorted: its subject's pseudonyms, and made-up ones up to the fixed number.

    Args:
        own: from own_identities; empty for who does not consent.
        seeds: IDENTITIES_A_DAY times 32 fresh random bytes, whatever `own` is; no reference to them is kept.
    """
    made_up = [Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw() for seed in seeds]
    return tuple(sorted(each.hex() for each in [*own, *made_up][:IDENTITIES_A_DAY]))


def enrolment_request(job: int, receiver_url: str, token: str, device: DeviceKey) -> tuple[Request, bytes]:
    """Join with a fleet token."""
    stated = {"token": token, "device": device.public.hex(), "signature": device.sign(enrolment_message(token)).hex()}
    return post(job, receiver_url, "/v1/enrolments", stated)


def check_enrolled(answer: Answer) -> None:
    """Returns if the receiver let this device in. Raises EnrolmentError otherwise."""
    if isinstance(answer, Answered) and answer.status in (200, 201):
        return
    if isinstance(answer, Failed) and answer.trouble is Trouble.NO_CONNECTION:
        raise EnrolmentError("the receiver cannot be reached; look at the network and at the address in agent.toml, and try again")
    if isinstance(answer, Answered) and answer.status == 403:
        raise EnrolmentError(f"{_why_not(answer.body)}; ask whoever gave it to you for a new one")
    if isinstance(answer, Answered) and answer.status == 404:
        raise EnrolmentError("what answers at the receiver's address is no receiver; look at the address in agent.toml")
    raise EnrolmentError("the receiver did not enrol this machine; try again later")


def check_token(text: str) -> str:
    """A fleet token as somebody typed or pasted it. Raises EnrolmentError if it cannot be one; the message holds none of it."""
    token = "".join(text.split()).lower()
    if _TOKEN.fullmatch(token) is None:
        raise EnrolmentError("that is no fleet token: one has 52 letters and digits; copy it again, all of it")
    return token


def _why_not(body: bytes) -> str:
    """The receiver's word for what is wrong with the token, if it is one of the known ones; never any other text of its answer."""
    try:
        said = msgspec.json.decode(body, type=_Refusal).error
    except UNREADABLE:
        said = ""
    return said if said in _TOKEN_TROUBLES else "the receiver does not take the fleet token"


def registration_request(job: int, receiver_url: str, device: DeviceKey, day: date, pseudonyms: Sequence[str]) -> tuple[Request, bytes]:
    """Register a day's pseudonyms, from day_of_identities. Sent again as it is until it is answered."""
    stated = {
        "device": device.public.hex(),
        "day": day.isoformat(),
        "pseudonyms": list(pseudonyms),
        "signature": device.sign(registration_message(day, pseudonyms)).hex(),
    }
    return post(job, receiver_url, "/v1/registrations", stated)


def registered_of(answer: Answer) -> Registered:
    """What the receiver's answer means."""
    if not isinstance(answer, Answered):
        return Registered.LATER
    done, refused = Registered.DONE, Registered.REFUSED
    meanings = {200: done, 201: done, 403: Registered.NOT_ENROLLED, 409: Registered.TAKEN, 422: refused}
    return meanings.get(answer.status, Registered.LATER)
