"""The texts of the catalogues that are installed for a program: found by dpkg's records and by the libraries that the program has loaded.

Only files of the system's account that nobody else can change, in folders of which the same is true. Nothing is kept of a file;
one is held at a time, apart from Python's heap, so that its memory is given back. What cannot be read has no texts.
"""

import contextlib
import glob
import mmap
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import FileIO
from itertools import groupby
from pathlib import Path

from collectors.catalogues import dpkg, ftl, mo, pak, places, qm
from collectors.catalogues.places import Found
from collectors.catalogues.within import CatalogueError
from collectors.identity import SYSTEM

DPKG = Path("/var/lib/dpkg")
MOST_BYTES = 4 * 1024 * 1024
"""Of one catalogue. The largest of Chromium has 1.8 MB. Of Firefox' archives only parts are read."""
MOST_COMPLETE = 2
"""Catalogues in other languages that are read for a program's source texts: no language has all of them, two have nearly all."""
_HEADER_BYTES = 28
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Installed:
    """What is installed here, for a session in these languages.

    Args:
        environment: The session's, see `places.languages`.
        dpkg_folder: Where dpkg's records are.
        is_systems: Whether only the system's account can have put a file there.
    """

    def __init__(self, environment: Mapping[str, str], dpkg_folder: Path = DPKG, is_systems: Callable[[str], bool] | None = None) -> None:
        self._wanted = places.languages(environment)
        self._dpkg = dpkg_folder
        self._is_systems = is_systems or is_systems_file

    def texts(self, packages: Iterable[str], libraries: Iterable[str]) -> Iterator[str]:
        """All texts of an app's interface, its own before its toolkit's; some come more than once.

        Args:
            packages: One of them brought the program.
            libraries: Paths of those that it has loaded.
        """
        own = [one for path in self._brought(packages) if (one := places.found(path)) is not None]
        toolkits = [family for family in places.families_of(libraries) if family not in {one.family for one in own}]
        theirs = [one for family in toolkits for path in glob.glob(family) if (one := places.found(path)) is not None]
        for found in (own, theirs):
            for _, family in groupby(sorted(found, key=_family), key=_family):
                yield from self._of_family(list(family))

    def _brought(self, packages: Iterable[str]) -> Iterator[str]:
        """The catalogues of these packages and of those that were built with them."""
        wanted = frozenset(packages)
        try:
            with open(self._dpkg / "status", "rb") as status:
                sources = dpkg.sources(status, wanted)
            with open(self._dpkg / "status", "rb") as status:
                records = dpkg.records(status, sources)
        except OSError:
            return
        for names in records:
            for name in names:
                with contextlib.suppress(OSError), open(self._dpkg / "info" / name, "rb") as brought:
                    yield from dpkg.catalogues(brought)

    def _of_family(self, family: list[Found]) -> Iterator[str]:
        spoken = [one for one in family if places.is_in(self._wanted, one.language)]
        for one in spoken:
            yield from self._read(one, translations=True)
        if family[0].path.endswith(places.WHOLE):
            for one in family if not spoken else ():
                if places.is_in((places.ENGLISH,), one.language):
                    yield from self._read(one, translations=True)
            return
        for one in _most_complete(family):
            if one not in spoken:
                yield from self._read(one, translations=False)

    def _read(self, one: Found, translations: bool) -> Iterator[str]:
        try:
            path = os.path.realpath(one.path)
            if self._is_systems(path):
                with _opened(path) as file:
                    yield from _texts(path, file, translations)
        except (OSError, CatalogueError):
            return


def _opened(path: str) -> FileIO:
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0)


def _texts(path: str, file: FileIO, translations: bool) -> Iterator[str]:
    size = os.fstat(file.fileno()).st_size
    if path.endswith((".xpi", ".ja")):
        return ftl.texts(size, lambda at, length: os.pread(file.fileno(), length, at))
    data = _contents(file, size)
    if path.endswith(".pak"):
        return pak.texts(data)
    if path.endswith(".mo"):
        return mo.texts(data, translations=translations)
    return qm.texts(data, translations=translations)


def _family(one: Found) -> str:
    return one.family


def is_systems_file(path: str) -> bool:
    """Whether only the system's account can have put this file there, and can change it. `path`: resolved."""
    parts = path.split("/")
    try:
        found = [os.lstat("/".join(parts[:depth]) or "/") for depth in range(1, len(parts) + 1)]
    except OSError:
        return False
    return stat.S_ISREG(found[-1].st_mode) and all(each.st_uid == SYSTEM and not each.st_mode & _OTHERS_MAY_WRITE for each in found)


def _contents(file: FileIO, size: int) -> memoryview:
    """The file, in memory that is not Python's heap: it goes back as soon as nobody looks at it."""
    if not 0 < size <= MOST_BYTES:
        raise CatalogueError("it is too large")
    whole = mmap.mmap(-1, size)
    if file.readinto(whole) != size:
        raise CatalogueError("it changes")
    return memoryview(whole)


def _most_complete(family: list[Found]) -> list[Found]:
    """Those with most of a program's texts. dpkg's records also name languages that were not installed."""
    steady = [one for one in family if one.language in places.STEADY]
    for some in (steady, family):
        there = {one: size for one in some if (size := _completeness(one))}
        if there:
            return sorted(there, key=lambda one: there[one], reverse=True)[:MOST_COMPLETE]
    return []


def _completeness(one: Found) -> int:
    """How much of a program's texts a catalogue has, compared with those in other languages."""
    try:
        if not one.path.endswith(".mo"):
            return os.stat(one.path).st_size
        with open(one.path, "rb", buffering=0) as file:
            return mo.count(file.read(_HEADER_BYTES))
    except (OSError, CatalogueError):
        return 0
