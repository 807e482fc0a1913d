"""Watches one process tree from outside, four times a second: CPU time, proportional memory, voluntary context switches."""

import contextlib
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.clock import elapsed_s
from bench.figures import Sample

EVERY_S = 0.25
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class _Life:
    cpu_s: float = 0.0
    switches: int = 0


@dataclass(slots=True)
class Watch:
    """Samples of one tree, taken until `stop`.

    Attributes:
        root: The process whose descendants are watched; itself not counted, but for what it has reaped.
        samples: In the order of time.
    """

    root: int
    samples: list[Sample] = field(default_factory=list)
    _lives: dict[tuple[int, float], _Life] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._take()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._take()

    def _take(self) -> None:
        at_s, pss = elapsed_s(), 0
        reaped_s = 0.0
        with contextlib.suppress(psutil.Error, OSError):
            root = psutil.Process(self.root)
            reaped_s = _cpu_s(self.root, reaped_only=True)
            for process in root.children(recursive=True):
                pss += self._one(process)
        living = sum(life.cpu_s for key, life in self._lives.items() if psutil.pid_exists(key[0]))
        self.samples.append(Sample(at_s, reaped_s + living, sum(life.switches for life in self._lives.values()), pss))

    def _one(self, process: psutil.Process) -> int:
        with contextlib.suppress(psutil.Error, OSError, ValueError, IndexError):
            life = self._lives.setdefault((process.pid, process.create_time()), _Life())
            life.cpu_s = _cpu_s(process.pid)
            life.switches = max(life.switches, _switches(process.pid))
            return _pss_bytes(process.pid)
        return 0


def _cpu_s(pid: int, *, reaped_only: bool = False) -> float:
    """CPU seconds of a process and of the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = [int(field) for field in fields[11:15]]  # utime, stime, and the same of the children that it has waited for
    return sum(ticks[2:] if reaped_only else ticks) / TICKS_PER_S


def _switches(pid: int) -> int:
    """Voluntary context switches of all its threads: each is one waking-up."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        for line in Path(f"/proc/{pid}/task/{thread}/status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def _pss_bytes(pid: int) -> int:
    """Memory, shared pages counted by their share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def bytes_under(folder: Path) -> int:
    """How many bytes all files under a folder have."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
