"""The port behind which bytes are kept: one store for bodies, one for slots, one for the erasure log. It only names what a store must do.

`receiver/file_store.py` is the first that does it. An object store does it too: there, `stage` is the durable write, `settling` nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

Spread = Callable[[list[Callable[[], None]]], None]
"""Runs acts, several at once if it can, and raises the first failure when all have ended."""


class BlobStore(Protocol):
    """Bytes under names of 64 hexadecimal digits. Every method may raise OSError; what had returned by then holds."""

    def stage(self, name: str, content: bytes, day_s: int) -> None:
        """Writes durably, under a name that does not count yet. May be called from several threads.

        Args:
            name: what it will be called; staged twice, the later one counts.
            content: all of it.
            day_s: Unix seconds of the day's beginning. Nothing finer may be kept: the minute would help to link two days of one person.
        """

    def settling(self, names: Iterable[str]) -> list[Callable[[], None]]:
        """Acts that make staged names count; when all have ended, in whatever order, that is durable."""

    def read(self, name: str) -> bytes:
        """The bytes. Raises FileNotFoundError."""

    def has(self, name: str) -> bool:
        """Whether there is something of this name."""

    def destroy(self, names: Iterable[str]) -> None:
        """Makes names and bytes go, durably; those that are not there are passed over."""

    def names(self) -> Iterator[str]:
        """Every name that counts, in no order that means anything."""

    def drop_staged(self) -> None:
        """Removes what was staged and never settled."""

    def free_bytes(self) -> int:
        """How much more fits."""
