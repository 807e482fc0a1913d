"""The real observer as a child process, as the daemon starts it, and everything that it says."""

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collectors.pipe import CollectorState, Failed, Front, Grant, Hooked, Observed, SurfaceRule, decode_up, encode
from consent.event import Event
from consent.frames import Splitter, frame
from consent.vocabulary import Kind, Why

ROOT = Path(__file__).parents[2]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from agent import clock\n"
    "from transport import process\n"
    "from collectors.observer import run\n"
    "process.die_with_parent(); process.close_to_others()\n"
    "sys.exit(run(clock.read, 0, int(sys.argv[2])))\n"
)
PATIENCE_S = 20.0


@dataclass
class Child:
    """The child and what it has said; `raw` is every byte of it."""

    process: "subprocess.Popen[bytes]"
    up: int
    raw: bytearray = field(default_factory=bytearray)
    said: list[Hooked | Front | Observed | Failed] = field(default_factory=list)
    ended: bool = False
    _splitter: Splitter = field(default_factory=Splitter)

    def hear(self, patience_s: float) -> None:
        """Take what it says, waiting at most so long for the first byte; every message must reconcile."""
        ready, _, _ = select.select([self.up], [], [], patience_s)
        if not ready:
            return
        data = os.read(self.up, 65536)
        self.ended = self.ended or not data
        self.raw += data
        for body in self._splitter.feed(data):
            message = decode_up.decode(body)
            if isinstance(message, Observed):
                assert message.seen == sum(event.n for event in message.events) + sum(message.dropped.values())
            self.said.append(message)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Listen until it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"waited in vain for {what}; got {self.events} {self.dropped}"
            assert not self.ended, f"it ended before {what}; got {self.events} {self.dropped} {self.failed}"
            self.hear(left_s)

    def until_seen(self, n: int) -> None:
        """Listen until so many raw inputs are told of."""
        self.until(lambda: self.seen >= n, f"{n} raw inputs (heard of {self.seen})")

    def lull(self, quiet_s: float) -> None:
        """Listen until it says nothing for a while: what is still open is over then."""
        while True:
            before = len(self.raw)
            self.hear(quiet_s)
            if len(self.raw) == before:
                return

    def clear(self) -> None:
        """Forget what was said of inputs so far."""
        self.said = [message for message in self.said if not isinstance(message, Observed)]

    @property
    def events(self) -> list[Event]:
        """All events told."""
        return [event for message in self.said if isinstance(message, Observed) for event in message.events]

    def of(self, *kinds: Kind) -> list[Event]:
        """The events of some kinds."""
        return [event for event in self.events if event.kind in kinds]

    @property
    def seen(self) -> int:
        """Raw inputs told of."""
        return sum(message.seen for message in self.said if isinstance(message, Observed))

    @property
    def dropped(self) -> dict[Why, int]:
        """Raw inputs refused, by reason."""
        total: dict[Why, int] = {}
        for message in self.said:
            for why, n in message.dropped.items() if isinstance(message, Observed) else ():
                total[why] = total.get(why, 0) + n
        return total

    @property
    def states(self) -> dict[Kind, CollectorState]:
        """How the collectors are, as last said."""
        hooked = [message for message in self.said if isinstance(message, Hooked)]
        return {state.kind: state for state in hooked[-1].collectors} if hooked else {}

    @property
    def recorded(self) -> bool | None:
        """Whether the window in front is recorded, as last said."""
        fronts = [message.recorded for message in self.said if isinstance(message, Front)]
        return fronts[-1] if fronts else None

    @property
    def failed(self) -> Failed | None:
        """Its last words, if it had any."""
        return next((message for message in self.said if isinstance(message, Failed)), None)


@contextlib.contextmanager
def observer(env: Mapping[str, str], rules: Sequence[SurfaceRule], kinds: frozenset[Kind] = frozenset(Kind)) -> Iterator[Child]:
    """The observer with this environment and this grant, hooked or failed."""
    reading, writing = os.pipe()
    argv = [sys.executable, "-I", "-c", _START, str(ROOT), str(writing)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[writing], env=dict(env))
    os.close(writing)
    child = Child(process, reading)
    try:
        assert process.stdin is not None
        process.stdin.write(frame(encode(Grant(7, kinds, tuple(rules)))))
        process.stdin.flush()
        child.until(lambda: bool(child.said), "its first word")
        yield child
    finally:
        process.kill()
        process.wait()
        os.close(reading)
