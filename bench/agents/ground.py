"""The receiver of the fleet's bench: started, watched, killed with -9 and started again on the same port; read when all is over."""

import asyncio
import re
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench import service


@dataclass(slots=True)
class Ground:
    """One folder, and the processes that served it one after the other.

    Attributes:
        kills: how often it was killed.
        cpu_s: of all of them.
        peak_rss_bytes: of any of them.
    """

    directory: Path
    served: service.Serving
    kills: int = 0
    cpu_s: float = 0.0
    peak_rss_bytes: int = 0
    _cpu_of_this_s: float = field(default=0.0)

    async def watch(self) -> None:
        """Four looks a second, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(0.25)

    def look(self) -> None:
        """Notes CPU and memory of the process that serves now."""
        try:
            facts = psutil.Process(self.served.process.pid)
            spent = facts.cpu_times()
            self.peak_rss_bytes = max(self.peak_rss_bytes, facts.memory_info().rss)
        except psutil.Error:
            return
        self._cpu_of_this_s = float(spent.user + spent.system)

    async def kill_and_start(self) -> None:
        """kill -9, two seconds of nothing, and a start on the same port."""
        self.look()
        self.served.process.send_signal(signal.SIGKILL)
        self.served.process.wait()
        self._count()
        self.kills += 1
        await asyncio.sleep(2)
        port = self.served.address[1]
        self.served = await asyncio.to_thread(service.start, self.directory, port=port)

    def end(self) -> int:
        """Asks the last one to end; its exit code."""
        self.look()
        self._count()
        self.served.process.terminate()
        return self.served.process.wait(60)

    def _count(self) -> None:
        self.cpu_s += self._cpu_of_this_s
        self._cpu_of_this_s = 0.0


@dataclass(frozen=True, slots=True)
class Stored:
    """What a receiver's folder holds: how often each id lies in each store, and what `volens-receiver check` counted."""

    bodies: Counter[str]
    slots: Counter[str]
    sound: int
    unfinished: int
    wrong: int


def stored(directory: Path) -> Stored:
    """Reads it all. Raises CalledProcessError if `check` finds something wrong."""
    said = re.fullmatch(r"sound (\d+), erased 0, unfinished (\d+), wrong (\d+)\n", service.run("check", str(directory)))
    assert said is not None
    counted = [Counter(path.name for path in (directory / store).glob("??/*")) for store in ("bodies", "slots")]
    return Stored(counted[0], counted[1], *map(int, said.groups()))
