"""The receiver's storage: bodies in one store, key slots in another. Refuses to call anything stored before it is durable.

Two stores, so that slots can lie on a disk of their own that ordinary backups leave out: without its 2,336 bytes of slots a body is
noise, wherever copies of it still are. A file is written beside its place, fsynced, and renamed into it; then its folder is fsynced.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from transport import disk

_INCOMING = ".incoming"
_SHARDS = tuple(f"{n:02x}" for n in range(256))


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """One envelope's bytes for both stores."""

    id: str
    slots: bytes
    rest: bytes


class Store:
    """A folder of 256 folders of files that are named by the id of an envelope."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self) -> None:
        """Creates the empty store."""
        disk.make_private(self.root)
        for name in (_INCOMING, *_SHARDS):
            disk.make_private(self.root / name)
        disk.sync_folder(self.root)

    def path(self, batch_id: str) -> Path:
        """Where the file of an id lies."""
        return self.root / batch_id[:2] / batch_id

    def stage(self, batch_id: str, content: bytes, day_s: int) -> None:
        """Writes and fsyncs a file beside its place."""
        staged = self.root / _INCOMING / batch_id
        with suppress(FileNotFoundError):
            os.unlink(staged)
        disk.write_new(staged, content, modified_s=day_s)

    def settle(self, batch_ids: Iterable[str]) -> None:
        """Renames staged files into their places and fsyncs the folders they are now in."""
        shards = set()
        for batch_id in batch_ids:
            target = self.path(batch_id)
            os.rename(self.root / _INCOMING / batch_id, target)
            shards.add(target.parent)
        for shard in sorted(shards):
            disk.sync_folder(shard)

    def read(self, batch_id: str) -> bytes:
        """The file's bytes. Raises FileNotFoundError."""
        return self.path(batch_id).read_bytes()

    def destroy(self, batch_ids: Iterable[str]) -> None:
        """Unlinks files, those that are there, and fsyncs their folders."""
        shards = set()
        for batch_id in batch_ids:
            with suppress(FileNotFoundError):
                self.path(batch_id).unlink()
            shards.add(self.path(batch_id).parent)
        for shard in sorted(shards):
            disk.sync_folder(shard)

    def ids(self) -> Iterator[str]:
        """The id of every file in its place, folder after folder."""
        for shard in _SHARDS:
            with os.scandir(self.root / shard) as entries:
                yield from [entry.name for entry in entries]

    def drop_staged(self) -> None:
        """Removes what was being written when the process died."""
        with os.scandir(self.root / _INCOMING) as entries:
            for name in [entry.name for entry in entries]:
                os.unlink(self.root / _INCOMING / name)


class Vault:
    """Both stores as one."""

    def __init__(self, bodies: Path, slots: Path) -> None:
        self.bodies = Store(bodies)
        self.slots = Store(slots)

    def make(self) -> None:
        """Creates both stores, empty."""
        self.bodies.make()
        self.slots.make()

    def put(self, parts: Iterable[Part], day_s: int, each: "Spread") -> None:
        """Stores a group of envelopes durably; when it returns, only their rows are missing.

        Args:
            parts: the group, no id twice.
            day_s: Unix seconds of the day's beginning. Files carry the day only: the minute would help to link two days of one person.
            each: runs the writes, several at a time if it can; the file system merges their flushes.

        Raises:
            OSError: nothing of the group counts as stored.
        """
        group = tuple(parts)
        each([partial(self._stage, part, day_s) for part in group])
        for store in (self.bodies, self.slots):
            store.settle(part.id for part in group)

    def read(self, batch_id: str) -> tuple[bytes, bytes]:
        """(slots, rest). Raises FileNotFoundError."""
        return self.slots.read(batch_id), self.bodies.read(batch_id)

    def destroy(self, batch_ids: Iterable[str]) -> None:
        """Makes envelopes unreadable, then gone: slots first."""
        gone = tuple(batch_ids)
        self.slots.destroy(gone)
        self.bodies.destroy(gone)

    def drop_staged(self) -> None:
        """Removes what was never finished."""
        self.slots.drop_staged()
        self.bodies.drop_staged()

    def free_bytes(self) -> int:
        """What is left on the fuller of the two stores' disks."""
        return min(_free_bytes(self.bodies.root), _free_bytes(self.slots.root))

    def _stage(self, part: Part, day_s: int) -> None:
        self.bodies.stage(part.id, part.rest, day_s)
        self.slots.stage(part.id, part.slots, day_s)


Spread = Callable[[list[Callable[[], None]]], None]


def _free_bytes(path: Path) -> int:
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize
