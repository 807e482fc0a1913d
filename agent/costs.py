"""What the kernel says of this process and those below it: processor time and resident memory. Reads /proc and nothing else.

psutil could do this, and would hold 3 MB in the daemon for one look a minute. Where there is no /proc, nothing is known.
"""

import os
from contextlib import suppress
from pathlib import Path

from agent.effort import Costs

_PROC = Path("/proc")
_TIMES = slice(11, 15)
"""utime, stime, cutime, cstime: fields 14 to 17 of /proc/PID/stat, counted from behind the program's name (proc_pid_stat(5))."""


def read() -> Costs | None:
    """The costs so far; None where nothing tells. A process that ends meanwhile is counted at the next look, when it was waited for."""
    ticks_s, page_bytes = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    own = os.times()
    cpu_s = own.user + own.system + own.children_user + own.children_system
    try:
        children = _children(os.getpid())
    except OSError:
        return None
    resident = {}
    for pid in children:
        with suppress(OSError, ValueError, IndexError):
            resident[pid] = int((_PROC / str(pid) / "statm").read_text().split()[1]) * page_bytes
    for pid in _below(children):
        with suppress(OSError, ValueError, IndexError):
            stat = (_PROC / str(pid) / "stat").read_text()
            cpu_s += sum(map(int, stat.rpartition(")")[2].split()[_TIMES])) / ticks_s
    return Costs(int(cpu_s * 1000), resident)


def _children(pid: int) -> list[int]:
    """The children of a process, whichever of its threads began them. Raises OSError."""
    return [int(child) for thread in (_PROC / str(pid) / "task").iterdir() for child in (thread / "children").read_text().split()]


def _below(children: list[int]) -> list[int]:
    """These processes, and all below them."""
    found = []
    while children:
        pid, *children = children
        found.append(pid)
        with suppress(OSError, ValueError):
            children.extend(_children(pid))
    return found
