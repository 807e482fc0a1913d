"""What is due gathers before it is sealed: an envelope has a page at least, however little is in it."""

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from agent.budget import Budget
from agent.policies import InForce
from agent.registering import Registering
from agent.subject import Subject
from agent.uploading import SEAL_EVERY_S, Uploading
from consent.event import Clocks
from consent.standing import Standing
from consent.vocabulary import State
from tests.agent.people import POLICY, at, clicks, keep, recording, say_yes, subject_in

HELD_MIN = 24 * 60


@dataclass
class Still:
    """A daemon in whose standing nothing changes by itself."""

    subject: Subject
    standing: Standing = field(default_factory=recording)
    policy: InForce = field(default_factory=lambda: InForce(POLICY))
    budget: Budget = field(default_factory=Budget)
    working = nullcontext
    ended: list[object] = field(default_factory=list)
    moved: list[object] = field(default_factory=list)

    def reconsider(self) -> None:
        """The same as before."""


def sealed_at(folder: Path, *minutes: float, exempt_from: float = 1e9) -> list[tuple[int, int]]:
    """Envelopes that wait and events that are held, after turns at these minutes past the first hold. A click was made in each minute."""
    subject, now = subject_in(folder), [at(0)]
    say_yes(subject, at(0))
    for minute in range(40):
        keep(subject, clicks(minute + 1), at(minute + 1))
    for minute in range(15):  # somebody could look
        subject.saw(at(HELD_MIN - 20 + minute), at(HELD_MIN - 19 + minute))

    def read() -> Clocks:
        return now[0]

    async def run() -> list[tuple[int, int]]:
        loop = asyncio.get_running_loop()
        daemon = Still(subject, recording())
        uploading = Uploading(daemon, Registering(daemon, subject.places, read, loop), subject.places, read, loop)
        envelopes = []
        for minute in minutes:
            now[0] = at(HELD_MIN + minute)
            daemon.standing = Standing(State.EXEMPT, 1, for_good=True) if minute >= exempt_from else daemon.standing
            uploading._seal_in_turn()
            envelopes.append((subject.outbox.stats().envelopes, subject.hold.stats().events))
        return envelopes

    envelopes = asyncio.run(run())
    subject.close()
    return envelopes


def test_what_becomes_due_after_an_envelope_gathers_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    """The first that is due is sealed at once, what becomes due in the next minutes only with the next envelope."""
    minutes = SEAL_EVERY_S / 60
    found = sealed_at(tmp_path, 2, 3, 9, minutes + 1.9, minutes + 2, minutes + 3, 2 * minutes + 3)
    assert [envelopes for envelopes, _ in found] == [1, 1, 1, 1, 2, 2, 3]


def test_where_nothing_is_due_nothing_has_to_gather(tmp_path: Path) -> None:
    """A turn that seals nothing does not put off the next."""
    assert [envelopes for envelopes, _ in sealed_at(tmp_path, 0, 0.5, 2)] == [0, 0, 1]


def test_what_is_exempt_for_good_is_destroyed_when_it_is_due(tmp_path: Path) -> None:
    """It is no envelope that it would be gathered into."""
    before, after, later = sealed_at(tmp_path, 2, 4, 6, exempt_from=3)
    assert before[0] == 1
    assert before[1] > after[1] > later[1]
