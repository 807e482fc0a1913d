"""Starts the observer again after a failure, later each time, as `agent.restarts` says; and says why it failed.

A crash loop ends: then it waits for its subject (`volens resume`, a new yes). A display that is gone is no crash loop: it is waited for,
by asking every few seconds whether it takes connections, which no child has to be started for.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

from agent.presence import x11_wire as wire
from agent.restarts import PAUSES_S, WINDOW_MS, Restarts
from consent.event import Clocks
from consent.vocabulary import Blocker

OF_THE_OBSERVER = frozenset({Blocker.OBSERVER_FAILING, Blocker.DISPLAY_GONE, Blocker.NOT_OBSERVABLE})
LOOK_S = 5.0
"""How often a display that is gone is looked for."""
SELDOM_S = 60.0
"""The pause between starts on a display that takes connections, and that the observer keeps losing all the same."""
_AGAIN = "it is started again"
_NO_MORE = f"it failed {len(PAUSES_S) + 1} times in {WINDOW_MS // 60_000} minutes and is not started again; try: volens resume"


class Retrying:
    """Args:
        read: The clocks.
        loop: For the one timer.
        again: Called when the observer may be started again after a failure of this sort.
        returned: Called when a display that was gone is there again.

    Attributes:
        why: Why the observer failed last and what comes next, for people; empty while it works.
    """

    def __init__(
        self,
        read: Callable[[], Clocks],
        loop: asyncio.AbstractEventLoop,
        again: Callable[[Blocker], None],
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._read, self._loop, self._again, self._env = read, loop, again, env
        self._restarts = Restarts()
        self._timer: asyncio.TimerHandle | None = None
        self.returned: Callable[[], None] = _nothing
        self.why = ""

    def failed(self, blocker: Blocker, why: str) -> None:
        """It has ended, or is of no use."""
        self._restarts = self._restarts.failed(self._read().awake_ms)
        pause_s = self._pause_s(blocker)
        self.why = f"{why}; {_NO_MORE if pause_s is None else _AGAIN}" if blocker is Blocker.OBSERVER_FAILING else why
        self._wait(pause_s, blocker)

    def works(self) -> None:
        """Its hooks are in place. Its failures are remembered."""
        self.why = ""

    def forget(self) -> None:
        """Somebody said that it is to be tried again: from the beginning."""
        self._restarts, self.why = Restarts(), ""
        self._wait(None)

    def display_is_gone(self) -> bool:
        """Whether the display of this session is one of this machine and takes no connections."""
        return gone(self._env)

    def _pause_s(self, blocker: Blocker) -> float | None:
        if blocker is Blocker.NOT_OBSERVABLE:
            return None  # what a session is, it stays
        pause_s = self._restarts.pause_s()
        return SELDOM_S if pause_s is None and blocker is Blocker.DISPLAY_GONE else pause_s

    def _wait(self, pause_s: float | None, blocker: Blocker = Blocker.OBSERVER_FAILING, *, was_gone: bool = False) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if pause_s is None else self._loop.call_later(pause_s, self._over, blocker, was_gone)

    def _over(self, blocker: Blocker, was_gone: bool) -> None:
        if blocker is Blocker.DISPLAY_GONE and self.display_is_gone():
            self._wait(LOOK_S, blocker, was_gone=True)
            return
        self._timer = None
        if was_gone:
            self.returned()
        self._again(blocker)


def gone(env: Mapping[str, str]) -> bool:
    """Whether the display that `env` names is one of this machine and takes no connections. Never waits."""
    try:
        where = wire.address(env.get("DISPLAY", ""))
    except ValueError:
        return False
    path = f"/tmp/.X11-unix/X{where.number}"  # noqa: S108  (where X servers listen)
    return not where.elsewhere and not any(_takes(each) for each in (f"\0{path}", path))


def _takes(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True  # it is there, and busy
        except OSError:
            return False
        return True


def _nothing() -> None:
    """Nobody wants to know."""
