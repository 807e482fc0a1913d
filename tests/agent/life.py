"""A real agent on a real private desktop, for live tests: display, panel, bus, receiver, daemon, icon, person."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import psutil

from agent.demo.acts import EDITOR, TAKES_IN_S, Acts, applications, canaries, open_applications
from agent.demo.calls import Calls, Said, argv
from agent.demo.clock import rest
from agent.demo.person import Person
from agent.demo.stage import Stage, stage
from agent.demo.subject import Subject
from agent.demo.trial import Trial, enrol, prepare, serve
from agent.demo.truth import Phase, Truth
from agent.demo.wait import until
from agent.status import Status


@dataclass
class Desk:
    """A desktop with an editor, a terminal and a receiver, on which agents come and go."""

    stage: Stage
    acts: Acts
    trial: Trial
    receiver: Popen[bytes]

    @property
    def person(self) -> Person:
        return self.acts.person

    def start_receiver(self) -> None:
        """The receiver, again."""
        env = self.stage.env("receiver")
        self.receiver = serve(self.trial, lambda command, fds: self.stage.children.start(command, env, name="receiver", pass_fds=fds))

    def stop_receiver(self) -> None:
        self.receiver.terminate()
        self.receiver.wait(10)

    def work(self) -> None:
        """A click, a named key and a chord in the editor."""
        self.person.focus(self.acts.editor, EDITOR)
        rest(TAKES_IN_S)
        self.person.click(*self.acts.editor.inside(0.5, 0.5))
        self.person.key("down")
        self.person.chord(["ctrl"], "c")


@dataclass
class Life:
    """One agent of one person."""

    desk: Desk
    subject: Subject
    daemon: Popen[bytes]

    @property
    def state(self) -> Path:
        return Path(self.subject.calls.env["XDG_STATE_HOME"]) / "volens"

    def say(self, *words: str) -> Said:
        """A volens command, whatever becomes of it."""
        return self.subject.calls.ask("agent", *words)

    def status(self) -> Status:
        return self.subject.status()

    def held(self) -> list[dict[str, Any]]:
        """What `volens show --json` prints."""
        return [json.loads(line) for line in self.subject.calls.do("agent", "show", "--json").splitlines()]

    def processes(self, name: str) -> list[psutil.Process]:
        """Living processes of this agent: observer, courier, tray."""
        return [one for one in self.desk.stage.children.alive() if _is(one, name) and self._mine(one)]

    def _mine(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("XDG_STATE_HOME") == self.subject.calls.env["XDG_STATE_HOME"]
        except psutil.Error:
            return False  # not dumpable, or gone

    def children(self, name: str) -> list[psutil.Process]:
        """Living children of the daemon by name, by what the kernel says of them."""
        try:
            return [one for one in psutil.Process(self.daemon.pid).children() if _is(one, name)]
        except psutil.NoSuchProcess:
            return []

    def until(self, holds: Callable[[Status], bool], what: str) -> Status:
        """The first status for which this holds."""
        return until(lambda: status if holds(status := self.status()) else None, what, poll_s=0.1)


def _is(process: psutil.Process, name: str) -> bool:
    try:
        return ["-m", "agent", name] == process.cmdline()[2:5] and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@contextmanager
def a_desk() -> Iterator[Desk]:
    """A desktop for as long as the block runs."""
    with stage() as desktop:
        person = Person(desktop.display, Truth(phase=Phase.BEFORE))
        acts = open_applications(desktop, person, canaries())
        trial = prepare(desktop.root / "trial", Calls(desktop.env("maker")), applications())
        desk = Desk(desktop, acts, trial, None)  # type: ignore[arg-type]
        desk.start_receiver()
        yield desk


@contextmanager
def a_life(desk: Desk, *, consented: bool = True) -> Iterator[Life]:
    """A fresh agent on the desktop, with a yes or not yet; ended and deleted afterwards."""
    name = f"a{os.urandom(3).hex()}"
    env = desk.stage.env(name)
    runtime = desk.stage.root / name / "run"
    runtime.mkdir(mode=0o700)
    subject = Subject(desk.stage, Calls(env | {"XDG_RUNTIME_DIR": str(runtime)}))
    enrol(desk.trial, Path(env["XDG_STATE_HOME"]) / "volens")
    life = Life(desk, subject, start(desk, subject))
    try:
        if consented:
            subject.consent()
        yield life
    finally:
        life.daemon.terminate()
        life.daemon.wait(10)
        shutil.rmtree(desk.stage.root / name)


def start(desk: Desk, subject: Subject, *words: str) -> Popen[bytes]:
    """Start the daemon and wait for its icon and its policy; `words` are options of `volens run`."""
    return subject.start_agent(lambda command: desk.stage.children.start([*command, *words], subject.calls.env, name="agent"))


def run_again(life: Life, *words: str) -> Popen[bytes]:
    """`volens run`, once more, without waiting for anything."""
    return life.desk.stage.children.start(argv("agent", ["run", *words]), life.subject.calls.env, name="again")
