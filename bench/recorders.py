"""What is measured: nothing at all (the baseline), a bare pynput listener, and the agent. Each is one process tree under a reaper."""

import contextlib
import json
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any, Protocol

from agent.demo.calls import Calls
from agent.demo.policy import Application
from agent.demo.stage import Stage
from agent.demo.subject import Subject
from agent.demo.trial import enrol, executable, prepare, serve
from agent.demo.wait import until
from bench.measure import bytes_under
from bench.player import Injected

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
    """

    seen: int | None = None
    acts: dict[str, tuple[int, int]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    held_bytes: int = 0
    kept_bytes: int = 0


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
        self._reaper = stage.children.start(reaped([sys.executable, "-m", "bench.listener"]), env, name="listener")
        until(lambda: "ready" in self._log.read_text(), "the start of the listener")
        return self._reaper

    def account(self, injected: Injected) -> Account:
        """Its counts, which it prints when it is ended."""
        if self._reaper is not None:
            end(self._reaper)
        counts: Counter[str] = Counter()
        for line in self._log.read_text().splitlines():
            if line.startswith("{") and "user_s" not in line:
                counts.update(json.loads(line))
        # a notch is one call for two raw inputs; everything else is one call each
        seen = counts["moves"] + counts["clicks"] + counts["keys"] + counts["releases"] + 2 * counts["scrolls"]
        return Account(seen, {name: (counts[name], getattr(injected, name)) for name in ("clicks", "scrolls", "keys")})


class Agent:
    """Volens: daemon, observer, courier and icon; the receiver runs beside it and is not counted."""

    name = "Volens"

    def __init__(self) -> None:
        self._subject: Subject | None = None
        self._state = Path()

    def start(self, stage: Stage) -> Popen[bytes]:
        """Set up a local trial, start the agent, say yes, and wait until its hooks are in place."""
        calls = Calls(stage.env("volens"))
        self._state = Path(calls.env["XDG_STATE_HOME"]) / "volens"
        allowed = [Application(surface, surface, executable(program), category) for surface, program, category in APPLICATIONS]
        trial = prepare(stage.root / "trial", calls, allowed)
        serve(trial, lambda command, fds: stage.children.start(command, calls.env, name="receiver", pass_fds=fds))
        enrol(trial, self._state)
        self._subject = Subject(stage, calls)
        env = {**calls.env, "PYTHONPATH": str(Path(__file__).parents[1])}  # for the reaper; the agent itself is isolated
        reaper = self._subject.start_agent(lambda command: stage.children.start(reaped(command), env, name="agent"))
        self._subject.consent()
        return reaper

    def account(self, injected: Injected) -> Account:
        """Its tally, and its hold decoded by `volens show`; it must still run."""
        if self._subject is None:
            return Account()
        self._subject.settle(injected.raw)
        status = self._subject.status()
        kept: Counter[str] = Counter()
        for line in self._subject.calls.do("agent", "show", "--json").splitlines():
            _count(json.loads(line), kept)
        acts = {name: (kept[name], getattr(injected, name)) for name in ("clicks", "scrolls", "keys")}
        return Account(status.tally.seen, acts, dict(status.tally.refused), status.hold.bytes, bytes_under(self._state))


def _count(event: dict[str, Any], kept: Counter[str]) -> None:
    """A press and a release are two raw inputs; repeats do not happen on the bench."""
    if event["kind"] == "pointer_scroll":
        kept["scrolls"] += event["n"] // 2
    elif event["kind"] == "pointer_button":
        kept["clicks"] += event["pressed"]
    elif event["kind"] in ("key_named", "key_chord", "typing_burst"):
        kept["keys"] += event["n"] // 2


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
