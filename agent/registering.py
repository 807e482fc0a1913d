"""Registers the identities of every day of an enrolled machine, by a courier of its own. Refuses to let anything a person does show in it.

Consenting or not, the same number goes out, sorted, one day a connection; when, transport/registering.py decides without knowing of
any consent. It goes on during a pause, and no change of permission ends it: what it carries says nothing of anybody.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import date

from agent.carrier import Carrier
from agent.daemon import Daemon
from agent.enrolment import device_key, read
from agent.places import Places
from consent.event import Clocks
from consent.vocabulary import State
from transport import registering
from transport.enrolling import SEED_BYTES, DeviceKey, Registered, day_of_identities, own_identities, registered_of, registration_request
from transport.enrolment_proof import IDENTITIES_A_DAY
from transport.errors import TransportError
from transport.registering import DAY_S, Day
from transport.registrations import Registrations

LOOK_EVERY_S = 60.0
AGAIN_S = (60.0, 300.0, 900.0, 3600.0)
"""After a receiver that did not answer, or refused; a fleet that comes back after a night asks over minutes, not at once."""

_NOT_ENROLLED = "this machine is not enrolled, so the receiver takes nothing in; enrol it: volens enroll"
_PUT_OUT = "the receiver does not know this machine any more; enrol it again: volens enroll"
_NOT_YET = "the receiver has not registered this machine's identities for today yet; it stays held until it has"
_TAKEN = "today's identities were registered before this machine's state was set back; it stays held until tomorrow"


class Registering:
    """Args:
    daemon: Whose subject's identities; asked for the consent and the policy when a day is planned, and for nothing else.
    """

    def __init__(self, daemon: Daemon, places: Places, read_clocks: Callable[[], Clocks], loop: asyncio.AbstractEventLoop) -> None:
        self._daemon, self._places, self._read = daemon, places, read_clocks
        settings = daemon.subject.settings
        self._receiver = None if settings.trial else settings.receiver
        self._carrier = Carrier(loop, settings.receiver_pin)
        self._enrolment: object = None
        self._device: DeviceKey | None = None
        self._registrations: Registrations | None = None
        self._failures = 0
        self._put_out = False

    # --- what the uploader asks ---------------------------------------------------------------------------------

    def why_not(self, today: date) -> str | None:
        """Why nothing that is sealed today would be taken in; None if something is."""
        if self._receiver is None:
            return None
        if self._registrations is None:
            return _NOT_YET if self._enrolled() else _NOT_ENROLLED
        one = self._registrations.days.get(today)
        if one is not None and one.standing is registering.Standing.TAKEN:
            return _TAKEN
        if one is None or not one.sealable:
            return _PUT_OUT if self._put_out else _NOT_YET
        return None

    def _enrolled(self) -> bool:
        """Whether the file says so: the keystore may not have given the key yet."""
        try:
            known = read(self._places.enrolment)
        except (TransportError, OSError):
            return False
        return known is not None and known.enrolled_on is not None and known.receiver == self._receiver

    def sealable(self, today: date) -> frozenset[bytes] | None:
        """The pseudonyms under which may be sealed today; None: under any."""
        if self._receiver is None:
            return None
        one = self._days().get(today)
        return frozenset() if one is None else one.sealable

    def sendable(self, day: date) -> bool:
        """Whether the receiver takes envelopes of this day in, as far as is known."""
        one = self._days().get(day)
        return self._receiver is None or (one is not None and one.sendable)

    def doubt(self, day: date) -> None:
        """The receiver did not know a pseudonym of this day: it is registered again when its turn comes, and sent then."""
        if self._registrations is not None and day in self._registrations.days:
            self._registrations.keep(registering.doubt(self._registrations.days[day]))

    def _days(self) -> dict[date, Day]:
        return self._registrations.days if self._registrations is not None else {}

    # --- registering --------------------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Register what is due, for as long as the daemon runs."""
        while True:
            settled = await self.once()
            self._failures = 0 if settled else self._failures + 1
            await asyncio.sleep(LOOK_EVERY_S if settled else AGAIN_S[min(self._failures, len(AGAIN_S)) - 1])

    async def once(self, *, ahead: bool = False) -> bool:
        """Register what is due now; whether nothing of it has to be tried again soon. `ahead`: tomorrow too, whatever the hour."""
        try:
            self._find_device()
            device, days = self._device, self._registrations
            if self._receiver is None or device is None or days is None:
                return True
            today, second = self._now()
            days.drop_old(today)
            moment = 0 if ahead else registering.moment_s(device, today)
            settled = True
            for day in registering.due(days.days, today, second, moment):
                answer = await self._register(self._receiver, device, days, day, today)
                if answer in (Registered.LATER, Registered.NOT_ENROLLED):
                    return False  # the others would hear the same
                settled = settled and answer is not Registered.REFUSED
            return settled
        except (TransportError, OSError):  # a keyring that is locked, a disk that is full: it is tried again
            return False
        finally:
            self._carrier.abort()

    def _find_device(self) -> None:
        """Open the registrations of the device that this machine is; `volens enroll` may have changed which that is."""
        if self._receiver is None:
            return
        known = read(self._places.enrolment)
        if known == self._enrolment:
            return
        enrolled = known is not None and known.enrolled_on is not None
        self._device = device_key(known, self._daemon.subject.keystore, self._receiver) if enrolled else None
        self._registrations = Registrations(self._places.registrations, self._device) if self._device else None
        self._enrolment, self._put_out = known, False

    async def _register(self, receiver: str, device: DeviceKey, days: Registrations, day: date, today: date) -> Registered:
        one = days.days.get(day) or Day(day, day_of_identities(self._own(day), [os.urandom(SEED_BYTES) for _ in range(IDENTITIES_A_DAY)]))
        if day not in days.days:
            days.keep(one)  # before it is sent: what was registered must be known
        answer = registered_of(
            await self._carrier.carry(*registration_request(self._carrier.next(), receiver, device, day, one.pseudonyms))
        )
        after = registering.after(one, answer, today)
        if after != one:
            days.keep(after)
            self._daemon.changed()
        self._put_out = answer is Registered.NOT_ENROLLED
        return answer

    def _own(self, day: date) -> Sequence[bytes]:
        """The subject's pseudonyms of this day; none without a consent."""
        record, policy = self._daemon.subject.record, self._daemon.policy.policy
        receipt, keys = record.receipt(), None if record.choice.state in (State.UNASKED, State.WITHDRAWN) else record.sealing_keys()
        if receipt is None or keys is None:
            return ()
        purposes = policy.purposes if policy is not None else receipt.purpose_keys
        return own_identities(keys.identity_secret, day=day, purposes=purposes, consent=record.choice.consents)

    def _now(self) -> tuple[date, int]:
        now = self._read()
        return now.day, now.wall_ms // 1000 % DAY_S
