"""Files as custody reads and writes them. Refuses links, what is no regular file, sizes beyond a bound, and to write over a file."""

import os
import stat
from pathlib import Path

from custody.errors import CustodyError, KeyFileRefused
from transport import disk


def read_file(path: Path, *, max_bytes: int, private: bool = False) -> bytes:
    """A regular file's bytes.

    Args:
        path: a file, not a link to one.
        max_bytes: more than this is not such a file.
        private: whether it must be this account's alone.

    Raises:
        KeyFileRefused: not there, not readable, too large, or (private) others could read it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise KeyFileRefused(f"{path} cannot be read ({error.strerror}); check the name and whose it is") from None
    with disk.closing(descriptor):
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise KeyFileRefused(f"{path} is not a file; name the file itself")
        if private:
            _refuse_loose(path, facts)
        with open(descriptor, "rb", closefd=False) as file:
            raw = file.read(max_bytes + 1)
    if len(raw) > max_bytes:
        raise KeyFileRefused(f"{path} has more than {max_bytes} bytes; it is not the file that was meant")
    return raw


def make_folder(path: Path) -> None:
    """A folder of this account's alone; one that is there already is left as it is.

    Raises:
        CustodyError: it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CustodyError(f"{path} cannot be made ({error.strerror}); name a folder that you may write to") from None


def write_new(path: Path, raw: bytes, *, mode: int) -> None:
    """A new file, durable before this returns; after a failure there is none.

    Raises:
        CustodyError: there is one already, or it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), mode)
    except FileExistsError:
        raise CustodyError(f"{path} is there already and is not written over; name another folder") from None
    except OSError as error:
        raise CustodyError(f"{path} cannot be written ({error.strerror}); name a folder that you may write to") from None
    try:
        with disk.closing(descriptor):
            disk.write_whole(descriptor, raw)
            os.fsync(descriptor)
        disk.sync_folder(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise CustodyError(f"{path} cannot be written ({error.strerror}); make room and try again") from None


def _refuse_loose(path: Path, facts: os.stat_result) -> None:
    if disk.of_another(facts):
        raise KeyFileRefused(f"{path} belongs to another account; a custodian uses their own key, from their own account")
    if disk.open_to_others(facts):
        mode = stat.S_IMODE(facts.st_mode)
        raise KeyFileRefused(f"{path} is open to others (mode {mode:04o}); chmod 600 it, or make a new key if others had it")
