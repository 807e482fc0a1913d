"""What a custodian states before anything is opened, and how it is recorded. Refuses an empty reason and ids that are none."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from custody.errors import AccessRefused

MIN_REASON_CHARACTERS = 3
MAX_REASON_CHARACTERS = 500  # it is shown to every subject, in one line of their My data page
MAX_BATCHES = 10_000  # in one record; more are opened in more than one step
_ID = re.compile(r"[0-9a-f]{64}")

BatchId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Access:
    """One stated access.

    Attributes:
        purpose: whose key is going to be rebuilt.
        reason: why, in words; every subject of the purpose can read it.
        batches: ids of the envelopes that are going to be opened.
    """

    purpose: str
    reason: str
    batches: tuple[str, ...]

    def encode(self) -> bytes:
        """The JSON that is recorded."""
        return msgspec.json.encode({"purpose": self.purpose, "reason": self.reason, "batches": self.batches})


class Recorded(msgspec.Struct, frozen=True):
    """The receiver's answer: the number of the record in its log."""

    record: Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class Listing(msgspec.Struct, frozen=True):
    """A page of the ids of the envelopes that the receiver keeps for a purpose, ascending."""

    batches: tuple[BatchId, ...]
    more: bool


class Denial(msgspec.Struct, frozen=True):
    """What the receiver says when it does not do something."""

    error: str
    do: str


def note(access: Access, record: int | None, now: datetime) -> bytes:
    """`access.json`, which lies beside whatever was opened.

    Args:
        access: as it was stated.
        record: its number in the receiver's log, or None where there is no log.
        now: aware, UTC.
    """
    stated = {"purpose": access.purpose, "reason": access.reason, "batches": access.batches}
    return (
        msgspec.json.encode({"schema": "volens-access/1", **stated, "record": record, "opened_at": now.isoformat(timespec="seconds")})
        + b"\n"
    )


def state(purpose: str, reason: str, batches: tuple[str, ...]) -> Access:
    """An access as it will be recorded: ids sorted, each once.

    Raises:
        AccessRefused: no reason, too long a reason, no batch, or an id that is none.
    """
    reason = " ".join(reason.split())
    if not MIN_REASON_CHARACTERS <= len(reason) <= MAX_REASON_CHARACTERS or not reason.isprintable():
        raise AccessRefused(
            f"a reason has {MIN_REASON_CHARACTERS} to {MAX_REASON_CHARACTERS} printable characters; say with --reason what for"
        )
    unique = tuple(sorted({check_id(batch) for batch in batches}))
    if len(unique) > MAX_BATCHES:
        raise AccessRefused(f"more than {MAX_BATCHES} batches at once; name some with --batch")
    return Access(purpose, reason, unique)


def check_id(batch: str) -> str:
    """A batch's id.

    Raises:
        AccessRefused: not 64 of 0-9 and a-f.
    """
    if _ID.fullmatch(batch) is None:
        raise AccessRefused("a batch is named by the 64 hexadecimal characters of its SHA-256; copy its whole id")
    return batch
