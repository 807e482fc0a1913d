"""Ledger: the subject's choices, as an append-only, hash-chained journal. What is appended is on disk before it is said to be.

One JSON object a line: number, what, at, data, hash of the line before, own hash. A torn last line (a crash in mid-write,
never acknowledged) is cut; any other break is an error, and a broken ledger means no consent. How many lines there are at least
stands in a small file beside it (the tail), so that lines cannot go missing at the end, a withdrawal with them. A reserve file is given
up when the disk is full, so that a no can always be written. It holds choices and counts, never anything observed.
"""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from consent.event import Clocks, Count
from consent.unreadable import UNREADABLE

RESERVE_BYTES = 64 * 1024
"""Room for 200 entries on a full disk: a withdrawal is 300 bytes."""

TAIL = ".tail"
"""The end of the name of the file that says how far the ledger reaches at least."""

_FIRST = "0" * 64


class LedgerError(Exception):
    """The ledger is broken or cannot be written; without it nothing is collected."""


class LedgerUnwritable(LedgerError):
    """Not even the reserve made room for another line; nothing that was to be written holds."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line. `prev` and `hash` are SHA-256, hex; `hash` covers everything before it."""

    number: Count
    what: str
    at: Clocks
    boot: str
    data: dict[str, Any]
    prev: str
    hash: str = ""


def _line(entry: Entry) -> bytes:
    return msgspec.json.encode(entry, order="deterministic")


def _hash(entry: Entry) -> str:
    bare = msgspec.structs.replace(entry, hash="")
    return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()


def _read(raw: bytes) -> tuple[list[Entry], int]:
    """The entries and how many bytes of `raw` they fill. Raises LedgerError naming the line that does not hold."""
    entries: list[Entry] = []
    prev, good = _FIRST, 0
    for number, line in enumerate(raw.split(b"\n")[:-1]):
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except UNREADABLE:
            raise LedgerError(f"line {number + 1} of the ledger does not read") from None
        if entry.number != number or entry.prev != prev or entry.hash != _hash(entry) or line != _line(entry):
            raise LedgerError(f"line {number + 1} of the ledger was changed, removed or moved")
        entries.append(entry)
        prev, good = entry.hash, good + len(line) + 1
    return entries, good


class _Tail(msgspec.Struct, frozen=True):
    """How many lines there are at least, and the hash of the last of them."""

    lines: Count
    hash: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """A ledger that holds.

    Attributes:
        entries: Its lines.
        torn_bytes: What is left of a line that was never written whole, and never relied on.
        whole: Whether it is known that no line is missing at its end.
    """

    entries: list[Entry]
    torn_bytes: int
    whole: bool


def inspect(raw: bytes, tail: bytes | None) -> Inspected:
    """A ledger's bytes, judged; nothing is opened for writing. Read the tail first: a daemon may be writing. Raises LedgerError."""
    entries, good = _read(raw)
    return Inspected(entries, len(raw) - good, _reaches(entries, tail))


def _reaches(entries: list[Entry], raw: bytes | None) -> bool:
    """Whether the tail is there to say that the ledger is whole. Raises LedgerError if it says that lines are missing."""
    try:
        tail = msgspec.json.decode(raw or b"", type=_Tail)
    except UNREADABLE:
        return False  # a crash may have taken it: what it says is a bound from below, and there is none
    if tail.lines > len(entries):
        raise LedgerError(f"line {len(entries) + 1} of the ledger was removed: it had {tail.lines} lines at least")
    if tail.lines and entries[tail.lines - 1].hash != tail.hash:
        raise LedgerError(f"line {tail.lines} of the ledger was changed, removed or moved")
    return True


def salvage(path: Path) -> list[Entry]:
    """The lines that still read of a ledger that does not hold: to be shown to its subject, never to be acted on where that opens."""
    entries: list[Entry] = []
    with contextlib.suppress(OSError):
        for line in path.read_bytes().split(b"\n"):
            with contextlib.suppress(*UNREADABLE):
                entries.append(msgspec.json.decode(line, type=Entry))
    return entries


class Ledger:
    """The journal in one file, beside its reserve. Open it once a process, under the daemon's lock.

    Raises LedgerError from the constructor if the chain does not hold.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reserve, self._tail = path.with_suffix(".reserve"), path.with_suffix(TAIL)
        raw = path.read_bytes() if path.exists() else b""
        self.entries, good = _read(raw)
        _reaches(self.entries, self._told_tail())
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if good < len(raw):
            os.ftruncate(self._fd, good)
        os.fsync(self._fd)  # what a process wrote that was killed before it made it durable: from here on it is believed
        self._end = good
        self._keep_reserve()
        _sync_folder(path.parent)

    def append(self, what: str, at: Clocks, boot: str, data: dict[str, Any] | None = None, *, reserve: bool = True) -> Entry:
        """Add an entry; returns once it is durable. Raises LedgerUnwritable if it cannot be written even with the reserve.

        `reserve` False: what nobody said (counts) leaves the reserve to what somebody may have to say.
        """
        prev = self.entries[-1].hash if self.entries else _FIRST
        bare = Entry(len(self.entries), what, at, boot, data or {}, prev)
        entry = msgspec.structs.replace(bare, hash=_hash(bare))
        line = _line(entry) + b"\n"
        try:
            self._write(line)
        except OSError as full:
            if not reserve:
                raise LedgerUnwritable(f"the ledger cannot be written: {full.strerror}") from None
            self._write_with_reserve(line)
        else:
            self._keep_reserve()
        self.entries.append(entry)
        self._keep_tail(entry)
        return entry

    def _write_with_reserve(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            self._reserve.unlink()
        try:
            self._write(line)
        except OSError as error:
            raise LedgerUnwritable(f"the ledger cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Give the file back."""
        os.close(self._fd)

    def _write(self, line: bytes) -> None:
        try:
            written = os.write(self._fd, line)
            if written != len(line):
                raise OSError(28, "no space left on device")
            os.fsync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._end)  # a half line was never said to be written
            raise
        self._end += len(line)

    def _told_tail(self) -> bytes | None:
        """The tail, if there is one that reads. What is no file of ours is moved out of the way: it says as much as none."""
        try:
            if self._tail.is_symlink() or self._tail.is_dir():
                move_aside(self._tail)
            return self._tail.read_bytes()
        except OSError:
            return None

    def _keep_tail(self, last: Entry) -> None:
        """Say that the ledger reaches at least to here. After the line is durable, and not durable itself: a crash leaves an older one."""
        new = self._tail.with_name(f"{self._tail.name}.part")
        with contextlib.suppress(OSError):
            fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, msgspec.json.encode(_Tail(last.number + 1, last.hash)))
            finally:
                os.close(fd)
            os.replace(new, self._tail)

    def _keep_reserve(self) -> None:
        """Take the reserve again if there is room. Zeros are really written: a hole would reserve nothing."""
        with contextlib.suppress(OSError):
            if not self._reserve.exists() or self._reserve.stat().st_size < RESERVE_BYTES:
                self._reserve.touch(0o600)
                self._reserve.write_bytes(bytes(RESERVE_BYTES))


def move_aside(path: Path) -> None:
    """Give what stands in a file's place (a folder, a link) the first free name beside it. Raises OSError."""
    number = 1
    while os.path.lexists(path.with_name(f"{path.name}.aside-{number}")):
        number += 1
    os.replace(path, path.with_name(f"{path.name}.aside-{number}"))


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
