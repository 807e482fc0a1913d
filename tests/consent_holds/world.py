"""A whole agent on one disk, its children, icon and person stand-ins, through any number of deaths. What decides or keeps is real.

`Daemon`, `Answers`, `Uploading`, `Indicator`, `Subject` with ledger, hold, outbox, keystore and sealing are the product's own. The watches
here look at what goes through four narrow places: into the hold, into the outbox, out to the network, and to the person.
"""

import contextlib
import random as randomness
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import agent.carrier
import agent.daemon
from agent import messages
from agent import uploading as uploading_module
from agent.answers import Answers
from agent.daemon import Daemon
from agent.places import Places
from agent.policies import InForce
from agent.registering import Registering
from agent.settings import Settings
from agent.subject import Subject
from agent.uploading import Uploading
from consent.vocabulary import Blocker
from tests.consent_holds.children import Courier, Observer
from tests.consent_holds.clock import Loop, Time
from tests.consent_holds.disk import Disk
from tests.consent_holds.people import ICON_PID, Icon
from tests.register import REGISTER
from tests.transport.faults import Crash
from transport import forgetting
from transport.hold import Hold
from transport.outbox import Outbox
from transport.sealing import seal_due

SETTINGS = Settings(receiver="http://127.0.0.1:9", trial=True)
SHARED_MEMORY = Path("/dev/shm")  # where it is there, a disk that is never waited for


class Trays:
    """The icon's keeper: it lets one process speak."""

    pid: int | None = ICON_PID

    def __init__(self) -> None:
        self.ended = 0
        self.why = ""

    def end(self) -> None:
        self.ended += 1

    def anew(self) -> None:
        self.end()


class AtOnce:
    """In place of a pool of threads, so that a run can be told again."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> "AtOnce":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[[Any], Any], items: Iterator[Any]) -> list[Any]:
        return [work(item) for item in items]


class Plain(Answers):
    """Answers that hide no fault: a bug, and a rule that is broken, must end the run."""

    def _at_fault(self, error: Exception) -> messages.Refused:
        raise error


class World:
    """One machine with one person's agent.

    Attributes:
        deaths: How often the process died where nobody expected it.
        observers: The observer children of this life, dead ones among them.
        courier: The courier that has an envelope in its hands, if one has.
    """

    def __init__(self, watch: Callable[["World", pytest.MonkeyPatch], None]) -> None:
        base = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
        self.folder = Path(tempfile.mkdtemp(prefix="volens-holds-", dir=base))
        self.time, self.disk, self.random = Time(), Disk(self.folder / "disk"), Random(0)
        (self.folder / "disk").mkdir(mode=0o700)
        self.places = Places(self.folder / "disk" / "state", self.folder / "disk" / "run")
        self.places.prepare()
        (self.places.keys / "keystore").write_bytes(b"file")
        (self.places.keys / "keystore").chmod(0o600)
        self.policy = InForce(blocker=Blocker.POLICY_MISSING)
        self.deaths = 0
        self._courier: Courier | None = None
        self._patch = pytest.MonkeyPatch()
        self._replace()
        watch(self, self._patch)
        self.on_open: Callable[[Subject], None] = lambda _: None

    def _replace(self) -> None:
        patch, draw = self._patch, self.random.randbytes
        self.disk.install(patch)
        for called in (Hold.__init__, Outbox.__init__, seal_due):
            patch.setitem(called.__kwdefaults__, "random", draw)
        patch.setattr(randomness, "_urandom", draw)  # what `secrets` draws from
        patch.setattr(uploading_module, "random", self.random)
        patch.setattr(uploading_module, "SEAL_EVERY_S", 0.0)  # at every turn: more is sealed, and more can go wrong
        patch.setattr(forgetting, "ThreadPoolExecutor", AtOnce)
        patch.setattr(agent.daemon, "Child", self._child)
        patch.setattr(agent.carrier, "Child", self._child)

    def _child(self, name: str, loop: Loop, heard: Callable[[bytes], None], ended: Callable[[], None], more: object = ()) -> Any:
        if name == "observer":
            self.observers.append(Observer(heard, ended))
            return self.observers[-1]
        self._courier = Courier(loop, heard, self._came)
        return self._courier

    def _came(self, courier: Courier) -> None:
        self.upload_came(courier)

    def upload_came(self, courier: Courier) -> None:
        """An envelope is in a courier's hands. Replaced by whoever watches."""

    @property
    def courier(self) -> Courier | None:
        return self._courier if self._courier is not None and self._courier.uploads else None

    @property
    def observer(self) -> Observer | None:
        """The living one."""
        return next((one for one in self.observers if one.alive), None)

    # --- lives ---------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """The process starts: everything is read from the disk, as `agent.run` does it. Raises Crash if it dies at once."""
        self.loop, self.trays = Loop(self.time), Trays()
        self.observers: list[Observer] = []
        self._courier = None
        self.icon: Icon | None = None
        read = self.time.read
        self.subject = Subject(self.places, self.time.boot, read(), SETTINGS)
        self.on_open(self.subject)
        self.daemon = Daemon(self.subject, REGISTER, read, self.loop)
        self.daemon.take(self.policy)
        self.daemon.appear()
        registering = Registering(self.daemon, self.places, read, self.loop)
        self.uploading = Uploading(self.daemon, registering, self.places, read, self.loop)
        self.answers = Plain(self.daemon, self.uploading, self.trays, read)
        self.answers.presence.settle()  # nothing on this machine tells anything of itself
        self.daemon.indicator.silent = self.trays.end
        self.daemon.reconsider()
        self.keeping = self.loop.create_task(self.uploading.keep())
        self.loop.settle()
        self._check_faults()
        if self.disk.dead:
            raise Crash

    def settle(self) -> bool:
        """Do all that is to be done now; whether the process still lives."""
        if not self.disk.dead:
            self.loop.settle()
        self._check_faults()
        if not self.disk.dead and self.keeping.done():
            raise AssertionError("the uploader has ended") from self.keeping.exception()
        return not self.disk.dead

    def _check_faults(self) -> None:
        for fault in self.loop.faults:
            if not isinstance(fault, Crash):
                raise fault

    def die(self, *, power_cut: bool) -> None:
        """The process is gone, or the whole machine is; start it again, as often as it takes."""
        crash_in: int | None = self.disk.crash_in
        while True:
            self.deaths += 1
            self.disk.dead = True
            self.loop.end()
            self.disk.after_death(power_cut=self.random if power_cut else None)
            if power_cut:
                self.time.start_again(60_000)
            self.disk.crash_in, crash_in = crash_in, None
            with contextlib.suppress(Crash):
                self.open()
                return

    def end(self) -> None:
        """Give everything back; nothing of it is kept."""
        self.disk.dead = True
        self.loop.end()
        self.disk.after_death(power_cut=None)
        self._patch.undo()
        shutil.rmtree(self.folder)
