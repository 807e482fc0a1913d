"""What was counted and saved beside the ledger, read again. What cannot be read counts as nothing: none of it opens anything."""

import contextlib
from collections.abc import Iterable
from functools import reduce
from pathlib import Path

import msgspec

from agent.status import TallyPart
from agent.tally import Tally
from consent.event import Clocks
from consent.ledger import Entry
from consent.steady import Anchor, anchored
from consent.unreadable import UNREADABLE
from transport import allowance, disk
from transport.seen import Seen, Stretch, sound


def tally(path: Path) -> Tally:
    """The counts of raw inputs."""
    try:
        return Tally.of(msgspec.json.decode(path.read_bytes(), type=TallyPart))
    except (OSError, *UNREADABLE):
        return Tally()


def spent(path: Path, sent: Iterable[Entry]) -> allowance.Spent:
    """What was sent today and this month; where that is lost, at least what the ledger's lines of sent batches tell."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=allowance.Spent)
    except (OSError, *UNREADABLE):
        return reduce(
            lambda found, entry: allowance.spend(found, entry.at.day.isoformat(), int(entry.data["bytes"])), sent, allowance.Spent()
        )


def anchor(path: Path, boot: str, now: Clocks) -> Anchor:
    """What the steady clock counts from; another than was kept is kept from here on, as well as the disk lets us."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Anchor)
    except (OSError, *UNREADABLE):
        kept = None
    counts_from = anchored(kept, boot, now)
    if counts_from is not kept:
        with contextlib.suppress(OSError):
            disk.put(path, msgspec.json.encode(counts_from))
    return counts_from


def seen(path: Path) -> Seen:
    """When somebody could have looked."""
    try:
        return sound(msgspec.json.decode(path.read_bytes(), type=list[Stretch]))
    except (OSError, *UNREADABLE):
        return ()
