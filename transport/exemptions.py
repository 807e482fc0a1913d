"""Exemption requests on their way, on disk: one file each, 0600, until its person has ended it. The reason is sealed before it comes here.

Once a request is handed in, its sealed reason goes from here; what stays is that there is something to ask for, or to have forgotten.
"""

from pathlib import Path

import msgspec

from consent.unreadable import UNREADABLE
from transport import disk
from transport.exemption_proof import Asking

_END, _BAD = ".request", ".bad"
_MAX_BYTES = 16 * 1024
_encode = msgspec.msgpack.Encoder().encode


class Waiting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request on its way.

    Attributes:
        tried: It was sent; the receiver may have it, whatever was answered.
        handed_in: The receiver has it.
        doubted: What came for a decision was not the reviewer's, and was refused.
        settled: The receiver takes it from nobody, or the decision is known: it is asked no more.
    """

    asking: Asking
    tried: bool = False
    handed_in: bool = False
    doubted: bool = False
    settled: bool = False

    @property
    def id(self) -> str:
        return self.asking.id


_decode = msgspec.msgpack.Decoder(Waiting).decode


class Requests:
    """The requests of one folder. Raises NotPrivate for a folder that others can reach, OSError for a disk that fails."""

    def __init__(self, folder: Path) -> None:
        disk.make_private(folder)
        self._folder = folder
        for path in folder.glob("*" + disk.PART):
            path.unlink()

    def keep(self, waiting: Waiting) -> None:
        """Write a request down, in place of what was known of it; durable when it returns. Raises OSError."""
        disk.put(self._path(waiting.id), _encode(waiting))

    def drop(self, request_id: str) -> None:
        """Forget a request. Raises OSError."""
        self._path(request_id).unlink(missing_ok=True)

    def all(self) -> list[Waiting]:
        """What is on its way, in no order that means anything; a file that does not read is set aside."""
        found = []
        for path in sorted(self._folder.glob("*" + _END)):
            try:
                found.append(_decode(disk.read(path, _MAX_BYTES)))
            except UNREADABLE:
                path.rename(path.with_suffix(_BAD))
        return found

    def _path(self, request_id: str) -> Path:
        return self._folder / (request_id + _END)
