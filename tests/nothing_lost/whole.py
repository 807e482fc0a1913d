"""The real daemon, its real courier and a real receiver, without a display: two stand-ins take the place of what needs one.

The observer makes clicks up, each of them unlike any other, and tells its own count, as the real one does. The icon answers every
challenge with what it was told to show. Uploads that failed are tried again sooner. Everything behind them is the product: the
daemon's loop, gate, hold, outbox, courier, ledger.

Three things can be asked of them by the environment: that the observer has nothing to make up and nobody is in a hurry; that it plays a
recorded trace (`tests/replayed.py`); and that the daemon moves, whenever it gets SIGUSR1, to the time namespace
that a link leads to: its clock with suspend leaps, the one without goes on, which is what a suspend is.

Run as `python -m tests.nothing_lost.whole daemon STATE RUNTIME`, `... icon SOCKET`, `... observer DESCRIPTOR`.
"""

import asyncio
import ctypes
import os
import random
import secrets
import signal
import sys
import time
from pathlib import Path

from agent import child, clock, messages, run
from agent.channel import Channel
from agent.errors import NotRunning
from agent.places import Places
from agent.trays import Trays
from collectors import pipe
from consent.event import Button, Event, PointerButton
from consent.frames import Splitter, frame
from consent.vocabulary import Kind, State, Why
from tests import replayed
from transport import schedule
from transport.process import die_with_parent

COMMAND = [sys.executable, "-m", "tests.nothing_lost.whole"]
EVERY_S = 0.03
QUIET = "VOLENS_TEST_QUIET"
NAMESPACE = "VOLENS_TEST_TIME_NAMESPACE"
TRACE = "VOLENS_TEST_TRACE"
_CLONE_NEWTIME = 0x80


def observe(up: int) -> None:
    """Clicks in the first surface of the grant, until somebody ends it."""
    splitter, bodies = Splitter(), list[bytes]()
    while not bodies:
        bodies = splitter.feed(os.read(0, 4096))
    grant = pipe.decode_down(bodies[0])
    surface, rng = grant.surfaces[0].surface, random.SystemRandom()
    _up(up, pipe.Hooked(grant.generation, (pipe.CollectorState(Kind.POINTER_BUTTON, "live"),)))
    _up(up, pipe.Front(grant.generation, True))
    while True:
        time.sleep(3600 if QUIET in os.environ else EVERY_S * rng.random())
        clicks = [PointerButton(rng.randrange(30_000), rng.randrange(30_000), Button.LEFT, True) for _ in range(rng.randrange(1, 4))]
        events = tuple(Event(surface, 1, clock.read(), grant.generation, 1, click) for click in clicks)
        _up(up, pipe.Observed(grant.generation, len(events) + 2, events, {Why.NO_KIND: 2}))


def _up(up: int, message: pipe.Upward) -> None:
    os.write(up, frame(pipe.encode(message)))


def answer_challenges(socket: Path) -> None:
    """An icon that nobody sees and that always says what it was told to show; until the daemon ends."""
    instance, showing = secrets.token_hex(8), State.BLOCKED
    with Channel(socket) as channel:
        channel.wait_longer(None)
        channel.say(messages.Attach(instance, "tray"))
        while True:
            match channel.hear():
                case messages.Appear(state):
                    showing = state
                case messages.Challenge(nonce):
                    channel.say(messages.Proven(nonce, instance, True, showing))
                case messages.Replaced():
                    return


class Icons(Trays):
    """The daemon's own keeper of its icon, with the stand-in for the icon."""

    def __init__(self, socket: Path) -> None:
        super().__init__(socket)
        self._command = [*COMMAND, "icon", str(socket)]


def command(name: str, *arguments: str) -> list[str]:
    """The stand-in for the observer; every other child is the real one."""
    if name == "observer" and TRACE in os.environ:
        return [*replayed.COMMAND, *arguments, os.environ[TRACE]]
    return [*COMMAND, name, *arguments] if name == "observer" else _real(name, *arguments)


_real = child.command


def sleep_when_told(link: str) -> None:
    """A suspend at each SIGUSR1; needs root. A fault ends the process."""
    setns = ctypes.CDLL(None).setns
    if sys.version_info < (3, 12):  # else a thread waits for each child, and only a process without threads may move
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())

    def sleep(*_: object) -> None:
        namespace = os.open(link, os.O_RDONLY)
        if setns(namespace, _CLONE_NEWTIME) != 0:
            os.abort()
        os.close(namespace)

    sleep()  # into the time that it is on this machine
    signal.signal(signal.SIGUSR1, sleep)


def main() -> int:
    os.umask(0o077)
    match sys.argv[1:]:
        case ["observer", up]:
            die_with_parent()  # as the real one does
            observe(int(up))
        case ["icon", socket]:
            try:
                answer_challenges(Path(socket))
            except NotRunning:
                return 0
        case ["daemon", state, runtime]:
            die_with_parent()
            if NAMESPACE in os.environ:
                sleep_when_told(os.environ[NAMESPACE])
            child.command, run.Trays = command, Icons  # type: ignore[misc]
            if QUIET not in os.environ:  # a test has less patience
                schedule.FIRST_WAIT_S, schedule.MAX_WAIT_S, schedule.MAX_REQUESTS_AN_HOUR = 0.05, 0.5, 10**6
            return run.run_daemon(Places(Path(state), Path(runtime)), even_after_no=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
