"""What stands beside a ledger that cannot be written: a pause, which the daemon honours until a person resumes, and what was forgotten.

It is written into the ledger as soon as that can be written again. Until then these two files count as the person's own words.
"""

import contextlib
import os
from typing import Any

import msgspec

from agent.places import Places
from consent.event import Clocks
from consent.pause import Pause
from consent.unreadable import UNREADABLE
from transport import disk
from transport.span import Span

_MAX_BYTES = 256 * 1024
_MAX_NOTES = 500
"""Each was a person's own act; beyond it the newest are not noted, and what they forgot is gone all the same."""


class _Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    minutes: int | None
    asked: Clocks
    boot: str


class Unsaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line for the ledger that could not be written when it happened."""

    what: str
    at: Clocks
    data: dict[str, Any]
    span: Span | None = None  # what the receiver is still to be asked to erase


def close(places: Places, minutes: int | None, now: Clocks, boot: str) -> Pause:
    """Write a pause beside the ledger, durably; on a disk without room an empty file, which means until resumed. Raises OSError."""
    try:
        disk.put(places.closed, msgspec.json.encode(_Closed(minutes, now, boot)))
    except OSError:
        os.replace(places.ledger.with_suffix(".reserve"), places.closed)  # needs no room; raises if there is none to be had
        disk.sync_folder(places.state)
    return closed(places) or Pause(None, now, boot)


def closed(places: Places) -> Pause | None:
    """The pause that stands beside the ledger, if there is one. What cannot be read is a pause until resumed."""
    if not os.path.lexists(places.closed):
        return None
    try:
        read = msgspec.json.decode(disk.read(places.closed, _MAX_BYTES), type=_Closed)
    except (OSError, disk.NotPrivate, *UNREADABLE):
        return Pause(None, Clocks(0, 0, 0), "")
    return Pause(read.minutes, read.asked, read.boot)


def reopen(places: Places) -> None:
    """The pause is in the ledger, or over. Raises OSError: then it goes on."""
    places.closed.unlink(missing_ok=True)
    disk.sync_folder(places.state)


def note_later(places: Places, what: str, at: Clocks, data: dict[str, Any], span: Span | None = None) -> None:
    """Keep a line for the ledger; as well as the disk lets us."""
    lines = [*unsaid(places), Unsaid(what, at, data, span)][:_MAX_NOTES]
    with contextlib.suppress(OSError):
        disk.put(places.unsaid, msgspec.json.encode(lines))


def unsaid(places: Places) -> list[Unsaid]:
    """What the ledger does not know yet, oldest first."""
    try:
        return msgspec.json.decode(disk.read(places.unsaid, _MAX_BYTES), type=list[Unsaid])
    except (OSError, disk.NotPrivate, *UNREADABLE):
        return []


def said(places: Places) -> None:
    """The ledger knows all of it."""
    with contextlib.suppress(OSError):
        places.unsaid.unlink(missing_ok=True)
