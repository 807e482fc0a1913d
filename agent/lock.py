"""One daemon a person: whoever holds the lock may open ledger and hold. The file names the holder's process."""

import fcntl
import os
import signal
import time
from pathlib import Path

from agent.errors import AlreadyRunning

_TRIES = 200  # 2 s in all: a killed process is gone in 10 ms
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


def take_over(path: Path) -> Lock:
    """The lock, from a daemon that does not answer: it is ended first. Its children end with it."""
    try:
        return Lock(path)
    except AlreadyRunning:
        _end(path)
    for _ in range(_TRIES):
        try:
            return Lock(path)
        except AlreadyRunning:
            time.sleep(_LOOK_EVERY_S)
    return Lock(path)


def _end(path: Path) -> None:
    try:
        os.kill(int(path.read_text()), signal.SIGKILL)
    except (OSError, ValueError):
        return
