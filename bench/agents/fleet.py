"""Simulated agents: each seals, waits and sends as the real one does, by `transport/schedule.py`, with an outbox in memory."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from bench import service
from bench.agents.wire import Fault, Upload, send
from bench.clock import elapsed_s
from consent.vocabulary import Purpose
from transport import schedule
from transport.identity import EpochIdentity
from transport.jobs import Answered
from transport.notes import Note
from transport.results import Accepted, Fate, fate_of, result_of

_PURPOSE = Purpose(service.PURPOSE)
_PAYLOADS_BYTES = (2_000, 15_000, 60_000, 190_000, 900_000)
_WEIGHTS = (50, 25, 15, 8, 2)
"""Mostly an hour of events, which is one page; now and then frames, and sometimes the largest there is."""
_ROOM_BYTES = 1 << 40
"""No bound a day: it is the receiver that is measured."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a fleet does.

    Attributes:
        address: the receiver's.
        pace_s: mean time between two envelopes of one agent.
        ends_s: by bench.clock: nothing is made after that; what waits is still sent.
        drained_s: by bench.clock: nothing is sent after that either.
        fault_share: of requests, for each fault.
    """

    address: tuple[str, int]
    pace_s: float
    ends_s: float
    drained_s: float
    fault_share: float


@dataclass(slots=True)
class Account:
    """What the fleet knows. Ids are of envelopes.

    Attributes:
        made: ids of all that were sealed.
        acknowledged: how often each id was.
        requests: begun.
        repeats: of them, for an id that had been sent before.
        faults: injected, by kind.
        answers: by status, or by the name of what there was instead.
        latencies_s: of requests that ended in an acknowledgement.
    """

    made: list[str] = field(default_factory=list)
    acknowledged: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    repeats: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)


class Agent:
    """One workstation."""

    def __init__(self, number: int, plan: Plan, account: Account, seed: int) -> None:
        self._plan = plan
        self._account = account
        self._rng = random.Random(seed * 1_000_003 + number)
        self._signer: EpochIdentity = service.identity(number)
        self._outbox: dict[str, bytes] = {}
        self._notes: list[Note] = []
        self._sent_before: set[str] = set()
        self._schedule = schedule.Schedule()
        self._sealed = asyncio.Event()

    async def live(self) -> None:
        """Until the plan ends and nothing waits, or the plan gives up."""
        sealing = asyncio.create_task(self._seal_now_and_then())
        while elapsed_s() < self._plan.drained_s and not (sealing.done() and not self._notes):
            match schedule.next_step(self._schedule, self._notes, {_PURPOSE}, _now_ms(), _ROOM_BYTES):
                case schedule.Upload(envelope_id):
                    await self._send(envelope_id)
                case schedule.Wait(seconds):
                    await asyncio.sleep(seconds)
                case schedule.Stop():
                    await self._until_something_waits(sealing)
        await sealing

    @property
    def waiting(self) -> int:
        """Envelopes that were not acknowledged."""
        return len(self._notes)

    async def _seal_now_and_then(self) -> None:
        pause_s = self._rng.random() * self._plan.pace_s  # a fleet does not begin at the same instant
        while elapsed_s() + pause_s < self._plan.ends_s:
            await asyncio.sleep(pause_s)
            self._seal()
            pause_s = self._rng.expovariate(1 / self._plan.pace_s)

    def _seal(self) -> None:
        size = self._rng.choices(_PAYLOADS_BYTES, _WEIGHTS)[0]
        envelope = service.sealed(self._signer, max(1, int(size * self._rng.uniform(0.5, 1.1))))
        self._outbox[envelope.id] = envelope.raw
        self._notes.append(_note(envelope.id, len(self._account.made), len(envelope.raw), self._signer.pseudonym))
        self._account.made.append(envelope.id)
        self._sealed.set()

    async def _until_something_waits(self, sealing: "asyncio.Task[None]") -> None:
        self._sealed.clear()
        woken = asyncio.create_task(self._sealed.wait())
        await asyncio.wait([woken, sealing], return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()

    async def _send(self, envelope_id: str) -> None:
        raw, account = self._outbox[envelope_id], self._account
        drawn = self._rng.random()
        share = self._plan.fault_share
        fault = Fault.RESET if drawn < share else Fault.LOST if drawn < 2 * share else None
        account.requests += 1
        account.repeats += envelope_id in self._sent_before
        self._sent_before.add(envelope_id)
        if fault is not None:
            account.faults[fault] += 1
        self._schedule = schedule.begun(self._schedule, _now_ms())
        began_s = elapsed_s()
        answer = await send(self._plan.address, Upload(envelope_id, raw, fault, self._rng.randrange(len(raw))))
        result = result_of(answer, envelope_id)
        account.answers[str(answer.status) if isinstance(answer, Answered) else "no answer"] += 1
        if isinstance(result, Accepted):
            account.latencies_s.append(elapsed_s() - began_s)
            account.acknowledged[envelope_id] += 1
        self._schedule = schedule.report(self._schedule, envelope_id, result, _now_ms(), jitter=self._rng.random())
        if fate_of(result) is not Fate.KEEP:
            self._notes = [note for note in self._notes if note.id != envelope_id]
            del self._outbox[envelope_id]


def _note(envelope_id: str, order: int, envelope_bytes: int, pseudonym: bytes) -> Note:
    return Note(
        id=envelope_id,
        order=order,
        purpose=_PURPOSE,
        events=1,
        n=1,
        segments=(),
        covers=(),
        day="2026-11-21",
        consent=1,
        pseudonym=pseudonym,
        envelope_bytes=envelope_bytes,
    )


def _now_ms() -> int:
    return int(elapsed_s() * 1000)
