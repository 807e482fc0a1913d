"""The watchdog: what Volens itself takes of the machine, looked at when the daemon wakes up anyway. Ends what has grown too large.

Above the ceiling there is less, which the budget sees to; far above it nothing is observed for a while, and `status` says why.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from agent import costs, effort
from agent.budget import CPU_REST_PERCENT, Cause
from agent.daemon import Daemon
from agent.effort import Costs, Effort, Rest
from consent.event import Clocks
from consent.vocabulary import Blocker

_TOO_LARGE = f"volens: a child took more than {effort.CHILD_BYTES // 10**6} MB and was ended; if it comes back, report this line\n"


class Watchdog:
    """Args:
    daemon: Whose children are looked at; what it does costs, too.
    read: The clocks.
    measure: What our processes cost so far; None: nothing tells.
    """

    def __init__(self, daemon: Daemon, read: Callable[[], Clocks], measure: Callable[[], Costs | None] = costs.read) -> None:
        self._daemon, self._read, self._measure = daemon, read, measure
        self._effort = Effort()
        self._rest: Rest | None = None
        self._anew_ms: tuple[int, ...] = ()
        self.look()

    def look(self) -> None:
        """Look, and act on it."""
        now_ms, found = self._read().awake_ms, self._measure()
        if self._rest is not None and now_ms < self._rest.until_ms and not self._rests():
            self._rest = replace(self._rest, until_ms=now_ms)  # somebody resumed: what it took before says nothing of what runs now
            self._effort = Effort()
        if self._rest is None or now_ms >= self._rest.until_ms:
            self._daemon.lift(Blocker.OVER_BUDGET)
        if found is None:
            return
        self._effort = self._effort.look(now_ms, found.cpu_ms)
        percent = self._effort.percent
        self._daemon.budget.cpu_percent = percent
        self._daemon.reconsider()
        if percent is not None and percent > CPU_REST_PERCENT:
            self._begin_rest(now_ms)
        if large := effort.too_large(found):
            self._begin_anew(large, now_ms)

    def _begin_anew(self, large: tuple[int, ...], now_ms: int) -> None:
        """Other processes in the place of these. Icon and courier are started again by whoever keeps them."""
        observer = self._daemon.observer_pid
        for pid in large:
            if pid != observer:  # before the generation ends, which reaps others as well
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        sys.stderr.write(_TOO_LARGE)
        self._anew_ms = (*effort.recent(self._anew_ms, now_ms), now_ms)
        if len(self._anew_ms) > effort.MOST_ANEW:
            self._begin_rest(now_ms)
        elif observer in large:
            self._daemon.observe_anew()

    def _rests(self) -> bool:
        """Whether nothing is observed because of us: the daemon's word, since a resume ends a rest before its time."""
        return Cause.RESTING in self._daemon.budget.judged.why

    def _begin_rest(self, now_ms: int) -> None:
        if not self._rests():
            self._rest = effort.rest(self._rest, now_ms)
            self._daemon.block(Blocker.OVER_BUDGET)
