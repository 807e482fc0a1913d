"""Where envelopes come from: a receiver's address, or a folder of files. Refuses what is neither."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from custody.access import Access, check_id
from custody.errors import AccessRefused
from custody.files import read_file
from custody.remote import ReceiverSource, client_for
from transport.bounds import MAX_ENVELOPE_BYTES

SUFFIX = ".envelope"


class Source(Protocol):
    """Keeps envelopes by id. Use: `listed` if none were named, then `record` once, then `fetch`."""

    def listed(self, purpose: str) -> tuple[str, ...]:
        """Ids of all envelopes kept for a purpose."""

    def record(self, access: Access) -> int | None:
        """Records the access; the number of its record, or None where there is no log."""

    def fetch(self, batch: str) -> bytes | None:
        """The bytes kept under an id, which the caller checks; None if its subject had it erased meanwhile."""


class FolderSource:
    """Files named `ID.envelope`. There is no log: whoever has both files and keys needs no receiver, and the output says so."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def listed(self, purpose: str) -> tuple[str, ...]:  # noqa: ARG002 - the purpose stands in each envelope's header, and is checked there
        """Ids of all envelopes in the folder.

        Raises:
            AccessRefused: no such folder, or a file not named by an id.
        """
        if not self._folder.is_dir():
            raise AccessRefused(f"{self._folder} is neither a folder nor an http(s) address; name where the envelopes are with --from")
        return tuple(check_id(path.name.removesuffix(SUFFIX)) for path in sorted(self._folder.glob(f"*{SUFFIX}")))

    def record(self, access: Access) -> None:
        """No log here."""

    def fetch(self, batch: str) -> bytes:
        """A file's bytes.

        Raises:
            KeyFileRefused: not there, or too large.
        """
        return read_file(self._folder / f"{check_id(batch)}{SUFFIX}", max_bytes=MAX_ENVELOPE_BYTES)


@contextmanager
def source_of(place: str) -> Iterator[Source]:
    """The source that an address or a folder names.

    Raises:
        AccessRefused: an address that is none, or one without TLS beyond this machine.
    """
    if "://" not in place:
        yield FolderSource(Path(place))
        return
    with client_for(place) as client:
        yield ReceiverSource(client)
