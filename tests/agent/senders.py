"""Somebody who has sent things to a receiver of the tests, and what they may do from any machine with their recovery code."""

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from consent.event import Button, Clocks, Event, PointerButton
from consent.gate import Admitted, decide
from consent.policy import parse
from consent.vocabulary import SurfaceId
from tests.agent.people import recording
from tests.commands import LONGEST_S, Done, Place, argv
from tests.policies import as_bytes, policy
from tests.receiver import stand
from transport.batch import Source, pack
from transport.envelope import Envelope, seal
from transport.identity import EpochIdentity
from transport.recovery import RecoveryCode

NOW = datetime.now(UTC)
TODAY = NOW.date()
_PURPOSE = policy()["purposes"][0] | {"public_key": base64.b64encode(stand.PURPOSE_KEY.public.raw).decode()}
POLICY = parse(as_bytes(policy(purposes=[_PURPOSE])))
"""The sample policy, with the purpose key of the tests' receiver."""


def click(hours_ago: float) -> Event:
    """A click in the editor, so many hours before the tests began."""
    wall_ms = int((NOW - timedelta(hours=hours_ago)).timestamp() * 1000)
    return Event(SurfaceId("editor"), 1, Clocks(1000, 1000, wall_ms), 1, 1, PointerButton(3, 4, Button.LEFT, True))


def batch(events: Sequence[Event], segment: bytes | None = None) -> bytes:
    """The payload of these events, as an agent packs it."""
    admitted = [one for event in events if isinstance(one := decide(event, recording()), Admitted)]
    assert len(admitted) == len(events)
    return pack(admitted, source=Source(1, bytes(32), (segment or os.urandom(16),)))


@dataclass
class Sender:
    """A person: a recovery code, and what was sent under it."""

    code: RecoveryCode = field(default_factory=lambda: RecoveryCode(os.urandom(32)))

    def signer(self, day: date = TODAY, n: int = 1) -> EpochIdentity:
        return EpochIdentity.derive(self.code.identity_secret(), day=day, purpose=stand.PURPOSE, n=n)

    def sealed(self, events: Sequence[Event], day: date = TODAY, n: int = 1, segment: bytes | None = None) -> Envelope:
        return seal(
            batch(events, segment),
            purpose=stand.PURPOSE,
            purpose_key=stand.PURPOSE_KEY.public,
            reading_key=self.code.reading_key().public,
            signer=self.signer(day, n),
            number=os.urandom(16),
            body_key=os.urandom(32),
        )

    def send(self, service: stand.Service, events: Sequence[Event], day: date = TODAY, n: int = 1, segment: bytes | None = None) -> str:
        """Seal and send; the id."""
        envelope = self.sealed(events, day, n, segment)
        assert service.put(envelope).status_code == 201
        return envelope.id


def elsewhere(folder: Path, name: str) -> Place:
    """Another machine: a home without any state."""
    place = folder / name
    place.mkdir()
    return Place(place)


def do(place: Place, *words: str, code: str) -> Done:
    """A command, with the recovery code piped in. It looks for two consents, to be done sooner than with eight."""
    done = subprocess.run(
        argv(["volens", *words, "--consents", "2"]),
        cwd=place.folder,
        env=place.env(),
        input=f"{code}\n",
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def rows(path: Path) -> list[dict[str, object]]:
    """The lines of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]
