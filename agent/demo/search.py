"""Searches everything that was written, and what stands in process arguments and environments, for canaries.

Refuses to pass over what it cannot read: a file that exists and does not open is reported, and the demo fails on it.
"""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from agent.demo.canaries import LONGEST, Net

PIECE_BYTES = 4 * 1024 * 1024
"""How much of a file is looked at in one go."""


@dataclass(slots=True)
class Found:
    """What a search came to.

    Attributes:
        files: How many files were read.
        bytes: How many bytes.
        hits: Hits by class of file; only classes with hits.
        unread: How many files exist and could not be read.
    """

    files: int = 0
    bytes: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    unread: int = 0

    @property
    def total(self) -> int:
        """All hits."""
        return self.hits.total()


def search_files(net: Net, paths: Iterable[Path], classify: Callable[[Path], str], found: Found) -> None:
    """Look through regular files; each hit counts for the class of its file. A file's name is looked at too."""
    for path in paths:
        try:
            hits = net.hits(os.fsencode(path.name)) + _in_file(net, path, found)
        except FileNotFoundError:
            continue  # it was there for a moment only
        except OSError:
            found.unread += 1
            continue
        found.files += 1
        if hits:
            found.hits[classify(path)] += hits


def search_processes(net: Net, processes: Iterable[psutil.Process], found: Found) -> None:
    """Look through arguments and environments of processes that run."""
    for process in processes:
        try:
            said = "\0".join([*process.cmdline(), *(f"{name}={value}" for name, value in process.environ().items())])
        except psutil.Error:
            continue  # it ended
        hits = net.hits(said.encode("utf-8", "surrogateescape"))
        if hits:
            found.hits["processes"] += hits


def files_under(folder: Path) -> Iterator[Path]:
    """Every regular file under a folder; links are not followed."""
    for base, _, names in os.walk(folder):
        for name in names:
            path = Path(base) / name
            if _is_ours(path, newer_than_s=0.0):
                yield path


def leftovers(folder: Path, since_s: float, besides: Path) -> Iterator[Path]:
    """Regular files of ours under `folder`, changed since `since_s` (seconds since 1970), and not under `besides`."""
    for base, folders, names in os.walk(folder):
        here = Path(base)
        folders[:] = [name for name in folders if here / name != besides and _is_mine(here / name)]
        for name in names:
            if _is_ours(here / name, newer_than_s=since_s):
                yield here / name


def _in_file(net: Net, path: Path, found: Found) -> int:
    hits, tail = 0, b""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            found.bytes += len(piece)
            hits += net.hits(tail + piece)  # one that lies across a seam may count twice; only zero means none
            tail = piece[-LONGEST:]
    return hits


def _is_ours(path: Path, newer_than_s: float) -> bool:
    try:
        facts = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_uid == os.getuid() and facts.st_mtime >= newer_than_s


def _is_mine(folder: Path) -> bool:
    try:
        return folder.lstat().st_uid == os.getuid()
    except OSError:
        return False
