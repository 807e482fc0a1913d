"""Faults for tests: a process that dies at its n-th change of the disk, and a disk that is full. Nothing else is replaced."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from transport import disk

CHANGES = ("write", "pwrite", "fsync", "replace", "rename", "unlink", "ftruncate")
GROWS = ("write", "pwrite")


class Crash(BaseException):
    """The process is gone; only what is on the disk counts."""


@contextmanager
def dies_at(change: int) -> Iterator[None]:
    """Whoever makes the change-th change of the disk (counted from 0) dies instead of making it."""
    left = change

    def wrap(real: Any) -> Any:
        def changed(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Crash
            left -= 1
            return real(*args, **kwargs)

        return changed

    with pytest.MonkeyPatch.context() as patch:
        for name in CHANGES:
            patch.setattr(os, name, wrap(getattr(os, name)))
        patch.setattr(disk, "sync_data", wrap(disk.sync_data))
        yield


@contextmanager
def full_disk(room_bytes: int = 0) -> Iterator[None]:
    """Nothing can be written beyond room_bytes: half of what does not fit still is, as on a real disk. Unlinking works."""
    left = room_bytes

    def write(fd: int, data: Any) -> int:
        nonlocal left
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = bytes(data)[:left]
        left -= len(part)
        return real(fd, part)

    real = os.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", write)
        yield
