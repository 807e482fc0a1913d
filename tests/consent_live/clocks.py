"""Clocks that leap: the wall clock by libfaketime, the clock with suspend by time namespaces. Only the daemon under test sees either."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.demo.children import dying_with_us


class WallClock:
    """What a daemon's wall clock is off by, in seconds. It looks into a file at each reading; its other two clocks are the machine's."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "faketime"
        self.off_s = 0
        self.set(0)

    def set(self, off_s: int) -> None:
        self.off_s = off_s
        part = self._file.with_suffix(".part")
        part.write_text(f"{off_s:+d}")
        os.replace(part, self._file)

    def env(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(_libfaketime()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


def _libfaketime() -> Path:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        raise AssertionError("libfaketime is missing; `./dev test` installs it")
    return found[0]


class Sleep:
    """Suspends, by their only trace that a process can see: the clock with suspend is ahead of where it was, the one without is not.

    `link` leads to a time namespace whose clock with suspend is ahead by all sleeps together; whoever is to wake up in it moves there.
    """

    def __init__(self, folder: Path) -> None:
        self.link = folder / "time-namespace"
        self.slept_s = 0
        self._holder: subprocess.Popen[bytes] | None = None

    def sleep(self, seconds: int) -> None:
        """Prepare a namespace that is so much further."""
        self.slept_s += seconds
        before = self._holder
        command = [*dying_with_us(["unshare", "--time", "--boottime", str(self.slept_s), sys.executable, "-I", "-c", _STAY])]
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"here\n"
        part = self.link.with_suffix(".part")
        part.symlink_to(f"/proc/{self._holder.pid}/ns/time")
        os.replace(part, self.link)
        _end(before)

    def name(self) -> str:
        """The kernel's name for the namespace of now."""
        return os.readlink(os.readlink(self.link))

    def end(self) -> None:
        _end(self._holder)


_STAY = "import signal; print('here', flush=True); signal.pause()"


def _end(holder: "subprocess.Popen[bytes] | None") -> None:
    if holder is not None:
        holder.kill()
        holder.wait()


@contextmanager
def sleeping(folder: Path) -> Iterator[Sleep]:
    """A machine that can be put to sleep, for one process; needs root and time namespaces (Linux 5.6)."""
    if os.geteuid() != 0 or not Path("/proc/self/ns/time").exists():
        pytest.skip("a suspend is made of time namespaces, which need root and Linux 5.6")
    sleep = Sleep(folder)
    try:
        sleep.sleep(0)
        yield sleep
    finally:
        sleep.end()
