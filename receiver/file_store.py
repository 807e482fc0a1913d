"""A store of bytes as files. Refuses to call anything kept before it is durable.

A file is written beside its place, fsynced, and renamed into it; then its folder is fsynced.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from transport import disk

_INCOMING = ".incoming"
_SHARDS = tuple(f"{n:02x}" for n in range(256))


class FileStore:
    """A folder of 256 folders of files that are named by 64 hexadecimal digits; a BlobStore."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self) -> None:
        """Creates the empty store."""
        disk.make_private(self.root)
        for name in (_INCOMING, *_SHARDS):
            disk.make_private(self.root / name)
        disk.sync_folder(self.root)

    def path(self, name: str) -> Path:
        """Where the file of a name lies."""
        return self.root / name[:2] / name

    def stage(self, name: str, content: bytes, day_s: int) -> None:
        """Writes and fsyncs a file beside its place."""
        staged = self.root / _INCOMING / name
        try:
            disk.write_new(staged, content, modified_s=day_s)
        except FileExistsError:
            os.unlink(staged)
            disk.write_new(staged, content, modified_s=day_s)

    def settling(self, names: Iterable[str]) -> list[Callable[[], None]]:
        """An act for each folder: renames staged files into it, and fsyncs it, once. Flushes that run together are one for the disk."""
        shards: dict[str, list[str]] = defaultdict(list)
        for name in names:
            shards[name[:2]].append(name)
        return [partial(self._settle, self.root / shard, staged) for shard, staged in shards.items()]

    def read(self, name: str) -> bytes:
        """The file's bytes. Raises FileNotFoundError."""
        return self.path(name).read_bytes()

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return self.path(name).exists()

    def destroy(self, names: Iterable[str]) -> None:
        """Unlinks files, those that are there, and fsyncs their folders."""
        shards = set()
        for name in names:
            with suppress(FileNotFoundError):
                self.path(name).unlink()
            shards.add(self.path(name).parent)
        for shard in sorted(shards):
            disk.sync_folder(shard)

    def names(self) -> Iterator[str]:
        """The name of every file in its place, folder after folder."""
        for shard in _SHARDS:
            with os.scandir(self.root / shard) as entries:
                yield from [entry.name for entry in entries]

    def drop_staged(self) -> None:
        """Removes what was being written when the process died."""
        with os.scandir(self.root / _INCOMING) as entries:
            for name in [entry.name for entry in entries]:
                os.unlink(self.root / _INCOMING / name)

    def _settle(self, shard: Path, names: list[str]) -> None:
        for name in names:
            os.rename(self.root / _INCOMING / name, shard / name)
        disk.sync_folder(shard)

    def free_bytes(self) -> int:
        """What is left on its disk for this account."""
        facts = os.statvfs(self.root)
        return facts.f_bavail * facts.f_frsize
