"""One daemon a person: whoever holds the lock may open ledger and hold. The file names the holder's process.

A command without a daemon holds it for one request; whoever comes meanwhile waits a little.
"""

import fcntl
import os
import signal
import time
from pathlib import Path

from agent.errors import AlreadyRunning

_TRIES = 200  # 2 s in all: a command is done in 0.1 s, a killed process is gone in 10 ms
_LOOK_EVERY_S = 0.01


class Lock:
    """The lock, held until `release` or the end of the process. Raises AlreadyRunning if another process holds it."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise AlreadyRunning(f"another volens is running (process {holder})", "use it: volens status") from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._fd)


def wait(path: Path) -> Lock:
    """The lock, as soon as whoever holds it for a moment is done. Raises AlreadyRunning after two seconds."""
    for _ in range(_TRIES):
        try:
            return Lock(path)
        except AlreadyRunning:
            time.sleep(_LOOK_EVERY_S)
    return Lock(path)


def held(path: Path) -> bool:
    """Whether a process holds the lock now."""
    try:
        Lock(path).release()
    except AlreadyRunning:
        return True
    return False


def take_over(path: Path) -> Lock:
    """The lock, from a daemon that holds it and does not answer: it is ended first. Its children end with it."""
    try:
        return Lock(path)
    except AlreadyRunning:
        _end(path)
    return wait(path)


def _end(path: Path) -> None:
    try:
        pid = int(path.read_text())
        if pid > 1:  # 0 and below would be whole groups of processes, our own among them
            os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return
