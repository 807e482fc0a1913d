"""Watches one process tree from outside, four times a second: CPU time, proportional memory, voluntary context switches."""

import contextlib
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.clock import elapsed_s
from bench.figures import Part, Sample

EVERY_S = 0.25
CHILDREN = {"observer": "observer", "courier": "courier", "tray": "icon"}
"""What a process of ours is called by its first argument; any other is the one that was started."""
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Watch:
    """Samples of one tree, taken until `stop`.

    Attributes:
        root: The process whose descendants are watched; itself not counted, but for what it has reaped.
        samples: In the order of time.
        hidden: Whether a process did not let this account see its memory (the agent's do not; root sees them).
    """

    root: int
    samples: list[Sample] = field(default_factory=list)
    hidden: bool = False
    _switches: dict[tuple[int, float], int] = field(default_factory=dict)
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
        at_s, cpu_s, pss_bytes = elapsed_s(), 0.0, 0
        parts: dict[str, Part] = {}
        with contextlib.suppress(psutil.Error, OSError):
            cpu_s = _cpu_s(self.root, reaped_only=True)
            for process in psutil.Process(self.root).children(recursive=True):
                used_s, pss = self._one(process)
                cpu_s, pss_bytes = cpu_s + used_s, pss_bytes + pss
                parts[_name(process)] = Part(_cpu_s(process.pid, children=False), pss)
        if self.samples:
            cpu_s = max(cpu_s, self.samples[-1].cpu_s)  # one that ended between two looks is found again with who waited for it
        self.samples.append(Sample(at_s, cpu_s, sum(self._switches.values()), pss_bytes, parts))

    def _one(self, process: psutil.Process) -> tuple[float, int]:
        try:
            used_s = _cpu_s(process.pid)
            key = process.pid, process.create_time()
            self._switches[key] = max(self._switches.get(key, 0), _switches(process.pid))
        except (psutil.Error, OSError, ValueError, IndexError):
            return 0.0, 0
        try:
            return used_s, _pss_bytes(process.pid)
        except OSError:
            self.hidden = True
            return used_s, 0


def _name(process: psutil.Process) -> str:
    """What a process does in its tree."""
    return next((CHILDREN[word] for word in process.cmdline() if word in CHILDREN), "main process")


def _cpu_s(pid: int, *, reaped_only: bool = False, children: bool = True) -> float:
    """CPU seconds of a process and of the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = [int(field) for field in fields[11:15]]  # utime, stime, and the same of the children that it has waited for
    return sum(ticks[2:] if reaped_only else ticks if children else ticks[:2]) / TICKS_PER_S


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
