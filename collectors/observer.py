"""The observer: a child of the daemon that holds the hooks for one generation and says what was seen over a pipe.

It has no key, no network and no file; it writes only to its pipe. It ends with the daemon, however that ends, and at any
moment without harm: what it has not said is forgotten. While nothing happens it sleeps without a timer.
"""

import contextlib
import os
import select

from collectors.collector import Clock, Collector
from collectors.errors import CollectorError
from collectors.pick import pick
from collectors.pipe import CollectorState, Failed, Front, Grant, Hooked, Upward, decode_down, encode
from collectors.shape import Shaper
from consent.frames import Splitter, frame

BUSY_MS = 200
"""While events keep coming they are said together, this often; the first after a lull at once. Each saying wakes two processes."""
COUNTS_MS = 1_000
"""Refused inputs alone are said this often: their rhythm is nobody's business."""
TICK_MS = 50
"""Things that are due are done together, on a common grid, so that keys do not each set a timer of their own."""
UNREAD_BYTES = 256 * 1024
"""Said and not read yet; beyond, nothing more is said until the daemon reads, and the shaper's own bound counts."""
_READ_BYTES = 64 * 1024


def run(read: Clock, fd_down: int, fd_up: int) -> int:
    """Observe until the daemon hangs up or what is observed goes away. Returns the exit code: 0, or 1 after a Failed.

    Args:
        read: The three clocks, `agent.clock.read`.
        fd_down: Where the one Grant comes from, framed; its end is the end.
        fd_up: Where messages go to, framed; nobody else may write to it.
    """
    grant = _grant(fd_down)
    if grant is None:
        return 0
    return Observer(pick(read), grant, read, fd_down, fd_up).run()


def _grant(fd_down: int) -> Grant | None:
    splitter = Splitter()
    while data := os.read(fd_down, _READ_BYTES):
        for body in splitter.feed(data):
            return decode_down(body)
    return None


class Observer:
    """One generation of hooks, and the loop around them."""

    def __init__(self, collector: Collector, grant: Grant, read: Clock, fd_down: int, fd_up: int) -> None:
        self._collector, self._grant, self._read = collector, grant, read
        self._down, self._up = fd_down, fd_up
        os.set_blocking(fd_up, False)
        self._unsent = bytearray()
        self._states: tuple[CollectorState, ...] | None = None
        self._recorded: bool | None = None
        self._said_ms = 0

    def run(self) -> int:
        """Until the daemon hangs up (0), or it cannot go on (1)."""
        if not self._grant.kinds:
            self._say(Hooked(self._grant.generation, ()))
            self._wait_for_end()
            return 0
        shaper: Shaper | None = None
        try:
            shaper = self._collector.hook(self._grant)
            while not self._turn(shaper):
                pass
        except CollectorError as error:
            with contextlib.suppress(BrokenPipeError):
                self._fail(shaper, error)
            return 1
        except BrokenPipeError:
            pass
        return 0

    def _wait_for_end(self) -> None:
        while os.read(self._down, _READ_BYTES):
            pass

    def _turn(self, shaper: Shaper) -> bool:
        """Say what there is to say, wait, take what came. True when the daemon has hung up."""
        self._say_health(shaper)
        self._say_seen(shaper)
        writing = [self._up] if self._unsent else []
        ready, _, _ = select.select([self._down, *self._collector.sources()], writing, [], self._patience_s(shaper))
        if self._down in ready and not os.read(self._down, _READ_BYTES):
            return True
        now = self._read()  # before pumping: everything up to this instant is known when it is judged by
        self._collector.pump()
        shaper.advance(now)
        return False

    def _patience_s(self, shaper: Shaper) -> float | None:
        """How long nothing needs to be done; None: until something happens."""
        events, refused = shaper.waiting()
        if self._behind():
            events = refused = 0
        dues_ms = [due_ms for due_ms in (self._collector.due_ms(), shaper.due_ms()) if due_ms is not None]
        if events or refused:
            dues_ms.append(self._said_ms + (BUSY_MS if events else COUNTS_MS))
        if not dues_ms:
            return None
        due_ms = -(-min(dues_ms) // TICK_MS) * TICK_MS
        return max(due_ms - self._read().awake_ms, 0) / 1000

    # --- what is said --------------------------------------------------------------------------------------------

    def _say_health(self, shaper: Shaper) -> None:
        states = self._collector.states()
        if states != self._states:
            self._states = states
            self._say(Hooked(self._grant.generation, states))
        if shaper.recorded != self._recorded:
            self._recorded = shaper.recorded
            self._say(Front(self._grant.generation, self._recorded))

    def _say_seen(self, shaper: Shaper) -> None:
        events, refused = shaper.waiting()
        now_ms = self._read().awake_ms
        patience_ms = BUSY_MS if events else COUNTS_MS
        if (events or refused) and not self._behind() and now_ms - self._said_ms >= patience_ms:
            self._said_ms = now_ms
            for observed in shaper.take():
                self._say(observed)
        elif self._unsent:
            self._flush()

    def _behind(self) -> bool:
        return len(self._unsent) > UNREAD_BYTES

    def _say(self, message: Upward) -> None:
        self._unsent += frame(encode(message))
        self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._unsent[: os.write(self._up, self._unsent)]

    def _fail(self, shaper: Shaper | None, error: CollectorError) -> None:
        """The last words: what is known, and why there will be no more."""
        os.set_blocking(self._up, True)
        if shaper is not None:
            shaper.close(self._read())
            for observed in shaper.take():
                self._say(observed)
        self._say(Failed(self._grant.generation, error.blocker, str(error)))
