"""What is measured: nothing (the baseline), a bare pynput listener, a naive logger, the agent. Each is one process tree under a reaper."""

import contextlib
import json
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import ClassVar, Protocol

from agent.demo.calls import Calls
from agent.demo.policy import Application
from agent.demo.stage import Stage
from agent.demo.subject import Subject
from agent.demo.trial import enrol, executable, prepare, serve
from agent.demo.wait import until
from agent.places import Places
from agent.reach import Reach
from bench.measure import bytes_under
from bench.player import Injected
from consent.event import Event
from consent.vocabulary import Kind

APPLICATIONS = (
    ("text-editor", "mousepad", "work"),
    ("terminal", "xterm", "terminal"),
    ("files", "pcmanfm", "work"),
    ("sign-in", "zenity", "work"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """What a recorder says that it saw.

    Attributes:
        seen: Raw inputs; None if it saw none by design.
        acts: (seen, injected) of clicks, scrolls and keys; for the agent (kept, injected): what it refuses has no kind any more.
        refused: Raw inputs that it refused, by reason.
        held_bytes: Bytes on disk that hold events.
        kept_bytes: Bytes that it keeps on disk in all.
        kept_raw: Raw inputs that what it kept stands for; None where nothing is filtered.
        held: The events that it kept, for whoever works out what of them would leave.
    """

    seen: int | None = None
    acts: dict[str, tuple[int, int]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    held_bytes: int = 0
    kept_bytes: int = 0
    kept_raw: int | None = None
    held: tuple[Event, ...] = field(default=(), repr=False)


class Recorder(Protocol):
    """Something whose cost is measured."""

    name: str

    def start(self, stage: Stage) -> Popen[bytes] | None:
        """Start it and return once it sees inputs; its reaper, or None if there is nothing to start."""

    def account(self, injected: Injected) -> Account:
        """What it saw, while it still runs or after it ended."""


class Nothing:
    """The baseline: nobody listens."""

    name = "nothing"

    def start(self, stage: Stage) -> None:
        """Nothing to start."""

    def account(self, injected: Injected) -> Account:  # noqa: ARG002 the protocol's
        """Nothing seen."""
        return Account()


class Listener:
    """The bare pynput listener."""

    name = "bare pynput"

    def __init__(self) -> None:
        self._log = Path()
        self._reaper: Popen[bytes] | None = None

    def start(self, stage: Stage) -> Popen[bytes]:
        """Start it and wait until both hooks are in place."""
        self._log = stage.root / "logs" / "listener.log"
        env = {**stage.env("listener"), "PYTHONPATH": str(Path(__file__).parents[1])}
        self._reaper = stage.children.start(reaped([sys.executable, "-m", *self._program(stage)]), env, name="listener")
        until(lambda: "ready" in self._log.read_text(), "the start of the listener")
        return self._reaper

    def _program(self, stage: Stage) -> list[str]:  # noqa: ARG002 the logger's
        return ["bench.listener"]

    def account(self, injected: Injected) -> Account:
        """What it counted or wrote until it was ended."""
        if self._reaper is not None:
            end(self._reaper)
        counts = self._counts()
        # a notch is one call for two raw inputs; everything else is one call each
        seen = counts["moves"] + counts["clicks"] + counts["keys"] + counts["releases"] + 2 * counts["scrolls"]
        acts = {name: (counts[name], getattr(injected, name)) for name in ("clicks", "scrolls", "keys")}
        return Account(seen, acts, held_bytes=self._bytes(), kept_bytes=self._bytes())

    def _counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for line in self._log.read_text().splitlines():
            if line.startswith("{") and "user_s" not in line:
                counts.update(json.loads(line))
        return counts

    def _bytes(self) -> int:
        return 0


class Logger(Listener):
    """The naive logger: every input a line of JSON, in the open."""

    name = "naive JSONL"
    _LINES: ClassVar[dict[str, str]] = {"move": "moves", "click": "clicks", "release": "releases", "press": "keys", "scroll": "scrolls"}

    def _program(self, stage: Stage) -> list[str]:
        self._file = stage.root / "inputs.jsonl"
        return ["bench.logger", str(self._file)]

    def _counts(self) -> Counter[str]:
        return Counter(self._LINES[json.loads(line)["what"]] for line in self._file.read_text().splitlines())

    def _bytes(self) -> int:
        return self._file.stat().st_size


class Agent:
    """Volens: daemon, observer, courier and icon; the receiver runs beside it and is not counted."""

    name = "Volens"

    def __init__(self) -> None:
        self._subject: Subject | None = None
        self._state = self._runtime = Path()

    def start(self, stage: Stage) -> Popen[bytes]:
        """Set up a local trial, start the agent, say yes, and wait until its hooks are in place."""
        calls = Calls(stage.env("volens"))
        self._state = Path(calls.env["XDG_STATE_HOME"]) / "volens"
        self._runtime = Path(calls.env["XDG_RUNTIME_DIR"]) / "volens"
        allowed = [Application(surface, surface, executable(program), category) for surface, program, category in APPLICATIONS]
        trial = prepare(stage.root / "trial", calls, allowed)
        serve(trial, lambda command, fds: stage.children.start(command, calls.env, name="receiver", pass_fds=fds))
        enrol(trial, self._state)
        self._subject = Subject(stage, calls)
        env = {**calls.env, "PYTHONPATH": str(Path(__file__).parents[1])}  # for the reaper; the agent itself is isolated
        reaper = self.subject.start_agent(lambda command: stage.children.start(reaped(command), env, name="agent"))
        self.subject.consent()
        return reaper

    @property
    def subject(self) -> Subject:
        """Whose agent it is, once it was started."""
        if self._subject is None:
            raise RuntimeError("the agent was not started")
        return self._subject

    def account(self, injected: Injected) -> Account:
        """Its tally, and its hold decoded by `volens show`; it must still run."""
        self.subject.settle(injected.raw)
        status = self.subject.status()
        kept: Counter[str] = Counter()
        events = tuple(Reach(Places(self._state, self._runtime)).held(None))
        for event in events:
            _count(event, kept)
        acts = {name: (kept[name], getattr(injected, name)) for name in ("clicks", "scrolls", "keys")}
        size, raw = bytes_under(self._state), sum(event.n for event in events)
        return Account(status.tally.seen, acts, dict(status.tally.refused), status.hold.bytes, size, raw, events)


def _count(event: Event, kept: Counter[str]) -> None:
    """A press and a release are two raw inputs; repeats do not happen on the bench."""
    match event.kind:
        case Kind.POINTER_SCROLL:
            kept["scrolls"] += event.n // 2
        case Kind.POINTER_BUTTON:
            kept["clicks"] += getattr(event.payload, "pressed", False)
        case Kind.KEY_NAMED | Kind.KEY_CHORD | Kind.TYPING_BURST:
            kept["keys"] += event.n // 2


def reaped(command: list[str]) -> list[str]:
    """A command under the reaper, which makes the CPU time of its tree exact."""
    return [sys.executable, "-m", "bench.reaper", *command]


def end(reaper: Popen[bytes]) -> None:
    """Ask the tree to end, and wait until all of it has."""
    with contextlib.suppress(ProcessLookupError):
        reaper.send_signal(signal.SIGTERM)
    reaper.wait()


def life_cpu_s(log: Path) -> float:
    """CPU seconds of a tree from its start to its end, as its reaper printed them."""
    for line in reversed(log.read_text(errors="replace").splitlines()):
        if line.startswith('{"user_s"'):
            used = json.loads(line)
            return float(used["user_s"]) + float(used["system_s"])
    return 0.0
