"""Files and folders that are still there after a power cut. Refuses nothing; every failure is the OSError that the system gave."""

import os
from contextlib import suppress
from pathlib import Path

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600


def write_whole(path: Path, *parts: bytes, modified_s: int | None = None) -> None:
    """Writes a new file and fsyncs it; its name is durable only after `sync_directory` of its folder.

    Args:
        path: does not exist; half a file is removed when writing fails.
        parts: its content, one after the other.
        modified_s: a coarser modification time than the real one, Unix seconds.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        for part in parts:
            _write_all(descriptor, part)
        if modified_s is not None:
            os.utime(descriptor, (modified_s, modified_s))
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """Puts a whole, durable file in the place of another, or of none."""
    fresh = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        os.unlink(fresh)
    write_whole(fresh, content)
    os.replace(fresh, path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Makes the names in a folder durable: those that came, and those that went."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private(path: Path) -> None:
    """A new folder for its owner alone."""
    path.mkdir(mode=PRIVATE_DIRECTORY)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
