"""A person with an agent's state on a real disk, for tests: consented, with events held. No daemon, no display."""

from collections.abc import Sequence
from pathlib import Path

from agent.consenting import Asking, offer, receipt
from agent.messages import GiveConsent
from agent.places import Places
from agent.subject import Subject
from consent.event import Button, Clocks, Event, PointerButton
from consent.gate import Admitted, decide
from consent.policy import Policy, parse
from consent.scope import SURFACELESS
from consent.standing import Standing
from consent.vocabulary import State, SurfaceId
from tests.policies import as_bytes, policy
from tests.register import REGISTER

BOOT = "boot-1"
POLICY: Policy = parse(as_bytes(policy()))
HOUR_MS = 3_600_000


def at(minutes: float) -> Clocks:
    """An instant some minutes after the tests' beginning."""
    return Clocks(HOUR_MS + int(minutes * 60_000), HOUR_MS + int(minutes * 60_000), 1_800_000_000_000 + int(minutes * 60_000))


def places_in(folder: Path) -> Places:
    made = Places(folder / "state", folder / "run")
    made.prepare()
    return made


def subject_in(folder: Path, now: Clocks | None = None) -> Subject:
    return Subject(places_in(folder), BOOT, now or at(0))


def say_yes(subject: Subject, now: Clocks, hours: str | None = None) -> str | None:
    """A consent to everything that the sample policy asks for, always or in these hours; the recovery code, if it was made now."""
    asking = Asking(offer(POLICY, REGISTER), POLICY, "123456", now.awake_ms)
    purposes, kinds = frozenset(asking.offer.purposes), frozenset(asking.offer.kinds)
    given = GiveConsent("123456", purposes, kinds - SURFACELESS, asking.offer.notice_sha256, hours)
    subject.acknowledge(asking.offer.notice_sha256, now)
    return subject.consent(receipt(asking, given, receipt_id="ab" * 16, wall_ms=now.wall_ms), now)


def recording(generation: int = 1) -> Standing:
    return Standing(State.CONSENTED, generation, POLICY.scope(), indicator=True)


def clicks(*minutes: float) -> list[Admitted]:
    """Admitted clicks in the editor at these minutes, one raw input each."""
    events = [Event(SurfaceId("editor"), 1, at(minute), 1, 1, PointerButton(3, 4, Button.LEFT, True)) for minute in minutes]
    return [one for event in events if isinstance(one := decide(event, recording()), Admitted)]


def keep(subject: Subject, admitted: Sequence[Admitted], now: Clocks) -> None:
    """What the daemon does with a group that the indicator has answered for."""
    subject.tally.came(len(admitted))
    subject.tally.admit(len(admitted))
    subject.keep(admitted, now)
