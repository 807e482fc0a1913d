"""A process that is killed as it is about to make its n-th call of a sort: strace sends SIGKILL, and the call is not made any more.

So every state that the disk goes through between two calls is what a kill leaves once. Calls that change nothing on the disk are left
out: an open that makes no file, and what is not in CALLS.
"""

import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

STRACE = shutil.which("strace")
needs_strace = pytest.mark.skipif(STRACE is None, reason="kills are sent by strace, which is not installed")
CALLS = (
    *("write", "writev", "pwrite64", "sendto", "sendmsg", "fsync", "fdatasync", "ftruncate", "fallocate"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "rmdir", "chmod", "fchmod", "openat"),
)
_LINE = re.compile(r"^(?P<pid>\d+) +(?P<call>\w+)\((?P<rest>.*)")


@dataclass(frozen=True)
class Point:
    """Before the n-th call of this name, counted from the beginning of the trace in one thread."""

    call: str
    n: int


def strace(out: Path, point: Point | None = None, *, quiet: bool = True) -> list[str]:
    """The tracer, to be put before a command or to be told a process; with a point it kills there, else it only writes down.

    `quiet`: it does not say that it has attached itself.
    """
    sort = ",".join(CALLS) if point is None else point.call
    kill = [] if point is None else ["-e", f"inject={point.call}:signal=KILL:when={point.n}"]
    return [str(STRACE), "-f", *(["-qq"] if quiet else []), "-e", f"trace={sort}", *kill, "-e", "signal=none", "-o", str(out)]


def points(trace: Path, process_id: int | None = None) -> list[Point]:
    """Every point of a trace that was only written down, in the main thread of this process; of the one that began it, if none is named."""
    lines = [found for line in trace.read_text().splitlines() if (found := _LINE.match(line))]
    main = lines[0]["pid"] if process_id is None else str(process_id)
    count: Counter[str] = Counter()
    there: list[Point] = []
    for line in lines:
        if line["pid"] == main:
            count[line["call"]] += 1
            if line["call"] != "openat" or "O_CREAT" in line["rest"]:
                there.append(Point(line["call"], count[line["call"]]))
    return there
