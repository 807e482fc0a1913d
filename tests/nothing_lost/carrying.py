"""The daemon's part of carrying, in a few lines: an outbox, the real courier child, and the receiver's answer judged as the agent does."""

import contextlib
import random
import re
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path

from consent.vocabulary import Purpose
from tests.receiver import stand
from tests.transport.test_courier import Courier
from transport.envelope import Envelope
from transport.jobs import Method, Request, batch_url
from transport.keystore import FileKeystore
from transport.notes import Note
from transport.outbox import Outbox
from transport.results import Fate, Result, Unreachable, fate_of, result_of


def note_of(envelope: Envelope, order: int) -> Note:
    return Note(
        id=envelope.id,
        order=order,
        purpose=Purpose(envelope.header.purpose),
        events=1,
        n=1,
        segments=(),
        covers=(),
        day="2026-11-21",
        consent=1,
        pseudonym=envelope.header.pseudonym,
        envelope_bytes=len(envelope.raw),
    )


@dataclass
class Carrier:
    """Carries what waits in an outbox, one request at a time, with a courier that anybody may kill.

    Attributes:
        url: Where to; it may change, as a restarted receiver's does here.
        made: Ids of all envelopes that were ever put.
        results: What each request came to.
    """

    folder: Path
    url: str
    deadline_s: int = 20
    made: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    courier: Courier | None = None
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.folder, FileKeystore(self.folder.parent / "keys"))

    def put(self, size: int) -> str:
        """Seal and put one envelope with so many bytes of payload; its id."""
        envelope = stand.envelope(size=size)
        self.outbox.put(envelope, note_of(envelope, len(self.made)))
        self.made.append(envelope.id)
        return envelope.id

    def ready(self) -> Courier:
        """The courier, started if there is none."""
        if self.courier is None:
            self.courier = Courier(self.ca_file)
        return self.courier

    def send(self, envelope_id: str, kill_after_s: float | None = None) -> Result:
        """One upload; what it came to. With kill_after_s the courier is killed so long after it was told."""
        courier, raw = self.ready(), self.outbox.read(envelope_id)
        timer = threading.Timer(kill_after_s or 0, courier.process.send_signal, [signal.SIGKILL])
        try:
            courier.start(
                Request(1, Method.PUT, batch_url(self.url, envelope_id), "application/octet-stream", len(raw), self.deadline_s), raw
            )
            if kill_after_s is not None:
                timer.start()
            result = result_of(courier.answer(), envelope_id)
        except (AssertionError, BrokenPipeError):  # it ended without an answer
            result = Unreachable(True)
        finally:
            if kill_after_s is not None:
                timer.join()
        if kill_after_s is not None or courier.process.poll() is not None:
            self.rest()
        self.results.append(result)
        if fate_of(result) is Fate.SENT:
            self.outbox.sent(envelope_id)
        assert fate_of(result) in {Fate.SENT, Fate.KEEP}, result
        return result

    def send_all(self, tries: int = 20) -> None:
        """Send until nothing waits."""
        for _ in range(tries):
            for note in self.outbox.waiting():
                self.send(note.id)
            if not self.outbox.waiting():
                return
        raise AssertionError("what waits does not leave")

    def rest(self) -> None:
        if self.courier is not None:
            with contextlib.suppress(BrokenPipeError):
                self.courier.close()
            self.courier = None


def objects(directory: Path) -> dict[str, list[str]]:
    """The ids of all objects in each of a receiver's stores."""
    return {
        store: sorted(path.name for path in (directory / store).rglob("*") if path.is_file() and ".incoming" not in path.parts)
        for store in ("slots", "bodies")
    }


def assert_each_is_stored_once(directory: Path, made: list[str]) -> None:
    """Exactly one object an id, in both stores, and the receiver's own check finds nothing wrong."""
    assert objects(directory) == {"slots": sorted(made), "bodies": sorted(made)}
    report = stand.run("check", directory)
    assert report.returncode == 0, report.stderr
    assert re.fullmatch(rf"sound {len(made)}, erased 0, unfinished 0, wrong 0\n", report.stdout)


def random_size(rng: random.Random) -> int:
    """Mostly a quiet hour's, sometimes one with frames."""
    return rng.choice([500, 5000, 60_000, 400_000])
