"""kill -9 of the real daemon, courier and receiver while all three work: everything said reconciles, nothing kept is lost.

The whole household of tests/nothing_lost/whole.py: what needs a display is made up, the rest is the product. What the daemon has shown
as held must be opened by the custodians in the end, each event once; every count that `status` gives must be what is really there.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, Popen

import psutil
import pytest

from agent import clock, messages
from agent.alone import Alone
from agent.channel import Channel
from agent.consenting import Asking, offer, receipt
from agent.demo.calls import Calls, Said
from agent.demo.policy import Application
from agent.demo.trial import Trial, enrol, prepare, serve
from agent.demo.wait import until
from agent.errors import NotRunning
from agent.places import Places
from agent.status import Status
from agent.subject import Subject
from consent.event import Event
from consent.policy import parse
from consent.scope import SURFACELESS
from tests.nothing_lost.carrying import objects
from tests.nothing_lost.whole import COMMAND
from tests.receiver.stand import ENVIRONMENT
from tests.register import REGISTER
from transport.process import die_with_parent

EDITOR = Application("editor", "Editor", "/usr/bin/editor")
TARGETS = ("daemon", "courier", "receiver")
Known = tuple[int, int, int]
"""Enough of a made-up click to tell it from every other."""
MINE = {name: value for name, value in ENVIRONMENT.items() if name not in {"DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"}}


def _known(event: Event) -> Known:
    return event.at.boot_ms, event.payload.x, event.payload.y  # type: ignore[attr-defined]


@dataclass
class Household:
    """One subject's machine and one receiver.

    Attributes:
        shown: Everything that the daemon has ever said to hold.
        env: What the daemon's environment has beyond ours.
    """

    places: Places
    trial: Trial
    env: dict[str, str] = field(default_factory=dict)
    daemon: "Popen[bytes] | None" = None
    receiver: "Popen[bytes] | None" = None
    shown: set[Known] = field(default_factory=set)
    killed: Counter[str] = field(default_factory=Counter)

    def start_receiver(self) -> None:
        if self.receiver is None:
            start = partial(Popen, env=MINE, stderr=DEVNULL, preexec_fn=die_with_parent)
            self.receiver = serve(self.trial, lambda argv, fds: start(argv, pass_fds=fds))

    def start(self) -> None:
        """Whatever does not run."""
        self.start_receiver()
        self.start_daemon()

    def start_daemon(self) -> None:
        """With a receiver or without."""
        if self.daemon is None:
            command = [*COMMAND, "daemon", str(self.places.state), str(self.places.runtime)]
            self.daemon = Popen(command, env=MINE | self.env, stdout=DEVNULL, stderr=DEVNULL)

    def say(self, *words: str) -> Said:
        """A volens command, whatever becomes of it."""
        where = {"XDG_STATE_HOME": str(self.places.state.parent), "XDG_RUNTIME_DIR": str(self.places.runtime.parent)}
        return Calls(MINE | where).ask("agent", *words)

    def ask(self, request: messages.Request) -> messages.Answer | None:
        """One answer; None if the daemon is not there, or just ends."""
        with suppress(NotRunning), Channel(self.places.socket) as channel:
            return channel.ask(request)
        return None

    def look(self) -> None:
        """Have the daemon show what it holds. What it shows is on the disk, so it must never be lost."""
        with suppress(NotRunning), Channel(self.places.socket) as channel:
            for part in channel.stream(messages.ShowHeld()):
                assert isinstance(part, messages.HeldPart)
                self.shown |= {_known(event) for event in part.events}

    def status(self) -> Status:
        """As `volens status` says it without a daemon."""
        with Alone(self.places) as alone:
            answer = alone.answer(messages.AskStatus())
        assert isinstance(answer, messages.StatusIs)
        return answer.status

    def status_now(self) -> Status:
        """As the daemon says it."""
        answer = until(lambda: self.ask(messages.AskStatus()), "the status")
        assert isinstance(answer, messages.StatusIs)
        return answer.status

    def until_it_collects(self) -> None:
        """Return once events are being kept, however busy the machine is."""
        until_s = time.monotonic() + 60
        while not (isinstance(answer := self.ask(messages.AskStatus()), messages.StatusIs) and answer.status.collecting):
            assert time.monotonic() < until_s, "it does not collect"
            time.sleep(0.05)

    def live(self, rng: random.Random, life_s: float) -> None:
        """Some time of work: events come by themselves; somebody looks at them, and sends them."""
        until_s = time.monotonic() + life_s
        while time.monotonic() < until_s:
            time.sleep(rng.random() * 0.2)
            match rng.randrange(3):
                case 0:
                    self.look()
                case 1:
                    self.ask(messages.Send())
                case _:
                    answer = self.ask(messages.AskStatus())
                    assert not isinstance(answer, messages.StatusIs) or _reconciles(answer.status)

    def kill(self, what: str) -> None:
        match what:
            case "courier":
                self.kill_courier()
            case "receiver" if self.receiver is not None:
                self.receiver.kill()
                self.receiver.wait()
                self.receiver = None
                self.killed[what] += 1
            case "daemon" if self.daemon is not None:
                children = _children(self.daemon)
                self.daemon.kill()
                self.daemon.wait()
                self.daemon = None
                self.killed[what] += 1
                _until_gone(children)

    def kill_courier(self) -> None:
        """The next one that lives; it lives only while there is something to send."""
        self.ask(messages.Send())
        until_s = time.monotonic() + 1
        while self.daemon is not None and time.monotonic() < until_s:
            for one in _children(self.daemon):
                with suppress(psutil.Error):
                    if "courier" in one.cmdline():
                        one.kill()
                        self.killed["courier"] += 1
                        return
            time.sleep(0.001)

    def end(self) -> None:
        for process in (self.daemon, self.receiver):
            if process is not None:
                process.terminate()
                process.wait(30)
        self.daemon = self.receiver = None


def _children(process: "Popen[bytes]") -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children()
    except psutil.NoSuchProcess:
        return []


def _until_gone(children: list[psutil.Process]) -> None:
    """Whoever takes in orphans may be slow to reap them: a process that has ended is gone."""
    until_s = time.monotonic() + 30
    while alive := [one for one in children if one.is_running() and _status(one) != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < until_s, f"outlive the daemon: {[one.pid for one in alive]}"
        time.sleep(0.01)


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def _reconciles(status: Status) -> bool:
    """INV-21."""
    tally = status.tally
    parts = tally.pending + tally.held + tally.forgotten + tally.sealed + tally.sent
    return tally.seen == sum(tally.refused.values()) + parts


def consent(places: Places, trial: Trial) -> None:
    """The subject says yes to everything that the trial asks for; no daemon runs."""
    policy, now = parse((trial.folder / "policy.json").read_bytes()), clock.read()
    asking = Asking(offer(policy, REGISTER), policy, "123456", now.awake_ms)
    purposes, kinds = frozenset(asking.offer.purposes), frozenset(asking.offer.kinds)
    given = messages.GiveConsent("123456", purposes, kinds - SURFACELESS, asking.offer.notice_sha256)
    subject = Subject(places, clock.boot_id(), now)
    subject.acknowledge(asking.offer.notice_sha256, now)
    subject.consent(receipt(asking, given, receipt_id="ab" * 16, wall_ms=now.wall_ms), now)
    subject.close()


@contextmanager
def household_in(folder: Path, machine: Path | None = None, applications: Sequence[Application] = (EDITOR,)) -> Iterator[Household]:
    """Keys, policy and receiver by the real commands; a subject who has said yes. `machine`: where the state is to lie, if elsewhere."""
    calls = Calls(MINE)
    trial = prepare(folder / "trial", calls, applications)
    places = Places((machine or folder / "machine") / "volens", folder / "run" / "volens")
    enrol(trial, places.state)
    places.runtime.parent.mkdir(mode=0o700)  # else it is nobody's XDG_RUNTIME_DIR
    places.prepare()
    consent(places, trial)
    household = Household(places, trial)
    try:
        yield household
    finally:
        household.end()


def _kills(folder: Path, seed: int, times: int) -> Counter[str]:
    """So many kills, each at a random instant; after each of the daemon what it left is read as `volens status` reads it."""
    rng = random.Random(seed)
    with household_in(folder) as household:
        sent = 0
        while household.killed.total() < times:
            household.start()
            if household.killed.total() == 0 or rng.random() < 0.8:  # else it is killed as it starts
                household.until_it_collects()
            household.live(rng, rng.random() * 1.5)
            least = min(household.killed[what] for what in TARGETS)
            household.kill(rng.choice([what for what in TARGETS if household.killed[what] == least]))
            if household.daemon is None:
                left = household.status()
                assert _reconciles(left)
                assert left.sent.batches >= sent, "something that was sent is not known any more"
                sent = left.sent.batches
        _send_everything(household)
        household.end()
        _reconcile_with_the_receiver(household)
        return household.killed


def _send_everything(household: Household) -> None:
    """Until nothing is held or waits; another daemon now and then, because one that met a dead receiver is patient."""
    for _ in range(30):
        household.start()
        until_s = time.monotonic() + 10
        while time.monotonic() < until_s:
            household.look()
            household.ask(messages.Send())
            time.sleep(0.3)
            household.ask(messages.Pause(None))  # nothing new comes
            answer = household.ask(messages.AskStatus())
            if isinstance(answer, messages.StatusIs) and not answer.status.tally.held + answer.status.outbox.envelopes:
                return
            household.ask(messages.Resume())
            time.sleep(0.5)
        household.kill("daemon")
    raise AssertionError("what is held does not leave")


def _reconcile_with_the_receiver(household: Household) -> None:
    """What the machine says was sent, what the receiver has, and what custodians open are the same, and hold all that was ever shown."""
    status, trial = household.status(), household.trial
    there = objects(trial.receiver)
    assert len(there["bodies"]) == len(set(there["bodies"])) == status.sent.batches
    assert there["bodies"] == there["slots"]
    out = household.places.runtime / "opened"
    keys = [part for name in ("ada", "ben") for part in ("--key", str(trial.keys / f"{name}.key"))]
    household.start()
    said = Calls(MINE).do(
        "custody",
        *["open", "--purpose", str(trial.purpose), *keys, "--from", trial.url],
        *["--reason", "nothing lost", "--out", str(out)],
    )
    assert "repeats" not in said
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    opened = Counter((one["at"]["boot_ms"], one["payload"]["x"], one["payload"]["y"]) for one in events)
    assert len(household.shown) > 20 * household.killed["daemon"], "too little was going on"
    assert max(opened.values()) == 1, "an event is there twice"
    assert not household.shown - set(opened), "something that was kept is lost"
    assert (status.tally.held, status.tally.sealed, status.tally.sent) == (0, 0, len(opened))
    assert _reconciles(status)


def test_kills_of_a_whole_household_lose_and_double_nothing(tmp_path: Path) -> None:
    """The short form: one of each."""
    assert set(_kills(tmp_path, seed=7, times=3)) == set(TARGETS)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_1000_kills_of_a_whole_household_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    """The long form: twenty households, 50 kills each, of daemon, courier and receiver."""
    killed = _kills(tmp_path, 7000 + seed, times=50)
    assert min(killed[what] for what in TARGETS) >= 10
