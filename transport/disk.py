"""Private files: made so that nobody else can read them, written so that they are there whole or not at all. Refuses links and strangers.

Everything that agent, transport and receiver keep goes through here. Errors of the disk itself stay OSErrors; the caller knows what
they mean.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from transport.errors import TransportError

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
PART = ".part"
"""The end of a name under which a file is written before it gets its own; what is left of them after a crash was never decided."""
_POSIX = hasattr(os, "geteuid")  # elsewhere modes and owners mean something else
sync_data = getattr(os, "fdatasync", os.fsync)
"""fdatasync where there is one: the bytes and the length are on the disk when it returns."""


class NotPrivate(TransportError):
    """A folder or file could have been read or changed by somebody else. `what` is wrong; `do` names the command that mends it."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(f"{what}; {do}")
        self.what = what
        self.do = do


def make_private(folder: Path) -> None:
    """Make a 0700 folder, or check the one that is there.

    Raises:
        NotPrivate: it is a link, another's, or open to others.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(folder, folder=True)


def check_private(path: Path, *, folder: bool = False) -> None:
    """Raises NotPrivate unless this is our own folder or file, closed to everybody else."""
    facts = path.lstat()
    if not (stat.S_ISDIR if folder else stat.S_ISREG)(facts.st_mode):
        raise NotPrivate(f"{path} is not a {'folder' if folder else 'file'}", "move it away")
    if of_another(facts):
        raise NotPrivate(f"{path} belongs to somebody else", f"run: chown {os.geteuid()} {path}")
    if open_to_others(facts):
        raise NotPrivate(f"{path} can be reached by others", f"run: chmod {'700' if folder else '600'} {path}")


def of_another(facts: os.stat_result) -> bool:
    """Whether it belongs to another account than ours."""
    return _POSIX and facts.st_uid != os.geteuid()


def open_to_others(facts: os.stat_result) -> bool:
    """Whether its mode lets others in. Never on Windows: access lists are inherited there from the person's own profile folder."""
    return _POSIX and stat.S_IMODE(facts.st_mode) & 0o077 != 0


def create(path: Path) -> int:
    """A new 0600 file, open for writing. Raises FileExistsError rather than touch what is there."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _CLOEXEC, 0o600)


def open_private(path: Path) -> int:
    """An existing file of ours, open for reading and writing in place; no link is followed.

    Raises:
        NotPrivate: it is not ours alone.
    """
    check_private(path)
    return os.open(path, os.O_RDWR | _NOFOLLOW | _CLOEXEC)


def read(path: Path, max_bytes: int) -> bytes:
    """All of a private file.

    Raises:
        NotPrivate: it is not ours alone, or longer than max_bytes.
    """
    with closing(open_private(path)) as fd:
        if os.fstat(fd).st_size > max_bytes:
            raise NotPrivate(f"{path} is longer than anything that is kept there", "move it away")
        with open(fd, "rb", closefd=False) as file:
            return file.read(max_bytes)


def write_whole(fd: int, data: bytes) -> None:
    """Write all of it at the file's position. Raises OSError after a short write; what was written is still there."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def write_new(path: Path, data: bytes, *, modified_s: int | None = None) -> None:
    """Make a private file, whole and durable; its name is durable after `sync_folder`. After an OSError it is not there.

    Args:
        path: does not exist; FileExistsError if it does.
        data: its content.
        modified_s: a coarser time of modification than the real one, Unix seconds.
    """
    with closing(create(path)) as fd:
        try:
            write_whole(fd, data)
            if modified_s is not None:
                os.utime(fd, (modified_s, modified_s))
            os.fsync(fd)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise


def put(path: Path, data: bytes) -> None:
    """Replace or make a private file: afterwards it is there whole and durable.

    After an OSError it is as before, or new and perhaps not durable; it is never half.
    """
    new = path.with_name(path.name + PART)
    new.unlink(missing_ok=True)
    write_new(new, data)
    try:
        os.replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def empty(folder: Path) -> None:
    """Unlink all files and links of a folder, whatever they are, durably; needs no room. A folder that is not there is empty."""
    if folder.is_dir():
        for path in folder.iterdir():
            if not path.is_dir() or path.is_symlink():
                path.unlink()
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: what was made is there, what was unlinked is gone."""
    if _POSIX:
        with closing(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _CLOEXEC)) as fd:
            os.fsync(fd)


@contextlib.contextmanager
def closing(fd: int) -> Iterator[int]:
    """The descriptor, closed at the end whatever happens."""
    try:
        yield fd
    finally:
        os.close(fd)
