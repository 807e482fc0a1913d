"""One daemon a person: whoever holds the lock may open ledger and hold. The file names the holder's process, and whether it is busy.

A command without a daemon holds it for one request; whoever comes meanwhile waits a little. A holder that says that it is busy
is waited for, and not taken for one that hangs: forgetting a full hold takes seconds.
"""

import contextlib
import errno
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from agent.errors import AlreadyRunning
from consent.ledger import move_aside

BUSY_AT_MOST_S = 60.0
"""Longer than any forget of a full hold; a holder that is busy for longer hangs."""
_TRIES = 200  # 2 s in all: a command is done in 0.1 s, a killed process is gone in 10 ms
_LOOK_EVERY_S = 0.01
_KERNEL_TELLS = Path("/proc/locks")


class Lock:
    """The lock, held until `release` or the end of the process. Raises AlreadyRunning if another process holds it."""

    def __init__(self, path: Path) -> None:
        try:
            self._fd = _open(path)
        except OSError as error:
            if error.errno not in (errno.EISDIR, errno.ELOOP):
                raise
            _clear(path)
            self._fd = _open(path)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _said(self._fd)[0] or "unknown"
            os.close(self._fd)
            raise AlreadyRunning(f"another volens is running (process {holder})", "use it: volens status") from None
        self._say("")

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """While this runs, whoever waits for an answer is told that there is work in hand."""
        self._say(" busy")
        try:
            yield
        finally:
            self._say("")

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._fd)

    def _say(self, more: str) -> None:
        line = f"{os.getpid()}{more}\n".encode()
        with contextlib.suppress(OSError):  # a disk without room: the lock itself is the kernel's
            os.pwrite(self._fd, line, 0)
            os.ftruncate(self._fd, len(line))


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _clear(path: Path) -> None:
    """Move a folder or a link out of the lock's place: nobody can hold it there. One process at a time, so that no lock is moved."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if path.is_symlink() or path.is_dir():
            move_aside(path)
    finally:
        os.close(folder)


def _said(fd: int) -> list[str]:
    """The words in the file: the holder's process, and `busy`."""
    words = os.pread(fd, 40, 0).decode("ascii", "replace").split()
    return words or [""]


def wait(path: Path) -> Lock:
    """The lock, as soon as whoever holds it for a moment is done. Raises AlreadyRunning after two seconds in which it was not busy."""
    busy_tries, tries = int(BUSY_AT_MOST_S / _LOOK_EVERY_S), _TRIES
    while tries > 0:
        try:
            return Lock(path)
        except AlreadyRunning:
            time.sleep(_LOOK_EVERY_S)
        if busy_tries > 0 and busy(path):
            busy_tries -= 1
        else:
            tries -= 1
    return Lock(path)


def held(path: Path) -> bool:
    """Whether a process holds the lock now."""
    try:
        Lock(path).release()
    except AlreadyRunning:
        return True
    return False


def busy(path: Path) -> bool:
    """Whether a process holds the lock now and says that it has work in hand."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return "busy" in _said(fd) and _is_locked(fd)
    finally:
        os.close(fd)


def _is_locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def take_over(path: Path) -> Lock:
    """The lock, from a daemon that holds it and does not answer: it is ended first. Its children end with it.

    One that is busy is waited for, and ended only if it stays so for longer than anything takes.
    """
    for _ in range(int(BUSY_AT_MOST_S / _LOOK_EVERY_S)):
        try:
            return Lock(path)
        except AlreadyRunning:
            if not busy(path):
                break
        time.sleep(_LOOK_EVERY_S)
    with contextlib.suppress(AlreadyRunning):
        return Lock(path)
    _end(path)
    return wait(path)


def _end(path: Path) -> None:
    """End the process that holds the lock: the one that the kernel names. A number that it held once may be another's by now."""
    pid = _holder(path)
    if pid is None or pid <= 1 or pid == os.getpid():  # 0 and below would be whole groups of processes, our own among them
        return
    with contextlib.suppress(OSError), _process(pid) as process:
        if _holder(path) == pid:  # still: so this very process is the one that holds it
            signal.pidfd_send_signal(process, signal.SIGKILL)


@contextlib.contextmanager
def _process(pid: int) -> Iterator[int]:
    """A handle that means this process, and none that gets its number later. Raises OSError if there is none."""
    process = os.pidfd_open(pid)
    try:
        yield process
    finally:
        os.close(process)


def _holder(path: Path) -> int | None:
    """The process that holds the lock, as the kernel says; as the file says where the kernel does not."""
    try:
        facts = path.stat()
        told = _KERNEL_TELLS.read_text()
    except OSError:
        return _holder_by_file(path)
    place = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"
    for line in told.splitlines():
        words = line.split()
        if len(words) > 5 and words[1:2] == ["FLOCK"] and words[5] == place and words[4].isdigit():
            return int(words[4])
    return _holder_by_file(path)


def _holder_by_file(path: Path) -> int | None:
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
