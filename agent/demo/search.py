"""Searches everything that was written, and what stands in process arguments and environments, for canaries.

Refuses to pass over what it cannot read: a file that exists and does not open is reported, and the demo fails on it.
"""

import contextlib
import os
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from agent.demo.canaries import LONGEST, Net
from agent.demo.children import Children

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


class Sweep:
    """Searches everything that exists at one instant; may be asked more than once.

    Attributes:
        net: What is searched for.
        found: What all looks together came to.
    """

    def __init__(self, root: Path, children: Children, outputs: list[bytes], net: Net, since_s: float) -> None:
        """`outputs` is what commands have printed; it is emptied by each look. `since_s`: seconds since 1970."""
        self.net, self.found = net, Found()
        self._root, self._children, self._outputs, self._since_s = root, children, outputs, since_s

    def look(self) -> None:
        """Everything under the stage, everything new in the machine's temporary folder, every process, every output."""
        self.found.files = self.found.bytes = 0  # the last look's, not the sum: most files are the same
        search_files(self.net, files_under(self._root), lambda path: file_class(path.relative_to(self._root)), self.found)
        temporary = leftovers(Path(tempfile.gettempdir()), self._since_s, besides=self._root)
        search_files(self.net, temporary, lambda _: "temporary files", self.found)
        search_processes(self.net, self._children.alive(), self.found)
        hits = sum(self.net.hits(output) for output in self._outputs)
        if hits:
            self.found.hits["what commands printed"] += hits
        self._outputs.clear()


def file_class(path: Path) -> str:
    """Which part of Volens writes a file, by its path under the stage; of the applications' own files, which one."""
    if path.suffix in {".db", ".db-wal", ".db-shm"}:
        return "database"
    if path.parts[0] == "desktop":
        return path.as_posix()
    for part in ("hold", "outbox", "logs", "tmp", "receiver", "opened"):
        if part in path.parts:
            return part
    return "state"


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
        said: list[str] = []
        with contextlib.suppress(psutil.Error):  # it ended
            said += process.cmdline()
        with contextlib.suppress(psutil.Error):  # our own processes let only root look into theirs
            said += [f"{name}={value}" for name, value in process.environ().items()]
        hits = net.hits("\0".join(said).encode("utf-8", "surrogateescape"))
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
