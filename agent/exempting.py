"""Hands exemption requests in, fetches decisions, and takes back what was cancelled, by a courier of its own. Opens nothing.

Asked hourly and whenever something changes, whatever the standing: what it carries says nothing that was observed. One request a
connection, so that the receiver cannot tell two of one machine by the line that they came on. A decision that the reviewer of the
policy in force did not sign, or that is about another request, is refused and reported.
"""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec

from agent import exemptions
from agent.carrier import Carrier
from agent.daemon import Daemon
from agent.enrolment import device_key, read
from agent.places import Places
from consent.event import Clocks
from consent.ledger import LedgerError
from consent.policy import Reviewer
from transport import exempting
from transport.enrolling import DeviceKey
from transport.errors import TransportError
from transport.exempting import Handed
from transport.exemption_proof import BadDecision, read_decision
from transport.exemptions import Requests, Waiting

LOOK_EVERY_S = 3600.0
AGAIN_S = (60.0, 300.0, 900.0, 3600.0)
"""After a receiver that did not answer."""


class Exempting:
    """Args:
    daemon: Whose subject's requests; its policy says who decides.
    """

    def __init__(self, daemon: Daemon, places: Places, read_clocks: Callable[[], Clocks], loop: asyncio.AbstractEventLoop) -> None:
        self._daemon, self._places, self._read = daemon, places, read_clocks
        settings = daemon.subject.settings
        self._receiver = None if settings.trial else settings.receiver
        self._carrier = Carrier(loop, settings.receiver_pin)
        self._wake = asyncio.Event()
        self._seen: object = None
        self._failures = 0
        daemon.moved.append(self._moved)

    def _moved(self) -> None:
        """Something changed: look at once if it was asked, cancelled, or another reviewer."""
        policy = self._daemon.policy.policy
        seen = (frozenset(self._ids()), policy.reviewer if policy else None)
        if seen != self._seen:
            self._seen = seen
            self._wake.set()

    def _ids(self) -> set[str]:
        return {each.id for each in self._daemon.subject.record.choice.exemptions}

    async def keep(self) -> None:
        """Carry what there is to carry, for as long as the daemon runs."""
        while True:
            self._wake.clear()
            settled = await self.once()
            self._failures = 0 if settled else self._failures + 1
            wait_s = LOOK_EVERY_S if settled else AGAIN_S[min(self._failures, len(AGAIN_S)) - 1]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def once(self) -> bool:
        """Hand in, ask, take back: everything once; whether nothing of it has to be tried again soon."""
        try:
            requests = Requests(self._places.exemptions)
            if self._receiver is None or not (waiting := requests.all()):
                return True
            device = device_key(read(self._places.enrolment), self._daemon.subject.keystore, self._receiver)
            done = [await self._carry(self._receiver, requests, each, device) for each in waiting]
            return all(done)
        except (TransportError, LedgerError, OSError):  # a keyring that is locked, a disk that is full: it is tried again
            return False
        finally:
            self._carrier.abort()

    async def _carry(self, receiver: str, requests: Requests, one: Waiting, device: DeviceKey | None) -> bool:
        try:
            if one.id not in self._ids():
                return await self._take_back(receiver, requests, one)
            policy = self._daemon.policy.policy
            if one.settled or policy is None or policy.reviewer is None:
                return True
            if one.handed_in:
                return await self._ask(receiver, requests, one, policy.reviewer)
            return device is None or await self._hand_in(receiver, requests, one, device)
        finally:
            self._carrier.rest()

    async def _take_back(self, receiver: str, requests: Requests, one: Waiting) -> bool:
        """Its person cancelled it, or the ledger never knew of it."""
        if one.tried:
            answer = await self._carrier.carry(*exempting.forgetting_request(self._carrier.next(), receiver, one.id))
            if not exempting.forgotten(answer):
                return False
        requests.drop(one.id)
        return True

    async def _hand_in(self, receiver: str, requests: Requests, one: Waiting, device: DeviceKey) -> bool:
        one = msgspec.structs.replace(one, tried=True)
        requests.keep(one)  # before it is sent: what may have arrived must be taken back when it is cancelled
        sent = await self._carrier.carry(*exempting.asking_request(self._carrier.next(), receiver, device, one.asking))
        match exempting.handed_of(sent):
            case Handed.IN:
                bare = msgspec.structs.replace(one.asking, reason=None)
                requests.keep(Waiting(bare, tried=True, handed_in=True))
                self._daemon.changed()
                return True
            case Handed.REFUSED:
                requests.keep(msgspec.structs.replace(one, settled=True))
                return True
        return False

    async def _ask(self, receiver: str, requests: Requests, one: Waiting, reviewer: Reviewer) -> bool:
        signed = exempting.decision_of(await self._carrier.carry(exempting.decision_request(self._carrier.next(), receiver, one.id)))
        if signed is None:
            return True
        try:
            decision = read_decision(signed, one.id, reviewer.verify)
        except BadDecision:
            requests.keep(msgspec.structs.replace(one, doubted=True))
            return True
        if one.id in self._ids():  # not cancelled while it was asked for
            exemptions.decided(self._daemon.subject, decision, signed, self._read())
            requests.keep(msgspec.structs.replace(one, settled=True, doubted=False))
            self._daemon.reconsider()
            self._daemon.changed()
        return True
